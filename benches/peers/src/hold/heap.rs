//! The binary heap of the standard library.

use super::Processes;
use crate::heap::Kernel;
use crate::measure::{Held, Hold, cpu_s};

pub fn run(plan: &Hold) -> Held {
    let mut processes = Processes::new(plan);
    let mut kernel = Kernel::new();
    for process in 0..plan.pending {
        kernel.after_s(processes.draw.exponential(1.0), process);
    }
    let mut turn = |events: u64| {
        for _ in 0..events {
            let process = kernel.fire().expect("as many are pending as there are processes");
            let (wait_s, next) = processes.fire(process);
            kernel.after_s(wait_s, next);
        }
        kernel.now_s()
    };
    let before_s = turn(plan.untimed());
    let start = cpu_s();
    let after_s = turn(plan.events);
    Held { events: plan.events, cpu_s: cpu_s() - start, simulated_s: after_s - before_s }
}
