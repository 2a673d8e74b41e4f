//! Work 1, hold: n processes, one event each. An event counts at its process and schedules the next one, at a
//! random process after an exponential delay of mean 1 s, so that n are always pending.

mod floor;
mod heap;
mod nexosim;
mod simcore;

use crate::draw::Draw;
use crate::measure::{Held, Hold};

/// Contestants by name; `race.py` takes the fastest variant of a peer as its figure.
pub const CONTESTANTS: &[(&str, fn(&Hold) -> Held)] = &[
    ("floor", floor::run),
    ("heap", heap::run),
    ("simcore-one", simcore::one),
    ("simcore-each", simcore::each),
    ("nexosim-one", nexosim::one),
    ("nexosim-each", nexosim::each),
];

/// The state of all processes, and where the next event goes.
#[derive(Debug)]
struct Processes {
    fired: Vec<u64>,
    draw: Draw,
}

impl Processes {
    fn new(plan: &Hold) -> Processes {
        Processes { fired: vec![0; plan.pending as usize], draw: Draw::new(plan.seed) }
    }

    /// An event fires at `process`. Gives the delay [s] and the process of the next one.
    fn fire(&mut self, process: u32) -> (f64, u32) {
        self.fired[process as usize] += 1;
        (self.draw.exponential(1.0), self.draw.below(self.fired.len() as u32))
    }
}
