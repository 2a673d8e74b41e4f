//! The special functions the laws need, on `libm` alone.

use crate::engine::rng::Rng;

/// P(Z ≤ `z`) of the standard normal law.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The value a standard normal variable stays below with probability `p`, to about 16 digits: algorithm
/// AS 241, routine PPND16 (Wichura, Applied Statistics 37(3), 1988). −∞ at 0 and +∞ at 1.
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&CENTRE.0, r) / polynomial(&CENTRE.1, r);
    }
    let r = (-libm::log(if q < 0.0 { p } else { 1.0 - p })).sqrt();
    let z = if r <= 5.0 {
        polynomial(&FLANK.0, r - 1.6) / polynomial(&FLANK.1, r - 1.6)
    } else {
        polynomial(&TAIL.0, r - 5.0) / polynomial(&TAIL.1, r - 5.0)
    };
    if q < 0.0 { -z } else { z }
}

/// One standard normal draw, by inversion: it rises with its uniform number.
pub fn standard_normal(rng: &mut Rng) -> f64 {
    normal_quantile(rng.uniform())
}

/// The regularised lower incomplete gamma function P(`a`, `x`): the cdf of the gamma law of shape `a`
/// and scale 1. By its series below `a` + 1 (DLMF 8.11.4), by its continued fraction above (DLMF 8.9.2,
/// evaluated by the modified Lentz method; Thompson and Barnett, J. Comput. Phys. 64, 1986).
pub(super) fn gamma_p(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x == f64::INFINITY {
        return 1.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * f64::EPSILON {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return (front * sum).min(1.0);
    }
    let mut b = x + 1.0 - a;
    let mut c = f64::MAX;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..MOST_TERMS {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / away_from_zero(an * d + b);
        c = away_from_zero(b + an / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    (1.0 - front * fraction).max(0.0)
}

/// (1 − exp(`s` · `t`)) ÷ `s`, also at `s` = 0, where it is −`t`.
pub(super) fn expm1_over(s: f64, t: f64) -> f64 {
    if s == 0.0 { -t } else { -libm::expm1(s * t) / s }
}

/// The `x` ≥ 0 at which the continuous, rising `cdf` reaches `p`, by bisection down to adjacent numbers
/// or nearly so. `about` is any positive number of the right order.
pub(super) fn invert(cdf: impl Fn(f64) -> f64, p: f64, about: f64) -> f64 {
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (0.0, about);
    while cdf(high) < p {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..MOST_HALVINGS {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if cdf(middle) < p { low = middle } else { high = middle }
    }
    high
}

/// Enough for shapes up to 10⁹, whose fraction needs the most terms near x = a.
const MOST_TERMS: u32 = 1_000_000;

/// More than the bits of a significand, for quantiles far below the mean.
const MOST_HALVINGS: u32 = 200;

fn away_from_zero(x: f64) -> f64 {
    if x.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { x }
}

/// By Horner's rule; coefficients in rising order.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// Numerator and denominator of a rational approximation.
type Rational = ([f64; 8], [f64; 8]);

/// The coefficients of AS 241 for |p − ½| ≤ 0.425, in 0.425² − (p − ½)².
const CENTRE: Rational = (
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);

/// The same for the flanks, in √(−ln p) − 1.6.
const FLANK: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

/// The same for the far tails, in √(−ln p) − 5.
const TAIL: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: f64, expected: f64, tolerance: f64) {
        assert!(((actual - expected) / expected).abs() < tolerance, "{actual} is not {expected}");
    }

    /// The three check values printed in the paper (Wichura 1988, p. 480), one for each approximation.
    #[test]
    fn normal_quantiles_are_the_published_ones() {
        close(normal_quantile(0.25), -0.674_489_750_196_081_7, 1e-15);
        close(normal_quantile(0.001), -3.090_232_306_167_813_5, 1e-15);
        close(normal_quantile(1e-20), -9.262_340_089_798_408, 1e-15);
        assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(normal_quantile(0.5), 0.0);
    }

    #[test]
    fn normal_quantile_inverts_the_cdf_and_is_odd() {
        for i in 1..2_000 {
            let p = f64::from(i) / 2_000.0;
            close(normal_cdf(normal_quantile(p)), p, 2e-14);
            assert!((normal_quantile(p) + normal_quantile(1.0 - p)).abs() < 1e-13);
        }
    }

    /// P(n, x) of a whole n is 1 − e^(−x) Σ_{k<n} xᵏ/k!, and P(½, x) is erf √x.
    #[test]
    fn the_incomplete_gamma_function_has_its_closed_forms() {
        for x in [0.01, 0.3, 1.0, 2.9, 4.1, 7.5, 30.0] {
            close(gamma_p(1.0, x), -libm::expm1(-x), 1e-13);
            close(gamma_p(0.5, x), libm::erf(x.sqrt()), 1e-13);
            let tail = libm::exp(-x) * (1.0 + x + x * x / 2.0 + x * x * x / 6.0);
            assert!((gamma_p(4.0, x) - (1.0 - tail)).abs() < 1e-13);
        }
        // Near the median of a large shape both methods meet; the median is a − 1/3 + 8/(405 a) + …
        let a = 10_000.0;
        assert!((gamma_p(a, a - 1.0 / 3.0) - 0.5).abs() < 1e-7);
    }
}
