//! The cost of a draw of each law, of the uniform number below it, and of opening a stream.

use std::hint::black_box;

use anthill::engine::{Dist, Normalisation, Purpose, Rng, Seed, Span};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Draws of one measurement: criterion divides by them.
const DRAWS: u64 = 1_000;

/// Every law of a scenario, by the name it has there.
fn laws() -> Vec<(&'static str, Dist)> {
    let (mean, low, high) = (Span::from_secs(10), Span::from_secs(1), Span::from_secs(30));
    let normalisation = Normalisation::Balanced;
    vec![
        ("constant", Dist::Constant(mean)),
        ("uniform", Dist::Uniform { low, high }),
        ("triangular", Dist::Triangular { low, mode: mean, high }),
        ("exponential", Dist::Exponential { mean }),
        ("erlang_4", Dist::Erlang { stages: 4, mean }),
        ("gamma_half", Dist::Gamma { shape: 0.5, mean }),
        ("gamma_4", Dist::Gamma { shape: 4.0, mean }),
        ("lognormal", Dist::Lognormal { median: Some(mean), mean: None, sigma: 1.0 }),
        ("weibull", Dist::Weibull { shape: 0.7, scale: Some(mean), mean: None }),
        ("pareto", Dist::Pareto { shape: 1.5, scale: low, upper: None }),
        ("pareto_bounded", Dist::Pareto { shape: 1.5, scale: low, upper: Some(high) }),
        ("hyperexponential", Dist::Hyperexponential { mean, scv: 4.0, normalisation }),
        ("mixture", Dist::Mixture { weights: vec![1.0, 2.0, 3.0], means: vec![low, mean, high] }),
        ("empirical", Dist::Empirical { quantiles: vec![(0.0, low), (0.5, mean), (0.9, high), (1.0, high)] }),
        ("empirical_values", Dist::EmpiricalValues(vec![low, mean, high])),
    ]
}

fn samplers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("samplers");
    group.throughput(Throughput::Elements(DRAWS));
    let mut rng = Rng::from_state(1);
    group.bench_function("uniform_number", |bencher| {
        bencher.iter(|| (0..DRAWS).map(|_| rng.uniform()).sum::<f64>());
    });
    let key = Seed(1).key(0, Purpose::Link);
    group.bench_function("stream_opened", |bencher| {
        bencher.iter(|| (0..DRAWS).map(|entity| key.open(black_box(entity), 0).uniform()).sum::<f64>());
    });
    for (name, dist) in laws() {
        let law = dist.law().unwrap_or_else(|error| panic!("{name}: {error}"));
        group.bench_function(name, |bencher| {
            bencher.iter(|| (0..DRAWS).map(|_| black_box(&law).sample(&mut rng)).sum::<f64>());
        });
    }
    group.finish();
}

/// A draw with its stream and its rounding to nanoseconds, as a message's latency is drawn.
fn spans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spans");
    group.throughput(Throughput::Elements(DRAWS));
    let law = Dist::exponential(Span::from_millis(1)).law().expect("a mean above zero");
    let key = Seed(1).key(0, Purpose::Link);
    group.bench_function("exponential", |bencher| {
        let draw = |entity| black_box(&law).sample_span(&mut key.open(entity, 0)).as_nanos();
        bencher.iter(|| (0..DRAWS).map(draw).fold(0, u64::wrapping_add));
    });
    group.finish();
}

criterion_group!(benches, samplers, spans);
criterion_main!(benches);
