//! Known quantiles, and how to find the two that a probability lies between without searching all of them.

/// One known quantile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) p: f64,
    pub(super) value: f64,
}

/// Cells the probabilities are divided into; a power of two, so that a probability's cell is exact.
const CELLS: usize = 512;

/// Quantiles in rising order, from p = 0 to p = 1, with straight lines between them.
///
/// A table says where each 512th of the probabilities begins, so that a draw looks at one or two points
/// (the index method of Chen and Asau, 1974) where a binary search misses its guess every other step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Empirical {
    points: Box<[Point]>,
    /// By cell, the first point at or above its lower end.
    guide: Box<[u32]>,
}

impl Empirical {
    /// From points in rising order whose first has p = 0 and whose last has p = 1.
    pub(super) fn new(points: Box<[Point]>) -> Empirical {
        let first = |cell: usize| points.partition_point(|point| point.p < cell as f64 / CELLS as f64);
        let guide = (0..=CELLS).map(|cell| first(cell) as u32).collect();
        Empirical { points, guide }
    }

    /// Between each two points: the probability, and the values at its ends.
    pub(super) fn segments(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        self.points.windows(2).map(|pair| (pair[1].p - pair[0].p, pair[0].value, pair[1].value))
    }

    /// P(X ≤ `x`).
    pub(super) fn cdf(&self, x: f64) -> f64 {
        match self.points.partition_point(|point| point.value <= x) {
            0 => 0.0,
            next if next == self.points.len() => 1.0,
            next => {
                let (a, b) = (self.points[next - 1], self.points[next]);
                a.p + (b.p - a.p) * (x - a.value) / (b.value - a.value)
            }
        }
    }

    /// The value at probability `p`.
    #[inline]
    pub(super) fn quantile(&self, p: f64) -> f64 {
        let mut next = self.guide[(p * CELLS as f64) as usize] as usize;
        // Most cells hold one point or none: this step is taken without a branch that could be missed.
        next += usize::from(self.points[next].p < p);
        while self.points[next].p < p {
            next += 1;
        }
        let next = next.max(1);
        let (a, b) = (self.points[next - 1], self.points[next]);
        a.value + (b.value - a.value) * ((p - a.p) / (b.p - a.p))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the points, the table leads to where a search of all of them ends.
    #[test]
    fn the_table_finds_what_a_search_finds() {
        let grids: [&[f64]; 4] = [
            &[0.0, 1.0],
            &[0.0, 1e-9, 0.5, 0.5 + 1e-12, 1.0 - 1e-9, 1.0],
            &[0.0, 0.25, 0.5, 0.75, 1.0],
            &[0.0, 0.999, 0.9991, 0.9992, 0.9993, 0.9994, 1.0],
        ];
        for grid in grids {
            let points: Box<[Point]> = grid.iter().map(|&p| Point { p, value: p * p * 9.0 + 1.0 }).collect();
            let law = Empirical::new(points.clone());
            let ends = grid.iter().flat_map(|&p| [p, p.next_down().max(0.0), p.next_up().min(1.0)]);
            for p in ends.chain((0..=1000).map(|step| f64::from(step) / 1000.0)) {
                let next = points.partition_point(|point| point.p < p).max(1);
                let (a, b) = (points[next - 1], points[next]);
                let searched = a.value + (b.value - a.value) * ((p - a.p) / (b.p - a.p));
                assert_eq!(law.quantile(p), searched, "{p} of {grid:?}");
            }
        }
    }
}
