//! simcore with all groups in one component.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;
use simcore::{EventHandler, Simulation, SimulationContext, cast};

use super::model::{Event, Groups, Schedule};
use crate::measure::{LeaderWorker, Tally, cpu_s};

#[derive(Clone, Serialize)]
struct Happens {
    what: Event,
}

struct All {
    context: SimulationContext,
    model: Groups,
}

struct Kernel<'a>(&'a SimulationContext);

impl Schedule for Kernel<'_> {
    fn after(&mut self, wait_s: f64, event: Event) {
        self.0.emit_self(Happens { what: event }, wait_s);
    }
}

impl EventHandler for All {
    fn on(&mut self, event: simcore::Event) {
        let now_s = event.time;
        cast!(match event.data {
            Happens { what } => {
                self.model.handle(now_s, what, &mut Kernel(&self.context));
            }
        })
    }
}

pub fn run(plan: &LeaderWorker) -> (Tally, f64) {
    let mut simulation = Simulation::new(plan.seed);
    let context = simulation.create_context("all");
    let own = simulation.create_context("all");
    let all = Rc::new(RefCell::new(All { context: own, model: Groups::new(plan) }));
    simulation.add_handler("all", all.clone());
    let start = cpu_s();
    all.borrow_mut().model.begin(&mut Kernel(&context));
    simulation.step_until_no_events();
    let cpu_s = cpu_s() - start;
    let tally = all.borrow().model.tally;
    (tally, cpu_s)
}
