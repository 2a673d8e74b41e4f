//! Causes precede effects: time and causes never go back, one cause has one time, no letter arrives
//! sooner than light would carry it, and no task is handed over before its predecessors have ended.

use std::rc::Rc;

use super::letters::{Letters, Sent};
use super::{Breach, Ground, Invariant, InvariantDef, Verdict};
use crate::engine::{EventId, Time};
use crate::trace::{Observer, Record, TaskId};

pub(super) const DEF: InvariantDef = InvariantDef {
    name: "causality",
    about: "time and causes never go back, and nothing arrives or begins before what brings it about",
    watch: |ground| {
        Box::new(Causality {
            ground: Rc::clone(ground),
            last: (Time::ZERO, EventId(0)),
            ended: vec![false; ground.tasks.len()],
            letters: Letters::default(),
            verdict: Verdict::default(),
        })
    },
};

#[derive(Debug)]
struct Causality {
    ground: Rc<Ground>,
    /// Time and cause of the last record.
    last: (Time, EventId),
    ended: Vec<bool>,
    letters: Letters<()>,
    verdict: Verdict,
}

impl Causality {
    fn follows(&mut self, at: Time, cause: EventId) {
        let (then, before) = std::mem::replace(&mut self.last, (at, cause));
        if at < then || cause.0 < before.0 || (cause == before && at != then) {
            let what = || format!("event {} follows event {} at {then}", cause.0, before.0);
            self.verdict.broken(at, &[], what);
        }
    }

    fn submitted(&mut self, at: Time, task: TaskId) {
        let open = self.ground.tasks.predecessors(task).find(|before| !self.ended[before.index()]);
        if let Some(open) = open {
            let what = || format!("task {} was handed over before task {} had ended", task.0, open.0);
            self.verdict.broken(at, &[], what);
        }
    }
}

impl Observer for Causality {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        self.follows(at, cause);
        match *record {
            Record::Sent { letter, from, to, .. } => {
                self.letters.file(letter, Sent { from, to, at, note: () });
            }
            Record::Delivered { letter, .. } => {
                let Some(Sent { from, to, at: sent, note: () }) = self.letters.take(letter) else { return };
                let least = self.ground.least_latency(from, to);
                if at < sent + least {
                    let what = || format!("a letter sent at {sent} arrived before {least} had passed");
                    self.verdict.broken(at, &[from, to], what);
                }
            }
            Record::Submitted { task, .. } => self.submitted(at, task),
            Record::Accepted { task, .. } | Record::Ended { task, .. } => self.ended[task.index()] = true,
            _ => {}
        }
    }
}

impl Invariant for Causality {
    fn breach(&self) -> Option<&Breach> {
        self.verdict.0.as_ref()
    }
}
