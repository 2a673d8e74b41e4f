//! Discovery: which peers an agent knows, and when it asks a directory for more.
//!
//! Peers become known by a directory's answer or by speaking up; they are forgotten when they do not
//! answer, or when nothing was heard of them for long. A lookup that is not answered goes to the next
//! directory; the agent returns to its own the next time it registers.

use std::sync::Arc;

use smallvec::SmallVec;

use super::message::Msg;
use super::{Params, PeerToPeer, Timer};
use crate::engine::Time;
use crate::mechanism::{PeerCache, PeerConfig};
use crate::relay::{RelayReply, RelayRequest};
use crate::sim::{CxOf, TimerId};
use crate::trace::{NodeId, SkillId, TaskId};
use crate::work::Fleet;

/// A lookup under way.
#[derive(Clone, Debug)]
struct Question {
    token: u32,
    skill: Option<SkillId>,
    timer: TimerId,
    found: u32,
    /// The tasks that wait for the answer.
    waiting: SmallVec<[TaskId; 4]>,
}

/// An agent's view of the others.
#[derive(Clone, Debug)]
pub(super) struct Finder {
    params: Arc<Params>,
    cache: PeerCache,
    /// The directory where this agent registers.
    home: u32,
    /// How many directories further the next lookup goes.
    detour: u32,
    questions: SmallVec<[Question; 1]>,
    tokens: u32,
    /// A peer was forgotten because it did not answer, and no directory was asked since.
    lost_peers: bool,
}

impl Finder {
    pub(super) fn new(params: Arc<Params>, home: u32) -> Finder {
        let config = PeerConfig {
            capacity: params.cache_capacity,
            ttl: params.cache_ttl,
            enough: params.cache_enough,
        };
        Finder {
            params,
            cache: PeerCache::new(config),
            home,
            detour: 0,
            questions: SmallVec::new(),
            tokens: 0,
            lost_peers: false,
        }
    }

    /// The directory nearest to agent `index`: at its site if there is one.
    pub(super) fn home_of(index: u32, fleet: &Fleet) -> u32 {
        let site = fleet.site(fleet.agent(index));
        let near = || (0..fleet.relays()).filter(|&relay| fleet.site(fleet.relay(relay)) == site);
        let count = near().count() as u32;
        let own = near().nth(index.checked_rem(count).unwrap_or(0) as usize);
        own.unwrap_or_else(|| index % fleet.relays().max(1))
    }

    /// Everything is lost but the own address.
    pub(super) fn wipe(&mut self) {
        *self = Finder::new(Arc::clone(&self.params), self.home);
    }

    /// Lists this agent in its directory, or keeps it listed.
    pub(super) fn register(&mut self, load: u16, cx: &mut CxOf<'_, PeerToPeer>) {
        self.detour = 0;
        let skill = cx.fleet().skill(cx.me());
        let request = RelayRequest::Register { skill, load };
        cx.send(cx.fleet().relay(self.home), Msg::Ask { request, again: false });
    }

    /// Whether a directory should be asked before calling peers with `skill`.
    pub(super) fn knows_too_few(&self, now: Time, skill: Option<SkillId>) -> bool {
        self.cache.discovery_due(now, skill)
    }

    /// Asks a directory for peers with `skill` on behalf of `task`; one lookup serves all tasks that want
    /// the same.
    pub(super) fn look_up(
        &mut self,
        task: TaskId,
        skill: Option<SkillId>,
        again: bool,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) {
        if let Some(question) = self.questions.iter_mut().find(|question| question.skill == skill) {
            return question.waiting.push(task);
        }
        let token = self.tokens;
        self.tokens = token.wrapping_add(1);
        let relay = cx.fleet().relay((self.home + self.detour) % cx.fleet().relays());
        let k = self.params.lookup_size;
        let request = RelayRequest::Lookup { skill, k, token };
        cx.send(relay, Msg::Ask { request, again: again || self.lost_peers });
        self.lost_peers = false;
        let timer = cx.set_timer(self.params.answer_timeout, Timer::Lookup { token });
        let waiting = SmallVec::from_slice(&[task]);
        self.questions.push(Question { token, skill, timer, found: 0, waiting });
    }

    /// A page of an answer came. Gives back the tasks that waited for it, once it is complete.
    pub(super) fn found(
        &mut self,
        reply: RelayReply,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) -> SmallVec<[TaskId; 4]> {
        let RelayReply::Found { token, more, peers } = reply else {
            return SmallVec::new(); // Nothing else was asked for.
        };
        let mut count = 0;
        for peer in peers.iter() {
            self.heard_of(cx.now(), peer, cx.fleet());
            count += 1;
        }
        let Some(at) = self.questions.iter().position(|question| question.token == token) else {
            return SmallVec::new(); // Too late: the next directory is being asked. The names are good.
        };
        self.questions[at].found += count;
        if more {
            return SmallVec::new();
        }
        let question = self.questions.swap_remove(at);
        cx.cancel(question.timer);
        if question.found < u32::from(self.params.cache_enough) {
            self.detour += 1;
        }
        question.waiting
    }

    /// No answer came in time. Gives back the tasks that waited for it.
    pub(super) fn unanswered(&mut self, token: u32) -> SmallVec<[TaskId; 4]> {
        let Some(at) = self.questions.iter().position(|question| question.token == token) else {
            return SmallVec::new();
        };
        self.detour += 1;
        self.questions.swap_remove(at).waiting
    }

    /// `peer` is there: it spoke, or a directory named it. Its card, with its skill, came along.
    pub(super) fn heard_of(&mut self, now: Time, peer: NodeId, fleet: &Fleet) {
        self.cache.add(now, peer, fleet.skill(peer));
    }

    /// `peer` did not answer.
    pub(super) fn forget(&mut self, peer: NodeId) {
        self.lost_peers |= self.cache.forget(peer);
    }

    /// Appends up to `candidates` peers with `skill` to `picked`, at random.
    pub(super) fn pick(
        &mut self,
        skill: Option<SkillId>,
        picked: &mut Vec<NodeId>,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) {
        let (now, mut rng) = (cx.now(), cx.rng());
        let k = usize::from(self.params.candidates);
        self.cache.pick(now, skill, k, &mut rng, picked);
    }
}
