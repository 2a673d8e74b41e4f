//! What the files of this crate share: scenarios as text, patterns by name, comparisons.

use std::sync::atomic::AtomicBool;

use anthill::engine::Seed;
use anthill::error::Error;
use anthill::experiment::{CompareOptions, Comparison, compare};
use anthill::pattern::PATTERNS;
use anthill::scenario::{Known, Scenario, TextOrigin};
use anthill::sim::{PatternDef, Setup};

/// The scenario that `text` says; `patterns` are known to it.
pub fn scenario_with(text: &str, patterns: &[PatternDef]) -> Scenario {
    let origin = TextOrigin { name: "test.toml".into(), stem: "test".into(), folder: ".".into() };
    Scenario::from_text(text, &origin, &[], &Known { patterns, trials: anthill::trial::TRIALS })
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The scenario that `text` says, with the registered patterns.
pub fn scenario(text: &str) -> Scenario {
    scenario_with(text, PATTERNS)
}

/// Replication 0 of it under seed 1.
pub fn setup(text: &str) -> Setup {
    replication(&scenario(text), 0)
}

/// Replication `number` of it under seed 1.
pub fn replication(scenario: &Scenario, number: u32) -> Setup {
    scenario.instantiate(Seed(1), number).unwrap_or_else(|error| panic!("{error}"))
}

/// The registered pattern called `name`.
pub fn pattern(name: &str) -> PatternDef {
    *PATTERNS.iter().find(|def| def.name == name).unwrap_or_else(|| panic!("there is no pattern {name}"))
}

/// Compares `patterns` on a scenario.
pub fn compared(
    scenario: &Scenario,
    patterns: &[PatternDef],
    replications: u32,
    threads: usize,
) -> Result<Comparison, Error> {
    let options = CompareOptions {
        patterns: patterns.to_vec(),
        ideal: pattern("ideal"),
        replications,
        max_replications: replications,
        seed: Seed(1),
        threads,
        fault_free: false,
    };
    compare(scenario, &options, &|_| (), &AtomicBool::new(false))
}
