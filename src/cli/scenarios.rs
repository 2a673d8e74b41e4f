//! `anthill scenarios`: what comes with the program.

use clap::Args;

use super::{load, talk};
use crate::error::{Error, Problem, did_you_mean};
use crate::scenario::EMBEDDED;

#[derive(Debug, Args)]
pub(super) struct ScenariosArgs {
    /// Print this scenario's file
    name: Option<String>,
}

pub(super) fn scenarios(args: &ScenariosArgs) -> Result<u8, Error> {
    let Some(name) = &args.name else {
        for (name, _) in EMBEDDED {
            let scenario = load(name, &[])?;
            talk::out(&format!("{name:<18} {}\n", scenario.file.about))?;
        }
        return Ok(0);
    };
    if let Some((_, text)) = EMBEDDED.iter().find(|(known, _)| known == name) {
        talk::out(text)?;
        return Ok(0);
    }
    let names = EMBEDDED.iter().map(|(name, _)| *name);
    let remedy = match did_you_mean(name, names.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("the embedded scenarios are: {}", names.collect::<Vec<_>>().join(", ")),
    };
    Err(Problem::new(format!("there is no embedded scenario `{name}`")).remedy(remedy).into())
}
