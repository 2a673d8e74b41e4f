//! NeXosim as its guide has it: a model for each client, coordinator and worker, joined by ports; one thread.
//!
//! A message is sent at once; whoever receives it schedules for itself the instant at which it is there.

use std::collections::VecDeque;
use std::time::Duration;

use nexosim::model::{Context, Model, SchedulableId, schedulable};
use nexosim::ports::{EventSinkReader, EventSource, Output, SinkState, event_queue};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};

use super::{ARRIVALS_PER_S, LATENCY_S, SERVICE_S, WORK_S, WORKERS};
use crate::draw::Draw;
use crate::measure::{LeaderWorker, Tally, cpu_s};

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Task {
    arrived_s: f64,
    settled_s: f64,
    /// Set when it is assigned.
    worker: u32,
}

fn now_s<M: Model>(cx: &Context<M>) -> f64 {
    cx.time().duration_since(MonotonicTime::EPOCH).as_secs_f64()
}

/// Schedules an event after an exponential wait. It may not be scheduled for now.
fn after<M: Model, T: Send + Clone + 'static>(
    cx: &Context<M>,
    draw: &mut Draw,
    mean_s: f64,
    to: &SchedulableId<M, T>,
    event: T,
) {
    let wait = Duration::from_nanos((draw.exponential(mean_s * 1e9) as u64).max(1));
    cx.schedule_event(wait, to, event).expect("a wait is above zero");
}

#[derive(Serialize, Deserialize)]
struct Client {
    plan: LeaderWorker,
    draw: Draw,
    tally: Tally,
    submit: Output<Task>,
    report: Output<Tally>,
}

#[Model]
impl Client {
    pub fn begin(&mut self, _: (), cx: &Context<Self>) {
        self.await_arrival(cx);
    }

    #[nexosim(schedulable)]
    async fn arrives(&mut self, _: (), cx: &Context<Self>) {
        self.submit.send(Task { arrived_s: now_s(cx), settled_s: 0.0, worker: 0 }).await;
        self.await_arrival(cx);
    }

    pub fn notify(&mut self, task: Task, cx: &Context<Self>) {
        after(cx, &mut self.draw, LATENCY_S, schedulable!(Self::notified), task);
    }

    #[nexosim(schedulable)]
    fn notified(&mut self, task: Task, cx: &Context<Self>) {
        self.tally.notified(&self.plan, task.arrived_s, task.settled_s, now_s(cx));
    }

    pub async fn finish(&mut self, _: ()) {
        self.report.send(self.tally).await;
    }

    fn await_arrival(&mut self, cx: &Context<Self>) {
        let wait_s = self.draw.exponential(1.0 / ARRIVALS_PER_S);
        if now_s(cx) + wait_s < self.plan.horizon_s {
            let wait = Duration::from_nanos(((wait_s * 1e9) as u64).max(1));
            cx.schedule_event(wait, schedulable!(Self::arrives), ()).expect("a wait is above zero");
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Letter {
    Submit(Task),
    Result(Task),
}

#[derive(Serialize, Deserialize)]
struct Coordinator {
    draw: Draw,
    queue: VecDeque<Letter>,
    outstanding: Vec<u32>,
    assign: Vec<Output<Task>>,
    notify: Output<Task>,
}

#[Model]
impl Coordinator {
    pub fn submit(&mut self, task: Task, cx: &Context<Self>) {
        after(cx, &mut self.draw, LATENCY_S, schedulable!(Self::comes), Letter::Submit(task));
    }

    pub fn result(&mut self, task: Task, cx: &Context<Self>) {
        after(cx, &mut self.draw, LATENCY_S, schedulable!(Self::comes), Letter::Result(task));
    }

    #[nexosim(schedulable)]
    fn comes(&mut self, letter: Letter, cx: &Context<Self>) {
        self.queue.push_back(letter);
        if self.queue.len() == 1 {
            after(cx, &mut self.draw, SERVICE_S, schedulable!(Self::served), ());
        }
    }

    #[nexosim(schedulable)]
    async fn served(&mut self, _: (), cx: &Context<Self>) {
        let letter = self.queue.pop_front().expect("a coordinator that served had a letter");
        if !self.queue.is_empty() {
            after(cx, &mut self.draw, SERVICE_S, schedulable!(Self::served), ());
        }
        match letter {
            Letter::Submit(task) => {
                let worker = self.less_loaded();
                self.outstanding[worker as usize] += 1;
                self.assign[worker as usize].send(Task { worker, ..task }).await;
            }
            Letter::Result(task) => {
                self.outstanding[task.worker as usize] -= 1;
                self.notify.send(Task { settled_s: now_s(cx), ..task }).await;
            }
        }
    }

    fn less_loaded(&mut self) -> u32 {
        let (one, other) = self.draw.two_below(WORKERS);
        let load = |worker: u32| self.outstanding[worker as usize];
        if load(other) < load(one) { other } else { one }
    }
}

#[derive(Serialize, Deserialize)]
struct Worker {
    draw: Draw,
    queue: VecDeque<Task>,
    result: Output<Task>,
}

#[Model]
impl Worker {
    pub fn assign(&mut self, task: Task, cx: &Context<Self>) {
        after(cx, &mut self.draw, LATENCY_S, schedulable!(Self::assigned), task);
    }

    #[nexosim(schedulable)]
    fn assigned(&mut self, task: Task, cx: &Context<Self>) {
        self.queue.push_back(task);
        if self.queue.len() == 1 {
            after(cx, &mut self.draw, WORK_S, schedulable!(Self::worked), ());
        }
    }

    #[nexosim(schedulable)]
    async fn worked(&mut self, _: (), cx: &Context<Self>) {
        let task = self.queue.pop_front().expect("a worker that is done had a task");
        if !self.queue.is_empty() {
            after(cx, &mut self.draw, WORK_S, schedulable!(Self::worked), ());
        }
        self.result.send(task).await;
    }
}

/// A seed of its own for each model.
fn draw(plan: &LeaderWorker, number: u64) -> Draw {
    Draw::new(plan.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(number))
}

/// Adds a group; gives the bench and the mailbox address of its client.
fn group(mut bench: SimInit, number: u32, plan: &LeaderWorker, client: (Client, Mailbox<Client>)) -> SimInit {
    let (mut client, client_mailbox) = client;
    let mailbox: Mailbox<Coordinator> = Mailbox::new();
    let seed = u64::from(number) * u64::from(WORKERS + 2);
    client.submit.connect(Coordinator::submit, &mailbox);
    let mut leader = Coordinator {
        draw: draw(plan, seed + 1),
        queue: VecDeque::new(),
        outstanding: vec![0; WORKERS as usize],
        assign: Vec::new(),
        notify: Output::default(),
    };
    leader.notify.connect(Client::notify, &client_mailbox);
    for index in 0..WORKERS {
        let worker_mailbox = Mailbox::with_capacity(2);
        let mut assign = Output::default();
        assign.connect(Worker::assign, &worker_mailbox);
        leader.assign.push(assign);
        let draw = draw(plan, seed + 2 + u64::from(index));
        let mut worker = Worker { draw, queue: VecDeque::new(), result: Output::default() };
        worker.result.connect(Coordinator::result, &mailbox);
        bench = bench.add_model(worker, worker_mailbox, &format!("worker{number}-{index}"));
    }
    bench.add_model(leader, mailbox, &format!("coordinator{number}")).add_model(
        client,
        client_mailbox,
        &format!("client{number}"),
    )
}

pub fn run(plan: &LeaderWorker) -> (Tally, f64) {
    let (sink, mut reports) = event_queue(SinkState::Enabled);
    let (mut begin, mut finish) = (EventSource::new(), EventSource::new());
    let mut clients = Vec::new();
    for number in 0..plan.groups {
        let mailbox = Mailbox::new();
        begin = begin.connect(Client::begin, &mailbox);
        finish = finish.connect(Client::finish, &mailbox);
        let draw = draw(plan, u64::from(number) * u64::from(WORKERS + 2));
        let (submit, report) = (Output::default(), Output::default());
        let mut client = Client { plan: *plan, draw, tally: Tally::default(), submit, report };
        client.report.connect_sink(sink.clone());
        clients.push((client, mailbox));
    }
    let mut bench = SimInit::with_num_threads(1);
    let (begin, finish) = (begin.register(&mut bench), finish.register(&mut bench));
    for (number, client) in clients.into_iter().enumerate() {
        bench = group(bench, number as u32, plan, client);
    }
    let mut simulation = bench.init(MonotonicTime::EPOCH).expect("a bench whose names differ");
    let start = cpu_s();
    simulation.process_event(&begin, ()).expect("the clients are there");
    simulation.run().expect("no model fails");
    let cpu_s = cpu_s() - start;
    simulation.process_event(&finish, ()).expect("the clients are there");
    let mut tally = Tally::default();
    while let Some(report) = reports.try_read() {
        tally.add(&report);
    }
    // Arrival, four messages, two services and one piece of work for each task, mailbox hops not counted.
    tally.events = 8 * tally.tasks;
    (tally, cpu_s)
}
