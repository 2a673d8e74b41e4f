//! The laws against their closed forms, against their own distribution functions, and as they are
//! written in files.

use super::law::Kind;
use super::*;
use crate::engine::time::Time;
use crate::engine::{Purpose, Seed};

/// One example of each law and of each way to write it.
pub(super) const LAWS: [&str; 18] = [
    r#""2s""#,
    r#"{ uniform = { low = "1s", high = "3s" } }"#,
    r#"{ triangular = { low = "1s", mode = "1500ms", high = "4s" } }"#,
    r#"{ exponential = { mean = "2s" } }"#,
    r#"{ erlang = { stages = 4, mean = "2s" } }"#,
    r#"{ erlang = { stages = 40, mean = "2s" } }"#,
    r#"{ gamma = { shape = 2.5, mean = "2s" } }"#,
    r#"{ gamma = { shape = 0.5, mean = "2s" } }"#,
    r#"{ lognormal = { median = "2s", sigma = 0.5 } }"#,
    r#"{ lognormal = { mean = "2s", sigma = 0.5 } }"#,
    r#"{ weibull = { shape = 0.7, mean = "2s" } }"#,
    r#"{ weibull = { shape = 2, scale = "2s" } }"#,
    r#"{ pareto = { shape = 6, scale = "2s" } }"#,
    r#"{ pareto = { shape = 1.1, scale = "1s", upper = "50s" } }"#,
    r#"{ hyperexponential = { mean = "2s", scv = 3 } }"#,
    r#"{ hyperexponential = { mean = "1s", scv = 2, normalisation = "gamma" } }"#,
    r#"{ mixture = { weights = [1, 2, 1], means = ["1s", "2s", "5s"] } }"#,
    r#"{ empirical = { quantiles = [[0, "0s"], [0.5, "1s"], [0.9, "3s"], [1, "10s"]] } }"#,
];

const DRAWS: usize = 100_000;

pub(super) fn read(text: &str) -> Dist {
    toml::from_str::<reading::File>(&format!("law = {text}")).expect(text).law
}

fn law(text: &str) -> Law {
    read(text).law().expect(text)
}

pub(super) fn stream(label: u64) -> Rng {
    Seed(20).key(0, Purpose::Task).open(label, 0)
}

fn draws(law: &Law, label: u64) -> Vec<f64> {
    let mut rng = stream(label);
    (0..DRAWS).map(|_| law.sample(&mut rng)).collect()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// How many standard errors the mean of `values` lies off `expected`.
fn errors_off(values: &[f64], expected: f64) -> f64 {
    let average = mean(values.iter().copied());
    let variance = mean(values.iter().map(|x| (x - average) * (x - average)));
    (average - expected) / (variance / values.len() as f64).sqrt()
}

fn square(x: f64) -> f64 {
    x * x
}

fn close(actual: f64, expected: f64) {
    assert!(((actual - expected) / expected).abs() < 1e-12, "{actual} is not {expected}");
}

#[test]
fn means_and_variances_are_those_of_the_draws() {
    for (label, text) in (0..).zip(LAWS) {
        let law = law(text);
        let draws = draws(&law, label);
        if law.constant().is_some() {
            assert!(draws.iter().all(|&x| x == law.mean()) && law.variance() == 0.0);
            continue;
        }
        let z = errors_off(&draws, law.mean());
        assert!(z.abs() < 4.0, "{text}: the mean is {z} standard errors off");
        let squares: Vec<f64> = draws.iter().map(|x| (x - law.mean()) * (x - law.mean())).collect();
        let z = errors_off(&squares, law.variance());
        assert!(z.abs() < 4.0, "{text}: the variance is {z} standard errors off");
    }
}

/// Kolmogorov–Smirnov at 99.9 % (1.9495), and Pearson's χ² over 64 equally likely cells (103.44).
#[test]
fn draws_follow_their_distribution_function() {
    for (label, text) in (100..).zip(LAWS).filter(|(_, text)| law(text).constant().is_none()) {
        let law = law(text);
        let mut levels: Vec<f64> = draws(&law, label).into_iter().map(|x| law.cdf(x)).collect();
        levels.sort_by(f64::total_cmp);
        let n = levels.len() as f64;
        let gap = |(i, u): (usize, &f64)| (u - i as f64 / n).max((i + 1) as f64 / n - u);
        let distance = levels.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt();
        assert!(distance < 1.9495, "{text}: √n D = {distance}");

        let mut cells = [0u32; 64];
        for u in levels {
            cells[((u * 64.0) as usize).min(63)] += 1;
        }
        let expected = n / 64.0;
        let chi2: f64 = cells.iter().map(|&count| square(f64::from(count) - expected) / expected).sum();
        assert!(chi2 < 103.44, "{text}: χ² = {chi2}");
    }
}

#[test]
fn measured_values_are_drawn_equally_often() {
    let law = law(r#"{ empirical_values = ["3s", "1s", "2s", "2s", "9s"] }"#);
    let draws = draws(&law, 7);
    let n = draws.len() as f64;
    let mut chi2 = 0.0;
    for (value, share) in [(1.0, 0.2), (2.0, 0.4), (3.0, 0.2), (9.0, 0.2)] {
        let count = draws.iter().filter(|&&x| x == value).count() as f64;
        chi2 += square(count - share * n) / (share * n);
    }
    assert!(chi2 < 16.27, "χ² = {chi2} exceeds the 99.9 % point of 3 degrees of freedom");
    assert_eq!((law.cdf(0.9), law.cdf(2.0), law.cdf(9.0)), (0.0, 0.6, 1.0));
    assert_eq!((law.quantile(0.0), law.quantile(0.6), law.quantile(1.0)), (1.0, 2.0, 9.0));
    close(law.mean(), 3.4);
    close(law.variance(), 8.24);
}

/// As [`streams_are_golden`], for a law that is drawn by position.
#[test]
fn the_stream_of_measured_values_is_golden() {
    let law = law(r#"{ empirical_values = ["3s", "1s", "2s", "2s", "9s"] }"#);
    let mut rng = Rng::from_state(1_234_567);
    assert_eq!([0; 8].map(|_| law.sample(&mut rng)), [2.0, 1.0, 2.0, 2.0, 9.0, 2.0, 2.0, 2.0]);
}

/// A level stretch of the quantiles is a value of its own weight.
#[test]
fn equal_quantiles_make_an_atom() {
    let law = law(r#"{ empirical = { quantiles = [[0, "1s"], [0.5, "1s"], [1, "2s"]] } }"#);
    assert_eq!((law.cdf(0.999), law.cdf(1.0), law.cdf(1.5)), (0.0, 0.5, 0.75));
    assert_eq!((law.quantile(0.3), law.quantile(0.5), law.quantile(0.75)), (1.0, 1.0, 1.5));
    let ones = draws(&law, 9).iter().filter(|&&x| x == 1.0).count() as f64 / DRAWS as f64;
    assert!((ones - 0.5).abs() < 4.0 * 0.5 / (DRAWS as f64).sqrt(), "{ones}");
    close(law.mean(), 1.25);
}

/// Another implementation, to catch a parameter read in another sense: two-sample Kolmogorov–Smirnov
/// at 99.9 %.
#[test]
fn draws_agree_with_rand_distr() {
    fn check(text: &str, other: impl rand_distr::Distribution<f64>) {
        let mut ours = draws(&law(text), 11);
        let mut rng = stream(12);
        let mut theirs: Vec<f64> = (0..DRAWS).map(|_| other.sample(&mut rng)).collect();
        ours.sort_by(f64::total_cmp);
        theirs.sort_by(f64::total_cmp);
        let rank = |x: f64| theirs.partition_point(|&y| y <= x) as f64;
        let gap = |(i, &x): (usize, &f64)| (rank(x) - i as f64).abs();
        let n = DRAWS as f64;
        let distance = ours.iter().enumerate().map(gap).fold(0.0, f64::max) / n * (n / 2.0).sqrt();
        assert!(distance < 1.9495, "{text}: {distance}");
    }
    check(r#"{ gamma = { shape = 0.5, mean = "1s" } }"#, rand_distr::Gamma::new(0.5, 2.0).unwrap());
    check(r#"{ gamma = { shape = 3, mean = "6s" } }"#, rand_distr::Gamma::new(3.0, 2.0).unwrap());
    check(r#"{ erlang = { stages = 3, mean = "6s" } }"#, rand_distr::Gamma::new(3.0, 2.0).unwrap());
    check(r#"{ lognormal = { median = "1s", sigma = 2 } }"#, rand_distr::LogNormal::new(0.0, 2.0).unwrap());
    check(r#"{ weibull = { shape = 0.6, scale = "3s" } }"#, rand_distr::Weibull::new(3.0, 0.6).unwrap());
    check(r#"{ pareto = { shape = 1.5, scale = "3s" } }"#, rand_distr::Pareto::new(3.0, 1.5).unwrap());
    let triangular = rand_distr::Triangular::new(1.0, 4.0, 1.5).unwrap();
    check(r#"{ triangular = { low = "1s", mode = "1500ms", high = "4s" } }"#, triangular);
}

#[test]
fn quantiles_invert_the_distribution_function() {
    for text in LAWS {
        let law = law(text);
        let mut last = 0.0;
        for i in 1..200 {
            let p = f64::from(i) / 200.0;
            let x = law.quantile(p);
            assert!(x >= last, "{text}: falls at {p}");
            assert!(law.constant().is_some() || (law.cdf(x) - p).abs() < 1e-12, "{text} at {p}");
            last = x;
        }
        let (least, most) = (law.quantile(0.0), law.quantile(1.0));
        assert!(
            least <= law.quantile(0.005) && most >= last && law.cdf(most) == 1.0,
            "{text}: {least} {most}"
        );
    }
}

/// Inversion: the draw is the quantile at the uniform number.
#[test]
fn draws_by_inversion_use_one_uniform_number() {
    for text in LAWS {
        let law = law(text);
        let by_inversion = match &law.kind() {
            Kind::Uniform { .. }
            | Kind::Triangular { .. }
            | Kind::Exponential { .. }
            | Kind::Lognormal { .. }
            | Kind::Weibull { .. }
            | Kind::Pareto { .. }
            | Kind::Empirical(_)
            | Kind::EmpiricalValues(_)
            | Kind::Geometric { .. } => true,
            Kind::Constant(_) | Kind::Erlang { .. } | Kind::Gamma { .. } | Kind::Hyperexponential(_) => false,
        };
        let (mut rng, mut same) = (stream(3), stream(3));
        for _ in 0..1_000 {
            let x = law.sample(&mut rng);
            assert!(!by_inversion || x == law.quantile(same.uniform()), "{text}");
        }
        assert!(!by_inversion || rng == same, "{text}");
    }
}

/// V-07 of the reference results: common random numbers. Cov = ab, Var(Xa − Xb) = (a − b)² = 0.04 where
/// independent draws have a² + b² = 2.44.
#[test]
fn common_random_numbers_correlate_two_laws() {
    let (a, b) =
        (law(r#"{ exponential = { mean = "1s" } }"#), law(r#"{ exponential = { mean = "1200ms" } }"#));
    let pairs: Vec<(f64, f64)> = draws(&a, 5).into_iter().zip(draws(&b, 5)).collect();
    let covariances: Vec<f64> = pairs.iter().map(|(x, y)| (x - 1.0) * (y - 1.2)).collect();
    assert!(errors_off(&covariances, 1.2).abs() < 4.0);
    let differences: Vec<f64> = pairs.iter().map(|(x, y)| square(y - x - 0.2)).collect();
    assert!(errors_off(&differences, 0.04).abs() < 4.0);
}

/// V-08 of the reference results: an antithetic pair has covariance 1 − π²/6 = −0.644934, and its mean
/// variance 0.177533 where that of an independent pair is 0.5.
#[test]
fn antithetic_numbers_anticorrelate_two_draws() {
    let (law, mut rng) = (law(r#"{ exponential = { mean = "1s" } }"#), stream(6));
    let (mut covariances, mut squares) = (Vec::new(), Vec::new());
    for _ in 0..DRAWS {
        let u = rng.uniform();
        let (x, y) = (law.quantile(u), law.quantile(1.0 - u));
        covariances.push((x - 1.0) * (y - 1.0));
        squares.push(square((x + y) / 2.0 - 1.0));
    }
    assert!(errors_off(&covariances, -0.644_934).abs() < 4.0);
    assert!(errors_off(&squares, 0.177_533).abs() < 4.0);
}

/// The squared coefficients of variation that the M/G/1 and M/G/c references are computed with, and
/// textbook moments.
#[test]
fn moments_have_their_closed_forms() {
    close(law(r#"{ erlang = { stages = 4, mean = "1s" } }"#).scv(), 0.25);
    close(law(r#"{ weibull = { shape = 0.5, mean = "1s" } }"#).scv(), 5.0);
    close(law(r#"{ weibull = { shape = 0.5, mean = "1s" } }"#).mean(), 1.0);
    close(law(r#"{ gamma = { shape = 0.5, mean = "3s" } }"#).scv(), 2.0);
    close(law(r#"{ triangular = { low = "0s", mode = "1s", high = "2s" } }"#).variance(), 1.0 / 6.0);
    let lognormal = law(r#"{ lognormal = { mean = "2s", sigma = 1 } }"#);
    close(lognormal.mean(), 2.0);
    close(lognormal.quantile(0.5), 2.0 * libm::exp(-0.5));
    close(lognormal.scv(), std::f64::consts::E - 1.0);
    assert_eq!(law(r#""0s""#).scv(), 0.0);
    let pareto =
        |shape: &str, rest: &str| law(&format!("{{ pareto = {{ shape = {shape}, scale = \"1s\"{rest} }} }}"));
    close(pareto("3", "").mean(), 1.5);
    close(pareto("3", "").variance(), 0.75);
    assert_eq!((pareto("1.5", "").mean(), pareto("1.5", "").scv()), (3.0, f64::INFINITY));
    assert_eq!((pareto("1", "").mean(), pareto("1", "").variance()), (f64::INFINITY, f64::INFINITY));
    let upper = ", upper = \"100s\"";
    close(pareto("1", upper).mean(), libm::log(100.0) / 0.99);
    close(pareto("2", upper).variance() + 4.0 / 1.01 / 1.01, 2.0 * libm::log(100.0) / 0.9999);
}

/// The identification of the hyperexponential column of the M/G/c table (Q-13): scv 2, mean 1, gamma
/// normalisation is branch probability ½ and means 1 ∓ 1/√2.
#[test]
fn hyperexponential_laws_are_normalised_as_tijms_says() {
    let phases = |scv: &str, normalisation: &str| {
        let inner = format!("mean = \"1s\", scv = {scv}, normalisation = \"{normalisation}\"");
        let law = law(&format!("{{ hyperexponential = {{ {inner} }} }}"));
        match law.kind() {
            Kind::Hyperexponential(phases) => phases.clone(),
            other => panic!("{other:?}"),
        }
    };
    let half = std::f64::consts::FRAC_1_SQRT_2;
    let gamma = phases("2", "gamma");
    close(gamma[0].weight, 0.5);
    close(gamma[0].mean, 1.0 - half);
    close(gamma[1].mean, 1.0 + half);
    for scv in [1.0, 1.5, 4.0, 30.0] {
        let third = |phases: &[super::law::Phase]| -> f64 {
            phases.iter().map(|phase| 6.0 * phase.weight * phase.mean * phase.mean * phase.mean).sum()
        };
        close(third(&phases(&format!("{scv:?}"), "gamma")), (1.0 + scv) * (1.0 + 2.0 * scv));
        let balanced = phases(&format!("{scv:?}"), "balanced");
        close(balanced[0].weight * balanced[0].mean, 0.5);
        close(balanced[1].weight * balanced[1].mean, 0.5);
        for normalisation in [Normalisation::Balanced, Normalisation::Gamma] {
            let dist = Dist::Hyperexponential { mean: Span::from_secs(1), scv, normalisation };
            close(dist.mean(), 1.0);
            close(dist.scv(), scv);
        }
    }
}

#[test]
fn draws_become_spans_that_fit_the_clock() {
    let wild = law(r#"{ pareto = { shape = 0.01, scale = "1s" } }"#);
    let mut rng = stream(8);
    let longest = (0..1_000).map(|_| wild.sample_span(&mut rng)).max().unwrap();
    assert_eq!(longest.to_string(), "36500d");
    assert!(Time::ZERO + longest + longest + longest < Time::MAX);
    assert_eq!(read(r#""1500us""#).sample_span(&mut rng), Span::from_micros(1_500));
}

/// The bits of the first draws of each law. They must not change between platforms, builds or versions:
/// a seed would no longer mean the same run.
#[test]
fn streams_are_golden() {
    let bits = |text: &&str| {
        let (law, mut rng) = (law(text), Rng::from_state(1_234_567));
        std::array::from_fn(|_| law.sample(&mut rng).to_bits())
    };
    // Exponential draws are held to those by `libm::log1p`: to two units in the last place and to the
    // nanosecond. The bits of the logarithm they are made by are golden where it is.
    let made_of_exponentials = ["exponential", "erlang", "mixture"];
    for (text, golden) in LAWS.iter().zip(GOLDEN) {
        let actual: [u64; 8] = bits(text);
        let ulps = if made_of_exponentials.iter().any(|name| text.contains(name)) { 2 } else { 0 };
        for (actual, golden) in actual.into_iter().zip(golden) {
            assert!(actual.abs_diff(golden) <= ulps, "{text}: {actual:#x}, {golden:#x}");
            let nanos = |bits| Span::from_secs_f64(f64::from_bits(bits));
            assert_eq!(nanos(actual), nanos(golden), "{text}");
        }
    }
}

#[rustfmt::skip]
const GOLDEN: [[u64; 8]; 18] = [
    [0x4000_0000_0000_0000, 0x4000_0000_0000_0000, 0x4000_0000_0000_0000, 0x4000_0000_0000_0000,
     0x4000_0000_0000_0000, 0x4000_0000_0000_0000, 0x4000_0000_0000_0000, 0x4000_0000_0000_0000],
    [0x3ffb_33da_02ff_611f, 0x3ff5_8e7e_108b_0a81, 0x4000_83eb_ce5a_3f28, 0x3ff7_f7de_e81d_22ef,
     0x4006_3b83_4670_8cb6, 0x3ffd_89ef_b793_1329, 0x4001_734a_ed70_f5d6, 0x3ff8_cf27_bade_fbe7],
    [0x3ffc_acd4_8aa5_c522, 0x3ff8_2af5_9e0d_2226, 0x4001_03ec_51b0_2436, 0x3ffa_070e_f346_c1ea,
     0x4008_b7d6_67d3_2161, 0x3ffe_b7e2_e66d_3d78, 0x4001_fb87_d999_dba2, 0x3ffa_b2a8_6670_d2b0],
    [0x3feb_93f3_ce69_e6ad, 0x3fd8_69d4_e062_ce1d, 0x3ff8_4fb5_5eb2_12b6, 0x3fe2_53b8_2739_7e1e,
     0x4011_9fc1_f6f7_1649, 0x3ff1_9a22_d1a3_4690, 0x3ffc_94ec_0522_e038, 0x3fe4_9b53_10e2_9eba],
    [0x3fea_af00_48ce_3c52, 0x3fff_bef0_0ec4_f3d2, 0x3ffb_5f33_394b_d06a, 0x3fed_3770_8138_5f23,
     0x3ff2_fff3_aa89_aa52, 0x3fe8_aa8b_ae1a_2cd5, 0x4009_fa53_a75f_74e6, 0x4005_4fe7_ab4e_9cb3],
    [0x3ffb_cfd6_b436_001f, 0x4001_69f9_12d6_33aa, 0x4001_947d_595c_72ef, 0x3ffd_1384_d388_4794,
     0x4000_7e60_c48b_a202, 0x4001_b8f3_800f_8512, 0x3ff7_17b8_5214_0c99, 0x3ffe_f758_6392_a237],
    [0x3ff5_1786_d5f7_ff06, 0x3ffd_48ba_f024_900f, 0x400c_e3a7_d5bf_61ba, 0x4000_23d5_cf01_76fb,
     0x3ff8_e306_58a4_b957, 0x3ff8_5478_d7cb_3254, 0x4000_6932_cd17_0d33, 0x3ff6_09b0_1aa5_1f03],
    [0x3fec_f036_d3f4_317d, 0x3fda_7291_5c06_83b9, 0x3ff1_914f_42f5_9357, 0x3ffe_bc75_87f5_0cfa,
     0x3fe9_fbc5_aae7_540d, 0x3f1c_46c1_8429_962a, 0x3fa4_8339_00a3_37be, 0x3fde_a4ea_396f_fe62],
    [0x3ffa_652d_51fe_ea06, 0x3ff4_005e_ff8a_0e5d, 0x4000_a8e8_8d82_23e6, 0x3ff6_cdc7_0a6c_ba79,
     0x400d_819c_7310_2972, 0x3ffd_0ab2_e361_d0ed, 0x4001_f161_b62b_0608, 0x3ff7_be33_5d9b_23f6],
    [0x3ff7_4b30_13bf_35fb, 0x3ff1_a6b6_2cff_792c, 0x3ffd_6789_73b7_412c, 0x3ff4_1fd2_107f_15a8,
     0x400a_0a09_d64c_8826, 0x3ff9_a119_40eb_3111, 0x3fff_ab4a_4be2_9ab3, 0x3ff4_f3fe_4542_8849],
    [0x3fde_6028_9a12_4ddc, 0x3fc2_f65f_27d0_2822, 0x3ff1_127d_48cd_63da, 0x3fd0_f179_635c_19f8,
     0x4013_881b_a73c_e748, 0x3fe5_86be_29c7_27c7, 0x3ff5_832c_e008_98a2, 0x3fd4_0853_a795_9c35],
    [0x3ff5_0181_6564_1a2e, 0x3feb_f352_33a0_e91b, 0x3ffb_e459_fd40_1cc9, 0x3ff1_1fc0_8974_ae52,
     0x4007_bf7f_f890_be85, 0x3ff7_bbb6_0f25_de5b, 0x3ffe_3e1b_749d_90a5, 0x3ff2_2869_551e_0b5d],
    [0x4001_30fc_398f_1415, 0x4000_844b_e250_8879, 0x4002_28e8_b1ea_4814, 0x4000_c83a_7965_9f6b,
     0x4007_1926_5fc5_d016, 0x4001_8943_3a9e_7299, 0x4002_9177_4ed4_4e8d, 0x4000_e1cf_52ea_7879],
    [0x3ff7_8457_9b38_1d2e, 0x3ff2_faf2_3368_45e9, 0x3fff_7b06_a4fa_ae0f, 0x3ff4_ac64_5f04_fc15,
     0x401a_fa94_6beb_8ec5, 0x3ffa_253d_0269_936e, 0x4001_b481_3b43_d27e, 0x3ff5_5758_f376_052e],
    [0x3fcc_9a22_13fd_d92e, 0x3fd5_78b0_edb3_731e, 0x400e_0c74_9148_ee25, 0x3fd8_246d_541c_e5a0,
     0x4000_00ca_4936_99b9, 0x3fe5_e8d8_5702_b2c3, 0x3fd4_b7de_17ca_7f7d, 0x3fc8_e6ec_2d4e_ca12],
    [0x3fac_9a22_13fd_d92e, 0x3fdf_4944_1306_1f73, 0x3fee_0c74_9148_ee24, 0x3fe1_96c5_665f_0205,
     0x3fe0_00ca_4936_99b9, 0x3fc5_e8d8_5702_b2c3, 0x3fde_304d_26df_1593, 0x3fa8_e6ec_2d4e_ca12],
    [0x3fd8_69d4_e062_ce1d, 0x3fe2_53b8_2739_7e1e, 0x4006_00ab_860c_1834, 0x3fe4_9b53_10e2_9eba,
     0x400b_51a8_8623_23ba, 0x3ff2_b372_e030_8bb3, 0x3fe1_af22_5668_daba, 0x3fd5_4156_36a4_593c],
    [0x3fe6_67b4_05fe_c23e, 0x3fd6_39f8_422c_2a04, 0x3ff2_939b_07c3_3bc6, 0x3fdf_df7b_a074_8bbc,
     0x4007_94c8_3019_5fc6, 0x3feb_13df_6f26_2652, 0x3ff7_4076_a334_cd2c, 0x3fe1_9e4f_75bd_f7ce],
];
