//! What was expected, what was measured, and whether the two agree.

use std::fmt::Write;

use serde_json::{Value, json};

use super::format::{NONE, number, with_half_width};
use super::json::number as json_number;
use super::table::{columns, wrapped};
use crate::experiment::judge::{Judged, Verdict};
use crate::scenario::{Claim, Statistic};

/// The expectations of a comparison or a run as a table with its title, and why what does not pass does not;
/// empty if there are none.
pub fn expectations_table(judged: &[Judged]) -> String {
    if judged.is_empty() {
        return String::new();
    }
    let rows = judged.iter().map(|judged| {
        let pattern = judged.expectation.pattern.clone().unwrap_or_default();
        let mut row = vec![judged.expectation.label.clone(), pattern];
        row.extend(cells(judged));
        row.push(shown(judged.verdict).to_owned());
        row
    });
    let header = ["expectation", "pattern", "expected", "room", "measured", "n", "verdict"];
    let table = columns(&header, rows.collect());
    let mut text = format!("\nEXPECTATIONS (95 % intervals, judged once)\n{table}\n");
    for judged in judged.iter().filter(|judged| !judged.reason.is_empty()) {
        let what = format!("{}: ", judged.expectation.label);
        text.push_str(&wrapped(&what, std::slice::from_ref(&judged.reason)));
    }
    text
}

/// The same as JSON.
pub fn expectations_json(judged: &[Judged]) -> Value {
    judged.iter().map(judged_json).collect()
}

/// One expectation as JSON.
pub(super) fn judged_json(judged: &Judged) -> Value {
    let expected = &judged.expectation;
    let statistic = match expected.statistic {
        Statistic::Mean => "mean",
        Statistic::Variance => "variance",
    };
    let mut value = json!({
        "name": expected.label,
        "metric": expected.metric,
        "unit": expected.unit,
        "pattern": expected.pattern,
        "class": expected.class,
        "at_s": expected.probe.map(|(at, _)| json_number(at.as_secs_f64())),
        "versus": expected.versus.as_ref().map(|(name, _)| name),
        "ratio": expected.versus.as_ref().map(|(_, ratio)| ratio),
        "statistic": statistic,
        "n": judged.measured.n,
        "estimate": json_number(judged.measured.estimate),
        "half_width": json_number(judged.measured.half_width()),
        "low": json_number(judged.measured.low),
        "high": json_number(judged.measured.high),
        "verdict": judged.verdict.name(),
        "reason": judged.reason,
    });
    let claim = match expected.claim {
        Claim::Equal { value, tolerance, reference_half_width } => json!({
            "value": json_number(value),
            "tolerance": json_number(tolerance),
            "reference_half_width": json_number(reference_half_width),
        }),
        Claim::Within { value, by } => json!({ "value": json_number(value), "within": json_number(by) }),
        Claim::Bounds { min, max, .. } => {
            json!({ "min": min.map(json_number), "max": max.map(json_number) })
        }
    };
    value["claim"] = claim;
    value
}

/// What is expected, the room it leaves, what was measured, and how often.
pub(super) fn cells(judged: &Judged) -> [String; 4] {
    let (expected, room) = match judged.expectation.claim {
        Claim::Equal { value, tolerance, .. } => {
            (format!("= {value}"), format!("± {}", number(tolerance, 2)))
        }
        Claim::Within { value, by } => (format!("≈ {value}"), format!("± {}", number(by, 2))),
        Claim::Bounds { min: Some(min), max: Some(max), .. } => (format!("{min} to {max}"), String::new()),
        Claim::Bounds { min: Some(min), max: None, .. } => (format!("≥ {min}"), String::new()),
        Claim::Bounds { min: None, max: Some(max), .. } => (format!("≤ {max}"), String::new()),
        Claim::Bounds { min: None, max: None, .. } => (NONE.to_owned(), String::new()),
    };
    [expected, room, with_half_width(judged.measured, 5), judged.measured.n.to_string()]
}

/// How a verdict is shown: what needs attention is loud.
pub(super) fn shown(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Unknown => "unknown",
        Verdict::Fail => "FAIL",
    }
}

/// The reasons of those that did not pass, a line each.
pub(super) fn reason(text: &mut String, what: &str, reason: &str) {
    if !reason.is_empty() {
        let _ = writeln!(text, "  {what}: {reason}");
    }
}
