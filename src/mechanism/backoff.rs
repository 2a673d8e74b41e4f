//! Exponential back-off with full jitter: retrying without synchronising.
//!
//! Clients that fail together retry together, and the second wave is as bad as the first. Doubling the
//! wait sheds load (Metcalfe & Boggs, CACM 19(7), 1976), drawing it uniformly from `[0, ceiling]` breaks
//! the synchrony; of the jitter schemes compared by Brooker ("Exponential Backoff And Jitter", AWS
//! Architecture Blog, 2015) this "full jitter" needs the fewest calls. The mean wait is half the ceiling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Rng, Span};

/// How long to wait before a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// Longest wait before the first retry.
    pub base: Span,
    /// Longest wait before any retry.
    pub cap: Span,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { base: Span::from_millis(100), cap: Span::from_secs(30) }
    }
}

impl Backoff {
    /// The longest wait before retry number `attempt` (0 is the first): `min(cap, base · 2^attempt)`.
    pub fn ceiling(&self, attempt: u32) -> Span {
        let base = self.base.as_nanos();
        let doubled = if attempt <= base.leading_zeros() { base.checked_shl(attempt) } else { None };
        Span::from_nanos(doubled.unwrap_or(if base == 0 { 0 } else { u64::MAX }).min(self.cap.as_nanos()))
    }

    /// A wait uniform on `[0, ceiling(attempt)]`, to the nanosecond; the bias of the fixed-point product
    /// is below 2⁻⁶⁴ · ceiling, far under a nanosecond.
    pub fn delay(&self, attempt: u32, rng: &mut Rng) -> Span {
        let choices = u128::from(self.ceiling(attempt).as_nanos()) + 1;
        Span::from_nanos(((u128::from(rng.next_u64()) * choices) >> 64) as u64)
    }
}

/// Binary exponential back-off in slots, as stations on one channel do it (Metcalfe & Boggs 1976; IEEE
/// 802.11): a wait uniform on `0..window`, the window doubling with each collision up to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Slots to choose from at first; at least 1.
    pub first: u32,
    /// How often it doubles at most; `first` · 2^`doublings` must fit 32 bits.
    pub doublings: u32,
}

impl Window {
    /// Slots to let pass after `collisions` in a row.
    pub fn slots(&self, collisions: u32, rng: &mut Rng) -> u32 {
        rng.below(self.first << collisions.min(self.doublings))
    }

    /// Bianchi's fixed point (IEEE JSAC 18(3), 2000) for `stations` that always have something to send:
    /// (τ, p), the probability that a station sends in a slot and that what it sends collides.
    pub fn saturated(&self, stations: u32) -> (f64, f64) {
        let first = f64::from(self.first);
        let sends = |collides: f64| {
            let powers = (0..self.doublings).scan(1.0, |power, _| {
                let term = *power;
                *power *= 2.0 * collides;
                Some(term)
            });
            2.0 / (1.0 + first + collides * first * powers.sum::<f64>())
        };
        // p rises with τ and τ falls with p: halving finds the one place where they meet.
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..64 {
            let middle: f64 = 0.5 * (low + high);
            let follows = 1.0 - libm::pow(1.0 - sends(middle), f64::from(stations) - 1.0);
            if follows > middle { low = middle } else { high = middle }
        }
        (sends(low), low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// O-07 of the reference results.
    #[test]
    fn the_fixed_point_is_the_published_one() {
        let window = Window { first: 32, doublings: 3 };
        for (stations, sends, collides) in [(5, 0.04816, 0.17918), (10, 0.03869, 0.29888)] {
            let (tau, p) = window.saturated(stations);
            assert!((tau - sends).abs() < 5e-6 && (p - collides).abs() < 5e-6, "{stations}: {tau} {p}");
        }
    }

    #[test]
    fn ceilings_double_up_to_the_cap_and_never_overflow() {
        let backoff = Backoff { base: Span::from_secs(1), cap: Span::from_secs(20) };
        let ceilings = [0, 1, 2, 3, 4, 5, 33, 34, 63, 64, u32::MAX].map(|attempt| backoff.ceiling(attempt));
        assert_eq!(ceilings.map(|s| s.as_nanos() / 1_000_000_000), [1, 2, 4, 8, 16, 20, 20, 20, 20, 20, 20]);
        let open = Backoff { base: Span::from_nanos(3), cap: Span::MAX };
        assert_eq!(open.ceiling(62), Span::from_nanos(3 << 62));
        assert_eq!(open.ceiling(63), Span::MAX);
        assert_eq!(Backoff { base: Span::ZERO, cap: Span::MAX }.ceiling(99), Span::ZERO);
    }

    /// Uniform on [0, c]: mean c/2, variance c²/12.
    #[test]
    fn waits_are_uniform_below_the_ceiling() {
        let backoff = Backoff::default();
        let ceiling = backoff.ceiling(3).as_secs_f64();
        let mut rng = Rng::from_state(11);
        let waits: Vec<f64> =
            (0..40_000).map(|_| backoff.delay(3, &mut rng).as_secs_f64() / ceiling).collect();
        let mean = waits.iter().sum::<f64>() / 40_000.0;
        let square = waits.iter().map(|w| w * w).sum::<f64>() / 40_000.0;
        assert!((mean - 0.5).abs() < 4.0 * 0.2887 / 200.0, "mean {mean}");
        assert!((square - 1.0 / 3.0).abs() < 0.006, "second moment {square}");
        assert!(waits.iter().all(|w| (0.0..=1.0).contains(w)));
    }
}
