//! Jobs that go from stage to stage: pipelines, rework loops, and customers that think and come back.
//!
//! An open route is a network of queues with Markov routing (Jackson, Operations Research 5(4), 1957); with
//! `customers` it is a closed one (Gordon and Newell, Operations Research 15(2), 1967): each customer thinks,
//! asks for a job, waits until it is answered or refused, and thinks again. Every visit of a stage is a task
//! of the stage's class that arrives when the visit before it has ended.
//!
//! Which stages a job visits, and how long each takes, is drawn before the run and addressed by the visit,
//! so that every pattern sees the same jobs. When a customer asks depends on the pattern; customers are
//! therefore given as many jobs as they could have done by the horizon, had nothing ever made them wait.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::task::{next, thinking};
use super::{Arrival, Source, TaskLaws};
use crate::engine::{Dist, Key, Span, Time};
use crate::trace::TaskId;
use crate::work::{NumberDist, Release, Shares, TaskSpec};

/// Visits of a job, at most: one that rework never lets go ends here.
pub const MOST_VISITS: u64 = 10_000;

/// Jobs that go from stage to stage. Needs `arrivals` or `customers`, not both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// How jobs arrive: any source but `dag`, `route` and `tasks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<Box<Source>>,
    /// How many customers there are; each has one job at a time, and begins by thinking at 0 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers: Option<u32>,
    /// Law of the time a customer thinks before it asks again. Default "0s".
    #[serde(default = "no_time")]
    pub think: Dist,
    /// The stages; a job begins at the first. Default: one, called "task", as `[work]` says.
    #[serde(default = "one_stage")]
    pub stages: Vec<Stage>,
}

/// One stage of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its name: that of the class of its tasks.
    pub name: String,
    /// True work of a visit \[time at speed 1\]. Default: as `[work]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Dist>,
    /// Skill class it needs. Default: as `[work]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// Tasks of higher priority go first, wherever a queue keeps priorities. Default 0.
    #[serde(default)]
    pub priority: i16,
    /// Tokens that must be read to understand a visit. Default: as `[work]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<NumberDist>,
    /// Where a job goes next, with probabilities: { work = 0.25, done = 0.75 }; "done" ends it. Default: the
    /// next stage in the list, and after the last one "done".
    #[serde(default)]
    pub next: Shares,
}

fn no_time() -> Dist {
    Dist::Constant(Span::ZERO)
}

fn one_stage() -> Vec<Stage> {
    vec![Stage { name: "task".to_owned(), ..Stage::default() }]
}

/// What limits the jobs of a closed loop.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Jobs that cannot begin before it are not made.
    pub horizon: Time,
    /// The highest speed any agent may ever have.
    pub fastest: f64,
    /// Whether tasks expire at their deadlines: then a job may end sooner than it could be done.
    pub expires: bool,
}

/// The name that ends a job.
pub(crate) const DONE: &str = "done";

impl Route {
    /// For each stage, the probability of going to each stage next; what is left of 1 ends the job. Names
    /// that lead nowhere are left out.
    pub fn jumps(&self) -> Vec<Vec<f64>> {
        let position = |name: &str| self.stages.iter().position(|stage| stage.name == name);
        let row = |(index, stage): (usize, &Stage)| {
            let mut row = vec![0.0; self.stages.len()];
            if stage.next.0.is_empty() {
                if index + 1 < row.len() {
                    row[index + 1] = 1.0;
                }
                return row;
            }
            let total: f64 = stage.next.0.iter().map(|next| next.1).sum();
            for (name, share) in &stage.next.0 {
                if let Some(to) = position(name) {
                    row[to] += share / total;
                }
            }
            row
        };
        self.stages.iter().enumerate().map(row).collect()
    }

    /// Mean number of visits of each stage by a job; infinite where a job may never end.
    pub fn mean_visits(&self) -> Vec<f64> {
        let jumps = self.jumps();
        let mut here = vec![0.0; jumps.len()];
        here[0] = 1.0;
        let mut visits = here.clone();
        for _ in 0..MOST_VISITS {
            let step = |to: usize| here.iter().zip(&jumps).map(|(share, row)| share * row[to]).sum();
            here = (0..jumps.len()).map(step).collect();
            if here.iter().sum::<f64>() < 1e-12 {
                return visits;
            }
            visits.iter_mut().zip(&here).for_each(|(visits, more)| *visits += more);
        }
        vec![f64::INFINITY; jumps.len()]
    }

    /// The tasks of jobs that arrive as `jobs`, or of the customers; `laws` are those of each stage.
    pub(super) fn tasks(
        &self,
        jobs: &[Arrival],
        laws: &[TaskLaws],
        key: Key,
        bounds: Bounds,
    ) -> Vec<TaskSpec> {
        assert_eq!(laws.len(), self.stages.len(), "one set of laws a stage");
        let mut journey = Journey { jumps: self.jumps(), laws, key, bounds, tasks: Vec::new() };
        for (number, job) in jobs.iter().enumerate() {
            journey.job(number as u64, number as u32, job, Release::Scheduled);
        }
        let think = self.think.law().expect("validated");
        let mut number = 0;
        for customer in 0..u64::from(self.customers.unwrap_or(0)) {
            let (mut free, mut last) = (Time::ZERO, None);
            for turn in 0.. {
                let entity = (customer << 24) | turn;
                let wait = thinking(&think, key, entity << 16);
                let at = free + wait;
                if at >= bounds.horizon {
                    break;
                }
                let release = match last {
                    None => Release::Scheduled,
                    Some(task) => Release::After { task, wait, fresh: true },
                };
                (free, last) = journey.job(entity, number, &Arrival::at(at), release);
                number += 1;
            }
        }
        in_order(journey.tasks)
    }
}

/// Makes the tasks of one job after the other.
struct Journey<'a> {
    jumps: Vec<Vec<f64>>,
    laws: &'a [TaskLaws],
    key: Key,
    bounds: Bounds,
    tasks: Vec<TaskSpec>,
}

impl Journey<'_> {
    /// Adds the visits of a job; says when it could have ended at the earliest, and which is the last.
    fn job(&mut self, entity: u64, number: u32, arrival: &Arrival, first: Release) -> (Time, Option<TaskId>) {
        let (mut at, mut release, mut stage) = (arrival.at, first, 0);
        let origin = self.laws[0].origin(self.key, entity << 16);
        let (mut last, mut expired) = (None, Time::MAX);
        for visit in 0..MOST_VISITS {
            let entity = (entity << 16) | visit;
            let mut task = self.laws[stage].draw(self.key, entity, &Arrival { at, ..*arrival }, origin);
            (task.card.job, task.release) = (number, release);
            if self.bounds.expires
                && let Some(deadline) = task.card.deadline
            {
                expired = expired.min(at + deadline.max(Span::from_nanos(1)));
            }
            at += Span::from_secs_f64(task.work.as_secs_f64() / self.bounds.fastest);
            let id = TaskId(self.tasks.len() as u32);
            self.tasks.push(task);
            last = Some(id);
            release = Release::After { task: id, wait: Span::ZERO, fresh: false };
            let mut shares = self.jumps[stage].clone();
            shares.push((1.0 - shares.iter().sum::<f64>()).max(0.0));
            stage = next(&shares, self.key, entity);
            if stage == self.jumps.len() {
                break;
            }
        }
        (at.min(expired), last)
    }
}

/// The tasks by earliest arrival, each still after the one it follows.
fn in_order(tasks: Vec<TaskSpec>) -> Vec<TaskSpec> {
    let mut order: Vec<u32> = (0..tasks.len() as u32).collect();
    order.sort_by_key(|&index| tasks[index as usize].card.arrival);
    let mut position = vec![TaskId(0); tasks.len()];
    for (new, &old) in order.iter().enumerate() {
        position[old as usize] = TaskId(new as u32);
    }
    let mut tasks: Vec<Option<TaskSpec>> = tasks.into_iter().map(Some).collect();
    let place = |old: &u32| {
        let mut task = tasks[*old as usize].take().expect("every task is placed once");
        if let Release::After { task: before, .. } = &mut task.release {
            *before = position[before.index()];
        }
        task
    };
    order.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::super::WorkLaw;
    use super::super::task::tests::laws;
    use super::*;
    use crate::engine::{Law, Purpose, Seed};

    fn route(text: &str) -> Route {
        toml::from_str(text).expect(text)
    }

    const REWORK: &str = "[[stages]]\nname = \"plan\"\n[[stages]]\nname = \"work\"\n\
        [[stages]]\nname = \"review\"\nnext = { work = 0.25, done = 0.75 }";

    #[test]
    fn rework_makes_more_visits() {
        let visits = route(REWORK).mean_visits();
        for (mean, expected) in visits.iter().zip([1.0, 4.0 / 3.0, 4.0 / 3.0]) {
            assert!((mean - expected).abs() < 1e-9, "{visits:?}");
        }
        let endless = route("[[stages]]\nname = \"a\"\nnext = { a = 1.0 }");
        assert_eq!(endless.mean_visits(), [f64::INFINITY]);
    }

    fn second() -> TaskLaws {
        laws(WorkLaw::Duration(Law::fixed(Span::from_secs(1))))
    }

    #[test]
    fn visits_follow_each_other_and_jobs_are_told_apart() {
        let key = Seed(1).key(0, Purpose::Task);
        let bounds = Bounds { horizon: Time::from_secs(100), fastest: 2.0, expires: false };
        let jobs: Vec<Arrival> = (0..3_000).map(|second| Arrival::at(Time::from_secs(second))).collect();
        let tasks = route(REWORK).tasks(&jobs, &[second(), second(), second()], key, bounds);
        let mean = tasks.len() as f64 / 3_000.0;
        assert!((mean - 11.0 / 3.0).abs() < 0.1, "{mean} visits a job");
        assert!(tasks.windows(2).all(|pair| pair[0].card.arrival <= pair[1].card.arrival), "in order");
        for task in &tasks {
            if let Release::After { task: before, wait, fresh } = task.release {
                let before = &tasks[before.index()];
                assert_eq!((before.card.job, wait, fresh), (task.card.job, Span::ZERO, false));
                assert_eq!(
                    task.card.arrival,
                    before.card.arrival + Span::from_millis(500),
                    "at twice the speed"
                );
            }
        }
    }

    #[test]
    fn customers_think_ask_and_think_again() {
        let key = Seed(1).key(0, Purpose::Task);
        let closed = route("customers = 3\nthink = \"4s\"");
        let bounds = Bounds { horizon: Time::from_secs(100), fastest: 1.0, expires: false };
        let tasks = closed.tasks(&[], &[second()], key, bounds);
        // At best one job every 5 s, the first after 4 s: at 4, 9, …, 99 s.
        assert_eq!(tasks.len(), 3 * 20);
        assert_eq!(tasks.iter().filter(|task| task.release == Release::Scheduled).count(), 3);
        let longer = closed.tasks(&[], &[second()], key, Bounds { horizon: Time::from_secs(200), ..bounds });
        assert_eq!(longer.len(), 3 * 40);
    }
}
