//! Random draws of the Rust contestants, one cheap generator for all, so that what differs is the kernel.

use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Exp1};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// A stream of draws.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Draw(Xoshiro256PlusPlus);

impl Draw {
    pub fn new(seed: u64) -> Draw {
        Draw(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Exponential with this mean, by ziggurat.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        let unit: f64 = Exp1.sample(&mut self.0);
        unit * mean
    }

    /// Uniform below `bound`, by Lemire's multiplication uncorrected: the bias is below bound ÷ 2⁶⁴.
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u32
    }

    /// Two different numbers below `bound`.
    pub fn two_below(&mut self, bound: u32) -> (u32, u32) {
        let first = self.below(bound);
        (first, (first + 1 + self.below(bound - 1)) % bound)
    }
}
