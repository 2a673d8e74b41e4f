//! Free time, split fleet-wide: blocked = ∫ matching(F, W) dt, idle = ∫ (|F| − matching) dt.
//!
//! F(t) are the free agents, W(t) the *startable* tasks: arrived; every predecessor has a correct output
//! somewhere; not expired; no correct output of its own; and no execution of it progressing on an up,
//! unstalled agent. With one skill class per agent, matching = Σ_skill min(F_s, W_s) + min(remaining F, W
//! without skill). Blocked time is attributed to what the tasks wait for, in the order of
//! [`Stage`](crate::trace::Stage).
//!
//! Within one instant a task or an agent may change several times; no time passes between. What changed is
//! noted, and counted once when time goes on.
//!
//! Failed, rejected and wrongly answered tasks stay startable (model.md §3: rejecting a task does not
//! remove it); nobody holds them, so they count as queued.

use std::sync::Arc;

use smallvec::SmallVec;

use super::matching::Matching;
use crate::engine::{Time, prefetch_at};
use crate::trace::{DownReason, Ending, ExecutionId, Fact, NodeId, Stage, TaskId};
use crate::work::{AgentProfile, Fleet, TaskCard, Tasks};

const NOBODY: u32 = u32::MAX;

/// Whether a node that goes down for this reason forgets what it held.
pub(super) fn forgets(why: DownReason) -> bool {
    match why {
        DownReason::Crash | DownReason::Leave => true,
        DownReason::Pause | DownReason::Outage | DownReason::Absent => false,
    }
}

/// What keeps a task from being startable: it is startable while none of these holds.
mod bar {
    pub(super) const NOT_ARRIVED: u8 = 1;
    /// A predecessor has no correct output.
    pub(super) const WAITS: u8 = 2;
    pub(super) const EXPIRED: u8 = 4;
    /// It has a correct output of its own.
    pub(super) const CORRECT: u8 = 8;
    /// An execution of it progresses.
    pub(super) const PROGRESSES: u8 = 16;
}

#[derive(Clone, Copy, Debug)]
struct TaskTime {
    /// See [`bar`].
    barred: u8,
    /// Its holder forgot it.
    orphan: bool,
    /// Changed in this instant, perhaps.
    changed: bool,
    stage: Stage,
    /// Where it is counted in W, if it is.
    counted: Option<Stage>,
    /// 0: no skill asked for; else skill + 1.
    skill: u8,
    /// Predecessors without a correct output.
    waits_for: u32,
    progressing: u32,
    holder: u32,
}

/// A task somebody took up, in the list of that node: its tasks of late, latest first. Whoever lets go of a
/// task leaves the entry behind, so that no other task is touched; the next walk of the list takes it out.
#[derive(Clone, Copy, Debug)]
struct Held {
    task: u32,
    next: u32,
}

impl TaskTime {
    fn new(card: &TaskCard, waits_for: u32) -> TaskTime {
        TaskTime {
            barred: bar::NOT_ARRIVED | if waits_for > 0 { bar::WAITS } else { 0 },
            orphan: false,
            changed: false,
            stage: Stage::Entry,
            counted: None,
            skill: card.skill.map_or(0, |skill| skill.0 + 1),
            waits_for,
            progressing: 0,
            holder: NOBODY,
        }
    }

    /// Bars the task from W, or lifts the bar.
    #[inline]
    fn bar(&mut self, bar: u8, on: bool) {
        self.barred = if on { self.barred | bar } else { self.barred & !bar };
    }
}

#[derive(Clone, Debug)]
struct NodeTime {
    up: bool,
    silent: bool,
    cut_off: bool,
    running: SmallVec<[(ExecutionId, TaskId); 1]>,
    first_held: u32,
}

impl NodeTime {
    fn lost(&self) -> bool {
        !self.up || self.silent || self.cut_off
    }
}

/// An agent as one who may be free.
#[derive(Clone, Copy, Debug)]
struct Agent {
    /// Millionths of speed, so that sums are exact.
    speed: u64,
    skill: u8,
    free: bool,
    /// Whether it is counted in F.
    counted: bool,
    /// Changed in this instant, perhaps.
    changed: bool,
}

impl Agent {
    fn new(profile: &AgentProfile) -> Agent {
        let speed = (profile.speed * 1e6).round() as u64;
        Agent { speed, skill: profile.skill.0, free: false, counted: false, changed: false }
    }
}

/// Who is free and what is startable, and the integrals of both.
#[derive(Debug)]
pub(super) struct Blocked {
    tasks: Vec<TaskTime>,
    graph: Arc<Tasks>,
    nodes: Vec<NodeTime>,
    /// How many nodes are lost.
    lost: u32,
    held: Vec<Held>,
    /// Node running each execution.
    runs_on: Vec<u32>,
    agents: Vec<Agent>,
    /// The instant of the latest change, and what it may have changed.
    changed_at: Time,
    changed_tasks: Vec<u32>,
    changed_agents: Vec<u32>,
    pub(super) matching: Matching,
}

impl Blocked {
    pub(super) fn new(fleet: &Fleet, tasks: Arc<Tasks>, warmup: Time) -> Blocked {
        let skills = fleet.skills().max(
            tasks
                .cards()
                .iter()
                .filter_map(|card| card.skill)
                .map(|skill| skill.index() + 1)
                .max()
                .unwrap_or(0),
        );
        let mut blocked = Blocked {
            tasks: tasks
                .cards()
                .iter()
                .map(|card| TaskTime::new(card, tasks.predecessors(card.id).count() as u32))
                .collect(),
            held: Vec::with_capacity(2 * tasks.len()),
            runs_on: Vec::with_capacity(tasks.len()),
            graph: tasks,
            nodes: vec![
                NodeTime {
                    up: true,
                    silent: false,
                    cut_off: false,
                    running: SmallVec::new(),
                    first_held: NOBODY
                };
                fleet.len()
            ],
            lost: 0,
            agents: fleet.profiles().iter().map(Agent::new).collect(),
            changed_at: Time::ZERO,
            changed_tasks: Vec::new(),
            changed_agents: Vec::new(),
            matching: Matching::new(skills, warmup),
        };
        for agent in 0..blocked.agents.len() {
            blocked.agent_free(Time::ZERO, agent, true);
        }
        blocked
    }

    /// Asks for what changes of an agent touch.
    #[inline]
    pub(super) fn foresee(&self, agent: usize, node: NodeId) {
        prefetch_at(&self.agents, agent);
        prefetch_at(&self.nodes, node.index());
    }

    /// Asks for what changes of a task touch.
    #[inline]
    pub(super) fn foresee_task(&self, task: TaskId) {
        prefetch_at(&self.tasks, task.index());
    }

    /// Asks for where an execution runs.
    #[inline]
    pub(super) fn foresee_execution(&self, execution: ExecutionId) {
        prefetch_at(&self.runs_on, execution.index());
    }

    /// Time goes on to `now`: what changed before is counted. To be called before anything is changed.
    #[inline]
    fn goes_on(&mut self, now: Time) {
        if now > self.changed_at {
            self.count_changes();
            self.changed_at = now;
        }
    }

    #[inline]
    pub(super) fn agent_free(&mut self, now: Time, agent: usize, free: bool) {
        self.goes_on(now);
        let state = &mut self.agents[agent];
        state.free = free;
        if !std::mem::replace(&mut state.changed, true) {
            self.changed_agents.push(agent as u32);
        }
    }

    /// `task` may have to be counted elsewhere.
    #[inline]
    fn recount(&mut self, task: u32) {
        if !std::mem::replace(&mut self.tasks[task as usize].changed, true) {
            self.changed_tasks.push(task);
        }
    }

    /// Counts what the instant of the latest change has changed in the end.
    fn count_changes(&mut self) {
        let at = self.changed_at;
        for index in 0..self.changed_agents.len() {
            let agent = self.changed_agents[index] as usize;
            self.agents[agent].changed = false;
            if self.agents[agent].free != self.agents[agent].counted {
                let Agent { speed, skill, free, .. } = self.agents[agent];
                self.agents[agent].counted = free;
                self.matching.count_agent(at, skill, speed, free);
            }
        }
        for index in 0..self.changed_tasks.len() {
            let task = self.changed_tasks[index] as usize;
            self.tasks[task].changed = false;
            let wanted = self.belongs(&self.tasks[task]);
            let counted = std::mem::replace(&mut self.tasks[task].counted, wanted);
            if wanted != counted {
                self.matching.count_task(at, self.tasks[task].skill, counted, wanted);
            }
        }
        self.changed_agents.clear();
        self.changed_tasks.clear();
    }

    /// Where a task is to be counted in W.
    #[inline]
    fn belongs(&self, task: &TaskTime) -> Option<Stage> {
        if task.barred != 0 {
            None
        } else if task.orphan || (self.lost > 0 && self.is_lost(task.holder)) {
            Some(Stage::Lost)
        } else {
            Some(task.stage)
        }
    }

    fn is_lost(&self, holder: u32) -> bool {
        holder != NOBODY && self.nodes[holder as usize].lost()
    }

    #[inline]
    fn hold(&mut self, now: Time, task: TaskId, stage: Stage, holder: u32) {
        self.goes_on(now);
        let state = &mut self.tasks[task.index()];
        (state.stage, state.orphan) = (stage, false);
        if std::mem::replace(&mut state.holder, holder) != holder && holder != NOBODY {
            let first = &mut self.nodes[holder as usize].first_held;
            let next = std::mem::replace(first, self.held.len() as u32);
            self.held.push(Held { task: task.0, next });
        }
        self.recount(task.0);
    }

    /// Visits every task that `node` holds, perhaps more than once.
    fn each_held(&mut self, node: NodeId, mut visit: impl FnMut(&mut Blocked, u32)) {
        let mut walk = std::mem::replace(&mut self.nodes[node.index()].first_held, NOBODY);
        let mut last_kept = NOBODY;
        while walk != NOBODY {
            let Held { task, next } = self.held[walk as usize];
            if self.tasks[task as usize].holder == node.0 {
                match last_kept {
                    NOBODY => self.nodes[node.index()].first_held = walk,
                    _ => self.held[last_kept as usize].next = walk,
                }
                self.held[walk as usize].next = NOBODY;
                last_kept = walk;
                visit(self, task);
            }
            walk = next;
        }
    }

    pub(super) fn arrived(&mut self, now: Time, task: TaskId) {
        self.goes_on(now);
        self.tasks[task.index()].bar(bar::NOT_ARRIVED, false);
        self.recount(task.0);
    }

    pub(super) fn acknowledged(&mut self, now: Time, task: TaskId, by: NodeId) {
        if self.tasks[task.index()].stage == Stage::Entry {
            self.hold(now, task, Stage::Queued, by.0);
        }
    }

    pub(super) fn noted(&mut self, now: Time, node: NodeId, fact: Fact) {
        match fact {
            Fact::Queued(task) => self.hold(now, task, Stage::Queued, node.0),
            Fact::Announced(task) => self.hold(now, task, Stage::Announced, node.0),
            Fact::Claimed { task, holder } => self.hold(now, task, Stage::Claimed, holder.0),
            Fact::AwaitsContext { task, holder } => self.hold(now, task, Stage::Context, holder.0),
            Fact::Decided { .. }
            | Fact::Conflict(_)
            | Fact::Stale(_)
            | Fact::Redelivered(_)
            | Fact::Leased { .. }
            | Fact::Freed(_)
            | Fact::Leads { .. }
            | Fact::Appended { .. }
            | Fact::Named(..) => {}
        }
    }

    pub(super) fn started(&mut self, now: Time, execution: ExecutionId, task: TaskId, node: NodeId) {
        self.goes_on(now);
        match self.runs_on.get_mut(execution.index()) {
            Some(slot) => *slot = node.0,
            None => {
                self.runs_on.resize(execution.index(), NOBODY);
                self.runs_on.push(node.0);
            }
        }
        let state = &mut self.nodes[node.index()];
        state.running.push((execution, task));
        if state.up && !state.silent {
            self.progresses(task, true);
        }
    }

    /// One execution more of `task` progresses, or one less.
    #[inline]
    fn progresses(&mut self, task: TaskId, more: bool) {
        let state = &mut self.tasks[task.index()];
        state.progressing = if more { state.progressing + 1 } else { state.progressing - 1 };
        state.bar(bar::PROGRESSES, state.progressing > 0);
        self.recount(task.0);
    }

    /// An execution ended, whatever became of it. Harmless if it had ended before.
    pub(super) fn stopped(&mut self, now: Time, execution: ExecutionId) {
        self.goes_on(now);
        let node = self.runs_on.get(execution.index()).copied().unwrap_or(NOBODY);
        if node == NOBODY {
            return;
        }
        let state = &mut self.nodes[node as usize];
        if let Some(place) = state.running.iter().position(|&(running, _)| running == execution) {
            let (_, task) = state.running.swap_remove(place);
            self.runs_on[execution.index()] = NOBODY;
            if state.up && !state.silent {
                self.progresses(task, false);
            }
        }
    }

    pub(super) fn correct_output(&mut self, now: Time, task: TaskId) {
        self.goes_on(now);
        let state = &mut self.tasks[task.index()];
        if state.barred & bar::CORRECT != 0 {
            return;
        }
        state.bar(bar::CORRECT, true);
        self.recount(task.0);
        if self.graph.has_dependencies() {
            let graph = Arc::clone(&self.graph);
            for successor in graph.successors(task) {
                let state = &mut self.tasks[successor.index()];
                state.waits_for -= 1;
                state.bar(bar::WAITS, state.waits_for > 0);
                self.recount(successor.0);
            }
        }
    }

    /// The pattern is done with the task: nobody holds it any more.
    pub(super) fn settled(&mut self, now: Time, task: TaskId) {
        self.hold(now, task, Stage::Queued, NOBODY);
    }

    pub(super) fn ended(&mut self, now: Time, task: TaskId, how: Ending) {
        self.goes_on(now);
        if how == Ending::Expired {
            self.tasks[task.index()].bar(bar::EXPIRED, true);
        }
        self.hold(now, task, Stage::Queued, NOBODY);
    }

    /// `node` went up or down; if it `forgets`, what it held is lost until somebody takes it up.
    pub(super) fn node_up(&mut self, now: Time, node: NodeId, up: bool, forgets: bool) {
        self.condition(now, node, |state| state.up = up);
        if forgets {
            self.each_held(node, |blocked, task| {
                blocked.tasks[task as usize].orphan = true;
                blocked.recount(task);
            });
        }
    }

    pub(super) fn silent(&mut self, now: Time, node: NodeId, on: bool) {
        self.condition(now, node, |state| state.silent = on);
    }

    pub(super) fn cut_off(&mut self, now: Time, node: NodeId, on: bool) {
        self.condition(now, node, |state| state.cut_off = on);
    }

    fn condition(&mut self, now: Time, node: NodeId, change: impl FnOnce(&mut NodeTime)) {
        self.goes_on(now);
        let state = &mut self.nodes[node.index()];
        let (progressed, lost) = (state.up && !state.silent, state.lost());
        change(state);
        let (progresses, now_lost) = (state.up && !state.silent, state.lost());
        let affected = if progressed == progresses { 0 } else { state.running.len() };
        for place in 0..affected {
            let (_, task) = self.nodes[node.index()].running[place];
            self.progresses(task, progresses);
        }
        if lost != now_lost {
            self.lost = self.lost.wrapping_add_signed(if now_lost { 1 } else { -1 });
            self.each_held(node, Blocked::recount);
        }
    }

    pub(super) fn finish(&mut self, now: Time) {
        self.count_changes();
        self.matching.advance(now);
    }
}
