//! Where tasks come from: the arrival processes of `[work.source]` and the laws of what a task is.
//!
//! An arrival process turns a key and a horizon into instants; [`TaskLaws`] turns the n-th arrival into
//! the n-th task. Both are drawn before the run, so that every pattern of a replication gets the same
//! tasks. A longer horizon adds arrivals and changes none. This module must not know fleets, files or
//! patterns: a trace is handed over as rows.

mod arrival;
mod dag;
mod explicit;
mod task;
mod trace;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Key, Span, Time};
use crate::trace::{SiteId, SkillId};
use crate::work::TaskSpec;

pub use arrival::{Batch, Bursts, Mmpp, Poisson, Renewal};
pub use dag::{Dag, Step};
pub use explicit::TaskRow;
pub use task::{Calls, Estimate, TaskLaws, WorkLaw, pick};
pub use trace::{OnBadRow, Trace};

/// Where tasks come from: exactly one of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Arrivals without memory, at a constant rate.
    Poisson(Poisson),
    /// Arrivals whose gaps are independent draws of one law.
    Renewal(Renewal),
    /// Markov-modulated Poisson process: the rate changes at random times.
    Mmpp(Mmpp),
    /// Bursts of tasks that begin at a constant rate (compound Poisson process).
    Bursts(Bursts),
    /// All tasks at once.
    Batch(Batch),
    /// Arrivals and tokens of a recorded hour.
    Trace(Trace),
    /// Jobs made of steps that wait for each other.
    Dag(Dag),
    /// Tasks written out one by one.
    Tasks(Vec<TaskRow>),
}

/// One task's arrival, before anything else is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it reaches its client.
    pub at: Time,
    /// The row of the recording it arrived with, where it comes from a trace.
    pub row: Option<u32>,
}

impl Arrival {
    fn at(at: Time) -> Arrival {
        Arrival { at, row: None }
    }
}

/// One recorded model call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Tokens read.
    pub context_tokens: u32,
    /// Tokens written.
    pub generated_tokens: u32,
}

impl Source {
    /// The name it has in a scenario.
    pub fn name(&self) -> &'static str {
        match self {
            Source::Poisson(_) => "poisson",
            Source::Renewal(_) => "renewal",
            Source::Mmpp(_) => "mmpp",
            Source::Bursts(_) => "bursts",
            Source::Batch(_) => "batch",
            Source::Trace(_) => "trace",
            Source::Dag(_) => "dag",
            Source::Tasks(_) => "tasks",
        }
    }

    /// The trace it reads, if it or its jobs come from one.
    pub fn trace(&self) -> Option<&Trace> {
        match self {
            Source::Trace(trace) => Some(trace),
            Source::Dag(dag) => dag.arrivals.as_ref().and_then(|arrivals| arrivals.trace()),
            Source::Poisson(_)
            | Source::Renewal(_)
            | Source::Mmpp(_)
            | Source::Bursts(_)
            | Source::Batch(_)
            | Source::Tasks(_) => None,
        }
    }

    /// Arrivals before `horizon`, in order; those of jobs in a `dag`. `rows` are the recording of a
    /// `trace`. The source must have been validated.
    pub fn arrivals(&self, horizon: Time, rows: &[(Span, Call)], key: Key) -> Vec<Arrival> {
        let mut rng = key.open(0, 0);
        match self {
            Source::Poisson(poisson) => poisson.arrivals(horizon, &mut rng),
            Source::Renewal(renewal) => renewal.arrivals(horizon, &mut rng),
            Source::Mmpp(mmpp) => mmpp.arrivals(horizon, &mut rng),
            Source::Bursts(bursts) => bursts.arrivals(horizon, &mut rng),
            Source::Batch(batch) => batch.arrivals(),
            Source::Trace(trace) => trace.arrivals(rows, horizon, &mut rng),
            Source::Dag(dag) => match (&dag.arrivals, dag.jobs) {
                (Some(arrivals), _) => arrivals.arrivals(horizon, rows, key),
                (None, jobs) => vec![Arrival::at(Time::ZERO); jobs.unwrap_or(0) as usize],
            },
            Source::Tasks(tasks) => {
                let mut arrivals: Vec<Arrival> = tasks.iter().map(|row| Arrival::at(row.at)).collect();
                arrivals.sort_by_key(|arrival| arrival.at);
                arrivals
            }
        }
    }

    /// The tasks of `arrivals`. `steps` are the laws of each step of a `dag`; `names` finds the skill
    /// and the origin of a task written out.
    pub fn tasks(
        &self,
        arrivals: &[Arrival],
        (laws, steps): (&TaskLaws, &[TaskLaws]),
        key: Key,
        names: impl Fn(&TaskRow) -> (Option<SkillId>, Option<SiteId>),
    ) -> Vec<TaskSpec> {
        match self {
            Source::Dag(dag) => dag.tasks(arrivals, steps, key),
            Source::Tasks(rows) => explicit::tasks(rows, laws, key, names),
            Source::Poisson(_)
            | Source::Renewal(_)
            | Source::Mmpp(_)
            | Source::Bursts(_)
            | Source::Batch(_)
            | Source::Trace(_) => {
                let draw = |(entity, arrival): (usize, &Arrival)| {
                    let entity = entity as u64;
                    laws.draw(key, entity, arrival, laws.origin(key, entity))
                };
                arrivals.iter().enumerate().map(draw).collect()
            }
        }
    }
}
