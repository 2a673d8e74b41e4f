//! The report of `anthill validate`: a row for each expectation, a summary of each family, and the files.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::csv::{cell, table};
use super::expectations::{cells, judged_json, reason, shown};
use super::folder::{check_folder, pretty, write};
use super::format::{number, percent};
use super::plot::validation as plot;
use super::table::columns;
use super::{Manifest, json::number as json_number};
use crate::error::Error;
use crate::experiment::judge::Verdict;
use crate::experiment::validate::{Calibration, CaseResult, Coverage, Finding, Validation};
use crate::scenario::{Case, Claim, NotThere, Statistic};

/// A row for each expectation, why what does not pass does not, a summary of each family, and how many of
/// the reference results there are.
pub fn validation_table(validation: &Validation, not_there: &[NotThere]) -> String {
    let mut rows = Vec::new();
    for case in &validation.cases {
        for (index, finding) in case.findings.iter().enumerate() {
            // One column, so that both stand on the left.
            let id = if index == 0 { case.id.as_str() } else { "" };
            let mut row = vec![format!("{id:<6} {}", what(case, finding))];
            row.extend(cells(&finding.judged));
            let again = if finding.missed.is_some() { ", 2nd run" } else { "" };
            row.push(format!("{}{again}", shown(finding.judged.verdict)));
            rows.push(row);
        }
    }
    let header = ["case   what", "reference", "room", "simulated", "n", "verdict"];
    let mut text = columns(&header, rows);
    text.push('\n');
    let mut reasons = String::new();
    for (case, finding) in validation.findings() {
        let name = format!("{} {}", case.id, what(case, finding));
        reason(&mut reasons, &name, &finding.judged.reason);
        if let Some(missed) = &finding.missed {
            let [_, _, simulated, n] = cells(missed);
            let seed = finding.seed;
            let first = format!("the first run missed with {simulated} (n = {n}); this one has seed {seed}");
            reason(&mut reasons, &name, &first);
        }
    }
    if !reasons.is_empty() {
        let _ = write!(text, "\n{reasons}");
    }
    let _ = write!(text, "\n{}\n", families(validation));
    text.push_str(&conclusion(validation, not_there));
    text
}

/// What a finding is about, in words that are unique within its case.
fn what(case: &CaseResult, finding: &Finding) -> String {
    let expected = &finding.judged.expectation;
    let mut what = expected.label.clone();
    let several = case.findings.iter().any(|other| other.judged.expectation.pattern != expected.pattern);
    if several
        && let Some(pattern) = &expected.pattern
        && expected.versus.is_none()
    {
        what = format!("{what}, {pattern}");
    }
    match &finding.variant {
        Some(variant) => format!("{variant}: {what}"),
        None => what,
    }
}

/// Verdicts counted.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    pass: usize,
    fail: usize,
    unknown: usize,
}

impl Counts {
    fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Counts {
        let mut counts = Counts::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Pass => counts.pass += 1,
                Verdict::Fail => counts.fail += 1,
                Verdict::Unknown => counts.unknown += 1,
            }
        }
        counts
    }
    fn json(self) -> Value {
        json!({ "pass": self.pass, "fail": self.fail, "unknown": self.unknown })
    }
    fn cells(self) -> [String; 3] {
        [self.pass, self.fail, self.unknown].map(|count| count.to_string())
    }
}

/// Cases and expectations of `cases`, counted by verdict, and how many needed a second run.
fn counted<'c>(cases: impl Iterator<Item = &'c CaseResult> + Clone) -> (Counts, Counts, usize) {
    let findings = || cases.clone().flat_map(|case| &case.findings);
    (
        Counts::of(cases.clone().map(CaseResult::verdict)),
        Counts::of(findings().map(|finding| finding.judged.verdict)),
        findings().filter(|finding| finding.missed.is_some()).count(),
    )
}

/// The families of the cases, in their order.
fn family_names(validation: &Validation) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for case in &validation.cases {
        if !names.contains(&case.family.as_str()) {
            names.push(&case.family);
        }
    }
    names
}

fn families(validation: &Validation) -> String {
    let row = |name: &str, (cases, expectations, again): (Counts, Counts, usize)| {
        let mut row = vec![name.to_owned()];
        row.extend(cases.cells());
        row.extend(expectations.cells());
        row.push(again.to_string());
        row
    };
    let mut rows: Vec<Vec<String>> = family_names(validation)
        .into_iter()
        .map(|name| row(name, counted(validation.cases.iter().filter(|case| case.family == name))))
        .collect();
    rows.push(row("all", counted(validation.cases.iter())));
    let header = [
        "family",
        "cases\npass",
        "\nfail",
        "\nunknown",
        "expectations\npass",
        "\nfail",
        "\nunknown",
        "2nd\nruns",
    ];
    columns(&header, rows)
}

fn conclusion(validation: &Validation, not_there: &[NotThere]) -> String {
    let (cases, ..) = counted(validation.cases.iter());
    let mut text = String::new();
    if !validation.complete {
        text.push_str("\nINCOMPLETE: what was not done is unknown\n");
    }
    if !not_there.is_empty() {
        let all = validation.cases.len() + not_there.len();
        let share = percent(cases.pass as f64 / all as f64);
        let _ = writeln!(
            text,
            "\n{} of {all} reference results agree ({share} %); {} have no case: `anthill validate --list`",
            cases.pass,
            not_there.len()
        );
    }
    text
}

/// The validation as one JSON object.
pub fn validation_json(validation: &Validation, not_there: &[NotThere], repro: &str) -> Value {
    let finding = |finding: &Finding| {
        let mut value = judged_json(&finding.judged);
        value["variant"] = json!(finding.variant);
        value["seed"] = json!(finding.seed);
        value["second_run"] = json!(finding.missed.is_some());
        value["first_run"] = finding.missed.as_ref().map_or(Value::Null, judged_json);
        value
    };
    let case = |case: &CaseResult| {
        json!({
            "id": case.id,
            "family": case.family,
            "kind": case.kind,
            "about": case.about,
            "source": case.source,
            "verdict": case.verdict().name(),
            "expectations": case.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    };
    let summary = |(cases, expectations, again): (Counts, Counts, usize)| {
        let (cases, expectations) = (cases.json(), expectations.json());
        json!({ "cases": cases, "expectations": expectations, "second_runs": again })
    };
    let families: serde_json::Map<String, Value> = family_names(validation)
        .into_iter()
        .map(|name| {
            let of = validation.cases.iter().filter(|case| case.family == name);
            (name.to_owned(), summary(counted(of)))
        })
        .collect();
    let lacking: Vec<Value> =
        not_there.iter().map(|one| json!({ "id": one.id, "reason": one.reason })).collect();
    json!({
        "complete": validation.complete,
        "verdict": validation.verdict().name(),
        "summary": summary(counted(validation.cases.iter())),
        "families": families,
        "cases": validation.cases.iter().map(case).collect::<Vec<_>>(),
        "not_there": lacking,
        "repro": repro,
    })
}

/// `validation.csv`: a row for each expectation. Of an equality `room` is the tolerance, of nearness the
/// distance allowed; thresholds have `min` and `max` instead of a reference.
pub fn validation_csv(validation: &Validation) -> String {
    let header = [
        "case",
        "family",
        "kind",
        "variant",
        "name",
        "metric",
        "unit",
        "pattern",
        "versus",
        "ratio",
        "class",
        "at_s",
        "statistic",
        "claim",
        "reference",
        "room",
        "min",
        "max",
        "n",
        "estimate",
        "half_width",
        "low",
        "high",
        "verdict",
        "second_run",
        "seed",
        "reason",
    ];
    table(&header, validation.findings().map(|(case, finding)| row(case, finding)))
}

fn row(case: &CaseResult, finding: &Finding) -> Vec<String> {
    let (judged, expected) = (&finding.judged, &finding.judged.expectation);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let given = |value: Option<f64>| value.map_or_else(String::new, cell);
    let (claim, room, min, max) = match expected.claim {
        Claim::Equal { tolerance, .. } => ("equal", Some(tolerance), None, None),
        Claim::Within { by, .. } => ("within", Some(by), None, None),
        Claim::Bounds { min, max, .. } => ("bounds", None, min, max),
    };
    let statistic = match expected.statistic {
        Statistic::Mean => "mean",
        Statistic::Variance => "variance",
    };
    let versus = expected.versus.as_ref();
    let mut row = vec![case.id.clone(), case.family.clone(), case.kind.to_owned(), text(&finding.variant)];
    row.extend([expected.label.clone(), expected.metric.clone(), expected.unit.to_owned()]);
    row.push(text(&expected.pattern));
    row.push(versus.map_or_else(String::new, |(name, _)| name.clone()));
    row.push(versus.map_or_else(String::new, |(_, ratio)| ratio.to_string()));
    row.push(text(&expected.class));
    row.push(given(expected.probe.map(|(at, _)| at.as_secs_f64())));
    row.extend([statistic.to_owned(), claim.to_owned()]);
    row.extend([expected.claim.reference(), room, min, max].map(given));
    let measured = judged.measured;
    row.push(measured.n.to_string());
    row.extend([measured.estimate, measured.half_width(), measured.low, measured.high].map(cell));
    row.extend([judged.verdict.name().to_owned(), finding.missed.is_some().to_string()]);
    row.extend([finding.seed.to_string(), judged.reason.clone()]);
    row
}

/// Writes `validation.csv`, `validation.json`, the plot and the manifest. Of an interrupted one the marker
/// stays.
///
/// # Errors
/// As [`write_folder`](super::write_folder).
pub fn write_validation(
    dir: &Path,
    validation: &Validation,
    not_there: &[NotThere],
    manifest: &Manifest,
    force: bool,
) -> Result<(), Error> {
    check_folder(dir, force)?;
    let seconds: serde_json::Map<String, Value> =
        validation.cases.iter().map(|case| (case.id.clone(), json_number(case.seconds))).collect();
    let mut document = serde_json::to_value(manifest).expect("a manifest is plain data");
    document["seconds_of_cases"] = Value::Object(seconds);
    let files = [
        ("validation.csv", validation_csv(validation)),
        ("validation.json", pretty(&validation_json(validation, not_there, &manifest.command))),
        ("validation.svg", plot::validation(validation)),
        ("manifest.json", pretty(&document)),
    ];
    let lacking = (!validation.complete).then(|| "The validation was interrupted.\n".to_owned());
    write(dir, &files, lacking)
}

/// Every case with its kind, and every reference result without one, with the reason.
pub fn case_list(cases: &[Case], not_there: &[NotThere]) -> String {
    let quick = |case: &Case| if case.file.case.quick { "quick" } else { "" }.to_owned();
    let row = |case: &Case| {
        let expectations: usize = case.parts.iter().map(|part| part.subject.expectations().len()).sum();
        vec![case.id.clone(), case.kind().to_owned(), quick(case), expectations.to_string()]
    };
    let mut text = columns(&["case", "kind", "subset", "expectations"], cases.iter().map(row).collect());
    text.push_str("\n\n");
    for case in cases {
        let _ = writeln!(text, "{}: {}", case.id, case.file.about);
        if !case.file.case.source.is_empty() {
            let _ = writeln!(text, "    source: {}", case.file.case.source);
        }
        if !case.file.case.validates.is_empty() {
            let _ = writeln!(text, "    validates: {}", case.file.case.validates);
        }
    }
    if !not_there.is_empty() {
        text.push_str("\nreference results without a case\n");
    }
    for one in not_there {
        let _ = writeln!(text, "{}: {}", one.id, one.reason);
    }
    let quick = cases.iter().filter(|case| case.file.case.quick).count();
    let _ = writeln!(text, "\n{} cases ({quick} quick), {} without", cases.len(), not_there.len());
    text
}

/// The same as JSON.
pub fn case_list_json(cases: &[Case], not_there: &[NotThere]) -> Value {
    let case = |case: &Case| {
        json!({
            "id": case.id,
            "family": case.family,
            "kind": case.kind(),
            "quick": case.file.case.quick,
            "about": case.file.about,
            "source": case.file.case.source,
            "validates": case.file.case.validates,
            "expectations":
                case.parts.iter().map(|part| part.subject.expectations().len()).sum::<usize>(),
        })
    };
    let lacking = |one: &NotThere| json!({ "id": one.id, "reason": one.reason });
    json!({
        "cases": cases.iter().map(case).collect::<Vec<_>>(),
        "not_there": not_there.iter().map(lacking).collect::<Vec<_>>(),
    })
}

/// How many 95 % intervals hold their reference, by family and in all.
pub fn calibration_table(calibration: &Calibration) -> String {
    let row = |coverage: &Coverage| {
        let share = coverage.share();
        vec![
            coverage.family.clone(),
            coverage.expectations.to_string(),
            coverage.intervals.to_string(),
            coverage.covered.to_string(),
            number(share.estimate, 4),
            format!("{} to {}", number(share.low, 3), number(share.high, 3)),
        ]
    };
    let rows = calibration.families.iter().chain([&calibration.all]).map(row).collect();
    let header = ["family", "equalities", "intervals", "hold the reference", "share", "95 % interval"];
    let verdict = match (calibration.complete, calibration.honest()) {
        (true, true) => "about 95 in 100 hold the reference",
        (true, false) => "NOT about 95 in 100 hold the reference",
        (false, _) => "INCOMPLETE",
    };
    format!("{} master seeds\n{}\n{verdict}\n", calibration.seeds, columns(&header, rows))
}

/// The same as JSON.
pub fn calibration_json(calibration: &Calibration, repro: &str) -> Value {
    let of = |coverage: &Coverage| {
        let share = coverage.share();
        json!({
            "family": coverage.family,
            "equalities": coverage.expectations,
            "intervals": coverage.intervals,
            "covered": coverage.covered,
            "share": json_number(share.estimate),
            "low": json_number(share.low),
            "high": json_number(share.high),
        })
    };
    json!({
        "seeds": calibration.seeds,
        "complete": calibration.complete,
        "honest": calibration.honest(),
        "families": calibration.families.iter().map(of).collect::<Vec<_>>(),
        "all": of(&calibration.all),
        "repro": repro,
    })
}

/// Writes `calibration.json` and the manifest.
///
/// # Errors
/// As [`write_folder`](super::write_folder).
pub fn write_calibration(
    dir: &Path,
    calibration: &Calibration,
    manifest: &Manifest,
    force: bool,
) -> Result<(), Error> {
    check_folder(dir, force)?;
    let files = [
        ("calibration.json", pretty(&calibration_json(calibration, &manifest.command))),
        ("manifest.json", pretty(manifest)),
    ];
    let lacking = (!calibration.complete).then(|| "The calibration was interrupted.\n".to_owned());
    write(dir, &files, lacking)
}
