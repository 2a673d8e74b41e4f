//! The floor: the same draws and the same state, with a ring in place of a queue that orders.

use std::collections::VecDeque;

use super::Processes;
use crate::measure::{Held, Hold, cpu_s};

pub fn run(plan: &Hold) -> Held {
    let mut processes = Processes::new(plan);
    let mut ring: VecDeque<(u64, u32)> = (0..plan.pending).map(|process| (0, process)).collect();
    let mut turn = |events: u64| {
        for _ in 0..events {
            let (when_ns, process) = ring.pop_front().expect("as many are pending as there are processes");
            let (wait_s, next) = processes.fire(process);
            ring.push_back((when_ns + (wait_s * 1e9) as u64, next));
        }
    };
    turn(plan.untimed());
    let start = cpu_s();
    turn(plan.events);
    // Without order there is no clock.
    Held { events: plan.events, cpu_s: cpu_s() - start, simulated_s: f64::NAN }
}
