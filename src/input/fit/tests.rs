//! What the fits must find in the real data, and that the carried file is what they find.

use std::sync::OnceLock;

use super::*;
use crate::input::testing::{near, problems_of, real_data};

/// All presets, fitted once; `None` where the data are absent.
fn fitted() -> Option<&'static [Fitted]> {
    static FITTED: OnceLock<Option<Vec<Fitted>>> = OnceLock::new();
    FITTED.get_or_init(|| real_data().map(|data| fit_all(&data).expect("the real data are good"))).as_deref()
}

fn one<'a>(fitted: &'a [Fitted], name: &str) -> &'a Fitted {
    fitted.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("there is no preset {name}"))
}

fn quality(one: &Fitted, name: &str) -> f64 {
    one.quality.iter().find(|(key, _)| key == name).unwrap_or_else(|| panic!("{} lacks {name}", one.name)).1
}

#[test]
fn the_carried_presets_are_what_a_fresh_fit_prints() {
    let Some(fitted) = fitted() else { return };
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/scenario/presets/fitted.toml"));
    let carried = std::fs::read_to_string(path).expect("the program carries its presets");
    assert!(
        carried == Presets(fitted).to_string(),
        "{} is stale: replace it with the output of `anthill fit DATA_DIR`",
        path.display()
    );
}

#[test]
fn presets_are_a_table_of_laws_with_names_of_their_own() {
    let Some(fitted) = fitted() else { return };
    let text = Presets(fitted).to_string();
    let table: toml::Table = text.parse().expect("the presets are TOML");
    assert_eq!(table.len(), fitted.len());
    for one in fitted {
        let law = table[&one.name]["law"].as_table().expect("a law is a table");
        assert!(law.len() == 1 || one.name == "planetlab_regions", "{law:?}");
        assert!(one.n > 0 && one.quality.iter().all(|(_, value)| value.is_finite()), "{one:?}");
    }
    assert!(text.lines().filter(|line| line.starts_with("# source: ")).count() == fitted.len());
}

#[test]
fn arrivals_are_far_from_a_renewal_process_and_the_modulated_one_is_near_them() {
    let Some(fitted) = fitted() else { return };
    let (renewal, process) = (one(fitted, "azure_llm_gap"), one(fitted, "azure_llm_arrivals"));
    assert!(near(quality(renewal, "cv"), 13.15, 1e-3));
    let data = quality(process, "idc_60s");
    assert!(near(data, 164.0, 0.01), "{data}");
    assert!(quality(renewal, "idc_60s_of_law") < 0.5 * data, "independent gaps lose the bursts");
    assert!(near(quality(process, "idc_60s_of_law"), data, 0.2));
    assert!(near(quality(process, "idc_10s_of_law"), quality(process, "idc_10s"), 0.1));
    assert!(near(quality(process, "rate_of_law"), quality(process, "rate"), 0.01));
    assert!(near(quality(process, "per_minute_p75_of_law"), quality(process, "per_minute_p75"), 0.1));
}

#[test]
fn tables_of_quantiles_are_close_and_keep_the_mean() {
    let Some(fitted) = fitted() else { return };
    for table in fitted.iter().filter(|one| one.name.ends_with("_quantiles") || one.name == "azure_vm_speed")
    {
        // Straight lines cannot follow the steps between whole numbers of tokens.
        let most = if table.name.contains("generated_tokens") { 0.10 } else { 0.05 };
        assert!(quality(table, "ks") < most, "{}: {}", table.name, quality(table, "ks"));
        assert!(near(quality(table, "mean_of_law"), quality(table, "mean"), 0.03), "{}", table.name);
    }
    assert!(near(quality(one(fitted, "azure_vm_speed"), "cv"), 0.255, 3e-3));
    assert!(near(quality(one(fitted, "azure_llm_generated_tokens"), "mean"), 27.9, 2e-3));
}

#[test]
fn churn_is_of_the_kind_that_was_published() {
    let Some(fitted) = fitted() else { return };
    // Published shapes are 0.48 and 0.35: falling hazards. A month of four sites of nine need not agree.
    for (name, low, high) in [("grid5000_available", 0.4, 0.75), ("grid5000_unavailable", 0.25, 0.45)] {
        let law: toml::Table = format!("law = {}", one(fitted, name).law).parse().unwrap();
        let shape = law["law"]["weibull"]["shape"].as_float().unwrap();
        assert!((low..high).contains(&shape), "{name}: {shape}");
    }
}

#[test]
fn the_published_churn_laws_are_quoted_as_published() {
    let (Some(fitted), Some(data)) = (fitted(), real_data()) else { return };
    let table = std::fs::read_to_string(data.join("fta-fits/fta_fits.csv")).unwrap();
    let row = |family: &str| -> Vec<String> {
        let start = format!("g5k06,{family},");
        let line = table.lines().find_map(|line| line.strip_prefix(&start)).expect("the file has the row");
        line.split(',').map(str::to_owned).collect()
    };
    let (means, weibull) = (row("exp"), row("weibull"));
    for (name, at) in [("grid5000_available", 0), ("grid5000_unavailable", 2)] {
        let quoted = format!("shape {}, scale {}h, mean {}h", weibull[at], weibull[at + 1], means[at]);
        assert!(one(fitted, name).about.contains(&quoted), "{name} does not quote: {quoted}");
    }
}

#[test]
fn regions_are_far_apart_and_near_within() {
    let Some(fitted) = fitted() else { return };
    let table: toml::Table = format!("law = {}", one(fitted, "planetlab_regions").law).parse().unwrap();
    let rows = table["law"]["one_way"].as_array().unwrap();
    let cell = |i: usize, j: usize| {
        let text = rows[i][j].as_str().unwrap();
        text.parse::<crate::engine::Span>().unwrap().as_secs_f64()
    };
    assert_eq!(rows.len(), 5);
    for i in 0..5 {
        for j in 0..5 {
            assert_eq!(cell(i, j), cell(j, i), "round trips have no direction");
            assert!(i == j || cell(i, i) < cell(i, j), "{i} is nearer to itself than to {j}");
        }
    }
}

#[test]
fn absent_data_sets_are_all_named_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let problems = problems_of(fit_all(directory.path()));
    assert_eq!(problems.len(), 6, "{problems:?}");
    assert!(problems.iter().all(|problem| problem.contains("there is no such file")));
}

#[test]
fn too_short_a_trace_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = crate::input::azure_llm::DATASET.path(directory.path());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
    let row = |i: u32| format!("2023-11-16 18:{:02}:{:02}.{i:03},1,{i}\n", i / 60, i % 60);
    for (rows, want) in [(1, "gives 0 usable values"), (150, "covers 149.149 s"), (50, "gives 49 usable")] {
        let text: String = (0..rows).map(row).collect();
        std::fs::write(&path, format!("{header}{text}")).unwrap();
        let problems = problems_of(presets::arrivals_and_tokens(directory.path()));
        assert!(problems.len() == 1 && problems[0].contains(want), "{problems:?}");
    }
}
