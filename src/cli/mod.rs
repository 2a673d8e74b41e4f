//! The subcommands: arguments in, experiment called, table out.
//!
//! stdout is data, stderr is talk. Only this module prints, reads the clock and the environment, and
//! catches Ctrl-C; everything below it is a function of its arguments.
//!
//! Exit codes: 0 done, 1 an invariant or expectation failed, 2 usage or scenario error, 3 input/output,
//! 4 incomplete or undecided.

mod compare;
mod completions;
mod explain;
mod fit;
mod init;
mod machine;
mod patterns;
mod run;
mod scenarios;
mod schema;
mod talk;
mod validate;
mod verify;

use std::ffi::OsString;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::error::{Error, Problem, did_you_mean};
use crate::pattern::PATTERNS;
use crate::scenario::{EMBEDDED, Known, Scenario};
use crate::sim::PatternDef;
use crate::trial::TRIALS;

/// Compare how agents coordinate: hierarchical, peer-to-peer, event-driven, hybrid.
#[derive(Debug, Parser)]
#[command(
    name = "anthill",
    version,
    about = "Deterministic simulator of multi-agent coordination",
    long_about = "Runs thousands of simulated agents under the coordination patterns people choose between,\n\
                  injects faults, and measures the coordination tax: the share of engaged\n\
                  capacity that does not become correct work.\n\n\
                  Without a command: `anthill compare`, on the embedded flagship scenario.",
    after_help = "Exit codes: 0 done, 1 an invariant or expectation failed, 2 usage or scenario error,\n\
                  3 input/output, 4 incomplete or undecided.",
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    compare: compare::CompareArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare patterns on identical tasks and faults
    Compare(compare::CompareArgs),
    /// Run one pattern once and print every metric
    Run(run::RunArgs),
    /// Run a random sample of runs twice, on different numbers of threads: they must be the same to the bit
    Verify(verify::VerifyArgs),
    /// List the patterns, or describe one with its parameters and messages
    Patterns(patterns::PatternsArgs),
    /// List the embedded scenarios, or print one
    Scenarios(scenarios::ScenariosArgs),
    /// Compare what is simulated with what is known: every case against its reference
    Validate(validate::ValidateArgs),
    /// Say what a metric means (formula, unit, source), or what a trial asks for
    Explain(explain::ExplainArgs),
    /// Write an annotated scenario to begin with
    Init(init::InitArgs),
    /// Print every key a scenario may hold, with unit and default, as a JSON schema
    Schema,
    /// Print the completions of a shell
    Completions(completions::CompletionsArgs),
    /// Fit the presets to the data sets and print them as a preset file
    Fit(fit::FitArgs),
}

/// Which scenario, and what is changed in it.
#[derive(Debug, Args)]
struct ScenarioArgs {
    /// Master seed [default: the scenario's `run.seed`]
    #[arg(long, value_name = "S", value_parser = any_number, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Change a key of the scenario, such as agents.count=200; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Run this [[variant]] of the scenario, judged by its own expectations
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
}

impl ScenarioArgs {
    /// The scenario, with the variant and the changes asked for.
    fn load(&self, name: &str) -> Result<Scenario, Error> {
        Scenario::load_variant(name, self.variant.as_deref(), &self.sets, &KNOWN)
    }

    /// The arguments that make the same scenario again.
    fn words(&self) -> Vec<String> {
        let variant = self.variant.iter().flat_map(|name| ["--variant".to_owned(), name.clone()]);
        variant.chain(self.sets.iter().flat_map(|set| ["--set".to_owned(), set.clone()])).collect()
    }

    /// What must be said about expectations that were not judged.
    fn unjudged(&self, scenario: &Scenario, judged: usize) -> Vec<String> {
        let mut notes = Vec::new();
        let left_out = scenario.expectations.len() - judged;
        if left_out > 0 {
            notes.push(format!(
                "{left_out} expectations were not judged: they are about patterns that were not run"
            ));
        }
        let variants = scenario.file.variant.len();
        if variants > 0 && self.variant.is_none() {
            notes.push(format!("its {variants} variants are for `anthill validate`, or --variant NAME"));
        }
        notes
    }
}

/// A whole number between `least` and `most`.
fn number(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("write a whole number from {least} to {most}"))
}

fn any_number(text: &str) -> Result<u64, String> {
    number(text, 0, u64::MAX)
}

/// Runs the program on its arguments; the first is the program's name.
///
/// # Errors
/// Whatever the user must know; [`Error::exit_code`] is the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<u8, Error> {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, on stdout; the rest is a usage error, on stderr.
            let code = u8::from(error.use_stderr()) * 2;
            return error.print().map(|()| code).map_err(Error::io("stdout"));
        }
    };
    match cli.command {
        None => {
            if let Some(problem) = misspelt_command(&cli.compare.scenario) {
                return Err(problem.into());
            }
            compare::compare(&cli.compare)
        }
        Some(Command::Compare(args)) => compare::compare(&args),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Verify(args)) => verify::verify(&args),
        Some(Command::Patterns(args)) => patterns::patterns(&args),
        Some(Command::Scenarios(args)) => scenarios::scenarios(&args),
        Some(Command::Validate(args)) => validate::validate(&args),
        Some(Command::Explain(args)) => explain::explain(&args),
        Some(Command::Init(args)) => init::init(&args),
        Some(Command::Schema) => schema::schema(),
        Some(Command::Completions(args)) => completions::completions(&args),
        Some(Command::Fit(args)) => fit::fit(&args),
    }
}

/// Without a command the first word is a scenario: the problem of one that is none, but nearly a command.
fn misspelt_command(word: &str) -> Option<Problem> {
    if std::path::Path::new(word).exists() || EMBEDDED.iter().any(|(name, _)| *name == word) {
        return None;
    }
    let command = Cli::command();
    let meant = did_you_mean(word, command.get_subcommands().map(|command| command.get_name()))?;
    let problem = Problem::new("there is no such command, and no such scenario").file(word);
    Some(problem.remedy(format!("did you mean `anthill {meant}`?")))
}

/// What files may name.
const KNOWN: Known<'static> = Known { patterns: PATTERNS, trials: TRIALS };

/// Loads a scenario with the registered patterns.
fn load(name: &str, sets: &[String]) -> Result<Scenario, Error> {
    Scenario::load(name, sets, &KNOWN)
}

/// The registered pattern called `name`; `flag` is what names it, if not the command itself.
fn pattern(name: &str, flag: Option<&str>) -> Result<PatternDef, Error> {
    if let Some(def) = PATTERNS.iter().find(|def| def.name == name) {
        return Ok(*def);
    }
    let names = PATTERNS.iter().map(|def| def.name);
    let remedy = match did_you_mean(name, names.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("the patterns are: {}", names.collect::<Vec<_>>().join(", ")),
    };
    let problem = Problem::new(format!("there is no pattern `{name}`")).remedy(remedy);
    Err(Problem { file: flag.map(str::to_owned), ..problem }.into())
}

/// The command line that makes the same numbers again.
fn repro(words: &[String]) -> String {
    let quote = |word: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// A failure of a run, with the command line that brings it about again.
fn with_repro(error: Error, repro: &str) -> Error {
    match error {
        Error::Invariant(what) => Error::Invariant(format!("{what}\nrepro: {repro}")),
        Error::Incomplete(what) => Error::Incomplete(format!("{what}\nrepro: {repro}")),
        Error::Invalid(_) | Error::Io { .. } => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_repro_line_survives_the_shell() {
        let words = ["anthill", "run", "my scenario.toml", "--set", "name='x'"].map(str::to_owned);
        assert_eq!(repro(&words), r"anthill run 'my scenario.toml' --set 'name='\''x'\'''");
    }
}
