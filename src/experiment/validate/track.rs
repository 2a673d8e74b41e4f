//! The replications of one part of a case, and how far they are.

use super::super::compare::measured;
use super::super::judge::Reading;
use super::super::pool::Pool;
use super::super::result::Run;
use super::super::sequential;
use super::{Judged, ValidateOptions, Verdict, judge};
use crate::engine::{Purpose, Seed};
use crate::error::Error;
use crate::scenario::{Expectation, Part, Scenario, Subject, TrialCase};
use crate::sim::PatternDef;

/// Seconds since some instant.
pub type Clock<'a> = &'a (dyn Fn() -> f64 + Sync);

/// A part under way.
#[derive(Clone, Debug)]
pub(super) struct Track<'a> {
    pub(super) part: &'a Part,
    pub(super) seed: Seed,
    /// By expectation, then by replication.
    readings: Vec<Vec<Reading>>,
    /// Replications done, asked for, and at the most.
    done: u32,
    asked: u32,
    budget: u32,
    /// Why it cannot be judged.
    broken: Option<String>,
    seconds: f64,
}

impl<'a> Track<'a> {
    /// Nothing done yet; `replications` are how many to begin with, and how many at the most.
    pub(super) fn new(part: &'a Part, seed: Seed, replications: (u32, u32)) -> Track<'a> {
        let (asked, budget) = replications;
        let readings = vec![Vec::new(); part.subject.expectations().len()];
        Track { part, seed, readings, done: 0, asked, budget, broken: None, seconds: 0.0 }
    }

    pub(super) fn done(&self) -> u32 {
        self.done
    }
    /// Whether a run of it broke an invariant, or could not be drawn.
    pub(super) fn broken(&self) -> bool {
        self.broken.is_some()
    }
    /// Whether nothing is left to do.
    pub(super) fn finished(&self) -> bool {
        self.done == self.asked || self.broken()
    }
    /// Time spent in its runs \[s\].
    pub(super) fn seconds(&self) -> f64 {
        self.seconds
    }
    /// What each expectation read so far.
    pub(super) fn readings(&self) -> &[Vec<Reading>] {
        &self.readings
    }

    /// The verdicts, in the order of the file.
    pub(super) fn judged(&self) -> Vec<Judged> {
        let expectations = self.part.subject.expectations();
        let verdict = |(index, expected): (usize, &Expectation)| match &self.broken {
            Some(why) => Judged::without_measurement(expected, Verdict::Fail, why.clone()),
            None if !self.finished() => {
                let why = "stopped before all replications were done".to_owned();
                Judged::without_measurement(expected, Verdict::Unknown, why)
            }
            None => judge(expected, self.readings[index].as_slice()),
        };
        expectations.iter().enumerate().map(verdict).collect()
    }

    /// Takes the next replication's readings.
    fn take(&mut self, readings: Result<Vec<Reading>, Error>, seconds: f64) {
        self.seconds += seconds;
        match readings {
            Ok(readings) => {
                for (all, reading) in self.readings.iter_mut().zip(readings) {
                    all.push(reading);
                }
                self.done += 1;
            }
            Err(error) => {
                let what = error.to_string();
                let what = what.strip_prefix("error: ").unwrap_or(&what);
                let repeat = format!(" (replication {}, seed {})", self.done, self.seed.0);
                self.broken.get_or_insert_with(|| format!("{what}{repeat}"));
            }
        }
    }

    /// Asks for more replications, if an expectation needs them and the budget allows.
    fn go_on(&mut self) {
        let mut expectations = self.part.subject.expectations().iter().zip(&self.readings);
        if !expectations.all(|(expected, readings)| sequential::precise(expected, readings)) {
            self.asked = sequential::next(self.done, self.budget).unwrap_or(self.asked);
        }
    }
}

/// Runs every track to its end, or until somebody stops the pool.
///
/// Rounds of all that is asked for at the time: what a track asks for next depends on its own readings alone,
/// so that its companions change nothing.
pub(super) fn run(tracks: &mut [Track<'_>], options: &ValidateOptions<'_>, pool: &Pool<'_>) {
    loop {
        let open = tracks.iter().enumerate().filter(|(_, track)| !track.finished());
        let jobs: Vec<(usize, u32)> = open
            .flat_map(|(index, track)| (track.done..track.asked).map(move |replication| (index, replication)))
            .collect();
        if jobs.is_empty() || pool.stopped() {
            return;
        }
        let mut results = Vec::with_capacity(jobs.len());
        {
            let job = |&(index, replication): &(usize, u32)| {
                let began = (options.clock)();
                let track = &tracks[index];
                let readings = replicate(&track.part.subject, options.patterns, track.seed, replication);
                (readings, (options.clock)() - began)
            };
            // What is kept of a run is what its expectations read.
            pool.run(&jobs, job, |_| false, |&(index, _), result| results.push((index, result)));
        }
        for (index, (readings, seconds)) in results {
            // After one that broke, the numbers of the others would not fit their places.
            let track = &mut tracks[index];
            if track.broken() {
                track.seconds += seconds;
            } else {
                track.take(readings, seconds);
            }
        }
        for track in tracks.iter_mut().filter(|track| track.done > 0 && track.finished() && !track.broken()) {
            track.go_on();
        }
    }
}

/// The readings of one replication, in the order of the expectations.
fn replicate(
    subject: &Subject,
    patterns: &[PatternDef],
    seed: Seed,
    replication: u32,
) -> Result<Vec<Reading>, Error> {
    match subject {
        Subject::Scenario(scenario) => of_scenario(scenario, patterns, seed, replication),
        Subject::Trial(trial) => of_trial(trial, seed, replication),
    }
}

/// Runs the patterns that expectations need, on one setup.
fn of_scenario(
    scenario: &Scenario,
    patterns: &[PatternDef],
    seed: Seed,
    replication: u32,
) -> Result<Vec<Reading>, Error> {
    let setup = scenario.instantiate(seed, replication)?;
    let needed = |def: &&PatternDef| {
        scenario.expectations.iter().any(|expected| expected.patterns().any(|name| name == def.name))
    };
    let mut runs: Vec<(&str, Run)> = Vec::new();
    for def in patterns.iter().filter(needed) {
        let outcome = measured(scenario, (def.run)(&setup))?;
        runs.push((def.name, Run::of(replication, outcome)));
    }
    let run_of = |name: &str| runs.iter().find(|(other, _)| *other == name).map(|(_, run)| run);
    let reading = |expected| {
        Reading::take(expected, run_of).ok_or_else(|| Error::Invariant("a pattern was not run".to_owned()))
    };
    scenario.expectations.iter().map(reading).collect()
}

fn of_trial(trial: &TrialCase, seed: Seed, replication: u32) -> Result<Vec<Reading>, Error> {
    let values = (trial.def.run)(&trial.params, seed.key(replication, Purpose::Trial))?;
    let value = |name: &str| {
        let place = trial.def.metrics.iter().position(|def| def.name == name);
        place.map_or(f64::NAN, |place| values[place])
    };
    Ok(trial.expectations.iter().map(|expected| Reading::of(value(&expected.metric))).collect())
}
