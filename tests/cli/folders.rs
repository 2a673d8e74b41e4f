//! What a comparison writes and prints, that it is the same again, and that nothing is overwritten unasked.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Done, SMALL, anthill, arg, run};

/// The files of a comparison: all but the manifest are the same at every repetition.
const FILES: [&str; 16] = [
    "comparison.json",
    "faults.json",
    "latency.png",
    "latency.svg",
    "manifest.json",
    "messages.png",
    "messages.svg",
    "paired.csv",
    "runs.csv",
    "summary.csv",
    "tax.png",
    "tax.svg",
    "timeline.png",
    "timeline.svg",
    "trilemma.png",
    "trilemma.svg",
];

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().expect("a plain name");
            (name, fs::read(entry.path()).expect("a file"))
        })
        .collect()
}

fn compare(more: &[&str], out: &Path) -> Done {
    run(&[&["compare", SMALL, "--out", arg(out)], more].concat())
}

/// The same files, but for the manifest, which has the wall time in it.
fn assert_same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    assert!(one.keys().eq(other.keys()));
    for (name, bytes) in one.iter().filter(|(name, _)| *name != "manifest.json") {
        assert!(*bytes == other[name], "{name} differs");
    }
}

/// Runs the command line on the line that begins with `repro: `, with more arguments.
fn repeat(text: &str, more: &[&str]) -> Done {
    let line = text.lines().find_map(|line| line.strip_prefix("repro: ")).expect("a repro line");
    let words = line.strip_prefix("anthill ").expect("it is ours");
    assert!(!words.contains('\''), "nothing here needs a shell");
    let words: Vec<&str> = words.split(' ').chain(more.iter().copied()).collect();
    run(&words)
}

#[test]
fn a_comparison_is_the_same_on_one_and_two_threads_and_from_its_repro_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let outs = ["one", "two", "again"].map(|name| folder.path().join(name));
    let text = compare(&["--threads", "1"], &outs[0]).answer();
    assert_eq!(compare(&["--threads", "2"], &outs[1]).answer(), text);
    assert_eq!(repeat(&text, &["--out", arg(&outs[2])]).answer(), text);
    let one = contents(&outs[0]);
    assert!(one.keys().map(String::as_str).eq(FILES), "{:?}", one.keys());
    assert_same(&one, &contents(&outs[1]));
    assert_same(&one, &contents(&outs[2]));
    assert!(text.contains("seed 1") && text.contains("fingerprint "), "{text}");
}

#[test]
fn results_are_replaced_only_by_force() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let few = ["--replications", "1", "--patterns", "ideal,hybrid"];
    compare(&few, &out).answer();
    fs::write(out.join("notes.txt"), "mine").expect("written");
    let before = contents(&out);
    let message = compare(&few, &out).refusal();
    assert!(message.contains(arg(&out)) && message.contains("--force"), "{message}");
    assert!(contents(&out) == before, "the folder was touched");
    compare(&[&few[..], &["--seed", "2", "--force"]].concat(), &out).answer();
    let after = contents(&out);
    assert!(after["runs.csv"] != before["runs.csv"] && after["notes.txt"] == b"mine");
}

#[test]
fn the_manifest_makes_the_same_comparison_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let outs = ["first", "second"].map(|name| folder.path().join(name));
    let few = ["--replications", "1", "--set", "agents.count=30", "--set", "work.error_rate=0.01"];
    compare(&few, &outs[0]).answer();
    let first = contents(&outs[0]);
    let manifest: Value = serde_json::from_slice(&first["manifest.json"]).expect("JSON");
    // The resolved scenario in it, written as TOML, needs neither the file nor the sets.
    let scenario = folder.path().join("resolved.toml");
    let resolved: toml::Value = serde_json::from_value(manifest["scenario"].clone()).expect("a table");
    fs::write(&scenario, toml::to_string(&resolved).expect("TOML")).expect("written");
    run(&["compare", arg(&scenario), "--replications", "1", "--out", arg(&outs[1])]).answer();
    let second = contents(&outs[1]);
    for name in ["runs.csv", "summary.csv", "paired.csv", "faults.json"] {
        assert!(first[name] == second[name], "{name} differs");
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn the_json_of_a_comparison_has_the_documented_shape() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let json = compare(&["--json", "--fault-free", "--patterns", "ideal,hybrid"], &out).json();
    for key in ["scenario", "seed", "replications", "patterns", "paired", "invariants", "repro"] {
        assert!(json.get(key).is_some(), "{key}");
    }
    assert_eq!(
        (&json["scenario"], &json["seed"], &json["replications"]),
        (&"small".into(), &1.into(), &2.into())
    );
    for block in ["patterns", "fault_free"] {
        assert_eq!(keys(&json[block]), ["ideal", "hybrid"]);
        for metric in json[block]["hybrid"].as_object().expect("metrics").values() {
            assert_eq!(keys(metric), ["n", "mean", "half_width", "low", "high"]);
        }
    }
    let goodput = |block: &str| json[block]["hybrid"]["goodput_per_s"]["mean"].as_f64().expect("a number");
    assert!(goodput("fault_free") > goodput("patterns"), "faults cost something");
    for row in json["paired"].as_array().expect("a list") {
        for key in ["metric", "pattern", "against", "estimate", "low", "high", "correlation", "verdict"] {
            assert!(row.get(key).is_some(), "{key}");
        }
    }
    for (name, value) in json["invariants"].as_object().expect("an object") {
        assert!(value == &Value::Bool(true) || name == "runs", "{name}: {value}");
    }
    let files = contents(&out);
    assert!(files.contains_key("fault_free_runs.csv") && files.contains_key("fault_free_summary.csv"));
    assert_eq!(serde_json::from_slice::<Value>(&files["comparison.json"]).expect("JSON"), json);
}

#[test]
fn tables_agree_with_the_json_beside_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let json = compare(&["--json", "--patterns", "ideal,hybrid"], &out).json();
    let files = contents(&out);
    let text = |name: &str| String::from_utf8(files[name].clone()).expect("text");
    let summary = text("summary.csv");
    assert!(summary.starts_with("pattern,metric,n,mean,half_width,low,high\n"), "{summary}");
    let row = summary.lines().find(|line| line.starts_with("hybrid,tax_full,")).expect("the tax");
    let mean: f64 = row.split(',').nth(3).and_then(|cell| cell.parse().ok()).expect("a number");
    assert_eq!(json["patterns"]["hybrid"]["tax_full"]["mean"].as_f64(), Some(mean));
    let runs = text("runs.csv");
    assert_eq!(runs.lines().count(), 1 + 2 * 2, "a row per pattern and replication");
    let header: Vec<&str> = runs.lines().next().expect("a header").split(',').collect();
    for column in
        ["pattern", "replication", "seed", "fingerprint", "tax_full", "sojourn_p99_s", "rows_skipped"]
    {
        assert!(header.contains(&column), "{column}");
    }
    assert!(text("paired.csv").starts_with("metric,pattern,against,"));
    let plans: Vec<Value> = serde_json::from_str(&text("faults.json")).expect("JSON");
    assert_eq!(plans.len(), 2);
}

#[test]
fn a_run_prints_its_metrics_and_its_repro_line_repeats_it() {
    let words = ["run", SMALL, "--pattern", "event_driven", "--replication", "1", "--seed", "7"];
    let text = run(&words).answer();
    let json = repeat(&text, &["--json"]).json();
    for key in ["scenario", "pattern", "seed", "replication", "fingerprint", "events", "metrics", "repro"] {
        assert!(json.get(key).is_some(), "{key}");
    }
    let fingerprint = json["fingerprint"].as_str().expect("text");
    assert!(text.contains(&format!("seed 7   fingerprint {fingerprint}")), "{text}");
    assert!(json["metrics"].as_object().expect("metrics").values().all(|v| v.is_number() || v.is_null()));
    // It is the run that a comparison has in its second row.
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    compare(&["--seed", "7", "--patterns", "event_driven"], &out).answer();
    let runs = fs::read_to_string(out.join("runs.csv")).expect("a table");
    assert!(runs.lines().nth(2).expect("replication 1").contains(fingerprint), "{runs}");
}

#[test]
fn a_saved_plan_replays_the_run_it_was_drawn_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let words = ["run", SMALL, "--pattern", "hybrid", "--replication", "1", "--json"];
    let drawn = run(&[&words[..], &["--out", arg(&out)]].concat()).json();
    let names = contents(&out);
    for name in ["run.json", "runs.csv", "messages.csv", "series.csv", "faults.json", "manifest.json"] {
        assert!(names.contains_key(name), "{name}");
    }
    let plan = format!("faults={{ plan = {:?} }}", arg(&out.join("faults.json")));
    let replayed = run(&[&words[..], &["--set", &plan]].concat()).json();
    assert_eq!(replayed["fingerprint"], drawn["fingerprint"]);
    // Without the last fault it is another run.
    let mut entries: Vec<Value> = serde_json::from_slice(&names["faults.json"]).expect("JSON");
    entries.pop();
    fs::write(out.join("faults.json"), serde_json::to_string(&entries).expect("JSON")).expect("written");
    let other = run(&[&words[..], &["--set", &plan]].concat()).json();
    assert_ne!(other["fingerprint"], drawn["fingerprint"]);
}

/// The plans of a comparison are as many as its replications; one plan is asked for.
#[test]
fn the_plans_of_a_comparison_are_not_one_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    compare(&["--patterns", "ideal"], &out).answer();
    let plan = format!("faults={{ plan = {:?} }}", arg(&out.join("faults.json")));
    let message = run(&["compare", SMALL, "--set", &plan]).refusal();
    assert!(message.contains("the plans of 2 replications") && message.contains("--out DIR"), "{message}");
}

#[test]
fn without_a_name_results_go_where_the_scenario_is_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = fs::read_to_string(SMALL).expect("a scenario");
    fs::write(folder.path().join("mine.toml"), small.replace("name = \"small\"\n", "")).expect("written");
    let words = ["compare", "mine.toml", "--replications", "1", "--patterns", "ideal", "--quiet"];
    let output = anthill(&words).current_dir(folder.path()).output().expect("the program starts");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    assert!(folder.path().join("anthill-out/mine/runs.csv").exists());
}
