//! Jobs made of steps that wait for each other: every job arrives whole, its steps become tasks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arrival, Source, TaskLaws};
use crate::engine::{Dist, Key};
use crate::trace::TaskId;
use crate::work::{NumberDist, TaskSpec};

/// Jobs of the same shape. Needs `jobs`, `arrivals` or both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dag {
    /// Number of jobs, at most; without it, as many as arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<u32>,
    /// How jobs arrive: any source but `dag` and `tasks`. Default: all `jobs` at 0 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<Box<Source>>,
    /// The steps of a job, in any order.
    pub steps: Vec<Step>,
}

/// One step of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name, for `after`.
    pub name: String,
    /// True work \[time at speed 1\]. Default: as `[work]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Dist>,
    /// Skill class it needs. Default: as `[work]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// Tasks of higher priority go first, wherever a queue keeps priorities. Default 0.
    #[serde(default)]
    pub priority: i16,
    /// Tokens that must be read to understand it. Default: as `[work]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<NumberDist>,
    /// Names of the steps that must be accepted first. Default: none.
    #[serde(default)]
    pub after: Vec<String>,
}

impl Dag {
    /// For each step, the positions of those it waits for; names that lead nowhere are left out.
    pub fn waits(&self) -> Vec<Vec<usize>> {
        let position = |name: &String| self.steps.iter().position(|step| step.name == *name);
        self.steps.iter().map(|step| step.after.iter().filter_map(position).collect()).collect()
    }

    /// The name of a step that waits, directly or not, for itself.
    pub fn cycle(&self) -> Option<&str> {
        let waits = self.waits();
        let mut done = vec![false; waits.len()];
        // Whatever becomes startable in as many rounds as there are steps is not in a cycle.
        for _ in 0..waits.len() {
            for step in 0..waits.len() {
                done[step] = done[step] || waits[step].iter().all(|&before| done[before]);
            }
        }
        done.iter().position(|done| !done).map(|step| self.steps[step].name.as_str())
    }

    /// The tasks of jobs that arrive as `jobs`; `laws` are those of each step.
    pub fn tasks(&self, jobs: &[Arrival], laws: &[TaskLaws], key: Key) -> Vec<TaskSpec> {
        assert_eq!(laws.len(), self.steps.len(), "one set of laws a step");
        let waits = self.waits();
        let most = self.jobs.map_or(jobs.len(), |most| jobs.len().min(most as usize));
        let mut tasks = Vec::with_capacity(most * laws.len());
        for (number, job) in jobs[..most].iter().enumerate() {
            let first = tasks.len() as u32;
            // One client asks for the whole job.
            let origin = laws.first().map(|laws| laws.origin(key, u64::from(first)));
            for (laws, waits) in laws.iter().zip(&waits) {
                let origin = origin.expect("a step has laws");
                let mut task = laws.draw(key, tasks.len() as u64, job, origin);
                task.card.job = number as u32;
                task.predecessors = waits.iter().map(|&step| TaskId(first + step as u32)).collect();
                tasks.push(task);
            }
        }
        tasks
    }
}

#[cfg(test)]
mod tests {
    use super::super::WorkLaw;
    use super::super::task::tests::laws;
    use super::*;
    use crate::engine::{Law, Purpose, Seed, Span, Time};
    use crate::work::Tasks;

    fn dag(text: &str) -> Dag {
        toml::from_str(text).expect(text)
    }

    #[test]
    fn jobs_become_chains_of_tasks() {
        let dag =
            dag("jobs = 2\n[[steps]]\nname = \"last\"\nafter = [\"first\"]\n[[steps]]\nname = \"first\"");
        let law = |secs| laws(WorkLaw::Duration(Law::fixed(Span::from_secs(secs))));
        let jobs = [1, 2, 3].map(|second| Arrival::at(Time::from_secs(second)));
        let specs = dag.tasks(&jobs, &[law(5), law(2)], Seed(1).key(0, Purpose::Task));
        let tasks = Tasks::new(specs).expect("a DAG");
        assert_eq!(tasks.len(), 4, "two jobs of two steps");
        assert_eq!(tasks.predecessors(TaskId(2)).collect::<Vec<_>>(), [TaskId(3)]);
        assert_eq!(tasks.card(TaskId(2)).origin, tasks.card(TaskId(3)).origin);
    }

    #[test]
    fn a_cycle_is_found() {
        let text = "[[steps]]\nname = \"a\"\nafter = [\"b\"]\n[[steps]]\nname = \"b\"\nafter = [\"a\"]";
        assert_eq!(dag(text).cycle(), Some("a"));
        assert_eq!(dag(&text.replace("after = [\"b\"]", "")).cycle(), None);
    }
}
