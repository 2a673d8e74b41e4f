//! Results as CSV.
//!
//! One header line, commas, `\n`. Numbers are the shortest decimals that read back as the same bits, whole
//! ones without a point; a value that does not apply is an empty cell. Rows stand in (pattern, replication)
//! order, columns in the order of the metric registry.

use ::csv::Writer;

use super::hex;
use crate::experiment::{PairedRow, PatternResult};
use crate::metrics::registry;
use crate::metrics::series::RunSeries;
use crate::metrics::traffic::KindTraffic;
use crate::sim::Outcome;

/// `runs.csv`: a row per pattern × replication, with every metric of the registry.
pub fn runs_csv(patterns: &[PatternResult], seed: u64) -> String {
    let rows = patterns.iter().flat_map(|pattern| {
        pattern.runs.iter().map(|run| {
            run_row(pattern.def.name, run.replication, seed, run.fingerprint, run.metrics.values())
        })
    });
    table(&run_header(), rows)
}

/// `runs.csv` of a single run.
pub fn run_csv(outcome: &Outcome, seed: u64, replication: u32) -> String {
    let row = run_row(outcome.pattern, replication, seed, outcome.fingerprint, outcome.metrics.values());
    table(&run_header(), [row])
}

fn run_header() -> Vec<&'static str> {
    ["pattern", "replication", "seed", "fingerprint"]
        .into_iter()
        .chain(registry().map(|metric| metric.name))
        .collect()
}

fn run_row(pattern: &str, replication: u32, seed: u64, fingerprint: u64, values: &[f64]) -> Vec<String> {
    let mut row = vec![pattern.to_owned(), replication.to_string(), seed.to_string(), hex(fingerprint)];
    row.extend(values.iter().map(|&value| cell(value)));
    row
}

/// `summary.csv`: a row per pattern × metric. `n` counts the replications in which the metric applies; low
/// and high are the ends of the 95 % interval.
pub fn summary_csv(patterns: &[PatternResult]) -> String {
    let rows = patterns.iter().flat_map(|pattern| {
        registry().map(|metric| {
            let interval = pattern.summary(metric.name);
            let numbers = [interval.estimate, interval.half_width(), interval.low, interval.high];
            let mut row = vec![pattern.def.name.to_owned(), metric.name.to_owned(), interval.n.to_string()];
            row.extend(numbers.map(cell));
            row
        })
    });
    table(&["pattern", "metric", "n", "mean", "half_width", "low", "high"], rows)
}

/// `paired.csv`: differences, ratios and values of patterns on identical replications.
pub fn paired_csv(rows: &[PairedRow]) -> String {
    let header = [
        "metric",
        "pattern",
        "against",
        "scale",
        "n",
        "estimate",
        "low",
        "high",
        "correlation",
        "p_holm",
        "verdict",
    ];
    let rows = rows.iter().map(|row| {
        let paired = &row.paired;
        let names = [row.metric, row.pattern, row.against, row.scale.name()].map(str::to_owned);
        let mut cells = Vec::from(names);
        cells.push(paired.n.to_string());
        cells.extend([paired.estimate, paired.low, paired.high, paired.correlation].map(cell));
        cells.push(row.p_holm.map_or_else(String::new, cell));
        cells.push(row.verdict.map_or("", |verdict| verdict.name()).to_owned());
        cells
    });
    table(&header, rows)
}

/// `messages.csv` of a run: logical messages by kind.
pub fn kinds_csv(kinds: &[KindTraffic]) -> String {
    let rows = kinds.iter().map(|kind| {
        let counts = [kind.messages, kind.bytes, kind.tokens].map(|count| count.to_string());
        [kind.name, kind.phase.name()].map(str::to_owned).into_iter().chain(counts).collect()
    });
    table(&["kind", "phase", "messages", "bytes", "tokens"], rows)
}

/// `series.csv` of a run: what happened in each window, and the backlog at its end.
pub fn series_csv(series: &RunSeries) -> String {
    let length = series.window.as_secs_f64();
    let rows = series.windows.iter().zip(&series.backlog).enumerate().map(|(index, (window, backlog))| {
        let counts = [window.arrived, window.accepted, window.correct, window.ended];
        let mut row = vec![cell(index as f64 * length)];
        row.extend(counts.map(|count| count.to_string()));
        row.push(backlog.to_string());
        row
    });
    table(&["from_s", "arrived", "accepted", "correct", "ended", "backlog"], rows)
}

/// A number as it stands in a cell.
pub(super) fn cell(value: f64) -> String {
    if value.is_nan() {
        String::new()
    } else if value == 0.0 {
        // Minus zero is a zero.
        "0".to_owned()
    } else {
        value.to_string()
    }
}

pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut writer = Writer::from_writer(Vec::new());
    let outcome = writer
        .write_record(header)
        .and_then(|()| rows.into_iter().try_for_each(|row| writer.write_record(&row)));
    outcome.expect("rows are as long as the header, and memory does not fail");
    let bytes = writer.into_inner().expect("memory does not fail");
    String::from_utf8(bytes).expect("every cell is text")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let rows = reader.records().map(|row| row.expect("valid CSV").iter().map(str::to_owned).collect());
        rows.collect()
    }

    #[test]
    fn a_run_is_a_row_that_reads_back_as_the_same_bits() {
        let comparison = sample::comparison(&["ideal", "hybrid"], 3);
        let rows = rows(&runs_csv(&comparison.patterns, comparison.seed));
        assert_eq!(rows.len(), 1 + 2 * 3);
        assert_eq!(rows[0][..5], ["pattern", "replication", "seed", "fingerprint", "events"]);
        assert_eq!(rows[0].len(), 4 + registry().count());
        assert_eq!(rows[5][..4], ["hybrid", "1", "7", "00000000000003e9"]);
        let run = &comparison.patterns[1].runs[1];
        for (cell, value) in rows[5][4..].iter().zip(run.metrics.values()) {
            if value.is_nan() {
                assert_eq!(cell, "");
            } else {
                assert_eq!(cell.parse::<f64>().expect("a number").to_bits(), value.to_bits());
                assert!(!cell.ends_with(".0"), "{cell}");
            }
        }
        assert!(rows[5][4..].iter().any(String::is_empty), "the sample leaves metrics out");
    }

    #[test]
    fn a_summary_has_a_row_per_metric_and_no_interval_from_one_replication() {
        let comparison = sample::comparison(&["ideal", "hybrid"], 3);
        let all = rows(&summary_csv(&comparison.patterns));
        assert_eq!(all.len(), 1 + 2 * registry().count());
        let row = all.iter().find(|row| row[0] == "hybrid" && row[1] == "price").expect("price is a metric");
        assert_eq!(row[2..4], ["3", "1.21"]);
        let lonely = sample::comparison(&["hybrid"], 1);
        let all = rows(&summary_csv(&lonely.patterns));
        let row = all.iter().find(|row| row[1] == "price").expect("price is a metric");
        assert_eq!(row[2..], ["1", "1.2", "", "", ""]);
    }

    #[test]
    fn verdicts_stand_beside_primary_endpoints_only() {
        let comparison = sample::comparison(&["hierarchical", "hybrid"], 3);
        let all = rows(&paired_csv(&comparison.paired));
        let tax = &all[1];
        assert_eq!(tax[..5], ["tax_full", "hybrid", "hierarchical", "difference", "3"]);
        assert_eq!(tax[9..], ["0.001", "better"]);
        let tolerance = all.iter().find(|row| row[0] == "fault_tolerance").expect("against the reference");
        assert_eq!(tolerance[9..], ["", ""]);
    }

    #[test]
    fn cells_are_plain() {
        for (value, shown) in [(3.0, "3"), (-0.0, "0"), (0.1, "0.1"), (f64::NAN, ""), (1e-7, "0.0000001")] {
            assert_eq!(cell(value), shown);
        }
    }
}
