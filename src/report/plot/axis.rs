//! From values to pixels, linear or logarithmic, with ticks people read.

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

    /// From 0 to exactly `high`, which must be positive.
    pub(super) fn to(high: f64, (from, to): (i32, i32)) -> Axis {
        assert!(high > 0.0, "an axis has a length");
        Axis { logarithmic: false, low: 0.0, high, from, to }
    }

    /// Logarithmic, over whole decades that hold the positive ones of `values`, and 1 to 10 if none is.
    pub(super) fn log(values: impl IntoIterator<Item = f64>, (from, to): (i32, i32)) -> Axis {
        let positive = values.into_iter().filter(|value| value.is_finite() && *value > 0.0);
        let (least, most) = positive.fold((f64::INFINITY, 0.0), |(a, b), value| (value.min(a), value.max(b)));
        let (least, most) = if most > 0.0 { (least, most) } else { (1.0, 10.0) };
        let low = libm::floor(libm::log10(least) + 1e-9);
        let high = libm::ceil(libm::log10(most) - 1e-9).max(low + 1.0);
        Axis { logarithmic: true, low: power(low), high: power(high), from, to }
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
        let (first, last) = (libm::log10(self.low).round() as i32, libm::log10(self.high).round() as i32);
        let few = last - first <= 2;
        let mut ticks = Vec::new();
        for decade in first..last {
            let unit = power(f64::from(decade));
            ticks.push((unit, true));
            ticks.extend([2.0, 5.0].map(|times| (times * unit, few)));
        }
        ticks.push((self.high, true));
        ticks
    }
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
    if value >= 999.5 { super::super::format::number(value, 12).split('.').next().unwrap_or(short).to_owned() } else { short.to_owned() }
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
    fn logarithmic_axes_bear_zeros_and_single_values() {
        let axis = Axis::log([0.0, 0.03, 4.0, f64::NAN], (0, 300));
        assert_eq!(labels(&axis), ["0.01", "0.1", "1", "10"]);
        assert_eq!((axis.place(0.1), axis.place(0.0)), (Some(100), Some(0)));
        assert!(axis.is_below(0.0) && !axis.is_below(0.01));
        assert_eq!(labels(&Axis::log([1.0], (0, 1))), ["1", "2", "5", "10"]);
        assert_eq!(labels(&Axis::log([], (0, 1))), ["1", "2", "5", "10"]);
        assert_eq!(labels(&Axis::log([100.0, 1000.0], (0, 1))).last().map(String::as_str), Some("1,000"));
    }
}
