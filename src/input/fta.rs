//! When nodes were available: event traces of the Failure Trace Archive.
//!
//! Columns padded with blanks and tabs, a header line that starts with `#`, rows grouped by node; the
//! archive does not promise an order in time (Kondo, Javadi, Iosup, Epema, CCGrid 2010). A node's
//! intervals may leave gaps, in which its state is unknown, but they never overlap.

use std::collections::BTreeMap;
use std::path::Path;

use super::file::{BadRow, BadRows, Dataset, Read};
use super::table::{self, Row, RowProblem, Separator, bad};
use crate::engine::{Span, Time};
use crate::error::Error;

/// A month of four sites of the Grid'5000 research grid.
pub const DATASET: Dataset = Dataset {
    what: "node availability of Grid'5000, May 2006 (Failure Trace Archive, g5k06)",
    folder: "fta-grid5000",
    file: "event_trace.tab.gz",
    source: "Kondo, Javadi, Iosup, Epema, \"The Failure Trace Archive\", CCGrid 2010; data set g5k06",
};

/// The window that the rows of [`DATASET`] overlap: May 2006, UTC \[s since 1970\].
pub const MAY_2006_UNIX_S: (u64, u64) = (1_146_441_600, 1_149_120_000);

/// A stretch of time in which a node was in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// Its start, since [`Availability::origin_unix_s`].
    pub from: Time,
    /// Its end, not before its start.
    pub to: Time,
    /// Whether the node was available.
    pub up: bool,
}

impl Interval {
    /// How long it lasted.
    pub fn length(&self) -> Span {
        self.to.since(self.from)
    }

    /// How much of it lies between `from` and `to`.
    fn within(&self, from: Time, to: Time) -> Span {
        self.to.min(to).saturating_since(self.from.max(from))
    }
}

/// One node and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name in the archive, such as `G1/site2/c1/node1`.
    pub name: String,
    /// In the order of time, without overlaps.
    pub intervals: Vec<Interval>,
}

/// A whole trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    /// The start of the earliest interval \[s since 1970\]: time zero of the trace.
    pub origin_unix_s: u64,
    /// In the order of the archive's node numbers.
    pub nodes: Vec<Node>,
}

impl Availability {
    /// The instant `unix_s` seconds after the start of 1970; before the trace, its start.
    pub fn at_unix(&self, unix_s: u64) -> Time {
        Time::from_secs(unix_s.saturating_sub(self.origin_unix_s))
    }

    /// The lengths of the intervals in the state `up` that begin from `from` on and before `to` \[s\],
    /// node by node; those of length zero, which no law of durations has, left out.
    ///
    /// Intervals that begin in a window are a fair sample; those that overlap it are not, since long ones
    /// overlap more windows.
    pub fn lengths_s(&self, up: bool, from: Time, to: Time) -> Vec<f64> {
        let chosen = self.intervals().filter(|i| i.up == up && from <= i.from && i.from < to);
        chosen.map(|i| i.length().as_secs_f64()).filter(|length| *length > 0.0).collect()
    }

    /// The node time spent in the state `up` between two instants, all nodes together \[s\].
    pub fn node_seconds(&self, up: bool, from: Time, to: Time) -> f64 {
        self.intervals().filter(|i| i.up == up).map(|i| i.within(from, to).as_secs_f64()).sum()
    }

    /// How many intervals of unavailability began from `from` on and before `to`.
    pub fn new_failures(&self, from: Time, to: Time) -> usize {
        self.intervals().filter(|i| !i.up && from <= i.from && i.from < to).count()
    }

    fn intervals(&self) -> impl Iterator<Item = &Interval> {
        self.nodes.iter().flat_map(|node| &node.intervals)
    }
}

const NODE: &str = "node_id";
const NAME: &str = "node_name";
const TYPE: &str = "event_type";
const START: &str = "event_start_time";
const STOP: &str = "event_stop_time";

/// A row before time has its zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    start_s: u64,
    stop_s: u64,
    line: usize,
    up: bool,
}

/// Reads the event trace at `path`. Rows may be in any order; of two that overlap on one node, the one
/// that starts later is a bad row.
///
/// # Errors
/// If the file is absent, broken or holds no usable row, and, as `on_bad_row` says, for bad rows.
pub fn read(path: &Path, on_bad_row: BadRow) -> Result<Read<Availability>, Error> {
    let mut nodes: BTreeMap<u64, (String, Vec<Event>)> = BTreeMap::new();
    let columns = [NODE, NAME, TYPE, START, STOP];
    let mut bad_rows =
        table::read((path, &DATASET), Separator::Blanks, &columns, on_bad_row, |line, row| {
            let event = event(line, row)?;
            let name = || (row.text(NAME).to_owned(), Vec::new());
            nodes.entry(row.whole(NODE)?).or_insert_with(name).1.push(event);
            Ok(())
        })?;
    for (_, events) in nodes.values_mut() {
        events.sort_unstable();
        drop_overlaps(events, &mut bad_rows);
    }
    let starts = nodes.values().flat_map(|(_, events)| events.first()).map(|event| event.start_s);
    let origin_unix_s = starts.min().unwrap_or(0);
    let interval = |event: &Event| Interval {
        from: Time::from_secs(event.start_s - origin_unix_s),
        to: Time::from_secs(event.stop_s - origin_unix_s),
        up: event.up,
    };
    let nodes: Vec<Node> = nodes
        .into_values()
        .map(|(name, events)| Node { name, intervals: events.iter().map(interval).collect() })
        .collect();
    let is_empty = nodes.is_empty();
    bad_rows.finish(Availability { origin_unix_s, nodes }, is_empty)
}

/// Unix times beyond the year 2500 are not times.
const LATEST_UNIX_S: u64 = 16_725_225_600;

fn event(line: usize, row: &Row<'_>) -> Result<Event, RowProblem> {
    // The archive has traces with fractions of a second; whole seconds are its resolution.
    let seconds = |column| match row.not_negative(column)? {
        value if value <= LATEST_UNIX_S as f64 => Ok(value as u64),
        _ => Err(bad(column, format!("`{}` is not a Unix time in seconds", row.text(column)))),
    };
    let (start_s, stop_s) = (seconds(START)?, seconds(STOP)?);
    if stop_s < start_s {
        return Err(bad(STOP, format!("`{stop_s}` is before the interval's start, {start_s}")));
    }
    let up = match row.text(TYPE) {
        "0" => false,
        "1" => true,
        other => return Err(bad(TYPE, format!("`{other}` is neither 0 (unavailable) nor 1 (available)"))),
    };
    Ok(Event { start_s, stop_s, line, up })
}

/// Leaves out of a node's events, in the order of time, those that start before an earlier one ends.
fn drop_overlaps(events: &mut Vec<Event>, bad_rows: &mut BadRows) {
    let mut free_from_s = 0;
    events.retain(|event| {
        if event.start_s < free_from_s {
            let message = format!(
                "`{}` is before {free_from_s}, the end of another interval of the node",
                event.start_s
            );
            bad_rows.push(event.line, *bad(START, message));
            return false;
        }
        free_from_s = event.stop_s;
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::testing::{file_of, gzip, near, problems_of, real_data};

    fn parse(rows: &str, on_bad_row: BadRow) -> Result<Read<Availability>, Error> {
        let header = "# node_id  node_name event_type \tevent_start_time event_stop_time";
        let (_directory, path) = file_of("event_trace.tab", format!("{header}\n{rows}").as_bytes());
        read(&path, on_bad_row)
    }

    #[test]
    fn rows_in_any_order_become_intervals_by_node_and_time() {
        let trace = parse(" 7\t b 0\t130 140\n 2 a\t 1 100 160\n7 b 1 110 130\n", BadRow::Fail).unwrap().rows;
        let interval = |from, to, up| Interval { from: Time::from_secs(from), to: Time::from_secs(to), up };
        assert_eq!(trace.origin_unix_s, 100);
        assert_eq!(trace.nodes[0].intervals, [interval(0, 60, true)]);
        assert_eq!(trace.nodes[1].intervals, [interval(10, 30, true), interval(30, 40, false)]);
        let lengths = |up| trace.lengths_s(up, Time::ZERO, Time::MAX);
        assert_eq!((lengths(true), lengths(false)), (vec![60.0, 20.0], vec![10.0]));
        let (from, to) = (trace.at_unix(105), trace.at_unix(130));
        assert_eq!((trace.lengths_s(true, from, to), trace.lengths_s(false, from, to)), (vec![20.0], vec![]));
        let (from, to) = (trace.at_unix(120), trace.at_unix(135));
        assert_eq!(trace.node_seconds(true, from, to), 25.0);
        assert_eq!((trace.new_failures(from, to), trace.new_failures(to, to)), (1, 0));
    }

    #[test]
    fn bad_rows_are_named_or_skipped() {
        let rows = "1 a 1 100\n1 a 2 100 110\n1 a 1 -5 110\n1 a 1 NaN 110\n1 a 1 120 110\nx a 1 100 110\n\
                    1 a 1 100 110\n1 a 0 105 120\n1 a 1 1e300 1e301\n";
        let problems = problems_of(parse(rows, BadRow::Fail));
        let want = [
            "2 event_stop_time: the row has 4",
            "3 event_type: `2` is neither",
            "4 event_start_time: `-5` is negative",
            "5 event_start_time: `NaN`",
            "6 event_stop_time: `110` is before",
            "7 node_id: `x`",
            "10 event_start_time: `1e300` is not a Unix time",
            "9 event_start_time: `105` is before 110",
        ];
        assert_eq!(problems.len(), want.len(), "{problems:?}");
        for (problem, want) in problems.iter().zip(want) {
            assert!(problem.starts_with(want), "{problem}");
        }
        let read = parse(rows, BadRow::Skip).unwrap();
        let lengths = read.rows.lengths_s(true, Time::ZERO, Time::MAX);
        assert_eq!((read.rows.nodes.len(), lengths, read.skipped), (1, vec![10.0], 8));
        let (_directory, path) = file_of("cut.gz", &gzip(rows.as_bytes())[..40]);
        assert!(problems_of(super::read(&path, BadRow::Skip))[0].contains("cut short"));
    }

    #[test]
    fn the_published_month_has_its_published_statistics() {
        let Some(data) = real_data() else { return };
        let trace = read(&DATASET.path(&data), BadRow::Fail).unwrap().rows;
        let rows: usize = trace.nodes.iter().map(|node| node.intervals.len()).sum();
        assert_eq!((trace.nodes.len(), rows), (369, 7_143));
        assert!(
            trace.nodes.iter().all(|n| n.intervals.windows(2).all(|w| w[0].to == w[1].from)),
            "they tile time"
        );
        let quantiles = |up, ps: &[f64]| {
            let mut lengths = trace.lengths_s(up, Time::ZERO, Time::MAX);
            lengths.sort_by(f64::total_cmp);
            ps.iter().map(|p| lengths[(p * (lengths.len() - 1) as f64) as usize]).collect::<Vec<_>>()
        };
        assert_eq!(quantiles(true, &[0.25, 0.5, 0.75]), [39_767.0, 86_280.0, 235_363.0]);
        assert_eq!(quantiles(false, &[0.05, 0.5, 0.75, 0.95]), [97.0, 148.0, 607.0, 231_745.0]);
        // The published share is of the nodes' whole month; 15 %
        // of it is not covered by any interval, and of what is covered 88.6 % is available.
        let (from, to) = (trace.at_unix(MAY_2006_UNIX_S.0), trace.at_unix(MAY_2006_UNIX_S.1));
        let month = 369.0 * to.since(from).as_secs_f64();
        let (up, down) = (trace.node_seconds(true, from, to), trace.node_seconds(false, from, to));
        assert!(near(up / month, 0.753, 1e-3) && near(up / (up + down), 0.886, 1e-3));
        assert!(near(trace.new_failures(from, to) as f64 / 369.0 / 31.0, 0.30, 0.01));
    }
}
