//! What trials share: checks of their parameters, and small draws.

use crate::engine::{Dist, Rng};
use crate::error::{Problem, Problems};

/// Collects what is wrong with a trial's parameters.
#[derive(Default)]
pub(super) struct Limits(Problems);

impl Limits {
    /// Nothing asked yet.
    pub(super) fn new() -> Limits {
        Limits::default()
    }
    /// `value` must be `least` or more.
    pub(super) fn at_least(self, key: &str, value: impl Into<f64>, least: impl Into<f64>) -> Limits {
        let (value, least) = (value.into(), least.into());
        self.holds(value >= least, key, &format!("{value} is too little"), &format!("at least {least}"))
    }
    /// `value` must be above zero.
    pub(super) fn positive(self, key: &str, value: impl Into<f64>) -> Limits {
        let value = value.into();
        self.holds(value > 0.0 && value.is_finite(), key, &format!("{value} is no use"), "above 0")
    }
    /// `value` must be a probability.
    pub(super) fn probability(self, key: &str, value: f64) -> Limits {
        let fits = (0.0..=1.0).contains(&value);
        self.holds(fits, key, &format!("{value} is no probability"), "between 0 and 1")
    }
    /// `value` must be a probability below 1: what always fails never ends.
    pub(super) fn below_one(self, key: &str, value: f64) -> Limits {
        let fits = (0.0..1.0).contains(&value);
        self.holds(fits, key, &format!("with {value} nothing would ever succeed"), "0 or more and below 1")
    }
    /// `value` must lie strictly between 0 and 1.
    pub(super) fn inside_one(self, key: &str, value: f64) -> Limits {
        let fits = value > 0.0 && value < 1.0;
        self.holds(fits, key, &format!("{value} is out of range"), "between 0 and 1, both excluded")
    }
    /// `dist` must be a law.
    pub(super) fn law(mut self, key: &str, dist: &Dist) -> Limits {
        if let Err(error) = dist.validate() {
            self.0.push(Problem::new(error.to_string()).key(key));
        }
        self
    }
    /// `condition` must hold.
    pub(super) fn holds(mut self, condition: bool, key: &str, problem: &str, remedy: &str) -> Limits {
        if !condition {
            self.0.push(Problem::new(problem).key(key).remedy(remedy));
        }
        self
    }
    /// `value` must do; if it does not, `remedy` says what would.
    pub(super) fn fits(
        self,
        fits: bool,
        key: &str,
        value: impl std::fmt::Display,
        remedy: impl AsRef<str>,
    ) -> Limits {
        self.holds(fits, key, &format!("{value} does not do"), remedy.as_ref())
    }
    /// What is wrong, if anything.
    pub(super) fn done(self) -> Result<(), Problems> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

/// An exponential draw of mean 1.
pub(super) fn exponential(rng: &mut Rng) -> f64 {
    -libm::log(rng.uniform())
}

/// `count` different numbers below `bound`, all sets equally likely (Floyd; Bentley, CACM 30(9), 1987).
pub(super) fn distinct(rng: &mut Rng, bound: u32, count: u32) -> Vec<u32> {
    let mut drawn = Vec::with_capacity(count as usize);
    for last in bound - count..bound {
        let number = rng.below(last + 1);
        drawn.push(if drawn.contains(&number) { last } else { number });
    }
    drawn
}

/// Sum ÷ number; NaN of nothing.
pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0u64);
    for value in values {
        sum += value;
        count += 1;
    }
    sum / count as f64
}

/// How many of `0..count` satisfy `holds`, as a share.
pub(super) fn share(count: u32, mut holds: impl FnMut(u32) -> bool) -> f64 {
    (0..count).filter(|&index| holds(index)).count() as f64 / f64::from(count)
}
