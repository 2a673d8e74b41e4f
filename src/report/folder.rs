//! The folder of results. It is complete, or a file [`INCOMPLETE`] in it says that it is not.
//!
//! The marker is written first and removed last, so that whatever interrupts the writing (a full disk, a
//! signal) leaves a folder that says so. Only files of ours are ever replaced or removed.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Serialize;

use super::{
    Manifest, OneRun, comparison_json, fingerprint, hex, kinds_csv, paired_csv, plots, png, run_json,
    runs_csv, series_csv, summary_csv,
};
use crate::error::{Error, Problem};
use crate::experiment::Comparison;
use crate::fault::FaultPlan;
use crate::report::csv::run_csv;

/// Name of the file that says that a folder is not complete, and why.
pub const INCOMPLETE: &str = "INCOMPLETE";

const MANIFEST: &str = "manifest.json";

/// Every name this module ever writes: what a forced writing may remove.
const OURS: [&str; 28] = [
    INCOMPLETE,
    MANIFEST,
    "runs.csv",
    "summary.csv",
    "paired.csv",
    "comparison.json",
    "faults.json",
    "fault_free_runs.csv",
    "fault_free_summary.csv",
    "run.json",
    "messages.csv",
    "series.csv",
    "tax.svg",
    "latency.svg",
    "timeline.svg",
    "trilemma.svg",
    "messages.svg",
    "tax.png",
    "latency.png",
    "timeline.png",
    "trilemma.png",
    "messages.png",
    "report.html",
    "validation.csv",
    "validation.json",
    "validation.svg",
    "validation.png",
    "calibration.json",
];

/// What a manifest says about the results beside it.
#[derive(Serialize)]
struct Results<'a> {
    scenario_name: &'a str,
    seed: u64,
    replications: u32,
    completed: u32,
    patterns: Vec<&'static str>,
    fingerprint: String,
    files: Vec<&'a str>,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    results: Results<'a>,
    #[serde(flatten)]
    manifest: &'a Manifest,
}

/// Whether results may be written to `dir`: it is not there, empty, or `force` is set. Ask before a long
/// computation.
///
/// # Errors
/// [`Error::Invalid`] if it holds something and `force` is not set, or is no folder; [`Error::Io`] if it
/// cannot be looked into.
pub fn check_folder(dir: &Path, force: bool) -> Result<(), Error> {
    let refuse = |what: &str, remedy: &str| {
        Err(Problem::new(what).file(dir.display().to_string()).remedy(remedy).into())
    };
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            if !force && entries.next().is_some() {
                let remedy = "give --force to replace the results in it, or another --out";
                return refuse("the output folder is not empty", remedy);
            }
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            refuse("this is a file, not a folder", "give another --out")
        }
        Err(error) => Err(Error::io(dir)(error)),
    }
}

/// Writes a comparison: tables, plans, plots and the manifest. Of an incomplete one the marker stays.
///
/// # Errors
/// As [`check_folder`], with nothing touched; [`Error::Io`] if a file cannot be written, with the
/// marker left.
pub fn write_folder(
    dir: &Path,
    comparison: &Comparison,
    manifest: &Manifest,
    force: bool,
) -> Result<(), Error> {
    check_folder(dir, force)?;
    let mut files = vec![
        ("runs.csv", runs_csv(&comparison.patterns, comparison.seed)),
        ("summary.csv", summary_csv(&comparison.patterns)),
        ("paired.csv", paired_csv(&comparison.paired)),
        ("comparison.json", pretty(&comparison_json(comparison, &manifest.command))),
        ("faults.json", plans(comparison)),
    ];
    if !comparison.fault_free.is_empty() {
        files.push(("fault_free_runs.csv", runs_csv(&comparison.fault_free, comparison.seed)));
        files.push(("fault_free_summary.csv", summary_csv(&comparison.fault_free)));
    }
    files.extend(plots(comparison));
    let results = Results {
        scenario_name: &comparison.scenario,
        seed: comparison.seed,
        replications: comparison.replications,
        completed: comparison.completed,
        patterns: comparison.patterns.iter().map(|pattern| pattern.def.name).collect(),
        fingerprint: hex(fingerprint(comparison)),
        files: OURS.iter().copied().filter(|name| files.iter().any(|(file, _)| makes(file, name))).collect(),
    };
    let document = pretty(&Document { results, manifest });
    files.push((MANIFEST, document));
    let lacking = (!comparison.is_complete()).then(|| {
        let (done, asked) = (comparison.completed, comparison.replications);
        format!("The comparison was interrupted: {done} of {asked} replications are here.\n")
    });
    write(dir, &files, lacking)
}

/// Writes a single run: its metrics, messages by kind, windows, plan and the manifest.
///
/// # Errors
/// As [`write_folder`].
pub fn write_run_folder(dir: &Path, run: &OneRun<'_>, manifest: &Manifest, force: bool) -> Result<(), Error> {
    check_folder(dir, force)?;
    let outcome = run.outcome;
    let mut files = vec![
        ("run.json", pretty(&run_json(run))),
        ("runs.csv", run_csv(outcome, run.seed, run.replication)),
        ("messages.csv", kinds_csv(&outcome.kinds)),
        ("series.csv", series_csv(&outcome.series)),
        ("faults.json", run.plan.to_json()),
    ];
    let results = Results {
        scenario_name: run.scenario,
        seed: run.seed,
        replications: 1,
        completed: 1,
        patterns: vec![outcome.pattern],
        fingerprint: hex(outcome.fingerprint),
        files: files.iter().map(|(name, _)| *name).collect(),
    };
    let document = pretty(&Document { results, manifest });
    files.push((MANIFEST, document));
    write(dir, &files, None)
}

/// Writes `files` in order under the marker; `lacking` is what the marker says at the end, if it stays.
pub(super) fn write(dir: &Path, files: &[(&str, String)], lacking: Option<String>) -> Result<(), Error> {
    fs::create_dir_all(dir).map_err(Error::io(dir))?;
    let put_bytes = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        fs::write(&path, bytes).map_err(Error::io(path))
    };
    let put = |name: &str, text: &str| put_bytes(name, text.as_bytes());
    put(INCOMPLETE, "These results were being written when the program stopped. Do not use them.\n")?;
    for stale in
        OURS.iter().filter(|name| **name != INCOMPLETE && !files.iter().any(|(file, _)| makes(file, name)))
    {
        remove(&dir.join(stale))?;
    }
    // The manifest of earlier results must not stand beside new ones.
    remove(&dir.join(MANIFEST))?;
    for (name, text) in files {
        debug_assert!(OURS.contains(name), "{name} is not declared as ours");
        put(name, text)?;
        if let Some(stem) = name.strip_suffix(".svg") {
            put_bytes(&format!("{stem}.png"), &png(text))?;
        }
    }
    match lacking {
        Some(text) => put(INCOMPLETE, &text),
        None => remove(&dir.join(INCOMPLETE)),
    }
}

/// Whether writing `file` writes `name`: a plot is written as a drawing and as a picture.
fn makes(file: &str, name: &str) -> bool {
    let picture = file.strip_suffix(".svg").is_some_and(|stem| name.strip_suffix(".png") == Some(stem));
    file == name || picture
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The plans of all replications, one entry a line.
fn plans(comparison: &Comparison) -> String {
    let plans: Vec<String> = comparison
        .plans
        .iter()
        .map(|plan: &std::sync::Arc<FaultPlan>| plan.to_json().trim_end().to_owned())
        .collect();
    format!("[\n{}\n]\n", plans.join(",\n"))
}

pub(super) fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("results are plain data");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn read(path: impl AsRef<Path>) -> String {
        fs::read_to_string(path).expect("a file")
    }

    #[test]
    fn a_complete_folder_has_no_marker_and_its_manifest_lists_its_files() {
        let parent = tempfile::tempdir().expect("a folder");
        let dir = parent.path().join("deep/out");
        let comparison = sample::comparison(&["hierarchical", "hybrid"], 3);
        let manifest = Manifest { command: "anthill compare sample".into(), ..Manifest::default() };
        write_folder(&dir, &comparison, &manifest, false).expect("written");
        let document: serde_json::Value = serde_json::from_str(&read(dir.join(MANIFEST))).expect("JSON");
        let mut listed: Vec<String> = document["files"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        listed.push(MANIFEST.to_owned());
        listed.sort();
        assert_eq!(names(&dir), listed);
        assert_eq!(document["command"], "anthill compare sample");
        assert_eq!(document["completed"], 3);
        let plans: Vec<FaultPlan> = serde_json::from_str(&read(dir.join("faults.json"))).expect("plans");
        assert_eq!((plans.len(), &plans[2]), (3, &*comparison.plans[2]));
        // Wall time and machine stand in the manifest alone.
        let other = parent.path().join("other");
        let slower = Manifest { wall_time_s: 99.0, threads: 2, ..manifest };
        write_folder(&other, &comparison, &slower, false).expect("written");
        for name in names(&dir) {
            let bytes = |folder: &Path| fs::read(folder.join(&name)).expect("written");
            assert_eq!(bytes(&dir) == bytes(&other), name != MANIFEST, "{name}");
        }
    }

    #[test]
    fn nothing_is_touched_without_force_and_only_ours_with_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path();
        fs::write(path.join("notes.txt"), "mine").expect("written");
        fs::write(path.join("fault_free_runs.csv"), "stale").expect("written");
        let comparison = sample::comparison(&["hybrid"], 2);
        let before = names(path);
        let error = write_folder(path, &comparison, &Manifest::default(), false).expect_err("not empty");
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("--force"), "{error}");
        assert_eq!(names(path), before);
        write_folder(path, &comparison, &Manifest::default(), true).expect("forced");
        assert_eq!(read(path.join("notes.txt")), "mine");
        let after = names(path);
        assert!(after.contains(&"runs.csv".to_owned()) && !after.contains(&"fault_free_runs.csv".to_owned()));
    }

    #[test]
    fn an_interrupted_comparison_says_how_much_is_there() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut comparison = sample::comparison(&["hybrid"], 2);
        comparison.replications = 20;
        comparison.fault_free = comparison.patterns.clone();
        write_folder(dir.path(), &comparison, &Manifest::default(), false).expect("written");
        assert!(read(dir.path().join(INCOMPLETE)).contains("2 of 20 replications"));
        assert!(names(dir.path()).contains(&"fault_free_summary.csv".to_owned()));
    }

    #[test]
    fn a_failure_leaves_the_marker_and_names_the_file() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join("paired.csv")).expect("a folder in the way");
        let comparison = sample::comparison(&["hybrid"], 2);
        let error =
            write_folder(dir.path(), &comparison, &Manifest::default(), true).expect_err("in the way");
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("paired.csv"), "{error}");
        let left = names(dir.path());
        assert!(left.contains(&INCOMPLETE.to_owned()) && !left.contains(&MANIFEST.to_owned()));
        let file = dir.path().join("runs.csv");
        assert_eq!(check_folder(&file, true).expect_err("a file").exit_code(), 2);
    }

    #[test]
    fn a_run_has_a_folder_with_a_plan_that_can_be_replayed() {
        let dir = tempfile::tempdir().expect("a folder");
        let comparison = sample::comparison(&["hybrid"], 1);
        let outcome = sample::outcome("hybrid");
        let plan = &comparison.plans[0];
        let run = OneRun {
            scenario: "sample",
            seed: 7,
            replication: 1,
            outcome: &outcome,
            plan,
            repro: "x",
            judged: &[],
        };
        write_run_folder(dir.path(), &run, &Manifest::default(), false).expect("written");
        assert_eq!(&FaultPlan::load(&dir.path().join("faults.json")).expect("a plan"), &**plan);
        assert!(
            read(dir.path().join("series.csv"))
                .starts_with("from_s,arrived,accepted,correct,ended,backlog\n0,10,")
        );
        assert_eq!(read(dir.path().join("runs.csv")).lines().count(), 2);
    }
}
