//! Help, the registry and the shipped scenarios: what a user reads before the first run.

use std::process::Stdio;

use anthill::pattern::PATTERNS;
use anthill::scenario::EMBEDDED;

use super::{SMALL, anthill, assert_snapshot, run};

#[test]
fn every_command_has_help() {
    let mut report = String::new();
    for command in ["", "compare", "run", "patterns", "scenarios", "schema", "fit"] {
        let words: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        report.push_str(&format!("── anthill {}\n{}\n", words.join(" "), run(&words).answer()));
    }
    assert_snapshot("help", &report);
    assert_eq!(run(&["--version"]).answer(), format!("anthill {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn patterns_are_listed_and_described_with_their_parameters() {
    assert_snapshot("patterns", &run(&["patterns"]).answer());
    for def in PATTERNS {
        let text = run(&["patterns", def.name]).answer();
        assert!(text.starts_with(&format!("{}: {}\n", def.name, def.about)), "{text}");
        for key in (def.defaults)().as_object().expect("parameters are a table").keys() {
            assert!(
                text.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} ="))),
                "{key}"
            );
        }
        for kind in def.kinds {
            assert!(
                text.lines().any(|line| line.split_whitespace().next() == Some(kind.name)),
                "{}",
                kind.name
            );
        }
        let prices_clients = text.contains("\n  submit ") && text.contains("\n  acknowledge ");
        assert_eq!(prices_clients, !def.oracle, "{text}");
        assert!(!text.contains('\\'), "{text}");
    }
}

/// What `patterns NAME` prints can be pasted into a scenario, and changes nothing: they are the defaults.
#[test]
fn described_defaults_are_a_piece_of_a_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = std::fs::read_to_string(SMALL).expect("a scenario");
    for def in PATTERNS {
        let described = run(&["patterns", def.name]).answer();
        let pasted: String = described
            .lines()
            .skip_while(|line| !line.starts_with('['))
            .take_while(|line| !line.is_empty())
            .map(|line| format!("{line}\n"))
            .collect();
        let file = folder.path().join("pasted.toml");
        std::fs::write(&file, format!("{small}\n{pasted}")).expect("written");
        let of = |scenario: &str| {
            run(&["run", scenario, "--pattern", def.name, "--json"]).json()["metrics"].clone()
        };
        assert_eq!(of(super::arg(&file)), of(SMALL), "{}", def.name);
    }
}

#[test]
fn scenarios_are_listed_and_printed_as_they_are() {
    let list = run(&["scenarios"]).answer();
    assert_eq!(list.lines().count(), EMBEDDED.len());
    for (name, text) in EMBEDDED {
        assert!(list.lines().any(|line| line.starts_with(name)), "{list}");
        assert_eq!(run(&["scenarios", name]).answer(), *text);
    }
}

#[test]
fn the_schema_is_json_and_names_every_table() {
    let schema = run(&["schema"]).json();
    for table in ["run", "agents", "relays", "clients", "network", "work", "costs", "faults", "pattern"] {
        assert!(schema["properties"].get(table).is_some(), "{table}");
    }
}

/// Off a terminal nothing is coloured or animated.
#[test]
fn no_escape_sequences_go_into_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    for words in [
        &["--help"][..],
        &["compare", SMALL, "--replications", "1", "--out", super::arg(&out)],
        &["compare", "tests/bad/several.toml"],
        &["compare", "--bogus"],
    ] {
        let done = run(words);
        assert!(!done.out.contains('\u{1b}') && !done.err.contains('\u{1b}'), "{words:?}");
        assert!(!done.err.contains('\r'), "{words:?}: a progress bar off a terminal");
    }
}

/// `anthill patterns hybrid | head -1`: the reader goes away, and that is no error.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    for words in [&["scenarios", "flagship"][..], &["run", SMALL, "--pattern", "hybrid"]] {
        let mut child =
            anthill(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        drop(child.stdout.take());
        let done = child.wait_with_output().expect("it ends");
        assert_eq!(done.status.code(), Some(0));
        assert_eq!(String::from_utf8_lossy(&done.stderr), "");
    }
}
