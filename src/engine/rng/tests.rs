//! The generator against its published answers, its samplers against their laws, and draws at different
//! addresses against each other. Critical values are the 99.9 % points; seeds are fixed, so that a test
//! passes always or never.

use super::*;

/// V-13 of the reference results: the published outputs of SplitMix64 from state 1234567.
#[test]
fn splitmix_gives_its_known_answers() {
    let mut rng = Rng::from_state(1_234_567);
    let known = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];
    assert_eq!(known.map(|_| rng.next_u64()), known);
}

#[test]
fn an_address_always_gives_the_same_draw_and_neighbours_differ() {
    let key = Seed(7).key(3, Purpose::Task);
    assert_eq!(key.open(5, 1), key.open(5, 1));
    let mut seen = std::collections::BTreeSet::new();
    for replication in 0..4 {
        for purpose in [Purpose::Task, Purpose::Link] {
            let key = Seed(7).key(replication, purpose);
            for entity in 0..50 {
                for ordinal in 0..50 {
                    assert!(seen.insert(key.open(entity, ordinal).next_u64()), "two addresses collide");
                }
            }
        }
    }
}

/// First draws over a grid of neighbouring addresses are uniform: χ² over 64 cells, and no
/// correlation between an address and the next one.
#[test]
fn first_draws_of_neighbouring_addresses_are_uniform_and_independent() {
    let key = Seed(1).key(0, Purpose::Link);
    let draws: Vec<f64> = (0..300u64)
        .flat_map(|e| (0..300u64).map(move |o| (e, o)))
        .map(|(e, o)| key.open(e, o).uniform())
        .collect();
    let mut cells = [0u32; 64];
    for draw in &draws {
        cells[(draw * 64.0) as usize] += 1;
    }
    let expected = draws.len() as f64 / 64.0;
    let chi2: f64 =
        cells.iter().map(|&c| (f64::from(c) - expected) * (f64::from(c) - expected) / expected).sum();
    assert!(chi2 < 103.4, "χ² = {chi2} exceeds the 99.9 % point of 63 degrees of freedom");
    let lag1: f64 =
        draws.windows(2).map(|w| (w[0] - 0.5) * (w[1] - 0.5)).sum::<f64>() * 12.0 / draws.len() as f64;
    assert!(lag1.abs() < 4.0 / libm::sqrt(draws.len() as f64), "lag-1 correlation {lag1}");
}

/// Pearson's χ² of `counts` against equal shares.
fn chi2(counts: &[u32]) -> f64 {
    let expected = counts.iter().map(|&count| f64::from(count)).sum::<f64>() / counts.len() as f64;
    counts.iter().map(|&count| (f64::from(count) - expected) * (f64::from(count) - expected) / expected).sum()
}

/// The 99.9 % point of χ² with `freedom` degrees of freedom (Wilson & Hilferty, PNAS 17(12), 1931; within
/// 1.2 % from 5 degrees on).
fn critical(freedom: usize) -> f64 {
    let share = 2.0 / (9.0 * freedom as f64);
    let root = 1.0 - share + 3.090_232 * libm::sqrt(share);
    freedom as f64 * root * root * root
}

#[test]
fn the_critical_values_are_those_of_the_tables() {
    for (freedom, table) in [(5, 20.515), (23, 49.728), (63, 103.442), (255, 330.520)] {
        assert!((critical(freedom) / table - 1.0).abs() < 0.012, "{freedom}: {}", critical(freedom));
    }
}

#[test]
fn uniform_numbers_are_uniform() {
    let mut rng = Rng::from_state(5);
    let mut draws: Vec<f64> = (0..100_000).map(|_| rng.uniform()).collect();
    let mut cells = [0u32; 256];
    draws.iter().for_each(|draw| cells[(draw * 256.0) as usize] += 1);
    assert!(chi2(&cells) < critical(255), "χ² = {}", chi2(&cells));
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let gap = |(i, u): (usize, &f64)| (u - i as f64 / n).max((i + 1) as f64 / n - u);
    let distance = draws.iter().enumerate().map(gap).fold(0.0, f64::max) * libm::sqrt(n);
    assert!(distance < 1.9495, "Kolmogorov–Smirnov: √n D = {distance}");
}

/// Bounds that divide 2³² and bounds that do not; the last would show the bias of a plain remainder.
#[test]
fn whole_numbers_below_a_bound_are_uniform() {
    let mut rng = Rng::from_state(9);
    for bound in [6, 24, 64] {
        let mut counts = vec![0u32; bound as usize];
        (0..100_000).for_each(|_| counts[rng.below(bound) as usize] += 1);
        assert!(chi2(&counts) < critical(bound as usize - 1), "{bound}: χ² = {}", chi2(&counts));
    }
    let bound = 3 << 30;
    let mut thirds = [0u32; 3];
    (0..100_000).for_each(|_| thirds[(rng.below(bound) >> 30) as usize] += 1);
    assert!(chi2(&thirds) < 13.816, "χ² = {}", chi2(&thirds));
}

#[test]
fn chances_come_as_often_as_they_should() {
    let mut rng = Rng::from_state(11);
    for p in [0.0, 0.001, 0.3, 0.5, 1.0] {
        let n = 100_000.0;
        let hits = (0..100_000).filter(|_| rng.chance(p)).count() as f64;
        let deviation = libm::sqrt(n * p * (1.0 - p));
        assert!((hits - n * p).abs() <= 3.29 * deviation, "{p}: {hits} of {n}");
    }
}

/// All 24 orders of four things, equally often.
#[test]
fn shuffles_are_uniform_over_orders() {
    let mut rng = Rng::from_state(13);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..48_000 {
        let mut items = [0, 1, 2, 3];
        rng.shuffle(&mut items);
        *counts.entry(items).or_insert(0) += 1;
    }
    let counts: Vec<u32> = counts.into_values().collect();
    assert_eq!(counts.len(), 24);
    assert!(chi2(&counts) < critical(23), "χ² = {}", chi2(&counts));
}

/// Draws at one address against draws at its neighbour: no correlation, and pairs fill 16 × 16 cells
/// evenly (255 degrees of freedom: were the margins alone even, dependence would still show).
fn independent(what: &str, pairs: impl Iterator<Item = (f64, f64)>) {
    let (mut cells, mut product, mut n) = ([0u32; 256], 0.0, 0.0);
    for (one, other) in pairs {
        cells[(one * 16.0) as usize * 16 + (other * 16.0) as usize] += 1;
        product += (one - 0.5) * (other - 0.5);
        n += 1.0;
    }
    let correlation = 12.0 * product / n;
    assert!(n >= 50_000.0, "{what}: {n} pairs are too few");
    assert!(correlation.abs() < 3.29 / libm::sqrt(n), "{what}: correlation {correlation}");
    assert!(chi2(&cells) < critical(255), "{what}: χ² of pairs = {}", chi2(&cells));
}

/// Two neighbours in each part of an address, all else equal: seed, replication, purpose, entity, ordinal,
/// and place in the stream.
#[test]
fn draws_at_neighbouring_addresses_are_independent() {
    const N: u64 = 60_000;
    let at = |seed: u64, replication: u32, purpose, entity: u64, ordinal: u64| {
        Seed(seed).key(replication, purpose).open(entity, ordinal).uniform()
    };
    let link = Seed(1).key(0, Purpose::Link);
    for lag in [1, 2, 64, 1 << 32] {
        let entity = |e: u64| (link.open(e, 3).uniform(), link.open(e + lag, 3).uniform());
        independent(&format!("entities {lag} apart"), (0..N).map(entity));
        let ordinal = |o: u64| (link.open(3, o).uniform(), link.open(3, o + lag).uniform());
        independent(&format!("ordinals {lag} apart"), (0..N).map(ordinal));
    }
    let crossed = |i: u64| (link.open(i, i + 1).uniform(), link.open(i + 1, i).uniform());
    independent("entity and ordinal exchanged", (0..N).map(crossed));
    let task = Seed(1).key(0, Purpose::Task);
    let purposes = |e: u64| (link.open(e, 0).uniform(), task.open(e, 0).uniform());
    independent("purposes", (0..N).map(purposes));
    // Keys cost a ChaCha8 block each; the numbers are smaller, and spread over two parts.
    let keyed = |i: u64| ((i % 240) as u32, i / 240);
    independent(
        "replications",
        (0..N).map(keyed).map(|(k, e)| (at(1, k, Purpose::Task, e, 0), at(1, k + 1, Purpose::Task, e, 0))),
    );
    independent(
        "seeds",
        (0..N).map(keyed).map(|(s, e)| {
            let s = u64::from(s);
            (at(s, 0, Purpose::Task, e, 0), at(s + 1, 0, Purpose::Task, e, 0))
        }),
    );
    let within = |e: u64| {
        let mut rng = task.open(e, 0);
        (rng.uniform(), rng.uniform())
    };
    independent("places in a stream", (0..N).map(within));
}

/// The first draws at a few addresses, and of each sampler. They must not change between platforms, builds
/// or versions: a seed would no longer mean the same run.
#[test]
fn addresses_and_samplers_are_golden() {
    let open = |seed: u64, replication, purpose, entity, ordinal| {
        Seed(seed).key(replication, purpose).open(entity, ordinal).next_u64()
    };
    let addresses = [
        open(1, 0, Purpose::Arrival, 0, 0),
        open(1, 0, Purpose::Task, 17, 0),
        open(1, 7, Purpose::Link, 3, 1_000),
        open(u64::MAX, u32::MAX, Purpose::Trial, u64::MAX, u64::MAX),
    ];
    assert_eq!(addresses, GOLDEN_ADDRESSES, "{addresses:#x?}");
    let mut rng = Rng::from_state(1_234_567);
    let uniform = [rng.uniform(), rng.uniform()].map(f64::to_bits);
    let below = [rng.below(6), rng.below(1_000_000), rng.below(u32::MAX)];
    let chances = [0; 8].map(|_| rng.chance(0.5));
    let mut items = [0, 1, 2, 3, 4, 5, 6, 7];
    rng.shuffle(&mut items);
    assert_eq!((uniform, below, chances, items), GOLDEN_SAMPLERS, "{uniform:#x?}");
}

const GOLDEN_ADDRESSES: [u64; 4] =
    [0x7a72_1427_b3f1_4e19, 0x59d9_cd70_1200_5d63, 0x3f79_8e2c_e513_c60a, 0x461d_62c2_6124_8fb8];
const GOLDEN_SAMPLERS: ([u64; 2], [u32; 3], [bool; 8], [u8; 8]) = (
    [0x3fd6_67b4_05fe_c23e, 0x3fc6_39f8_422c_2a04],
    [3, 249007, 3820500070],
    [true, false, true, true, false, true, true, false],
    [6, 4, 7, 5, 3, 0, 2, 1],
);

#[test]
fn parts_of_a_key_share_no_address() {
    let key = Seed(7).key(0, Purpose::Trial);
    let mut seen = std::collections::BTreeSet::new();
    for part in 0..40 {
        for entity in 0..40 {
            assert!(seen.insert(key.within(part).open(entity, 0).next_u64()), "two parts collide");
            assert_eq!(key.within(part).open(entity, 1), key.within(part).open(entity, 1));
        }
    }
}
