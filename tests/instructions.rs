//! No event costs more than a tenth more instructions than it did: a gate that noise cannot break.
//!
//! Seconds on a shared machine vary by more than most mistakes cost; instructions hardly vary at all. Each
//! workload of `examples/workload.rs` runs under callgrind at two sizes, so that what is done once cancels
//! out, and what remains is held against `benches/instructions.toml`. `just accept-instructions` writes that
//! file anew: for a change that is worth its price, and for one that lowered it.
//!
//! What runs under callgrind is this very test program, told to do one workload: it cannot be out of date.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

#[allow(dead_code)]
#[path = "../examples/workload.rs"]
mod workload;

use workload::{WORKLOADS, Workload};

/// The workload and its size, for the program under callgrind.
const ASKED: &str = "ANTHILL_WORKLOAD";
/// Set to write a new baseline.
const ACCEPT: &str = "ANTHILL_ACCEPT_INSTRUCTIONS";
/// Instructions more than the baseline that are still let pass \[share\]: another C library copies memory in
/// another way.
const TOLERANCE: f64 = 0.10;
/// How the program under callgrind begins the line with its units.
const DONE: &str = "units done: ";

const HEADER: &str = "\
# Instructions an event (leader_worker: a task) in a release build, as callgrind counts them. At more than
# 10 % above one of these `tests/instructions.rs` fails; `just accept-instructions` writes this file anew.
";

#[test]
fn an_event_costs_no_more_instructions_than_it_did() {
    if cfg!(debug_assertions) {
        eprintln!("skipped: instructions of a build with debug assertions say nothing about a release build");
        return;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("skipped: valgrind is not installed");
        return;
    }
    let found: BTreeMap<&str, f64> = WORKLOADS.iter().map(|work| (work.name, measured(work))).collect();
    if std::env::var_os(ACCEPT).is_some() {
        std::fs::write(baseline_path(), baseline_text(&found)).expect("the baseline can be written");
        return;
    }
    let baseline = read(&std::fs::read_to_string(baseline_path()).expect("a baseline is committed"));
    let dearer = dearer(&found, &baseline);
    assert!(
        dearer.is_empty(),
        "{dearer}\nWhere they go: valgrind --tool=callgrind target/release/examples/workload NAME\n\
         If that is meant: just accept-instructions"
    );
}

/// What the gate runs under callgrind; alone it does nothing.
#[test]
#[ignore = "it is run by the gate, under callgrind"]
fn one_workload() {
    let Ok(asked) = std::env::var(ASKED) else { return };
    let (name, size) = asked.split_once(' ').expect("a name and a size");
    let work = workload::find(name).expect("a workload");
    println!("{DONE}{}", work.run(size.parse().expect("a size")));
}

#[test]
fn the_gate_closes_at_a_tenth_more_and_at_a_workload_nobody_measured() {
    let baseline = read(&baseline_text(&BTreeMap::from([("hold_1000", 400.0), ("hybrid", 2_000.0)])));
    let judged = |hold, hybrid| dearer(&BTreeMap::from([("hold_1000", hold), ("hybrid", hybrid)]), &baseline);
    assert_eq!(judged(439.0, 2_199.0), "");
    assert_eq!(judged(100.0, 2_000.0), "");
    assert_eq!(judged(441.0, 2_000.0), "hold_1000: 441 instructions, 10.3 % more than 400\n");
    let unknown = dearer(&BTreeMap::from([("single", 1.0)]), &baseline);
    assert_eq!(unknown, "single: not in the baseline\n");
}

/// Each workload does what it says, and twice the same.
#[test]
fn workloads_are_known_by_name_and_deterministic() {
    for work in WORKLOADS {
        assert!(workload::find(work.name).is_some_and(|found| found.sizes == work.sizes));
        assert!(work.sizes[1] > work.sizes[0]);
    }
    let hold = &WORKLOADS[0];
    assert_eq!((hold.run(5_000), hold.run(5_000)), (5_000, 5_000));
}

/// Instructions a unit of work.
fn measured(work: &Workload) -> f64 {
    let [small, large] = work.sizes.map(|size| under_callgrind(work.name, size));
    let each = (large.0 - small.0) as f64 / (large.1 - small.1) as f64;
    eprintln!("{:14} {each:9.0} instructions per {}, {} of them", work.name, work.unit, large.1 - small.1);
    each
}

/// Instructions and units of one run.
fn under_callgrind(name: &str, size: u64) -> (u64, u64) {
    let this = std::env::current_exe().expect("a test program has a file");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args(["--exact", "instructions::one_workload", "--ignored", "--nocapture", "--test-threads=1"])
        .env(ASKED, format!("{name} {size}"))
        .output()
        .expect("valgrind runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    let number = |text: &str, after: &str| -> Option<u64> {
        let rest = text.split(after).nth(1)?.trim_start();
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    match (number(&err, "Collected :"), number(&out, DONE)) {
        (Some(instructions), Some(units)) if output.status.success() => (instructions, units),
        _ => panic!("{name} {size} under callgrind: {}\n{out}\n{err}", output.status),
    }
}

fn baseline_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.toml")
}

fn baseline_text(found: &BTreeMap<&str, f64>) -> String {
    found.iter().fold(HEADER.to_owned(), |text, (name, each)| format!("{text}{name} = {each:.0}\n"))
}

/// Name and instructions, from lines `name = number`.
fn read(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter_map(|line| line.split_once(" = "));
    lines.filter_map(|(name, each)| Some((name.to_owned(), each.parse().ok()?))).collect()
}

/// A line for each that is above its baseline by more than is let pass.
fn dearer(found: &BTreeMap<&str, f64>, baseline: &BTreeMap<String, f64>) -> String {
    let mut lines = String::new();
    for (name, each) in found {
        let Some(before) = baseline.get(*name) else {
            let _ = writeln!(lines, "{name}: not in the baseline");
            continue;
        };
        let more = each / before - 1.0;
        if more > TOLERANCE {
            let percent = 100.0 * more;
            let _ = writeln!(lines, "{name}: {each:.0} instructions, {percent:.1} % more than {before:.0}");
        }
    }
    lines
}
