//! Scenarios: from a TOML file to everything a run needs.
//!
//! ```text
//! text ─ document (places) ─ patch (--set) ─ preset ─ diagnose (read, all faults at once)
//!      ─ resolve, check_* (judge) ─ instantiate (draw) ─▶ Setup
//! ```
//!
//! Nothing is drawn before everything is valid, and nothing is read from a file after that: a
//! [`Scenario`] holds its traces and matrices, and [`Scenario::instantiate`] is a pure function of seed
//! and replication. This module must not know any one pattern: names, kinds of messages and parameters
//! come from the registry it is handed ([`Known`]).

mod case;
mod check_expect;
mod check_faults;
mod check_network;
mod check_overlaps;
mod check_route;
mod check_work;
mod diagnose;
mod document;
mod expect;
mod file;
mod instantiate;
mod network;
mod patch;
mod preset;
mod resolve;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use case::{Case, NotThere, Part, Subject, TrialCase, not_there};
pub use expect::{Amount, CaseSpec, Claim, ExpectSpec, Expectation, Statistic, VariantSpec};
pub use file::{AgentGroup, ClientSpec, CostSpec, KindSpec, RelaySpec, RunSpec, ScenarioFile};
pub use network::{MatrixSpec, MatrixUnit, MissingPairs, NetworkSpec};
pub use preset::{Preset, PresetUse, presets};
pub use work::{ClassSpec, ModelCalls, WorkSpec};

use crate::engine::{Seed, Span, Time};
use crate::error::{Error, Problem, Problems, did_you_mean};
use crate::fault::FaultPlan;
use crate::metrics::queue::CLASS_COLUMNS;
use crate::net::Sites;
use crate::sim::{CLIENT_KINDS, PatternDef};
use crate::trial::TrialDef;
use crate::work::source::Source;
use case::Draft;
use check_expect::Measurable;
use check_faults::Numbers;
use check_work::Rows;
use document::{Document, Texts};
use resolve::Checker;

/// Scenarios that the program carries: name and text.
pub const EMBEDDED: &[(&str, &str)] = &[
    ("flagship", include_str!("../../scenarios/flagship.toml")),
    ("document-pipeline", include_str!("../../scenarios/document-pipeline.toml")),
    ("god-agent", include_str!("../../scenarios/god-agent.toml")),
    ("leader-worker", include_str!("../../scenarios/leader-worker.toml")),
    ("scale", include_str!("../../scenarios/scale.toml")),
];

/// The cases of `anthill validate` that the program carries: id and text, one for each file of
/// `scenarios/validation`.
pub const VALIDATION: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/validation.rs"));

/// The reference results that have no case, with the reason: `scenarios/validation/not_there.toml`.
pub const NOT_THERE: &str = include_str!("../../scenarios/validation/not_there.toml");

/// What a scenario may name that this module does not know.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The registered patterns: their names, kinds of messages and parameters.
    pub patterns: &'a [PatternDef],
    /// The registered trials.
    pub trials: &'a [TrialDef],
}

impl Known<'_> {
    /// Names of all kinds of messages, those of the client protocol included.
    fn kinds(&self) -> Vec<&'static str> {
        let kinds = self.patterns.iter().flat_map(|def| def.kinds.iter()).chain(&CLIENT_KINDS);
        let mut names: Vec<&str> = kinds.map(|kind| kind.name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// A valid scenario with everything it refers to.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it says, every default filled in.
    pub file: ScenarioFile,
    /// The presets it uses, for the manifest.
    pub presets: Vec<PresetUse>,
    /// Bad rows left out of its trace and its matrix.
    pub skipped_rows: u64,
    /// Names of the skill classes, by [`SkillId`](crate::trace::SkillId).
    pub skills: Vec<String>,
    /// Whether every invariant watches its runs. No part of the file: it changes no number.
    pub checks: bool,
    /// What must come out of it.
    pub expectations: Vec<Expectation>,
    sites: Arc<Sites>,
    weights: Vec<f64>,
    rows: Arc<Rows>,
    plan: Option<Arc<FaultPlan>>,
}

impl Scenario {
    /// Loads the scenario at a path, or the embedded one of that name, changed by `sets` (`key=value`).
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong with it, or if there is no such scenario;
    /// [`Error::Io`] if a file cannot be read.
    pub fn load(path_or_name: &str, sets: &[String], known: &Known<'_>) -> Result<Scenario, Error> {
        Scenario::load_variant(path_or_name, None, sets, known)
    }

    /// Loads the scenario as [`Scenario::load`] does, changed by one of its variants before `sets`, if one is
    /// named. The expectations are then those of the variant.
    ///
    /// # Errors
    /// As [`Scenario::load`]; also if it has no such variant.
    pub fn load_variant(
        path_or_name: &str,
        variant: Option<&str>,
        sets: &[String],
        known: &Known<'_>,
    ) -> Result<Scenario, Error> {
        let (text, origin) = text_of(path_or_name)?;
        let sets = case::Sets { variant, given: sets };
        case::subject(&text, &origin, &sets, known)?.into_scenario(&origin.name)
    }

    /// Loads the scenario that `text` says.
    ///
    /// # Errors
    /// As [`Scenario::load`].
    pub fn from_text(
        text: &str,
        origin: &TextOrigin,
        sets: &[String],
        known: &Known<'_>,
    ) -> Result<Scenario, Error> {
        let sets = case::Sets { variant: None, given: sets };
        case::subject(text, origin, &sets, known)?.into_scenario(&origin.name)
    }

    /// Judges a file that could be read and has no trial in it.
    fn judged(mut file: ScenarioFile, draft: Draft<'_, '_>) -> Result<Scenario, Error> {
        let Draft { document, reading, presets, mut problems, origin, known, chapter } = draft;
        // Absent agents are numbered last, so that one more of them renumbers nobody.
        let skills = skill_names(&file);
        let mut checker = Checker::new(&file, document, reading, &origin.folder);
        let judged = judge(&mut checker, &skills, known)?;
        let expectations = checker.chapter(chapter, &measurable(&file, known));
        problems.extend(checker.into_problems());
        let (params, wrong) = read_params(document, &file, known);
        problems.extend(wrong);
        let (Some(places), rows, skipped, plan) = judged else {
            let outcome = resolve::outcome(problems, &origin.name);
            return Err(outcome.expect_err("sites that could not be worked out are a problem"));
        };
        // Plans and parameters are judged against the fleet, so that there must be one.
        let faulty = |tables: &[&str]| {
            let named = |key: &String| key.split('.').next().is_some_and(|table| tables.contains(&table));
            let gone = reading.gone.iter().filter_map(|path| path.first());
            gone.chain(problems.iter().filter_map(|problem| problem.key.as_ref())).any(named)
        };
        let calendar = !faulty(&["run"]);
        if faulty(&["agents", "relays", "clients", "network"]) {
            return Err(resolve::outcome(problems, &origin.name).expect_err("there is a problem"));
        }
        let (plan, plan_lines) = plan.unzip();
        resolve::fill_in(&mut file, &origin.stem, known);
        file.pattern = params;
        let scenario = Scenario {
            presets,
            skipped_rows: skipped + places.skipped,
            skills,
            checks: false,
            expectations,
            sites: Arc::new(places.sites),
            weights: places.weights,
            rows: Arc::new(rows),
            plan: plan.map(Arc::new),
            file,
        };
        if calendar {
            let wrong = scenario.check_plan(&plan_lines.unwrap_or_default(), origin);
            problems.extend(resolve::named_by(document, "faults.plan", wrong));
        }
        problems.extend(scenario.check_params(document, known).iter().cloned());
        resolve::outcome(problems, &origin.name)?;
        Ok(scenario)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// What a reader of its results must be told, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(churn) = self.file.faults.churn.as_ref().filter(|churn| churn.compression != 1.0) {
            notes.push(format!("churn: {} measured hours are one simulated hour", churn.compression));
        }
        let Some(trace) = self.file.work.source.as_ref().and_then(Source::trace) else { return notes };
        if trace.compression != 1.0 {
            notes.push(format!("trace: {} recorded hours are one simulated hour", trace.compression));
        }
        if !trace.rotate {
            notes.push(
                "trace: every replication has the same arrivals: results are conditional on it".to_owned(),
            );
        }
        let last = self.rows.last().map_or(Span::ZERO, |row| row.0.mul_f64(1.0 / trace.compression));
        if last < self.file.run.horizon.mul_f64(0.9) {
            notes.push(format!(
                "trace: it is {last} long, shorter than the horizon of {}",
                self.file.run.horizon
            ));
        }
        notes
    }

    /// Whether a plan from a file fits the fleet and the calendar.
    fn check_plan(&self, lines: &[usize], origin: &TextOrigin) -> Problems {
        let (Some(plan), Some(path)) = (&self.plan, &self.file.faults.plan) else { return Problems::new() };
        let mut problems = plan.check(&self.fleet(Seed(self.file.run.seed), 0));
        let end = Time::ZERO + self.file.run.horizon + self.file.run.drain();
        for (index, entry) in plan.entries.iter().enumerate().filter(|(_, entry)| entry.at >= end) {
            let message = format!("it begins at {}, when the run is over", entry.at);
            problems.push(Problem::new(message).key(format!("[{index}]")).remedy("lengthen `run.horizon`"));
        }
        let path = origin.folder.join(path).display().to_string();
        problems.map(|problem| {
            let entry =
                problem.key.as_deref().and_then(|key| key.trim_matches(['[', ']']).parse::<usize>().ok());
            let line = entry.and_then(|entry| lines.get(entry).copied());
            Problem { line, ..problem.file(path.clone()) }
        })
    }

    /// Whether the parameters of every pattern fit the fleet.
    fn check_params(&self, document: &Document<'_>, known: &Known<'_>) -> Problems {
        let fleet = self.fleet(Seed(self.file.run.seed), 0);
        let mut problems = Problems::new();
        for def in known.patterns {
            let Some(params) = self.file.pattern.get(def.name) else { continue };
            // The checks speak of keys relative to the pattern's own table.
            let full = |mut problem: Problem| {
                let key = problem.key.take().map_or_else(String::new, |key| format!(".{key}"));
                problem.remedy.get_or_insert_with(|| format!("see `anthill patterns {}`", def.name));
                document.locate(problem.key(format!("pattern.{}{key}", def.name)))
            };
            if let Err(wrong) = (def.check)(params, &fleet) {
                problems.extend(wrong.map(full));
            }
        }
        problems
    }
}

/// Where a scenario's text comes from.
#[derive(Clone, Debug)]
pub struct TextOrigin {
    /// What messages call it.
    pub name: String,
    /// Its name, where it does not say one.
    pub stem: String,
    /// The folder that paths in it start from.
    pub folder: PathBuf,
}

/// The text at a path, or of the embedded scenario or case of that name.
fn text_of(path_or_name: &str) -> Result<(String, TextOrigin), Error> {
    if let Some((name, text)) = EMBEDDED.iter().chain(VALIDATION).find(|(name, _)| *name == path_or_name) {
        let origin = TextOrigin {
            name: format!("{name} (embedded)"),
            stem: (*name).to_owned(),
            folder: PathBuf::new(),
        };
        return Ok(((*text).to_owned(), origin));
    }
    let path = Path::new(path_or_name);
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(no_such(path_or_name).into()),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            let problem = Problem::new("this is not text: some bytes are not UTF-8").file(path_or_name);
            return Err(problem.remedy("give a TOML file").into());
        }
        Err(error) => return Err(Error::io(path)(error)),
    };
    let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok((text, TextOrigin { name: path_or_name.to_owned(), stem, folder }))
}

/// What expectations of a scenario may speak of.
fn measurable(file: &ScenarioFile, known: &Known<'_>) -> Measurable {
    let patterns = match &file.run.patterns[..] {
        [] => known.patterns.iter().map(|def| def.name.to_owned()).collect(),
        some => some.to_vec(),
    };
    Measurable {
        metrics: crate::metrics::registry().collect(),
        class_columns: CLASS_COLUMNS.to_vec(),
        classes: file.work.class_names(),
        patterns: Some(patterns),
        end: file.run.horizon + file.run.drain(),
    }
}

/// The document of `texts` with sets and presets in it, the presets used, and what is wrong with these.
fn open(texts: &Texts) -> Result<(Document<'_>, Vec<PresetUse>, Vec<Problem>), Error> {
    let mut document = Document::parse(texts)?;
    let mut problems = Vec::new();
    for set in &texts.sets {
        if let Err(wrong) = document.set(set) {
            problems.extend(wrong.iter().cloned());
        }
    }
    let (presets, wrong) = document.expand_presets();
    problems.extend(wrong);
    Ok((document, presets, problems))
}

/// The parameters of every pattern the scenario compares or mentions, with every default, and what is
/// wrong with them.
fn read_params(document: &Document<'_>, file: &ScenarioFile, known: &Known<'_>) -> (Params, Vec<Problem>) {
    let (mut params, mut problems) = (Params::new(), Vec::new());
    for def in known.patterns {
        let compared = file.run.patterns.is_empty() || file.run.patterns.iter().any(|name| name == def.name);
        if !compared && !file.pattern.contains_key(def.name) {
            continue;
        }
        let reading = document.read(&["pattern", def.name], def.read);
        problems.extend(reading.problems);
        if let Some(value) = reading.value {
            params.insert(def.name.to_owned(), without_nulls(value));
        }
    }
    (params, problems)
}

/// `value` without the keys that are not set: TOML has no word for nothing.
fn without_nulls(mut value: serde_json::Value) -> serde_json::Value {
    if let Some(table) = value.as_object_mut() {
        table.retain(|_, value| !value.is_null());
        for value in table.values_mut() {
            *value = without_nulls(value.take());
        }
    }
    value
}

/// Parameters by the name of their pattern.
type Params = BTreeMap<String, serde_json::Value>;

/// What judging works out on the way.
type Judged = (Option<network::Places>, Rows, u64, Option<(FaultPlan, Vec<usize>)>);

/// Runs every check. Only failing to read a file that is there ends it early.
fn judge(checker: &mut Checker<'_>, skills: &[String], known: &Known<'_>) -> Result<Judged, Error> {
    let file = checker.file;
    checker.run(known);
    let places = checker.network()?;
    let sites: Option<Vec<String>> = places.as_ref().map(|places| {
        (0..places.sites.len())
            .map(|site| places.sites.name(crate::trace::SiteId(site as u16)).to_owned())
            .collect()
    });
    checker.fleet(sites.as_deref());
    let clients = match (&file.clients.sites, &sites) {
        (shares, _) if !shares.0.is_empty() => Some(shares.names().map(str::to_owned).collect()),
        (_, sites) => sites.clone(),
    };
    let present = file.agents.iter().filter(|group| group.present);
    let known_skills: Vec<String> =
        skills.iter().filter(|skill| present.clone().any(|group| group.skill == **skill)).cloned().collect();
    checker.work(&known_skills, clients.as_deref());
    checker.costs(&known.kinds());
    let agents = present.map(|group| u64::from(group.count)).sum::<u64>().min(u64::from(u32::MAX)) as u32;
    checker.faults(Numbers { agents, relays: file.relays.count }, sites.as_deref());
    let plan = checker.plan()?;
    let (rows, skipped) = checker.trace()?;
    Ok((places, rows, skipped, plan))
}

/// Skill classes in the order in which agents are numbered.
fn skill_names(file: &ScenarioFile) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for group in instantiate::numbered(&file.agents) {
        if !names.contains(&group.skill) {
            names.push(group.skill.clone());
        }
    }
    names
}

/// The problem of a scenario that is not there.
fn no_such(name: &str) -> Problem {
    let names = EMBEDDED.iter().map(|(name, _)| *name);
    let remedy = match did_you_mean(name, names.clone()) {
        Some(meant) => format!("did you mean the embedded scenario `{meant}`?"),
        None => {
            let all: Vec<&str> = names.collect();
            format!("give a path, or the name of an embedded scenario: {}", all.join(", "))
        }
    };
    Problem::new("there is no such scenario").file(name).remedy(remedy)
}
