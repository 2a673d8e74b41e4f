//! Whether 95 % of the intervals hold the reference, over the cases and many master seeds (V-16).
//!
//! Every equality is estimated anew under each seed, from the replications its file begins with, and it is
//! counted whether its interval holds the reference. A suite whose intervals are honest covers in 95 of 100;
//! one that passes by wide tolerances or by luck does not.

use std::sync::atomic::AtomicBool;

use super::super::judge::estimate;
use super::super::pool::{Pool, Progress};
use super::track::{self, Track};
use super::{Case, ValidateOptions};
use crate::engine::Seed;
use crate::error::Error;
use crate::scenario::{Claim, Expectation};
use crate::stats::LEVEL;
use crate::stats::interval::{Interval, share_interval};

/// How many intervals hold their reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// The family of cases, or "all".
    pub family: String,
    /// Expectations counted.
    pub expectations: usize,
    /// Intervals that hold the reference.
    pub covered: usize,
    /// Intervals.
    pub intervals: usize,
}

impl Coverage {
    /// The share with its 95 % interval. Expectations of one case share their runs, so that it is rather too
    /// narrow.
    pub fn share(&self) -> Interval {
        share_interval(self.covered, self.intervals, LEVEL)
    }
}

/// The coverage of a set of cases.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Master seeds used.
    pub seeds: u32,
    /// By family, in the order of the cases.
    pub families: Vec<Coverage>,
    /// Over all families.
    pub all: Coverage,
    /// Whether nobody interrupted.
    pub complete: bool,
}

/// How far the share may be from 0.95 (V-16).
const ALLOWED: f64 = 0.02;

impl Calibration {
    /// Whether the share is about 0.95: within 0.02 of it, or not told apart from it.
    pub fn honest(&self) -> bool {
        let share = self.all.share();
        (share.estimate - LEVEL).abs() <= ALLOWED || share.contains(LEVEL)
    }
}

/// Counts over `seeds` master seeds how many intervals hold their reference. Progress and `stop` as in
/// [`validate`](super::validate).
///
/// # Errors
/// If there are no threads to run on, or a run breaks an invariant.
pub fn calibrate(
    cases: &[Case],
    seeds: u32,
    options: &ValidateOptions<'_>,
    each: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<Calibration, Error> {
    let pool = Pool::new(options.threads, each, stop)?;
    let mut calibration = Calibration {
        seeds: 0,
        families: Vec::new(),
        all: Coverage { family: "all".to_owned(), expectations: 0, covered: 0, intervals: 0 },
        complete: true,
    };
    for seed in 0..seeds {
        let mut tracks = Vec::new();
        let mut families = Vec::new();
        for case in cases {
            for part in case.parts.iter().filter(|part| part.subject.expectations().iter().any(counts)) {
                let n = part.subject.file().run.replications;
                let variant = part.variant.as_deref().unwrap_or_default();
                let mixed = mix(options.seed.unwrap_or(0), seed, &[&case.id, variant]);
                tracks.push(Track::new(part, mixed, (n, n)));
                families.push(case.family.as_str());
            }
        }
        track::run(&mut tracks, options, &pool);
        if pool.stopped() {
            calibration.complete = false;
            break;
        }
        for (track, family) in tracks.iter().zip(families) {
            if let Some(judged) = track.judged().first().filter(|_| track.broken()) {
                return Err(Error::Invariant(judged.reason.clone()));
            }
            calibration.count(track, family);
        }
        calibration.seeds += 1;
    }
    Ok(calibration)
}

impl Calibration {
    fn count(&mut self, track: &Track<'_>, family: &str) {
        let index = self.families.iter().position(|known| known.family == family).unwrap_or_else(|| {
            let family = family.to_owned();
            self.families.push(Coverage { family, expectations: 0, covered: 0, intervals: 0 });
            self.families.len() - 1
        });
        let expectations = track.part.subject.expectations().iter().zip(track.readings());
        for (expected, readings) in expectations.filter(|(expected, _)| counts(expected)) {
            let Claim::Equal { value, .. } = expected.claim else { continue };
            let covered = usize::from(estimate(expected, readings).contains(value));
            for coverage in [&mut self.families[index], &mut self.all] {
                coverage.expectations += usize::from(self.seeds == 0);
                coverage.covered += covered;
                coverage.intervals += 1;
            }
        }
    }
}

/// Whether an expectation has an interval that ought to hold its reference: an equality with a reference
/// that is known exactly.
fn counts(expected: &Expectation) -> bool {
    matches!(expected.claim, Claim::Equal { reference_half_width, .. } if reference_half_width == 0.0)
}

/// A seed for each part: parts that shared one would miss together. FNV-1a over the bytes of all.
fn mix(seed: u64, number: u32, names: &[&str]) -> Seed {
    let names = names.iter().flat_map(|name| name.bytes().chain([0]));
    let bytes = seed.to_le_bytes().into_iter().chain(number.to_le_bytes()).chain(names);
    Seed(bytes.fold(0xCBF2_9CE4_8422_2325, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    }))
}
