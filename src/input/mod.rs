//! Readers of files that others made: traces and measurements, as plain data.
//!
//! One file per format. A reader turns a file into rows and stops there: what a row means for a run
//! (an arrival, an absence, a latency) is decided by whoever asked for it. Every reader
//!
//! - reads `.gz` as well as plain text, told apart by the first bytes and not by the name;
//! - takes a [`BadRow`]: fail and list the bad rows with line, column and value, or skip and count them;
//! - says, where a file is absent, which data set it is, where it belongs and how to point elsewhere.
//!
//! [`fit_all`] turns the same data into the parametric presets that a scenario can name.
//!
//! This module must not know tasks, agents, faults, sites or scenarios, and it never draws from a run's
//! randomness: of the rest of the program it sees instants, spans and errors.

mod file;
mod table;

pub mod azure_llm;
pub mod fit;
pub mod fta;
pub mod latency_matrix;
pub mod llmperf;
pub mod outages;
pub mod vm_noise;

pub use file::{BadRow, Dataset, Read};
pub use fit::{Fitted, Presets, fit_all};

/// What the tests of the readers share.
#[cfg(test)]
pub(crate) mod testing {
    use std::path::{Path, PathBuf};

    use crate::error::Error;

    /// The collection of real data, or `None`, said on stderr, where it is absent.
    pub(crate) fn real_data() -> Option<PathBuf> {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
        if path.is_dir() {
            return Some(path.to_owned());
        }
        eprintln!("SKIPPED: no real data at {}", path.display());
        None
    }

    /// Writes `bytes` as the file `name` of a directory that lives as long as the first value.
    pub(crate) fn file_of(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).expect("a file in it");
        (directory, path)
    }

    /// `bytes`, compressed.
    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    }

    /// Where and what of each problem: `line key: message`.
    pub(crate) fn problems_of<T>(result: Result<T, Error>) -> Vec<String> {
        let Err(Error::Invalid(problems)) = result else { panic!("the input must be refused as invalid") };
        problems
            .iter()
            .map(|problem| {
                assert!(problem.file.is_some() && problem.remedy.is_some(), "{problem}");
                let line = problem.line.map_or(String::new(), |line| line.to_string());
                format!("{line} {}: {}", problem.key.clone().unwrap_or_default(), problem.message)
            })
            .collect()
    }

    /// Whether `got` is within `relative` of `want`.
    pub(crate) fn near(got: f64, want: f64, relative: f64) -> bool {
        (got - want).abs() <= relative * want.abs()
    }
}
