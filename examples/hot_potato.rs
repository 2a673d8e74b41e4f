//! Hot potato: a whole pattern written outside the crate, measured beside the built-in ones.
//!
//! A client throws a task to an agent found by hash. Whoever catches it and has nothing to do does it;
//! whoever is busy throws it on to a random agent. After `throws` throws the holder keeps it in its queue.
//! At load ρ a random agent is free with probability 1 − ρ, so few throws are needed. With `throws = 0`
//! this is the pattern `independent`.
//!
//! There is one potato a task, and agents remember what clients gave them: nothing is settled twice. But an
//! agent that leaves, and a link that loses a message, take their potatoes along. Run it: decisions are the
//! fastest of all, and the lost tasks make it one of the dearest.

use anthill::engine::Seed;
use anthill::error::Error;
use anthill::mechanism::hash::partition;
use anthill::pattern::PATTERNS;
use anthill::scenario::{Known, Scenario, TextOrigin};
use anthill::sim::{CxOf, Kind, Message, PatternDef, Protocol, Seat, Seats, Submission, Work, WorkKind};
use anthill::trace::{Fact, NodeId, Phase, Plane, Promise, TaskId};
use anthill::work::Fleet;

/// The table `[pattern.hot_potato]`.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// A task thrown this often is kept. Default 10.
    pub throws: u32,
}
impl Default for Params {
    fn default() -> Params {
        Params { throws: 10 }
    }
}

/// Catch! The task, and how often it was thrown.
#[derive(Clone, Debug)]
pub struct Throw(TaskId, u32);
impl Message for Throw {
    const KINDS: &'static [Kind] = &[Kind {
        name: "throw",
        phase: Phase::Assignment,
        plane: Plane::Harness,
        bytes: 1_024,
        about: "a busy agent passes a task on",
    }];
    fn kind(&self) -> usize {
        0
    }
    fn task(&self) -> Option<TaskId> {
        Some(self.0)
    }
}

/// One agent: what clients gave it (kept on disk), and how many tasks it holds (gone with a crash).
#[derive(Debug)]
pub struct HotPotato {
    throws: u32,
    seen: std::collections::BTreeSet<TaskId>,
    held: u32,
}

impl HotPotato {
    fn catch(&mut self, task: TaskId, thrown: u32, cx: &mut CxOf<'_, Self>) {
        if self.held > 0 && thrown < self.throws {
            let able = cx.fleet().able(cx.task(task).skill);
            let to = able[cx.rng().below(able.len() as u32) as usize];
            return cx.send(to, Throw(task, thrown + 1));
        }
        self.held += 1;
        // Here the choice becomes final: the record says who decided, and who holds the task now.
        cx.note(Fact::Decided { task, to: cx.me() });
        cx.note(Fact::Claimed { task, holder: cx.me() });
        cx.work(task, ());
    }
}

impl Protocol for HotPotato {
    const NAME: &'static str = "hot_potato";
    const ABOUT: &'static str = "a busy agent throws its task to a random one, a few times at most";
    const GIVES_UP: &'static [Promise] = &[Promise::NoTaskLost];
    type Params = Params;
    type Msg = Throw;
    type Timer = ();

    fn seats(_: &Params, _: &Fleet) -> Seats {
        Seats::default()
    }
    fn entry(_: &Params, fleet: &Fleet, _: &Seats, submission: Submission) -> NodeId {
        let able = fleet.able(submission.skill);
        able[partition(submission.task, able.len() as u32) as usize]
    }
    fn sit(params: &Params, _: &Seat<'_>) -> HotPotato {
        HotPotato { throws: params.throws, seen: Default::default(), held: 0 }
    }
    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        if self.seen.insert(task) {
            self.catch(task, 0, cx);
        }
    }
    fn on_message(&mut self, _: NodeId, Throw(task, thrown): Throw, cx: &mut CxOf<'_, Self>) {
        self.catch(task, thrown, cx);
    }
    fn on_work(&mut self, done: Work, (): (), cx: &mut CxOf<'_, Self>) {
        if let WorkKind::Executed(output) = done.kind {
            self.held -= 1;
            cx.settle(done.task, output);
        } else {
            cx.work(done.task, ());
        }
    }
    fn on_crash(&mut self) {
        self.held = 0;
    }
}

/// 50 agents in two places, asked for about 70 % of what they can do; some come and go.
const SCENARIO: &str = r#"
[run]
horizon = "2h"
[agents]
count = 50
[network]
sites = ["eu", "us"]
[work]
source = { poisson = { rate_per_s = 0.2 } }
duration = { exponential = { mean = "3min" } }
[faults.churn]
session = { exponential = { mean = "2h" } }
absence = "3min"
"#;

fn main() -> Result<(), Error> {
    // The registry is a slice: a pattern of one's own stands beside the others.
    let patterns = [PATTERNS, &[PatternDef::of::<HotPotato>()]].concat();
    let origin = TextOrigin { name: "hot_potato".into(), stem: "hot_potato".into(), folder: ".".into() };
    let scenario = Scenario::from_text(
        SCENARIO,
        &origin,
        &[],
        &Known { patterns: &patterns, trials: anthill::trial::TRIALS },
    )?;
    let setup = scenario.instantiate(Seed(1), 0)?;
    for pattern in &patterns {
        let metrics = (pattern.run)(&setup)?.metrics;
        let [tax, median, lost] =
            ["tax_full", "decision_latency_p50_s", "tasks_lost"].map(|name| metrics.get(name));
        println!(
            "{:<14} tax {:4.1} %, median decision {median:7.2} s, {lost:3} tasks lost",
            pattern.name,
            100.0 * tax
        );
    }
    Ok(())
}
