//! Where tasks come from: the arrival processes of `[work.source]` and the laws of what a task is.
//!
//! An arrival process turns a key and a horizon into instants; [`TaskLaws`] turns the n-th arrival into
//! the n-th task. Both are drawn before the run, so that every pattern of a replication gets the same
//! tasks. A longer horizon adds arrivals and changes none. This module must not know fleets, files or
//! patterns: a trace is handed over as rows.

mod arrival;
mod dag;
mod explicit;
mod route;
mod task;
mod trace;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Key, Span, Time};
use crate::trace::{ClassId, SiteId, SkillId};
use crate::work::TaskList;

pub use arrival::{Batch, Bursts, Mmpp, Poisson, Renewal};
pub use dag::{Dag, Step};
pub use explicit::TaskRow;
pub(crate) use route::DONE;
pub use route::{Bounds, MOST_VISITS, Route, Stage};
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
    /// Jobs that go from stage to stage, and customers that come back (networks of queues).
    Route(Route),
    /// Tasks written out one by one.
    Tasks(Vec<TaskRow>),
}

/// The laws of what a task is.
#[derive(Clone, Copy, Debug)]
pub struct Laws<'a> {
    /// Those of `[work]`.
    pub base: &'a TaskLaws,
    /// Those of each step of a `dag`, of each stage of a `route`, or of each of `[[work.classes]]`.
    pub parts: &'a [TaskLaws],
    /// Shares of the classes, where there are classes.
    pub shares: &'a [f64],
}

impl Laws<'_> {
    /// The laws of task number `entity`: those of its class, drawn for it alone.
    fn of(&self, key: Key, entity: u64) -> &TaskLaws {
        if self.shares.is_empty() { self.base } else { &self.parts[task::class(self.shares, key, entity)] }
    }
}

/// What the names in a task written out stand for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named {
    /// Its skill.
    pub skill: Option<SkillId>,
    /// Where its client stands.
    pub origin: Option<SiteId>,
    /// Its class.
    pub class: Option<ClassId>,
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
            Source::Route(_) => "route",
            Source::Tasks(_) => "tasks",
        }
    }

    /// The trace it reads, if it or its jobs come from one.
    pub fn trace(&self) -> Option<&Trace> {
        match self {
            Source::Trace(trace) => Some(trace),
            Source::Dag(dag) => dag.arrivals.as_ref().and_then(|arrivals| arrivals.trace()),
            Source::Route(route) => route.arrivals.as_ref().and_then(|arrivals| arrivals.trace()),
            Source::Poisson(_)
            | Source::Renewal(_)
            | Source::Mmpp(_)
            | Source::Bursts(_)
            | Source::Batch(_)
            | Source::Tasks(_) => None,
        }
    }

    /// Arrivals before `horizon`, in order; those of jobs in a `dag` or a `route`. `rows` are the recording
    /// of a `trace`. The source must have been validated.
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
            Source::Route(route) => match &route.arrivals {
                Some(arrivals) => arrivals.arrivals(horizon, rows, key),
                // Customers think first: their tasks know when they come.
                None => Vec::new(),
            },
            Source::Tasks(tasks) => {
                let mut arrivals: Vec<Arrival> = tasks.iter().map(|row| Arrival::at(row.at)).collect();
                arrivals.sort_by_key(|arrival| arrival.at);
                arrivals
            }
        }
    }

    /// The tasks of `arrivals`. `names` says what the names in a task written out stand for; `bounds` is
    /// for the customers of a `route`.
    pub fn tasks(
        &self,
        arrivals: &[Arrival],
        laws: Laws<'_>,
        key: Key,
        bounds: Bounds,
        names: impl Fn(&TaskRow) -> Named,
    ) -> TaskList {
        match self {
            Source::Dag(dag) => dag.tasks(arrivals, laws.parts, key).into_iter().collect(),
            Source::Route(route) => route.tasks(arrivals, laws.parts, key, bounds).into_iter().collect(),
            Source::Tasks(rows) => explicit::tasks(rows, laws, key, names).into_iter().collect(),
            Source::Poisson(_)
            | Source::Renewal(_)
            | Source::Mmpp(_)
            | Source::Bursts(_)
            | Source::Batch(_)
            | Source::Trace(_) => {
                let draw = |(entity, arrival): (usize, &Arrival)| {
                    let (job, entity) = (entity as u32, entity as u64);
                    let mut task =
                        laws.of(key, entity).draw(key, entity, arrival, laws.base.origin(key, entity));
                    task.card.job = job;
                    task
                };
                arrivals.iter().enumerate().map(draw).collect()
            }
        }
    }
}
