//! A cached, ageing list of peers.
//!
//! Asking a directory before every negotiation is slow and makes the directory the bottleneck; caching
//! its answers forever means calling the dead. So an agent keeps a bounded list, forgets who was found
//! dead and whoever was not confirmed for `ttl`, and asks again when too few are left: the partial views
//! of gossip-based peer sampling (Jelasity et al., ACM TOCS 25(3), 2007), without the gossip.
//!
//! An entry can be wrong in both directions: a listed peer may have left, a newcomer is unknown until
//! the next discovery. Both are the price of not asking.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Rng, Span, Time, prefetch_at};
use crate::trace::{NodeId, SkillId};

/// How many peers are remembered, for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PeerConfig {
    /// Most peers remembered; the one confirmed longest ago makes room for a new one.
    pub capacity: u16,
    /// A peer not confirmed for this long is forgotten.
    pub ttl: Span,
    /// Discovery is due when fewer suitable peers than this are known.
    pub enough: u16,
}

impl Default for PeerConfig {
    fn default() -> PeerConfig {
        PeerConfig { capacity: 32, ttl: Span::from_secs(300), enough: 3 }
    }
}

impl PeerConfig {
    fn trusts(self, peer: &Peer, now: Time) -> bool {
        now.saturating_since(peer.confirmed) < self.ttl
    }
}

/// What is known of the peer in one slot, and its neighbours in the order of confirmation.
#[derive(Clone, Copy, Debug)]
struct Peer {
    skill: Option<SkillId>,
    confirmed: Time,
    before: u16,
    after: u16,
    /// Nothing of this peer: slot number i keeps place i of the order in which picking shuffled all slots,
    /// which fits in what alignment would leave empty.
    shuffled: u16,
}

/// The end of the order of confirmation.
const NOBODY: u16 = u16::MAX;

impl Peer {
    /// 0: has the skill; 1: its skill is unknown; `None`: of no use.
    fn rank(&self, wanted: Option<SkillId>) -> Option<u8> {
        match (wanted, self.skill) {
            (None, _) => Some(0),
            (Some(_), None) => Some(1),
            (Some(wanted), Some(skill)) => (wanted == skill).then_some(0),
        }
    }
}

/// One agent's view of the others. Picking is O(`capacity`); being told that somebody is there, which
/// happens with every message, is a search among ids that lie side by side.
///
/// There may be a million: how many peers are remembered and for how long is not kept in each, but told with
/// every question.
#[derive(Clone, Debug)]
pub struct PeerCache {
    /// Ids and what is known of them, by slot.
    nodes: Vec<NodeId>,
    peers: Vec<Peer>,
    /// Who was confirmed longest ago, and last; ties by id.
    oldest: u16,
    newest: u16,
}

/// Knows nobody. Memory is taken as peers are added, 20 bytes each, for a few more than there are.
impl Default for PeerCache {
    fn default() -> PeerCache {
        PeerCache { nodes: Vec::new(), peers: Vec::new(), oldest: NOBODY, newest: NOBODY }
    }
}

impl PeerCache {
    /// Asks for the ids, and for the peers confirmed longest ago and last.
    #[inline]
    pub fn foresee(&self) {
        prefetch_at(&self.nodes, 0);
        prefetch_at(&self.nodes, 16);
        prefetch_at(&self.peers, usize::from(self.oldest));
        prefetch_at(&self.peers, usize::from(self.newest));
    }

    /// Learns of `node`, or confirms that it is there. `skill` is `None` where it is not known; a known
    /// skill is not forgotten for that.
    pub fn add(&mut self, config: PeerConfig, now: Time, node: NodeId, skill: Option<SkillId>) {
        let slot = match position(&self.nodes, node) {
            Some(slot) => {
                self.unlink(slot as u16);
                let peer = &mut self.peers[slot];
                peer.skill = skill.or(peer.skill);
                slot as u16
            }
            None if self.nodes.len() < usize::from(config.capacity.min(NOBODY - 1)) => {
                let slot = self.nodes.len() as u16;
                grow(&mut self.nodes, 4);
                grow(&mut self.peers, 2);
                self.nodes.push(node);
                let (before, after) = (NOBODY, NOBODY);
                self.peers.push(Peer { skill, confirmed: now, before, after, shuffled: slot });
                slot
            }
            None if self.oldest == NOBODY => return,
            None => {
                let slot = self.oldest;
                self.unlink(slot);
                self.nodes[usize::from(slot)] = node;
                self.peers[usize::from(slot)].skill = skill;
                slot
            }
        };
        self.peers[usize::from(slot)].confirmed = now;
        self.link(slot);
    }

    /// Makes room at once for `count` more peers, as far as they will be remembered.
    pub fn expect(&mut self, config: PeerConfig, count: usize) {
        let more = usize::from(config.capacity).saturating_sub(self.nodes.len()).min(count);
        self.nodes.reserve_exact(more);
        self.peers.reserve_exact(more);
    }

    /// Forgets `node`: it did not answer, or said it is leaving. Says whether it was known.
    pub fn forget(&mut self, node: NodeId) -> bool {
        let Some(slot) = position(&self.nodes, node) else { return false };
        self.remove(slot as u16);
        true
    }

    /// Whether fewer than `enough` peers are known that could do `wanted`.
    pub fn discovery_due(&self, config: PeerConfig, now: Time, wanted: Option<SkillId>) -> bool {
        self.known(config, now, wanted) < usize::from(config.enough)
    }

    /// How many peers known at `now` have the skill `wanted`, or may have it.
    pub fn known(&self, config: PeerConfig, now: Time, wanted: Option<SkillId>) -> usize {
        self.peers.iter().filter(|peer| config.trusts(peer, now) && peer.rank(wanted).is_some()).count()
    }

    /// Appends up to `k` distinct peers to `out`, uniformly at random among those with the skill
    /// `wanted`; where they are too few, then among those whose skill is unknown. Peers known to have
    /// another skill are not picked. Forgets the aged ones on the way.
    pub fn pick(
        &mut self,
        config: PeerConfig,
        now: Time,
        wanted: Option<SkillId>,
        k: usize,
        rng: &mut Rng,
        out: &mut impl Extend<NodeId>,
    ) {
        while self.oldest != NOBODY && !config.trusts(&self.peers[usize::from(self.oldest)], now) {
            self.remove(self.oldest);
        }
        // Partial Fisher–Yates in place, once per rank.
        let (mut chosen, most) = (0, k.min(self.peers.len()));
        for rank in [0, 1] {
            let mut end = chosen;
            for at in chosen..self.peers.len() {
                if self.peers[usize::from(self.peers[at].shuffled)].rank(wanted) == Some(rank) {
                    self.swap_shuffled(at, end);
                    end += 1;
                }
            }
            while chosen < end.min(most) {
                let other = chosen + rng.below((end - chosen) as u32) as usize;
                self.swap_shuffled(chosen, other);
                out.extend([self.nodes[usize::from(self.peers[chosen].shuffled)]]);
                chosen += 1;
            }
        }
    }

    fn swap_shuffled(&mut self, a: usize, b: usize) {
        let before = self.peers[a].shuffled;
        self.peers[a].shuffled = std::mem::replace(&mut self.peers[b].shuffled, before);
    }

    /// Puts `slot` where it belongs in the order of confirmation: at its end, unless others were confirmed
    /// in the same instant.
    fn link(&mut self, slot: u16) {
        let key = |cache: &PeerCache, slot: u16| {
            (cache.peers[usize::from(slot)].confirmed, cache.nodes[usize::from(slot)])
        };
        let (mut before, mut after) = (self.newest, NOBODY);
        while before != NOBODY && key(self, before) > key(self, slot) {
            (before, after) = (self.peers[usize::from(before)].before, before);
        }
        let peer = &mut self.peers[usize::from(slot)];
        (peer.before, peer.after) = (before, after);
        *self.link_after(before) = slot;
        *self.link_before(after) = slot;
    }

    fn unlink(&mut self, slot: u16) {
        let Peer { before, after, .. } = self.peers[usize::from(slot)];
        *self.link_after(before) = after;
        *self.link_before(after) = before;
    }

    /// What follows `slot`; the oldest follows nobody.
    fn link_after(&mut self, slot: u16) -> &mut u16 {
        match slot {
            NOBODY => &mut self.oldest,
            slot => &mut self.peers[usize::from(slot)].after,
        }
    }

    /// What precedes `slot`; the newest precedes nobody.
    fn link_before(&mut self, slot: u16) -> &mut u16 {
        match slot {
            NOBODY => &mut self.newest,
            slot => &mut self.peers[usize::from(slot)].before,
        }
    }

    /// Removes the peer in `slot`; the one in the last slot takes its place.
    fn remove(&mut self, slot: u16) {
        self.unlink(slot);
        let last = self.nodes.len() as u16 - 1;
        self.remove_shuffled(slot, last);
        self.nodes.swap_remove(usize::from(slot));
        // The order of the shuffled slots is no part of who moves.
        let shuffled = self.peers[usize::from(slot)].shuffled;
        self.peers.swap_remove(usize::from(slot));
        if slot != last {
            self.peers[usize::from(slot)].shuffled = shuffled;
            let Peer { before, after, .. } = self.peers[usize::from(slot)];
            *self.link_after(before) = slot;
            *self.link_before(after) = slot;
        }
    }

    /// Takes `slot` out of the shuffled slots, in which those behind it move up, and calls `last` by it.
    fn remove_shuffled(&mut self, slot: u16, last: u16) {
        let mut kept = 0;
        for at in 0..self.peers.len() {
            let other = self.peers[at].shuffled;
            if other != slot {
                self.peers[kept].shuffled = if other == last { slot } else { other };
                kept += 1;
            }
        }
    }
}

/// Makes room for one more, and in small steps: a million agents with a view of twenty each should not have
/// room for thirty.
fn grow<T>(list: &mut Vec<T>, step: usize) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 4).max(step));
    }
}

/// Where `node` is. Eight ids are compared at once.
fn position(nodes: &[NodeId], node: NodeId) -> Option<usize> {
    let (eights, rest) = nodes.as_chunks::<8>();
    for (index, eight) in eights.iter().enumerate() {
        if eight.iter().fold(false, |found, &other| found | (other == node)) {
            return eight.iter().position(|&other| other == node).map(|at| 8 * index + at);
        }
    }
    rest.iter().position(|&other| other == node).map(|at| 8 * eights.len() + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Rng;
    use proptest::prelude::*;

    fn skilled(class: u8) -> Option<SkillId> {
        Some(SkillId(class))
    }

    const NOW: Time = Time::from_secs(1_000);

    fn room_for(capacity: u16) -> PeerConfig {
        PeerConfig { capacity, ttl: Span::from_secs(10), enough: 2 }
    }

    fn pick(cache: &mut PeerCache, now: Time, wanted: Option<SkillId>, k: usize, rng: &mut Rng) -> Vec<u32> {
        let mut out = Vec::new();
        cache.pick(room_for(16), now, wanted, k, rng, &mut out);
        out.into_iter().map(|node| node.0).collect()
    }

    #[test]
    fn the_skilled_come_first_then_the_unknown_and_never_the_unfit() {
        let (config, mut cache) = (room_for(16), PeerCache::default());
        for (node, skill) in
            [(0, skilled(1)), (1, skilled(2)), (2, None), (3, skilled(1)), (4, None), (5, skilled(1))]
        {
            cache.add(config, NOW, NodeId(node), skill);
        }
        let mut rng = Rng::from_state(3);
        for _ in 0..200 {
            let four = pick(&mut cache, NOW, skilled(1), 4, &mut rng);
            let (mut best, unknown) = (four[..3].to_vec(), four[3]);
            best.sort_unstable();
            assert_eq!(best, [0, 3, 5]);
            assert!(unknown == 2 || unknown == 4);
            let mut all = pick(&mut cache, NOW, skilled(1), 99, &mut rng);
            all.sort_unstable();
            assert_eq!(all, [0, 2, 3, 4, 5]);
            assert_eq!(pick(&mut cache, NOW, None, 99, &mut rng).len(), 6);
        }
        assert_eq!((cache.known(config, NOW, skilled(2)), cache.known(config, NOW, skilled(9))), (3, 2));
    }

    #[test]
    fn every_peer_is_as_likely() {
        let (config, mut cache) = (room_for(10), PeerCache::default());
        (0..10).for_each(|node| cache.add(config, NOW, NodeId(node), skilled(0)));
        let (mut rng, mut counts) = (Rng::from_state(5), [0.0_f64; 10]);
        for _ in 0..20_000 {
            pick(&mut cache, NOW, skilled(0), 3, &mut rng)
                .iter()
                .for_each(|&node| counts[node as usize] += 1.0);
        }
        // Without replacement the variance is smaller than multinomial: 27.9 (99.9 %, 9 d.o.f.) is safe.
        let chi2: f64 = counts.iter().map(|count| (count - 6_000.0) * (count - 6_000.0) / 6_000.0).sum();
        assert!(chi2 < 27.9, "{counts:?}");
    }

    #[test]
    fn the_dead_the_aged_and_the_oldest_are_forgotten() {
        let (config, mut cache) = (room_for(3), PeerCache::default());
        for node in 0..3 {
            cache.add(config, Time::from_secs(u64::from(node)), NodeId(node), None);
        }
        cache.add(config, Time::from_secs(5), NodeId(0), None); // confirmed: 1 is the oldest now
        cache.add(config, Time::from_secs(6), NodeId(3), skilled(4));
        let mut rng = Rng::from_state(1);
        let mut left = pick(&mut cache, Time::from_secs(6), None, 9, &mut rng);
        left.sort_unstable();
        assert_eq!(left, [0, 2, 3]);
        assert!(cache.forget(NodeId(0)) && !cache.forget(NodeId(0)));
        assert!(!cache.discovery_due(config, Time::from_secs(11), None));
        assert!(cache.discovery_due(config, Time::from_secs(12), None), "2 was confirmed 10 s ago");
        assert_eq!(pick(&mut cache, Time::from_secs(12), None, 9, &mut rng), [3]);
        cache.add(config, Time::from_secs(13), NodeId(3), None);
        assert_eq!(cache.known(config, Time::from_secs(13), skilled(5)), 0, "a known skill is kept");
    }

    /// The plain way: one list, searched for everything.
    #[derive(Default)]
    struct Plain(Vec<(NodeId, Option<SkillId>, Time)>);

    impl Plain {
        fn add(&mut self, capacity: usize, now: Time, node: NodeId, skill: Option<SkillId>) {
            if let Some(peer) = self.0.iter_mut().find(|peer| peer.0 == node) {
                *peer = (node, skill.or(peer.1), now);
            } else if self.0.len() < capacity {
                self.0.push((node, skill, now));
            } else if let Some(oldest) = self.0.iter_mut().min_by_key(|peer| (peer.2, peer.0)) {
                *oldest = (node, skill, now);
            }
        }
    }

    proptest! {
        /// Same members, skills and times as the plain list, and the same peers for the same draws.
        #[test]
        fn agrees_with_a_plain_list(
            moves in prop::collection::vec((0u8..6, 0u32..14, 0u8..4, 0u64..3), 1..200)
        ) {
            let (mut cache, mut plain, mut now) = (PeerCache::default(), Plain::default(), NOW);
            for (ordinal, (action, id, class, passed)) in moves.into_iter().enumerate() {
                now += Span::from_secs(passed);
                let (node, skill) = (NodeId(id), (class > 0).then_some(SkillId(class)));
                match action {
                    0 => {
                        let was = plain.0.iter().any(|peer| peer.0 == node);
                        plain.0.retain(|peer| peer.0 != node);
                        prop_assert_eq!(cache.forget(node), was);
                    }
                    1 => {
                        let mut picked = Vec::new();
                        let mut rng = Rng::from_state(ordinal as u64);
                        cache.pick(room_for(9), now, skill, 3, &mut rng, &mut picked);
                        plain.0.retain(|peer| now.saturating_since(peer.2) < Span::from_secs(10));
                        prop_assert!(picked.iter().all(|node| plain.0.iter().any(|peer| peer.0 == *node)));
                    }
                    _ => {
                        cache.add(room_for(9), now, node, skill);
                        plain.add(9, now, node, skill);
                    }
                }
                let known = |place: &Peer| {
                    let slot = usize::from(place.shuffled);
                    (cache.nodes[slot], cache.peers[slot].skill, cache.peers[slot].confirmed)
                };
                let mut left: Vec<_> = cache.peers.iter().map(known).collect();
                let mut right = plain.0.clone();
                left.sort_unstable_by_key(|peer| peer.0);
                right.sort_unstable_by_key(|peer| peer.0);
                prop_assert_eq!(left, right);
            }
        }
    }
}
