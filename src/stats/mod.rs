//! Statistics: numbers in, numbers out. This module knows no agents, patterns, runs or files.
//!
//! Which estimate is used for what, and why:
//!
//! - One metric over replications: [`summary::Summary`]. Replications are independent, so Student t holds.
//! - A skewed metric, few replications, its typical value: [`interval::log_t_interval`], the geometric mean.
//!   Exact for lognormal data, where plain t on 20 values covers 87 % (σ = 1) instead of 95 %.
//! - A skewed metric, few replications, its mean: [`bootstrap::bootstrap_t_mean`]. Asymmetric as the data
//!   are; covers 92 % where plain t covers 87 % and BCa 88 %. More replications are the real cure.
//! - Any other statistic of replications: [`bootstrap::bca`], which needs no formula for a variance.
//! - A percentile of independent values: [`interval::quantile_interval`], exact for every continuous law.
//! - The variance of replications: [`interval::variance_interval`], χ², for values that are about normal.
//! - A share of independent trials, near 0 or 1: [`interval::share_interval`], which keeps within bounds.
//! - A mean within one long run: [`interval::batch_means`]. Successive values are correlated, and plain t
//!   would be far too narrow.
//! - Where a run's warm-up ends: [`warmup::mser5`], least standard error of what is left.
//! - Whether a backlog grows: [`slope::trend`], the slope of batch means with its interval.
//! - Price or latency of pattern a against b: [`paired::paired_log_ratio`]. Ratios multiply, and what
//!   common random numbers share cancels in pairs.
//! - Goodput of a against b: [`paired::paired_difference`], on the metric's own scale.
//! - Tax of a against b: [`paired::jackknife_ratio_difference`]. Tax comes from sums over replications, and a
//!   mean of ratios is not the ratio of sums.
//! - Verdicts over many pattern pairs: [`holm::holm`] bounds the chance of *any* false one.
//! - When to stop replicating: [`stopping::Sequential`] looks at the half-width alone; stopping on the
//!   verdict is peeking.
//! - The best of k configurations: [`selection::KimNelson`], [`selection::rinott_h`], with a stated
//!   probability of correct selection.
//! - Whether an agent's rate of bad results is the good or the bad one: [`sprt::Sprt`], Wald's test.
//! - What grows like a power of something: [`power_law::PowerLaw::fit`], a line through logarithms.
//! - Throughput against fleet size: [`usl::Usl::fit`], contention and coherency with standard errors.
//! - Who decides, how evenly: [`concentration`], Gini, HHI, Nakamoto, top share, Jain.
//!
//! **Values that are not finite.** Estimates over replications skip every NaN or infinite value (paired ones:
//! the whole pair) and report `n` used and `skipped`. A reader must look at `skipped`: a latency that is
//! undefined because nothing completed is not missing at random. Time series
//! ([`interval::batch_means`], [`warmup`], [`slope::trend`]) cannot skip a position: one such value makes the
//! result undefined. Concentration indices of such values, or of negative ones, are NaN.
//!
//! **Undefined results** are NaN in numeric fields (JSON: `null`), never zero. In particular one replication
//! has a mean and no half-width.
//!
//! **Determinism.** Sums are taken in index order, means compensated; special functions use `libm`, so that
//! the same inputs give the same bits on every platform.

pub mod bootstrap;
pub mod concentration;
pub mod holm;
pub mod interval;
pub mod moments;
pub mod paired;
pub mod power_law;
pub mod selection;
pub mod slope;
pub mod sort;
pub mod special;
pub mod sprt;
pub mod stopping;
pub mod summary;
pub mod usl;
pub mod warmup;

#[cfg(test)]
mod sample;

/// The confidence level of every published interval.
pub const LEVEL: f64 = 0.95;
