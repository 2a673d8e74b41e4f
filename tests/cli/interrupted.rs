//! Ctrl-C keeps what is finished and says so.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Done, SMALL, anthill, arg};

/// Starts a comparison that writes to `out`, and interrupts it this long after it began to run.
#[cfg(unix)]
fn interrupted(words: &[&str], out: &Path, wait: Duration) -> Done {
    let mut command = anthill(words);
    command.args(["--out", arg(out)]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the program starts");
    // It makes its folder when it begins to run and is ready to be interrupted.
    while !out.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(wait);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success(), "it ended before it was interrupted");
    Done::of(child.wait_with_output().expect("it ends"))
}

#[test]
#[cfg(unix)]
fn an_interrupted_comparison_keeps_what_is_finished_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let words = ["compare", SMALL, "--patterns", "ideal,hybrid", "--replications", "9000"];
    let done = interrupted(&words, &out, Duration::from_secs(2));
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(done.err.contains("of 9000 replications; these are kept"), "{}", done.err);
    assert!(done.out.contains("repro: anthill compare"), "{}", done.out);
    let marker = fs::read_to_string(out.join("INCOMPLETE")).expect("the marker");
    let completed: usize =
        marker.split_whitespace().find_map(|word| word.parse().ok()).expect("how many are there");
    assert!(completed > 0, "{marker}");
    let runs = fs::read_to_string(out.join("runs.csv")).expect("a table");
    assert_eq!(runs.lines().count(), 1 + 2 * completed, "whole replications, and no others");
}

/// Before anything is done there is nothing to keep, and no folder is left behind.
#[test]
#[cfg(unix)]
fn an_interruption_before_the_first_result_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    // A replication of all patterns takes seconds.
    let done = interrupted(&["compare", "flagship"], &out, Duration::from_millis(50));
    assert_eq!((done.code, done.out.as_str()), (4, ""), "{}", done.err);
    assert!(done.err.contains("nothing is written") && done.err.contains("repro: "), "{}", done.err);
    assert!(!out.exists());
}
