//! The agent's seat: it learns of open tasks, gets hold of one, executes it, and sees its result recorded.
//!
//! ```text
//!        offer, page                 grant                content read           output
//! idle ─────────────▶ claiming ──────────────▶ reading ─────────────▶ working ──────────▶ idle
//!  ▲   ◀───────────── next kept entry, or none    │   stop: another's result came first    │
//!  └──────────────────────────────────────────────┴────────────────────────────────────────┘
//! ```
//!
//! Assignments and races skip `claiming`. Results wait in an outbox until a relay confirms them, so that
//! an outage stops neither the next execution nor, in the end, the result.

use std::sync::Arc;

use smallvec::SmallVec;

use super::message::{CONTEXT, EventMessage, Page};
use super::{ClaimPolicy, EventDriven, EventTimer, Params};
use crate::engine::{Time, prefetch};
use crate::mechanism::Places;
use crate::pattern::homes::Homes;
use crate::relay::{EntryKind, Fence, LogEntry, Offset};
use crate::sim::{CxOf, Effort, Seat, TimerId, Work, WorkKind};
use crate::trace::{ExecutionId, Fact, NodeId, Output, Phase, Plane, TaskId};

pub(super) type EventCx<'a> = CxOf<'a, EventDriven>;

/// A claim unanswered this often is given up: its relay is out, and another may have work.
const CLAIM_TRIES: u32 = 3;
/// Offers kept for the case that a claim fails; older ones are worth less than they cost.
const KEPT: usize = Page::CAPACITY;

/// An entry read, not acted on yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lead {
    relay: NodeId,
    task: TaskId,
    seen: Offset,
}

/// A task that is mine to execute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) relay: NodeId,
    pub(super) task: TaskId,
    pub(super) fence: Fence,
}

/// What I am doing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Job {
    #[default]
    Idle,
    Claiming {
        lead: Lead,
        /// Acted on in the instant it was read.
        fresh: bool,
        attempt: u32,
        timer: TimerId,
    },
    Reading {
        order: Order,
        ticket: u32,
    },
    Working {
        order: Order,
        execution: ExecutionId,
    },
}

impl Job {
    pub(super) fn order(&mut self) -> Option<&mut Order> {
        match self {
            Job::Idle | Job::Claiming { .. } => None,
            Job::Reading { order, .. } | Job::Working { order, .. } => Some(order),
        }
    }
}

/// A result not confirmed yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unrecorded {
    pub(super) relay: NodeId,
    pub(super) output: Output,
    pub(super) attempt: u32,
    pub(super) timer: Option<TimerId>,
}

/// What I know of one relay.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link {
    /// Requests since its last answer.
    pub(super) attempt: u32,
    pub(super) timer: Option<TimerId>,
    /// It answered before: I listen to it at my own phase.
    pub(super) met: bool,
    pub(super) reconnecting: bool,
}

/// One agent.
#[derive(Debug)]
pub(super) struct Worker {
    /// Kept once for all agents.
    pub(super) params: Arc<Params>,
    pub(super) since: Time,
    /// The relays it keeps in touch with.
    pub(super) homes: Places,
    /// By place among them.
    links: SmallVec<[Link; 1]>,
    pub(super) job: Job,
    leads: SmallVec<[Lead; 1]>,
    /// Assigned, not begun.
    queue: SmallVec<[Order; 1]>,
    pub(super) outbox: Vec<Unrecorded>,
    pub(super) renewal: Option<TimerId>,
    pub(super) tickets: u32,
}

impl Worker {
    /// Asks for all of it.
    #[inline]
    pub(super) fn foresee(&self) {
        prefetch(&self.params);
        prefetch(&self.links);
        prefetch(&self.job);
        prefetch(&self.leads);
        prefetch(&self.queue);
        prefetch(&self.renewal);
    }

    pub(super) fn new(params: &Arc<Params>, seat: &Seat<'_>) -> Worker {
        let homes = Homes::new(params.homes, seat.fleet);
        let links = homes.of(seat.node, seat.fleet).len();
        Worker {
            params: Arc::clone(params),
            since: Time::ZERO,
            homes: homes.relays(seat.node, seat.fleet),
            links: SmallVec::from_elem(Link::default(), links),
            job: Job::Idle,
            leads: SmallVec::new(),
            queue: SmallVec::new(),
            outbox: Vec::new(),
            renewal: None,
            tickets: 0,
        }
    }

    /// All an agent has is volatile.
    pub(super) fn wipe(&mut self) {
        self.links.fill(Link::default());
        self.job = Job::Idle;
        self.leads.clear();
        self.queue.clear();
        self.outbox.clear();
        self.renewal = None;
    }

    pub(super) fn link(&mut self, relay: NodeId) -> &mut Link {
        &mut self.links[self.homes.of(relay) as usize]
    }

    /// The relays it keeps in touch with.
    pub(super) fn relays(&self) -> impl Iterator<Item = NodeId> + use<> {
        let homes = self.homes;
        (0..self.links.len() as u32).map(move |place| homes.node(place))
    }

    pub(super) fn start(&mut self, cx: &mut EventCx<'_>) {
        self.since = cx.now();
        self.connect_all(None, cx);
    }

    /// A relay says something.
    pub(super) fn receive(&mut self, from: NodeId, msg: EventMessage, cx: &mut EventCx<'_>) {
        match msg {
            EventMessage::Welcome => self.answered(from, cx),
            EventMessage::Page(page) => self.page(from, page, cx),
            EventMessage::Offer { task, entry } => self.consider(Lead { relay: from, task, seen: entry }, cx),
            EventMessage::Refused { task, by } => self.refused(from, task, by, cx),
            EventMessage::Run { task, fence, .. } => self.run(Order { relay: from, task, fence }, cx),
            EventMessage::Stop { task } => self.stop(from, task, cx),
            EventMessage::Recorded { task } => self.recorded(from, task, cx),
            EventMessage::Restarted => self.restarted(from, cx),
            EventMessage::Subscribe { .. }
            | EventMessage::Fetch { .. }
            | EventMessage::Claim { .. }
            | EventMessage::Took { .. }
            | EventMessage::Renew { .. }
            | EventMessage::Release { .. }
            | EventMessage::Result { .. } => unreachable!("agents do not talk to agents"),
        }
    }

    /// A timer fired.
    pub(super) fn wake(&mut self, timer: EventTimer, cx: &mut EventCx<'_>) {
        match timer {
            EventTimer::Link(relay) => {
                self.link(relay).timer = None;
                if self.listens() {
                    self.connect(relay, cx);
                }
            }
            EventTimer::Reconnect(relay) => self.reconnect(relay, cx),
            EventTimer::Claim => self.claim_unanswered(cx),
            EventTimer::Read { ticket } => self.read(ticket, cx),
            EventTimer::Renew => self.renew(cx),
            EventTimer::Resend(task) => self.resend(task, cx),
            EventTimer::Tick | EventTimer::Executed => unreachable!("not a timer of an agent"),
        }
    }

    fn page(&mut self, relay: NodeId, page: Page, cx: &mut EventCx<'_>) {
        self.answered(relay, cx);
        for (task, seen) in page.iter() {
            self.consider(Lead { relay, task, seen }, cx);
        }
    }

    /// Claims an open task, or keeps it in mind while another claim is under way.
    fn consider(&mut self, lead: Lead, cx: &mut EventCx<'_>) {
        match self.job {
            Job::Idle => self.claim(lead, true, 0, cx),
            Job::Claiming { .. } if self.leads.len() < KEPT => self.leads.push(lead),
            Job::Claiming { .. } | Job::Reading { .. } | Job::Working { .. } => {}
        }
    }

    fn claim(&mut self, lead: Lead, fresh: bool, attempt: u32, cx: &mut EventCx<'_>) {
        cx.send(lead.relay, EventMessage::Claim { task: lead.task, seen: lead.seen });
        let wait = self.patience(attempt, cx);
        let timer = cx.set_timer(wait, EventTimer::Claim);
        self.job = Job::Claiming { lead, fresh, attempt, timer };
    }

    fn claim_unanswered(&mut self, cx: &mut EventCx<'_>) {
        let Job::Claiming { lead, fresh, attempt, .. } = self.job else { return };
        if attempt + 1 < CLAIM_TRIES {
            self.claim(lead, fresh, attempt + 1, cx);
        } else {
            self.next_lead(cx);
        }
    }

    fn refused(&mut self, relay: NodeId, task: TaskId, by: LogEntry, cx: &mut EventCx<'_>) {
        let Job::Claiming { lead, fresh, timer, .. } = self.job else { return };
        if (lead.relay, lead.task) != (relay, task) {
            return;
        }
        cx.cancel(timer);
        // Losing to a claim made at the same time is a conflict. Having kept the entry until it was out
        // of date, or coming after the result, is acting on a stale view.
        if !fresh || by.kind == EntryKind::Done {
            cx.note(Fact::Stale(task));
        }
        self.next_lead(cx);
    }

    fn next_lead(&mut self, cx: &mut EventCx<'_>) {
        self.job = Job::Idle;
        if !self.leads.is_empty() {
            let lead = self.leads.remove(0);
            self.claim(lead, false, 0, cx);
        }
    }

    /// A task is mine: by a granted claim, an assignment, or to race for it.
    fn run(&mut self, order: Order, cx: &mut EventCx<'_>) {
        let Order { relay, task, fence } = order;
        let is_it = |other: &Order| (other.relay, other.task) == (relay, task);
        if self.partitioned() {
            cx.send(relay, EventMessage::Took { task });
        }
        if let Some(current) = self.job.order().filter(|current| is_it(current)) {
            current.fence = fence;
            return;
        }
        if self.outbox.iter().any(|result| (result.relay, result.output.task) == (relay, task)) {
            return;
        }
        if let Some(waiting) = self.queue.iter_mut().find(|waiting| is_it(waiting)) {
            waiting.fence = fence;
            return;
        }
        match self.job {
            Job::Idle => self.begin(order, cx),
            Job::Claiming { lead, timer, .. } if (lead.relay, lead.task) == (relay, task) => {
                cx.cancel(timer);
                self.begin(order, cx);
            }
            Job::Claiming { .. } | Job::Reading { .. } | Job::Working { .. } if self.partitioned() => {
                self.queue.push(order);
            }
            // A grant that came after I had given up waiting for it, or a race I have no time for.
            Job::Claiming { .. } | Job::Reading { .. } | Job::Working { .. } => {
                cx.send(relay, EventMessage::Release { task, fence });
            }
        }
    }

    fn begin(&mut self, order: Order, cx: &mut EventCx<'_>) {
        self.leads.clear();
        let tokens = cx.task(order.task).context_tokens;
        if tokens == 0 {
            self.execute(order, cx);
        } else {
            self.tickets = self.tickets.wrapping_add(1);
            let ticket = self.tickets;
            self.job = Job::Reading { order, ticket };
            if self.params.claims != ClaimPolicy::Race {
                cx.note(Fact::AwaitsContext { task: order.task, holder: cx.me() });
            }
            let effort = Effort::Like { kind: CONTEXT, tokens };
            cx.occupy(Plane::Cognition, Phase::Context, effort, EventTimer::Read { ticket });
        }
        if !self.partitioned() {
            self.schedule_renewal(cx);
            self.hang_up(order.relay, cx);
        }
    }

    fn read(&mut self, ticket: u32, cx: &mut EventCx<'_>) {
        match self.job {
            Job::Reading { order, ticket: current } if current == ticket => self.execute(order, cx),
            Job::Idle | Job::Claiming { .. } | Job::Reading { .. } | Job::Working { .. } => {}
        }
    }

    fn execute(&mut self, order: Order, cx: &mut EventCx<'_>) {
        let execution = cx.work(order.task, EventTimer::Executed);
        self.job = Job::Working { order, execution };
    }

    fn schedule_renewal(&mut self, cx: &mut EventCx<'_>) {
        let timer = cx.set_timer(self.params.lease.mul_f64(1.0 / 3.0), EventTimer::Renew);
        if let Some(before) = self.renewal.replace(timer) {
            cx.cancel(before);
        }
    }

    pub(super) fn renew(&mut self, cx: &mut EventCx<'_>) {
        if self.partitioned() {
            return;
        }
        if let Some(&mut Order { relay, task, fence }) = self.job.order() {
            cx.send(relay, EventMessage::Renew { task, fence });
            self.schedule_renewal(cx);
        }
    }

    /// My work on `task` is not wanted any more.
    fn stop(&mut self, relay: NodeId, task: TaskId, cx: &mut EventCx<'_>) {
        self.queue.retain(|order| (order.relay, order.task) != (relay, task));
        if self.job.order().is_none_or(|order| (order.relay, order.task) != (relay, task)) {
            return;
        }
        if let Job::Working { execution, .. } = self.job {
            cx.abandon(execution);
        }
        if self.go_on(cx) && !self.partitioned() {
            self.connect_all(None, cx);
        }
    }

    /// The execution ended.
    pub(super) fn executed(&mut self, done: Work, cx: &mut EventCx<'_>) {
        let Job::Working { order, execution } = self.job else { return };
        if execution != done.execution {
            return;
        }
        match done.kind {
            WorkKind::Executed(output) => {
                let free = self.go_on(cx);
                if self.outbox.len() == self.outbox.capacity() {
                    // Nearly always there is one at a time, and there may be a million of these lists.
                    self.outbox.reserve_exact(self.outbox.len().max(1));
                }
                self.outbox.push(Unrecorded { relay: order.relay, output, attempt: 0, timer: None });
                self.deliver(self.outbox.len() - 1, free, cx);
                if free && !self.partitioned() {
                    self.listen_again(order.relay, cx);
                }
            }
            // Nobody else may have it while I do not say so; an assignment stays mine.
            WorkKind::Hung if self.partitioned() => self.execute(order, cx),
            WorkKind::Hung => {
                cx.send(order.relay, EventMessage::Release { task: order.task, fence: order.fence });
                if self.go_on(cx) {
                    self.connect_all(None, cx);
                }
            }
            WorkKind::Verified { .. } => unreachable!("nothing is verified here"),
        }
    }

    /// Begins the next assigned task; says whether there was none, so that I am free.
    fn go_on(&mut self, cx: &mut EventCx<'_>) -> bool {
        self.job = Job::Idle;
        if let Some(timer) = self.renewal.take() {
            cx.cancel(timer);
        }
        if self.queue.is_empty() {
            return true;
        }
        let order = self.queue.remove(0);
        self.begin(order, cx);
        false
    }
}
