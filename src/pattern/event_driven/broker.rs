//! The relay's seat: it appends, orders, tells and settles. It never executes and reads no content.
//!
//! Of every task it knows the last entry and who has it; what it does next follows from that alone:
//!
//! ```text
//!           claim, owner by hash, first racer            first result
//! unknown ──▶ open ──────────────────────────▶ held ──────────────────▶ done    (also from open)
//!  post        ▲  │ offered: repeated when due  │
//!              │  └ waiting: until somebody     │
//!              │    asks or becomes free        │
//!              └────────────────────────────────┘  lease lapsed, given back, holder restarted
//! ```

use smallvec::SmallVec;

use super::message::EventMessage;
use super::shares::Shares;
use super::{ClaimPolicy, EventDriven, EventTimer, Learn, Params};
use crate::engine::{Span, Time};
use crate::mechanism::{Deadlines, Heartbeats, Places, Table};
use crate::pattern::homes::Homes;
use crate::relay::{Claims, EntryKind, Fence, Log, LogEntry, Offset, Posts, Subscriptions};
use crate::sim::{CxOf, Seat, TimerId};
use crate::trace::{Fact, NodeId, TaskId};

pub(super) type EventCx<'a> = CxOf<'a, EventDriven>;
pub(super) type Nodes = SmallVec<[NodeId; 4]>;

/// Who has a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// Never heard of, or forgotten.
    #[default]
    Unknown,
    /// Nobody has it.
    Open,
    /// This node has it; the relay itself while agents race for it.
    Held(NodeId),
    /// It has a result.
    Done,
}

/// What is known of one task.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    pub(super) standing: Standing,
    /// The last entry about it.
    pub(super) last: Offset,
    /// The latest grant.
    pub(super) fence: Option<Fence>,
    /// When the offer or the assignment is to be repeated.
    pub(super) due: Option<Time>,
    /// The owner confirmed the assignment.
    pub(super) taken: bool,
    /// It was told of since it became open.
    pub(super) announced: bool,
    /// Who races for it.
    pub(super) racers: Nodes,
}

/// What is known of one agent.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// When it started, as it said; another time means that it lost what it had.
    pub(super) since: Option<Time>,
    /// The tasks it has from here.
    pub(super) held: SmallVec<[TaskId; 2]>,
}

/// One relay.
#[derive(Debug)]
pub(super) struct Broker {
    pub(super) params: Params,
    pub(super) me: NodeId,
    pub(super) log: Log,
    pub(super) claims: Claims,
    pub(super) posts: Posts,
    pub(super) subscriptions: Subscriptions,
    pub(super) shares: Shares,
    pub(super) watch: Heartbeats,
    pub(super) slots: Table<TaskId, Slot>,
    /// The agents it keeps in touch with.
    pub(super) agents: Places,
    /// By place among them.
    pub(super) known: Vec<Known>,
    /// The tasks taken from those who are silent.
    pub(super) lost: Table<NodeId, Vec<TaskId>>,
    /// When offers and assignments are to be repeated; those count that the slots know of.
    due: Deadlines,
    /// When tasks without an owner are shared out; nothing is before that.
    pub(super) rebalance: Option<Time>,
    /// The last instant at which the relay did something.
    pub(super) awake: Option<Time>,
    /// Time that does not count for leases: the relay was out, or had just returned.
    pub(super) outage: Span,
    pub(super) alarm: Option<(Time, TimerId)>,
}

impl Broker {
    /// Asks for what a message will touch.
    #[inline]
    pub(super) fn foresee(&self, from: Option<NodeId>, task: Option<TaskId>) {
        from.into_iter().for_each(|agent| self.watch.foresee(agent));
        if let Some(task) = task {
            self.slots.foresee(task);
            self.claims.foresee(task);
            self.posts.foresee(task);
        }
    }

    pub(super) fn new(params: &Params, seat: &Seat<'_>) -> Broker {
        let homes = Homes::new(params.homes, seat.fleet);
        let agents = homes.agents(seat.node, seat.fleet);
        Broker {
            params: params.clone(),
            me: seat.node,
            log: Log::default(),
            claims: Claims::default(),
            posts: Posts::default(),
            subscriptions: Subscriptions::among(agents),
            shares: Shares::among(agents),
            watch: Broker::watch(params, agents),
            slots: Table::default(),
            agents,
            known: vec![Known::default(); homes.share(seat.node, seat.fleet) as usize],
            lost: Table::default(),
            due: Deadlines::default(),
            rebalance: None,
            awake: None,
            outage: Span::ZERO,
            alarm: None,
        }
    }

    /// Nobody watched yet.
    fn watch(params: &Params, agents: Places) -> Heartbeats {
        let silence = match params.claims {
            ClaimPolicy::Partitioned => params.lease,
            ClaimPolicy::Optimistic | ClaimPolicy::Race => params.refresh + params.refresh + params.refresh,
        };
        Heartbeats::new(silence).among(agents)
    }

    /// Volatile memory is gone. The clock is not: leases of a wiped relay start anew anyway.
    pub(super) fn wipe(&mut self) {
        self.log.wipe();
        self.claims.wipe();
        self.posts.wipe();
        self.subscriptions.wipe();
        self.shares = Shares::among(self.agents);
        self.watch = Broker::watch(&self.params, self.agents);
        self.slots.clear();
        self.known.fill(Known::default());
        self.lost.clear();
        self.due.clear();
        self.alarm = None;
    }

    /// In service, for the first time or again.
    pub(super) fn start(&mut self, cx: &mut EventCx<'_>) {
        self.alarm = None;
        if let Some(awake) = self.awake {
            // Nobody could renew while the relay was out, and reconnecting takes a while: a grace period
            // as in Burrows, "The Chubby lock service", OSDI 2006.
            self.outage += cx.now().since(awake) + self.params.reconnect_spread + self.params.timeout;
        }
        for node in (0..self.known.len() as u32).map(|place| self.agents.node(place)) {
            if self.watch.is_trusted(node) {
                self.watch.heard(cx.now(), node);
                cx.send(node, EventMessage::Restarted);
            }
        }
        if self.params.claims == ClaimPolicy::Partitioned {
            self.rebalance = Some(cx.now() + self.params.reoffer);
        }
        self.rest(cx);
    }

    /// A client submitted `task`.
    pub(super) fn submitted(&mut self, task: TaskId, cx: &mut EventCx<'_>) {
        self.lapse(cx);
        if self.slot(task).standing == Standing::Unknown {
            self.post(task, cx);
            self.place(task, cx);
        }
        self.rest(cx);
    }

    /// An agent says something.
    pub(super) fn receive(&mut self, from: NodeId, msg: EventMessage, cx: &mut EventCx<'_>) {
        self.lapse(cx);
        self.heard(from, cx);
        match msg {
            EventMessage::Subscribe { since, free } => self.subscribe(from, since, free, cx),
            EventMessage::Fetch { since } => self.fetch(from, since, cx),
            EventMessage::Claim { task, seen } => self.claim(from, task, seen, cx),
            EventMessage::Took { task } => self.took(from, task),
            EventMessage::Renew { task, fence } => self.renew(from, task, fence, cx),
            EventMessage::Release { task, fence } => self.release(from, task, fence, cx),
            EventMessage::Result { output, free } => self.result(from, output, free, cx),
            EventMessage::Welcome
            | EventMessage::Offer { .. }
            | EventMessage::Page(_)
            | EventMessage::Refused { .. }
            | EventMessage::Run { .. }
            | EventMessage::Stop { .. }
            | EventMessage::Recorded { .. }
            | EventMessage::Restarted => unreachable!("relays do not talk to relays"),
        }
        self.rest(cx);
    }

    /// Something may be due.
    pub(super) fn tick(&mut self, cx: &mut EventCx<'_>) {
        self.alarm = None;
        self.lapse(cx);
        while let Some(node) = self.watch.expired(cx.now()) {
            self.silent(node, cx);
        }
        if self.rebalance.is_some_and(|at| at <= cx.now()) {
            self.rebalance = None;
            self.share_out(cx);
        }
        while let Some((_, task)) = self.next_due().filter(|&(at, _)| at <= cx.now()) {
            self.set_due(task, None);
            self.repeat(task, cx);
        }
        self.rest(cx);
    }

    /// Sets the alarm for whatever is due first. One that is set too early only rings for nothing, which
    /// is cheaper than moving it with every renewal.
    fn rest(&mut self, cx: &mut EventCx<'_>) {
        self.awake = Some(cx.now());
        let lease = self.claims.next_expiry().map(|at| at + self.outage);
        let offer = self.next_due().map(|(at, _)| at);
        let next = [lease, offer, self.watch.next_expiry(), self.rebalance].into_iter().flatten().min();
        let Some(next) = next.map(|at| at.max(cx.now())) else { return };
        if let Some((at, timer)) = self.alarm {
            if at <= next {
                return;
            }
            cx.cancel(timer);
        }
        self.alarm = Some((next, cx.set_timer(next.since(cx.now()), EventTimer::Tick)));
    }

    /// The time on the clock that leases run by: it stands still during outages.
    pub(super) fn lease_time(&self, now: Time) -> Time {
        Time::from_nanos(now.as_nanos().saturating_sub(self.outage.as_nanos()))
    }

    pub(super) fn pushes(&self) -> bool {
        self.params.learn == Learn::Subscription
    }

    pub(super) fn slot(&mut self, task: TaskId) -> &mut Slot {
        let (at, _) = self.slots.find_or_insert_with(task, Slot::default);
        &mut self.slots[at]
    }

    pub(super) fn known(&mut self, node: NodeId) -> &mut Known {
        &mut self.known[self.agents.of(node) as usize]
    }

    pub(super) fn append(&mut self, kind: EntryKind, task: TaskId, node: NodeId, cx: &mut EventCx<'_>) {
        let offset = self.log.append(LogEntry { kind, task, node });
        cx.note(Fact::Appended { offset: offset.0 });
        self.slot(task).last = offset;
    }

    pub(super) fn set_due(&mut self, task: TaskId, due: Option<Time>) -> &mut Slot {
        if let Some(at) = due {
            self.due.set(task, at);
        }
        let slot = self.slot(task);
        slot.due = due;
        slot
    }

    /// What is to be repeated next.
    fn next_due(&mut self) -> Option<(Time, TaskId)> {
        let slots = &self.slots;
        self.due.first(|task, at| slots.get(task).is_some_and(|slot| slot.due == Some(at)))
    }
}
