//! The claim table: at most one holder a task, by lease or until released.
//!
//! The first claim wins and later ones conflict (HTTP 409). A lease (Gray & Cheriton, SOSP 1989) bounds
//! how long a holder that went silent blocks its task: it lapses at its deadline unless renewed before.
//! The holder may not know that: every grant of a task carries a higher fencing token, so that an output
//! of an outlived grant can be told from the current one's (Kleppmann 2016).
//!
//! ```text
//!          claim                      resolve
//! open ──────────────▶ held(n, until) ───────▶ done      (resolve also from open)
//!   ▲  release, expiry │  ▲ renew, claim again
//!   └──────────────────┘  └─ by n
//! ```
//!
//! Volatile on purpose: a wiped table starts its tokens anew at 1, grants what is held, and accepts a
//! second output of what was done. Whoever wants otherwise must make the relay durable.

use super::message::Fence;
use crate::engine::{Span, Time};
use crate::mechanism::{Deadlines, Slot, Table};
use crate::trace::{NodeId, Output, TaskId};

/// Answer to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The claimant holds the task now, or still.
    Granted {
        /// Its grant.
        fence: Fence,
        /// Whether this claim changed the holder; false for a repetition.
        new: bool,
    },
    /// Somebody else holds it.
    Conflict {
        /// Who.
        holder: NodeId,
    },
    /// It is done.
    Gone,
}

/// Answer to a resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// This output made the task done.
    First,
    /// It was done before; the first output stays.
    Repeated,
    /// Refused: a later grant exists.
    Fenced {
        /// The latest grant.
        current: Fence,
    },
}

/// A lease that ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lapse {
    /// The task, open again.
    pub task: TaskId,
    /// Who held it.
    pub holder: NodeId,
    /// The grant that ended.
    pub fence: Fence,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Open,
    /// `until` is `Time::MAX` for a claim without a lease.
    Held {
        holder: NodeId,
        until: Time,
    },
    Done(Output),
}

impl State {
    /// The deadline of its lease.
    fn lease(self) -> Option<Time> {
        match self {
            State::Held { until, .. } => (until != Time::MAX).then_some(until),
            State::Open | State::Done(_) => None,
        }
    }

    /// Who holds the task at `now`.
    fn holder(self, now: Time) -> Option<NodeId> {
        match self {
            State::Held { holder, until } => (now < until).then_some(holder),
            State::Open | State::Done(_) => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Known {
    state: State,
    /// The latest grant, if there was one.
    fence: Option<Fence>,
}

/// Who holds which task. Memory is for the tasks that were asked for here.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    tasks: Table<TaskId, Known>,
    /// The deadlines of all leases; those count that `tasks` knows of.
    leases: Deadlines,
}

impl Claims {
    /// Asks for where what is known of `task` is looked for.
    #[inline]
    pub(crate) fn foresee(&self, task: TaskId) {
        self.tasks.foresee(task);
    }

    /// `claimant` asks for `task`. A repeated claim by the holder gets the same grant, and its lease runs
    /// from `now` again. A lease that ran out counts as released, whether or not it was expired.
    pub fn claim(&mut self, now: Time, claimant: NodeId, task: TaskId, lease: Option<Span>) -> Claim {
        let at = self.slot(task);
        let known = self.tasks[at];
        let new = match known.state {
            State::Done(_) => return Claim::Gone,
            State::Held { holder, until } if now < until && holder != claimant => {
                return Claim::Conflict { holder };
            }
            State::Held { until, .. } => now >= until,
            State::Open => true,
        };
        let fence = match known.fence {
            Some(fence) if !new => fence,
            Some(_) | None => {
                let grants = known.fence.map_or(0, Fence::get);
                Fence::new(grants + 1).expect("grants are counted from 1")
            }
        };
        let until = lease.map_or(Time::MAX, |lease| deadline(now, lease));
        self.tasks[at].fence = Some(fence);
        self.set(at, task, State::Held { holder: claimant, until });
        Claim::Granted { fence, new }
    }

    /// Lets the lease of `holder` on `task` run for `lease` from `now`. The new deadline, or `None` if it
    /// does not hold the task by `fence`, or no longer.
    pub fn renew(
        &mut self,
        now: Time,
        holder: NodeId,
        task: TaskId,
        fence: Fence,
        lease: Span,
    ) -> Option<Time> {
        let at = self.held(now, holder, task, fence)?;
        let until = deadline(now, lease);
        self.set(at, task, State::Held { holder, until });
        Some(until)
    }

    /// `holder` gives `task` back. False if it does not hold it by `fence`, or no longer.
    pub fn release(&mut self, now: Time, holder: NodeId, task: TaskId, fence: Fence) -> bool {
        let Some(at) = self.held(now, holder, task, fence) else { return false };
        self.set(at, task, State::Open);
        true
    }

    /// The task of `output` is done. With a `fence` the output counts only if no later grant exists: an
    /// expired lease alone does not make work worthless. Without, the first output counts.
    pub fn resolve(&mut self, output: Output, fence: Option<Fence>) -> Resolution {
        let at = self.slot(output.task);
        let known = self.tasks[at];
        if let State::Done(_) = known.state {
            return Resolution::Repeated;
        }
        if let (Some(fence), Some(current)) = (fence, known.fence)
            && fence < current
        {
            return Resolution::Fenced { current };
        }
        self.set(at, output.task, State::Done(output));
        Resolution::First
    }

    /// Opens one task whose lease ran out, the earliest first; call until `None`.
    pub fn expire(&mut self, now: Time) -> Option<Lapse> {
        let (until, task) = self.next_lease().filter(|(until, _)| *until <= now)?;
        let at = self.slot(task);
        let Known { state: State::Held { holder, .. }, fence: Some(fence) } = self.tasks[at] else {
            unreachable!("a lease until {until} belongs to a held task");
        };
        self.set(at, task, State::Open);
        Some(Lapse { task, holder, fence })
    }

    /// When the next lease runs out unless renewed: the instant to set a timer for.
    pub fn next_expiry(&mut self) -> Option<Time> {
        self.next_lease().map(|(until, _)| until)
    }

    /// Who holds `task` at `now`.
    pub fn holder(&self, now: Time, task: TaskId) -> Option<NodeId> {
        self.tasks.get(task)?.state.holder(now)
    }

    /// The output that made `task` done.
    pub fn output(&self, task: TaskId) -> Option<Output> {
        match self.tasks.get(task)?.state {
            State::Done(output) => Some(output),
            State::Open | State::Held { .. } => None,
        }
    }

    /// Loses everything.
    pub fn wipe(&mut self) {
        *self = Claims::default();
    }

    fn slot(&mut self, task: TaskId) -> Slot {
        self.tasks.find_or_insert_with(task, || Known { state: State::Open, fence: None }).0
    }

    /// Where `task` is, if `node` holds it by `fence`.
    fn held(&self, now: Time, node: NodeId, task: TaskId, fence: Fence) -> Option<Slot> {
        let at = self.tasks.find(task)?;
        let known = self.tasks[at];
        (known.state.holder(now) == Some(node) && known.fence == Some(fence)).then_some(at)
    }

    fn set(&mut self, at: Slot, task: TaskId, state: State) {
        self.tasks[at].state = state;
        if let Some(until) = state.lease() {
            self.leases.set(task, until);
        }
    }

    fn next_lease(&mut self) -> Option<(Time, TaskId)> {
        let tasks = &self.tasks;
        let runs = |task, until| tasks.get(task).is_some_and(|known| known.state.lease() == Some(until));
        self.leases.first(runs)
    }
}

fn deadline(now: Time, lease: Span) -> Time {
    Time::from_nanos(now.as_nanos().saturating_add(lease.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::ExecutionId;
    use proptest::prelude::*;

    const T: TaskId = TaskId(3);
    const A: NodeId = NodeId(1);
    const B: NodeId = NodeId(2);

    fn at(secs: u64) -> Time {
        Time::from_secs(secs)
    }
    fn lease(secs: u64) -> Option<Span> {
        Some(Span::from_secs(secs))
    }
    fn fence(grant: u32) -> Fence {
        Fence::new(grant).unwrap()
    }
    fn granted(grant: u32, new: bool) -> Claim {
        Claim::Granted { fence: fence(grant), new }
    }
    fn output(task: TaskId, execution: u32) -> Output {
        Output { task, execution: ExecutionId(execution), digest: u64::from(execution) }
    }

    #[test]
    fn the_first_claim_wins_and_repeating_it_changes_nothing() {
        let mut claims = Claims::default();
        assert_eq!(claims.claim(at(0), A, T, None), granted(1, true));
        assert_eq!(claims.claim(at(9), A, T, None), granted(1, false));
        assert_eq!(claims.claim(at(9), B, T, None), Claim::Conflict { holder: A });
        assert!(!claims.release(at(9), B, T, fence(1)) && !claims.release(at(9), A, T, fence(2)));
        assert!(claims.release(at(9), A, T, fence(1)) && !claims.release(at(9), A, T, fence(1)));
        assert_eq!(claims.claim(at(9), B, T, None), granted(2, true));
        assert_eq!((claims.next_expiry(), claims.expire(Time::MAX)), (None, None));
    }

    #[test]
    fn a_lease_ends_at_its_deadline_unless_renewed() {
        let mut claims = Claims::default();
        claims.claim(at(0), A, T, lease(30));
        assert_eq!(claims.renew(at(20), A, T, fence(1), Span::from_secs(30)), Some(at(50)));
        assert_eq!((claims.expire(at(49)), claims.next_expiry()), (None, Some(at(50))));
        assert_eq!(claims.holder(at(49), T), Some(A));
        assert_eq!(claims.holder(at(50), T), None);
        assert_eq!(claims.renew(at(50), A, T, fence(1), Span::from_secs(30)), None);
        assert_eq!(claims.expire(at(50)), Some(Lapse { task: T, holder: A, fence: fence(1) }));
        assert_eq!((claims.expire(at(50)), claims.next_expiry()), (None, None));
        // Without `expire` in between, a claim finds the lapsed lease itself.
        claims.claim(at(60), A, T, lease(5));
        assert_eq!(
            claims.claim(at(65), A, T, lease(5)),
            granted(3, true),
            "even its own, which is a new grant"
        );
        assert_eq!(claims.claim(at(70), B, T, None), granted(4, true));
        assert_eq!(claims.claim(at(0), A, TaskId(0), Some(Span::MAX)), granted(1, true));
    }

    /// F-06 of the reference results: a lease L renewed every L/3, holder crashing uniformly between two
    /// renewals: blocked for U(2L/3, L], mean 5L/6 = 25 s for L = 30 s. Crashes at every half-second.
    #[test]
    fn a_dead_holder_blocks_for_five_sixths_of_its_lease() {
        let mut total = Span::ZERO;
        for half_seconds in 0..20u64 {
            let crash = at(20) + Span::from_millis(500 * half_seconds + 250);
            let mut claims = Claims::default();
            claims.claim(at(0), A, T, lease(30));
            for beat in [10, 20] {
                claims.renew(at(beat), A, T, fence(1), Span::from_secs(30)).unwrap();
            }
            total += claims.next_expiry().unwrap().since(crash);
        }
        assert_eq!(total, Span::from_secs(25 * 20));
    }

    #[test]
    fn a_task_is_done_once_and_outlived_grants_are_fenced_off() {
        let mut claims = Claims::default();
        claims.claim(at(0), A, T, lease(1));
        claims.claim(at(1), B, T, lease(1));
        let fenced = Resolution::Fenced { current: fence(2) };
        assert_eq!(claims.resolve(output(T, 10), Some(fence(1))), fenced);
        // B's lease ended too, but nobody was granted the task since.
        assert_eq!(claims.expire(at(9)).map(|lapse| lapse.holder), Some(B));
        assert_eq!(claims.resolve(output(T, 11), Some(fence(2))), Resolution::First);
        assert_eq!(claims.resolve(output(T, 12), None), Resolution::Repeated);
        assert_eq!((claims.output(T), claims.claim(at(9), A, T, None)), (Some(output(T, 11)), Claim::Gone));
        assert_eq!(claims.resolve(output(TaskId(9), 1), None), Resolution::First, "unclaimed: a race");
        claims.wipe();
        assert_eq!((claims.output(T), claims.claim(at(9), A, T, None)), (None, granted(1, true)));
    }

    proptest! {
        /// Whatever the order: within a lease nobody else is granted the task, tokens rise with every
        /// change of hands, and a task is resolved first exactly once, after which it is gone.
        #[test]
        fn claims_are_exclusive_and_tokens_rise(
            moves in prop::collection::vec((0u8..6, 0u32..4, 0u32..3, 0u64..4, 0u64..8), 1..200)
        ) {
            let mut claims = Claims::default();
            let mut now = 0;
            // By task: (holder, until, token), last token, done.
            let mut held = [None::<(u32, u64, Fence)>; 3];
            let (mut last, mut done) = ([0; 3], [false; 3]);
            for (action, id, task, wait, length) in moves {
                now += wait;
                let (t, node, who) = (task as usize, NodeId(id), TaskId(task));
                let live = held[t].filter(|&(_, until, _)| now < until);
                let mine = live.filter(|&(holder, _, _)| holder == id);
                let token = held[t].map_or(fence(1), |(_, _, token)| token);
                match action {
                    0..=1 => match claims.claim(at(now), node, who, lease(length)) {
                        Claim::Granted { fence, new } => {
                            prop_assert!(!done[t] && (live.is_none() || mine.is_some()));
                            prop_assert_eq!(new, mine.is_none());
                            prop_assert_eq!(fence.get(), last[t] + u32::from(new));
                            last[t] = fence.get();
                            held[t] = Some((id, now + length, fence));
                        }
                        Claim::Conflict { holder } => {
                            prop_assert_eq!(live.map(|(id, _, _)| NodeId(id)), Some(holder));
                            prop_assert_ne!(holder, node);
                        }
                        Claim::Gone => prop_assert!(done[t]),
                    },
                    2 => {
                        let until = claims.renew(at(now), node, who, token, Span::from_secs(length));
                        prop_assert_eq!(until.is_some(), mine.is_some());
                        if until.is_some() { held[t] = Some((id, now + length, token)) }
                    }
                    3 => {
                        prop_assert_eq!(claims.release(at(now), node, who, token), mine.is_some());
                        if mine.is_some() { held[t] = None }
                    }
                    4 => while let Some(lapse) = claims.expire(at(now)) {
                        let (holder, until, token) = held[lapse.task.0 as usize].take().unwrap();
                        prop_assert!(until <= now);
                        prop_assert_eq!((lapse.holder, lapse.fence), (NodeId(holder), token));
                    },
                    _ => {
                        let first = claims.resolve(output(who, 1), None) == Resolution::First;
                        prop_assert_eq!(first, !done[t]);
                        done[t] = true;
                        held[t] = None;
                    }
                }
                prop_assert_eq!(claims.next_expiry(), held.iter().flatten().map(|h| at(h.1)).min());
            }
        }
    }
}
