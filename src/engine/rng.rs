//! Addressed randomness: a draw is named by who draws it, never by when.
//!
//! A [`Seed`] and a replication number open one [`Key`] per [`Purpose`]; a key and an entity's address
//! open a [`Rng`]. Two patterns that ask for "the work of task 17" get the same number whatever they
//! asked before, which is what makes their difference a paired one (common random numbers; model.md §1).
//! Nothing here is drawn from a shared sequence.
//!
//! Keys come from ChaCha8 (strong, so that seeds 1 and 2 share nothing); the streams they open are
//! SplitMix64: eight bytes of state, no set-up cost. Opening a ChaCha8 stream for each message costs
//! 30 ns, and a `ChaCha8Rng` per agent 304 bytes; both are too much at 10⁶ agents.

use rand::SeedableRng;
use rand::rand_core::{Infallible, TryRng};
use rand_chacha::ChaCha8Rng;

/// The master seed of a comparison, as given with `--seed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

/// What a draw is for. Each purpose has its own key, so that adding draws to one never shifts another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Purpose {
    /// Arrival process of the workload.
    Arrival = 1,
    /// Properties of a task: work, tokens, skill, value.
    Task = 2,
    /// Properties of a node: speed, skill class, site.
    Agent = 3,
    /// Which agents take special seats.
    Seat = 4,
    /// The fault plan.
    Fault = 5,
    /// Latency jitter and loss of a message, by (sender, ordinal).
    Link = 6,
    /// Handling time of a message, by (receiver, ordinal).
    Cost = 7,
    /// Whether an output is correct, by (task, agent, attempt).
    Output = 8,
    /// A pattern's own choices, by (node, counter).
    Choice = 9,
    /// Resampling in the statistics of a comparison.
    Resample = 10,
    /// Values held fixed within a site pair or a client.
    Site = 11,
    /// Whether a verification reveals a wrong output.
    Verify = 12,
    /// An experiment on one mechanism alone.
    Trial = 13,
}

/// 128 bits that open the streams of one (seed, replication, purpose).
#[derive(Clone, Copy, Debug)]
pub struct Key(u64, u64);

/// The part of a stream's address that an entity's draws have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entity(u64);

impl Seed {
    /// The key of `purpose` in replication `replication`.
    pub fn key(self, replication: u32, purpose: Purpose) -> Key {
        let mut chacha = ChaCha8Rng::seed_from_u64(self.0);
        chacha.set_stream((u64::from(replication) << 8) | purpose as u64);
        let mut word = || match chacha.try_next_u64() {
            Ok(word) => word,
            Err(never) => match never {},
        };
        Key(word(), word())
    }
}

impl Key {
    /// The stream of `entity`'s draw number `ordinal`. Cost: about 3 ns.
    #[inline]
    pub fn open(self, entity: u64, ordinal: u64) -> Rng {
        self.stream(self.entity(entity), ordinal)
    }

    /// What [`Key::stream`] needs of `entity`: for those who open many streams of one entity.
    #[inline]
    pub(crate) fn entity(self, entity: u64) -> Entity {
        Entity(mix(self.0 ^ mix(entity.wrapping_add(self.1))))
    }

    /// The stream of draw number `ordinal` of an entity of this key: the same as [`Key::open`] gives.
    #[inline]
    pub(crate) fn stream(self, entity: Entity, ordinal: u64) -> Rng {
        Rng(entity.0 ^ mix(ordinal.wrapping_mul(GOLDEN) ^ self.1))
    }

    /// A key of its own for `part` of what this key is for, such as one of many rounds: its addresses
    /// share nothing with those of other parts.
    pub fn within(self, part: u64) -> Key {
        // No entity draws this often, so the address is free.
        let mut rng = self.open(part, u64::MAX);
        Key(rng.next_u64(), rng.next_u64())
    }
}

/// The increment of SplitMix64: 2⁶⁴ ÷ golden ratio, odd.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014; variant 13 of Stafford).
#[inline]
pub(crate) fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// A SplitMix64 stream (Steele, Lea, Flood, OOPSLA 2014). Also a [`rand::Rng`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rng(u64);

impl Rng {
    /// The stream whose state starts at `state`, as in published known answers.
    #[inline]
    pub const fn from_state(state: u64) -> Rng {
        Rng(state)
    }

    /// The next 64 bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Passes over one draw.
    #[inline]
    pub(crate) fn skip(&mut self) {
        self.0 = self.0.wrapping_add(GOLDEN);
    }

    /// Uniform in the open interval (0, 1): 53 bits, never 0 and never 1, so that logarithms are finite.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        ((self.next_u64() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// Uniform in `0..bound`, without bias (Lemire, ACM TOMACS 29(1), 2019). Panics if `bound` is 0.
    #[inline]
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "there is no number below 0");
        let bound = u64::from(bound);
        let threshold = (1u64 << 32) % bound;
        loop {
            let product = (self.next_u64() >> 32) * bound;
            if (product & 0xFFFF_FFFF) >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    /// True with probability `p`.
    #[inline]
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// An index of `weights`, each as likely as its weight is large. Weights need not sum to 1.
    ///
    /// # Panics
    /// If there are none.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        assert!(!weights.is_empty(), "there is nothing to choose from");
        let mut left = self.uniform() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        // Rounding may leave a crumb beyond the last weight.
        weights.len() - 1
    }

    /// Puts `items` into a uniformly random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u32 + 1) as usize;
            items.swap(last, other);
        }
    }
}

impl TryRng for Rng {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next_u64() >> 32) as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(Rng::next_u64(self))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = Rng::next_u64(self).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
