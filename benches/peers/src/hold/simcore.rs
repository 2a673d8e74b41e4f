//! simcore (DSLab): one handler that knows all processes, or a component for each process.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;
use simcore::{Event, EventHandler, Id, Simulation, SimulationContext, cast};

use super::Processes;
use crate::draw::Draw;
use crate::measure::{Held, Hold, cpu_s};

/// The payload has no size, so that its box needs no memory.
#[derive(Clone, Serialize)]
struct Tick {}

/// One handler registered under the name of every process: ids are 0 … n − 1 in order.
struct All {
    context: SimulationContext,
    processes: Processes,
}

impl EventHandler for All {
    fn on(&mut self, event: Event) {
        let process = event.dst;
        cast!(match event.data {
            Tick {} => {
                let (wait_s, next) = self.processes.fire(process);
                self.context.emit(Tick {}, next, wait_s);
            }
        })
    }
}

pub fn one(plan: &Hold) -> Held {
    let mut simulation = Simulation::new(plan.seed);
    let contexts: Vec<SimulationContext> =
        (0..plan.pending).map(|process| simulation.create_context(format!("p{process}"))).collect();
    let context = simulation.create_context("p0");
    let all = Rc::new(RefCell::new(All { context, processes: Processes::new(plan) }));
    for process in 0..plan.pending {
        simulation.add_handler(format!("p{process}"), all.clone());
    }
    start(&contexts, plan);
    timed(&mut simulation, plan)
}

/// A component for each process.
struct Process {
    context: SimulationContext,
    fired: u64,
    draw: Rc<RefCell<Draw>>,
    processes: u32,
}

impl EventHandler for Process {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Tick {} => {
                self.fired += 1;
                let mut draw = self.draw.borrow_mut();
                let (wait_s, next) = (draw.exponential(1.0), draw.below(self.processes));
                self.context.emit(Tick {}, next as Id, wait_s);
            }
        })
    }
}

pub fn each(plan: &Hold) -> Held {
    let mut simulation = Simulation::new(plan.seed);
    let draw = Rc::new(RefCell::new(Draw::new(plan.seed)));
    let mut contexts = Vec::new();
    for number in 0..plan.pending {
        let context = simulation.create_context(format!("p{number}"));
        contexts.push(simulation.create_context(format!("p{number}")));
        let process = Process { context, fired: 0, draw: draw.clone(), processes: plan.pending };
        simulation.add_handler(format!("p{number}"), Rc::new(RefCell::new(process)));
    }
    start(&contexts, plan);
    timed(&mut simulation, plan)
}

fn start(contexts: &[SimulationContext], plan: &Hold) {
    let mut draw = Draw::new(!plan.seed);
    contexts.iter().for_each(|context| {
        context.emit_self(Tick {}, draw.exponential(1.0));
    });
}

fn timed(simulation: &mut Simulation, plan: &Hold) -> Held {
    simulation.steps(plan.untimed());
    let before_s = simulation.time();
    let start = cpu_s();
    simulation.steps(plan.events);
    Held { events: plan.events, cpu_s: cpu_s() - start, simulated_s: simulation.time() - before_s }
}
