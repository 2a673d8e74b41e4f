//! The recorded data, where they are: presets are made again from them, and the scenario on them runs.

use std::path::{Path, PathBuf};

use super::{arg, run};

const SCENARIO: &str = "scenarios/real-llm-traffic.toml";

/// The collection of data beside the project, or `None`, said aloud.
fn data() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: there are no data at {}", path.display());
    None
}

#[test]
fn the_presets_are_what_their_command_prints() {
    let Some(data) = data() else { return };
    let printed = run(&["fit", arg(&data)]).answer();
    let committed = include_str!("../../src/scenario/presets/fitted.toml");
    for (number, (printed, committed)) in printed.lines().zip(committed.lines()).enumerate() {
        assert_eq!(printed, committed, "src/scenario/presets/fitted.toml:{}", number + 1);
    }
    assert_eq!(printed.len(), committed.len());
}

#[test]
fn the_scenario_on_recorded_data_runs() {
    if data().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let words = ["compare", SCENARIO, "--replications", "1", "--patterns", "ideal,hybrid", "--json"];
    let done = run(&[&words[..], &["--out", arg(&out)]].concat());
    assert!(done.err.contains("note: churn: 24 measured hours are one simulated hour"), "{}", done.err);
    let json = done.json();
    let of = |metric: &str| json["patterns"]["hybrid"][metric]["mean"].as_f64().expect("a number");
    assert!(of("load_rho") > 0.4 && of("load_rho") < 0.9, "{}", of("load_rho"));
    // 8,819 rows are played once.
    assert!(of("arrived") > 5_000.0 && of("arrived") <= 8_819.0, "{}", of("arrived"));
    assert_eq!(of("rows_skipped"), 0.0);
}

/// Where the data are not, the message says what is missing and where it belongs.
#[test]
fn absent_data_are_an_error_that_says_where_they_belong() {
    for (key, file) in [
        ("work.source.trace.azure_llm", "azure-llm-2023/AzureLLMInferenceTrace_code.csv"),
        ("network.matrix.file", "latency-planetlab490/PlanetLabData_1.gz"),
    ] {
        let set = format!("{key}=nowhere.csv");
        let message = run(&["compare", SCENARIO, "--set", &set]).refusal();
        for part in
            ["scenarios/nowhere.csv: there is no such file", key, &set, &format!("../shared/data/{file}")]
        {
            assert!(message.contains(part), "no `{part}` in {message}");
        }
    }
}
