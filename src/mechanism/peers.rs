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

use crate::engine::{Rng, Span, Time};
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

#[derive(Clone, Copy, Debug)]
struct Peer {
    node: NodeId,
    skill: Option<SkillId>,
    confirmed: Time,
}

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

/// One agent's view of the others. All operations are O(`capacity`).
#[derive(Clone, Debug)]
pub struct PeerCache {
    config: PeerConfig,
    peers: Vec<Peer>,
}

impl PeerCache {
    /// Knows nobody. Memory is taken as peers are added, 24 bytes each.
    pub fn new(config: PeerConfig) -> PeerCache {
        PeerCache { config, peers: Vec::new() }
    }

    /// Learns of `node`, or confirms that it is there. `skill` is `None` where it is not known; a known
    /// skill is not forgotten for that.
    pub fn add(&mut self, now: Time, node: NodeId, skill: Option<SkillId>) {
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.node == node) {
            *peer = Peer { node, skill: skill.or(peer.skill), confirmed: now };
            return;
        }
        let newcomer = Peer { node, skill, confirmed: now };
        if self.peers.len() < usize::from(self.config.capacity) {
            self.peers.push(newcomer);
        } else if let Some(oldest) = self.peers.iter_mut().min_by_key(|peer| (peer.confirmed, peer.node)) {
            *oldest = newcomer;
        }
    }

    /// Forgets `node`: it did not answer, or said it is leaving. Says whether it was known.
    pub fn forget(&mut self, node: NodeId) -> bool {
        let before = self.peers.len();
        self.peers.retain(|peer| peer.node != node);
        before != self.peers.len()
    }

    /// Forgets everybody (volatile memory lost).
    pub fn wipe(&mut self) {
        self.peers.clear();
    }

    /// Whether fewer than `enough` peers are known that could do `wanted`.
    pub fn discovery_due(&self, now: Time, wanted: Option<SkillId>) -> bool {
        self.known(now, wanted) < usize::from(self.config.enough)
    }

    /// How many peers known at `now` have the skill `wanted`, or may have it.
    pub fn known(&self, now: Time, wanted: Option<SkillId>) -> usize {
        self.peers.iter().filter(|peer| self.fresh(peer, now) && peer.rank(wanted).is_some()).count()
    }

    /// Appends up to `k` distinct peers to `out`, uniformly at random among those with the skill
    /// `wanted`; where they are too few, then among those whose skill is unknown. Peers known to have
    /// another skill are not picked. Forgets the aged ones on the way.
    pub fn pick(
        &mut self,
        now: Time,
        wanted: Option<SkillId>,
        k: usize,
        rng: &mut Rng,
        out: &mut Vec<NodeId>,
    ) {
        let ttl = self.config.ttl;
        self.peers.retain(|peer| now.saturating_since(peer.confirmed) < ttl);
        // Partial Fisher–Yates in place, once per rank: the order of `peers` means nothing.
        let (mut chosen, most) = (0, k.min(self.peers.len()));
        for rank in [0, 1] {
            let mut end = chosen;
            for at in chosen..self.peers.len() {
                if self.peers[at].rank(wanted) == Some(rank) {
                    self.peers.swap(at, end);
                    end += 1;
                }
            }
            while chosen < end.min(most) {
                let other = chosen + rng.below((end - chosen) as u32) as usize;
                self.peers.swap(chosen, other);
                out.push(self.peers[chosen].node);
                chosen += 1;
            }
        }
    }

    fn fresh(&self, peer: &Peer, now: Time) -> bool {
        now.saturating_since(peer.confirmed) < self.config.ttl
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skilled(class: u8) -> Option<SkillId> {
        Some(SkillId(class))
    }

    const NOW: Time = Time::from_secs(1_000);

    fn cache(capacity: u16) -> PeerCache {
        PeerCache::new(PeerConfig { capacity, ttl: Span::from_secs(10), enough: 2 })
    }

    fn pick(cache: &mut PeerCache, now: Time, wanted: Option<SkillId>, k: usize, rng: &mut Rng) -> Vec<u32> {
        let mut out = Vec::new();
        cache.pick(now, wanted, k, rng, &mut out);
        out.into_iter().map(|node| node.0).collect()
    }

    #[test]
    fn the_skilled_come_first_then_the_unknown_and_never_the_unfit() {
        let mut cache = cache(16);
        for (node, skill) in
            [(0, skilled(1)), (1, skilled(2)), (2, None), (3, skilled(1)), (4, None), (5, skilled(1))]
        {
            cache.add(NOW, NodeId(node), skill);
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
        assert_eq!((cache.known(NOW, skilled(2)), cache.known(NOW, skilled(9))), (3, 2));
    }

    #[test]
    fn every_peer_is_as_likely() {
        let mut cache = cache(10);
        (0..10).for_each(|node| cache.add(NOW, NodeId(node), skilled(0)));
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
        let mut cache = cache(3);
        for node in 0..3 {
            cache.add(Time::from_secs(u64::from(node)), NodeId(node), None);
        }
        cache.add(Time::from_secs(5), NodeId(0), None); // confirmed: 1 is the oldest now
        cache.add(Time::from_secs(6), NodeId(3), skilled(4));
        let mut rng = Rng::from_state(1);
        let mut left = pick(&mut cache, Time::from_secs(6), None, 9, &mut rng);
        left.sort_unstable();
        assert_eq!(left, [0, 2, 3]);
        assert!(cache.forget(NodeId(0)) && !cache.forget(NodeId(0)));
        assert!(!cache.discovery_due(Time::from_secs(11), None));
        assert!(cache.discovery_due(Time::from_secs(12), None), "2 was confirmed 10 s ago");
        assert_eq!(pick(&mut cache, Time::from_secs(12), None, 9, &mut rng), [3]);
        cache.add(Time::from_secs(13), NodeId(3), None);
        assert_eq!(cache.known(Time::from_secs(13), skilled(5)), 0, "a known skill is kept");
    }
}
