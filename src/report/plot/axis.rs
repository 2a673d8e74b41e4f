//! From values to pixels, linear or logarithmic, with ticks people read.

use super::super::format::number;

/// One axis. Values outside are drawn at its ends.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    logarithmic: bool,
    low: f64,
    high: f64,
    from: i32,
    to: i32,
}

impl Axis {
    /// From 0 to a round number at or above `high`, over the pixels `from..=to` (which may fall).
    pub(super) fn linear(high: f64, (from, to): (i32, i32)) -> Axis {
        let high = if high.is_finite() && high > 0.0 { high } else { 1.0 };
        let step = round_step(high);
        Axis { logarithmic: false, low: 0.0, high: libm::ceil(high / step - 1e-9) * step, from, to }
    }

    /// From −r to r, where r is a round number at or above `reach`.
    pub(super) fn about_zero(reach: f64, (from, to): (i32, i32)) -> Axis {
        let reach = if reach.is_finite() && reach > 0.0 { reach } else { 1.0 };
        let high = rungs(reach).find(|rung| *rung >= reach * (1.0 - 1e-9)).unwrap_or(reach);
        Axis { logarithmic: false, low: -high, high, from, to }
    }

    /// Pixels and values of both ends and of zero.
    pub(super) fn zero_and_ends(&self) -> [(i32, f64); 3] {
        [self.low, 0.0, self.high].map(|value| (self.place(value).expect("ends are finite"), value))
    }

    /// From 0 to exactly `high`, which must be positive.
    pub(super) fn to(high: f64, (from, to): (i32, i32)) -> Axis {
        assert!(high > 0.0, "an axis has a length");
        Axis { logarithmic: false, low: 0.0, high, from, to }
    }

    /// Logarithmic, between powers of ten times 1, 2 or 5 that hold the positive ones of `values`, at least
    /// a decade apart; 1 to 10 if none is positive.
    pub(super) fn log(values: impl IntoIterator<Item = f64>, (from, to): (i32, i32)) -> Axis {
        let positive = values.into_iter().filter(|value| value.is_finite() && *value > 0.0);
        let (least, most) = positive.fold((f64::INFINITY, 0.0), |(a, b), value| (value.min(a), value.max(b)));
        let (least, most) = if most > 0.0 { (least, most) } else { (1.0, 10.0) };
        let low = rungs(least).rfind(|rung| *rung <= least * (1.0 + 1e-9)).unwrap_or(least);
        let high = rungs(most).find(|rung| *rung >= most * (1.0 - 1e-9)).unwrap_or(most);
        Axis { logarithmic: true, low, high: high.max(10.0 * low), from, to }
    }

    /// Where `value` is drawn; `None` if it is not finite.
    pub(super) fn place(&self, value: f64) -> Option<i32> {
        if !value.is_finite() {
            return None;
        }
        let share = if self.logarithmic {
            let scale = libm::log10(self.high) - libm::log10(self.low);
            (libm::log10(value.max(self.low)) - libm::log10(self.low)) / scale
        } else {
            (value - self.low) / (self.high - self.low)
        };
        let length = f64::from(self.to - self.from);
        Some(self.from + (share.clamp(0.0, 1.0) * length).round() as i32)
    }

    /// Whether `value` is smaller than what the axis can show.
    pub(super) fn is_below(&self, value: f64) -> bool {
        value < self.low
    }

    /// Whether `value` is larger than what the axis can show.
    pub(super) fn is_above(&self, value: f64) -> bool {
        value > self.high
    }

    /// First and last pixel.
    pub(super) fn pixels(&self) -> (i32, i32) {
        (self.from, self.to)
    }

    /// Pixels and labels of the ticks. Minor ones have no label.
    pub(super) fn ticks(&self) -> Vec<(i32, String)> {
        let values: Vec<(f64, bool)> = if self.logarithmic { self.decades() } else { self.steps() };
        let tick = |(value, labelled): (f64, bool)| {
            let label = if labelled { label(value) } else { String::new() };
            (self.place(value).expect("ticks are finite"), label)
        };
        values.into_iter().map(tick).collect()
    }

    fn steps(&self) -> Vec<(f64, bool)> {
        let step = round_step(self.high - self.low);
        let count = libm::floor((self.high - self.low) / step + 1e-9) as u32;
        (0..=count).map(|index| (self.low + f64::from(index) * step, true)).collect()
    }

    fn decades(&self) -> Vec<(f64, bool)> {
        let (first, last) = (decade(self.low), decade(self.high));
        let few = self.high / self.low < 150.0;
        let rungs = (first..=last).flat_map(|decade| {
            let unit = power(f64::from(decade));
            [(unit, true), (2.0 * unit, few), (5.0 * unit, few)]
        });
        let inside = |value: f64| self.low * (1.0 - 1e-9) <= value && value <= self.high * (1.0 + 1e-9);
        rungs.filter(|(value, _)| inside(*value)).collect()
    }
}

/// How far an axis should reach that shows values up to each of `most`: to the largest of them, but those
/// above `times` the median do not count, because they would press the others to the ground. 0 if none is
/// finite and positive.
pub(super) fn reach(most: impl IntoIterator<Item = f64>, times: f64) -> f64 {
    let mut most: Vec<f64> = most.into_iter().filter(|value| value.is_finite() && *value > 0.0).collect();
    most.sort_by(f64::total_cmp);
    let Some(&median) = most.get(most.len() / 2) else { return 0.0 };
    most.into_iter().filter(|value| *value <= times * median).fold(0.0, f64::max)
}

/// The power of ten at or below `value`.
fn decade(value: f64) -> i32 {
    libm::floor(libm::log10(value) + 1e-9) as i32
}

/// 1, 2 and 5 times the powers of ten around `value`, ascending.
fn rungs(value: f64) -> std::array::IntoIter<f64, 4> {
    let unit = power(f64::from(decade(value)));
    [unit, 2.0 * unit, 5.0 * unit, 10.0 * unit].into_iter()
}

fn power(exponent: f64) -> f64 {
    libm::pow(10.0, exponent)
}

/// 1, 2 or 5 times a power of ten, so that `length` has four to seven steps.
fn round_step(length: f64) -> f64 {
    let unit = power(libm::floor(libm::log10(length / 4.0)));
    let times = [5.0, 2.0, 1.0].into_iter().find(|times| length / (times * unit) >= 3.999);
    times.unwrap_or(1.0) * unit
}

/// A round number, without needless zeros, thousands separated.
fn label(value: f64) -> String {
    let rounded = if value >= 1.0 { format!("{value:.1}") } else { format!("{value:.6}") };
    let short = rounded.trim_end_matches('0').trim_end_matches('.');
    if value < 999.5 {
        return short.to_owned();
    }
    let grouped = number(value, 12);
    grouped.split('.').next().unwrap_or(short).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, label)| label).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn linear_axes_begin_at_zero_and_end_at_a_round_number() {
        let axis = Axis::linear(47.3, (100, 600));
        assert_eq!(labels(&axis), ["0", "10", "20", "30", "40", "50"]);
        assert_eq!((axis.place(0.0), axis.place(25.0), axis.place(50.0)), (Some(100), Some(350), Some(600)));
        assert_eq!((axis.place(-3.0), axis.place(1e9), axis.place(f64::NAN)), (Some(100), Some(600), None));
        assert_eq!(labels(&Axis::linear(0.0, (0, 1))).len(), 6);
        assert_eq!(labels(&Axis::linear(9_400.0, (0, 1))).last().map(String::as_str), Some("10,000"));
        for high in 1..2000 {
            let count = labels(&Axis::linear(f64::from(high) * 0.37, (0, 1))).len();
            assert!((4..=10).contains(&count), "{high}: {count}");
        }
    }

    #[test]
    fn outliers_do_not_set_the_scale() {
        assert_eq!(reach([4.0, 41.0, 1700.0, 60.0, f64::NAN, 0.0], 5.0), 60.0);
        assert_eq!(reach([4.0, 41.0, 70.0], 5.0), 70.0);
        assert_eq!(reach([1.0, 100.0], 5.0), 100.0);
        assert_eq!(reach([f64::NAN], 5.0), 0.0);
    }

    #[test]
    fn logarithmic_axes_bear_zeros_and_single_values() {
        let axis = Axis::log([0.0, 0.03, 4.0, f64::NAN], (0, 300));
        assert_eq!(labels(&axis), ["0.1", "1"]);
        let axis = Axis::log([0.0, 0.01, 10.0, f64::NAN], (0, 300));
        assert_eq!(labels(&axis), ["0.01", "0.1", "1", "10"]);
        assert_eq!((axis.place(0.1), axis.place(0.0)), (Some(100), Some(0)));
        assert!(axis.is_below(0.0) && !axis.is_below(0.01));
        assert_eq!(labels(&Axis::log([1.0], (0, 1))), ["1", "2", "5", "10"]);
        assert_eq!(labels(&Axis::log([], (0, 1))), ["1", "2", "5", "10"]);
        assert_eq!(labels(&Axis::log([100.0, 1000.0], (0, 1))).last().map(String::as_str), Some("1,000"));
        assert_eq!(labels(&Axis::log([30.0, 640.0], (0, 1))), ["20", "50", "100", "200", "500", "1,000"]);
    }
}
