//! A task is settled at most once, by the first output that reaches whoever settles it. A pattern that
//! gives up `settled_once` may settle again; even then one answer alone is accepted.

use std::rc::Rc;

use super::{Breach, Ground, Invariant, InvariantDef, Verdict};
use crate::engine::{EventId, Time};
use crate::trace::{Observer, Promise, Record};

pub(super) const DEF: InvariantDef = InvariantDef {
    name: "settled_once",
    about: "a task is settled at most once, unless the pattern gives that up, and accepted at most once",
    watch: |ground| {
        Box::new(Settled {
            ground: Rc::clone(ground),
            accepted: vec![false; ground.tasks.len()],
            verdict: Verdict::default(),
        })
    },
};

#[derive(Debug)]
struct Settled {
    ground: Rc<Ground>,
    accepted: Vec<bool>,
    verdict: Verdict,
}

impl Observer for Settled {
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Accepted { task, execution, .. } => {
                let before = std::mem::replace(&mut self.accepted[task.index()], true);
                if before {
                    let what = || format!("task {} was accepted again, by execution {}", task.0, execution.0);
                    self.verdict.broken(at, &[], what);
                }
            }
            Record::DoubleSettle { task, execution }
                if !self.ground.gives_up.contains(&Promise::SettledOnce) =>
            {
                let what = || format!("task {} was settled again, by execution {}", task.0, execution.0);
                self.verdict.broken(at, &[], what);
            }
            _ => {}
        }
    }
}

impl Invariant for Settled {
    fn breach(&self) -> Option<&Breach> {
        self.verdict.0.as_ref()
    }
}
