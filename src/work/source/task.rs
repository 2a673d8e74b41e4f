//! What a task is: work, tokens, skill, origin, deadline, value, each drawn from the task's own address.
//!
//! A property has its own ordinal, so that a scenario that adds a deadline law changes no task's work.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arrival, Call};
use crate::engine::{Key, Law, Span, nearest, standard_normal};
use crate::trace::{ClassId, SiteId, SkillId, TaskId};
use crate::work::{Release, TaskCard, TaskSpec};

/// What the client believes a task's work to be; patterns see it, never the true work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Estimate {
    /// The true work.
    Exact,
    /// The mean work of all tasks: nothing is known of the single one.
    #[default]
    Mean,
    /// The true work times a lognormal factor of median 1.
    Noisy {
        /// Standard deviation of the logarithm of the factor, zero or more.
        sigma: f64,
    },
}

/// The laws of the model calls a task makes, each drawn anew; the time per token is the model's, and so
/// the same for all calls of a task.
#[derive(Clone, Debug)]
pub struct Calls {
    /// Calls of a task.
    pub calls: Law,
    /// Time to the first token.
    pub ttft: Law,
    /// Time between two tokens.
    pub per_token: Law,
    /// Tokens written by a call, where no trace says.
    pub generated_tokens: Law,
    /// Tokens read by a call, where no trace says.
    pub context_tokens: Law,
    /// Recorded calls, in order of time: a task that arrived with a row makes that call and the ones after
    /// it, from the first again after the last.
    pub recording: Arc<Vec<(Span, Call)>>,
}

/// So many calls are drawn together.
const AT_ONCE: usize = 32;

/// What the calls of one task come to.
struct Bill {
    work_s: f64,
    tokens: f64,
    first_read: f64,
}

impl Calls {
    fn draw(&self, key: Key, entity: u64, arrival: &Arrival) -> Bill {
        let open = |property| key.open(entity, property as u64);
        let count = self.calls.sample(&mut open(Property::Calls)).round().clamp(1.0, MOST_CALLS);
        let per_token = self.per_token.sample(&mut open(Property::PerToken));
        let (mut ttft, mut reads) = (open(Property::Work), open(Property::CallContext));
        let mut writes = open(Property::Generated);
        let mut bill = Bill { work_s: 0.0, tokens: 0.0, first_read: 0.0 };
        let (mut waits, mut read, mut written) = ([0.0; AT_ONCE], [0.0; AT_ONCE], [0.0; AT_ONCE]);
        let count = count as usize;
        for first in (0..count).step_by(AT_ONCE) {
            let these = AT_ONCE.min(count - first);
            self.ttft.sample_each(&mut ttft, &mut waits[..these]);
            match arrival.row {
                Some(row) => {
                    for call in 0..these {
                        let place = (row as usize + first + call) % self.recording.len();
                        let (_, recorded) = self.recording[place];
                        read[call] = f64::from(recorded.context_tokens);
                        written[call] = f64::from(recorded.generated_tokens);
                    }
                }
                None => {
                    self.context_tokens.sample_each(&mut reads, &mut read[..these]);
                    self.generated_tokens.sample_each(&mut writes, &mut written[..these]);
                }
            }
            for call in 0..these {
                // Recorded tokens are whole numbers already.
                let (read, written) = (nearest(read[call]) as f64, nearest(written[call]) as f64);
                bill.work_s += waits[call] + written * per_token;
                bill.tokens += read + written;
            }
            if first == 0 {
                bill.first_read = nearest(read[0]) as f64;
            }
        }
        bill
    }
}

/// How much work a task is.
#[derive(Clone, Debug)]
pub enum WorkLaw {
    /// A time at speed 1.
    Duration(Law),
    /// Σ over model calls of time to first token + tokens written × time per token.
    Calls(Box<Calls>),
}

/// The laws of everything random about a task.
#[derive(Clone, Debug)]
pub struct TaskLaws {
    /// Kind of request, or stage of a job.
    pub class: ClassId,
    /// A task of higher priority goes before one of lower.
    pub priority: i16,
    /// True work.
    pub work: WorkLaw,
    /// Mean of the true work, for [`Estimate::Mean`].
    pub mean_work: Span,
    /// What the client believes.
    pub estimate: Estimate,
    /// Tokens that must be read to understand the task; `None`: those a model call of it reads.
    pub context_tokens: Option<Law>,
    /// Tokens read and written in doing the work, where it is not made of model calls.
    pub work_tokens: Law,
    /// Skill classes with their shares; any agent will do where empty.
    pub skills: Vec<(SkillId, f64)>,
    /// Sites of clients with their shares.
    pub origins: Vec<(SiteId, f64)>,
    /// Time allowed after arrival.
    pub deadline: Option<Law>,
    /// Worth of a correct answer \[money\].
    pub value: Law,
}

/// One ordinal a property, never reused.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Property {
    Origin = 0,
    Work = 1,
    PerToken = 2,
    Generated = 3,
    CallContext = 4,
    Context = 5,
    Skill = 6,
    Deadline = 7,
    Estimate = 8,
    Value = 9,
    WorkTokens = 10,
    Calls = 11,
    Class = 12,
    Think = 13,
    Next = 14,
}

/// The class of task number `entity`, drawn by `shares`.
pub(super) fn class(shares: &[f64], key: Key, entity: u64) -> usize {
    pick(shares, key.open(entity, Property::Class as u64).uniform())
}

/// How long the customer thinks before task number `entity`.
pub(super) fn thinking(law: &Law, key: Key, entity: u64) -> Span {
    law.sample_span(&mut key.open(entity, Property::Think as u64))
}

/// Where a job goes after task number `entity`: a position in `shares`.
pub(super) fn next(shares: &[f64], key: Key, entity: u64) -> usize {
    pick(shares, key.open(entity, Property::Next as u64).uniform())
}

/// The position that `uniform`, from (0, 1), picks among `shares`.
///
/// # Panics
/// If there is no share.
pub fn pick(shares: &[f64], uniform: f64) -> usize {
    pick_by(shares, |share| *share, uniform)
}

/// The position that `uniform`, from (0, 1), picks among `items` with these shares.
fn pick_by<T>(items: &[T], share: impl Fn(&T) -> f64, uniform: f64) -> usize {
    let (_, others) = items.split_last().expect("nothing to pick from");
    let mut left = uniform * items.iter().map(&share).sum::<f64>();
    let picked = others.iter().position(|item| {
        left -= share(item);
        left < 0.0
    });
    picked.unwrap_or(others.len())
}

/// The one that `property` of task number `entity` picks by the shares.
fn pick_one<T: Copy>(shares: &[(T, f64)], key: Key, entity: u64, property: Property) -> T {
    match shares {
        // No other number would pick another, and no other draw is from this address.
        [(only, _)] => *only,
        _ => shares[pick_by(shares, |share| share.1, key.open(entity, property as u64).uniform())].0,
    }
}

impl TaskLaws {
    /// Where the client of `entity` stands.
    pub fn origin(&self, key: Key, entity: u64) -> SiteId {
        pick_one(&self.origins, key, entity, Property::Origin)
    }

    /// Task number `entity`, which arrives as `arrival` at the client of `origin`.
    pub fn draw(&self, key: Key, entity: u64, arrival: &Arrival, origin: SiteId) -> TaskSpec {
        // A constant needs no stream of its own.
        let sample = |law: &Law, property| {
            law.constant().unwrap_or_else(|| law.sample(&mut key.open(entity, property as u64)))
        };
        let tokens = |value: f64| u32::try_from(nearest(value)).unwrap_or(u32::MAX);
        let (work, work_tokens, call_context) = match &self.work {
            WorkLaw::Duration(law) => {
                let work = law.sample_span(&mut key.open(entity, Property::Work as u64));
                (work, tokens(sample(&self.work_tokens, Property::WorkTokens)), 0)
            }
            WorkLaw::Calls(calls) => {
                let bill = calls.draw(key, entity, arrival);
                (
                    Span::from_secs_f64(bill.work_s).min(Span::LONGEST),
                    tokens(bill.tokens),
                    tokens(bill.first_read),
                )
            }
        };
        // Work of no time at all would make a task without an execution to speak of.
        let work = work.max(Span::from_nanos(1));
        let skills = &self.skills;
        let skill = (!skills.is_empty()).then(|| pick_one(skills, key, entity, Property::Skill));
        let card = TaskCard {
            id: TaskId(0),
            origin,
            arrival: arrival.at,
            context_tokens: self
                .context_tokens
                .as_ref()
                .map_or(call_context, |law| tokens(sample(law, Property::Context))),
            skill,
            class: self.class,
            priority: self.priority,
            job: 0,
            deadline: self
                .deadline
                .as_ref()
                .map(|law| law.sample_span(&mut key.open(entity, Property::Deadline as u64))),
            value: sample(&self.value, Property::Value) as f32,
            estimate: self.estimate(key, entity, work),
        };
        TaskSpec { card, work, work_tokens, predecessors: Vec::new(), release: Release::Scheduled }
    }

    /// What the client of `entity` believes its work to be.
    pub(super) fn estimate(&self, key: Key, entity: u64, work: Span) -> Span {
        match self.estimate {
            Estimate::Exact => work,
            Estimate::Mean => self.mean_work,
            Estimate::Noisy { sigma } => {
                let mut rng = key.open(entity, Property::Estimate as u64);
                let factor = libm::exp(sigma * standard_normal(&mut rng));
                Span::from_secs_f64(work.as_secs_f64() * factor).min(Span::LONGEST)
            }
        }
    }
}

/// Calls of a task, at most: each of them is drawn.
const MOST_CALLS: f64 = 100_000.0;

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::engine::{Dist, Purpose, Seed, Time};

    pub(in super::super) fn laws(work: WorkLaw) -> TaskLaws {
        TaskLaws {
            class: ClassId(0),
            priority: 0,
            work,
            mean_work: Span::from_secs(9),
            estimate: Estimate::Mean,
            context_tokens: None,
            work_tokens: Law::fixed(Span::ZERO),
            skills: Vec::new(),
            origins: vec![(SiteId(0), 1.0), (SiteId(3), 3.0)],
            deadline: None,
            value: Law::fixed(Span::from_secs(1)),
        }
    }

    #[test]
    fn a_task_of_model_calls_takes_calls_times_first_token_plus_tokens() {
        let seconds = |value| Law::fixed(Span::from_millis(value));
        let calls = Calls {
            calls: seconds(200_000),
            ttft: seconds(500),
            per_token: seconds(30),
            generated_tokens: seconds(28_000),
            context_tokens: seconds(2_000_000),
            recording: Arc::new(vec![
                (Span::ZERO, Call { context_tokens: 70, generated_tokens: 12 }),
                (Span::ZERO, Call { context_tokens: 100, generated_tokens: 8 }),
            ]),
        };
        let laws = laws(WorkLaw::Calls(Box::new(calls)));
        let key = Seed(1).key(0, Purpose::Task);
        let drawn = laws.draw(key, 0, &Arrival::at(Time::ZERO), SiteId(0));
        // 200 × (0.5 s + 28 × 0.03 s) = 268 s.
        assert_eq!((drawn.work, drawn.work_tokens), (Span::from_secs(268), 200 * 2_028));
        assert_eq!((drawn.card.context_tokens, drawn.card.estimate), (2_000, Span::from_secs(9)));
        let traced = laws.draw(key, 0, &Arrival { at: Time::ZERO, row: Some(1) }, SiteId(0));
        assert_eq!((traced.work, traced.card.context_tokens), (Span::from_secs(160), 100));
    }

    #[test]
    fn a_new_property_changes_no_other() {
        let law = Dist::exponential(Span::from_secs(10)).law().expect("a law");
        let plain = laws(WorkLaw::Duration(law.clone()));
        let mut rich = plain.clone();
        rich.deadline = Some(law.clone());
        rich.skills = vec![(SkillId(0), 1.0), (SkillId(1), 1.0)];
        rich.estimate = Estimate::Noisy { sigma: 0.5 };
        let key = Seed(1).key(0, Purpose::Task);
        let (mut far, mut ratio) = (0, 0.0);
        for entity in 0..4_000 {
            let one = plain.draw(key, entity, &Arrival::at(Time::ZERO), plain.origin(key, entity));
            let other = rich.draw(key, entity, &Arrival::at(Time::ZERO), rich.origin(key, entity));
            assert_eq!((one.work, one.card.origin), (other.work, other.card.origin));
            far += u32::from(one.card.origin == SiteId(3));
            ratio += libm::log(other.card.estimate.as_secs_f64() / other.work.as_secs_f64());
        }
        assert!((f64::from(far) / 4_000.0 - 0.75).abs() < 0.03, "shares are kept: {far}");
        assert!((ratio / 4_000.0).abs() < 0.04, "noise has median 1: {ratio}");
    }
}
