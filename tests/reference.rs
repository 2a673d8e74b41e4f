//! The committed reference results can be made again: replications 0 and 1, to the byte.

use std::path::Path;

use anthill::report::runs_csv;
use anthill::scenario::{Known, Scenario};

use crate::common::{compared, pattern};

#[test]
fn the_flagship_reference_is_reproduced() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/flagship/runs.csv");
    let committed = std::fs::read_to_string(&path).expect("results/flagship is committed");
    let known = Known { patterns: anthill::pattern::PATTERNS, trials: anthill::trial::TRIALS };
    let scenario = Scenario::load("flagship", &[], &known).expect("a valid scenario");
    let patterns: Vec<_> = scenario.file.run.patterns.iter().map(|name| pattern(name)).collect();
    let comparison = compared(&scenario, &patterns, 2, 0).expect("no invariant breaks");
    let made = runs_csv(&comparison.patterns, comparison.seed);
    let mut lines = made.lines();
    assert_eq!(lines.next(), committed.lines().next(), "the columns are the same");
    for line in lines {
        let key: Vec<&str> = line.splitn(3, ',').take(2).collect();
        let expected = committed.lines().find(|other| other.splitn(3, ',').take(2).eq(key.iter().copied()));
        assert_eq!(
            Some(line),
            expected,
            "{} differs: if that is meant, run `anthill compare --out results/flagship --force` and commit",
            key.join(" replication ")
        );
    }
}
