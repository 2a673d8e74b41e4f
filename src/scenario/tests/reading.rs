//! Good scenarios: defaults, shorthands, presets, sets, and the way there and back again.

use super::*;
use crate::engine::Span;
use crate::scenario::{EMBEDDED, ScenarioFile};

#[test]
fn what_is_left_open_is_filled_in() {
    let scenario = good(SMALL);
    let file = &scenario.file;
    assert_eq!((file.name.as_str(), file.run.seed, file.run.replications), ("x", 1, 20));
    assert_eq!((file.run.drain, file.run.warmup), (Some(Span::from_secs(150)), Some(Span::from_secs(50))));
    let names: Vec<&str> = KNOWN.patterns.iter().map(|def| def.name).collect();
    assert_eq!(file.run.patterns, names);
    assert_eq!(file.pattern["hybrid"]["lease"], "90s", "parameters show their defaults");
    assert_eq!((file.agents.len(), file.agents[0].count, file.relays.count), (1, 5, 1));
    assert!(scenario.presets.is_empty() && scenario.skipped_rows == 0);
}

/// The resolved scenario, written out and read again, is the same scenario.
#[test]
fn a_resolved_scenario_loads_to_itself() {
    let rich = format!(
        "name = \"rich\"\n{SMALL}skills = {{ general = 3, law = 1 }}\ndeadline = \"5min\"\n\
         estimate = {{ noisy = {{ sigma = 0.3 }} }}\n\
         [costs.kinds.handover]\nplane = \"cognition\"\ntime = \"2s\"\n\
         [pattern.hybrid]\nlease = \"3min\"\nwatch = \"4min\"\n\
         [[faults.partition]]\nat = \"3min\"\nsites = [[\"eu\"]]\nfor = \"1min\"\n\
         [faults.slow]\nevery = \"1min\"\ntarget = \"agents:0.5\"\nfactor = 0.5\nfor = \"5s\"\n"
    )
    .replace("[agents]\ncount = 5", "[[agents]]\ncount = 5\n[[agents]]\nskill = \"law\"\nspeed = 1.5");
    let flagship = EMBEDDED.iter().find(|(name, _)| *name == "flagship").expect("the flagship").1;
    for text in [SMALL, &rich, flagship] {
        let once = good(text);
        let written = toml::to_string(&once.file).expect("plain data");
        let twice = good(&written);
        assert_eq!(once.file, twice.file, "{written}");
        let json = serde_json::to_string(&once.file).expect("plain data");
        assert_eq!(serde_json::from_str::<ScenarioFile>(&json).expect("read back"), once.file);
    }
}

#[test]
fn sets_change_what_the_file_says() {
    let two = SMALL.replace("[agents]\ncount = 5", "[[agents]]\ncount = 5\n[[agents]]\ncount = 6");
    let sets = [
        "run.horizon=20min",
        "run.seed = 7",
        "agents.1.count=9",
        "work.duration={ constant = \"3s\" }",
        "costs.kinds.handover.time=2s",
        "run.patterns=[\"ideal\"]",
        "name=other",
    ];
    let file = load(&two, &sets).expect("good").file;
    assert_eq!((file.run.horizon, file.run.seed, file.agents[1].count), (Span::from_secs(1_200), 7, 9));
    assert_eq!((file.work.duration, file.name.as_str()), (Some(Span::from_secs(3).into()), "other"));
    assert_eq!(file.costs.kinds["handover"].time, Some(Span::from_secs(2).into()));
    assert_eq!(file.run.patterns, ["ideal"]);
    // One table stands for a list of one, both ways.
    assert_eq!(load(SMALL, &["agents.0.count=8"]).expect("good").file.agents[0].count, 8);
    assert_eq!(load(SMALL, &["agents.count=8"]).expect("good").file.agents[0].count, 8);
    let list = SMALL.replace("[agents]", "[[agents]]");
    assert_eq!(load(&list, &["agents.count=8"]).expect("good").file.agents[0].count, 8);
}

#[test]
fn presets_stand_for_their_content_and_written_keys_win() {
    let text = SMALL
        .replace("sites = [\"eu\", \"us\"]", "preset = \"planetlab_regions\"\nweights = [1, 1, 1, 1, 1]")
        .replace("{ poisson = { rate_per_s = 0.1 } }", "{ preset = \"azure_llm_arrivals\" }");
    let scenario = good(&text);
    assert_eq!((scenario.file.network.sites.len(), &scenario.file.network.weights[..]), (5, &[1.0; 5][..]));
    let used: Vec<(&str, &str)> =
        scenario.presets.iter().map(|used| (used.key.as_str(), used.preset.name.as_str())).collect();
    assert_eq!(used, [("network", "planetlab_regions"), ("work.source", "azure_llm_arrivals")]);
    assert!(scenario.presets.iter().all(|used| !used.preset.source.is_empty()));
}

#[test]
fn the_schema_documents_every_key() {
    let schema = serde_json::to_value(schemars::schema_for!(ScenarioFile)).expect("plain data");
    fn check(name: &str, schema: &serde_json::Value) {
        if let Some(properties) = schema.get("properties").and_then(|p| p.as_object()) {
            for (key, property) in properties {
                assert!(
                    property.get("description").is_some() || property.get("$ref").is_some(),
                    "{name}.{key}"
                );
            }
        }
    }
    check("scenario", &schema);
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        check(name, definition);
    }
    assert!(schema["$defs"].get("AgentGroup").is_some());
}

#[test]
fn embedded_scenarios_are_valid_and_named_as_they_are_embedded() {
    for (name, _) in EMBEDDED {
        let scenario = Scenario::load(name, &[], &KNOWN).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.file.name, *name);
    }
}
