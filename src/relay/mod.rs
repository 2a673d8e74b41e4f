//! What a relay does: lightweight infrastructure that agents find each other and agree through.
//!
//! A relay keeps a directory, subscriptions, a log, a claim table and a post book. It executes no tasks
//! and reads no content; whatever it decides, it decides by the order in which requests reach it. The
//! model is the relay of agent networks such as ANTS, where agents register, subscribe, post tasks and
//! claim them over one endpoint (409 for the loser) while content travels between peers.
//!
//! It is a pure state machine that a pattern embeds in its relay seat. Service time, the inbox, outages
//! and whether memory survives a crash belong to the world around it: a volatile relay is told to
//! [`Relay::wipe`], a durable one is not.
//!
//! ```
//! use anthill::engine::Time;
//! use anthill::relay::{Relay, RelayConfig, RelayReply, RelayRequest};
//! use anthill::trace::{NodeId, TaskId};
//!
//! let mut relay = Relay::new(RelayConfig::default());
//! let mut replies = Vec::new();
//! for node in [NodeId(4), NodeId(2)] {
//!     relay.handle(Time::ZERO, node, RelayRequest::Claim { task: TaskId(0), lease: None }, &mut replies);
//! }
//! assert!(matches!(replies[0], (NodeId(4), RelayReply::Granted { .. })));
//! assert_eq!(replies[1], (NodeId(2), RelayReply::Conflict { task: TaskId(0), holder: NodeId(4) }));
//! ```

mod claims;
mod directory;
mod log;
mod message;
mod posts;
mod subscriptions;

pub use claims::{Claim, Claims, Lapse, Resolution};
pub use directory::Directory;
pub use log::Log;
pub use message::{EntryKind, Fence, LogEntry, LogPage, Offset, PeerPage, RelayReply, RelayRequest};
pub use posts::Posts;
pub use subscriptions::Subscriptions;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Span, Time};
use crate::mechanism::Places;
use crate::trace::{NodeId, Output, SkillId, TaskId};

/// How a relay behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RelayConfig {
    /// A directory entry vanishes this long after its last registration; absent: never.
    pub directory_ttl: Option<Span>,
    /// Each place in a lookup's answer goes to the least loaded of this many in line; 1: pure rotation.
    pub directory_choices: u8,
    /// Send the result of a posted task to its requester.
    pub notify: bool,
    /// Log posts, grants, releases, lapses and first results without being asked.
    pub journal: bool,
}

impl Default for RelayConfig {
    fn default() -> RelayConfig {
        RelayConfig { directory_ttl: None, directory_choices: 1, notify: true, journal: false }
    }
}

/// The state of one relay.
#[derive(Clone, Debug)]
pub struct Relay {
    config: RelayConfig,
    directory: Directory,
    subscriptions: Subscriptions,
    log: Log,
    claims: Claims,
    posts: Posts,
    /// Scratch space of lookups.
    found: Vec<NodeId>,
}

impl Relay {
    /// A relay that knows nothing yet.
    pub fn new(config: RelayConfig) -> Relay {
        Relay {
            config,
            directory: Directory::new(config.directory_ttl, config.directory_choices),
            subscriptions: Subscriptions::default(),
            log: Log::default(),
            claims: Claims::default(),
            posts: Posts::default(),
            found: Vec::new(),
        }
    }

    /// The same relay, for subscribers that are all among `places`: what it keeps for each of them takes no
    /// more room than that. By default node ids must be dense. It loses those that it has.
    pub fn among(self, places: Places) -> Relay {
        Relay { subscriptions: Subscriptions::among(places), ..self }
    }

    /// Asks for where what is known of `task` is looked for.
    #[inline]
    pub(crate) fn foresee(&self, task: TaskId) {
        self.claims.foresee(task);
        self.posts.foresee(task);
    }

    /// Answers one request: appends to `replies` what is to be sent, in order. Leases due at `now` are
    /// expired first, so that `Expired` notices to former holders may precede the answer.
    pub fn handle(
        &mut self,
        now: Time,
        from: NodeId,
        request: RelayRequest,
        replies: &mut Vec<(NodeId, RelayReply)>,
    ) {
        self.expire(now, replies);
        match request {
            RelayRequest::Register { skill, load } => self.directory.register(now, from, skill, load),
            RelayRequest::Deregister => {
                self.directory.deregister(from);
            }
            RelayRequest::Lookup { skill, k, token } => self.lookup(now, from, skill, k, token, replies),
            RelayRequest::Subscribe { skill, free } => self.subscriptions.subscribe(from, skill, free),
            RelayRequest::SetFree { free } => {
                self.subscriptions.set_free(from, free);
            }
            RelayRequest::Unsubscribe => {
                self.subscriptions.unsubscribe(from);
            }
            RelayRequest::Append { entry } => {
                let offset = self.log.append(entry);
                replies.push((from, RelayReply::Appended { offset }));
            }
            RelayRequest::Fetch { from: start, max } => self.fetch(from, start, max, replies),
            RelayRequest::Claim { task, lease } => {
                let reply = self.claim(now, from, task, lease);
                replies.push((from, reply));
            }
            RelayRequest::Renew { task, fence, lease } => {
                let until = self.claims.renew(now, from, task, fence, lease);
                let renewed = |until| RelayReply::Renewed { task, until };
                replies.push((from, until.map_or(RelayReply::NotHeld { task }, renewed)));
            }
            RelayRequest::Release { task, fence } => {
                let released = self.claims.release(now, from, task, fence);
                if released {
                    self.reopen(task, from);
                }
                let reply =
                    if released { RelayReply::Released { task } } else { RelayReply::NotHeld { task } };
                replies.push((from, reply));
            }
            RelayRequest::Resolve { output, fence } => self.resolve(from, output, fence, replies),
            RelayRequest::Post { task, requester, skill } => {
                self.post(now, from, task, requester, skill, replies);
            }
            RelayRequest::Pull { skill, k } => {
                let before = replies.len();
                self.offer_waiting(from, skill, k, replies);
                if replies.len() == before {
                    replies.push((from, RelayReply::NoOffer));
                }
            }
        }
    }

    /// Expires the leases due at `now`: their holders are sent `Expired`, the tasks are open again and
    /// wait for someone if they were posted.
    pub fn expire(&mut self, now: Time, replies: &mut Vec<(NodeId, RelayReply)>) {
        while let Some(Lapse { task, holder, fence }) = self.claims.expire(now) {
            self.reopen(task, holder);
            replies.push((holder, RelayReply::Expired { task, fence }));
        }
    }

    /// When [`Relay::expire`] has something to do next.
    pub fn next_expiry(&mut self) -> Option<Time> {
        self.claims.next_expiry()
    }

    /// Offers `task` to subscribers that are free and can do `skill`: to all, or to the `at_most` whose
    /// turn it is. Costs O(recipients).
    ///
    /// With a cap the offer can be lost on recipients that are dead or turn it down: whoever caps must
    /// offer again, or let agents that become free pull.
    pub fn announce(
        &mut self,
        task: TaskId,
        skill: Option<SkillId>,
        at_most: Option<u32>,
        replies: &mut Vec<(NodeId, RelayReply)>,
    ) {
        let offer = RelayReply::Offer { task, requester: self.posts.requester(task) };
        self.subscriptions.broadcast(skill, at_most, |node| replies.push((node, offer)));
    }

    /// Sends the log entry at `offset` to free subscribers that can do `skill`, as
    /// [`Relay::announce`] does. Nothing if there is no such entry.
    pub fn publish(
        &mut self,
        offset: Offset,
        skill: Option<SkillId>,
        at_most: Option<u32>,
        replies: &mut Vec<(NodeId, RelayReply)>,
    ) {
        if let Some(&entry) = self.log.read(offset, 1).first() {
            let event = RelayReply::Event { offset, entry };
            self.subscriptions.broadcast(skill, at_most, |node| replies.push((node, event)));
        }
    }

    /// Offers `to`, an agent of class `skill`, up to `k` of the posted tasks that wait for someone,
    /// oldest first.
    pub fn offer_waiting(
        &self,
        to: NodeId,
        skill: Option<SkillId>,
        k: u8,
        replies: &mut Vec<(NodeId, RelayReply)>,
    ) {
        for task in self.posts.waiting_for(skill).take(usize::from(k)) {
            replies.push((to, RelayReply::Offer { task, requester: self.posts.requester(task) }));
        }
    }

    /// Free subscribers that can do `skill` (everybody, if `None`), longest unserved first.
    pub fn subscribers(&self, skill: Option<SkillId>) -> impl Iterator<Item = NodeId> + '_ {
        self.subscriptions.subscribers(skill)
    }

    /// Takes `node` off directory and subscriptions: it is known to be gone. Its claims run on.
    pub fn forget(&mut self, node: NodeId) {
        self.directory.deregister(node);
        self.subscriptions.unsubscribe(node);
    }

    /// Forgets everything: the relay crashed and its memory was volatile.
    pub fn wipe(&mut self) {
        self.directory.wipe();
        self.subscriptions.wipe();
        self.log.wipe();
        self.claims.wipe();
        self.posts.wipe();
    }

    /// The directory, for looking.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
    /// The log, for looking.
    pub fn log(&self) -> &Log {
        &self.log
    }
    /// The claim table, for looking.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
    /// The post book, for looking.
    pub fn posts(&self) -> &Posts {
        &self.posts
    }

    fn lookup(
        &mut self,
        now: Time,
        asker: NodeId,
        skill: Option<SkillId>,
        k: u8,
        token: u32,
        replies: &mut Vec<(NodeId, RelayReply)>,
    ) {
        self.found.clear();
        self.directory.lookup(now, asker, skill, k, &mut self.found);
        // An empty answer is an answer: one page, with nobody in it.
        let pages = self.found.len().div_ceil(PeerPage::CAPACITY).max(1);
        for page in 0..pages {
            let start = page * PeerPage::CAPACITY;
            let end = self.found.len().min(start + PeerPage::CAPACITY);
            let peers = PeerPage::new(&self.found[start..end]);
            replies.push((asker, RelayReply::Found { token, more: page + 1 < pages, peers }));
        }
    }

    fn fetch(&self, reader: NodeId, start: Offset, max: u16, replies: &mut Vec<(NodeId, RelayReply)>) {
        let entries = self.log.read(start, usize::from(max));
        let pages = entries.len().div_ceil(LogPage::CAPACITY).max(1);
        for page in 0..pages {
            let skip = page * LogPage::CAPACITY;
            let end = entries.len().min(skip + LogPage::CAPACITY);
            let from = Offset(start.0 + skip as u32);
            let page_of = LogPage::new(&entries[skip..end]);
            replies.push((reader, RelayReply::Batch { from, more: page + 1 < pages, page: page_of }));
        }
    }

    fn claim(&mut self, now: Time, from: NodeId, task: TaskId, lease: Option<Span>) -> RelayReply {
        match self.claims.claim(now, from, task, lease) {
            Claim::Granted { fence, new } => {
                if new {
                    self.posts.set_waiting(task, false);
                    self.journal(EntryKind::Claimed, task, from);
                }
                RelayReply::Granted { task, fence, requester: self.posts.requester(task) }
            }
            Claim::Conflict { holder } => RelayReply::Conflict { task, holder },
            Claim::Gone => RelayReply::Gone { task },
        }
    }

    fn resolve(
        &mut self,
        from: NodeId,
        output: Output,
        fence: Option<Fence>,
        replies: &mut Vec<(NodeId, RelayReply)>,
    ) {
        let task = output.task;
        match self.claims.resolve(output, fence) {
            Resolution::First => {
                self.posts.set_waiting(task, false);
                self.journal(EntryKind::Done, task, from);
                replies.push((from, RelayReply::Resolved { task, first: true }));
                if let Some(requester) = self.posts.requester(task).filter(|_| self.config.notify) {
                    replies.push((requester, RelayReply::Outcome { output }));
                }
            }
            Resolution::Repeated => replies.push((from, RelayReply::Resolved { task, first: false })),
            Resolution::Fenced { current } => replies.push((from, RelayReply::Fenced { task, current })),
        }
    }

    fn post(
        &mut self,
        now: Time,
        from: NodeId,
        task: TaskId,
        requester: NodeId,
        skill: Option<SkillId>,
        replies: &mut Vec<(NodeId, RelayReply)>,
    ) {
        let (first, requester) = self.posts.post(task, requester, skill);
        if first {
            self.journal(EntryKind::Posted, task, requester);
        }
        replies.push((from, RelayReply::Posted { task, first, requester }));
        let output = self.claims.output(task);
        if first && (output.is_some() || self.claims.holder(now, task).is_some()) {
            self.posts.set_waiting(task, false);
        }
        // Posting again what is done asks for the result: the notice was lost, or came before the post.
        if let Some(output) = output.filter(|_| self.config.notify) {
            replies.push((requester, RelayReply::Outcome { output }));
        }
    }

    /// `task` was given back by `holder`, or taken from it.
    fn reopen(&mut self, task: TaskId, holder: NodeId) {
        self.posts.set_waiting(task, true);
        self.journal(EntryKind::Released, task, holder);
    }

    fn journal(&mut self, kind: EntryKind, task: TaskId, node: NodeId) {
        if self.config.journal {
            self.log.append(LogEntry { kind, task, node });
        }
    }
}

#[cfg(test)]
mod tests;
