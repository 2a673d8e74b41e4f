//! `anthill fit`: how the presets came about, repeatable.

use std::path::PathBuf;

use clap::Args;

use super::talk;
use crate::error::Error;
use crate::input::{Presets, fit_all};

#[derive(Debug, Args)]
pub(super) struct FitArgs {
    /// Folder with the data sets, such as ../shared/data
    data: PathBuf,
}

pub(super) fn fit(args: &FitArgs) -> Result<u8, Error> {
    let fitted = fit_all(&args.data)?;
    talk::out(&Presets(&fitted).to_string())?;
    Ok(0)
}
