//! The binary heap of the standard library, with all groups in one model.

use super::model::{Event, Groups, Schedule};
use crate::heap::Kernel;
use crate::measure::{LeaderWorker, Tally, cpu_s};

impl Schedule for Kernel<Event> {
    fn after(&mut self, wait_s: f64, event: Event) {
        self.after_s(wait_s, event);
    }
}

pub fn run(plan: &LeaderWorker) -> (Tally, f64) {
    let (mut model, mut kernel) = (Groups::new(plan), Kernel::new());
    let start = cpu_s();
    model.begin(&mut kernel);
    while let Some(event) = kernel.fire() {
        model.handle(kernel.now_s(), event, &mut kernel);
    }
    (model.tally, cpu_s() - start)
}
