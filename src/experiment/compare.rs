//! Runs every pattern on every replication and collects the results in order.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::judge::{self, Judged, Reading, judge};
use super::paired::paired_rows;
use super::pool::{Pool, Progress};
use super::result::{Comparison, PatternResult, Run};
use super::sequential;
use super::setups::Setups;
use crate::engine::Seed;
use crate::error::Error;
use crate::fault::Origin;
use crate::scenario::{Expectation, Scenario};
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
    /// How many at the most, where an expectation asks for a half-width that is not reached yet.
    pub max_replications: u32,
    /// Master seed.
    pub seed: Seed,
    /// Threads; 0 for one a core.
    pub threads: usize,
    /// Whether to run each pattern without faults as well.
    pub fault_free: bool,
}

/// Which runs a job belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Pattern(usize),
    Reference,
    FaultFree(usize),
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
pub(super) fn measured(scenario: &Scenario, outcome: Result<Outcome, Error>) -> Result<Outcome, Error> {
    outcome.map(|mut outcome| {
        outcome.metrics.set("rows_skipped", scenario.skipped_rows as f64);
        outcome
    })
}

/// Judges a scenario's expectations of one pattern on one run of it. Those that compare it with another
/// pattern are left out.
pub fn judge_one(scenario: &Scenario, outcome: &Outcome, replication: u32) -> Vec<Judged> {
    let name = outcome.pattern;
    let run = Run::of(replication, outcome.clone());
    let judged = scenario.expectations.iter().filter_map(|expected| {
        let reading = Reading::take(expected, |pattern| (pattern == name).then_some(&run))?;
        Some(judge(expected, &[reading]))
    });
    judged.collect()
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
    let pool = Pool::new(options.threads, each, stop)?;
    let budget = options.max_replications.max(options.replications);
    let setups = Setups::new(scenario, options.seed, budget, jobs(options, 0..1).len());
    let mut found = Found::new(options);
    let mut asked = options.replications;
    loop {
        let jobs = jobs(options, found.completed..asked);
        let run = |(block, replication): &(Block, u32)| {
            let setup = setups.take(*replication)?;
            let outcome = match *block {
                Block::Pattern(index) => (options.patterns[index].run)(&setup),
                Block::Reference => (options.ideal.run)(&setup.without_faults()),
                Block::FaultFree(index) => (options.patterns[index].run)(&setup.without_faults()),
            };
            measured(scenario, outcome)
        };
        let mut taken = Ok(());
        pool.run(&jobs, run, Result::is_err, |&(block, replication), outcome| {
            if taken.is_ok() {
                taken = outcome.map(|outcome| found.take(block, replication, outcome));
            }
        });
        taken?;
        if found.completed < asked || found.precise(scenario) {
            break;
        }
        let Some(more) = sequential::next(asked, budget) else { break };
        asked = more;
    }
    found.conclude(scenario, options, &setups, asked)
}

fn jobs(options: &CompareOptions, replications: Range<u32>) -> Vec<(Block, u32)> {
    let mut jobs = Vec::new();
    for replication in replications {
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

/// What a comparison has found so far: whole replications, in order.
struct Found {
    patterns: Vec<PatternResult>,
    reference: PatternResult,
    fault_free: Vec<PatternResult>,
    completed: u32,
    /// Outcomes of the replication under way, which count once all of them are there.
    pending: Vec<(Block, Outcome)>,
}

impl Found {
    fn new(options: &CompareOptions) -> Found {
        let patterns: Vec<_> = options.patterns.iter().map(|&def| PatternResult::new(def)).collect();
        let fault_free = if options.fault_free { patterns.clone() } else { Vec::new() };
        let reference = PatternResult::new(options.ideal);
        Found { patterns, reference, fault_free, completed: 0, pending: Vec::new() }
    }

    /// Takes the next outcome, in the order of [`jobs`].
    fn take(&mut self, block: Block, replication: u32, outcome: Outcome) {
        assert_eq!(replication, self.completed, "replications come one after the other");
        self.pending.push((block, outcome));
        if self.pending.len() < 1 + self.patterns.len() + self.fault_free.len() {
            return;
        }
        for (block, outcome) in self.pending.drain(..) {
            match block {
                Block::Pattern(index) => self.patterns[index].push(replication, outcome),
                Block::Reference => self.reference.push(replication, outcome),
                Block::FaultFree(index) => self.fault_free[index].push(replication, outcome),
            }
        }
        self.completed += 1;
    }

    /// What the replications say about an expectation; `None` if a pattern it needs is not compared.
    fn readings(&self, expected: &Expectation) -> Option<Vec<Reading>> {
        let run = |name: &str, replication: usize| {
            self.patterns.iter().find(|pattern| pattern.def.name == name)?.runs.get(replication)
        };
        let compared = |name: &str| self.patterns.iter().any(|pattern| pattern.def.name == name);
        if !expected.patterns().all(compared) {
            return None;
        }
        (0..self.completed as usize).map(|k| Reading::take(expected, |name| run(name, k))).collect()
    }

    /// Whether every expectation has the half-width it asks for.
    fn precise(&self, scenario: &Scenario) -> bool {
        let enough = |expected: &Expectation| {
            self.readings(expected).is_none_or(|readings| sequential::precise(expected, &readings))
        };
        scenario.expectations.iter().all(enough)
    }

    fn judged(&self, scenario: &Scenario, asked: u32) -> Vec<Judged> {
        let judged = scenario.expectations.iter().filter_map(|expected| {
            let judged = judge(expected, &self.readings(expected)?);
            if self.completed == asked {
                return Some(judged);
            }
            // Whoever stops when he likes what he sees would pass too often.
            let reason = "stopped before all replications were done".to_owned();
            Some(Judged { verdict: judge::Verdict::Unknown, reason, ..judged })
        });
        judged.collect()
    }

    fn conclude(
        self,
        scenario: &Scenario,
        options: &CompareOptions,
        setups: &Setups<'_>,
        asked: u32,
    ) -> Result<Comparison, Error> {
        let completed = self.completed;
        let plans: Vec<_> = (0..completed).map(|replication| setups.plan(replication)).collect();
        if completed == asked {
            // Of an interrupted comparison nobody can say what would have fired.
            check_laws_fired(&scenario.file.faults.laws(), &self.patterns, &plans)?;
        }
        Ok(Comparison {
            scenario: scenario.file.name.clone(),
            seed: options.seed.0,
            replications: asked,
            completed,
            repeats: self.patterns.iter().flat_map(repeats).collect(),
            paired: paired_rows(&self.patterns, &self.reference),
            judged: self.judged(scenario, asked),
            patterns: self.patterns,
            reference: self.reference,
            fault_free: self.fault_free,
            plans,
        })
    }
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
