//! `anthill explain`: what a metric means, and what a trial asks for.

use std::fmt::Write;

use clap::Args;

use super::talk;
use crate::error::{Error, Problem, did_you_mean};
use crate::metrics::queue::CLASS_COLUMNS;
use crate::metrics::{Better, MetricDef, registry};
use crate::trial::{TRIALS, TrialDef};

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The metric, as columns and expectations call it, or a trial [default: list all]
    #[arg(value_name = "METRIC")]
    metric: Option<String>,
}

pub(super) fn explain(args: &ExplainArgs) -> Result<u8, Error> {
    let mut text = String::new();
    match &args.metric {
        None => list(&mut text),
        Some(name) => {
            let trial = TRIALS.iter().find(|trial| trial.name == name);
            let found = describe(name, &mut text);
            if let Some(trial) = trial {
                describe_trial(trial, &mut text);
            } else if !found {
                return Err(unknown(name).into());
            }
        }
    }
    talk::out(&text)?;
    Ok(0)
}

fn list(text: &mut String) {
    for def in registry() {
        let _ = writeln!(text, "{:<34} {:<10} {}", def.name, def.unit, def.about);
    }
    let _ = writeln!(text, "\nOf trials (`[trial.NAME]` in a file):");
    for trial in TRIALS {
        for def in trial.metrics {
            let _ = writeln!(text, "{:<34} {:<10} {}: {}", def.name, def.unit, trial.name, def.about);
        }
    }
}

/// What a trial is about, its parameters and what it measures.
fn describe_trial(trial: &TrialDef, text: &mut String) {
    let _ = writeln!(text, "{}: {}\n\n[trial.{}]", trial.name, trial.about, trial.name);
    let schema = (trial.schema)();
    let required: Vec<&str> = schema
        .get("required")
        .and_then(|names| names.as_array())
        .map(|names| names.iter().filter_map(|name| name.as_str()).collect())
        .unwrap_or_default();
    for (key, property) in schema.get("properties").and_then(|value| value.as_object()).into_iter().flatten()
    {
        let about = property.get("description").and_then(|value| value.as_str()).unwrap_or_default();
        // Documentation escapes brackets, which would be links there.
        let about = about.replace("\\[", "[").replace("\\]", "]").replace('\n', " ");
        let must = if required.contains(&key.as_str()) { " Required." } else { "" };
        let _ = writeln!(text, "  {key:<18} {about}{must}");
    }
    let _ = writeln!(text, "\nIt measures:");
    for def in trial.metrics {
        let _ = writeln!(text, "  {:<24} {:<10} {}", def.name, def.unit, def.about);
    }
}

/// Every metric of this name: a trial may call one of its own as runs do.
fn describe(name: &str, text: &mut String) -> bool {
    let of_runs = registry().filter(|def| def.name == name).map(|def| (def, None));
    let of_trials = TRIALS.iter().flat_map(|trial| {
        trial.metrics.iter().filter(|def| def.name == name).map(move |def| (def, Some(trial)))
    });
    let found: Vec<_> = of_runs.chain(of_trials).collect();
    for (def, trial) in &found {
        let source = match trial {
            None => "model.md §3, unless the formula names another; `runs.csv` and `summary.csv`".to_owned(),
            Some(trial) => format!("the trial `{}`: {}", trial.name, trial.about),
        };
        describe_one(def, &source, text);
        if trial.is_none() && CLASS_COLUMNS.contains(&def.name) {
            let _ = writeln!(text, "  also of  each class of tasks, with `class = \"NAME\"` in [[expect]]");
        }
    }
    !found.is_empty()
}

fn describe_one(def: &MetricDef, source: &str, text: &mut String) {
    let better = match def.better {
        Better::Lower => "less is better",
        Better::Higher => "more is better",
        Better::Neutral => "neither more nor less is better",
    };
    let _ = writeln!(text, "{}\n  formula  {}", def.name, def.about);
    let _ = writeln!(text, "  unit     {}\n  better   {better}\n  source   {source}", def.unit);
}

fn unknown(name: &str) -> Problem {
    let names = || registry().chain(TRIALS.iter().flat_map(|trial| trial.metrics)).map(|def| def.name);
    let names = || names().chain(TRIALS.iter().map(|trial| trial.name));
    let remedy = match did_you_mean(name, names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let near: Vec<&str> = names().filter(|known| known.contains(name)).take(8).collect();
            match near.as_slice() {
                [] => "`anthill explain` lists all".to_owned(),
                near => format!("those that contain it: {}", near.join(", ")),
            }
        }
    };
    Problem::new(format!("there is no metric and no trial `{name}`")).remedy(remedy)
}
