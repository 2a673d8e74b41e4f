//! `hierarchical`: a coordinator queues tasks, assigns them to workers, watches, retries and answers.
//!
//! ```text
//! client ──submit──▶ coordinator ──assign──▶ worker        one task, nothing going wrong
//!                        ▲  ◀──accepted──────┘  │ reads the context, works
//!                        └───────result─────────┘
//!                        ──────received──────▶
//! ```
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

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::engine::Span;
use crate::error::{Problem, Problems};
use crate::mechanism::hash::partition;
use crate::mechanism::{Heartbeats, Policy, Workers};
use crate::sim::{CxOf, Effort, Kind, Message, Protocol, Seat, Seats, Size, Submission, TimerId, Work, WorkKind};
use crate::trace::{ExecutionId, Fact, NodeId, Output, Phase, Plane, Promise, SkillId, TaskId};
use crate::work::{Fleet, Tasks};

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
    /// Time after which an assignment that was not accepted is taken back; `"0s"` asks for no acceptance.
    /// Default 5 s.
    pub assign_timeout: Span,
    /// Time after which a worker repeats a result that was not received. Default 10 s.
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

/// What coordinator and workers say.
#[derive(Clone, Copy, Debug)]
pub enum Msg {
    /// Worker: I am here and hold nothing.
    Hello,
    /// Worker: I am alive.
    Heartbeat,
    /// Coordinator: do this.
    Assign(TaskId),
    /// Worker: I will.
    Accepted(TaskId),
    /// Worker: done.
    Result(Output),
    /// Coordinator: I have your result.
    Received(TaskId),
    /// Worker: my execution hung and was killed.
    Failed(TaskId),
    /// Coordinator: somebody else does this; stop.
    Cancel(TaskId),
    /// Coordinator: I forgot who you are and what you hold.
    RollCall,
    /// Worker: I hold this.
    Holding(TaskId),
}

const ASSIGN: usize = 2;
/// Kinds that name a cost of thinking and are never sent.
const BRIEF: usize = 10;
const DECIDE: usize = 11;

const fn kind(name: &'static str, phase: Phase, bytes: u32, about: &'static str) -> Kind {
    Kind { name, phase, plane: Plane::Harness, bytes, about }
}

impl Message for Msg {
    const KINDS: &'static [Kind] = &[
        kind("hello", Phase::Discovery, 128, "a worker registers with its coordinator"),
        kind("heartbeat", Phase::Synchronisation, 64, "a worker says it is alive"),
        kind("assign", Phase::Assignment, 1_024, "the coordinator gives a task, with its context"),
        kind("accepted", Phase::Assignment, 64, "a worker takes a task on"),
        kind("result", Phase::Synchronisation, 2_048, "a worker hands in an output"),
        kind("received", Phase::Synchronisation, 64, "the coordinator has the output"),
        kind("task_failed", Phase::Recovery, 128, "a worker's execution hung and was killed"),
        kind("cancel", Phase::Recovery, 64, "the coordinator tells a worker to stop"),
        kind("roll_call", Phase::Recovery, 64, "a coordinator that forgot asks who holds what"),
        kind("holding", Phase::Recovery, 96, "a worker reports a task it holds"),
        Kind {
            name: "read_context",
            phase: Phase::Context,
            plane: Plane::Cognition,
            bytes: 0,
            about: "a worker reads the context of an assigned task (a cost, not a message)",
        },
        Kind {
            name: "decide",
            phase: Phase::Assignment,
            plane: Plane::Cognition,
            bytes: 0,
            about: "a coordinator thinks about an assignment (a cost, not a message)",
        },
    ];

    fn kind(&self) -> usize {
        match self {
            Msg::Hello => 0,
            Msg::Heartbeat => 1,
            Msg::Assign(_) => ASSIGN,
            Msg::Accepted(_) => 3,
            Msg::Result(_) => 4,
            Msg::Received(_) => 5,
            Msg::Failed(_) => 6,
            Msg::Cancel(_) => 7,
            Msg::RollCall => 8,
            Msg::Holding(_) => 9,
        }
    }
    fn task(&self) -> Option<TaskId> {
        match self {
            Msg::Hello | Msg::Heartbeat | Msg::RollCall => None,
            Msg::Result(output) => Some(output.task),
            Msg::Assign(task)
            | Msg::Accepted(task)
            | Msg::Received(task)
            | Msg::Failed(task)
            | Msg::Cancel(task)
            | Msg::Holding(task) => Some(*task),
        }
    }
    fn size(&self, tasks: &Tasks) -> Size {
        let bytes = Self::KINDS[self.kind()].bytes;
        match self {
            // Four bytes a token, the usual rule of thumb for English text.
            Msg::Assign(task) => Size { bytes: bytes + 4 * tasks.card(*task).context_tokens, tokens: 0 },
            _ => Size { bytes, tokens: 0 },
        }
    }
}

/// What nodes remind themselves of.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// Worker: time for a heartbeat.
    Heartbeat,
    /// Worker: the context is read, the work can begin.
    Begin(TaskId),
    /// Worker: the execution ended.
    Worked,
    /// Worker: was the result received?
    Repeat(TaskId),
    /// Coordinator: who has been silent for too long?
    Sweep,
    /// Coordinator: was the assignment accepted?
    Unaccepted(TaskId),
    /// Coordinator: the decision is made.
    Decided(TaskId),
    /// Coordinator: the output is verified.
    Verified,
}

/// One node of the pattern.
#[derive(Debug)]
pub struct Hierarchical {
    params: Params,
    role: Role,
}

#[derive(Debug)]
enum Role {
    Coordinator(Box<Coordinator>),
    Worker(Worker),
    /// Relays and clients: infrastructure this pattern does not use.
    Bystander,
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
        if params.worker_queue == 0 {
            problems.push(
                Problem::new("a worker that may have 0 tasks outstanding never works")
                    .key("worker_queue")
                    .remedy("at least 1"),
            );
        }
        if !params.heartbeat.is_zero() && params.timeout <= params.heartbeat {
            problems.push(
                Problem::new(format!("{} is not above the heartbeat of {}", params.timeout, params.heartbeat))
                    .key("timeout")
                    .remedy("two to three heartbeats are usual"),
            );
        }
        if params.result_timeout.is_zero() {
            problems.push(
                Problem::new("a result repeated after 0s is repeated for ever")
                    .key("result_timeout")
                    .remedy("more than a round trip, such as \"10s\""),
            );
        }
        if let Policy::PowerOfD { d: 0 } = params.policy {
            problems.push(Problem::new("no choice among 0 workers").key("policy.power_of_d.d").remedy("at least 1"));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn seats(params: &Params, fleet: &Fleet) -> Seats {
        let coordinators: Vec<NodeId> = fleet.seat_order().take(params.coordinators as usize).collect();
        Seats { authority: coordinators.clone(), reserved: coordinators }
    }

    /// The same coordinator whatever the attempt: another one would not know that this one has the task.
    fn entry(_: &Params, _: &Fleet, seats: &Seats, submission: Submission) -> NodeId {
        seats.authority[partition(submission.task, seats.authority.len() as u32) as usize]
    }

    fn sit(params: &Params, seat: &Seat<'_>) -> Hierarchical {
        let role = if seat.seats.authority.contains(&seat.node) {
            Role::Coordinator(Box::new(Coordinator::new(params, seat)))
        } else if seat.fleet.profile(seat.node).is_some() {
            let index = seat.fleet.index_in_role(seat.node) as usize;
            Role::Worker(Worker {
                coordinator: seat.seats.authority[index % seat.seats.authority.len()],
                held: SmallVec::new(),
            })
        } else {
            Role::Bystander
        };
        Hierarchical { params: *params, role }
    }

    fn on_start(&mut self, cx: &mut CxOf<'_, Self>) {
        match &mut self.role {
            Role::Coordinator(coordinator) => coordinator.start(&self.params, cx),
            Role::Worker(worker) => worker.start(&self.params, cx),
            Role::Bystander => {}
        }
    }
    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        if let Role::Coordinator(coordinator) = &mut self.role {
            coordinator.take(&self.params, task, cx);
        }
    }
    fn on_message(&mut self, from: NodeId, msg: Msg, cx: &mut CxOf<'_, Self>) {
        match &mut self.role {
            Role::Coordinator(coordinator) => coordinator.hear(&self.params, from, msg, cx),
            Role::Worker(worker) => worker.hear(&self.params, msg, cx),
            Role::Bystander => {}
        }
    }
    fn on_timer(&mut self, timer: Timer, cx: &mut CxOf<'_, Self>) {
        match &mut self.role {
            Role::Coordinator(coordinator) => coordinator.timer(&self.params, timer, cx),
            Role::Worker(worker) => worker.timer(&self.params, timer, cx),
            Role::Bystander => {}
        }
    }
    fn on_work(&mut self, done: Work, _: Timer, cx: &mut CxOf<'_, Self>) {
        match (&mut self.role, done.kind) {
            (Role::Worker(worker), WorkKind::Executed(output)) => worker.finished(&self.params, output, cx),
            (Role::Worker(worker), WorkKind::Hung) => worker.failed(done.task, cx),
            (Role::Coordinator(coordinator), WorkKind::Verified { output, passed }) => {
                coordinator.verified(&self.params, output, passed, cx);
            }
            _ => unreachable!("workers execute and coordinators verify"),
        }
    }
    fn on_crash(&mut self) {
        match &mut self.role {
            Role::Coordinator(coordinator) => coordinator.forget(&self.params),
            Role::Worker(worker) => worker.held.clear(),
            Role::Bystander => {}
        }
    }
}

/// What a worker does about one task.
#[derive(Clone, Copy, Debug)]
struct Held {
    task: TaskId,
    execution: Option<ExecutionId>,
    output: Option<Output>,
}

#[derive(Debug)]
struct Worker {
    coordinator: NodeId,
    held: SmallVec<[Held; 1]>,
}

impl Worker {
    fn start(&mut self, params: &Params, cx: &mut CxOf<'_, Hierarchical>) {
        cx.send(self.coordinator, Msg::Hello);
        if !params.heartbeat.is_zero() {
            // Workers start together; their heartbeats should not arrive together.
            let phase = params.heartbeat.mul_f64(cx.rng().uniform());
            cx.set_timer(phase, Timer::Heartbeat);
        }
    }

    fn find(&mut self, task: TaskId) -> Option<&mut Held> {
        self.held.iter_mut().find(|held| held.task == task)
    }

    fn hear(&mut self, params: &Params, msg: Msg, cx: &mut CxOf<'_, Hierarchical>) {
        match msg {
            Msg::Assign(task) => {
                if !params.assign_timeout.is_zero() {
                    cx.send(self.coordinator, Msg::Accepted(task));
                }
                if self.find(task).is_none() {
                    self.held.push(Held { task, execution: None, output: None });
                    let holder = cx.me();
                    cx.note(Fact::AwaitsContext { task, holder });
                    let effort = Effort::Like { kind: BRIEF, tokens: cx.task(task).context_tokens };
                    cx.occupy(Plane::Cognition, Phase::Context, effort, Timer::Begin(task));
                }
            }
            Msg::Received(task) => self.held.retain(|held| held.task != task),
            Msg::Cancel(task) => {
                if let Some(execution) = self.find(task).and_then(|held| held.execution) {
                    cx.abandon(execution);
                }
                self.held.retain(|held| held.task != task);
            }
            Msg::RollCall => {
                cx.send(self.coordinator, Msg::Hello);
                for held in &self.held {
                    cx.send(
                        self.coordinator,
                        held.output.map_or(Msg::Holding(held.task), Msg::Result),
                    );
                }
            }
            Msg::Hello | Msg::Heartbeat | Msg::Accepted(_) | Msg::Result(_) | Msg::Failed(_) | Msg::Holding(_) => {
                unreachable!("only coordinators are told this")
            }
        }
    }

    fn timer(&mut self, params: &Params, timer: Timer, cx: &mut CxOf<'_, Hierarchical>) {
        match timer {
            Timer::Heartbeat => {
                cx.send(self.coordinator, Msg::Heartbeat);
                cx.set_timer(params.heartbeat, Timer::Heartbeat);
            }
            Timer::Begin(task) => {
                // Cancelled while the context was being read: nothing is held any more.
                if let Some(held) = self.find(task) {
                    held.execution = Some(cx.work(task, Timer::Worked));
                }
            }
            Timer::Repeat(task) => {
                if let Some(output) = self.find(task).and_then(|held| held.output) {
                    self.hand_in(params, output, cx);
                }
            }
            Timer::Worked | Timer::Sweep | Timer::Unaccepted(_) | Timer::Decided(_) | Timer::Verified => {
                unreachable!("workers set no such timer")
            }
        }
    }

    fn hand_in(&self, params: &Params, output: Output, cx: &mut CxOf<'_, Hierarchical>) {
        cx.send(self.coordinator, Msg::Result(output));
        cx.set_timer(params.result_timeout, Timer::Repeat(output.task));
    }

    fn finished(&mut self, params: &Params, output: Output, cx: &mut CxOf<'_, Hierarchical>) {
        if let Some(held) = self.find(output.task) {
            held.output = Some(output);
            self.hand_in(params, output, cx);
        }
    }

    fn failed(&mut self, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        self.held.retain(|held| held.task != task);
        cx.send(self.coordinator, Msg::Failed(task));
    }
}

/// Where a coordinator has a task.
#[derive(Clone, Copy, Debug)]
struct Entry {
    worker: Option<NodeId>,
    unaccepted: Option<TimerId>,
    verifying: bool,
}

#[derive(Debug)]
struct Coordinator {
    /// Open tasks it knows of.
    tasks: BTreeMap<TaskId, Entry>,
    /// Tasks without a worker, oldest first, by the skill they ask for.
    queues: BTreeMap<Option<SkillId>, VecDeque<(u64, TaskId)>>,
    queued: u64,
    workers: Workers,
    heartbeats: Heartbeats,
    /// Tasks of each worker.
    assigned: BTreeMap<NodeId, SmallVec<[TaskId; 2]>>,
    /// The journal of what was settled. Survives a crash.
    settled: BTreeSet<TaskId>,
    /// Whether this is a restart.
    rebuilding: bool,
    /// Its workers, as configured: whom to call when the roll is called.
    team: Vec<NodeId>,
}

impl Coordinator {
    fn new(params: &Params, seat: &Seat<'_>) -> Coordinator {
        let seats = &seat.seats.authority;
        let mine = seats.iter().position(|&node| node == seat.node).expect("a coordinator has a seat");
        let team = seat.fleet.able(None).iter().copied().filter(|node| {
            seat.fleet.index_in_role(*node) as usize % seats.len() == mine && !seats.contains(node)
        });
        Coordinator {
            tasks: BTreeMap::new(),
            queues: BTreeMap::new(),
            queued: 0,
            workers: Workers::new(params.policy, Some(params.worker_queue)),
            heartbeats: Heartbeats::new(params.timeout),
            assigned: BTreeMap::new(),
            settled: BTreeSet::new(),
            rebuilding: false,
            team: team.collect(),
        }
    }

    fn forget(&mut self, params: &Params) {
        self.tasks.clear();
        self.queues.clear();
        self.workers = Workers::new(params.policy, Some(params.worker_queue));
        self.heartbeats = Heartbeats::new(params.timeout);
        self.assigned.clear();
        self.rebuilding = true;
    }

    fn start(&mut self, params: &Params, cx: &mut CxOf<'_, Hierarchical>) {
        if self.rebuilding {
            for &worker in &self.team {
                cx.send(worker, Msg::RollCall);
            }
        }
        if !params.heartbeat.is_zero() {
            cx.set_timer(params.timeout, Timer::Sweep);
        }
    }

    /// A client submitted `task`.
    fn take(&mut self, params: &Params, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        if self.settled.contains(&task) || self.tasks.contains_key(&task) {
            return;
        }
        self.tasks.insert(task, Entry { worker: None, unaccepted: None, verifying: false });
        match params.decide {
            Plane::Harness => self.enqueue(task, cx),
            Plane::Cognition => {
                cx.note(Fact::Queued(task));
                let effort = Effort::Like { kind: DECIDE, tokens: cx.task(task).context_tokens };
                cx.occupy(Plane::Cognition, Phase::Assignment, effort, Timer::Decided(task));
            }
        }
        self.dispatch(params, cx);
    }

    fn enqueue(&mut self, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        cx.note(Fact::Queued(task));
        self.queued += 1;
        let entry = (self.queued, task);
        self.queues.entry(cx.task(task).skill).or_default().push_back(entry);
    }

    /// Puts a task whose worker is gone before all others: it has waited longest.
    fn enqueue_first(&mut self, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        cx.note(Fact::Redelivered(task));
        cx.note(Fact::Queued(task));
        self.queues.entry(cx.task(task).skill).or_default().push_front((0, task));
    }

    /// Gives waiting tasks to workers while both exist.
    fn dispatch(&mut self, params: &Params, cx: &mut CxOf<'_, Hierarchical>) {
        loop {
            let next = self
                .queues
                .iter()
                .filter_map(|(&skill, queue)| Some((*queue.front()?, skill)))
                .filter(|&(_, skill)| self.workers.available(skill) > 0)
                .min();
            let Some(((_, task), skill)) = next else { return };
            self.queues.entry(skill).or_default().pop_front();
            // Settled meanwhile by a worker wrongly taken for dead.
            let Some(entry) = self.tasks.get_mut(&task) else { continue };
            let worker = self.workers.assign(skill, &mut cx.rng()).expect("one is available");
            entry.worker = Some(worker);
            self.assigned.entry(worker).or_default().push(task);
            cx.note(Fact::Decided { task, to: worker });
            cx.note(Fact::Claimed { task, holder: worker });
            cx.send(worker, Msg::Assign(task));
            if !params.assign_timeout.is_zero() {
                entry.unaccepted = Some(cx.set_timer(params.assign_timeout, Timer::Unaccepted(task)));
            }
        }
    }

    fn hear(&mut self, params: &Params, from: NodeId, msg: Msg, cx: &mut CxOf<'_, Hierarchical>) {
        if let Msg::Hello = msg {
            return self.hello(params, from, cx);
        }
        self.heartbeats.heard(cx.now(), from);
        if self.workers.outstanding(from).is_none() {
            // Taken for dead, or forgotten in a crash: it must say what it holds before it gets more.
            cx.send(from, Msg::RollCall);
        }
        match msg {
            Msg::Heartbeat => {}
            Msg::Accepted(task) => self.accepted(from, task, cx),
            Msg::Result(output) => self.result(params, from, output, cx),
            Msg::Failed(task) => {
                if self.take_back(from, task, cx) {
                    self.enqueue_first(task, cx);
                }
                self.dispatch(params, cx);
            }
            Msg::Holding(task) => self.holding(from, task, cx),
            Msg::Hello | Msg::Assign(_) | Msg::Received(_) | Msg::Cancel(_) | Msg::RollCall => {
                unreachable!("only workers are told this")
            }
        }
    }

    /// A worker registers. Whatever it had it no longer has; if it does, it says so right after.
    fn hello(&mut self, params: &Params, from: NodeId, cx: &mut CxOf<'_, Hierarchical>) {
        self.lose_worker(from, cx);
        self.heartbeats.heard(cx.now(), from);
        self.workers.join(from, cx.fleet().skill(from));
        self.dispatch(params, cx);
    }

    fn accepted(&mut self, from: NodeId, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        let Some(entry) = self.tasks.get_mut(&task) else { return };
        if entry.worker == Some(from)
            && let Some(timer) = entry.unaccepted.take()
        {
            cx.cancel(timer);
        }
    }

    /// A worker that was forgotten, or taken for dead, reports a task.
    fn holding(&mut self, from: NodeId, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        let taken = self.tasks.get(&task).is_some_and(|entry| entry.worker.is_some_and(|worker| worker != from));
        if taken || self.settled.contains(&task) {
            cx.send(from, Msg::Cancel(task));
            return;
        }
        let entry = self.tasks.entry(task).or_insert(Entry { worker: None, unaccepted: None, verifying: false });
        if entry.worker.replace(from).is_none() {
            self.workers.give(from);
            self.assigned.entry(from).or_default().push(task);
            cx.note(Fact::Claimed { task, holder: from });
            let queue = self.queues.entry(cx.task(task).skill).or_default();
            queue.retain(|&(_, waiting)| waiting != task);
        }
    }

    fn result(&mut self, params: &Params, from: NodeId, output: Output, cx: &mut CxOf<'_, Hierarchical>) {
        cx.send(from, Msg::Received(output.task));
        self.take_back(from, output.task, cx);
        if self.settled.contains(&output.task) {
            return self.dispatch(params, cx);
        }
        if params.verify {
            let entry = self.tasks.entry(output.task).or_insert(Entry {
                worker: None,
                unaccepted: None,
                verifying: false,
            });
            if !std::mem::replace(&mut entry.verifying, true) {
                cx.verify(output, Timer::Verified);
            }
        } else {
            self.settle(output, cx);
        }
        self.dispatch(params, cx);
    }

    fn verified(&mut self, params: &Params, output: Output, passed: bool, cx: &mut CxOf<'_, Hierarchical>) {
        if self.settled.contains(&output.task) {
            return;
        }
        if passed {
            self.settle(output, cx);
        } else if let Some(entry) = self.tasks.get_mut(&output.task) {
            entry.verifying = false;
            if entry.worker.is_none() {
                self.enqueue_first(output.task, cx);
            }
        }
        self.dispatch(params, cx);
    }

    /// The first answer counts; whoever else is at it may stop.
    fn settle(&mut self, output: Output, cx: &mut CxOf<'_, Hierarchical>) {
        self.settled.insert(output.task);
        cx.settle(output.task, output);
        if let Some(worker) = self.tasks.get(&output.task).and_then(|entry| entry.worker) {
            self.take_back(worker, output.task, cx);
            cx.send(worker, Msg::Cancel(output.task));
        }
        self.tasks.remove(&output.task);
    }

    /// `worker` no longer has `task`. Says whether it had it and nobody has it now.
    fn take_back(&mut self, worker: NodeId, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) -> bool {
        let Some(entry) = self.tasks.get_mut(&task) else { return false };
        if entry.worker != Some(worker) {
            return false;
        }
        entry.worker = None;
        if let Some(timer) = entry.unaccepted.take() {
            cx.cancel(timer);
        }
        self.workers.finish(worker);
        if let Some(tasks) = self.assigned.get_mut(&worker) {
            tasks.retain(|other| *other != task);
        }
        true
    }

    /// A worker is gone: its tasks are assigned again.
    fn lose_worker(&mut self, worker: NodeId, cx: &mut CxOf<'_, Hierarchical>) {
        for task in self.assigned.remove(&worker).unwrap_or_default() {
            if self.take_back(worker, task, cx) {
                self.enqueue_first(task, cx);
            }
        }
        self.workers.leave(worker);
        self.heartbeats.forget(worker);
    }

    fn timer(&mut self, params: &Params, timer: Timer, cx: &mut CxOf<'_, Hierarchical>) {
        match timer {
            Timer::Sweep => {
                while let Some(worker) = self.heartbeats.expired(cx.now()) {
                    self.lose_worker(worker, cx);
                }
                self.dispatch(params, cx);
                let next = self.heartbeats.next_expiry();
                let wait = next.map_or(params.timeout, |at| at.saturating_since(cx.now()));
                // A burst of silence is one sweep, not one for each worker.
                cx.set_timer(wait.max(Span::from_millis(100)), Timer::Sweep);
            }
            Timer::Unaccepted(task) => {
                let Some(entry) = self.tasks.get_mut(&task) else { return };
                entry.unaccepted = None;
                if let Some(worker) = entry.worker {
                    // Nothing it is sent arrives: it gets no more until it is heard again.
                    self.lose_worker(worker, cx);
                }
                self.dispatch(params, cx);
            }
            Timer::Decided(task) => {
                if self.tasks.contains_key(&task) {
                    self.enqueue(task, cx);
                }
                self.dispatch(params, cx);
            }
            Timer::Heartbeat | Timer::Begin(_) | Timer::Worked | Timer::Repeat(_) | Timer::Verified => {
                unreachable!("coordinators set no such timer")
            }
        }
    }
}

#[cfg(test)]
mod tests;
