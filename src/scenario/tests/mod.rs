//! What a scenario file may say, what it must not, and what is drawn from it.

mod drawing;
mod expecting;
mod malformed;
mod queues;
mod reading;

use std::path::PathBuf;

use super::{Known, Scenario, TextOrigin};
use crate::error::Error;
use crate::pattern::PATTERNS;
use crate::trial::TRIALS;

pub(super) const KNOWN: Known<'static> = Known { patterns: PATTERNS, trials: TRIALS };

/// A small scenario to which tests add their keys.
pub(super) const SMALL: &str = "\
[run]
horizon = \"10min\"
[agents]
count = 5
[network]
sites = [\"eu\", \"us\"]
[work]
source = { poisson = { rate_per_s = 0.1 } }
duration = { exponential = { mean = \"20s\" } }
";

pub(super) fn load(text: &str, sets: &[&str]) -> Result<Scenario, Error> {
    let origin =
        TextOrigin { name: "x.toml".to_owned(), stem: "x".to_owned(), folder: PathBuf::from("/nowhere") };
    let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
    Scenario::from_text(text, &origin, &sets, &KNOWN)
}

pub(super) fn good(text: &str) -> Scenario {
    load(text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}
