//! Many files with expectations at once: every case, every variant, every replication, on all threads.
//!
//! The protocol is that of the reference results (README there): the reference lies in the 95 % interval,
//! whose half-width is within the tolerance. Of many such intervals one in twenty misses by chance, so a part
//! of which an expectation fails is run once more, with a fresh seed and four times the replications, and
//! fails if it misses again. Only numbers that expectations ask for are kept, so that a thousand
//! replications need no memory.

mod calibrate;
mod track;

use std::sync::atomic::AtomicBool;

pub use calibrate::{Calibration, Coverage, calibrate};
pub use track::Clock;

use super::judge::{Judged, Verdict, judge};
use super::pool::{Pool, Progress};
use crate::engine::Seed;
use crate::error::Error;
use crate::scenario::Case;
use crate::sim::PatternDef;
use track::Track;

/// Work of the second run beside the first.
const RERUN_WORK: u32 = 4;

/// How to validate.
#[derive(Clone, Copy)]
pub struct ValidateOptions<'a> {
    /// The registered patterns.
    pub patterns: &'a [PatternDef],
    /// Threads; 0 for one a core.
    pub threads: usize,
    /// Master seed in place of each file's own.
    pub seed: Option<u64>,
    /// Measures what a case costs; no result depends on it.
    pub clock: Clock<'a>,
}

impl std::fmt::Debug for ValidateOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ValidateOptions").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// What came of one expectation.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The variant it belongs to; `None` for the file as it is.
    pub variant: Option<String>,
    /// Master seed of the replications behind it.
    pub seed: u64,
    /// What was measured, and the verdict.
    pub judged: Judged,
    /// The first run, where it missed and this is the second.
    pub missed: Option<Judged>,
}

/// What came of one case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// Its id.
    pub id: String,
    /// The part of the id before the first `-`.
    pub family: String,
    /// "scenario" or "trial".
    pub kind: &'static str,
    /// What it asks, in a sentence.
    pub about: String,
    /// Where its references come from.
    pub source: String,
    /// A finding for each expectation, in the order of the file.
    pub findings: Vec<Finding>,
    /// Time spent in its runs, over all threads \[s\].
    pub seconds: f64,
}

impl CaseResult {
    /// A case passes if all of its expectations do.
    pub fn verdict(&self) -> Verdict {
        Verdict::worst(self.findings.iter().map(|finding| finding.judged.verdict))
    }
}

/// What came of all cases.
#[derive(Clone, Debug)]
pub struct Validation {
    /// The cases, in the order given.
    pub cases: Vec<CaseResult>,
    /// Whether nobody interrupted.
    pub complete: bool,
}

impl Validation {
    /// The worst verdict of all cases.
    pub fn verdict(&self) -> Verdict {
        Verdict::worst(self.cases.iter().map(CaseResult::verdict))
    }
    /// Every finding, with its case.
    pub fn findings(&self) -> impl Iterator<Item = (&CaseResult, &Finding)> {
        self.cases.iter().flat_map(|case| case.findings.iter().map(move |finding| (case, finding)))
    }
}

/// Validates `cases`. `each` is called from worker threads after every job, a replication of one part; when
/// `stop` is set, jobs not yet begun are left out and what is not done is unknown.
///
/// A run that breaks an invariant fails its part and no other.
///
/// # Errors
/// If there are no threads to run on.
pub fn validate(
    cases: &[Case],
    options: &ValidateOptions<'_>,
    each: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<Validation, Error> {
    let pool = Pool::new(options.threads, each, stop)?;
    let parts = || cases.iter().flat_map(|case| case.parts.iter());
    let seed_of = |file: u64| Seed(options.seed.unwrap_or(file));
    let mut first: Vec<Track<'_>> = parts()
        .map(|part| {
            let run = &part.subject.file().run;
            Track::new(part, seed_of(run.seed), (run.replications, run.max_replications()))
        })
        .collect();
    track::run(&mut first, options, &pool);
    let judged: Vec<Vec<Judged>> = first.iter().map(Track::judged).collect();

    let missed = |judged: &[Judged]| judged.iter().any(|judged| judged.verdict == Verdict::Fail);
    let mut second: Vec<Track<'_>> = Vec::new();
    let mut again: Vec<Option<usize>> = Vec::new();
    for (track, judged) in first.iter().zip(&judged) {
        // A broken invariant is no bad luck.
        let rerun = missed(judged) && !track.broken() && track.finished();
        again.push(rerun.then_some(second.len()));
        if rerun {
            let work = track.done().saturating_mul(RERUN_WORK);
            second.push(Track::new(track.part, fresh(track.seed), (work, work)));
        }
    }
    track::run(&mut second, options, &pool);

    let mut findings = first.iter().zip(judged).zip(again).map(|((track, judged), again)| {
        let second = again.map(|index| &second[index]);
        let seconds = track.seconds() + second.map_or(0.0, Track::seconds);
        (findings_of(track, judged, second), seconds)
    });
    let results = cases.iter().map(|case| {
        let found: Vec<(Vec<Finding>, f64)> = findings.by_ref().take(case.parts.len()).collect();
        CaseResult {
            id: case.id.clone(),
            family: case.family.clone(),
            kind: case.kind(),
            about: case.file.about.clone(),
            source: case.file.case.source.clone(),
            seconds: found.iter().map(|(_, seconds)| seconds).sum(),
            findings: found.into_iter().flat_map(|(findings, _)| findings).collect(),
        }
    });
    let cases = results.collect();
    Ok(Validation { cases, complete: !pool.stopped() })
}

/// The findings of a part, from its first run and from the second where that was needed.
fn findings_of(first: &Track<'_>, judged: Vec<Judged>, second: Option<&Track<'_>>) -> Vec<Finding> {
    let variant = first.part.variant.clone();
    let rejudged = second.map(|track| (track.seed.0, track.judged()));
    let finding = |(index, judged): (usize, Judged)| match &rejudged {
        Some((seed, again)) if judged.verdict == Verdict::Fail => Finding {
            variant: variant.clone(),
            seed: *seed,
            judged: again[index].clone(),
            missed: Some(judged),
        },
        Some(_) | None => Finding { variant: variant.clone(), seed: first.seed.0, judged, missed: None },
    };
    judged.into_iter().enumerate().map(finding).collect()
}

/// The seed of a second run: any other will do, and the same again for the same.
fn fresh(seed: Seed) -> Seed {
    Seed(seed.0.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F))
}

#[cfg(test)]
mod tests;
