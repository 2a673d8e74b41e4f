//! The agents as the oracle sees them: who is up, what each holds, and whom a task goes to.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use super::params::{Dispatch, Params, Queue};
use crate::engine::Rng;
use crate::sim::Seat;
use crate::trace::{NodeId, SkillId, TaskId};

/// What the oracle knows of one agent.
#[derive(Clone, Debug, Default)]
struct Member {
    up: bool,
    /// Whether it takes tasks: always, or only at the moments at which it looks for one.
    looks: bool,
    /// The tasks it holds, in the order in which they were given.
    hand: VecDeque<TaskId>,
    skill: usize,
    /// Tasks it works on at a time; those it holds beyond them wait.
    slots: usize,
    /// Its place under `fastest` and `round_robin`: smaller is sooner.
    rank: i64,
    /// Whether it stands in the lists of its pool, and where.
    open: bool,
    place: usize,
    level_place: usize,
}

/// The agents of one skill that could be given a task, in the three ways in which they are looked for.
/// Each costs at most logarithmic time to keep.
#[derive(Clone, Debug, Default)]
struct Pool {
    /// By rank; kept where it is asked for.
    ranked: BTreeSet<(i64, NodeId)>,
    /// All of them, in no order.
    open: Vec<NodeId>,
    /// By number of tasks held, in no order.
    levels: Vec<Vec<NodeId>>,
    /// No level below this has anybody.
    shortest: usize,
}

/// The holder of a task that was never given to anybody.
const NOBODY: NodeId = NodeId(u32::MAX);

/// All agents.
#[derive(Debug)]
pub(super) struct Team {
    dispatch: Dispatch,
    queue: Queue,
    /// By node.
    members: Vec<Member>,
    /// By task, with own queues: who was given it last.
    holders: Vec<NodeId>,
    /// By skill.
    pools: Vec<Pool>,
    turn: i64,
}

impl Team {
    /// All present agents, up and with nothing to do.
    pub(super) fn new(params: &Params, seat: &Seat<'_>) -> Team {
        let (dispatch, queue, fleet) = (params.dispatch, params.queue, seat.fleet);
        let looks = params.poll.is_none();
        let members = vec![Member::default(); fleet.len()];
        let holders = vec![NOBODY; if queue == Queue::Own { seat.tasks } else { 0 }];
        let mut team = Team { dispatch, queue, members, holders, pools: Vec::new(), turn: 0 };
        for node in fleet.present() {
            let skill = fleet.skill(node).expect("only agents are present").index();
            if team.pools.len() <= skill {
                team.pools.resize(skill + 1, Pool::default());
            }
            let slots = fleet.profile(node).map_or(1, |agent| agent.slots as usize);
            let rank = match dispatch {
                Dispatch::Fastest => -((fleet.speed(node) * 1e6).round() as i64),
                _ => 0,
            };
            team.change(node, |member| {
                *member = Member { up: true, looks, skill, slots, rank, ..Member::default() };
            });
        }
        team
    }

    /// Whether anybody with `skill` could be given a task now.
    pub(super) fn any(&self, skill: Option<SkillId>) -> bool {
        self.pools(skill).any(|pool| !pool.open.is_empty())
    }
    /// The tasks `node` holds, in the order in which it was given them.
    pub(super) fn hand(&self, node: NodeId) -> &VecDeque<TaskId> {
        &self.members[node.index()].hand
    }
    /// Whether `node` is up.
    pub(super) fn is_up(&self, node: NodeId) -> bool {
        self.members[node.index()].up
    }
    /// `node` is up, or is not.
    pub(super) fn set_up(&mut self, node: NodeId, up: bool) {
        self.change(node, |member| member.up = up);
    }
    /// `node` takes tasks, or does not.
    pub(super) fn set_looks(&mut self, node: NodeId, looks: bool) {
        self.change(node, |member| member.looks = looks);
    }
    /// `node` holds `task` too.
    pub(super) fn give(&mut self, node: NodeId, task: TaskId) {
        self.turn += 1;
        if let Some(holder) = self.holders.get_mut(task.index()) {
            *holder = node;
        }
        let turn = (self.dispatch == Dispatch::RoundRobin).then_some(self.turn);
        self.change(node, |member| {
            member.hand.push_back(task);
            member.rank = turn.unwrap_or(member.rank);
        });
    }
    /// Of the tasks that wait at `node`, which serves them in order, the one that has waited longest.
    pub(super) fn waits_at(&self, node: NodeId) -> Option<TaskId> {
        let member = &self.members[node.index()];
        member.hand.get(member.slots).copied()
    }
    /// In whose own queue `task` is; `None` if in nobody's.
    pub(super) fn queue_of(&self, task: TaskId) -> Option<NodeId> {
        let holder = *self.holders.get(task.index())?;
        (holder != NOBODY && self.hand(holder).contains(&task)).then_some(holder)
    }
    /// `node` no longer holds `task`; says whether it did.
    pub(super) fn take(&mut self, node: NodeId, task: TaskId) -> bool {
        let place = self.hand(node).iter().position(|&other| other == task);
        if let Some(place) = place {
            self.change(node, |member| {
                member.hand.remove(place);
            });
        }
        place.is_some()
    }
    /// `node` holds nothing any more: what it held.
    pub(super) fn take_all(&mut self, node: NodeId) -> VecDeque<TaskId> {
        let mut hand = VecDeque::new();
        self.change(node, |member| hand = std::mem::take(&mut member.hand));
        hand
    }

    /// Who gets a task that asks for `skill`; `None` if nobody can.
    pub(super) fn choose(&self, skill: Option<SkillId>, rng: impl FnOnce() -> Rng) -> Option<NodeId> {
        if !self.any(skill) {
            return None;
        }
        let all = |level| self.pools(skill).map(|pool| pool.at(level)).map(<[NodeId]>::len).sum::<usize>();
        let everybody = || self.pools(skill).map(|pool| pool.open.len()).sum::<usize>();
        let node = match self.dispatch {
            Dispatch::Fastest | Dispatch::RoundRobin => {
                self.pools(skill).filter_map(|pool| pool.ranked.first()).min().expect("somebody is open").1
            }
            Dispatch::Random => self.nth(skill, None, rng().below(everybody() as u32)),
            Dispatch::Shortest => {
                let level = self.pools(skill).filter_map(Pool::lowest).min().expect("somebody is open");
                self.nth(skill, Some(level), rng().below(all(level) as u32))
            }
            Dispatch::IdleFirst => match all(0) {
                0 => self.nth(skill, None, rng().below(everybody() as u32)),
                idle => self.nth(skill, Some(0), rng().below(idle as u32)),
            },
            Dispatch::ShortestOf { d, replacement } => {
                self.shortest_of(skill, d, replacement, everybody() as u32, &mut rng())
            }
        };
        Some(node)
    }

    fn shortest_of(&self, skill: Option<SkillId>, d: u16, again: bool, of: u32, rng: &mut Rng) -> NodeId {
        let mut drawn: smallvec::SmallVec<[u32; 8]> = smallvec::SmallVec::new();
        let draws = if again { u32::from(d) } else { u32::from(d).min(of) };
        // With `again` any of them; else Floyd's sampling (Bentley & Floyd, CACM 30(9), 1987).
        for draw in 0..draws {
            let last = of - draws.min(of) + draw;
            let index = rng.below(if again { of } else { last + 1 });
            drawn.push(if !again && drawn.contains(&index) { last } else { index });
        }
        let (mut best, mut fewest, mut ties) = (None, usize::MAX, 0);
        for index in drawn {
            let node = self.nth(skill, None, index);
            let held = self.hand(node).len();
            if held < fewest {
                (best, fewest, ties) = (Some(node), held, 1);
            } else if held == fewest {
                ties += 1;
                // The k-th of equals replaces the one kept with chance 1/k: all are equally likely.
                if rng.below(ties) == 0 {
                    best = Some(node);
                }
            }
        }
        best.expect("at least one is drawn")
    }

    /// One of the agents with the skill of `thief` but for itself that are up, drawn at random.
    pub(super) fn other(&self, thief: NodeId, rng: &mut Rng) -> Option<NodeId> {
        let member = &self.members[thief.index()];
        debug_assert!(member.open, "a thief is up, and its queue has no limit");
        let open = &self.pools[member.skill].open;
        let others = (open.len() as u32).checked_sub(1).filter(|&others| others > 0)?;
        let index = rng.below(others) as usize;
        Some(open[if index < member.place { index } else { index + 1 }])
    }

    /// The `index`th of those that could be given a task that asks for `skill`, at one level or at all.
    fn nth(&self, skill: Option<SkillId>, level: Option<usize>, index: u32) -> NodeId {
        let mut index = index as usize;
        for pool in self.pools(skill) {
            let list = level.map_or(&pool.open[..], |level| pool.at(level));
            match list.get(index) {
                Some(&node) => return node,
                None => index -= list.len(),
            }
        }
        unreachable!("the index is below the number of open agents")
    }

    fn pools(&self, skill: Option<SkillId>) -> impl Iterator<Item = &Pool> {
        let range: Range<usize> = match skill {
            Some(skill) => skill.index()..skill.index() + 1,
            None => 0..self.pools.len(),
        };
        self.pools.get(range).unwrap_or_default().iter()
    }

    /// Changes what is known of `node` and puts it where it then belongs.
    fn change(&mut self, node: NodeId, change: impl FnOnce(&mut Member)) {
        self.leave_lists(node);
        let member = &mut self.members[node.index()];
        change(member);
        let has_room = self.queue == Queue::Own || member.hand.len() < member.slots;
        if member.up && member.looks && has_room {
            self.enter_lists(node);
        }
        // An agent moves by one level at a time, so that these steps are paid for by the tasks.
        let pool = &mut self.pools[self.members[node.index()].skill];
        while !pool.open.is_empty() && pool.levels[pool.shortest].is_empty() {
            pool.shortest += 1;
        }
    }

    fn ranks(&self) -> bool {
        matches!(self.dispatch, Dispatch::Fastest | Dispatch::RoundRobin)
    }

    fn enter_lists(&mut self, node: NodeId) {
        let ranks = self.ranks();
        let member = &mut self.members[node.index()];
        let pool = &mut self.pools[member.skill];
        if ranks {
            pool.ranked.insert((member.rank, node));
        }
        let level = member.hand.len();
        if pool.levels.len() <= level {
            pool.levels.resize(level + 1, Vec::new());
        }
        (member.open, member.place, member.level_place) = (true, pool.open.len(), pool.levels[level].len());
        pool.open.push(node);
        pool.levels[level].push(node);
        pool.shortest = pool.shortest.min(level);
    }

    fn leave_lists(&mut self, node: NodeId) {
        let ranks = self.ranks();
        let member = &mut self.members[node.index()];
        if !std::mem::take(&mut member.open) {
            return;
        }
        let (rank, level, skill) = (member.rank, member.hand.len(), member.skill);
        let (place, level_place) = (member.place, member.level_place);
        let pool = &mut self.pools[skill];
        if ranks {
            pool.ranked.remove(&(rank, node));
        }
        pool.open.swap_remove(place);
        if let Some(moved) = pool.open.get(place) {
            self.members[moved.index()].place = place;
        }
        pool.levels[level].swap_remove(level_place);
        if let Some(moved) = pool.levels[level].get(level_place) {
            self.members[moved.index()].level_place = level_place;
        }
    }
}

impl Pool {
    /// Those who hold `level` tasks.
    fn at(&self, level: usize) -> &[NodeId] {
        self.levels.get(level).map_or(&[], Vec::as_slice)
    }
    /// The fewest tasks anybody holds; `None` if nobody is there.
    fn lowest(&self) -> Option<usize> {
        (!self.open.is_empty()).then_some(self.shortest)
    }
}
