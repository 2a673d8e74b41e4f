//! Checkpoints: how often to save, when saving costs time and so does doing again.
//!
//! For a checkpoint that takes δ and failures that come every M on average, the work between checkpoints
//! that wastes least is √(2δM) to first order (Young, CACM 17(9), 1974), and with Daly's correction
//! (FGCS 22(3), 2006, eq. 37) nearly exact.

use crate::engine::Span;

/// Young's interval: work between two checkpoints.
pub fn young(cost: Span, mtbf: Span) -> Span {
    Span::from_secs_f64(libm::sqrt(2.0 * cost.as_secs_f64() * mtbf.as_secs_f64()))
}

/// Daly's interval: work between two checkpoints. `mtbf` itself where saving takes twice that or longer.
pub fn daly(cost: Span, mtbf: Span) -> Span {
    if cost.as_secs_f64() >= 2.0 * mtbf.as_secs_f64() {
        return mtbf;
    }
    let ratio = cost.as_secs_f64() / (2.0 * mtbf.as_secs_f64());
    let factor = 1.0 + libm::sqrt(ratio) / 3.0 + ratio / 9.0;
    Span::from_secs_f64(young(cost, mtbf).as_secs_f64() * factor - cost.as_secs_f64())
}

/// Expected time to do `work` with a checkpoint after every `interval` of it, exponential failures, and
/// a `restart` after each that may itself fail: M·e^(R/M)·(e^((τ+δ)/M) − 1)·work ÷ τ. Panics if
/// `interval` or `mtbf` is zero.
pub fn expected(work: Span, interval: Span, cost: Span, restart: Span, mtbf: Span) -> Span {
    assert!(!interval.is_zero() && !mtbf.is_zero(), "no progress is possible");
    let [work, interval, cost, restart, mtbf] =
        [work, interval, cost, restart, mtbf].map(|span| span.as_secs_f64());
    let piece = mtbf * libm::exp(restart / mtbf) * libm::expm1((interval + cost) / mtbf);
    Span::from_secs_f64(piece * work / interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-09 of the reference results.
    #[test]
    fn intervals_and_time_are_the_published_ones() {
        let minutes = |count: u64| Span::from_secs(60 * count);
        let in_minutes = |span: Span| span.as_secs_f64() / 60.0;
        assert!((in_minutes(young(minutes(5), minutes(1440))) - 120.0).abs() < 1e-9);
        assert!((in_minutes(daly(minutes(5), minutes(1440))) - 116.690).abs() < 5e-4);
        assert_eq!(daly(minutes(9), minutes(4)), minutes(4));
        let time = expected(minutes(1000), minutes(20), minutes(2), minutes(5), minutes(200));
        assert!((in_minutes(time) - 1192.217).abs() < 5e-4);
    }
}
