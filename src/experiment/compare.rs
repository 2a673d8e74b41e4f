//! Runs every pattern on every replication and collects the results in order.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::paired::paired_rows;
use super::result::{Comparison, PatternResult};
use crate::engine::Seed;
use crate::error::Error;
use crate::fault::Origin;
use crate::scenario::Scenario;
use crate::sim::{Firing, Outcome, PatternDef, Setup};

/// What to compare.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// The patterns, in the order of the results.
    pub patterns: Vec<PatternDef>,
    /// How the oracle is reached, for the reference runs without faults.
    pub ideal: PatternDef,
    /// How many replications.
    pub replications: u32,
    /// Master seed.
    pub seed: Seed,
    /// Threads; 0 for one a core.
    pub threads: usize,
    /// Whether to run each pattern without faults as well.
    pub fault_free: bool,
}

/// How far a comparison is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Runs done.
    pub done: usize,
    /// Runs in all.
    pub total: usize,
}

/// Which runs a job belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Pattern(usize),
    Reference,
    FaultFree(usize),
}

/// Setups of the replications, each drawn once and shared by all patterns.
struct Setups<'a> {
    scenario: &'a Scenario,
    seed: Seed,
    drawn: Vec<OnceLock<Result<Arc<Setup>, String>>>,
}

impl Setups<'_> {
    fn get(&self, replication: u32) -> Result<Arc<Setup>, Error> {
        let drawn = self.drawn[replication as usize].get_or_init(|| {
            self.scenario.instantiate(self.seed, replication).map(Arc::new).map_err(|error| error.to_string())
        });
        drawn.clone().map_err(Error::Invariant)
    }
}

/// Runs one replication of one pattern.
///
/// # Errors
/// If the scenario cannot be drawn or an invariant breaks.
pub fn run_one(
    scenario: &Scenario,
    pattern: &PatternDef,
    seed: Seed,
    replication: u32,
) -> Result<(Outcome, Setup), Error> {
    let setup = scenario.instantiate(seed, replication)?;
    let outcome = measured(scenario, (pattern.run)(&setup))?;
    Ok((outcome, setup))
}

/// The outcome of a run with the one metric that no run can know: it was counted when the scenario was read.
fn measured(scenario: &Scenario, outcome: Result<Outcome, Error>) -> Result<Outcome, Error> {
    outcome.map(|mut outcome| {
        outcome.metrics.set("rows_skipped", scenario.skipped_rows as f64);
        outcome
    })
}

/// Compares patterns on `scenario`. `each` is called from worker threads after every run; when `stop` is
/// set, runs not yet begun are left out and the results cover the replications every pattern completed.
///
/// # Errors
/// If the scenario cannot be drawn, an invariant breaks in a run, or a random fault law never fired.
pub fn compare(
    scenario: &Scenario,
    options: &CompareOptions,
    each: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<Comparison, Error> {
    let replications = options.replications;
    let setups =
        Setups { scenario, seed: options.seed, drawn: (0..replications).map(|_| OnceLock::new()).collect() };
    let jobs = jobs(options);
    let total = jobs.len();
    let run = |(block, replication): (Block, u32)| {
        let setup = setups.get(replication)?;
        match block {
            Block::Pattern(index) => (options.patterns[index].run)(&setup),
            Block::Reference => (options.ideal.run)(&setup.without_faults()),
            Block::FaultFree(index) => (options.patterns[index].run)(&setup.without_faults()),
        }
    };
    let outcomes: Mutex<Vec<Option<Result<Outcome, Error>>>> =
        Mutex::new(jobs.iter().map(|_| None).collect());
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build()
        .map_err(|error| Error::Incomplete(format!("no threads to run on: {error}")))?;
    // Every thread takes the next job from the front of the list, so that an interrupted comparison has
    // whole replications. (A parallel iterator would begin in the middle of the list as well.)
    pool.broadcast(|_| {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(&job) = jobs.get(index) else { return };
            let outcome = measured(scenario, run(job));
            let failed = outcome.is_err();
            outcomes.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(outcome);
            each(Progress { done: done.fetch_add(1, Ordering::Relaxed) + 1, total });
            if failed {
                // Nothing can be concluded any more: let the others stop as well.
                next.fetch_add(total, Ordering::Relaxed);
            }
        }
    });
    let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    collect(scenario, options, &setups, jobs, outcomes)
}

fn jobs(options: &CompareOptions) -> Vec<(Block, u32)> {
    let mut jobs = Vec::new();
    for replication in 0..options.replications {
        jobs.push((Block::Reference, replication));
        for index in 0..options.patterns.len() {
            jobs.push((Block::Pattern(index), replication));
            if options.fault_free {
                jobs.push((Block::FaultFree(index), replication));
            }
        }
    }
    jobs
}

fn collect(
    scenario: &Scenario,
    options: &CompareOptions,
    setups: &Setups<'_>,
    jobs: Vec<(Block, u32)>,
    outcomes: Vec<Option<Result<Outcome, Error>>>,
) -> Result<Comparison, Error> {
    let mut patterns: Vec<_> = options.patterns.iter().map(|&def| PatternResult::new(def)).collect();
    let mut fault_free = if options.fault_free { patterns.clone() } else { Vec::new() };
    let mut reference = PatternResult::new(options.ideal);
    let missing =
        jobs.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_none()).map(|(job, _)| job.1).min();
    let completed = missing.unwrap_or(options.replications);
    for ((block, replication), outcome) in jobs.into_iter().zip(outcomes) {
        let Some(outcome) = outcome else { continue };
        let outcome = outcome?;
        if replication < completed {
            match block {
                Block::Pattern(index) => patterns[index].push(replication, outcome),
                Block::Reference => reference.push(replication, outcome),
                Block::FaultFree(index) => fault_free[index].push(replication, outcome),
            }
        }
    }
    let plans: Result<Vec<_>, Error> =
        (0..completed).map(|replication| Ok(Arc::clone(&setups.get(replication)?.faults))).collect();
    let plans = plans?;
    if completed == options.replications {
        // Of an interrupted comparison nobody can say what would have fired.
        check_laws_fired(&scenario.file.faults.laws(), &patterns, &plans)?;
    }
    let repeats = patterns.iter().flat_map(repeats).collect();
    let paired = paired_rows(&patterns, &reference);
    Ok(Comparison {
        scenario: scenario.file.name.clone(),
        seed: options.seed.0,
        replications: options.replications,
        completed,
        patterns,
        reference,
        fault_free,
        paired,
        plans,
        repeats,
    })
}

/// A random law must fire at least once in the comparison (model.md §4).
fn check_laws_fired(
    laws: &[&'static str],
    patterns: &[PatternResult],
    plans: &[Arc<crate::fault::FaultPlan>],
) -> Result<(), Error> {
    use std::collections::BTreeMap;
    // A comparison stopped before its first replication says nothing about any law.
    for pattern in patterns.iter().filter(|pattern| !pattern.def.oracle && !pattern.runs.is_empty()) {
        // A law that drew no strike at all has no entry in any plan.
        let mut fired: BTreeMap<&'static str, bool> = laws.iter().map(|&law| (law, false)).collect();
        for (run, plan) in pattern.runs.iter().zip(plans) {
            for (entry, firing) in plan.entries.iter().zip(&run.firing) {
                if entry.origin == Origin::Law {
                    *fired.entry(entry.kind.name()).or_default() |=
                        matches!(firing, Firing::Fired | Firing::NotApplicable);
                }
            }
        }
        if let Some((kind, _)) = fired.iter().find(|(_, fired)| !**fired) {
            return Err(Error::Invariant(format!(
                "the random law of `{kind}` never changed anything under {}, in {} replications",
                pattern.def.name,
                pattern.runs.len()
            )));
        }
    }
    Ok(())
}

/// Replications that came out bit-equal: a sign that they share a seed (model.md §5).
fn repeats(pattern: &PatternResult) -> Vec<(String, u32, u32)> {
    let mut seen = std::collections::BTreeMap::new();
    let mut repeats = Vec::new();
    for run in &pattern.runs {
        if let Some(first) = seen.insert(run.fingerprint, run.replication) {
            repeats.push((pattern.def.name.to_owned(), first, run.replication));
        }
    }
    repeats
}
