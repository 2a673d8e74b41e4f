//! `hierarchical`: a coordinator queues tasks, assigns them to workers, watches, retries and answers.
//!
//! ```text
//! client ──submit──▶ coordinator ──assign──▶ worker        one task, nothing going wrong
//!                        ▲  ◀──accepted──────┘  │ reads the context, works
//!                        └───────result─────────┘
//!                        ──────received──────▶
//! ```
//!
//! The submission is acknowledged beside it, as in every pattern. `accepted` and `received` confirm; where
//! nothing is ever lost, `assign_timeout = "0s"` and `result_timeout = "0s"` do without them, and a task is
//! four messages: submit, acknowledge, assign, result.
//!
//! The oldest way to share work: master–worker (MapReduce: Dean & Ghemawat, OSDI 2004; Borg: Verma et al.,
//! EuroSys 2015). One node knows every task and every worker, so a decision needs one message each way and
//! no agreement. Everything passes through that node: with N workers that think Z between requests and a
//! coordinator that serves S a request it saturates at N* = (Z + S)/S (machine repairman, Kleinrock 1976).
//!
//! **Push.** The coordinator counts what each worker has outstanding and gives it up to `worker_queue`
//! tasks; with 1 it pushes to idle workers only and the queue is central.
//!
//! **Watch.** Workers send heartbeats. One silent for `timeout` is taken for dead and its tasks are
//! assigned again; one that says hello again has forgotten what it held. An assignment not accepted within
//! `assign_timeout` is taken back at once. A worker wrongly taken for dead learns it when it is heard
//! again, and gives up what others do now.
//!
//! **When the coordinator dies** the system halts: nobody else may decide. Workers finish what they have
//! and keep the results. When it is back it calls the roll; workers report what they hold and repeat what
//! was not received. What was queued and not assigned is lost (`no_task_lost` is given up); *which* tasks
//! were settled is journaled and survives, so none is settled twice.
//!
//! **The god agent.** With `decide = "cognition"` every assignment costs the coordinator a thought
//! (message kind `decide` in `[costs]`), one at a time.
//!
//! With several `coordinators` tasks are split among them by hash and workers by number; they share nothing.

mod coordinator;
mod message;
#[cfg(test)]
mod tests;
mod worker;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use message::{Msg, Timer};

use crate::engine::Span;
use crate::error::{Problem, Problems};
use crate::mechanism::Policy;
use crate::mechanism::hash::partition;
use crate::sim::{CxOf, Protocol, Seat, Seats, Submission, Work, WorkKind};
use crate::trace::{NodeId, Plane, Promise, TaskId};
use crate::work::Fleet;
use coordinator::Coordinator;
use worker::Worker;

/// The `[pattern.hierarchical]` table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How many coordinators share the tasks; each is taken from the fleet. Default 1.
    pub coordinators: u32,
    /// Which worker gets the next task: `round_robin`, `random`, `least_loaded`, `power_of_d`.
    pub policy: Policy,
    /// Tasks a worker may have outstanding; 1 pushes to idle workers only. Default 1.
    pub worker_queue: u32,
    /// Time between two heartbeats of a worker; `"0s"` sends none and trusts everyone. Default 15 s.
    pub heartbeat: Span,
    /// Silence after which a worker is taken for dead; above `heartbeat`. Default 45 s.
    pub timeout: Span,
    /// Time after which an assignment that was not accepted is taken back; `"0s"` asks for no acceptance, and
    /// an assignment that is lost costs its task. Default 5 s.
    pub assign_timeout: Span,
    /// Time after which a worker repeats a result that was not received; `"0s"` sends results once, and
    /// nobody says that they were received: one that is lost, or finds the coordinator down, costs its task.
    /// Default 10 s.
    pub result_timeout: Span,
    /// The plane on which the coordinator decides: `harness` is a table look-up, `cognition` a thought.
    pub decide: Plane,
    /// Whether the coordinator verifies every output before it settles. Default false.
    pub verify: bool,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            coordinators: 1,
            policy: Policy::LeastLoaded,
            worker_queue: 1,
            heartbeat: Span::from_secs(15),
            timeout: Span::from_secs(45),
            assign_timeout: Span::from_secs(5),
            result_timeout: Span::from_secs(10),
            decide: Plane::Harness,
            verify: false,
        }
    }
}

/// One node of the pattern.
#[derive(Debug)]
pub struct Hierarchical(Role);

#[derive(Debug)]
enum Role {
    Coordinator(Box<Coordinator>),
    Worker(Worker),
    /// Relays and clients: infrastructure this pattern does not use.
    Bystander,
}

impl Hierarchical {
    /// The first coordinator that no present agent works for.
    fn without_workers(params: &Params, fleet: &Fleet) -> Option<usize> {
        let seats = Self::seats(params, fleet);
        let mut served = vec![false; seats.authority.len()];
        for agent in fleet.present().filter(|&agent| !coordinates(agent, &seats)) {
            served[fleet.index_in_role(agent) as usize % seats.authority.len()] = true;
        }
        served.iter().position(|served| !served)
    }
}

/// Whether `agent` is one of the coordinators.
fn coordinates(agent: NodeId, seats: &Seats) -> bool {
    seats.reserved.binary_search(&agent).is_ok()
}

impl Protocol for Hierarchical {
    const NAME: &'static str = "hierarchical";
    const ABOUT: &'static str = "a coordinator queues, assigns, watches, retries and answers";
    const GIVES_UP: &'static [Promise] = &[Promise::NoTaskLost, Promise::NoSinglePoint];
    type Params = Params;
    type Msg = Msg;
    type Timer = Timer;

    fn check(params: &Params, fleet: &Fleet) -> Result<(), Problems> {
        let mut problems = Problems::new();
        let present = fleet.able(None).len() as u32;
        if params.coordinators == 0 || params.coordinators >= present {
            problems.push(
                Problem::new(format!("{} coordinators in a fleet of {present} agents", params.coordinators))
                    .key("coordinators")
                    .remedy("at least 1, and fewer than there are agents: coordinators do not execute"),
            );
        }
        if params.coordinators > 0
            && params.coordinators < present
            && let Some(idle) = Self::without_workers(params, fleet)
        {
            problems.push(
                Problem::new(format!("coordinator {idle} of {} would have no worker", params.coordinators))
                    .key("coordinators")
                    .remedy("fewer coordinators, or more agents: agent i works for coordinator i mod k"),
            );
        }
        if params.worker_queue == 0 {
            problems.push(
                Problem::new("a worker that may have 0 tasks outstanding never works")
                    .key("worker_queue")
                    .remedy("at least 1"),
            );
        }
        if !params.heartbeat.is_zero() && params.timeout <= params.heartbeat {
            problems.push(
                Problem::new(format!(
                    "{} is not above the heartbeat of {}",
                    params.timeout, params.heartbeat
                ))
                .key("timeout")
                .remedy("two to three heartbeats are usual"),
            );
        }
        if let Policy::PowerOfD { d: 0 } = params.policy {
            problems.push(
                Problem::new("no choice among 0 workers").key("policy.power_of_d.d").remedy("at least 1"),
            );
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Coordinators by shard, and again by number: asked of every node, "is it one?" must not take a walk.
    fn seats(params: &Params, fleet: &Fleet) -> Seats {
        let authority: Vec<NodeId> = fleet.seat_order().take(params.coordinators as usize).collect();
        let mut reserved = authority.clone();
        reserved.sort_unstable();
        Seats { authority, reserved }
    }

    /// The same coordinator whatever the attempt: another one would not know that this one has the task.
    fn entry(_: &Params, _: &Fleet, seats: &Seats, submission: Submission) -> NodeId {
        seats.authority[partition(submission.task, seats.authority.len() as u32) as usize]
    }

    fn sit(params: &Params, seat: &Seat<'_>) -> Hierarchical {
        Hierarchical(if coordinates(seat.node, seat.seats) {
            Role::Coordinator(Box::new(Coordinator::new(params, seat)))
        } else if seat.fleet.profile(seat.node).is_some() {
            let index = seat.fleet.index_in_role(seat.node) as usize;
            Role::Worker(Worker::new(params, seat.seats.authority[index % seat.seats.authority.len()]))
        } else {
            Role::Bystander
        })
    }

    fn on_start(&mut self, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Role::Coordinator(coordinator) => coordinator.start(cx),
            Role::Worker(worker) => worker.start(cx),
            Role::Bystander => {}
        }
    }
    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        if let Role::Coordinator(coordinator) = &mut self.0 {
            coordinator.take(task, cx);
        }
    }
    fn on_message(&mut self, from: NodeId, msg: Msg, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Role::Coordinator(coordinator) => coordinator.hear(from, msg, cx),
            Role::Worker(worker) => worker.hear(msg, cx),
            Role::Bystander => {}
        }
    }
    fn on_timer(&mut self, timer: Timer, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Role::Coordinator(coordinator) => coordinator.timer(timer, cx),
            Role::Worker(worker) => worker.timer(timer, cx),
            Role::Bystander => {}
        }
    }
    fn on_work(&mut self, done: Work, _: Timer, cx: &mut CxOf<'_, Self>) {
        match (&mut self.0, done.kind) {
            (Role::Worker(worker), WorkKind::Executed(output)) => worker.finished(output, cx),
            (Role::Worker(worker), WorkKind::Hung) => worker.failed(done.task, cx),
            (Role::Coordinator(coordinator), WorkKind::Verified { output, passed }) => {
                coordinator.verified(output, passed, cx);
            }
            _ => unreachable!("workers execute and coordinators verify"),
        }
    }
    #[inline]
    fn foresee(&self, from: Option<NodeId>, task: Option<TaskId>) {
        if let Role::Coordinator(coordinator) = &self.0 {
            coordinator.foresee(from, task);
        }
    }
    fn on_crash(&mut self) {
        match &mut self.0 {
            Role::Coordinator(coordinator) => coordinator.forget(),
            Role::Worker(worker) => worker.forget(),
            Role::Bystander => {}
        }
    }
}
