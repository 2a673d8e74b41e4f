//! The table `[pattern.ideal]`: which queue the oracle keeps, and whom it gives the next task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Dist;
use crate::error::{Problem, Problems};

/// The queue discipline of the oracle. The defaults are the M/G/c queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Where tasks wait. Default "central".
    pub queue: Queue,
    /// Which waiting task is next in the central queue. Default "fifo". In own queues `[agents]
    /// discipline` says it.
    pub order: Order,
    /// Which agent gets the task: among the free ones with a central queue, among all that are up with own
    /// queues. Default "fastest", of which only the central queue makes sense.
    pub dispatch: Dispatch,
    /// Own queues only: an agent left without a task takes one from another. Default: it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steal: Option<Steal>,
    /// Central queue only: law of the interval after which an agent that found no task looks again (a
    /// server with multiple vacations). After a task it looks at once. Default: it need not look, and a
    /// task finds it at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<Dist>,
    /// Tasks in the system at most, waiting and in service, of each skill asked for (those that ask for
    /// none count together): one more is rejected. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

/// Where tasks wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// With the oracle, until an agent is free.
    #[default]
    Central,
    /// With an agent, chosen when the task arrives.
    Own,
}

/// Which waiting task is next. None interrupts a task that is being worked on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The first that came.
    #[default]
    Fifo,
    /// The last that came.
    Lifo,
    /// The most important (highest priority), and of those the first that came.
    Priority,
    /// Any, all equally likely.
    Random,
}

/// Which agent gets a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Dispatch {
    /// The fastest; the lowest number among equals.
    #[default]
    Fastest,
    /// Any, all equally likely.
    Random,
    /// The one that was given a task longest ago.
    RoundRobin,
    /// Own queues: one with the fewest tasks waiting and in service; ties at random.
    Shortest,
    /// Own queues: of `d` drawn at random, one with the fewest tasks; ties at random.
    ShortestOf {
        /// How many are drawn, 1 or more; 2 is the usual choice.
        d: u16,
        /// Whether an agent may be drawn twice. Default true.
        #[serde(default = "yes")]
        replacement: bool,
    },
    /// Own queues: any without a task; any at all if there is none (join the idle queue, one list).
    IdleFirst,
}

/// How an agent left without a task takes one from another (Mitzenmacher, SPAA 1998).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Steal {
    /// Agents looked at, each drawn at random from the others of its skill, until one has enough. Default 1.
    pub probes: u16,
    /// Tasks an agent must have, waiting and in service, to be taken one from. Default 2.
    pub at_least: u32,
}

impl Default for Steal {
    fn default() -> Steal {
        Steal { probes: 1, at_least: 2 }
    }
}

fn yes() -> bool {
    true
}

impl Params {
    /// Everything that does not make sense together.
    pub(super) fn problems(&self) -> Problems {
        let mut problems = Problems::new();
        let mut refuse = |key: &str, message: &str, remedy: &str| {
            problems.push(Problem::new(message).key(key).remedy(remedy));
        };
        match (self.queue, self.dispatch) {
            (Queue::Own, Dispatch::Fastest) => refuse(
                "dispatch",
                "with own queues every task would go to the fastest agent",
                "write dispatch = \"shortest\", \"random\", \"round_robin\", \"idle_first\" or \
                 { shortest_of = { d = 2 } }",
            ),
            (Queue::Central, Dispatch::Shortest | Dispatch::ShortestOf { .. } | Dispatch::IdleFirst) => {
                refuse(
                    "dispatch",
                    "a central queue gives tasks to free agents, and those have none to compare",
                    "write queue = \"own\", or dispatch = \"random\"",
                );
            }
            (Queue::Central | Queue::Own, _) => {}
        }
        if let Dispatch::ShortestOf { d: 0, .. } = self.dispatch {
            refuse("dispatch.shortest_of.d", "of none drawn, none is the shortest", "write 1 or more");
        }
        if self.queue == Queue::Own && self.order != Order::Fifo {
            let message = "own queues are served as `[agents] discipline` says";
            refuse("order", message, "delete it, or write queue = \"central\"");
        }
        if self.queue == Queue::Own && self.poll.is_some() {
            let message = "an agent has its own queue before it and need not look for tasks";
            refuse("poll", message, "delete it, or write queue = \"central\"");
        }
        if let Some(Err(error)) = self.poll.as_ref().map(Dist::law) {
            refuse("poll", &error.message, "write an interval such as \"2s\"");
        } else if self.poll.as_ref().is_some_and(|law| law.mean() <= 0.0) {
            refuse("poll", "an agent that looks without pause never ends looking", "delete it");
        }
        match self.steal {
            Some(_) if self.queue == Queue::Central => {
                let message = "in a central queue nobody holds a task that waits";
                refuse("steal", message, "delete it, or write queue = \"own\"");
            }
            Some(Steal { probes: 0, .. }) => refuse("steal.probes", "nobody is looked at", "write 1 or more"),
            Some(Steal { at_least: 0 | 1, .. }) => {
                let message = "an agent with fewer than 2 tasks has none that waits";
                refuse("steal.at_least", message, "write 2 or more");
            }
            Some(_) | None => {}
        }
        if self.capacity == Some(0) {
            refuse("capacity", "a system for 0 tasks rejects all", "write 1 or more, or delete it");
        }
        problems
    }
}
