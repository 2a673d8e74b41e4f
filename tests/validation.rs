//! The reference results: every case loads and says where its numbers come from, and those of the quick
//! subset agree with what is simulated.

use std::sync::atomic::AtomicBool;

use anthill::experiment::judge::Verdict;
use anthill::experiment::validate::{ValidateOptions, validate};
use anthill::pattern::PATTERNS;
use anthill::report::validation_table;
use anthill::scenario::{Case, Known, NOT_THERE, VALIDATION, not_there};
use anthill::trial::TRIALS;

fn cases() -> Vec<Case> {
    let known = Known { patterns: PATTERNS, trials: TRIALS };
    let load = |(id, _): &(&str, &str)| {
        let case = Case::load(id, &known).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(case.id, *id, "a case is called as its file");
        case
    };
    VALIDATION.iter().map(load).collect()
}

#[test]
fn every_case_loads_and_cites_its_source() {
    let cases = cases();
    for case in &cases {
        assert!(!case.file.case.source.is_empty(), "{}: write [case] source", case.id);
        assert!(!case.file.about.is_empty(), "{}: write `about`", case.id);
    }
    for one in not_there(NOT_THERE, "not_there.toml").unwrap_or_else(|error| panic!("{error}")) {
        assert!(cases.iter().all(|case| case.id != one.id), "{} is there", one.id);
        assert!(!one.reason.is_empty(), "{}", one.id);
    }
}

/// Simulates for a minute or two in release; `anthill validate` does the rest.
#[test]
fn the_quick_subset_agrees_with_its_references() {
    let mut cases = cases();
    cases.retain(|case| case.file.case.quick);
    assert!(!cases.is_empty());
    let options = ValidateOptions { patterns: PATTERNS, threads: 0, seed: None, clock: &|| 0.0 };
    let found = validate(&cases, &options, &|_| (), &AtomicBool::new(false)).expect("threads");
    assert_eq!(found.verdict(), Verdict::Pass, "\n{}", validation_table(&found, &[]));
}
