//! Results for people and programs: CSV, JSON, tables in a terminal, plots, and the folder that holds them.
//!
//! Everything here is a function of its arguments: nothing reads the clock, the environment or the
//! terminal, so that equal results give equal bytes, whatever the machine and the number of threads. What
//! differs between machines comes in through the [`Manifest`] and stands in `manifest.json` alone.
//! Nothing here recomputes a metric: names, units and definitions come from
//! [`registry`](crate::metrics::registry), intervals from
//! [`PatternResult::summary`](crate::experiment::PatternResult::summary).
//!
//! **Undefined values** are an empty cell in CSV, `null` in JSON, a dash in tables, and absent from plots.

mod csv;
mod expectations;
mod folder;
mod format;
mod json;
mod manifest;
mod one_run;
mod plot;
mod ranking;
#[cfg(test)]
mod sample;
mod table;
mod validation;

pub use self::csv::{kinds_csv, paired_csv, run_csv, runs_csv, series_csv, summary_csv};
pub use expectations::{expectations_json, expectations_table};
pub use folder::{INCOMPLETE, check_folder, write_folder, write_run_folder};
pub use json::{comparison_json, run_json};
pub use manifest::{Machine, Manifest};
pub use one_run::{OneRun, run_table};
pub use plot::{Growth, GrowthCurve, GrowthPanel, growth, plots, png};
pub use ranking::{Ranking, rankings};
pub use table::comparison_table;
pub use validation::{
    calibration_json, calibration_table, case_list, case_list_json, validation_csv, validation_json,
    validation_table, write_calibration, write_validation,
};

use crate::experiment::Comparison;

/// Digest of a comparison: equal where every run of every pattern did the same things at the same times.
///
/// FNV-1a over the fingerprints in (pattern, replication) order (Fowler, Noll, Vo; RFC 9923). It detects
/// accidents, not forgery.
pub fn fingerprint(comparison: &Comparison) -> u64 {
    let runs = comparison.patterns.iter().flat_map(|pattern| &pattern.runs);
    let bytes = runs.flat_map(|run| run.fingerprint.to_le_bytes());
    bytes.fold(0xCBF2_9CE4_8422_2325, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// A fingerprint as it is written everywhere: 16 hexadecimal digits.
pub fn hex(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}
