//! Distribution functions: normal, Student t, binomial, χ², through the incomplete beta and gamma and `libm`.
//!
//! Written here rather than taken from a crate because the crates that have them call the platform's `exp`
//! and `ln`, whose last bits differ between machines; a published half-width must not.
//!
//! Sources: NIST Digital Library of Mathematical Functions (DLMF) §8.17; Abramowitz and Stegun (A&S),
//! Handbook of Mathematical Functions, ch. 26.

use std::f64::consts::{PI, SQRT_2};

/// P(Z ≤ z) for a standard normal Z.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// The z with P(Z ≤ z) = `p`; ∓∞ at 0 and 1, NaN outside [0, 1].
pub fn normal_quantile(p: f64) -> f64 {
    symmetric_quantile(p, |upper| {
        // A logistic curve of scale 1.702 is within 0.01 of the normal one: a start, not an answer.
        let start = libm::log((1.0 - upper) / upper) / 1.702;
        descend(start, |z| {
            (0.5 * libm::erfc(z / SQRT_2) - upper, -libm::exp(-0.5 * z * z) / libm::sqrt(2.0 * PI))
        })
    })
}

/// P(T ≤ t) for Student's T with `df` > 0 degrees of freedom, which need not be whole.
pub fn student_t_cdf(t: f64, df: f64) -> f64 {
    let tail = 0.5 * student_t_two_sided(t, df);
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// P(|T| ≥ |t|): the two-sided p-value of `t` (A&S 26.7.1 with DLMF 8.17). Keeps its digits in the far tail.
pub fn student_t_two_sided(t: f64, df: f64) -> f64 {
    if t.is_infinite() && df > 0.0 {
        return 0.0;
    }
    let square = t * t;
    beta_ratio(0.5 * df, 0.5, df / (df + square), square / (df + square))
}

/// The t with P(T ≤ t) = `p`; ∓∞ at 0 and 1, NaN outside [0, 1] or for `df` ≤ 0.
///
/// Starts from the expansion A&S 26.7.5 and is finished by Newton's method on the upper tail.
pub fn student_t_quantile(p: f64, df: f64) -> f64 {
    if df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    let ln_scale = ln_beta(0.5 * df, 0.5) + 0.5 * libm::log(df);
    let density = |t: f64| libm::exp(-0.5 * (df + 1.0) * libm::log1p(t * t / df) - ln_scale);
    symmetric_quantile(p, |upper| {
        let start = if df < 3.0 { 1.0 } else { student_t_expansion(-normal_quantile(upper), df) };
        descend(start, |t| (0.5 * student_t_two_sided(t, df) - upper, -density(t)))
    })
}

/// The factor c with P(|T| ≤ c) = `level`: 2.093024 for 0.95 and 19 degrees of freedom.
pub fn student_t_critical(level: f64, df: f64) -> f64 {
    student_t_quantile(0.5 * (1.0 + level), df)
}

/// P(B ≤ `k`) for B binomial with `n` trials of probability `p` (DLMF 8.17.5).
pub fn binomial_cdf(k: usize, n: usize, p: f64) -> f64 {
    if k >= n { 1.0 } else { beta_ratio((n - k) as f64, (k + 1) as f64, 1.0 - p, p) }
}

/// Regularised incomplete beta function I_x(a, b) for a, b > 0 and x in [0, 1].
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    beta_ratio(a, b, x, 1.0 - x)
}

/// P(X ≤ x) for X of the χ² law with `df` > 0 degrees of freedom (A&S 26.4.19).
pub fn chi_square_cdf(x: f64, df: f64) -> f64 {
    if x.is_nan() || df.is_nan() || df <= 0.0 {
        f64::NAN
    } else if x <= 0.0 {
        0.0
    } else {
        gamma_ratio(0.5 * df, 0.5 * x)
    }
}

/// The x with P(X ≤ x) = `p` for the χ² law; NaN for `p` outside (0, 1) or `df` ≤ 0.
///
/// Starts from Wilson and Hilferty's cube (A&S 26.4.17) and is finished by Newton's method.
pub fn chi_square_quantile(p: f64, df: f64) -> f64 {
    if !(p > 0.0 && p < 1.0 && df > 0.0) {
        return f64::NAN;
    }
    let part = 2.0 / (9.0 * df);
    let root = 1.0 - part + normal_quantile(p) * part.sqrt();
    let ln_scale = libm::lgamma(0.5 * df) + 0.5 * df * std::f64::consts::LN_2;
    let density = |x: f64| libm::exp((0.5 * df - 1.0) * libm::log(x) - 0.5 * x - ln_scale);
    descend(df * root * root * root, |x| (p - chi_square_cdf(x, df), -density(x)))
}

/// Regularised lower incomplete gamma function P(a, x) for a, x > 0: its series below a + 1 (DLMF 8.11.4),
/// the continued fraction of its complement above (DLMF 8.9.2), by Lentz's method.
fn gamma_ratio(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const STEPS_MAX: u32 = 100_000;
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
    let nonzero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut base = x + 1.0 - a;
    let (mut upper, mut lower) = (1.0 / TINY, 1.0 / nonzero(base));
    let mut value = lower;
    for step in (1..=STEPS_MAX).map(f64::from) {
        let coefficient = -step * (step - a);
        base += 2.0;
        lower = 1.0 / nonzero(coefficient * lower + base);
        upper = nonzero(base + coefficient / upper);
        value *= upper * lower;
        if (upper * lower - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    (1.0 - front * value).max(0.0)
}

/// ln Γ(a) + ln Γ(b) − ln Γ(a + b).
fn ln_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// I_x(a, b), given y = 1 − x as well: the caller often knows the small one of the two exactly.
fn beta_ratio(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let valid = a > 0.0 && b > 0.0 && x >= 0.0 && y >= 0.0;
    if !valid {
        return f64::NAN;
    }
    if x == 0.0 || y == 0.0 {
        return if x == 0.0 { 0.0 } else { 1.0 };
    }
    let front = libm::exp(a * libm::log(x) + b * libm::log(y) - ln_beta(a, b));
    // The fraction converges fast below this point; above it, the mirror image does.
    if x < (a + 1.0) / (a + b + 2.0) {
        front / (a * beta_fraction(a, b, x))
    } else {
        1.0 - front / (b * beta_fraction(b, a, y))
    }
}

/// The continued fraction DLMF 8.17.22, by Lentz's method as modified by Thompson and Barnett (1986).
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const STEPS_MAX: u32 = 100_000;
    let nonzero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let (mut value, mut upper, mut lower) = (1.0_f64, 1.0_f64, 0.0_f64);
    for step in 1..=STEPS_MAX {
        let m = f64::from(step / 2);
        let coefficient = if step % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        lower = 1.0 / nonzero(1.0 + coefficient * lower);
        upper = nonzero(1.0 + coefficient / upper);
        value *= upper * lower;
        if (upper * lower - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

/// A&S 26.7.5: Student's quantile as a series in 1/df around the normal one.
fn student_t_expansion(z: f64, df: f64) -> f64 {
    let s = z * z;
    let g1 = (s + 1.0) / 4.0;
    let g2 = ((5.0 * s + 16.0) * s + 3.0) / 96.0;
    let g3 = (((3.0 * s + 19.0) * s + 17.0) * s - 15.0) / 384.0;
    let g4 = ((((79.0 * s + 776.0) * s + 1482.0) * s - 1920.0) * s - 945.0) / 92_160.0;
    z * (1.0 + (g1 + (g2 + (g3 + g4 / df) / df) / df) / df)
}

/// The quantile of a law symmetric about 0, from `upper_point`, which takes an upper tail in (0, ½).
fn symmetric_quantile(p: f64, upper_point: impl Fn(f64) -> f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        f64::NAN
    } else if p == 0.5 {
        0.0
    } else if p == 0.0 || p == 1.0 {
        if p == 0.0 { f64::NEG_INFINITY } else { f64::INFINITY }
    } else if p > 0.5 {
        upper_point(1.0 - p)
    } else {
        -upper_point(p)
    }
}

/// The positive root of a decreasing function that is positive at 0. `curve` gives value and slope.
///
/// Newton's method inside a bracket that every evaluation narrows; bisection where Newton leaves it.
fn descend(start: f64, curve: impl Fn(f64) -> (f64, f64)) -> f64 {
    const STEPS_MAX: u32 = 2_000;
    let (mut low, mut high) = (0.0_f64, f64::INFINITY);
    let mut x = if start > 0.0 && start.is_finite() { start } else { 1.0 };
    for _ in 0..STEPS_MAX {
        let (value, slope) = curve(x);
        if value > 0.0 {
            low = x;
        } else {
            high = x;
        }
        let step = -value / slope;
        if value == 0.0 || step.abs() <= 1e-15 * x || high - low <= f64::EPSILON * x {
            return x;
        }
        let newton = x + step;
        if step.abs() <= 1e-9 * x {
            // Newton doubles the digits: this step lands.
            return newton;
        }
        x = if newton > low && newton < high {
            newton
        } else if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * x
        };
    }
    x
}

#[cfg(test)]
mod tests {
    use super::super::sample::close;
    use super::*;

    /// A&S table 26.8, and the law's closed form for two degrees of freedom.
    #[test]
    fn chi_square_quantiles_are_the_published_ones() {
        close(chi_square_quantile(0.95, 1.0), 3.841_458_820_7, 1e-9);
        close(chi_square_quantile(0.99, 13.0), 27.688_249_610_4, 1e-8);
        close(chi_square_quantile(0.025, 19.0), 8.906_516_481_9, 1e-9);
        close(chi_square_quantile(0.975, 19.0), 32.852_326_861_7, 1e-8);
        close(chi_square_quantile(0.975, 1999.0), 2_124.834_5, 1e-1);
        for x in [1e-3, 0.5, 3.0, 40.0] {
            close(chi_square_cdf(x, 2.0), -libm::expm1(-0.5 * x), 1e-14);
        }
        for df in [0.7, 5.0, 2_500.0] {
            for p in [1e-4, 0.3, 0.9999] {
                close(chi_square_cdf(chi_square_quantile(p, df), df), p, 1e-10);
            }
        }
        assert!(chi_square_quantile(0.0, 3.0).is_nan() && chi_square_quantile(0.5, 0.0).is_nan());
    }

    /// V-01 of the reference results, and the usual tables (A&S table 26.10).
    #[test]
    fn student_quantiles_are_the_published_ones() {
        close(student_t_quantile(0.975, 19.0), 2.093_024_054_4, 1e-9);
        close(student_t_quantile(0.975, 1.0), 12.706_204_736_2, 1e-8);
        close(student_t_quantile(0.975, 4.0), 2.776_445_105_2, 1e-9);
        close(student_t_quantile(0.995, 9.0), 3.249_835_541_6, 1e-9);
        close(student_t_quantile(0.975, 30.0), 2.042_272_456_3, 1e-9);
        close(student_t_quantile(0.025, 19.0), -2.093_024_054_4, 1e-9);
        close(student_t_quantile(0.975, 1e7), normal_quantile(0.975), 1e-6);
        assert_eq!(student_t_quantile(0.5, 3.0), 0.0);
        assert_eq!(student_t_quantile(1.0, 3.0), f64::INFINITY);
        assert!(student_t_quantile(1.5, 3.0).is_nan() && student_t_quantile(0.9, 0.0).is_nan());
    }

    /// One and two degrees of freedom have closed forms: tan(π(p−½)) and (2p−1)/√(2p(1−p)).
    #[test]
    fn student_matches_its_closed_forms_into_the_tails() {
        for p in [0.51, 0.6, 0.9, 0.975, 0.999, 0.999_999] {
            let cauchy = libm::tan(PI * (p - 0.5));
            close(student_t_quantile(p, 1.0) / cauchy, 1.0, 1e-9);
            let two = (2.0 * p - 1.0) / libm::sqrt(2.0 * p * (1.0 - p));
            close(student_t_quantile(p, 2.0) / two, 1.0, 1e-9);
        }
        close(student_t_two_sided(1e6, 1.0), 2.0 / (PI * 1e6), 1e-15);
        assert_eq!(student_t_two_sided(0.0, 5.0), 1.0);
        assert_eq!(student_t_two_sided(f64::INFINITY, 5.0), 0.0);
        assert!(student_t_two_sided(f64::NAN, 5.0).is_nan());
    }

    #[test]
    fn quantile_and_distribution_function_are_inverse() {
        for df in [1.0, 2.5, 3.0, 7.0, 19.0, 250.0, 5000.0] {
            for p in [1e-9, 0.001, 0.2, 0.5, 0.7, 0.975, 0.999_9] {
                close(student_t_cdf(student_t_quantile(p, df), df) / p, 1.0, 1e-9);
            }
        }
        for p in [1e-12, 0.001, 0.3, 0.5, 0.84, 0.975, 0.999_99] {
            close(normal_cdf(normal_quantile(p)) / p, 1.0, 1e-12);
        }
        close(normal_quantile(0.975), 1.959_963_984_540_054, 1e-12);
    }

    /// I_x(2, 3) = x²(6 − 8x + 3x²), and P(B ≤ k) by adding up terms.
    #[test]
    fn the_incomplete_beta_matches_polynomials_and_sums() {
        for x in [0.0, 0.01, 0.3, 0.5, 0.77, 1.0] {
            close(incomplete_beta(2.0, 3.0, x), x * x * (6.0 - 8.0 * x + 3.0 * x * x), 1e-14);
        }
        assert!(incomplete_beta(2.0, 3.0, 1.1).is_nan());
        // 10 trials of ½: 1, 10, 45, 120, … of 1024.
        close(binomial_cdf(2, 10, 0.5), 56.0 / 1024.0, 1e-14);
        close(binomial_cdf(0, 10, 0.5), 1.0 / 1024.0, 1e-15);
        assert_eq!(binomial_cdf(10, 10, 0.5), 1.0);
    }
}
