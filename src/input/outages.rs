//! Outages of online services: the traces of the Cloud Uptime Archive.
//!
//! Comma-separated `start_time,end_time,status,service`: seconds since the file's first record, and a
//! severity from 0 (nothing) to 1 (fully down). Incidents may overlap and have severity 0.

use std::path::Path;

use super::file::{BadRow, Dataset, Read};
use super::table::{self, Row, RowProblem, Separator, bad};
use crate::engine::{Span, Time};
use crate::error::Error;

/// The incidents of one service, as its operator reported them. The other files of the folder have the
/// same format.
pub const DATASET: Dataset = Dataset {
    what: "outages of an online service with severities (Cloud Uptime Archive)",
    folder: "cloud-uptime-archive",
    file: "slack_global-status_operator_reported.csv",
    source: "Cloud Uptime Archive, arXiv 2504.09476 (atlarge-research/cloud-uptime-archive, MIT)",
};

/// One record: something was wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    /// Its start, since the first record.
    pub from: Time,
    /// Its end, not before its start.
    pub to: Time,
    /// From 0 (nothing) to 1 (fully down).
    pub severity: f64,
}

/// A stretch of time in which a service was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Its start, since the first record.
    pub from: Time,
    /// Its end, after its start.
    pub to: Time,
}

impl Outage {
    /// How long it lasted.
    pub fn length(&self) -> Span {
        self.to.since(self.from)
    }
}

const START: &str = "start_time";
const END: &str = "end_time";
const STATUS: &str = "status";

/// Reads the incidents at `path`; they are returned in the order of their starts, whatever the order of
/// the rows.
///
/// # Errors
/// If the file is absent, broken or holds no usable row, and, as `on_bad_row` says, for bad rows.
pub fn read(path: &Path, on_bad_row: BadRow) -> Result<Read<Vec<Incident>>, Error> {
    let mut rows = Vec::new();
    let columns = [START, END, STATUS];
    let bad_rows = table::read((path, &DATASET), Separator::Comma, &columns, on_bad_row, |_, row| {
        rows.push(incident(row)?);
        Ok(())
    })?;
    rows.sort_by_key(|incident| (incident.from, incident.to));
    let is_empty = rows.is_empty();
    bad_rows.finish(rows, is_empty)
}

/// A century: later times are no seconds.
const LATEST_S: f64 = 3_155_760_000.0;

fn incident(row: &Row<'_>) -> Result<Incident, RowProblem> {
    let time = |column| match row.not_negative(column)? {
        seconds if seconds <= LATEST_S => Ok(Time::ZERO + Span::from_secs_f64(seconds)),
        _ => Err(bad(column, format!("`{}` is more than a century, in seconds", row.text(column)))),
    };
    let (from, to) = (time(START)?, time(END)?);
    if to < from {
        return Err(bad(END, format!("`{}` is before the start, {}", row.text(END), row.text(START))));
    }
    match row.not_negative(STATUS)? {
        severity if severity <= 1.0 => Ok(Incident { from, to, severity }),
        severity => Err(bad(STATUS, format!("`{severity}` is not a severity from 0 to 1"))),
    }
}

/// The outages in `incidents` (in the order of their starts): those with a severity of `threshold` or
/// more, overlapping and touching ones merged. Severity 0 is never an outage.
pub fn outages(incidents: &[Incident], threshold: f64) -> Vec<Outage> {
    let mut merged: Vec<Outage> = Vec::new();
    let counts = |i: &&Incident| i.severity >= threshold && i.severity > 0.0 && i.to > i.from;
    for incident in incidents.iter().filter(counts) {
        match merged.last_mut() {
            Some(last) if incident.from <= last.to => last.to = last.to.max(incident.to),
            Some(_) | None => merged.push(Outage { from: incident.from, to: incident.to }),
        }
    }
    debug_assert!(merged.windows(2).all(|w| w[0].to < w[1].from), "merged outages are apart, in order");
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::testing::{file_of, gzip, near, problems_of, real_data};

    fn parse(rows: &str, on_bad_row: BadRow) -> Result<Read<Vec<Incident>>, Error> {
        let (_directory, path) =
            file_of("s.csv", format!("start_time,end_time,status,service\n{rows}").as_bytes());
        read(&path, on_bad_row)
    }

    #[test]
    fn overlapping_and_touching_incidents_are_one_outage() {
        let rows =
            "50,60,0.5,s\n0,10,0.5,s\n5,20,1,s\n20,30,0.5,s\n31,40,0.4,s\n7,8,0.9,s\n70,80,0,s\n90,90,1,s\n";
        let incidents = parse(rows, BadRow::Fail).unwrap().rows;
        let ends = |threshold: f64| -> Vec<(u64, u64)> {
            let seconds = |time: Time| time.as_nanos() / 1_000_000_000;
            outages(&incidents, threshold).iter().map(|o| (seconds(o.from), seconds(o.to))).collect()
        };
        assert_eq!(ends(0.5), [(0, 30), (50, 60)]);
        assert_eq!(ends(0.0), [(0, 30), (31, 40), (50, 60)], "severity 0 is no outage");
        assert_eq!(ends(1.0), [(5, 20)]);
    }

    #[test]
    fn bad_rows_are_named_or_skipped() {
        let rows =
            "0,1,0.5\nx,1,0.5,s\n-1,1,0.5,s\n0,NaN,0.5,s\n5,1,0.5,s\n0,1,1.5,s\n0,1e12,1,s\n0,1,0.5,s\n";
        let problems = problems_of(parse(rows, BadRow::Fail));
        let want = [
            "2 service: the row has 3",
            "3 start_time: `x`",
            "4 start_time: `-1` is negative",
            "5 end_time: `NaN`",
            "6 end_time: `1` is before the start, 5",
            "7 status: `1.5` is not a severity",
            "8 end_time: `1e12` is more than a century",
        ];
        assert_eq!(problems.len(), want.len(), "{problems:?}");
        for (problem, want) in problems.iter().zip(want) {
            assert!(problem.starts_with(want), "{problem}");
        }
        let read = parse(rows, BadRow::Skip).unwrap();
        assert_eq!((read.rows.len(), read.skipped), (1, 7));
        let (_directory, path) = file_of("cut.gz", &gzip(rows.as_bytes())[..40]);
        assert!(problems_of(super::read(&path, BadRow::Skip))[0].contains("cut short"));
    }

    #[test]
    fn the_published_services_have_their_published_statistics() {
        let Some(data) = real_data() else { return };
        // (file, rows, days, median and 95 % quantile of the lengths [h])
        let published = [
            ("slack_global-status_operator_reported.csv", 261, 1_333.0, 3.0, 54.0),
            ("github-status_global-status_operator_reported.csv", 230, 1_617.0, 3.0, 9.0),
            ("Facebook_user_reported.csv", 4_069, 565.0, 0.33, 2.0),
            ("hive_online_game.csv", 73, 288.0, 0.13, 1.8),
            ("runescape_online_game.csv", 2_341, 2_776.0, 0.13, 1.4),
        ];
        for (file, rows, days, median_h, p95_h) in published {
            let incidents = read(&data.join(DATASET.folder).join(file), BadRow::Fail).unwrap().rows;
            assert_eq!(incidents.len(), rows, "{file}");
            let last = incidents.iter().map(|incident| incident.to).max().unwrap().as_secs_f64();
            assert!(near(last / 86_400.0, days, 2e-3), "{file}: {}", last / 86_400.0);
            let real = incidents.iter().filter(|incident| incident.severity > 0.0);
            let mut hours: Vec<f64> = real.map(|i| i.to.since(i.from).as_secs_f64() / 3_600.0).collect();
            hours.sort_by(f64::total_cmp);
            let at = |p: f64| hours[(p * (hours.len() - 1) as f64) as usize];
            assert!(near(at(0.5), median_h, 0.03) && near(at(0.95), p95_h, 0.03), "{file}: {}", at(0.95));
            let total: f64 = outages(&incidents, 0.0).iter().map(|o| o.length().as_secs_f64()).sum();
            assert!(total <= hours.iter().sum::<f64>() * 3_600.0 * (1.0 + 1e-12), "merging adds no time");
        }
    }
}
