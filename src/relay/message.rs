//! What is asked of a relay and what it answers: small `Copy` values, 32 bytes or less, that a pattern
//! wraps in one variant of its own message.
//!
//! Answers of variable length (peers found, entries fetched) go out in pages of a few items, each a reply
//! of its own with `more` set on all but the last: a page is what fits, and costs a message like any
//! other.

use std::num::NonZeroU32;

use crate::engine::{Span, Time};
use crate::trace::{NodeId, Output, SkillId, TaskId};

/// Number of a grant, counted per task from 1: a later grant has a higher one (Kleppmann, "How to do
/// distributed locking", 2016; Gray & Cheriton, SOSP 1989, for the leases it protects).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(NonZeroU32);

impl Fence {
    /// The fencing token of grant number `grant`; `None` for 0, which is no grant.
    pub const fn new(grant: u32) -> Option<Fence> {
        match NonZeroU32::new(grant) {
            Some(grant) => Some(Fence(grant)),
            None => None,
        }
    }
    /// Which grant of its task this is: 1 is the first.
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

/// Position in a relay's log: the first entry is at 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub u32);

/// What a log entry says of its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// It is there to be done; the node is its requester.
    Posted,
    /// The node took it, or asks for it where the log's order decides.
    Claimed,
    /// The node gave it back, or its lease ran out.
    Released,
    /// The node has its output.
    Done,
    /// The node failed at it.
    Failed,
}

/// One entry of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// What happened.
    pub kind: EntryKind,
    /// The task it happened to.
    pub task: TaskId,
    /// The node that did it.
    pub node: NodeId,
}

/// Up to six nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerPage([NodeId; PeerPage::CAPACITY]);

impl PeerPage {
    /// Most nodes in one page.
    pub const CAPACITY: usize = 6;
    /// Fills unused places; the last `u32` is no node's id.
    const NOBODY: NodeId = NodeId(u32::MAX);

    /// A page of `nodes`. Panics if they are more than fit.
    pub fn new(nodes: &[NodeId]) -> PeerPage {
        let mut page = [PeerPage::NOBODY; PeerPage::CAPACITY];
        page[..nodes.len()].copy_from_slice(nodes);
        PeerPage(page)
    }
    /// The nodes.
    pub fn iter(self) -> impl Iterator<Item = NodeId> {
        self.0.into_iter().take_while(|&node| node != PeerPage::NOBODY)
    }
}

/// Up to two consecutive log entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPage([Option<LogEntry>; LogPage::CAPACITY]);

impl LogPage {
    /// Most entries in one page.
    pub const CAPACITY: usize = 2;

    /// A page of `entries`. Panics if they are more than fit.
    pub fn new(entries: &[LogEntry]) -> LogPage {
        let mut page = [None; LogPage::CAPACITY];
        page.iter_mut().zip(entries).for_each(|(place, &entry)| *place = Some(entry));
        assert!(entries.len() <= LogPage::CAPACITY, "a page holds {} entries", LogPage::CAPACITY);
        LogPage(page)
    }
    /// The entries, in log order.
    pub fn iter(self) -> impl Iterator<Item = LogEntry> {
        self.0.into_iter().flatten()
    }
}

/// What a node asks of a relay. The asker is the envelope's sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayRequest {
    /// List me in the directory, or keep me listed. No answer.
    Register {
        /// My skill class.
        skill: Option<SkillId>,
        /// How busy I am, in units of the asker's choice (tasks queued, say).
        load: u16,
    },
    /// Take me off the directory. No answer.
    Deregister,
    /// Who is there? Answered by [`RelayReply::Found`].
    Lookup {
        /// Only nodes with this skill class; `None`: any.
        skill: Option<SkillId>,
        /// How many at most.
        k: u8,
        /// Comes back with the answer.
        token: u32,
    },
    /// Send me broadcasts that I can serve. Again: changes skill and state. No answer.
    Subscribe {
        /// My skill class.
        skill: Option<SkillId>,
        /// Whether I can take work now; only free subscribers are sent anything.
        free: bool,
    },
    /// I became free or busy. No answer; nothing if not subscribed.
    SetFree {
        /// Whether I can take work now.
        free: bool,
    },
    /// Send me no more broadcasts. No answer.
    Unsubscribe,
    /// Add this to the log. Answered by [`RelayReply::Appended`].
    Append {
        /// What to add.
        entry: LogEntry,
    },
    /// Send me the log from here. Answered by one or more [`RelayReply::Batch`].
    Fetch {
        /// The first entry wanted.
        from: Offset,
        /// Most entries wanted.
        max: u16,
    },
    /// I want this task for myself. Answered by `Granted`, `Conflict` or `Gone`.
    Claim {
        /// The task.
        task: TaskId,
        /// The claim lapses after this long unless renewed; `None`: it holds until released.
        lease: Option<Span>,
    },
    /// I still work on it. Answered by `Renewed` or `NotHeld`.
    Renew {
        /// The task.
        task: TaskId,
        /// My grant.
        fence: Fence,
        /// How long from now.
        lease: Span,
    },
    /// I give it back. Answered by `Released` or `NotHeld`.
    Release {
        /// The task.
        task: TaskId,
        /// My grant.
        fence: Fence,
    },
    /// It is done. Answered by `Resolved` or `Fenced`.
    Resolve {
        /// What came out; names the task.
        output: Output,
        /// My grant, if the result shall count only while no later grant exists; `None`: it counts.
        fence: Option<Fence>,
    },
    /// Here is a task to be done. Answered by `Posted`.
    Post {
        /// The task.
        task: TaskId,
        /// Who wants the result.
        requester: NodeId,
        /// The skill class it needs.
        skill: Option<SkillId>,
    },
    /// Which posted tasks wait for someone like me, oldest first? Answered by up to `k` `Offer`s, or
    /// `NoOffer`.
    Pull {
        /// My skill class.
        skill: Option<SkillId>,
        /// How many at most.
        k: u8,
    },
}

/// What a relay sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayReply {
    /// Peers listed in the directory; they may have left since.
    Found {
        /// From the question.
        token: u32,
        /// Whether another page follows.
        more: bool,
        /// Distinct nodes, the asker not among them; none if nobody suitable is listed.
        peers: PeerPage,
    },
    /// The entry was added.
    Appended {
        /// Where.
        offset: Offset,
    },
    /// Entries of the log, consecutive from `from`; none if the log ends before it.
    Batch {
        /// Offset of the first entry; the next to ask for is `from` plus the number of entries.
        from: Offset,
        /// Whether another page of this answer follows.
        more: bool,
        /// The entries.
        page: LogPage,
    },
    /// The task is yours. The same answer, with the same token, to repeated claims.
    Granted {
        /// The task.
        task: TaskId,
        /// Your grant.
        fence: Fence,
        /// Who posted it, if it was posted here.
        requester: Option<NodeId>,
    },
    /// Somebody else has it (HTTP 409).
    Conflict {
        /// The task.
        task: TaskId,
        /// Who has it.
        holder: NodeId,
    },
    /// It is done already (HTTP 410).
    Gone {
        /// The task.
        task: TaskId,
    },
    /// Your lease runs on.
    Renewed {
        /// The task.
        task: TaskId,
        /// Until then.
        until: Time,
    },
    /// You do not hold it, or no longer by this grant.
    NotHeld {
        /// The task.
        task: TaskId,
    },
    /// It is open again.
    Released {
        /// The task.
        task: TaskId,
    },
    /// Your lease ran out; the task is open again.
    Expired {
        /// The task.
        task: TaskId,
        /// The grant that ended.
        fence: Fence,
    },
    /// The task is done.
    Resolved {
        /// The task.
        task: TaskId,
        /// Whether by this output; false if another was there before.
        first: bool,
    },
    /// The output was refused: the task was granted to somebody later.
    Fenced {
        /// The task.
        task: TaskId,
        /// The latest grant.
        current: Fence,
    },
    /// The task is on the book.
    Posted {
        /// The task.
        task: TaskId,
        /// Whether this post put it there.
        first: bool,
        /// Who asked for it first: results go there.
        requester: NodeId,
    },
    /// A posted task that waits for someone.
    Offer {
        /// The task.
        task: TaskId,
        /// Who posted it, if it was posted here.
        requester: Option<NodeId>,
    },
    /// Nothing waits for you.
    NoOffer,
    /// A log entry, as it is broadcast.
    Event {
        /// Its place in the log.
        offset: Offset,
        /// What it says.
        entry: LogEntry,
    },
    /// To the requester: the result of a task it posted.
    Outcome {
        /// What came out.
        output: Output,
    },
}

/// Both travel by value millions of times; a field too many is felt.
const _: () = assert!(size_of::<RelayRequest>() <= 32 && size_of::<RelayReply>() <= 32);
