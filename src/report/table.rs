//! What a newcomer reads in a terminal: three small tables, and who is better than whom.
//!
//! Numbers carry the digits that their 95 % half-width justifies. Where the backlog of a pattern grows,
//! its latencies are an artefact of when the run stops (model.md §7), and the table says `unstable`.

use std::fmt::Write;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

use super::format::{NONE, in_percent, justified, number, percent, with_half_width};
use super::ranking::{Ranking, rankings};
use super::{fingerprint, hex};
use crate::experiment::{Comparison, PatternResult, REFERENCE};
use crate::stats::interval::Interval;

/// The kinds of tax, as columns and as shown, in the order of tables and plots.
pub(super) const KINDS: [(&str, &str); 8] = [
    ("tax_search", "search"),
    ("tax_synchronisation", "sync"),
    ("tax_context", "context"),
    ("tax_duplication", "dupl."),
    ("tax_trust", "trust"),
    ("tax_recovery", "recovery"),
    ("tax_other", "other"),
    ("tax_infrastructure", "infra"),
];

/// Everything `anthill compare` prints: tables, verdicts, notes, and how to repeat it.
pub fn comparison_table(comparison: &Comparison, repro: &str) -> String {
    let mut text = headline(comparison);
    section(&mut text, "Coordination tax", "% of engaged capacity that does not become correct work", tax(comparison));
    section(&mut text, "Latency, throughput, money", "", work(comparison));
    section(&mut text, "Trilemma", "latency, fault tolerance, decentralization", trilemma(comparison));
    text.push_str(&verdicts(comparison));
    text.push_str(&notes(comparison));
    let _ = writeln!(text, "\nseed {}   fingerprint {}", comparison.seed, hex(fingerprint(comparison)));
    let _ = writeln!(text, "repro: {repro}");
    text
}

/// The estimate of `metric` for `pattern` against the oracle without faults.
pub(super) fn against_reference(comparison: &Comparison, metric: &str, pattern: &str) -> Option<Interval> {
    let mut rows = comparison.paired.iter();
    let row = rows.find(|row| row.metric == metric && row.pattern == pattern && row.against == REFERENCE)?;
    let paired = row.paired;
    Some(Interval {
        n: paired.n,
        skipped: paired.skipped,
        estimate: paired.estimate,
        low: paired.low,
        high: paired.high,
    })
}

/// Whether the backlog grows: over replications, or within the only one.
pub(super) fn unstable(pattern: &PatternResult) -> bool {
    match &pattern.runs[..] {
        [only] => only.metrics.get("backlog_slope_low_per_s") > 0.0,
        _ => pattern.unstable(),
    }
}

/// Whether unsettled work leaves more than five points of the tax open, in the mean over replications.
pub(super) fn inconclusive(pattern: &PatternResult) -> bool {
    let (low, high) = (pattern.summary("tax_full_low").estimate, pattern.summary("tax_full_high").estimate);
    high - low > 0.05
}

/// A table of `rows` under `header`, first column to the left, the others to the right.
pub(super) fn columns(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(header.to_vec());
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 0 } else { 2 }, 0));
        column.set_cell_alignment(if index == 0 { CellAlignment::Left } else { CellAlignment::Right });
    }
    table.trim_fmt()
}

fn section(text: &mut String, title: &str, about: &str, table: String) {
    let about = if about.is_empty() { String::new() } else { format!(" ({about})") };
    let _ = writeln!(text, "\n{}{about}\n{table}", title.to_uppercase());
}

fn headline(comparison: &Comparison) -> String {
    let patterns = comparison.patterns.len();
    let runs = match (comparison.completed, comparison.replications) {
        (1, 1) => "1 replication (no intervals)".to_owned(),
        (done, asked) if done == asked => format!("{done} replications (mean ± 95 % half-width)"),
        (done, asked) => format!("{done} of {asked} replications: INCOMPLETE"),
    };
    let what = if patterns == 1 { "1 pattern" } else { &format!("{patterns} patterns") };
    let mut text = format!("{}: {what}, identical tasks and faults, {runs}\n", comparison.scenario);
    if let Some(first) = comparison.patterns.first() {
        let load = with_half_width(first.summary("load_rho"), 3);
        let _ = writeln!(text, "load ρ = {load} (work arriving ÷ capacity)");
    }
    text
}

fn tax(comparison: &Comparison) -> String {
    let mut header = vec!["pattern", "tax"];
    header.extend(KINDS.iter().map(|(_, shown)| *shown));
    header.extend(["price", "standing", "settled"]);
    let row = |pattern: &PatternResult| {
        let share = |metric: &str| percent(pattern.summary(metric).estimate);
        let doubt = if inconclusive(pattern) { "?" } else { "" };
        let tax = with_half_width(in_percent(pattern.summary("tax_full")), 3);
        let mut row = vec![pattern.def.name.to_owned(), format!("{doubt}{tax}")];
        row.extend(KINDS.iter().map(|(metric, _)| share(metric)));
        row.push(with_half_width(pattern.summary("price"), 3));
        row.extend([share("standing_overhead_share"), share("settled_share")]);
        row
    };
    columns(&header, comparison.patterns.iter().map(row).collect())
}

fn work(comparison: &Comparison) -> String {
    let header = [
        "pattern",
        "goodput\n[tasks/s]",
        "sojourn p50\n[s]",
        "sojourn p99\n[s]",
        "messages\nper task",
        "money\nper task",
        "duplicated\n[%]",
        "tasks\nlost",
    ];
    let row = |pattern: &PatternResult| {
        let shown = |metric: &str| justified(pattern.summary(metric), 3);
        let latency = |metric: &str| if unstable(pattern) { "unstable".to_owned() } else { shown(metric) };
        vec![
            pattern.def.name.to_owned(),
            with_half_width(pattern.summary("goodput_per_s"), 3),
            latency("sojourn_p50_s"),
            latency("sojourn_p99_s"),
            shown("messages_per_task"),
            shown("money_per_correct_task"),
            percent(pattern.summary("duplication_share").estimate),
            shown("tasks_lost"),
        ]
    };
    columns(&header, comparison.patterns.iter().map(row).collect())
}

fn trilemma(comparison: &Comparison) -> String {
    let header = [
        "pattern",
        "decision p50\n[s]",
        "decision p99\n[s]",
        "fault tolerance\n[% of ideal]",
        "availability\n[%]",
        "recovery\n[s]",
        "top decider\n[%]",
        "effective\ndeciders",
    ];
    let row = |pattern: &PatternResult| {
        let name = pattern.def.name;
        let latency = |metric: &str| {
            if unstable(pattern) { "unstable".to_owned() } else { justified(pattern.summary(metric), 3) }
        };
        let reference = |metric: &str| {
            let found = against_reference(comparison, metric, name);
            found.map_or_else(|| NONE.to_owned(), |share| with_half_width(in_percent(share), 3))
        };
        vec![
            name.to_owned(),
            latency("decision_latency_p50_s"),
            latency("decision_latency_p99_s"),
            reference("fault_tolerance"),
            reference("availability"),
            justified(pattern.summary("recovery_time_mean_s"), 3),
            percent(pattern.summary("decider_top1_share").estimate),
            justified(pattern.summary("decider_effective_number"), 3),
        ]
    };
    columns(&header, comparison.patterns.iter().map(row).collect())
}

fn verdicts(comparison: &Comparison) -> String {
    let rankings = rankings(comparison);
    let Some(Ranking { pairs, .. }) = rankings.first() else { return String::new() };
    let mut text = format!("\nVERDICTS (95 %, Holm over {pairs} pairs; best first; ≈ not told apart)\n");
    if comparison.completed < 2 {
        text.push_str("none: differences need at least two replications\n");
        return text;
    }
    for ranking in &rankings {
        let shown = match ranking.metric {
            "tax_full" => "tax",
            "goodput_per_s" => "goodput",
            other => other,
        };
        let _ = writeln!(text, "{shown:<8} {}", ranking.chain);
        if !ranking.exceptions.is_empty() {
            let _ = writeln!(text, "{:<8} except {}", "", ranking.exceptions.join(", "));
        }
    }
    text
}

fn notes(comparison: &Comparison) -> String {
    let named = |which: &dyn Fn(&PatternResult) -> bool| -> String {
        let names = comparison.patterns.iter().filter(|pattern| which(pattern)).map(|pattern| pattern.def.name);
        names.collect::<Vec<_>>().join(", ")
    };
    let mut text = String::new();
    let unstable = named(&unstable);
    if !unstable.is_empty() {
        let _ = writeln!(text, "unstable: the backlog grows under {unstable}; its latencies only reflect the horizon");
    }
    for pattern in comparison.patterns.iter().filter(|pattern| inconclusive(pattern)) {
        let ends = ["tax_full_low", "tax_full_high"]
            .map(|metric| number(100.0 * pattern.summary(metric).estimate, 3));
        let _ = writeln!(
            text,
            "? inconclusive: work unsettled at the end leaves the tax of {} between {} % and {} %",
            pattern.def.name, ends[0], ends[1]
        );
    }
    for (pattern, first, second) in &comparison.repeats {
        let _ = writeln!(text, "warning: replications {first} and {second} of {pattern} are bit-equal");
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}
