//! `anthill init`: a scenario to begin with, every line explained.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::talk;
use crate::error::{Error, Problem};

/// The annotated scenario.
const TEMPLATE: &str = include_str!("../../scenarios/template.toml");

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Where to write it; `-` prints it
    #[arg(default_value = "scenario.toml")]
    file: PathBuf,
}

pub(super) fn init(args: &InitArgs) -> Result<u8, Error> {
    if args.file.as_os_str() == "-" {
        talk::out(TEMPLATE)?;
        return Ok(0);
    }
    let stem = args.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let text = match stem.filter(|stem| is_plain(stem)) {
        Some(stem) => TEMPLATE.replacen("name = \"my-scenario\"", &format!("name = \"{stem}\""), 1),
        None => TEMPLATE.to_owned(),
    };
    write(&args.file, &text)?;
    talk::say(&format!("wrote {0}; next: anthill compare {0}", args.file.display()));
    Ok(0)
}

fn is_plain(stem: &str) -> bool {
    !stem.is_empty() && stem.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
}

/// Writes a new file; one that is there stays as it is.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map_err(Error::io(path)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let problem = Problem::new("the file exists").file(path.display().to_string());
            Err(problem.remedy("give another name: `anthill init FILE`").into())
        }
        Err(error) => Err(Error::io(path)(error)),
    }
}
