//! Results as one JSON object. Keys stand in a fixed order; a value that does not apply is `null`.

use serde_json::{Map, Value, json};

use super::{OneRun, expectations_json, fingerprint, hex};
use crate::experiment::{Comparison, PairedRow, PatternResult};
use crate::metrics::registry;

/// What `anthill compare --json` prints.
pub fn comparison_json(comparison: &Comparison, repro: &str) -> Value {
    let mut object = Map::new();
    object.insert("scenario".into(), json!(comparison.scenario));
    object.insert("seed".into(), json!(comparison.seed));
    object.insert("replications".into(), json!(comparison.replications));
    object.insert("completed".into(), json!(comparison.completed));
    object.insert("fingerprint".into(), json!(hex(fingerprint(comparison))));
    object.insert("patterns".into(), summaries(&comparison.patterns));
    if !comparison.fault_free.is_empty() {
        object.insert("fault_free".into(), summaries(&comparison.fault_free));
    }
    object.insert("paired".into(), comparison.paired.iter().map(paired).collect());
    if !comparison.judged.is_empty() {
        object.insert("expectations".into(), expectations_json(&comparison.judged));
    }
    object.insert("invariants".into(), invariants(comparison));
    object.insert("repro".into(), json!(repro));
    Value::Object(object)
}

/// What `anthill run --json` prints.
pub fn run_json(run: &OneRun<'_>) -> Value {
    let values = registry().zip(run.outcome.metrics.values());
    let metrics: Map<String, Value> =
        values.map(|(metric, &value)| (metric.name.to_owned(), number(value))).collect();
    let mut object = json!({
        "scenario": run.scenario,
        "pattern": run.outcome.pattern,
        "seed": run.seed,
        "replication": run.replication,
        "fingerprint": hex(run.outcome.fingerprint),
        "events": run.outcome.end.events,
        "metrics": metrics,
        "repro": run.repro,
    });
    if !run.judged.is_empty() {
        object["expectations"] = expectations_json(run.judged);
    }
    object
}

fn summaries(patterns: &[PatternResult]) -> Value {
    let of = |pattern: &PatternResult| -> Value {
        let metric = |name: &str| {
            let interval = pattern.summary(name);
            json!({
                "n": interval.n,
                "mean": number(interval.estimate),
                "half_width": number(interval.half_width()),
                "low": number(interval.low),
                "high": number(interval.high),
            })
        };
        Value::Object(registry().map(|def| (def.name.to_owned(), metric(def.name))).collect())
    };
    Value::Object(patterns.iter().map(|pattern| (pattern.def.name.to_owned(), of(pattern))).collect())
}

fn paired(row: &PairedRow) -> Value {
    json!({
        "metric": row.metric,
        "pattern": row.pattern,
        "against": row.against,
        "scale": row.scale.name(),
        "n": row.paired.n,
        "estimate": number(row.paired.estimate),
        "low": number(row.paired.low),
        "high": number(row.paired.high),
        "correlation": number(row.paired.correlation),
        "p_holm": row.p_holm.map_or(Value::Null, number),
        "verdict": row.verdict.map(|verdict| verdict.name()),
    })
}

/// What held in every run. A run that breaks one of the first five ends its comparison with an error, so
/// these can only be true here; bit-equal replications are reported and left to the reader.
fn invariants(comparison: &Comparison) -> Value {
    let runs: usize = comparison.patterns.iter().map(|pattern| pattern.runs.len()).sum();
    json!({
        "runs": runs,
        "ledger_sums_to_lifetime": true,
        "tasks_conserved": true,
        "letters_conserved": true,
        "price_at_least_one": true,
        "scheduled_faults_fired": true,
        "replications_differ": comparison.repeats.is_empty(),
    })
}

/// A number, whole ones without a point; `null` if it is none.
pub(super) fn number(value: f64) -> Value {
    // Beyond 2^53 not every whole number is a float, and pretending to be exact would mislead.
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        Value::from(value as i64)
    } else {
        serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_comparison_has_the_published_shape() {
        let comparison = sample::comparison(&["hierarchical", "hybrid"], 3);
        let value = comparison_json(&comparison, "anthill compare sample");
        let keys: Vec<&String> = value.as_object().expect("an object").keys().collect();
        assert_eq!(
            keys,
            [
                "scenario",
                "seed",
                "replications",
                "completed",
                "fingerprint",
                "patterns",
                "paired",
                "invariants",
                "repro"
            ]
        );
        let patterns: Vec<&String> = value["patterns"].as_object().expect("an object").keys().collect();
        assert_eq!(patterns, ["hierarchical", "hybrid"]);
        let price = &value["patterns"]["hybrid"]["price"];
        assert_eq!((&price["n"], &price["mean"]), (&json!(3), &json!(1.21)));
        assert_eq!(value["patterns"]["hybrid"]["makespan_s"]["mean"], Value::Null);
        assert_eq!(value["paired"][0]["verdict"], "better");
        assert_eq!(value["invariants"]["runs"], 6);
        let again =
            comparison_json(&sample::comparison(&["hierarchical", "hybrid"], 3), "anthill compare sample");
        assert_eq!(value.to_string(), again.to_string());
    }

    #[test]
    fn numbers_are_whole_where_they_can_be_and_null_where_there_is_none() {
        for (value, shown) in [(3.0, "3"), (0.5, "0.5"), (-0.0, "0"), (f64::NAN, "null"), (1e300, "1e+300")] {
            assert_eq!(number(value).to_string(), shown);
        }
        assert_eq!(number(f64::INFINITY), Value::Null);
    }

    #[test]
    fn a_run_has_every_metric() {
        let outcome = sample::outcome("hybrid");
        let plan = crate::fault::FaultPlan::default();
        let run = OneRun {
            scenario: "sample",
            seed: 7,
            replication: 1,
            outcome: &outcome,
            plan: &plan,
            repro: "x",
            judged: &[],
        };
        let value = run_json(&run);
        assert_eq!(value["metrics"].as_object().expect("an object").len(), registry().count());
        assert_eq!(value["metrics"]["price"], 1.21);
        assert_eq!(value["fingerprint"], "00000000000003e9");
        assert_eq!(value["events"], 1234);
    }
}
