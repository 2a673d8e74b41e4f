//! Whether runs repeat: a random sample of (pattern, replication) is drawn and run anew, on another number
//! of threads, and must come out the same to the bit.
//!
//! A run keeps a [`Trail`] of its records in bounded memory: the rolling digest at evenly spread points.
//! Where two runs differ, their trails say between which two points they part; the next two runs record
//! what lies between, and the first record that differs is reported with its time and its cause. A pattern
//! that keeps something between runs may part elsewhere each time, so this is tried a few times over.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::compare::run_one;
use crate::engine::{EventId, Purpose, Seed, Time};
use crate::error::Error;
use crate::scenario::Scenario;
use crate::sim::{Outcome, PatternDef, Setup};
use crate::trace::{Fingerprint, Observer, Record};

/// What to verify.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The patterns to draw from.
    pub patterns: Vec<PatternDef>,
    /// Replications to draw from: those below this number.
    pub replications: u32,
    /// How many runs to draw; all, where there are fewer.
    pub sample: usize,
    /// Master seed. It decides the sample, too.
    pub seed: Seed,
    /// Threads of the first pass; 0 for one a core. The second pass takes another number.
    pub threads: usize,
    /// A run's row of results, as it is written.
    pub row: fn(&Outcome, Seed, u32) -> String,
}

/// Which run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name of the pattern.
    pub pattern: &'static str,
    /// Which replication.
    pub replication: u32,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The runs drawn, in order of replication, and the fingerprint of each in the first pass.
    pub runs: Vec<(Address, u64)>,
    /// Threads of the two passes.
    pub threads: [usize; 2],
    /// The runs that did not repeat.
    pub mismatches: Vec<Mismatch>,
}

/// A run that came out twice in different ways.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// Which run.
    pub address: Address,
    /// Its fingerprints in the two passes.
    pub fingerprints: [u64; 2],
    /// Its rows of results in the two passes.
    pub rows: [String; 2],
    /// Where two more runs parted; `None` where none did again.
    pub parting: Option<Parting>,
}

/// Where two runs of the same thing part.
#[derive(Clone, Debug)]
pub struct Parting {
    /// How many records they have in common.
    pub common: u64,
    /// The last common records, oldest first.
    pub before: Vec<Seen>,
    /// The first record that differs, of one run and of the other; `None` where a run had ended, or where
    /// the runs part elsewhere each time.
    pub first: [Option<Seen>; 2],
}

/// A record with its time and its cause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// When.
    pub at: Time,
    /// The ordinal of the event that brought it about.
    pub cause: EventId,
    /// What.
    pub record: Record,
}

/// Runs a sample of `scenario` twice. `each` is called from worker threads after every run.
///
/// # Errors
/// If the scenario cannot be drawn, an invariant breaks in a run, or there are no threads to run on.
pub fn verify(
    scenario: &Scenario,
    options: &VerifyOptions,
    each: &(dyn Fn() + Sync),
) -> Result<Verification, Error> {
    let sample = draw(options);
    let first = pool(options.threads)?;
    let cores = first.current_num_threads();
    let second = pool(if cores == 1 { 2 } else { 1 })?;
    let threads = [cores, second.current_num_threads()];
    let one = pass(scenario, options, &sample, &first, each)?;
    let other = pass(scenario, options, &sample, &second, each)?;
    let mut mismatches = Vec::new();
    let mut runs = Vec::new();
    for (&(index, replication), (one, other)) in sample.iter().zip(one.into_iter().zip(other)) {
        let def = &options.patterns[index];
        let address = Address { pattern: def.name, replication };
        runs.push((address, one.0));
        if one != other {
            let setup = scenario.instantiate(options.seed, replication)?;
            let parting = part(def, &setup, if cores == 1 { &second } else { &first })?;
            let (fingerprints, rows) = ([one.0, other.0], [one.1, other.1]);
            mismatches.push(Mismatch { address, fingerprints, rows, parting });
        }
    }
    Ok(Verification { runs, threads, mismatches })
}

/// A random sample of positions of patterns and replications, without repetition, in order.
fn draw(options: &VerifyOptions) -> Vec<(usize, u32)> {
    let pairs = (0..options.replications).flat_map(|k| (0..options.patterns.len()).map(move |p| (p, k)));
    let mut pairs: Vec<(usize, u32)> = pairs.collect();
    // Replication numbers run to u32::MAX, and none is that high.
    options.seed.key(u32::MAX, Purpose::Resample).open(0, 0).shuffle(&mut pairs);
    pairs.truncate(options.sample);
    pairs.sort_unstable_by_key(|&(pattern, replication)| (replication, pattern));
    pairs
}

fn pool(threads: usize) -> Result<rayon::ThreadPool, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Error::Incomplete(format!("no threads to run on: {error}")))
}

/// Fingerprint and row of every run of the sample, in that order.
fn pass(
    scenario: &Scenario,
    options: &VerifyOptions,
    sample: &[(usize, u32)],
    pool: &rayon::ThreadPool,
    each: &(dyn Fn() + Sync),
) -> Result<Vec<(u64, String)>, Error> {
    let done = Mutex::new(Vec::with_capacity(sample.len()));
    let next = AtomicUsize::new(0);
    pool.broadcast(|_| {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(&(index, replication)) = sample.get(place) else { return };
            // The setup is drawn anew for every run: drawing must repeat as well.
            let outcome = run_one(scenario, &options.patterns[index], options.seed, replication);
            let kept = outcome.map(|(outcome, _)| {
                (outcome.fingerprint, (options.row)(&outcome, options.seed, replication))
            });
            done.lock().unwrap_or_else(PoisonError::into_inner).push((place, kept));
            each();
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, kept)| kept).collect()
}

/// How often two more runs are made to find where they part.
const TRIES: usize = 6;
/// How many common records are shown.
const SHOWN: u64 = 3;

/// Where two runs of `def` on `setup`, at the same time, part; `None` if they do not.
fn part(def: &PatternDef, setup: &Setup, pool: &rayon::ThreadPool) -> Result<Option<Parting>, Error> {
    let mut found = None;
    let mut window = 0..0;
    for _ in 0..TRIES {
        let follow = || {
            let mut trail = Trail::recording(window.clone());
            (def.watch)(setup, &mut trail).map(|_| trail)
        };
        let (one, other) = pool.install(|| rayon::join(follow, follow));
        let (one, other) = (one?, other?);
        let Some(between) = one.parts_from(&other) else { continue };
        if let Some(parting) = one.parting(&other) {
            return Ok(Some(parting));
        }
        found = Some(Parting { common: between.start, before: Vec::new(), first: [None, None] });
        window = between.start.saturating_sub(SHOWN)..between.end;
    }
    Ok(found)
}

/// Most points a trail keeps.
const POINTS: usize = 4_096;

/// The digests of a run at evenly spread points, in bounded memory, and the records of one stretch.
#[derive(Debug)]
struct Trail {
    digest: Fingerprint,
    /// Records seen.
    seen: u64,
    /// The digest after every `stride` records: a power of two, doubled when the points become too many.
    points: Vec<u64>,
    stride: u64,
    window: std::ops::Range<u64>,
    recorded: Vec<Seen>,
}

impl Trail {
    fn recording(window: std::ops::Range<u64>) -> Trail {
        Trail {
            digest: Fingerprint::default(),
            seen: 0,
            points: Vec::new(),
            stride: 1,
            window,
            recorded: Vec::new(),
        }
    }

    /// The digest after `place` points of `stride` records, or at the end.
    fn at(&self, place: u64, stride: u64) -> Option<u64> {
        let point = place.checked_mul(stride / self.stride)?.checked_sub(1)?;
        self.points.get(point as usize).copied()
    }

    /// The stretch of records in which two runs part: they agree up to its start, and differ at its end.
    fn parts_from(&self, other: &Trail) -> Option<std::ops::Range<u64>> {
        if self.digest == other.digest && self.seen == other.seen {
            return None;
        }
        let stride = self.stride.max(other.stride);
        let agree = |place: &u64| {
            let (one, two) = (self.at(*place, stride), other.at(*place, stride));
            one.is_some() && one == two
        };
        let common = (1..).take_while(agree).count() as u64 * stride;
        Some(common..common + stride)
    }

    /// The first record that differs, if both runs recorded it and agreed on something before, or from the
    /// start on.
    fn parting(&self, other: &Trail) -> Option<Parting> {
        let pairs = self.recorded.len().max(other.recorded.len());
        let of = |trail: &Trail, index: usize| trail.recorded.get(index).copied();
        let index = (0..pairs).find(|&index| of(self, index) != of(other, index))?;
        // Runs that differ from the first record of the window on may have parted before it.
        if index == 0 && self.window.start > 0 {
            return None;
        }
        Some(Parting {
            common: self.window.start + index as u64,
            before: self.recorded[index.saturating_sub(SHOWN as usize)..index].to_vec(),
            first: [of(self, index), of(other, index)],
        })
    }
}

impl Observer for Trail {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        if self.window.contains(&self.seen) {
            self.recorded.push(Seen { at, cause, record: *record });
        }
        self.digest.observe(at, cause, record);
        self.seen += 1;
        if self.seen.is_multiple_of(self.stride) {
            self.points.push(self.digest.value());
        }
        if self.points.len() == POINTS {
            // Every second point is kept: after 2, 4, 6, … strides.
            let mut odd = true;
            self.points.retain(|_| {
                odd = !odd;
                odd
            });
            self.stride *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::TaskId;

    /// A trail of `length` records, the one at `odd` unlike the others.
    fn trail(length: u64, odd: u64, window: std::ops::Range<u64>) -> Trail {
        let mut trail = Trail::recording(window);
        for index in 0..length {
            let task = TaskId(if index == odd { 9 } else { 0 });
            trail.observe(Time::from_nanos(index), EventId(index), &Record::Arrived { task });
        }
        trail
    }

    #[test]
    fn trails_find_the_record_at_which_runs_part_in_bounded_memory() {
        for (length, odd) in
            [(1, 0), (10, 3), (4_095, 4_094), (4_096, 0), (100_000, 77_777), (1 << 20, 12_345)]
        {
            let (one, other) = (trail(length, u64::MAX, 0..0), trail(length, odd, 0..0));
            assert!(one.points.len() < POINTS && one.stride.is_power_of_two());
            let window = one.parts_from(&other).expect("they part");
            assert!(
                window.contains(&odd) && window.end - window.start <= length / 1_024 + 1,
                "{odd}: {window:?}"
            );
            let window = window.start.saturating_sub(SHOWN)..window.end;
            let (one, other) = (trail(length, u64::MAX, window.clone()), trail(length, odd, window));
            let parting = one.parting(&other).expect("it is recorded");
            assert_eq!(parting.common, odd);
            assert_eq!(parting.first[1].map(|seen| seen.record), Some(Record::Arrived { task: TaskId(9) }));
            assert_eq!(parting.before.len() as u64, odd.min(SHOWN));
        }
        assert!(trail(100, 7, 0..0).parts_from(&trail(100, 7, 0..0)).is_none());
    }

    #[test]
    fn a_run_that_ends_early_parts_at_its_end() {
        let (short, long) = (trail(5_000, u64::MAX, 0..0), trail(9_001, u64::MAX, 0..0));
        let window = short.parts_from(&long).expect("one goes on");
        assert!(window.contains(&5_000), "{window:?}");
        let again = |length| trail(length, u64::MAX, window.start.saturating_sub(SHOWN)..window.end);
        let parting = again(5_000).parting(&again(9_001)).expect("it is recorded");
        assert_eq!((parting.common, parting.first[0]), (5_000, None));
        assert_eq!(parting.first[1].map(|seen| seen.at), Some(Time::from_nanos(5_000)));
    }
}
