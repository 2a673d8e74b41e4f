//! The only place that reads the clock and asks what machine this is; for the manifest alone.

#![allow(clippy::disallowed_types, reason = "a manifest says when and how long; no result depends on it")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::report::{Machine, Manifest};
use crate::scenario::Scenario;

/// Measures a command.
pub(super) struct Stopwatch {
    began: Instant,
    started: SystemTime,
}

impl Stopwatch {
    pub(super) fn start() -> Stopwatch {
        Stopwatch { began: Instant::now(), started: SystemTime::now() }
    }

    /// Time since the start \[s\].
    pub(super) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}

/// What a folder of results of a scenario says about how they came about.
pub(super) fn manifest(scenario: &Scenario, command: String, threads: usize, clock: &Stopwatch) -> Manifest {
    Manifest {
        scenario: serde_json::to_value(&scenario.file).expect("a scenario is plain data"),
        presets: serde_json::to_value(&scenario.presets).expect("presets are plain data"),
        ..manifest_of(command, threads, clock)
    }
}

/// The same of results that come from no single scenario.
pub(super) fn manifest_of(command: String, threads: usize, clock: &Stopwatch) -> Manifest {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        parent_commit: Some(env!("ANTHILL_COMMIT").to_owned()).filter(|commit| commit != "unknown"),
        command,
        started: rfc3339(clock.started),
        wall_time_s: clock.seconds(),
        threads: if threads == 0 { cores } else { threads },
        machine: Machine {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cores,
            cpu: cpu(),
        },
        ..Manifest::default()
    }
}

/// The processor's name, where the system tells it.
fn cpu() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// RFC 3339 in UTC, to the second. Days to dates by Howard Hinnant's `civil_from_days` (public domain).
fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |span| span.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_right() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_700_157_423, "2023-11-16T17:57:03Z"),
            (4_102_444_799, "2099-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
