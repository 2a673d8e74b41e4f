//! `anthill compare`: patterns on identical tasks and faults; the main job.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::{ScenarioArgs, machine, number, pattern, repro, talk, with_repro};
use crate::engine::Seed;
use crate::error::{Error, Problem};
use crate::experiment::judge::Verdict;
use crate::experiment::{CompareOptions, Comparison, compare as run_comparison};
use crate::report;
use crate::scenario::Scenario;
use crate::sim::PatternDef;

/// Their outcomes are kept until the end.
const MOST_REPLICATIONS: u32 = 100_000;

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// A scenario file, or the name of an embedded scenario
    #[arg(default_value = "flagship")]
    pub(super) scenario: String,
    /// Patterns to compare [default: the scenario's `run.patterns`]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    patterns: Vec<String>,
    /// Replications of each pattern, exactly [default: the scenario's `run.replications`, and up to
    /// `run.max_replications` where an expectation asks for more]
    #[arg(long, value_name = "N", value_parser = replications, allow_negative_numbers = true)]
    replications: Option<u32>,
    #[command(flatten)]
    common: ScenarioArgs,
    /// Threads; 0 is one a core. Results do not depend on it
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[arg(value_parser = threads, allow_negative_numbers = true)]
    threads: usize,
    /// Output folder [default: anthill-out/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the results in an output folder that exists
    #[arg(long)]
    force: bool,
    /// Also run every pattern without faults
    #[arg(long)]
    fault_free: bool,
    /// Let every invariant watch every run; a broken one is an error
    #[arg(long)]
    check: bool,
    /// Say nothing on stderr but errors
    #[arg(long, short)]
    quiet: bool,
}

fn replications(text: &str) -> Result<u32, String> {
    number(text, 1, u64::from(MOST_REPLICATIONS)).map(|number| number as u32)
}

pub(super) fn threads(text: &str) -> Result<usize, String> {
    number(text, 0, 1_024).map(|number| number as usize)
}

pub(super) fn compare(args: &CompareArgs) -> Result<u8, Error> {
    let clock = machine::Stopwatch::start();
    let mut scenario = args.common.load(&args.scenario)?;
    scenario.checks = args.check;
    let options = options(args, &scenario)?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new("anthill-out").join(&scenario.file.name));
    // The folder is checked and made before a minute of work, not after it.
    report::check_folder(&folder, args.force)?;
    let stop = stopped_by_ctrl_c();
    fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
    let command = repro(&repro_words(args, &options));

    let total =
        options.replications as usize * (options.patterns.len() * (1 + usize::from(options.fault_free)) + 1);
    let bar = talk::progress(total as u64, args.quiet);
    let comparison = run_comparison(&scenario, &options, &|progress| talk::advance(&bar, progress), &stop);
    bar.finish_and_clear();
    let comparison = comparison.and_then(some_of).map_err(|error| {
        // Only if it is empty, and so as good as new.
        let _ = fs::remove_dir(&folder);
        with_repro(error, &command)
    })?;
    let manifest = machine::manifest(&scenario, command.clone(), options.threads, &clock);
    report::write_folder(&folder, &comparison, &manifest, args.force)?;
    if args.common.json {
        talk::out(&format!("{:#}\n", report::comparison_json(&comparison, &command)))?;
    } else {
        talk::out(&report::comparison_table(&comparison, &command))?;
    }
    warn(args, &scenario, &comparison);
    if !args.quiet {
        talk::say(&format!("results, plots and fault plans: {}", folder.display()));
    }
    if comparison.is_complete() {
        return Ok(Verdict::worst(comparison.judged.iter().map(|judged| judged.verdict)).exit_code());
    }
    talk::say(&format!(
        "incomplete: stopped after {} of {} replications; these are kept",
        comparison.completed, comparison.replications
    ));
    Ok(4)
}

/// A flag that Ctrl-C raises; a second Ctrl-C ends the program.
pub(super) fn stopped_by_ctrl_c() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&stop);
    // A second handler cannot be set (tests call this in one process); then Ctrl-C ends the program.
    let _ = ctrlc::set_handler(move || {
        if handler.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        talk::say("stopping after the runs under way; again to stop at once");
    });
    stop
}

/// A comparison of which something is done.
fn some_of(comparison: Comparison) -> Result<Comparison, Error> {
    if comparison.completed > 0 {
        return Ok(comparison);
    }
    let what = "stopped before one replication of every pattern was done: nothing is written";
    Err(Error::Incomplete(what.to_owned()))
}

fn options(args: &CompareArgs, scenario: &Scenario) -> Result<CompareOptions, Error> {
    let names = if args.patterns.is_empty() { &scenario.file.run.patterns } else { &args.patterns };
    let flag = if args.patterns.is_empty() { "run.patterns" } else { "--patterns" };
    let patterns = names.iter().map(|name| pattern(name, Some(flag)));
    let patterns = patterns.collect::<Result<Vec<PatternDef>, Error>>()?;
    if let Some(twice) = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
        let problem = Problem::new(format!("the pattern `{}` is named twice", twice.1)).file(flag);
        return Err(problem.remedy("name each pattern once").into());
    }
    let run = &scenario.file.run;
    let replications = args.replications.unwrap_or(run.replications);
    let most = args.replications.unwrap_or(run.max_replications());
    if most > MOST_REPLICATIONS {
        let key = if replications == most { "run.replications" } else { "run.max_replications" };
        let problem = Problem::new(format!("{most} replications are too many")).key(key);
        return Err(problem.remedy(format!("write up to {MOST_REPLICATIONS}")).into());
    }
    Ok(CompareOptions {
        patterns,
        ideal: pattern("ideal", None)?,
        replications,
        max_replications: most,
        seed: Seed(args.common.seed.unwrap_or(scenario.file.run.seed)),
        threads: args.threads,
        fault_free: args.fault_free,
    })
}

fn repro_words(args: &CompareArgs, options: &CompareOptions) -> Vec<String> {
    let names: Vec<&str> = options.patterns.iter().map(|def| def.name).collect();
    let mut words = vec!["anthill".to_owned(), "compare".to_owned(), args.scenario.clone()];
    let mut add = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    add("--seed", options.seed.0.to_string());
    if args.replications.is_some() || options.max_replications == options.replications {
        add("--replications", options.replications.to_string());
    }
    add("--patterns", names.join(","));
    words.extend(args.common.words());
    if args.fault_free {
        words.push("--fault-free".to_owned());
    }
    if args.check {
        words.push("--check".to_owned());
    }
    words
}

fn warn(args: &CompareArgs, scenario: &Scenario, comparison: &Comparison) {
    if args.quiet {
        return;
    }
    for (name, first, second) in &comparison.repeats {
        talk::say(&format!(
            "warning: replications {first} and {second} of {name} are bit-equal: \
             is nothing random in this scenario?"
        ));
    }
    if scenario.skipped_rows > 0 {
        talk::say(&format!("warning: {} bad rows of its data files were left out", scenario.skipped_rows));
    }
    let unjudged = args.common.unjudged(scenario, comparison.judged.len());
    for note in scenario.notes().into_iter().chain(unjudged) {
        talk::say(&format!("note: {note}"));
    }
}
