//! `anthill run`: one pattern, one replication, every metric.

use std::path::PathBuf;

use clap::Args;

use super::{ScenarioArgs, machine, number, pattern, repro, talk, with_repro};
use crate::engine::Seed;
use crate::error::Error;
use crate::experiment::judge::Verdict;
use crate::experiment::{judge_one, run_one};
use crate::report;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// A scenario file, or the name of an embedded scenario
    scenario: String,
    /// The pattern
    #[arg(long, short, value_name = "P")]
    pattern: String,
    /// Which replication
    #[arg(long, value_name = "K", default_value_t = 0)]
    #[arg(value_parser = replication, allow_negative_numbers = true)]
    replication: u32,
    #[command(flatten)]
    common: ScenarioArgs,
    /// Let every invariant watch the run; a broken one is an error
    #[arg(long)]
    check: bool,
    /// Also write metrics, messages, windows, the fault plan and the manifest to this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the results in an output folder that exists
    #[arg(long)]
    force: bool,
}

fn replication(text: &str) -> Result<u32, String> {
    number(text, 0, u64::from(u32::MAX)).map(|number| number as u32)
}

pub(super) fn run(args: &RunArgs) -> Result<u8, Error> {
    let clock = machine::Stopwatch::start();
    let mut scenario = args.common.load(&args.scenario)?;
    scenario.checks = args.check;
    let def = pattern(&args.pattern, Some("--pattern"))?;
    let seed = Seed(args.common.seed.unwrap_or(scenario.file.run.seed));
    if let Some(folder) = &args.out {
        report::check_folder(folder, args.force)?;
    }
    let mut words = ["anthill", "run", &args.scenario, "--pattern", def.name].map(str::to_owned).to_vec();
    words.extend(["--seed".to_owned(), seed.0.to_string()]);
    words.extend(["--replication".to_owned(), args.replication.to_string()]);
    words.extend(args.common.words());
    words.extend(args.check.then(|| "--check".to_owned()));
    let repro = repro(&words);
    let ran = run_one(&scenario, &def, seed, args.replication);
    let (outcome, setup) = ran.map_err(|error| with_repro(error, &repro))?;
    let judged = judge_one(&scenario, &outcome, args.replication);
    let run = report::OneRun {
        scenario: &scenario.file.name,
        seed: seed.0,
        replication: args.replication,
        outcome: &outcome,
        plan: &setup.faults,
        repro: &repro,
        judged: &judged,
    };
    if let Some(folder) = &args.out {
        let manifest = machine::manifest(&scenario, repro.clone(), 1, &clock);
        report::write_run_folder(folder, &run, &manifest, args.force)?;
    }
    let text =
        if args.common.json { format!("{:#}\n", report::run_json(&run)) } else { report::run_table(&run) };
    talk::out(&text)?;
    let unjudged = args.common.unjudged(&scenario, judged.len());
    for note in scenario.notes().into_iter().chain(unjudged) {
        talk::say(&format!("note: {note}"));
    }
    Ok(Verdict::worst(judged.iter().map(|judged| judged.verdict)).exit_code())
}
