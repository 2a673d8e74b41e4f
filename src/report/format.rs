//! Numbers for people: no more digits than the data justify.

use crate::stats::interval::Interval;

/// What stands for a value that does not apply.
pub(super) const NONE: &str = "–";

/// `value` to `digits` significant digits, with thousands separated.
pub(super) fn number(value: f64, digits: i32) -> String {
    if !value.is_finite() {
        return not_finite(value);
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    fixed(value, digits - 1 - magnitude(value))
}

/// The estimate to the digits that its half-width justifies, but not fewer than two significant ones, nor
/// more than `digits` + 1; to `digits` without an interval. A count without an interval is exact.
pub(super) fn justified(interval: Interval, digits: i32) -> String {
    if !interval.estimate.is_finite() {
        return not_finite(interval.estimate);
    }
    match decimals(interval, digits) {
        Some(decimals) if interval.estimate != 0.0 => {
            fixed(interval.estimate, decimals.max(1 - magnitude(interval.estimate)))
        }
        Some(_) | None if interval.estimate.fract() == 0.0 && interval.estimate.abs() < 1e6 => {
            fixed(interval.estimate, 0)
        }
        Some(_) | None => number(interval.estimate, digits),
    }
}

/// `estimate ± half-width`, both to the digits that the half-width justifies.
pub(super) fn with_half_width(interval: Interval, digits: i32) -> String {
    let half = interval.half_width();
    match decimals(interval, digits) {
        Some(decimals) if interval.estimate.is_finite() => {
            // An interval wider than the estimate does not round it away, unless it is nothing beside it.
            let counts = interval.estimate.abs() > half / 100.0;
            let least = if counts { 1 - magnitude(interval.estimate) } else { decimals };
            let decimals = decimals.max(least);
            format!("{} ± {}", fixed(interval.estimate, decimals), fixed(half, decimals))
        }
        Some(_) | None if half == 0.0 => format!("{} ± 0", number(interval.estimate, digits)),
        Some(_) | None => number(interval.estimate, digits),
    }
}

/// A share as per cent with one decimal; what would round to zero and is not, says so.
pub(super) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return not_finite(share);
    }
    if share != 0.0 && share.abs() < 0.0005 {
        return if share > 0.0 { "<0.1".to_owned() } else { ">-0.1".to_owned() };
    }
    if share == 0.0 { "0".to_owned() } else { format!("{:.1}", 100.0 * share) }
}

/// The same interval in per cent.
pub(super) fn in_percent(interval: Interval) -> Interval {
    interval.map(|share| 100.0 * share)
}

fn not_finite(value: f64) -> String {
    if value.is_nan() { NONE.to_owned() } else { if value > 0.0 { "∞" } else { "-∞" }.to_owned() }
}

/// The power of ten of the first digit.
fn magnitude(value: f64) -> i32 {
    libm::floor(libm::log10(value.abs())) as i32
}

/// Decimals that the half-width justifies: its first digit, its second as well where the first is 1; at
/// most those of `digits` + 1 significant digits of the estimate.
fn decimals(interval: Interval, digits: i32) -> Option<i32> {
    let half = interval.half_width();
    if !(half.is_finite() && half > 0.0) {
        return None;
    }
    let first = magnitude(half);
    let one = half / libm::pow(10.0, f64::from(first)) < 2.0;
    let wanted = i32::from(one) - first;
    let estimate = interval.estimate.abs();
    let largest = if estimate.is_finite() && estimate > 0.0 { digits - magnitude(estimate) } else { wanted };
    Some(wanted.min(largest.max(0)))
}

/// `value` with so many decimals (negative: rounded to tens, hundreds, …), thousands separated.
fn fixed(value: f64, decimals: i32) -> String {
    let text = if decimals >= 0 {
        format!("{value:.*}", decimals.min(12) as usize)
    } else {
        let unit = libm::pow(10.0, f64::from(-decimals));
        format!("{:.0}", (value / unit).round() * unit)
    };
    grouped(&text)
}

/// A decimal number with commas between thousands.
fn grouped(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) if digits.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) => ("-", digits),
        Some(digits) => ("", digits),
        None => ("", text),
    };
    let (whole, fraction) = digits.find('.').map_or((digits, ""), |point| digits.split_at(point));
    let mut out = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out.push_str(fraction);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(estimate: f64, half: f64) -> Interval {
        Interval { n: 20, skipped: 0, estimate, low: estimate - half, high: estimate + half }
    }

    #[test]
    fn the_half_width_decides_how_many_digits_are_shown() {
        for (estimate, half, shown) in [
            (23.456, 0.345, "23.5 ± 0.3"),
            (23.456, 0.145, "23.46 ± 0.14"),
            (1234.5, 67.0, "1,230 ± 70"),
            (0.0456, 0.0021, "0.046 ± 0.002"),
            (12.345_678, 0.000_001, "12.35 ± 0.00"),
            (-3.21, 0.5, "-3.2 ± 0.5"),
            (-0.004, 0.5, "0.0 ± 0.5"),
            (37.2, 187.0, "37 ± 187"),
            (5.0, 0.0, "5.00 ± 0"),
            (5.0, f64::NAN, "5.00"),
            (f64::NAN, f64::NAN, "–"),
        ] {
            assert_eq!(with_half_width(interval(estimate, half), 3), shown);
        }
        assert_eq!(justified(interval(271.83, 4.0), 3), "272");
        assert_eq!(justified(interval(271.83, 400.0), 3), "270");
        assert_eq!(justified(interval(5.2, 7.0), 3), "5.2");
        assert_eq!(justified(interval(0.0, f64::NAN), 3), "0");
    }

    #[test]
    fn numbers_have_significant_digits_and_thousands() {
        for (value, shown) in [
            (1_234_567.0, "1,230,000"),
            (999.6, "1,000"),
            (0.001_234_5, "0.00123"),
            (42.0, "42.0"),
            (0.0, "0"),
            (f64::INFINITY, "∞"),
        ] {
            assert_eq!(number(value, 3), shown);
        }
        assert_eq!(percent(0.0), "0");
        assert_eq!(percent(0.000_1), "<0.1");
        assert_eq!(percent(0.123_4), "12.3");
    }
}
