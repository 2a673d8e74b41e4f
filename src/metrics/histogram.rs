//! Sojourns of many replications in one histogram, for plots.

use hdrhistogram::Histogram;

use crate::engine::nearest;

/// Sojourns by size: two significant digits, from 1 ms to 100 days. Merging adds integers, so its result
/// does not depend on the order.
#[derive(Clone, Debug, PartialEq)]
pub struct SojournHistogram(Histogram<u64>);

impl Default for SojournHistogram {
    fn default() -> SojournHistogram {
        SojournHistogram::new()
    }
}

impl SojournHistogram {
    const LARGEST_MS: u64 = 100 * 24 * 3_600_000;

    /// An empty one.
    pub fn new() -> SojournHistogram {
        SojournHistogram(
            Histogram::new_with_bounds(1, Self::LARGEST_MS, 2).expect("the bounds are constants"),
        )
    }
    /// Adds one sojourn \[s\]; above 100 days it counts as 100 days.
    pub fn record_s(&mut self, seconds: f64) {
        self.0.saturating_record(nearest(seconds * 1e3));
    }
    /// Adds all of `other`.
    pub fn merge(&mut self, other: &SojournHistogram) {
        self.0.add(&other.0).expect("all have the same bounds");
    }
    /// How many sojourns it holds.
    pub fn count(&self) -> u64 {
        self.0.len()
    }
    /// The `p`-quantile \[s\], within 1 %; NaN if empty.
    pub fn quantile_s(&self, p: f64) -> f64 {
        if self.0.is_empty() { f64::NAN } else { self.0.value_at_quantile(p) as f64 / 1e3 }
    }
    /// The non-empty bins, smallest first: (upper end \[s\], count).
    pub fn bins(&self) -> Vec<(f64, u64)> {
        self.0
            .iter_recorded()
            .map(|bin| (bin.value_iterated_to() as f64 / 1e3, bin.count_at_value()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_histograms_do_not_depend_on_the_order() {
        let part = |values: &[f64]| {
            let mut histogram = SojournHistogram::new();
            values.iter().for_each(|&value| histogram.record_s(value));
            histogram
        };
        let parts = [part(&[0.0, 0.004, 1.0]), part(&[1.0, 250.0, 1e9]), part(&[17.0])];
        let merged = |order: [usize; 3]| {
            let mut all = SojournHistogram::new();
            order.iter().for_each(|&index| all.merge(&parts[index]));
            all
        };
        let all = merged([0, 1, 2]);
        assert_eq!(all, merged([2, 1, 0]));
        assert_eq!(all.bins(), merged([1, 0, 2]).bins());
        assert_eq!((all.count(), all.bins().iter().map(|bin| bin.1).sum::<u64>()), (7, 7));
        assert!((all.quantile_s(0.5) - 1.0).abs() < 0.01, "{}", all.quantile_s(0.5));
        assert!((part(&[250.0]).quantile_s(1.0) - 250.0).abs() < 2.5);
        assert!(SojournHistogram::new().quantile_s(0.5).is_nan());
    }
}
