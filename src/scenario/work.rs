//! The table `[work]`: where tasks come from and what each of them is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Dist, Span};
use crate::sim::OnDeadline;
use crate::work::source::{Estimate, Source};
use crate::work::{NumberDist, Shares};

/// What is asked. Needs `source`, and `duration` or `model_calls`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkSpec {
    /// Where tasks come from. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Law of a task's true work \[time at speed 1\].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<Dist>,
    /// True work as a number of model calls, instead of `duration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_calls: Option<ModelCalls>,
    /// Tokens that must be read to understand a task. Default: those a model call of it reads, or 2000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<NumberDist>,
    /// Tokens read and written in doing a task, for money, where it is not made of model calls. Default 0.
    pub work_tokens: NumberDist,
    /// Skill classes asked for, with their shares. Default: none, any agent will do.
    pub skills: Shares,
    /// Kinds of requests that differ. Default: all are of one, called "task".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassSpec>,
    /// Law of the time allowed after arrival. Default: no deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Dist>,
    /// What happens when a deadline passes: "late" accepts a late answer and counts a miss, "drop" lets
    /// the task expire, "renege" lets it expire unless it was begun: patience. Default "late".
    pub on_deadline: OnDeadline,
    /// Worth of a correct answer \[money\]. Default 1.
    pub value: NumberDist,
    /// One model call \[time at speed 1\]: messages for cognition are taken between two. Default: a task
    /// is one turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<Span>,
    /// Probability that an output is wrong. Default 0.
    pub error_rate: f64,
    /// Law of the time to verify an output. Default "10s".
    pub verify: Dist,
    /// Probability that verifying a wrong output reveals it. Default 1.
    pub detection: f64,
    /// What the client believes a task's work to be: "exact", "mean" or { noisy = { sigma = 0.5 } }.
    /// Default "mean".
    pub estimate: Estimate,
}

/// A kind of request; what it does not say is as `[work]` says. Numbers are reported for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassSpec {
    /// Its name.
    pub name: String,
    /// Tasks of this class ÷ those of a class of share 1. Default 1.
    #[serde(default = "one")]
    pub share: f64,
    /// Tasks of higher priority go first, wherever a queue keeps priorities. Default 0.
    #[serde(default)]
    pub priority: i16,
    /// Law of its true work \[time at speed 1\].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Dist>,
    /// Skill class it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// Law of the time allowed after arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Dist>,
}

fn one() -> f64 {
    1.0
}

/// A task as a number of model calls: work = Σ over calls of ttft + generated tokens × per_token. Where
/// the source is a trace, one row is one call: a task makes the call it arrived with and those recorded
/// after it, whose tokens replace the laws here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelCalls {
    /// Calls of a task: draws are rounded to whole numbers from 1 to 100000. Default 1.
    pub calls: NumberDist,
    /// Law of the time to the first token, drawn for each call. Default "500ms".
    pub ttft: Dist,
    /// Law of the time between two tokens, drawn once a task. Default "30ms".
    pub per_token: Dist,
    /// Tokens a call writes; draws are rounded to whole numbers. Default 28.
    pub generated_tokens: NumberDist,
    /// Tokens a call reads; draws are rounded to whole numbers. Default 2000.
    pub context_tokens: NumberDist,
}

impl WorkSpec {
    /// Names of the classes of tasks, in the order of their numbers: at least one.
    pub(super) fn class_names(&self) -> Vec<String> {
        match &self.source {
            Some(Source::Dag(dag)) => dag.steps.iter().map(|step| step.name.clone()).collect(),
            Some(Source::Route(route)) => route.stages.iter().map(|stage| stage.name.clone()).collect(),
            Some(
                Source::Poisson(_)
                | Source::Renewal(_)
                | Source::Mmpp(_)
                | Source::Bursts(_)
                | Source::Batch(_)
                | Source::Trace(_)
                | Source::Tasks(_),
            )
            | None => match &self.classes[..] {
                [] => vec!["task".to_owned()],
                classes => classes.iter().map(|class| class.name.clone()).collect(),
            },
        }
    }
}

impl Default for WorkSpec {
    fn default() -> WorkSpec {
        WorkSpec {
            source: None,
            duration: None,
            model_calls: None,
            context_tokens: None,
            work_tokens: NumberDist::Constant(0.0),
            skills: Shares::default(),
            classes: Vec::new(),
            deadline: None,
            on_deadline: OnDeadline::Late,
            value: NumberDist::Constant(1.0),
            turn: None,
            error_rate: 0.0,
            verify: Dist::Constant(Span::from_secs(10)),
            detection: 1.0,
            estimate: Estimate::Mean,
        }
    }
}

impl Default for ModelCalls {
    fn default() -> ModelCalls {
        ModelCalls {
            calls: NumberDist::Constant(1.0),
            ttft: Dist::Constant(Span::from_millis(500)),
            per_token: Dist::Constant(Span::from_millis(30)),
            generated_tokens: NumberDist::Constant(28.0),
            context_tokens: NumberDist::Constant(2_000.0),
        }
    }
}
