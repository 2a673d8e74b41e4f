//! From real data to presets: fits the laws that scenarios name.
//!
//! [`fit_all`] reads the data sets, fits each sample with a few families of laws by maximum likelihood,
//! and keeps the one with the least AIC beside what the others scored. [`Presets`] prints the result as
//! the file that the program carries: facts derived from the data, with their source, instead of the data.
//!
//! Everything is a pure function of the files: the same files give the same bytes on every platform, so
//! that a test can hold the carried file against a fresh fit.

mod bursts;
mod law;
mod mle;
mod presets;
mod quality;

use std::fmt;
use std::path::Path;

use crate::error::{Error, Problems};

/// One preset: a law, where it comes from and how good it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Its name in scenario files.
    pub name: String,
    /// What the numbers are, with the choices made on the way, as a sentence.
    pub about: String,
    /// The data set, as it asks to be cited.
    pub source: String,
    /// The file in the data collection; several are parted by commas.
    pub file: String,
    /// Sample size.
    pub n: usize,
    /// The law, in the words of scenario files.
    pub law: String,
    /// Figures by name: `ks` (Kolmogorov–Smirnov distance), `aic`, `mean`, `mean_of_law`, `cv`, …; times
    /// in seconds.
    pub quality: Vec<(String, f64)>,
    /// The laws that describe the sample less well, each with its scores.
    pub tried: Vec<String>,
}

/// The presets of one data set, from the data collection.
type Part = fn(&Path) -> Result<Vec<Fitted>, Error>;

/// Fits every preset from the data collection at `data_dir`.
///
/// # Errors
/// If a data set is absent or has bad rows; all of them are reported together.
pub fn fit_all(data_dir: &Path) -> Result<Vec<Fitted>, Error> {
    let parts: [Part; 6] = [
        presets::arrivals_and_tokens,
        presets::request_latencies,
        presets::machine_speeds,
        presets::churn,
        presets::distances,
        presets::relay_outages,
    ];
    let mut fitted = Vec::new();
    let mut problems = Problems::new();
    for part in parts {
        match part(data_dir) {
            Ok(some) => fitted.extend(some),
            Err(Error::Invalid(some)) => problems.extend(some),
            Err(other) => return Err(other),
        }
    }
    problems.into_result()?;
    debug_assert!(
        fitted.iter().enumerate().all(|(i, one)| fitted[..i].iter().all(|other| other.name != one.name)),
        "preset names are unique"
    );
    Ok(fitted)
}

/// Prints presets as the TOML file that the program carries.
#[derive(Clone, Copy, Debug)]
pub struct Presets<'a>(pub &'a [Fitted]);

impl fmt::Display for Presets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Laws fitted to published data. Made by `anthill fit DATA_DIR`; do not edit.")?;
        writeln!(f, "#")?;
        writeln!(
            f,
            "# quality: ks = Kolmogorov-Smirnov distance, aic = Akaike's criterion (less is better),"
        )?;
        writeln!(f, "# mean and cv of the sample and of the law. Times in seconds.")?;
        for one in self.0 {
            writeln!(f, "\n[{}]", one.name)?;
            writeln!(f, "# {}", one.about)?;
            writeln!(f, "# source: {}", one.source)?;
            writeln!(f, "# file: {}", one.file)?;
            writeln!(f, "# sample size: {}", one.n)?;
            let quality: Vec<String> = one
                .quality
                .iter()
                .map(|(name, value)| format!("{name} {}", law::round_to(*value, 4)))
                .collect();
            writeln!(f, "# quality: {}", quality.join(", "))?;
            for law in &one.tried {
                writeln!(f, "# also tried: {law}")?;
            }
            writeln!(f, "law = {}", one.law)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
