//! `anthill verify`: runs repeat to the bit, whatever the number of threads.

use std::fmt::Write;

use clap::Args;
use serde_json::json;

use super::{ScenarioArgs, compare, load, number, pattern, repro, talk, with_repro};
use crate::engine::Seed;
use crate::error::Error;
use crate::experiment::{Mismatch, Parting, Seen, Verification, VerifyOptions, verify as run_verification};
use crate::report;

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// A scenario file, or the name of an embedded scenario
    #[arg(default_value = "flagship")]
    scenario: String,
    /// Runs to draw from all patterns and replications of the scenario
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = sample)]
    sample: u32,
    #[command(flatten)]
    common: ScenarioArgs,
    /// Threads of the first pass; 0 is one a core. The second takes another number
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[arg(value_parser = compare::threads, allow_negative_numbers = true)]
    threads: usize,
    /// Say nothing on stderr but errors
    #[arg(long, short)]
    quiet: bool,
}

fn sample(text: &str) -> Result<u32, String> {
    number(text, 1, 100_000).map(|number| number as u32)
}

pub(super) fn verify(args: &VerifyArgs) -> Result<u8, Error> {
    let scenario = load(&args.scenario, &args.common.sets)?;
    let names = scenario.file.run.patterns.iter();
    let patterns = names.map(|name| pattern(name, Some("run.patterns"))).collect::<Result<Vec<_>, _>>()?;
    let options = VerifyOptions {
        patterns,
        replications: scenario.file.run.replications,
        sample: args.sample as usize,
        seed: Seed(args.common.seed.unwrap_or(scenario.file.run.seed)),
        threads: args.threads,
        row: |outcome, seed, replication| report::run_csv(outcome, seed.0, replication),
    };
    let total = options.sample.min(options.patterns.len() * options.replications as usize);
    let bar = talk::progress(2 * total as u64, args.quiet);
    let verified = run_verification(&scenario, &options, &|| bar.inc(1));
    bar.finish_and_clear();
    let verified = verified.map_err(|error| with_repro(error, &repro(&words(args, options.seed))))?;
    if args.common.json {
        talk::out(&format!("{:#}\n", as_json(&scenario.file.name, options.seed, &verified)))?;
    } else {
        talk::out(&as_text(&scenario.file.name, &verified))?;
    }
    Ok(u8::from(!verified.mismatches.is_empty()))
}

fn words(args: &VerifyArgs, seed: Seed) -> Vec<String> {
    let mut words = vec!["anthill".to_owned(), "verify".to_owned(), args.scenario.clone()];
    words.extend(["--seed".to_owned(), seed.0.to_string(), "--sample".to_owned(), args.sample.to_string()]);
    for set in &args.common.sets {
        words.extend(["--set".to_owned(), set.clone()]);
    }
    words
}

fn as_text(scenario: &str, verified: &Verification) -> String {
    let mut text = String::new();
    let [first, second] = verified.threads;
    for (address, fingerprint) in &verified.runs {
        let mismatch = verified.mismatches.iter().find(|mismatch| mismatch.address == *address);
        let word = if mismatch.is_some() { "DIFFERS" } else { "same" };
        let (pattern, k, fingerprint) = (address.pattern, address.replication, report::hex(*fingerprint));
        let _ = writeln!(text, "{pattern:<14} replication {k:<6} {fingerprint}  {word}");
        text.extend(mismatch.map(differences));
    }
    let (runs, wrong) = (verified.runs.len(), verified.mismatches.len());
    let _ = match wrong {
        0 => writeln!(text, "{scenario}: {runs} runs on {first} and {second} threads: the same to the bit"),
        _ => writeln!(text, "{scenario}: {wrong} of {runs} runs on {first} and {second} threads differ"),
    };
    text
}

fn differences(mismatch: &Mismatch) -> String {
    let mut text = String::new();
    let [one, other] = mismatch.fingerprints.map(report::hex);
    if one == other {
        let _ = writeln!(text, "    the records are the same; the rows of results differ:");
        let _ =
            writeln!(text, "      {}\n      {}", mismatch.rows[0].trim_end(), mismatch.rows[1].trim_end());
        return text;
    }
    let _ = writeln!(text, "    fingerprints {one} and {other}");
    match &mismatch.parting {
        None => text.push_str("    two more runs did not differ: what differs depends on what ran before\n"),
        Some(Parting { common, first: [None, None], .. }) => {
            let _ = writeln!(text, "    they part after record {common}, elsewhere each time");
        }
        Some(Parting { common, before, first: [one, other] }) => {
            let _ = writeln!(text, "    the first {common} records are the same, then:");
            for seen in before {
                let _ = writeln!(text, "        both  {}", shown(Some(seen)));
            }
            let _ = writeln!(text, "    first run  {}", shown(one.as_ref()));
            let _ = writeln!(text, "    other run  {}", shown(other.as_ref()));
        }
    }
    text
}

fn shown(seen: Option<&Seen>) -> String {
    match seen {
        None => "(the run is over)".to_owned(),
        Some(Seen { at, cause, record }) => format!("{at}  event {}  {record:?}", cause.0),
    }
}

fn as_json(scenario: &str, seed: Seed, verified: &Verification) -> serde_json::Value {
    let runs = verified.runs.iter().map(|(address, fingerprint)| {
        let mismatch = verified.mismatches.iter().find(|mismatch| mismatch.address == *address);
        let parting = mismatch.and_then(|mismatch| mismatch.parting.as_ref());
        json!({
            "pattern": address.pattern,
            "replication": address.replication,
            "fingerprint": report::hex(*fingerprint),
            "same": mismatch.is_none(),
            "common_records": parting.map(|parting| parting.common),
            "first_differing": parting.map(|parting| {
                parting.first.each_ref().map(|seen| shown(seen.as_ref()))
            }),
        })
    });
    json!({
        "scenario": scenario,
        "seed": seed.0,
        "threads": verified.threads,
        "runs": runs.collect::<Vec<_>>(),
        "mismatches": verified.mismatches.len(),
    })
}
