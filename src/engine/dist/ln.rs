//! The natural logarithm of draws, by table: 30 instructions where `libm::log1p` takes 90.
//!
//! y = 2ᵏ·z with z in [0.6875, 1.375), and −ln y = −k·ln 2 − ln c − ln(1 + r), where 1 ÷ c is a number of
//! ten bits near 1 ÷ z (P. T. P. Tang, "Table-driven implementation of the logarithm function in IEEE
//! floating-point arithmetic", ACM TOMS 16(4), 1990). Ten bits make r = z ÷ c − 1 exact but for one
//! rounding, without a fused multiplication; k·ln 2 + ln c is kept in two parts, of which the first is
//! exact. Next to 1 the table says c = 1, so that small results keep their relative accuracy.
//!
//! Additions, subtractions and multiplications of `f64` only, and a table that the compiler works out in
//! whole numbers: the same bits on every platform. **Accuracy:** 1 unit in the last place (0.7 seen).

/// Intervals of z: a power of two, told apart by the first bits of the significand.
const INTERVALS: usize = 128;
/// How many bits of the significand name the interval.
const INDEX_BITS: u32 = INTERVALS.trailing_zeros();
/// Bits of an `f64` below its exponent.
const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
/// The bits of 0.6875, where the intervals begin: 1 is a bound of an interval and no exponent ends near it.
const FIRST: u64 = 0x3FE6_0000_0000_0000;

/// One interval.
#[derive(Clone, Copy)]
struct Entry {
    /// 1 ÷ c, in units of 2⁻⁹ exactly.
    inverse: f64,
    /// ln c to 42 binary places.
    high: f64,
    /// The rest of ln c.
    low: f64,
}

static TABLE: [Entry; INTERVALS] = table();
const LN_2: (f64, f64) = split(ln_ratio(2, 1));

/// −ln `y`, for a normal number `y` in (0, 1]: never negative, exactly 0 at 1, and falling in `y`.
#[inline]
pub(super) fn minus_ln(y: f64) -> f64 {
    debug_assert!((f64::MIN_POSITIVE..=1.0).contains(&y), "{y} is no probability above 0");
    let bits = y.to_bits();
    let beyond = bits.wrapping_sub(FIRST);
    let entry = &TABLE[(beyond >> (FRACTION_BITS - INDEX_BITS)) as usize % INTERVALS];
    // An arithmetic shift: exponents below the first interval are negative.
    let exponent = (beyond as i64) >> FRACTION_BITS;
    let z_bits = bits.wrapping_sub((exponent as u64) << FRACTION_BITS);
    // Both products fit in an `f64`, and so does the first difference.
    let head = f64::from_bits(z_bits & !0x1F_FFFF);
    let tail = f64::from_bits(z_bits) - head;
    let r = (head * entry.inverse - 1.0) + tail * entry.inverse;
    let k = exponent as f64;
    let high = k * LN_2.0 + entry.high;
    let low = k * LN_2.1 + entry.low;
    // ln(1 + r) − r to the term of r⁷; |r| < 2⁻⁷.
    let square = r * r;
    let cubic = (1.0 / 3.0 - r * 0.25) + square * ((0.2 - r * (1.0 / 6.0)) + square * (1.0 / 7.0));
    let beyond_r = square * (r * cubic - 0.5);
    // `high` is 0 or larger than r, so that what the sum loses is known.
    let sum = high + r;
    let lost = (high - sum) + r;
    // Not a negation, which would make the zero at 1 a negative one.
    0.0 - (sum + (lost + (low + beyond_r)))
}

const fn table() -> [Entry; INTERVALS] {
    let mut entries = [Entry { inverse: 1.0, high: 0.0, low: 0.0 }; INTERVALS];
    let mut index = 0;
    while index < INTERVALS {
        // The middle of the interval, in units of 2⁻⁹: below 1 the intervals are half as wide as above.
        let quarter = index as u64;
        let (start, width) =
            if quarter < BELOW_ONE { (352 + 2 * quarter, 2) } else { (4 * quarter + 192, 4) };
        let twice_middle = 2 * start + width;
        // Next to 1, c must be 1.
        let next = quarter == BELOW_ONE - 1 || quarter == BELOW_ONE;
        let inverse = if next { 512 } else { (2 * 512 * 512 + twice_middle / 2) / twice_middle };
        let (high, low) = split(ln_ratio(512, inverse));
        entries[index] = Entry { inverse: inverse as f64 / 512.0, high, low };
        index += 1;
    }
    entries
}

/// Intervals below 1: (1 − 0.6875) × 256.
const BELOW_ONE: u64 = 80;
/// Binary places of the logarithms the table is made of.
const PLACES: u32 = 100;
/// Binary places of the first part: k·ln 2 stays exact for every exponent of an `f64`.
const HIGH_PLACES: u32 = 42;

/// ln(`a` ÷ `b`) with [`PLACES`] binary places: 2·artanh t = 2 (t + t³/3 + …) at t = (a − b) ÷ (a + b).
const fn ln_ratio(a: u64, b: u64) -> i128 {
    let (n, d) = (a as i128 - b as i128, a as i128 + b as i128);
    let mut power = (2 << PLACES) * n / d;
    let (mut sum, mut order) = (0, 1);
    while power != 0 {
        sum += power / order;
        power = power * (n * n) / (d * d);
        order += 2;
    }
    sum
}

/// A number with [`PLACES`] binary places as the sum of two, the first with [`HIGH_PLACES`].
const fn split(number: i128) -> (f64, f64) {
    let shift = PLACES - HIGH_PLACES;
    let high = (number + (1 << (shift - 1))) >> shift;
    let low = number - (high << shift);
    (high as f64 / (1_u64 << HIGH_PLACES) as f64, low as f64 / (1_u128 << PLACES) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::rng::Rng;

    /// Distance of two positive numbers in units in the last place.
    fn ulps(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    /// Every interval, at its ends and inside, at every exponent of a uniform number and beyond.
    fn everywhere() -> impl Iterator<Item = f64> {
        let mut rng = Rng::from_state(11);
        (0..=900_u64).flat_map(move |exponent| {
            let scale = f64::from_bits((1022 - exponent) << 52);
            let mut inside = rng;
            rng.next_u64();
            (0..INTERVALS * 4).flat_map(move |place| {
                let start = 1.0 + place as f64 / 512.0;
                let some = start + inside.uniform() / 512.0;
                [start, start.next_down().max(1.0), start.next_up(), some].map(|z| (z * scale).min(1.0))
            })
        })
    }

    #[test]
    fn logarithms_are_those_of_libm_to_two_units_in_the_last_place() {
        for y in everywhere() {
            let (ours, theirs) = (minus_ln(y), -libm::log(y));
            assert!(ours >= 0.0 && ulps(ours, theirs.abs()) <= 2, "{y:e}: {ours:e}, {theirs:e}");
        }
    }

    /// Against log1p, which knows more of 1 − u than the sum does.
    #[test]
    fn next_to_one_the_result_is_as_good() {
        for bits in 1..4_000_u64 {
            for scale in [1.0, 512.0, 131_072.0, 1e9, 1e12] {
                let u = ((bits as f64 * scale) as u64 | 1) as f64 / (1_u64 << 53) as f64;
                let (ours, theirs) = (minus_ln(1.0 - u), -libm::log1p(-u));
                assert!(ulps(ours, theirs) <= 2, "{u:e}: {ours:e}, {theirs:e}");
            }
        }
        assert_eq!((minus_ln(1.0), minus_ln(1.0).is_sign_negative()), (0.0, false));
    }

    /// A draw must rise with its uniform number, also from one interval to the next.
    #[test]
    fn it_falls_from_each_uniform_number_to_the_next() {
        let unit = 1.0 / (1_u64 << 53) as f64;
        for y in everywhere().filter(|y| *y > 1e-10 && *y < 1.0 - 1e-10) {
            // The grid of 1 − u: odd multiples of 2⁻⁵³.
            let place = (y / unit) as u64 | 1;
            let [at, next] = [place, place + 2].map(|place| minus_ln(place as f64 * unit));
            assert!(at > next, "{y:e}: {at:e}, {next:e}");
        }
        let ends = [1, 3, 5, (1 << 53) - 5, (1 << 53) - 3, (1 << 53) - 1_u64];
        let ends = ends.map(|place| minus_ln(place as f64 * unit));
        assert!(ends.is_sorted_by(|a, b| a > b) && ends[5] > 0.0, "{ends:?}");
    }

    /// The digest of many results: a seed means the same run on every platform.
    #[test]
    fn results_are_golden() {
        let digest = everywhere().fold(0, |digest, y| crate::engine::mix(digest ^ minus_ln(y).to_bits()));
        assert_eq!(digest, 0xD826_26DB_7DCC_46F5, "{digest:#x}");
    }

    #[test]
    fn the_table_is_what_libm_says() {
        assert!((LN_2.0 + LN_2.1 - std::f64::consts::LN_2).abs() < 1e-16);
        for (index, entry) in TABLE.iter().enumerate() {
            let exact = -libm::log(entry.inverse);
            assert!((entry.high + entry.low - exact).abs() < 1e-16, "{index}");
            assert_eq!(entry.inverse * 512.0, (entry.inverse * 512.0).round(), "{index} has ten bits");
            assert!(entry.low.abs() < 1.0 / (1_u64 << 42) as f64, "{index}");
            let start = f64::from_bits(FIRST + ((index as u64) << 45));
            let end = f64::from_bits(FIRST + ((index as u64 + 1) << 45));
            for z in [start, end] {
                assert!((z * entry.inverse - 1.0).abs() <= 1.0 / 128.0, "{index}: {z}");
            }
        }
    }
}
