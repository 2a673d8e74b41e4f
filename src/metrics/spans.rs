//! Lengths of time in order, for percentiles.

use crate::engine::Span;
use crate::stats::sort::sort;

/// The spans \[s\], in rising order.
pub(super) fn sorted_s(spans: Vec<Span>) -> Vec<f64> {
    let mut nanos: Vec<u64> = spans.into_iter().map(Span::as_nanos).collect();
    sort(&mut nanos);
    nanos.into_iter().map(|nanos| Span::from_nanos(nanos).as_secs_f64()).collect()
}
