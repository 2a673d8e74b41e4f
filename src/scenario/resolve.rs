//! Judges a scenario that could be read, and fills in what it leaves open.
//!
//! Every check adds a problem with a dotted key and goes on, so that all faults come out at once. A check
//! is silent about keys that could not be read: their absence means nothing. The chapters are
//! `check_network`, `check_work` and `check_faults`; this file holds the checker and who is where.

use std::path::Path as FilePath;

use super::Known;
use super::diagnose::{Reading, suggestion};
use super::document::{Document, parts};
use super::file::{AgentGroup, ScenarioFile};
use crate::engine::{Dist, DistError, Span};
use crate::error::{Error, Problem, Problems, did_you_mean};
use crate::work::{NumberDist, Shares};

/// Collects what is wrong with a scenario.
#[derive(Debug)]
pub(super) struct Checker<'a> {
    pub(super) file: &'a ScenarioFile,
    document: &'a Document<'a>,
    reading: &'a Reading<()>,
    /// The folder that paths in the scenario start from.
    pub(super) folder: &'a FilePath,
    pub(super) problems: Vec<Problem>,
}

/// What a name is the name of: one, and many.
pub(super) type Noun = (&'static str, &'static str);

const PATTERN: Noun = ("pattern", "patterns");
const KIND: Noun = ("kind of message", "kinds of messages");
pub(super) const SITE: Noun = ("site", "sites");
pub(super) const SKILL: Noun = ("skill of a present agent", "skills of present agents");

/// More agents than this do not fit a machine, and more skill classes do not fit a number; a slip of the
/// pen asks for them.
const MOST_AGENTS: u32 = 10_000_000;
const MOST_SKILLS: usize = 200;

/// More executions at once than any model server runs; a slip of the pen asks for them.
const MOST_SLOTS: u32 = 100_000;

impl<'a> Checker<'a> {
    pub(super) fn new(
        file: &'a ScenarioFile,
        document: &'a Document<'a>,
        reading: &'a Reading<()>,
        folder: &'a FilePath,
    ) -> Checker<'a> {
        Checker { file, document, reading, folder, problems: Vec::new() }
    }

    /// The text of the scenario.
    pub(super) fn document(&self) -> &'a Document<'a> {
        self.document
    }

    /// What was found, in order of place.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| (problem.line.is_none(), problem.line, problem.column));
        self.problems
    }

    /// Whether everything at and below `key` could be read.
    pub(super) fn intact(&self, key: &str) -> bool {
        let key = parts(key);
        !self.reading.gone.iter().any(|gone| {
            // A list that lost an entry has other positions now: nothing in it can be located.
            let entry = gone.last().is_some_and(|part| part.parse::<usize>().is_ok());
            let gone = &gone[..gone.len() - usize::from(entry)];
            gone.starts_with(&key) || key.starts_with(gone)
        })
    }

    /// Adds a problem at `key`.
    pub(super) fn refuse(&mut self, key: &str, message: impl Into<String>, remedy: impl Into<String>) {
        if self.intact(key) && !self.reading.puzzling.contains(&parts(key)) {
            let problem = Problem::new(message).key(key).remedy(remedy);
            self.problems.push(self.document.locate(problem));
        }
    }

    /// Adds what a reader found in the file that `key` names.
    pub(super) fn found_in_file(&mut self, key: &str, error: Error) -> Result<(), Error> {
        let Error::Invalid(problems) = error else { return Err(error) };
        self.problems.extend(named_by(self.document, key, problems));
        Ok(())
    }

    /// Refuses a law that is none.
    pub(super) fn law(&mut self, key: &str, law: &Dist) {
        self.outcome(key, law.validate());
    }

    /// Refuses a law of numbers that is none.
    pub(super) fn number(&mut self, key: &str, law: &NumberDist) {
        self.outcome(key, law.validate());
    }

    fn outcome(&mut self, key: &str, outcome: Result<(), DistError>) {
        if let Err(DistError { key: parameter, message }) = outcome {
            let wanted = message.split_once("must be ").and_then(|(_, rest)| rest.split_once(", not "));
            let remedy = match (message.split_once("; "), wanted) {
                (Some((_, remedy)), _) => remedy.to_owned(),
                (None, Some((wanted, _))) => format!("write {wanted}"),
                (None, None) => "mend it; `anthill schema` explains every law".to_owned(),
            };
            let message = message.split_once("; ").map_or(message.as_str(), |(what, _)| what);
            self.refuse(&format!("{key}.{parameter}"), format!("`{parameter}` {message}"), remedy);
        }
    }

    /// Refuses a law without a finite mean above zero, where long-run rates need one.
    pub(super) fn finite_mean(&mut self, key: &str, mean: Option<f64>) {
        if let Some(mean) = mean
            && !(mean.is_finite() && mean > 0.0)
        {
            let message = format!("the mean of this law must be finite and above zero, but is {mean}");
            let remedy = match mean {
                f64::INFINITY => "bound its tail, for example with `upper`",
                _ => "write a law or a value above zero",
            };
            self.refuse(key, message, remedy);
        }
    }

    pub(super) fn probability(&mut self, key: &str, value: f64) {
        if !(0.0..=1.0).contains(&value) {
            self.refuse(key, format!("{value} is not a probability"), "write a number from 0 to 1");
        }
    }

    /// Refuses a number that is not above zero.
    pub(super) fn positive(&mut self, key: &str, value: f64) {
        if !(value.is_finite() && value > 0.0) {
            self.refuse(key, format!("{value} is not a number above 0"), "write a number above 0");
        }
    }

    /// Refuses a negative price.
    fn price(&mut self, key: &str, value: f64) {
        if !(value.is_finite() && value >= 0.0) {
            self.refuse(key, format!("{value} is not a price"), "write a number of 0 or more");
        }
    }

    /// Refuses no time at all.
    pub(super) fn some_time(&mut self, key: &str, value: Span) {
        if value.is_zero() {
            self.refuse(key, "this must be above zero", "write a duration such as \"10s\"");
        }
    }

    /// Refuses names that are not among `known`, and shares that are none.
    pub(super) fn shares(&mut self, key: &str, shares: &Shares, known: &[String], what: Noun) {
        for (index, (name, share)) in shares.0.iter().enumerate() {
            // As a table the name is the last part of the key, as a list its position.
            let listed = self.document.is_list(&parts(key));
            let key = if listed { format!("{key}.{index}") } else { format!("{key}.{name}") };
            self.name(&key, name, known, what);
            self.positive(&key, *share);
            if shares.0[..index].iter().any(|(other, _)| other == name) {
                self.refuse(
                    &key,
                    format!("`{name}` is named twice"),
                    "name it once, or use shares: { eu = 2 }",
                );
            }
        }
    }

    /// Refuses a name that is not among `known`.
    pub(super) fn name(&mut self, key: &str, name: &str, known: &[String], (one, many): Noun) {
        if !known.iter().any(|other| other == name) {
            let meant = did_you_mean(name, known.iter().map(String::as_str));
            // A list of hundreds of names helps nobody.
            let listed = if known.len() <= 12 { known } else { &[] };
            let remedy = match (meant, listed) {
                (None, []) => format!("name one of the {} {many}", known.len()),
                (_, _) => suggestion(meant, listed, many),
            };
            self.refuse(key, format!("there is no {one} `{name}`"), remedy);
        }
    }

    /// The calendar and what to compare.
    pub(super) fn run(&mut self, known: &Known<'_>) {
        let run = &self.file.run;
        let name = &self.file.name;
        // The output folder is called after it.
        if name.contains(['/', '\\', ':']) || name.chars().any(char::is_control) || name.starts_with('.') {
            let message = format!("`{}` cannot be the name of a folder", name.escape_debug());
            self.refuse("name", message, "write letters, digits, - and _");
        }
        self.some_time("run.horizon", run.horizon);
        if run.warmup() >= run.horizon && !run.horizon.is_zero() {
            let message =
                format!("the warm-up of {} does not end before the horizon of {}", run.warmup(), run.horizon);
            self.refuse("run.warmup", message, "shorten `run.warmup` or lengthen `run.horizon`");
        }
        const LONGEST: Span = Span::from_secs(20 * 365 * 86_400);
        for (key, span) in [("run.horizon", run.horizon), ("run.drain", run.drain())] {
            if span > LONGEST {
                self.refuse(
                    key,
                    format!("{span} is longer than 20 years"),
                    "simulate less, or compress time",
                );
            }
        }
        if run.replications == 0 {
            self.refuse(
                "run.replications",
                "there must be a replication",
                "write 1 or more; 20 is the default",
            );
        }
        if let Some(most) = run.max_replications.filter(|&most| most < run.replications) {
            let message = format!("{most} is below the {} of `run.replications`", run.replications);
            self.refuse("run.max_replications", message, "write as many or more, or delete this key");
        }
        let patterns: Vec<String> = known.patterns.iter().map(|def| def.name.to_owned()).collect();
        for (index, name) in run.patterns.iter().enumerate() {
            self.name(&format!("run.patterns.{index}"), name, &patterns, PATTERN);
            if run.patterns[..index].contains(name) {
                self.refuse(
                    &format!("run.patterns.{index}"),
                    format!("`{name}` is named twice"),
                    "delete one",
                );
            }
        }
        for name in self.file.pattern.keys() {
            self.name(&format!("pattern.{name}"), name, &patterns, PATTERN);
        }
        for (name, table) in &self.file.pattern {
            if !table.is_object() {
                self.refuse(
                    &format!("pattern.{name}"),
                    "this is no table",
                    format!("write [pattern.{name}]"),
                );
            }
        }
    }

    /// Who takes part; `sites` are the names of the sites, where they are known.
    pub(super) fn fleet(&mut self, sites: Option<&[String]>) {
        let file = self.file;
        let present = |group: &AgentGroup| if group.present { u64::from(group.count) } else { 0 };
        if file.agents.iter().map(present).sum::<u64>() == 0 {
            let message = "somebody must work: there is no agent that is present";
            self.refuse("agents", message, "write [agents] with count = 1 or more");
        }
        if file.agents.iter().map(|group| u64::from(group.count)).sum::<u64>() > u64::from(MOST_AGENTS) {
            let message = format!("more than {MOST_AGENTS} agents do not fit into memory");
            self.refuse("agents", message, "lower `agents.count`");
        }
        let mut skills: Vec<&str> = file.agents.iter().map(|group| group.skill.as_str()).collect();
        skills.sort_unstable();
        skills.dedup();
        if skills.len() > MOST_SKILLS {
            self.refuse(
                "agents",
                format!("there are {} skill classes", skills.len()),
                "join some: 200 are enough",
            );
        }
        for (index, group) in file.agents.iter().enumerate() {
            let key = |name: &str| format!("agents.{index}.{name}");
            self.number(&key("speed"), &group.speed);
            self.finite_mean(&key("speed"), group.speed.law().ok().map(|law| law.mean()));
            if !(1..=MOST_SLOTS).contains(&group.slots) {
                let message = format!("an agent cannot do {} tasks at once", group.slots);
                self.refuse(&key("slots"), message, format!("write a whole number from 1 to {MOST_SLOTS}"));
            }
            self.price(&key("price_per_hour"), group.price_per_hour);
            self.price(&key("price_per_kilotoken"), group.price_per_kilotoken);
            if let Some(sites) = sites {
                self.shares(&key("sites"), &group.sites, sites, SITE);
            }
        }
        if let Some(sites) = sites {
            self.shares("relays.sites", &file.relays.sites, sites, SITE);
            self.shares("clients.sites", &file.clients.sites, sites, SITE);
        }
        self.law("relays.service", &file.relays.service);
        if file.relays.servers == 0 {
            self.refuse("relays.servers", "a relay must serve", "write 1 or more");
        }
        if file.relays.count > 10_000 {
            self.refuse("relays.count", format!("{} relays are too many", file.relays.count), "write fewer");
        }
        self.price("relays.price_per_hour", file.relays.price_per_hour);
        self.some_time("clients.timeout", file.clients.timeout);
        self.price("clients.price_per_hour", file.clients.price_per_hour);
    }

    /// Handling times; `kinds` are all kinds of messages there are.
    pub(super) fn costs(&mut self, kinds: &[&str]) {
        let costs = &self.file.costs;
        self.law("costs.harness", &costs.harness);
        self.law("costs.cognition", &costs.cognition);
        let known: Vec<String> = kinds.iter().map(|&kind| kind.to_owned()).collect();
        for (name, kind) in &costs.kinds {
            self.name(&format!("costs.kinds.{name}"), name, &known, KIND);
            if let Some(time) = &kind.time {
                self.law(&format!("costs.kinds.{name}.time"), time);
            }
        }
    }
}

/// `problems` of a file that `key` names; the first says so, the rest are rows of the same file.
pub(super) fn named_by(document: &Document<'_>, key: &str, problems: Problems) -> Vec<Problem> {
    let place = document.locate(Problem::new("").key(key));
    let line = place.line.map_or_else(String::new, |line| format!(":{line}"));
    let named = format!(" (named by `{key}` in {}{line})", place.file.unwrap_or_default());
    let mut problems: Vec<Problem> = problems.iter().cloned().collect();
    if let Some(first) = problems.first_mut() {
        first.message.push_str(&named);
    }
    problems
}

/// Fills in what a scenario leaves open and is not a default of its type.
pub(super) fn fill_in(file: &mut ScenarioFile, stem: &str, known: &Known<'_>) {
    if file.name.is_empty() {
        stem.clone_into(&mut file.name);
    }
    file.run.drain = Some(file.run.drain());
    file.run.warmup = Some(file.run.warmup());
    if file.run.patterns.is_empty() {
        file.run.patterns = known.patterns.iter().map(|def| def.name.to_owned()).collect();
    }
    if file.network.sites.is_empty() && file.network.matrix.is_none() {
        file.network.sites = vec!["site".to_owned()];
    }
    if file.work.context_tokens.is_none() && file.work.model_calls.is_none() {
        file.work.context_tokens = Some(NumberDist::Constant(2_000.0));
    }
}

/// `problems` as an error, if there are any: those of the scenario called `name` in order of place, then
/// those of `--set` and of the files it names.
pub(super) fn outcome(mut problems: Vec<Problem>, name: &str) -> Result<(), Error> {
    problems.sort_by_key(|problem| match problem.file.as_deref() == Some(name) {
        true => (false, problem.line.is_none(), problem.line, problem.column),
        false => (true, false, None, None),
    });
    let mut all = Problems::new();
    for problem in problems {
        // Two checks may find the same fault from two sides.
        if !all.iter().any(|other| *other == problem) {
            all.push(problem);
        }
    }
    all.into_result()
}
