//! `anthill validate`: every case against its reference.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::compare::{stopped_by_ctrl_c, threads};
use super::{KNOWN, any_number, machine, repro, talk};
use crate::error::{Error, Problem, Problems, did_you_mean};
use crate::experiment::validate::{ValidateOptions, Validation, calibrate, validate as run_validation};
use crate::pattern::PATTERNS;
use crate::report;
use crate::scenario::{Case, NOT_THERE, NotThere, VALIDATION, not_there};

/// Where cases are looked for, from the current folder; the embedded ones are used where it is not there.
const FOLDER: &str = "scenarios/validation";
/// The list of reference results without a case, in any folder of cases.
const LACKING: &str = "not_there.toml";
/// Master seeds of a calibration (V-16).
const SEEDS: u32 = 20;

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Files and folders of cases, or names of embedded cases [default: scenarios/validation, or the
    /// embedded cases where there is no such folder]
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Only these families: the part of the id before the `-`
    #[arg(long, value_name = "Q,L,…", value_delimiter = ',')]
    family: Vec<String>,
    /// Only the quick subset
    #[arg(long)]
    quick: bool,
    /// List the cases, and the reference results without one, and run nothing
    #[arg(long)]
    list: bool,
    /// Count over 20 master seeds how many 95 % intervals of the quick subset hold their reference
    #[arg(long, conflicts_with = "list")]
    calibrate: bool,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// Master seed of every case [default: each file's `run.seed`]
    #[arg(long, value_name = "S", value_parser = any_number, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Threads; 0 is one a core. Results do not depend on it
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[arg(value_parser = threads, allow_negative_numbers = true)]
    threads: usize,
    /// Output folder [default: anthill-out/validation, whose results are replaced; none with --calibrate]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the results in an output folder that exists
    #[arg(long)]
    force: bool,
    /// Say nothing on stderr but errors
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn validate(args: &ValidateArgs) -> Result<u8, Error> {
    let (cases, lacking) = selected(args)?;
    if args.list {
        let list = if args.json {
            format!("{:#}\n", report::case_list_json(&cases, &lacking))
        } else {
            report::case_list(&cases, &lacking)
        };
        return talk::out(&list).map(|()| 0);
    }
    // The folder of the last validation is ours to replace; one that somebody names is not.
    let folder = match &args.out {
        None if args.calibrate => None,
        None => Some((PathBuf::from("anthill-out/validation"), true)),
        Some(folder) => Some((folder.clone(), args.force)),
    };
    if let Some((folder, force)) = &folder {
        report::check_folder(folder, *force)?;
    }
    if args.calibrate {
        calibration(args, &cases, folder)
    } else {
        validation(args, &cases, &lacking, folder)
    }
}

fn validation(
    args: &ValidateArgs,
    cases: &[Case],
    lacking: &[NotThere],
    folder: Option<(PathBuf, bool)>,
) -> Result<u8, Error> {
    let clock = machine::Stopwatch::start();
    let now = || clock.seconds();
    let options = ValidateOptions { patterns: PATTERNS, threads: args.threads, seed: args.seed, clock: &now };
    let bar = talk::progress(0, args.quiet);
    let stop = stopped_by_ctrl_c();
    let validation = run_validation(cases, &options, &|progress| talk::advance(&bar, progress), &stop)?;
    bar.finish_and_clear();
    let command = repro(&repro_words(args));
    if args.json {
        talk::out(&format!("{:#}\n", report::validation_json(&validation, lacking, &command)))?;
    } else {
        talk::out(&report::validation_table(&validation, lacking))?;
        talk::out(&format!("repro: {command}\n"))?;
    }
    if let Some((folder, force)) = folder {
        let manifest = machine::manifest_of(command, args.threads, &clock);
        report::write_validation(&folder, &validation, lacking, &manifest, force)?;
        if !args.quiet {
            talk::say(&format!("{}; table and plot: {}", slowest(&validation), folder.display()));
        }
    }
    Ok(validation.verdict().exit_code())
}

/// The cases that cost most, for whoever wants the whole to be faster.
fn slowest(validation: &Validation) -> String {
    let mut cases: Vec<(f64, &str)> =
        validation.cases.iter().map(|case| (case.seconds, case.id.as_str())).collect();
    cases.sort_by(|a, b| b.0.total_cmp(&a.0));
    let cases: Vec<String> =
        cases.iter().take(3).map(|(seconds, id)| format!("{id} {seconds:.1} s")).collect();
    format!("slowest: {}", cases.join(", "))
}

fn calibration(args: &ValidateArgs, cases: &[Case], folder: Option<(PathBuf, bool)>) -> Result<u8, Error> {
    let clock = machine::Stopwatch::start();
    let now = || clock.seconds();
    let options = ValidateOptions { patterns: PATTERNS, threads: args.threads, seed: args.seed, clock: &now };
    let bar = talk::progress(0, args.quiet);
    let stop = stopped_by_ctrl_c();
    let done = calibrate(cases, SEEDS, &options, &|progress| talk::advance(&bar, progress), &stop)?;
    bar.finish_and_clear();
    let command = repro(&repro_words(args));
    if args.json {
        talk::out(&format!("{:#}\n", report::calibration_json(&done, &command)))?;
    } else {
        talk::out(&report::calibration_table(&done))?;
        talk::out(&format!("repro: {command}\n"))?;
    }
    if let Some((folder, force)) = folder {
        let manifest = machine::manifest_of(command, args.threads, &clock);
        report::write_calibration(&folder, &done, &manifest, force)?;
    }
    Ok(match (done.complete, done.honest()) {
        (false, _) => 4,
        (true, true) => 0,
        (true, false) => 1,
    })
}

fn repro_words(args: &ValidateArgs) -> Vec<String> {
    let mut words = vec!["anthill".to_owned(), "validate".to_owned()];
    words.extend(args.paths.iter().cloned());
    if !args.family.is_empty() {
        words.extend(["--family".to_owned(), args.family.join(",")]);
    }
    for (flag, given) in [("--quick", args.quick), ("--calibrate", args.calibrate)] {
        words.extend(given.then(|| flag.to_owned()));
    }
    words.extend(args.seed.into_iter().flat_map(|seed| ["--seed".to_owned(), seed.to_string()]));
    words
}

/// The cases asked for, and the reference results that have none.
fn selected(args: &ValidateArgs) -> Result<(Vec<Case>, Vec<NotThere>), Error> {
    let (mut cases, mut lacking) = gathered(&args.paths)?;
    let mut families: Vec<&str> = cases.iter().map(|case| case.family.as_str()).collect();
    families.dedup();
    if let Some(family) = args.family.iter().find(|family| !families.contains(&family.as_str())) {
        let remedy = match did_you_mean(family, families.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the families are: {}", families.join(", ")),
        };
        let problem = Problem::new(format!("there is no case of the family `{family}`"));
        return Err(problem.file("--family").remedy(remedy).into());
    }
    let wanted = |family: &str| args.family.is_empty() || args.family.iter().any(|name| name == family);
    cases.retain(|case| wanted(&case.family));
    lacking.retain(|one| wanted(one.id.split('-').next().unwrap_or_default()));
    if args.quick || args.calibrate {
        cases.retain(|case| case.file.case.quick);
    }
    if args.quick {
        // Coverage is a statement about all cases.
        lacking.clear();
    }
    if cases.is_empty() {
        let problem = Problem::new("there is no such case").file("validate");
        return Err(problem
            .remedy("`anthill validate --list` shows what there is, by family, and what is quick")
            .into());
    }
    Ok((cases, lacking))
}

/// The cases at `paths`, with everything that is wrong with any of them.
fn gathered(paths: &[String]) -> Result<(Vec<Case>, Vec<NotThere>), Error> {
    let default = [FOLDER.to_owned()];
    let (mut files, mut lacking) = (Vec::new(), Vec::new());
    if paths.is_empty() && !Path::new(FOLDER).is_dir() {
        files.extend(VALIDATION.iter().map(|(id, _)| (*id).to_owned()));
        lacking.extend(not_there(NOT_THERE, LACKING)?);
    } else {
        for path in if paths.is_empty() { &default[..] } else { paths } {
            let folder = Path::new(path);
            if !folder.is_dir() {
                files.push(path.clone());
                continue;
            }
            files.extend(files_of(folder)?);
            let list = folder.join(LACKING);
            if list.is_file() {
                let text = fs::read_to_string(&list).map_err(Error::io(&list))?;
                lacking.extend(not_there(&text, &list.display().to_string())?);
            }
        }
    }
    let (mut cases, mut problems) = (Vec::new(), Problems::new());
    for file in files {
        match Case::load(&file, &KNOWN) {
            Ok(case) => cases.push(case),
            Err(Error::Invalid(wrong)) => problems.extend(wrong),
            Err(error) => return Err(error),
        }
    }
    problems.into_result()?;
    Ok((cases, lacking))
}

/// The cases in a folder, in order of names.
fn files_of(folder: &Path) -> Result<Vec<String>, Error> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if path.extension().is_some_and(|end| end == "toml") && !path.ends_with(LACKING) {
            files.push(path.display().to_string());
        }
    }
    files.sort();
    Ok(files)
}
