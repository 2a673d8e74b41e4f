//! Throughput against fleet size: the Universal Scalability Law, with Amdahl and Gustafson beside it.
//!
//! X(N) = γN ÷ (1 + σ(N − 1) + κN(N − 1)): γ is the throughput of one agent, σ the share that is serial or
//! contended (queueing for one authority), κ the cost of pairwise agreement (crosstalk). σ alone is Amdahl's
//! law and levels off; κ > 0 makes adding agents harmful past a peak. Gunther, Guerrilla Capacity Planning
//! (2007), ch. 4–6.
//!
//! A fit describes the sizes measured. Outside them it is extrapolation, and is to be labelled so.

use serde::Serialize;
use std::fmt;

/// Speed-up of `n` workers with serial share `sigma`: N ÷ (1 + σ(N − 1)) (Amdahl 1967).
pub fn amdahl(n: f64, sigma: f64) -> f64 {
    n / (1.0 + sigma * (n - 1.0))
}

/// Scaled speed-up, N − s(N − 1), with `serial` the serial share of the parallel run (Gustafson 1988).
pub fn gustafson(n: f64, serial: f64) -> f64 {
    n - serial * (n - 1.0)
}

/// A fitted law. Throughputs are in the unit of the data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Usl {
    /// Points fitted.
    pub n: usize,
    /// Throughput of one agent.
    pub gamma: f64,
    /// Contention; negative means superlinear speed-up, which deserves an explanation.
    pub sigma: f64,
    /// Coherency cost per pair.
    pub kappa: f64,
    /// Standard error of γ; NaN with three points, which any law of three parameters meets exactly.
    pub gamma_error: f64,
    /// Standard error of σ; NaN with three points.
    pub sigma_error: f64,
    /// Standard error of κ; NaN with three points.
    pub kappa_error: f64,
    /// Residual standard deviation, n − 3 degrees of freedom; NaN with three points.
    pub residual_sd: f64,
}

/// Why a law could not be fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitError {
    /// Fewer than three different fleet sizes: measure more of them.
    TooFewSizes,
    /// A size below 1, or a throughput that is not finite or not positive.
    BadPoint,
    /// The least-squares iteration found no minimum: these points do not follow the law.
    NoMinimum,
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FitError::TooFewSizes => "a scalability fit needs at least three different fleet sizes",
            FitError::BadPoint => {
                "a scalability fit needs sizes of at least 1 and positive, finite throughputs"
            }
            FitError::NoMinimum => {
                "the throughputs do not follow the scalability law: no least-squares fit exists"
            }
        })
    }
}

impl std::error::Error for FitError {}

impl Usl {
    /// Fits (size, throughput) points by unweighted nonlinear least squares.
    ///
    /// Levenberg–Marquardt (Marquardt, SIAM J. 11, 1963; scaled by the diagonal) from the linear fit of N/X.
    /// Standard errors are the asymptotic ones, s²(JᵀJ)⁻¹.
    ///
    /// # Errors
    /// See [`FitError`]; the points are at fault, other points may do.
    pub fn fit(points: &[(f64, f64)]) -> Result<Usl, FitError> {
        let sound = |&(n, x): &(f64, f64)| n.is_finite() && n >= 1.0 && x.is_finite() && x > 0.0;
        if !points.iter().all(sound) {
            return Err(FitError::BadPoint);
        }
        let mut sizes: Vec<f64> = points.iter().map(|(n, _)| *n).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        if sizes.len() < 3 {
            return Err(FitError::TooFewSizes);
        }
        let minimum = minimise(points, start(points)?)?;
        let freedom = points.len() as f64 - 3.0;
        let residual_sd = if freedom > 0.0 { (minimum.squares / freedom).sqrt() } else { f64::NAN };
        let inverse = invert(minimum.normal).ok_or(FitError::NoMinimum)?;
        let error = |i: usize| residual_sd * inverse[i][i].sqrt();
        let [gamma, sigma, kappa] = minimum.parameters;
        Ok(Usl {
            n: points.len(),
            gamma,
            sigma,
            kappa,
            gamma_error: error(0),
            sigma_error: error(1),
            kappa_error: error(2),
            residual_sd,
        })
    }

    /// Throughput at fleet size `n`.
    pub fn throughput(&self, n: f64) -> f64 {
        law([self.gamma, self.sigma, self.kappa], n)
    }

    /// Size with the highest throughput, √((1 − σ)/κ), and that throughput; `None` if there is no peak.
    pub fn peak(&self) -> Option<(f64, f64)> {
        let has_peak = self.kappa > 0.0 && self.sigma < 1.0;
        has_peak.then(|| {
            let n = ((1.0 - self.sigma) / self.kappa).sqrt();
            (n, self.throughput(n))
        })
    }

    /// Throughput that contention alone (κ = 0) would never exceed, γ/σ; `None` if σ ≤ 0.
    pub fn amdahl_limit(&self) -> Option<f64> {
        (self.sigma > 0.0).then(|| self.gamma / self.sigma)
    }

    /// Size from which contention alone wastes more than it adds, 1/σ: where the two asymptotes γN and γ/σ
    /// meet; `None` if σ ≤ 0.
    pub fn optimal_size(&self) -> Option<f64> {
        (self.sigma > 0.0).then(|| 1.0 / self.sigma)
    }
}

type Vector = [f64; 3];
type Matrix = [Vector; 3];

/// A point of the search: parameters γ, σ, κ with what is known there.
struct Minimum {
    parameters: Vector,
    squares: f64,
    /// JᵀJ.
    normal: Matrix,
    /// Jᵀr, r = measured − predicted.
    pull: Vector,
}

fn law([gamma, sigma, kappa]: Vector, n: f64) -> f64 {
    gamma * n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0))
}

/// Sum of squares and normal equations at `parameters`; `None` where the law has a pole within the data.
fn evaluate(points: &[(f64, f64)], parameters: Vector) -> Option<Minimum> {
    let [gamma, sigma, kappa] = parameters;
    let mut at = Minimum { parameters, squares: 0.0, normal: [[0.0; 3]; 3], pull: [0.0; 3] };
    for &(n, x) in points {
        let slowdown = 1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0);
        if slowdown.is_nan() || slowdown <= 0.0 {
            return None;
        }
        let unit = n / slowdown;
        let bend = -gamma * unit * (n - 1.0) / slowdown;
        let gradient = [unit, bend, bend * n];
        let residual = x - gamma * unit;
        at.squares += residual * residual;
        for i in 0..3 {
            at.pull[i] += gradient[i] * residual;
            for j in 0..3 {
                at.normal[i][j] += gradient[i] * gradient[j];
            }
        }
    }
    at.squares.is_finite().then_some(at)
}

/// Linear least squares of N/X = (1 + σ(N − 1) + κN(N − 1))/γ, weighted by (X²/N)² to undo that scale.
///
/// Falls back to "no contention" if that gives a law with a pole within the data.
fn start(points: &[(f64, f64)]) -> Result<Minimum, FitError> {
    let mut normal = [[0.0; 3]; 3];
    let mut pull = [0.0; 3];
    for &(n, x) in points {
        let weight = x * x / n;
        let row = [weight, weight * (n - 1.0), weight * n * (n - 1.0)];
        for i in 0..3 {
            pull[i] += row[i] * weight * n / x;
            for j in 0..3 {
                normal[i][j] += row[i] * row[j];
            }
        }
    }
    let linear = invert(normal).map(|inverse| multiply(&inverse, &pull));
    let transformed = linear.and_then(|[a, b, c]| evaluate(points, [1.0 / a, b / a, c / a]));
    let per_agent = points.iter().map(|(n, x)| x / n).fold(0.0, f64::max);
    transformed
        .filter(|at| at.parameters[0] > 0.0)
        .or_else(|| evaluate(points, [per_agent, 0.0, 0.0]))
        .ok_or(FitError::NoMinimum)
}

/// Levenberg–Marquardt from `at` to a minimum of the sum of squares.
fn minimise(points: &[(f64, f64)], mut at: Minimum) -> Result<Minimum, FitError> {
    const STEPS_MAX: u32 = 2_000;
    let mut damping = 1e-3;
    for _ in 0..STEPS_MAX {
        let mut damped = at.normal;
        (0..3).for_each(|i| damped[i][i] *= 1.0 + damping);
        let step = multiply(&invert(damped).ok_or(FitError::NoMinimum)?, &at.pull);
        let next: Vector = std::array::from_fn(|i| at.parameters[i] + step[i]);
        // In units of each parameter's own effect, so that κ ~ 1e−4 and γ ~ 1e2 count alike.
        let length = (0..3).map(|i| step[i] * step[i] * at.normal[i][i]).sum::<f64>().sqrt();
        let scale = points.iter().map(|(_, x)| x * x).sum::<f64>().sqrt();
        let better = evaluate(points, next).filter(|candidate| candidate.squares <= at.squares);
        let small = length <= 1e-12 * scale;
        match better {
            Some(candidate) => {
                at = candidate;
                damping = (damping * 0.1).max(1e-12);
            }
            None => damping *= 10.0,
        }
        if small {
            // Heavy damping makes any step small: only where the undamped one is small too is this a minimum.
            let full = multiply(&invert(at.normal).ok_or(FitError::NoMinimum)?, &at.pull);
            let reach = full.iter().zip(&at.pull).map(|(step, pull)| step * pull).sum::<f64>();
            return if reach <= 1e-12 * scale * scale { Ok(at) } else { Err(FitError::NoMinimum) };
        }
        if damping > 1e30 {
            break;
        }
    }
    Err(FitError::NoMinimum)
}

fn multiply(matrix: &Matrix, vector: &Vector) -> Vector {
    std::array::from_fn(|i| (0..3).map(|j| matrix[i][j] * vector[j]).sum())
}

/// Inverse of a symmetric positive matrix, scaled to unit diagonal first; `None` if it is singular.
fn invert(matrix: Matrix) -> Option<Matrix> {
    let scale: Vector = std::array::from_fn(|i| 1.0 / matrix[i][i].sqrt());
    if scale.iter().any(|s| !s.is_finite()) {
        return None;
    }
    let m: Matrix = std::array::from_fn(|i| std::array::from_fn(|j| matrix[i][j] * scale[i] * scale[j]));
    // Cofactors with cyclic indices carry their sign.
    let cofactor = |i: usize, j: usize| {
        let (r, s, c, d) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[r][c] * m[s][d] - m[r][d] * m[s][c]
    };
    let determinant: f64 = (0..3).map(|j| m[0][j] * cofactor(0, j)).sum();
    let regular = determinant.is_finite() && determinant > 1e-15;
    regular.then(|| {
        std::array::from_fn(|i| std::array::from_fn(|j| cofactor(j, i) / determinant * scale[i] * scale[j]))
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, close};
    use super::*;

    const SPEC_SDM91: [(f64, f64); 7] = [
        (1.0, 64.9),
        (18.0, 995.9),
        (36.0, 1652.4),
        (72.0, 1853.2),
        (108.0, 1828.9),
        (144.0, 1775.0),
        (216.0, 1702.2),
    ];

    /// U-01 of the reference results: SPEC SDM91, as fitted by the R package `usl`.
    #[test]
    fn the_spec_data_give_the_published_coefficients() {
        let fit = Usl::fit(&SPEC_SDM91).expect("a textbook curve");
        close(fit.sigma, 0.027_728_44, 1e-6);
        close(fit.kappa, 0.000_104_365_56, 1e-9);
        close(fit.gamma, 89.995_190_7, 1e-4);
        close(fit.sigma_error, 0.009_121_7, 1e-5);
        close(fit.kappa_error, 1.9875e-5, 2e-8);
        let (size, throughput) = fit.peak().expect("κ > 0");
        close(size, 96.519_53, 1e-3);
        close(throughput, 1883.899, 1e-2);
        close(fit.amdahl_limit().expect("σ > 0"), 3245.589, 1e-1);
        close(fit.optimal_size().expect("σ > 0"), 36.064, 1e-2);
    }

    /// U-02 of the reference results.
    #[test]
    fn the_package_test_data_give_two_percent_each() {
        let points = [(1.0, 1.0), (2.0, 1.8868), (4.0, 3.0769), (6.0, 3.5294), (8.0, 3.5398), (10.0, 3.3557)];
        let fit = Usl::fit(&points).expect("a textbook curve");
        close(fit.sigma, 0.02, 5e-4);
        close(fit.kappa, 0.02, 5e-4);
        close(fit.gamma, 1.0, 5e-4);
        close(fit.peak().expect("κ > 0").0, 7.0, 5e-3);
    }

    /// U-05 and U-07 of the reference results.
    #[test]
    fn the_laws_of_amdahl_and_gustafson() {
        close(amdahl(10.0, 0.1), 5.263_157_894_7, 1e-9);
        close(amdahl(100.0, 0.1), 9.174_311_926_6, 1e-9);
        close(gustafson(16.0, 0.1), 14.5, 1e-9);
    }

    #[test]
    fn exact_curves_are_recovered_whatever_their_scale() {
        let sizes = [1.0, 2.0, 5.0, 10.0, 50.0, 200.0, 1000.0, 5000.0];
        for truth in
            [[1.0, 0.1, 0.0], [250.0, 0.001, 1e-7], [0.002, 0.0, 1e-3], [3.0, -0.0001, 1e-6], [7.0, 0.0, 0.0]]
        {
            let points: Vec<(f64, f64)> = sizes.iter().map(|&n| (n, law(truth, n))).collect();
            let fit = Usl::fit(&points).expect("exact points");
            close(fit.gamma / truth[0], 1.0, 1e-6);
            close(fit.sigma, truth[1], 1e-7);
            close(fit.kappa, truth[2], 1e-9);
        }
        let three = Usl::fit(&[(1.0, 1.0), (4.0, 3.0), (16.0, 6.0)]).expect("exact points");
        close(three.throughput(16.0), 6.0, 1e-9);
        assert!(three.sigma_error.is_nan() && three.residual_sd.is_nan());
    }

    /// Standard errors mean what they say: σ lies within two of them about 95 % of the time.
    #[test]
    fn standard_errors_are_calibrated() {
        let mut sample = Sample(22);
        let truth = [10.0, 0.05, 0.002];
        let within = (0..600)
            .filter(|_| {
                let points: Vec<(f64, f64)> = (1..=30)
                    .map(|n| (f64::from(n), law(truth, f64::from(n)) + 0.8 * sample.normal()))
                    .collect();
                let fit = Usl::fit(&points).expect("a little noise");
                (fit.sigma - 0.05).abs() <= 2.052 * fit.sigma_error
            })
            .count();
        close(within as f64 / 600.0, 0.945, 0.03);
    }

    /// Whatever the points, a fit that is returned is a minimum: no small step of one parameter lowers it.
    #[test]
    fn a_returned_fit_is_a_minimum() {
        let mut sample = Sample(23);
        let mut fitted = 0;
        for _ in 0..500 {
            let points: Vec<(f64, f64)> = [1.0, 3.0, 7.0, 20.0, 60.0, 200.0]
                .iter()
                .map(|&n| (n, 10.0 * sample.exponential()))
                .collect();
            let Ok(fit) = Usl::fit(&points) else { continue };
            fitted += 1;
            let found = [fit.gamma, fit.sigma, fit.kappa];
            let squares = |p: Vector| evaluate(&points, p).map_or(f64::INFINITY, |at| at.squares);
            for i in 0..3 {
                for step in [-1e-3, 1e-3] {
                    let mut moved = found;
                    moved[i] *= 1.0 + step;
                    assert!(squares(moved) >= squares(found) * (1.0 - 1e-9), "{fit:?} for {points:?}");
                }
            }
        }
        assert!(fitted > 100, "only {fitted} of 500 fitted");
    }

    #[test]
    fn points_that_cannot_be_fitted_are_refused() {
        assert_eq!(Usl::fit(&[(1.0, 1.0), (2.0, 2.0), (2.0, 2.1)]), Err(FitError::TooFewSizes));
        assert_eq!(Usl::fit(&[(0.5, 1.0), (2.0, 2.0), (3.0, 2.1)]), Err(FitError::BadPoint));
        assert_eq!(Usl::fit(&[(1.0, 1.0), (2.0, f64::NAN), (3.0, 2.1)]), Err(FitError::BadPoint));
        assert_eq!(Usl::fit(&[(1.0, 1.0), (2.0, 0.0), (3.0, 2.1)]), Err(FitError::BadPoint));
    }
}
