//! How many tasks are present at given instants: what is known of a system that has not settled down.

use crate::engine::{EventId, Span, Time};
use crate::trace::{Observer, Record};

/// How many tasks are present at given instants.
#[derive(Clone, Debug)]
pub struct Probes {
    /// Instants in order, each with its place in the answer.
    instants: Vec<(Time, usize)>,
    next: usize,
    present: u64,
    answers: Vec<f64>,
}

impl Probes {
    /// Counts at `instants`, in any order; what happens in the instant itself has happened.
    pub fn new(instants: &[Time]) -> Probes {
        let mut ordered: Vec<(Time, usize)> =
            instants.iter().enumerate().map(|(place, &at)| (at, place)).collect();
        ordered.sort_unstable();
        Probes { instants: ordered, next: 0, present: 0, answers: vec![f64::NAN; instants.len()] }
    }

    /// The counts, in the order of the instants asked for; NaN for those after the end of the run.
    pub fn answers(&self) -> Vec<f64> {
        self.answers.clone()
    }

    fn answer_before(&mut self, at: Time) {
        while let Some(&(instant, place)) = self.instants.get(self.next)
            && instant < at
        {
            self.answers[place] = self.present as f64;
            self.next += 1;
        }
    }
}

impl Observer for Probes {
    #[inline(always)]
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match record {
            Record::Arrived { .. } => {
                self.answer_before(at);
                self.present += 1;
            }
            Record::Accepted { .. } | Record::Ended { .. } => {
                self.answer_before(at);
                self.present -= 1;
            }
            Record::Finish => self.answer_before(at + Span::from_nanos(1)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Ending, TaskId};

    const fn secs(secs: u64) -> Time {
        Time::from_secs(secs)
    }

    #[test]
    fn probes_count_what_has_happened_by_their_instant() {
        let mut probes = Probes::new(&[secs(4), secs(0), secs(2), secs(99)]);
        for (at, record) in [
            (1, Record::Arrived { task: TaskId(0) }),
            (2, Record::Arrived { task: TaskId(1) }),
            (4, Record::Ended { task: TaskId(0), how: Ending::Failed }),
            (9, Record::Finish),
        ] {
            probes.observe(secs(at), EventId(0), &record);
        }
        let answers = probes.answers();
        assert_eq!(answers[..3], [1.0, 0.0, 2.0]);
        assert!(answers[3].is_nan(), "after the end of the run");
    }
}
