//! Arrivals of a recorded trace: compressed in time, rotated by an addressed offset.
//!
//! Rotation gives every replication another part of the same recording, and keeps its rate and its
//! burstiness (model.md §5). The recording is closed to a ring by one mean gap between its last row and
//! its first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arrival, Call};
use crate::engine::{Rng, Span, Time};

/// A recording of model calls: at each row a task arrives, whose calls are that row and the ones after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// File in the format of the Azure LLM inference trace (CSV with TIMESTAMP, ContextTokens,
    /// GeneratedTokens), relative to the scenario's folder.
    pub azure_llm: String,
    /// Recorded time ÷ simulated time; 2 squeezes an hour into half an hour. Default 1.
    #[serde(default = "one")]
    pub compression: f64,
    /// What to do with a row that cannot be read. Default "fail".
    #[serde(default)]
    pub on_bad_row: OnBadRow,
    /// Whether each replication starts at another place of the recording. Default true; without it,
    /// results are conditional on this trace.
    #[serde(default = "yes")]
    pub rotate: bool,
}

/// What to do with a row that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBadRow {
    /// Refuse the file.
    #[default]
    Fail,
    /// Leave the row out and count it.
    Skip,
}

fn one() -> f64 {
    1.0
}
fn yes() -> bool {
    true
}

impl Trace {
    /// Arrivals before `horizon`. `rows` are in order of time, counted from the first row. A recording
    /// shorter than the horizon is not repeated: silence follows.
    pub(super) fn arrivals(&self, rows: &[(Span, Call)], horizon: Time, rng: &mut Rng) -> Vec<Arrival> {
        let squeezed = |span: Span| span.mul_f64(1.0 / self.compression).as_nanos();
        let Some(&(last, _)) = rows.last() else { return Vec::new() };
        let gaps = (rows.len() as u64 - 1).max(1);
        let ring = (squeezed(last) + squeezed(last) / gaps).max(1);
        let offset = if self.rotate { (rng.uniform() * ring as f64) as u64 } else { 0 };
        let first = rows.partition_point(|&(at, _)| squeezed(at) < offset);
        let numbered = || rows.iter().enumerate().map(|(row, &(at, _))| (squeezed(at), row as u32));
        let turned = numbered().skip(first).map(|(at, row)| (at - offset, row));
        let wrapped = numbered().take(first).map(|(at, row)| (at + ring - offset, row));
        turned
            .chain(wrapped)
            .map(|(nanos, row)| Arrival { at: Time::from_nanos(nanos), row: Some(row) })
            .take_while(|arrival| arrival.at < horizon)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(seconds: &[u64]) -> Vec<(Span, Call)> {
        let call = |tokens| Call { context_tokens: tokens, generated_tokens: 1 };
        seconds.iter().map(|&second| (Span::from_secs(second), call(second as u32))).collect()
    }
    fn trace(compression: f64, rotate: bool) -> Trace {
        Trace { azure_llm: "x".to_owned(), compression, on_bad_row: OnBadRow::Fail, rotate }
    }

    #[test]
    fn a_turned_trace_keeps_its_rows_and_the_gaps_between_them() {
        let rows = rows(&[0, 1, 4, 30, 31, 50]);
        let straight = trace(1.0, false).arrivals(&rows, Time::from_secs(1_000), &mut Rng::from_state(1));
        assert_eq!(
            straight.iter().map(|a| a.at.as_nanos() / 1_000_000_000).collect::<Vec<_>>(),
            [0, 1, 4, 30, 31, 50]
        );
        let mut starts = std::collections::BTreeSet::new();
        for state in 0..50 {
            let turned =
                trace(1.0, true).arrivals(&rows, Time::from_secs(1_000), &mut Rng::from_state(state));
            assert_eq!(turned.len(), rows.len());
            assert!(turned.windows(2).all(|pair| pair[0].at <= pair[1].at));
            starts.insert(turned[0].row);
            for pair in turned.windows(2) {
                let tokens = |arrival: &Arrival| {
                    u64::from(rows[arrival.row.expect("recorded") as usize].1.context_tokens)
                };
                let (from, to) = (tokens(&pair[0]), tokens(&pair[1]));
                // The ring is 60 s long: 50 s and one mean gap.
                let gap = if to > from { to - from } else { to + 60 - from };
                assert_eq!(pair[1].at.since(pair[0].at), Span::from_secs(gap));
            }
        }
        assert!(starts.len() >= 4, "replications start at different rows: {starts:?}");
    }

    #[test]
    fn compression_squeezes_and_the_horizon_cuts() {
        let rows = rows(&[0, 10, 20, 30]);
        let squeezed = trace(2.0, false).arrivals(&rows, Time::from_secs(15), &mut Rng::from_state(1));
        assert_eq!(squeezed.iter().map(|a| a.at).collect::<Vec<_>>(), [0, 5, 10].map(Time::from_secs));
        assert!(trace(1.0, true).arrivals(&[], Time::from_secs(1), &mut Rng::from_state(1)).is_empty());
    }
}
