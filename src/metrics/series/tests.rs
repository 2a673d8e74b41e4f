//! Tests of windows, backlog, availability and recovery on hand-written runs.

use super::*;
use crate::metrics::sample::{self, accepted, arrived};
use crate::trace::{Ending, TaskId};

fn secs(secs: u64) -> Time {
    Time::from_secs(secs)
}
fn fault(index: u32, on: bool) -> Record {
    Record::Fault { index, on }
}
fn observed(warmup: u64, horizon: u64, faults: &[bool], records: &[(u64, Record)]) -> Series {
    let mut series = Series::new(WINDOW, secs(warmup), secs(horizon), faults);
    sample::show(&mut series, records);
    series
}
fn filled(series: &Series) -> MetricSet {
    let mut set = MetricSet::default();
    series.fill(&mut set);
    set
}

#[test]
fn windows_count_what_falls_into_them() {
    let series = observed(
        0,
        30,
        &[],
        &[
            (0, arrived(0)),
            (9, arrived(1)),
            (10, accepted(0, 0, true)),
            (12, arrived(2)),
            (20, accepted(1, 1, false)),
            (29, Record::Ended { task: TaskId(2), how: Ending::Failed }),
            (35, Record::Finish),
        ],
    );
    let run = series.series();
    let window = |arrived, accepted, correct, ended| Window { arrived, accepted, correct, ended };
    let expected = [window(2, 0, 0, 0), window(1, 1, 1, 1), window(0, 1, 0, 2), window(0, 0, 0, 0)];
    assert_eq!((run.windows.as_slice(), run.backlog.as_slice()), (&expected[..], &[2, 2, 0, 0][..]));
    let set = filled(&series);
    // ∫: 1 for 9 s, 2 for 1 s, 1 for 2 s, 2 for 8 s, 1 for 9 s, over 30 s.
    assert!((set.get("backlog_mean") - 38.0 / 30.0).abs() < 1e-12);
    assert_eq!(set.get("backlog_max"), 2.0);
    // Through (10, 2), (20, 2), (30, 0).
    assert!((set.get("backlog_slope_per_s") + 0.1).abs() < 1e-12);
    assert!(set.get("backlog_slope_low_per_s").is_nan(), "three windows are no ten batches");
    assert_eq!(set.get("recovery_faults"), 0.0);
    assert!(set.get("recovery_time_mean_s").is_nan() && set.get("recovery_time_max_s").is_nan());
}

/// One arrival a second from 0 on and nothing ever done: the backlog grows by exactly 1/s.
#[test]
fn an_overloaded_run_has_the_slope_of_its_arrivals() {
    let mut records: Vec<_> = (0..300).map(|second| (second, arrived(second as u32))).collect();
    records.push((400, Record::Finish));
    let set = filled(&observed(95, 300, &[], &records));
    assert!((set.get("backlog_slope_per_s") - 1.0).abs() < 1e-12);
    assert!((set.get("backlog_slope_low_per_s") - 1.0).abs() < 1e-9);
    // Between second k and k + 1 the backlog is k + 1: mean of 96 … 300 over [95, 300].
    assert!((set.get("backlog_mean") - 198.0).abs() < 1e-9);
    assert_eq!(set.get("backlog_max"), 300.0);
}

#[test]
fn availability_compares_window_by_window() {
    let run = |correct: &[u32]| RunSeries {
        window: WINDOW,
        warmup: secs(15),
        horizon: secs(65),
        windows: correct.iter().map(|&correct| Window { correct, ..Window::default() }).collect(),
        backlog: vec![0; correct.len()],
    };
    // Windows 2 to 5 are measured: [20, 60].
    let ideal = run(&[9, 9, 4, 0, 5, 2, 9]);
    assert_eq!(ideal.measured(), 2..6);
    assert_eq!(availability(&run(&[0, 0, 1, 0, 9, 1, 0]), &ideal), (0.25 + 1.0 + 1.0 + 0.5) / 4.0);
    assert_eq!(availability(&ideal, &ideal), 1.0);
    assert_eq!(availability(&run(&[0, 0, 4]), &ideal), (1.0 + 1.0 + 0.0 + 0.0) / 4.0);
    let unmeasured = RunSeries { horizon: secs(16), ..run(&[1]) };
    assert!(availability(&unmeasured, &unmeasured).is_nan());
}

/// Backlog 1 at the onset (second 10); 4 at the heal (20); back at 1 at second 33.
#[test]
fn recovery_runs_from_the_heal_until_the_backlog_is_back() {
    let records = [
        (0, arrived(0)),
        (10, fault(0, true)),
        (11, fault(1, true)),
        (12, arrived(1)),
        (13, arrived(2)),
        (14, arrived(3)),
        (20, fault(0, false)),
        (21, fault(1, false)),
        (25, accepted(0, 0, true)),
        (30, accepted(1, 1, true)),
        (33, accepted(2, 2, true)),
        (40, accepted(3, 3, true)),
        (50, Record::Finish),
    ];
    let series = observed(0, 50, &[true, false], &records);
    let expected = RecoverySummary { faults: 1, censored: 0, mean_s: 13.0, max_s: 13.0 };
    assert_eq!(series.recovery(), expected);
    // With both counted: 13 s and 12 s.
    let both = observed(0, 50, &[true, true], &records).recovery();
    assert_eq!(both, RecoverySummary { faults: 2, censored: 0, mean_s: 12.5, max_s: 13.0 });
    // Cut off at second 32 both are censored with 12 s and 11 s.
    let mut cut: Vec<_> = records[..10].to_vec();
    cut.push((32, Record::Finish));
    let cut = observed(0, 50, &[true, true], &cut).recovery();
    assert_eq!(cut, RecoverySummary { faults: 2, censored: 2, mean_s: 11.5, max_s: 12.0 });
}

/// Three tasks for 8 s, none for 2 s: the fault strikes at 0, but the mean was 2.4.
#[test]
fn a_lucky_onset_is_measured_against_the_mean_before() {
    let before = [
        (10, arrived(0)),
        (10, arrived(1)),
        (10, arrived(2)),
        (18, accepted(0, 0, true)),
        (18, accepted(1, 1, true)),
        (18, accepted(2, 2, true)),
        (20, fault(0, true)),
    ];
    let after = [
        (21, arrived(3)),
        (21, arrived(4)),
        (21, arrived(5)),
        (30, fault(0, false)),
        (34, accepted(3, 3, true)),
        (50, Record::Finish),
    ];
    let records: Vec<_> = before.into_iter().chain(after).collect();
    // From the warm-up cut at 10: the threshold is 2, reached at second 34.
    assert_eq!(observed(10, 50, &[true], &records).recovery().mean_s, 4.0);
    // From second 0 the mean is 1.2 and two tasks are still too many.
    let recovery = observed(0, 50, &[true], &records).recovery();
    assert_eq!((recovery.censored, recovery.mean_s), (1, 20.0));
}

#[test]
fn a_fault_that_cost_nothing_or_never_healed_or_never_struck() {
    let records = [
        (1, arrived(0)),
        (2, fault(0, true)),
        (3, fault(1, true)),
        (4, fault(0, false)),
        // Entry 2 fired only by keeping its target down: no onset.
        (5, fault(2, false)),
        (9, Record::Finish),
    ];
    let recovery = observed(0, 9, &[true, true, true], &records).recovery();
    assert_eq!(recovery, RecoverySummary { faults: 1, censored: 0, mean_s: 0.0, max_s: 0.0 });
}
