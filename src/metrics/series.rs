//! What happened over time, in windows: for plots, availability, stability and recovery.
//!
//! The backlog is the number of tasks that arrived and have not ended (accepted, failed, rejected, expired).
//! Window k covers [k·w, (k+1)·w).

use super::recovery::{Recovery, RecoverySummary};
use super::{MetricDef, MetricSet};
use crate::engine::{EventId, Span, Time};
use crate::stats::LEVEL;
use crate::stats::slope::{least_squares, trend};
use crate::trace::{Observer, Record};

/// Columns this file fills.
pub const DEFS: &[MetricDef] = &[
    MetricDef::lower("backlog_mean", "tasks", "tasks arrived and not ended, mean over [warm-up, horizon]"),
    MetricDef::lower("backlog_max", "tasks", "largest backlog in [warm-up, horizon]"),
    MetricDef::lower(
        "backlog_slope_per_s",
        "tasks/s",
        "least-squares slope of the backlog at window ends in [warm-up, horizon]",
    ),
    MetricDef::lower(
        "backlog_slope_low_per_s",
        "tasks/s",
        "lower end of the 95 % interval of the slope of ten batch means; above 0: unstable",
    ),
    MetricDef::neutral("recovery_faults", "faults", "faults that count, began and healed"),
    MetricDef::lower(
        "recovery_time_mean_s",
        "s",
        "heal → backlog at or below max(backlog at onset, mean before it); censored at the end of the run",
    ),
    MetricDef::lower("recovery_time_max_s", "s", "longest recovery time"),
    MetricDef::lower("recovery_censored", "faults", "faults not recovered from when the run ended"),
];

/// The customary length of a window.
pub const WINDOW: Span = Span::from_secs(10);

/// Batches for the interval of the slope.
const BATCHES: usize = 10;

/// What happened in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Tasks that arrived.
    pub arrived: u32,
    /// Outputs accepted, right or wrong.
    pub accepted: u32,
    /// Correct outputs accepted.
    pub correct: u32,
    /// Tasks that ended, however.
    pub ended: u32,
}

/// The windows of a run that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSeries {
    /// Length of a window.
    pub window: Span,
    /// Measurement starts here.
    pub warmup: Time,
    /// Arrivals stop here.
    pub horizon: Time,
    /// One for each window, from time 0 to the end of the run.
    pub windows: Vec<Window>,
    /// Backlog at the end of each window.
    pub backlog: Vec<u64>,
}

impl RunSeries {
    /// Positions of the windows that lie wholly in [warm-up, horizon].
    pub fn measured(&self) -> std::ops::Range<usize> {
        let window = self.window.as_nanos();
        let first = self.warmup.as_nanos().div_ceil(window) as usize;
        first..((self.horizon.as_nanos() / window) as usize).max(first)
    }
}

/// Mean over the windows in [warm-up, horizon] of min(1, X ÷ X_ideal), X = correct outputs accepted.
///
/// A window in which the reference completes nothing counts 1; one after the end of `run` has X = 0. NaN if
/// no whole window is measured. Both runs must be of one replication (panics if their windows differ).
pub fn availability(run: &RunSeries, ideal: &RunSeries) -> f64 {
    let calendar = |series: &RunSeries| (series.window, series.warmup, series.horizon);
    assert_eq!(calendar(run), calendar(ideal), "only runs with the same calendar are compared");
    let correct = |series: &RunSeries, window: usize| series.windows.get(window).map_or(0, |one| one.correct);
    let measured = run.measured();
    let count = measured.len();
    let reached = measured.map(|window| match correct(ideal, window) {
        0 => 1.0,
        reference => (f64::from(correct(run, window)) / f64::from(reference)).min(1.0),
    });
    reached.sum::<f64>() / count as f64
}

/// Counts per window and follows the backlog.
#[derive(Clone, Debug)]
pub struct Series {
    window: Span,
    warmup: Time,
    horizon: Time,
    windows: Vec<Window>,
    /// The window of the last change, and when it ends: division is slow.
    current: usize,
    current_ends: u64,
    recovery: Recovery,
    backlog: u64,
    /// ∫ backlog dt up to `settled` \[task-ns\].
    area: u128,
    settled: Time,
    area_at_warmup: Option<u128>,
    area_at_horizon: Option<u128>,
    highest: u64,
    end: Option<Time>,
}

impl Series {
    /// Counts per `window` (customarily [`WINDOW`]; panics if it is zero). Recovery is measured for the
    /// entries of the fault plan for which `faults` is true.
    pub fn new(window: Span, warmup: Time, horizon: Time, faults: &[bool]) -> Series {
        assert!(!window.is_zero(), "a window has a length");
        let expected = (horizon.as_nanos() / window.as_nanos()).min(1 << 20) as usize * 3 / 2 + 2;
        Series {
            window,
            warmup,
            horizon,
            windows: Vec::with_capacity(expected),
            current: 0,
            current_ends: 0,
            recovery: Recovery::new(faults),
            backlog: 0,
            area: 0,
            settled: Time::ZERO,
            area_at_warmup: None,
            area_at_horizon: None,
            highest: 0,
            end: None,
        }
    }

    /// The windows of the run. Panics before its end.
    pub fn series(&self) -> RunSeries {
        let end = self.end.expect("metrics are read after the run");
        let mut windows = self.windows.clone();
        let whole = end.as_nanos().div_ceil(self.window.as_nanos()) as usize;
        windows.resize(windows.len().max(whole), Window::default());
        let mut backlog = 0;
        let at_ends = windows.iter().map(|window| {
            backlog = backlog + u64::from(window.arrived) - u64::from(window.ended);
            backlog
        });
        let backlog = at_ends.collect();
        RunSeries { window: self.window, warmup: self.warmup, horizon: self.horizon, windows, backlog }
    }

    /// How the run recovered from the faults that count. Panics before its end.
    pub fn recovery(&self) -> RecoverySummary {
        self.recovery.summary(self.end.expect("metrics are read after the run"))
    }

    /// Writes the columns of [`DEFS`]. Panics before the end of the run.
    pub fn fill(&self, set: &mut MetricSet) {
        let series = self.series();
        let end = self.end.expect("checked by `series`");
        let window = self.window.as_secs_f64();
        let (first, last) = (series.measured().start, series.measured().end.min(series.backlog.len()));
        let backlog: Vec<f64> = (first..last).map(|index| series.backlog[index] as f64).collect();
        let ends: Vec<f64> = (first..last).map(|index| (index + 1) as f64 * window).collect();
        set.set("backlog_slope_per_s", least_squares(&ends, &backlog, LEVEL).slope);
        set.set("backlog_slope_low_per_s", trend(&backlog, BATCHES, LEVEL).low / window);
        if let Some(before) = self.area_at_warmup {
            let length = self.horizon.min(end).saturating_since(self.warmup);
            let area = self.area_at_horizon.unwrap_or(self.area) - before;
            set.set("backlog_mean", area as f64 / length.as_nanos() as f64);
            set.set("backlog_max", self.highest as f64);
        }
        let recovery = self.recovery();
        set.set("recovery_faults", recovery.faults as f64);
        set.set("recovery_time_mean_s", recovery.mean_s);
        set.set("recovery_time_max_s", recovery.max_s);
        set.set("recovery_censored", recovery.censored as f64);
    }

    /// The window of `at`. Times do not go back.
    fn window_at(&mut self, at: Time) -> &mut Window {
        if at.as_nanos() >= self.current_ends {
            let index = at.as_nanos() / self.window.as_nanos();
            self.current = index as usize;
            self.current_ends = (index + 1).saturating_mul(self.window.as_nanos());
            if self.windows.len() <= self.current {
                self.windows.resize(self.current + 1, Window::default());
            }
        }
        &mut self.windows[self.current]
    }

    /// Brings the integral up to `at`, before the backlog changes.
    fn settle(&mut self, at: Time) {
        let area_by = |time: Time| {
            self.area + u128::from(self.backlog) * u128::from(time.saturating_since(self.settled).as_nanos())
        };
        if at >= self.warmup && self.area_at_warmup.is_none() {
            self.area_at_warmup = Some(area_by(self.warmup));
            self.highest = self.backlog;
        }
        if at >= self.horizon && self.area_at_horizon.is_none() {
            self.area_at_horizon = Some(area_by(self.horizon));
        }
        self.area = area_by(at);
        self.settled = at;
    }

    /// Mean backlog up to now, since the warm-up cut if that is past.
    fn mean_backlog(&self) -> f64 {
        let (since, before) = match self.area_at_warmup {
            Some(area) if self.settled > self.warmup => (self.warmup, area),
            Some(_) | None => (Time::ZERO, 0),
        };
        let length = self.settled.since(since);
        if length.is_zero() { 0.0 } else { (self.area - before) as f64 / length.as_nanos() as f64 }
    }

    fn arrives(&mut self, at: Time) {
        self.settle(at);
        self.window_at(at).arrived += 1;
        self.backlog += 1;
        if self.warmup <= at && at <= self.horizon {
            self.highest = self.highest.max(self.backlog);
        }
    }

    fn ends(&mut self, at: Time) {
        self.settle(at);
        self.window_at(at).ended += 1;
        self.backlog -= 1;
        self.recovery.falls(at, self.backlog);
    }
}

impl Observer for Series {
    #[inline(always)]
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Arrived { .. } => self.arrives(at),
            Record::Accepted { correct, .. } => {
                let window = self.window_at(at);
                window.accepted += 1;
                window.correct += u32::from(correct);
                self.ends(at);
            }
            Record::Ended { .. } => self.ends(at),
            Record::Fault { index, on: true } => {
                self.settle(at);
                self.recovery.begins(index, self.backlog, self.mean_backlog());
            }
            Record::Fault { index, on: false } => self.recovery.heals(index, at, self.backlog),
            Record::Finish => {
                self.settle(at);
                self.end = Some(at);
            }
            Record::Up { .. }
            | Record::Down { .. }
            | Record::Speed { .. }
            | Record::Stalled { .. }
            | Record::CutOff { .. }
            | Record::Submitted { .. }
            | Record::Acknowledged { .. }
            | Record::Began { .. }
            | Record::Ceased { .. }
            | Record::Started { .. }
            | Record::Finished { .. }
            | Record::Fate { .. }
            | Record::DoubleSettle { .. }
            | Record::Sent { .. }
            | Record::Delivered { .. }
            | Record::Dropped { .. }
            | Record::Handled { .. }
            | Record::Wire { .. }
            | Record::Noted { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
