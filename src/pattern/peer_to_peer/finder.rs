//! Discovery: which peers an agent knows, and when it asks a directory for more.
//!
//! Peers become known by a directory's answer or by speaking up; they are forgotten when they do not
//! answer, or when nothing was heard of them for long. A lookup that is not answered goes to the next
//! directory; the agent returns to its own the next time it registers.

use smallvec::SmallVec;

use super::message::Msg;
use super::{Params, PeerToPeer, Timer};
use crate::engine::Time;
use crate::mechanism::PeerCache;
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

#[derive(Clone, Debug, Default)]
struct Lookups {
    questions: SmallVec<[Question; 1]>,
    tokens: u32,
}

/// An agent's view of the others.
#[derive(Clone, Debug)]
pub(super) struct Finder {
    cache: PeerCache,
    /// The directory where this agent registers.
    home: u32,
    /// How many directories further the next lookup goes.
    detour: u32,
    /// Lookups under way. Only managers ask.
    lookups: Option<Box<Lookups>>,
    /// A peer was forgotten because it did not answer, and no directory was asked since.
    lost_peers: bool,
}

impl Finder {
    /// Asks for what is known of others.
    #[inline]
    pub(super) fn foresee(&self) {
        self.cache.foresee();
    }

    pub(super) fn new(home: u32) -> Finder {
        Finder { cache: PeerCache::default(), home, detour: 0, lookups: None, lost_peers: false }
    }

    /// The directory nearest to agent `index`: at its site if there is one.
    pub(super) fn home_of(index: u32, fleet: &Fleet) -> u32 {
        let site = fleet.site(fleet.agent(index));
        let near = || (0..fleet.relays()).filter(|&relay| fleet.site(fleet.relay(relay)) == site);
        let count = near().count() as u32;
        let own = near().nth(index.checked_rem(count).unwrap_or(0) as usize);
        own.unwrap_or_else(|| index % fleet.relays().max(1))
    }

    /// What is left of it when everything is lost: the own address.
    pub(super) fn wiped(&self) -> Finder {
        Finder::new(self.home)
    }

    /// Lists this agent in its directory, or keeps it listed.
    pub(super) fn register(&mut self, load: u16, cx: &mut CxOf<'_, PeerToPeer>) {
        self.detour = 0;
        let skill = cx.fleet().skill(cx.me());
        let request = RelayRequest::Register { skill, load };
        cx.send(cx.fleet().relay(self.home), Msg::Ask { request, again: false });
    }

    /// Whether a directory should be asked before calling peers with `skill`.
    pub(super) fn knows_too_few(&self, params: &Params, now: Time, skill: Option<SkillId>) -> bool {
        self.cache.discovery_due(params.view(), now, skill)
    }

    /// Asks a directory for peers with the skill that `task` needs; one lookup serves all tasks that want the
    /// same.
    pub(super) fn look_up(
        &mut self,
        task: TaskId,
        again: bool,
        params: &Params,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) {
        let skill = cx.task(task).skill;
        let lookups = self.lookups.get_or_insert_default();
        if let Some(question) = lookups.questions.iter_mut().find(|question| question.skill == skill) {
            return question.waiting.push(task);
        }
        let token = lookups.tokens;
        lookups.tokens = token.wrapping_add(1);
        let relay = cx.fleet().relay((self.home + self.detour) % cx.fleet().relays());
        let k = params.lookup_size;
        self.cache.expect(params.view(), usize::from(k));
        let request = RelayRequest::Lookup { skill, k, token };
        cx.send(relay, Msg::Ask { request, again: again || self.lost_peers });
        self.lost_peers = false;
        let timer = cx.set_timer(params.answer_timeout, Timer::Lookup { token });
        let waiting = SmallVec::from_slice(&[task]);
        lookups.questions.push(Question { token, skill, timer, found: 0, waiting });
    }

    /// A page of an answer came. Gives back the tasks that waited for it, once it is complete. One with too
    /// few peers makes the next lookup go elsewhere.
    pub(super) fn found(
        &mut self,
        reply: RelayReply,
        params: &Params,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) -> SmallVec<[TaskId; 4]> {
        let RelayReply::Found { token, more, peers } = reply else {
            return SmallVec::new(); // Nothing else was asked for.
        };
        let mut count = 0;
        for peer in peers.iter() {
            self.heard_of(params, cx.now(), peer, cx.fleet());
            count += 1;
        }
        let Some((questions, at)) = self.question(token) else {
            return SmallVec::new(); // Too late: the next directory is being asked. The names are good.
        };
        questions[at].found += count;
        if more {
            return SmallVec::new();
        }
        let question = questions.swap_remove(at);
        cx.cancel(question.timer);
        if question.found < u32::from(params.cache_enough) {
            self.detour += 1;
        }
        question.waiting
    }

    /// No answer came in time. Gives back the tasks that waited for it.
    pub(super) fn unanswered(&mut self, token: u32) -> SmallVec<[TaskId; 4]> {
        let Some((questions, at)) = self.question(token) else { return SmallVec::new() };
        let waiting = questions.swap_remove(at).waiting;
        self.detour += 1;
        waiting
    }

    /// The questions under way, and which of them has this token.
    fn question(&mut self, token: u32) -> Option<(&mut SmallVec<[Question; 1]>, usize)> {
        let questions = &mut self.lookups.as_mut()?.questions;
        let at = questions.iter().position(|question| question.token == token)?;
        Some((questions, at))
    }

    /// `peer` is there: it spoke, or a directory named it. Its card, with its skill, came along.
    pub(super) fn heard_of(&mut self, params: &Params, now: Time, peer: NodeId, fleet: &Fleet) {
        self.cache.add(params.view(), now, peer, fleet.skill(peer));
    }

    /// `peer` did not answer.
    pub(super) fn forget(&mut self, peer: NodeId) {
        self.lost_peers |= self.cache.forget(peer);
    }

    /// Appends up to `candidates` peers with `skill` to `picked`, at random.
    pub(super) fn pick(
        &mut self,
        skill: Option<SkillId>,
        params: &Params,
        picked: &mut impl Extend<NodeId>,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) {
        let (now, mut rng) = (cx.now(), cx.rng());
        self.cache.pick(params.view(), now, skill, usize::from(params.candidates), &mut rng, picked);
    }
}
