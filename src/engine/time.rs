//! Simulated time: whole nanoseconds, so that sums are exact and order never depends on rounding.
//!
//! A [`Time`] is an instant since the start of the run, a [`Span`] a length of time. `u64` nanoseconds
//! reach 584 years; arithmetic panics on overflow, because a run that long is a bug in its scenario's
//! validation, not something to saturate silently.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant \[ns since the start of the run\].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

/// A length of time \[ns\]. Written `"250ms"`, `"1.5s"`, `"2h"` in scenario files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

const NANOS_PER_SEC: u64 = 1_000_000_000;

impl Time {
    /// The start of the run.
    pub const ZERO: Time = Time(0);
    /// Later than anything a run reaches.
    pub const MAX: Time = Time(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }
    /// The instant `secs` seconds after the start.
    pub const fn from_secs(secs: u64) -> Time {
        Time(secs * NANOS_PER_SEC)
    }
    /// Nanoseconds since the start.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// Seconds since the start; exact to the nanosecond for runs under 104 days.
    #[inline]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }
    /// The time passed since `earlier`. Panics if `earlier` is later: time never goes back.
    #[inline]
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.checked_sub(earlier.0).expect("time goes forward"))
    }
    /// The time passed since `earlier`, or zero if `earlier` is later.
    #[inline]
    pub fn saturating_since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
    /// This long after, or [`Time::MAX`].
    #[inline]
    pub fn saturating_add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl Span {
    /// A hundred years: longer than any run, and short enough that several of them fit the clock.
    pub const LONGEST: Span = Span::from_secs(100 * 365 * 86_400);
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// Longer than any run.
    pub const MAX: Span = Span(u64::MAX);

    /// `nanos` nanoseconds.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Span {
        Span(nanos)
    }
    /// `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Span {
        Span(micros * 1_000)
    }
    /// `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Span {
        Span(millis * 1_000_000)
    }
    /// `secs` seconds.
    pub const fn from_secs(secs: u64) -> Span {
        Span(secs * NANOS_PER_SEC)
    }
    /// The nearest span to `secs` seconds; negative and NaN become zero, huge ones [`Span::MAX`].
    #[inline]
    pub fn from_secs_f64(secs: f64) -> Span {
        Span(nearest(secs * NANOS_PER_SEC as f64))
    }
    /// Nanoseconds.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// Seconds.
    #[inline]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }
    /// This span times `factor`, rounded to the nearest nanosecond.
    #[inline]
    pub fn mul_f64(self, factor: f64) -> Span {
        debug_assert!(factor >= 0.0, "a span cannot be negative");
        Span(nearest(self.0 as f64 * factor))
    }
    /// `self − other`, or zero.
    #[inline]
    pub fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
    /// Whether this is no time at all.
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// `value.round() as u64` (half away from zero; negative and NaN become zero, huge ones `u64::MAX`),
/// without the call that `f64::round` is where the processor may be an old one.
#[inline]
pub(crate) fn nearest(value: f64) -> u64 {
    /// From here on, every `f64` is a whole number.
    const WHOLE: f64 = (1_u64 << 52) as f64;
    if !(0.0..WHOLE).contains(&value) {
        // `as` saturates and maps NaN to zero.
        return value as u64;
    }
    // The sum rounds half to even, and its last bits are the whole number.
    let sum = value + WHOLE;
    let short_of = value - (sum - WHOLE);
    (sum.to_bits() - WHOLE.to_bits()) + u64::from(short_of >= 0.5)
}

impl Add<Span> for Time {
    type Output = Time;
    #[inline]
    fn add(self, span: Span) -> Time {
        Time(self.0.checked_add(span.0).expect("time overflows after 584 years"))
    }
}
impl AddAssign<Span> for Time {
    #[inline]
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}
impl Add for Span {
    type Output = Span;
    #[inline]
    fn add(self, other: Span) -> Span {
        Span(self.0.checked_add(other.0).expect("span overflows after 584 years"))
    }
}
impl AddAssign for Span {
    #[inline]
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}
impl Sub for Span {
    type Output = Span;
    #[inline]
    fn sub(self, other: Span) -> Span {
        Span(self.0.checked_sub(other.0).expect("a span cannot be negative"))
    }
}
impl SubAssign for Span {
    #[inline]
    fn sub_assign(&mut self, other: Span) {
        *self = *self - other;
    }
}
impl Sum for Span {
    fn sum<I: Iterator<Item = Span>>(spans: I) -> Span {
        spans.fold(Span::ZERO, Add::add)
    }
}

/// Why a text is not a [`Span`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseSpanError(String);

impl fmt::Display for ParseSpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for ParseSpanError {}

/// Units and their length in nanoseconds, longest first so that `Display` picks the first that divides.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400 * NANOS_PER_SEC),
    ("h", 3_600 * NANOS_PER_SEC),
    ("min", 60 * NANOS_PER_SEC),
    ("s", NANOS_PER_SEC),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl FromStr for Span {
    type Err = ParseSpanError;

    fn from_str(text: &str) -> Result<Span, ParseSpanError> {
        let fail = || {
            ParseSpanError(format!(
                "`{text}` is not a duration: write a number and a unit, such as \"250ms\", \"1.5s\" or \
                 \"2h\" (units: ns, us, ms, s, min, h, d)"
            ))
        };
        let trimmed = text.trim();
        let unit_at =
            trimmed.find(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E').ok_or_else(fail)?;
        let (number, unit) = trimmed.split_at(unit_at);
        let value: f64 = number.trim().parse().map_err(|_| fail())?;
        let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(fail)?;
        let total = value * *nanos as f64;
        if total > Span::LONGEST.0 as f64 {
            return Err(ParseSpanError(format!("`{text}` is longer than 100 years: write a shorter time")));
        }
        if !total.is_finite() || total < 0.0 {
            return Err(fail());
        }
        Ok(Span(total.round() as u64))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let (unit, nanos) = UNITS
            .iter()
            .find(|(_, nanos)| self.0.is_multiple_of(*nanos))
            .expect("one nanosecond divides every span");
        write!(f, "{}{}", self.0 / nanos, unit)
    }
}
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(f)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"250ms\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        Span::deserialize(deserializer).map(|span| Time(span.0))
    }
}
impl schemars::JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "a duration: a number and a unit (ns, us, ms, s, min, h, d)",
            "examples": ["250ms", "1.5s", "2h"],
        })
    }
}
impl schemars::JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Span::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_they_are_printed() {
        for text in ["250ms", "1s", "2h", "3us", "7ns", "1500ms", "90min", "1d", "0s"] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span, "{text}");
        }
        assert_eq!("1.5s".parse(), Ok(Span::from_millis(1500)));
        assert_eq!("1e3 ms".parse(), Ok(Span::from_secs(1)));
    }

    #[test]
    fn what_is_not_a_span_is_refused() {
        for text in ["", "5", "s", "-1s", "1 fortnight", "1s2", "NaNs", "1e30d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_nearest_whole_number_is_that_of_round() {
        let whole = (1_u64 << 52) as f64;
        let mut values = vec![0.0, -0.0, 0.5, 1.5, 2.5, 1e-300, whole, 2.0 * whole, 4.0 * whole, 1e18];
        values.extend([u64::MAX as f64, 1e20, 1e300, f64::INFINITY, f64::MAX, f64::MIN_POSITIVE, f64::NAN]);
        let mut rng = crate::engine::Rng::from_state(3);
        for binade in 0..66 {
            let scale = libm::exp2(f64::from(binade));
            let some = rng.uniform() * scale;
            values.extend([some, some.floor(), some.floor() + 0.5, scale - 0.5]);
        }
        for value in values {
            for value in [value, value.next_up(), value.next_down(), -value] {
                assert_eq!(nearest(value), value.round() as u64, "{value:e}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "time goes forward")]
    fn time_does_not_go_back() {
        let _ = Time::ZERO.since(Time::from_secs(1));
    }
}
