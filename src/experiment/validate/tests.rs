//! Small cases through the whole protocol: counts of replications, reruns, broken runs, interruptions.

use super::*;
use crate::pattern::PATTERNS;
use crate::scenario::{Known, TextOrigin};
use crate::trial::TRIALS;

fn case(text: &str) -> Case {
    let origin = TextOrigin { name: "X-1.toml".into(), stem: "X-1".into(), folder: ".".into() };
    Case::from_text(text, &origin, &Known { patterns: PATTERNS, trials: TRIALS })
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn options(threads: usize) -> ValidateOptions<'static> {
    ValidateOptions { patterns: PATTERNS, threads, seed: None, clock: &|| 0.0 }
}

fn validated(text: &str, threads: usize) -> CaseResult {
    let done = validate(&[case(text)], &options(threads), &|_| (), &AtomicBool::new(false));
    done.expect("threads").cases.remove(0)
}

/// 23 of 365: 0.507297; one replication of 400 draws has a standard deviation of 0.025.
const BIRTHDAY: &str = "\
[run]
replications = 10
max_replications = 200
[trial.birthday]
ids = 23
space = 365
rounds = 400
[[expect]]
metric = \"collision_share\"
";

const QUEUE: &str = "\
[run]
horizon = \"2000s\"
replications = 4
patterns = [\"ideal\"]
[agents]
count = 1
[work]
source = { poisson = { rate_per_s = 0.5 } }
duration = { exponential = { mean = \"1s\" } }
";

#[test]
fn replications_go_on_until_the_width_asked_for() {
    let wide = validated(&format!("{BIRTHDAY}value = 0.507297\ntolerance = 0.05\n"), 1);
    let narrow = validated(&format!("{BIRTHDAY}value = 0.507297\ntolerance = 0.005\n"), 1);
    let n = |result: &CaseResult| result.findings[0].judged.measured.n;
    assert_eq!((wide.verdict(), n(&wide)), (Verdict::Pass, 10));
    // (1.98 · 0.025 / 0.005)² ≈ 98.
    assert!(narrow.verdict() == Verdict::Pass && (70..140).contains(&n(&narrow)), "{}", n(&narrow));
    let spent = validated(&format!("{BIRTHDAY}value = 0.507297\ntolerance = 0.001\n"), 1);
    assert_eq!((spent.verdict(), n(&spent)), (Verdict::Unknown, 200));
}

/// The number of replications must not depend on where the reference lies, nor on threads.
#[test]
fn the_number_of_replications_knows_no_verdict_and_no_threads() {
    let first = |value: f64, threads| {
        let found = validated(&format!("{BIRTHDAY}value = {value}\ntolerance = 0.005\n"), threads);
        let finding = &found.findings[0];
        finding.missed.as_ref().unwrap_or(&finding.judged).measured
    };
    let right = first(0.507297, 1);
    assert_eq!(right, first(0.4, 1));
    assert_eq!(right, first(0.507297, 2));
}

#[test]
fn a_miss_is_run_again_with_a_fresh_seed_and_four_times_the_work() {
    let found = validated(&format!("{BIRTHDAY}value = 0.6\ntolerance = 0.05\n"), 2);
    let finding = &found.findings[0];
    let missed = finding.missed.as_ref().expect("it missed");
    assert_eq!((missed.measured.n, finding.judged.measured.n), (10, 40));
    assert_eq!((missed.verdict, finding.judged.verdict), (Verdict::Fail, Verdict::Fail));
    assert_ne!(finding.seed, 1);
    assert_ne!(missed.measured.estimate, finding.judged.measured.estimate);
}

#[test]
fn variants_have_their_own_numbers_and_expectations() {
    let text = format!(
        "{QUEUE}[[expect]]\nmetric = \"sojourn_mean_s\"\nmin = 1\nmax = 4\n\
         [[expect]]\nmetric = \"tasks_present\"\nat = \"1000s\"\nmax = 1000\n\
         [[variant]]\nname = \"idle\"\nset = [\"work.duration=1ms\"]\n\
         [[variant.expect]]\nmetric = \"sojourn_mean_s\"\nvalue = 0.001\nwithin = \"1%\"\n"
    );
    let found = validated(&text, 2);
    assert_eq!(found.verdict(), Verdict::Pass, "{found:?}");
    let variants: Vec<Option<&str>> = found.findings.iter().map(|one| one.variant.as_deref()).collect();
    assert_eq!(variants, [None, None, Some("idle")]);
    assert_eq!(found.findings[2].judged.measured.n, 4);
    assert_eq!(found.kind, "scenario");
}

/// The difference of two patterns on the same replications is far narrower than either value.
#[test]
fn two_patterns_share_their_replications() {
    let text = QUEUE
        .replace("[\"ideal\"]", "[\"ideal\", \"hierarchical\"]")
        .replace("count = 1", "count = 3")
        + "[[expect]]\nmetric = \"sojourn_mean_s\"\npattern = \"hierarchical\"\nversus = \"ideal\"\nmin = 0\n\
           [[expect]]\nmetric = \"sojourn_mean_s\"\npattern = \"hierarchical\"\nmin = 0\n";
    let found = validated(&text, 2);
    let half = |index: usize| found.findings[index].judged.measured.half_width();
    assert!(half(0) < half(1), "{} {}", half(0), half(1));
}

#[test]
fn an_interrupted_validation_knows_nothing() {
    let text = format!("{BIRTHDAY}value = 0.507297\ntolerance = 0.05\n");
    let stopped = validate(&[case(&text)], &options(1), &|_| (), &AtomicBool::new(true)).expect("threads");
    assert!(!stopped.complete);
    assert_eq!(stopped.verdict(), Verdict::Unknown);
}

/// 40 seeds of one equality: about 38 hold the reference, by the binomial law at least 33.
#[test]
fn coverage_is_counted_over_seeds() {
    let text = format!("{BIRTHDAY}value = 0.507297\ntolerance = 0.05\n");
    let cases = [case(&text)];
    let done = calibrate(&cases, 40, &options(2), &|_| (), &AtomicBool::new(false)).expect("done");
    assert_eq!((done.all.intervals, done.all.expectations, done.families[0].family.as_str()), (40, 1, "X"));
    assert!(done.all.covered >= 33 && done.honest(), "{}", done.all.covered);
    let wrong = [case(&text.replace("0.507297", "0.56"))];
    let done = calibrate(&wrong, 10, &options(2), &|_| (), &AtomicBool::new(false)).expect("done");
    assert!(!done.honest() && done.all.covered < 5, "{}", done.all.covered);
}
