//! Whatever is wrong with what a user gives is said with its place, its value and a remedy, before anything
//! runs or is written.

use std::fs;

use super::{anthill, arg, assert_snapshot, run};

/// All of `tests/bad`: a scenario each, with one thing wrong unless its first line says otherwise.
const FILES: [&str; 40] = [
    "absent-plan",
    "bad-duration",
    "bad-plan",
    "bare-number",
    "broken-plan",
    "cycle",
    "fault-outside",
    "fault-without-time",
    "fraction",
    "latency-not-square",
    "loss",
    "matrix-not-square",
    "matrix-too-few-rows",
    "matrix-words",
    "misspelt-key",
    "misspelt-table",
    "name-is-a-path",
    "negative-count",
    "negative-rate",
    "no-source",
    "nobody",
    "pattern-parameter",
    "plan-and-faults",
    "probability",
    "several",
    "syntax",
    "target-out-of-range",
    "too-much",
    "trace-absent",
    "trace-empty",
    "trace-header",
    "trace-rows",
    "trace-truncated",
    "twice",
    "unknown-law",
    "unknown-pattern",
    "unknown-preset",
    "unknown-site",
    "warmup-after-horizon",
    "wrong-type",
];

/// What every message about a file must have: a place, and a remedy on a line of its own.
fn is_complete(message: &str) -> bool {
    let place = message.split_once(": ").is_some_and(|(place, _)| place.starts_with("tests/bad/"));
    place && message.contains("\n    = ")
}

#[test]
fn every_bad_file_is_refused_with_place_value_and_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut report = String::new();
    for name in FILES {
        let file = format!("tests/bad/{name}.toml");
        let out = folder.path().join(name);
        let message = run(&["compare", &file, "--out", arg(&out)]).refusal();
        assert!(!out.exists(), "{name}: something was written");
        for problem in message.split("error: ").filter(|problem| !problem.is_empty()) {
            assert!(is_complete(problem), "{name}: {problem}");
        }
        // `run` says the same.
        assert_eq!(run(&["run", &file, "--pattern", "hybrid"]).refusal(), message);
        let about = fs::read_to_string(&file).expect("a scenario");
        let about = about.lines().next().unwrap_or_default().trim_start_matches("# ");
        report.push_str(&format!("── {name}: {about}\n{message}\n"));
    }
    assert_snapshot("bad_files", &report);
}

/// A file forgotten in the list above would be tested by nobody.
#[test]
fn every_bad_file_is_listed() {
    let mut found: Vec<String> = Vec::new();
    for entry in fs::read_dir("tests/bad").expect("a folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a plain name");
        found.extend(name.strip_suffix(".toml").map(str::to_owned));
    }
    found.sort();
    assert_eq!(found, FILES);
}

#[test]
fn several_faults_of_a_file_are_told_at_once_in_order() {
    let message = run(&["compare", "tests/bad/several.toml"]).refusal();
    let lines: Vec<usize> = message
        .lines()
        .filter_map(|line| line.strip_prefix("error: tests/bad/several.toml:"))
        .map(|rest| rest.split(':').next().and_then(|line| line.parse().ok()).expect("a line number"))
        .collect();
    assert_eq!(lines, [3, 4, 8, 11, 12, 15, 16, 17, 21, 23]);
}

#[test]
fn arguments_are_judged_as_files_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let cases: &[&[&str]] = &[
        &["compare", "flagship", "--set", "run.horizn=1h"],
        &["compare", "flagship", "--set", "run.horizon=soon"],
        &["compare", "flagship", "--set", "run.horizon"],
        &["compare", "flagship", "--set", "agents.3.count=2"],
        &["compare", "flagship", "--set", "work.source.poisson.rate_per_s=2"],
        &["compare", "flagship", "--set", "pattern.hybrid.lease=0s", "--set", "work.error_rate=2"],
        &["compare", "flagship", "--set", "pattern.hybird.lease=1s"],
        &["compare", "flagship", "--patterns", "ideal,hybird"],
        &["compare", "flagship", "--patterns", "ideal,ideal"],
        &["compare", "flagship", "--replications", "0"],
        &["compare", "flagship", "--seed", "-1"],
        &["compare", "flagship", "--threads", "many"],
        &["compare", "flagship", "--treads", "2"],
        &["compare", "flagshp"],
        &["compare", "nowhere/at-all.toml"],
        &["run", "flagship", "--pattern", "anarchy"],
        &["scenaros"],
    ];
    let mut report = String::new();
    for case in cases {
        let mut words = case.to_vec();
        if case.len() > 1 {
            words.extend(["--out", arg(&out)]);
        }
        let message = run(&words).refusal();
        assert!(!out.exists(), "{case:?}: something was written");
        report.push_str(&format!("── anthill {}\n{message}\n", case.join(" ")));
    }
    for case in [&["run", "flagship"][..], &["patterns", "hybird"], &["scenarios", "flagshp"], &["fit"]] {
        report.push_str(&format!("── anthill {}\n{}\n", case.join(" "), run(case).refusal()));
    }
    assert_snapshot("bad_arguments", &report);
}

#[test]
fn bad_rows_are_left_out_on_request_and_counted() {
    let skip = ["--set", "work.source.trace.on_bad_row=skip", "--set", "run.warmup=0s"];
    let done =
        run(&[&["run", "tests/bad/trace-rows.toml", "--pattern", "ideal", "--json"][..], &skip].concat());
    let json = done.json();
    assert_eq!(json["metrics"]["rows_skipped"], 6);
    assert_eq!(json["metrics"]["arrived"], 2);
}

/// A folder that cannot be written to is found before the work, not after it.
#[test]
fn an_output_folder_that_cannot_be_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "").expect("written");
    for (name, code) in [("file", 2), ("file/below", 2)] {
        let out = folder.path().join(name);
        // So many replications would take an hour.
        let words = ["compare", "flagship", "--replications", "9999", "--out", arg(&out)];
        let output = anthill(&words).output().expect("the program starts");
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stderr).contains(arg(&out)));
    }
}
