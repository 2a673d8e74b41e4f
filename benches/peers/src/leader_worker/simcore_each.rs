//! simcore as its guide has it: a component for each client, coordinator and worker, and its own draws.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use rand_distr_04::Exp;
use serde::Serialize;
use simcore::{Event, EventHandler, Id, Simulation, SimulationContext, cast};

use super::{ARRIVALS_PER_S, LATENCY_S, SERVICE_S, WORK_S, WORKERS};
use crate::measure::{LeaderWorker, Tally, cpu_s};

#[derive(Clone, Serialize)]
struct Arrives {}
#[derive(Clone, Serialize)]
struct Submit {
    arrived_s: f64,
}
#[derive(Clone, Serialize)]
struct Served {}
#[derive(Clone, Serialize)]
struct Assign {
    arrived_s: f64,
}
#[derive(Clone, Serialize)]
struct Worked {}
#[derive(Clone, Serialize)]
struct Answer {
    arrived_s: f64,
}
#[derive(Clone, Serialize)]
struct Notify {
    arrived_s: f64,
    settled_s: f64,
}

fn exponential(context: &SimulationContext, mean: f64) -> f64 {
    context.sample_from_distribution(&Exp::new(1.0 / mean).expect("a mean above zero"))
}

/// Submits tasks and learns of their results.
struct Client {
    context: SimulationContext,
    coordinator: Id,
    plan: LeaderWorker,
    tally: Tally,
}

impl Client {
    fn await_arrival(&self) {
        let wait_s = exponential(&self.context, 1.0 / ARRIVALS_PER_S);
        if self.context.time() + wait_s < self.plan.horizon_s {
            self.context.emit_self(Arrives {}, wait_s);
        }
    }
}

impl EventHandler for Client {
    fn on(&mut self, event: Event) {
        let now_s = event.time;
        cast!(match event.data {
            Arrives {} => {
                let latency_s = exponential(&self.context, LATENCY_S);
                self.context.emit(Submit { arrived_s: now_s }, self.coordinator, latency_s);
                self.await_arrival();
            }
            Notify { arrived_s, settled_s } => {
                self.tally.notified(&self.plan, arrived_s, settled_s, now_s);
            }
        })
    }
}

enum Letter {
    Submit { arrived_s: f64 },
    Answer { arrived_s: f64, worker: Id },
}

/// Serves letters in order; its workers' ids follow its own.
struct Coordinator {
    context: SimulationContext,
    client: Id,
    first_worker: Id,
    queue: VecDeque<Letter>,
    outstanding: Vec<u32>,
}

impl Coordinator {
    fn comes(&mut self, letter: Letter) {
        self.queue.push_back(letter);
        if self.queue.len() == 1 {
            self.serve();
        }
    }

    fn serve(&self) {
        self.context.emit_self(Served {}, exponential(&self.context, SERVICE_S));
    }

    fn served(&mut self, now_s: f64) {
        let letter = self.queue.pop_front().expect("a coordinator that served had a letter");
        if !self.queue.is_empty() {
            self.serve();
        }
        let latency_s = exponential(&self.context, LATENCY_S);
        match letter {
            Letter::Submit { arrived_s } => {
                let worker = self.less_loaded();
                self.outstanding[worker] += 1;
                self.context.emit(Assign { arrived_s }, self.first_worker + worker as Id, latency_s);
            }
            Letter::Answer { arrived_s, worker } => {
                self.outstanding[(worker - self.first_worker) as usize] -= 1;
                self.context.emit(Notify { arrived_s, settled_s: now_s }, self.client, latency_s);
            }
        }
    }

    fn less_loaded(&self) -> usize {
        let one = self.context.gen_range(0..WORKERS) as usize;
        let other = (one + 1 + self.context.gen_range(0..WORKERS - 1) as usize) % WORKERS as usize;
        if self.outstanding[other] < self.outstanding[one] { other } else { one }
    }
}

impl EventHandler for Coordinator {
    fn on(&mut self, event: Event) {
        let (now_s, from) = (event.time, event.src);
        cast!(match event.data {
            Submit { arrived_s } => {
                self.comes(Letter::Submit { arrived_s });
            }
            Answer { arrived_s } => {
                self.comes(Letter::Answer { arrived_s, worker: from });
            }
            Served {} => {
                self.served(now_s);
            }
        })
    }
}

/// Does one task after the other.
struct Worker {
    context: SimulationContext,
    coordinator: Id,
    queue: VecDeque<f64>,
}

impl Worker {
    fn work(&self) {
        self.context.emit_self(Worked {}, exponential(&self.context, WORK_S));
    }
}

impl EventHandler for Worker {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Assign { arrived_s } => {
                self.queue.push_back(arrived_s);
                if self.queue.len() == 1 {
                    self.work();
                }
            }
            Worked {} => {
                let arrived_s = self.queue.pop_front().expect("a worker that is done had a task");
                if !self.queue.is_empty() {
                    self.work();
                }
                self.context.emit(
                    Answer { arrived_s },
                    self.coordinator,
                    exponential(&self.context, LATENCY_S),
                );
            }
        })
    }
}

/// Registers a group; gives its client.
fn group(simulation: &mut Simulation, number: u32, plan: &LeaderWorker) -> Rc<RefCell<Client>> {
    let client_context = simulation.create_context(format!("client{number}"));
    let context = simulation.create_context(format!("coordinator{number}"));
    let (client, coordinator) = (client_context.id(), context.id());
    let first_worker = coordinator + 1;
    let (queue, outstanding) = (VecDeque::new(), vec![0; WORKERS as usize]);
    let leader = Coordinator { context, client, first_worker, queue, outstanding };
    simulation.add_handler(format!("coordinator{number}"), Rc::new(RefCell::new(leader)));
    for index in 0..WORKERS {
        let name = format!("worker{number}-{index}");
        let context = simulation.create_context(&name);
        assert_eq!(context.id(), first_worker + index, "ids are given out in order");
        let worker = Worker { context, coordinator, queue: VecDeque::new() };
        simulation.add_handler(name, Rc::new(RefCell::new(worker)));
    }
    let client = Client { context: client_context, coordinator, plan: *plan, tally: Tally::default() };
    let client = Rc::new(RefCell::new(client));
    simulation.add_handler(format!("client{number}"), client.clone());
    client
}

pub fn run(plan: &LeaderWorker) -> (Tally, f64) {
    let mut simulation = Simulation::new(plan.seed);
    let clients: Vec<_> = (0..plan.groups).map(|number| group(&mut simulation, number, plan)).collect();
    let start = cpu_s();
    clients.iter().for_each(|client| client.borrow().await_arrival());
    simulation.step_until_no_events();
    let cpu_s = cpu_s() - start;
    let mut tally = Tally { events: simulation.event_count(), ..Tally::default() };
    clients.iter().for_each(|client| tally.add(&client.borrow().tally));
    (tally, cpu_s)
}
