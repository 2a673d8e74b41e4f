//! What a newcomer reads in a terminal: three small tables, and who is better than whom.
//!
//! Numbers carry the digits that their 95 % half-width justifies. Where the backlog of a pattern grows,
//! its latencies are an artefact of when the run stops (model.md §7), and the table says `unstable`.

use std::fmt::Write;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

use super::expectations::expectations_table;
use super::format::{NONE, in_percent, justified, percent, with_half_width};
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
    ("tax_recovery", "recov."),
    ("tax_other", "other"),
    ("tax_infrastructure", "infra"),
];

/// Columns of a terminal that lines are broken for.
const WIDTH: usize = 108;

/// Everything `anthill compare` prints: tables, verdicts, notes, and how to repeat it.
pub fn comparison_table(comparison: &Comparison, repro: &str) -> String {
    let mut text = headline(comparison);
    section(
        &mut text,
        "Coordination tax",
        "% of engaged capacity that does not become correct work",
        tax(comparison),
    );
    section(
        &mut text,
        "Latency, throughput, money",
        "standing: coordination of the same fleet with nothing to do",
        work(comparison),
    );
    section(&mut text, "Trilemma", "latency, fault tolerance, decentralization", trilemma(comparison));
    text.push_str(&verdicts(comparison));
    text.push_str(&expectations_table(&comparison.judged));
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
        column.set_padding((u16::from(index > 0), 0));
        column.set_cell_alignment(if index == 0 { CellAlignment::Left } else { CellAlignment::Right });
    }
    table.trim_fmt()
}

fn section(text: &mut String, title: &str, about: &str, table: String) {
    let _ = writeln!(text, "\n{} ({about})\n{table}", title.to_uppercase());
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
    header.push("price");
    let row = |pattern: &PatternResult| {
        let share = |metric: &str| percent(pattern.summary(metric).estimate);
        let doubt = if inconclusive(pattern) { "?" } else { "" };
        let tax = with_half_width(in_percent(pattern.summary("tax_full")), 3);
        let mut row = vec![pattern.def.name.to_owned(), format!("{doubt}{tax}")];
        row.extend(KINDS.iter().map(|(metric, _)| share(metric)));
        row.push(with_half_width(pattern.summary("price"), 3));
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
        "tasks\nlost",
        "settled\n[%]",
        "standing\n[%]",
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
            shown("tasks_lost"),
            percent(pattern.summary("settled_share").estimate),
            percent(pattern.summary("standing_overhead_share").estimate),
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
    let holm = if *pairs == 1 { "one pair".to_owned() } else { format!("Holm over {pairs} pairs") };
    let mut text = format!("\nVERDICTS (95 %, {holm}; best first; ≈ not told apart)\n");
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
            let lead = format!("{:<8} but ", "");
            text.push_str(&wrapped(&lead, &ranking.exceptions));
        }
    }
    text
}

/// `items` after `lead`, separated by commas, in lines of at most [`WIDTH`] that are indented by four.
pub(super) fn wrapped(lead: &str, items: &[String]) -> String {
    let (mut text, mut line) = (String::new(), lead.to_owned());
    for (index, item) in items.iter().enumerate() {
        let comma = if index + 1 < items.len() { "," } else { "" };
        let space = if line.ends_with(' ') { "" } else { " " };
        if index > 0 && line.chars().count() + space.len() + item.chars().count() + 1 > WIDTH {
            let _ = writeln!(text, "{}", line.trim_end());
            line = " ".repeat(lead.chars().take_while(|c| *c == ' ').count().max(4)) + item + comma;
        } else {
            line = line + space + item + comma;
        }
    }
    text + line.trim_end() + "\n"
}

fn notes(comparison: &Comparison) -> String {
    let named = |which: &dyn Fn(&PatternResult) -> bool| -> String {
        let names =
            comparison.patterns.iter().filter(|pattern| which(pattern)).map(|pattern| pattern.def.name);
        names.collect::<Vec<_>>().join(", ")
    };
    let mut text = String::new();
    let unstable = named(&unstable);
    if !unstable.is_empty() {
        let _ = writeln!(
            text,
            "unstable: the backlog grows under {unstable}; its latencies only reflect the horizon"
        );
    }
    let open = comparison.patterns.iter().filter(|pattern| inconclusive(pattern)).map(|pattern| {
        let ends = ["tax_full_low", "tax_full_high"].map(|metric| percent(pattern.summary(metric).estimate));
        format!("{} {}–{} %", pattern.def.name, ends[0], ends[1])
    });
    let open: Vec<String> = open.collect();
    if !open.is_empty() {
        text.push_str(&wrapped("? inconclusive, as work unsettled at the end leaves the tax open: ", &open));
    }
    for (pattern, first, second) in &comparison.repeats {
        let _ = writeln!(text, "warning: replications {first} and {second} of {pattern} are bit-equal");
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    /// The cells of the line that begins with `name` in the section called `title`.
    fn line<'t>(text: &'t str, title: &str, name: &str) -> Vec<&'t str> {
        let section = text.split("\n\n").find(|section| section.starts_with(title)).expect("a section");
        let line = section.lines().find(|line| line.starts_with(name)).expect("a line");
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
    }

    #[test]
    fn three_tables_a_ranking_and_how_to_repeat_it() {
        let comparison = sample::comparison(&["hierarchical", "hybrid"], 3);
        let text = comparison_table(&comparison, "anthill compare sample --seed 7");
        assert!(text.starts_with("sample: 2 patterns, identical tasks and faults, 3 replications"), "{text}");
        let tax = line(&text, "COORDINATION TAX", "hybrid");
        // Jackknifed ratio of sums; t(2 degrees, 97.5 %) · 0.001 / √3 = 0.0025.
        assert_eq!(tax[..2], ["hybrid", "10.1 ± 0.2"]);
        assert_eq!(tax[5..], ["0", "0", "0", "0", "0", "1.21 ± 0.02"]);
        let work = line(&text, "LATENCY", "hybrid");
        assert_eq!(work[2..], ["280.0", "900.0", "9.50", "0.210", "3", "98.0", "0.4"]);
        let trilemma = line(&text, "TRILEMMA", "hybrid");
        assert_eq!(trilemma, ["hybrid", "0", "12.00", "87.0 ± 1.0", "87.0 ± 1.0", "–", "100.0", "1"]);
        assert!(text.contains("\ntax      hybrid < hierarchical\n"), "{text}");
        assert!(text.contains("\ngoodput  hybrid > hierarchical\n"), "{text}");
        assert!(text.ends_with("\nrepro: anthill compare sample --seed 7\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(
            !text.contains("NaN") && !text.contains("inconclusive") && !text.contains("unstable"),
            "{text}"
        );
    }

    #[test]
    fn latencies_of_a_growing_backlog_are_not_shown() {
        let mut comparison = sample::comparison(&["hierarchical", "hybrid"], 3);
        for run in &mut comparison.patterns[0].runs {
            run.metrics.set("backlog_slope_per_s", 1.0 + 0.01 * f64::from(run.replication));
            run.metrics.set("tax_full_high", 0.9);
        }
        let text = comparison_table(&comparison, "x");
        assert_eq!(line(&text, "LATENCY", "hierarchical")[2..4], ["unstable", "unstable"]);
        assert_eq!(line(&text, "LATENCY", "hybrid")[2..4], ["280.0", "900.0"]);
        assert!(line(&text, "COORDINATION TAX", "hierarchical")[1].starts_with('?'), "{text}");
        assert!(text.contains("hierarchical 19.1–90.0 %"), "{text}");
        assert!(text.contains("the backlog grows under hierarchical"), "{text}");
    }

    #[test]
    fn one_replication_has_no_intervals_and_no_verdicts() {
        let text = comparison_table(&sample::comparison(&["hierarchical", "hybrid"], 1), "x");
        assert!(text.contains("1 replication (no intervals)"), "{text}");
        assert_eq!(line(&text, "COORDINATION TAX", "hybrid")[1], "10.0");
        assert!(text.contains("none: differences need at least two replications"), "{text}");
        let mut comparison = sample::comparison(&["hybrid"], 2);
        comparison.replications = 20;
        let text = comparison_table(&comparison, "x");
        assert!(text.contains("2 of 20 replications: INCOMPLETE"), "{text}");
        assert!(!text.contains("VERDICTS"), "one pattern has nobody to be better than");
    }

    #[test]
    fn long_lists_are_wrapped() {
        let items: Vec<String> = (0..30).map(|index| format!("item{index}")).collect();
        let text = wrapped("  but ", &items);
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().count(), 31);
        assert!(text.lines().all(|line| line.starts_with("  ")));
    }
}
