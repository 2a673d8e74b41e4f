//! From a file to what it asks: a scenario or a trial, with its expectations and its variants.
//!
//! A file is read once for itself and once for each of its variants, which are the same text under other
//! sets: whatever is wrong with a variant is found as it would be in a file of its own.

use serde::Deserialize;

use super::check_expect::Measurable;
use super::document::{Document, Texts, dotted};
use super::expect::Expectation;
use super::resolve::{self, Checker};
use super::{EMBEDDED, Known, PresetUse, Scenario, ScenarioFile, TextOrigin, VALIDATION, diagnose};
use crate::error::{Error, Problem, did_you_mean};
use crate::trial::TrialDef;

/// What a file asks of.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Patterns at work.
    Scenario(Box<Scenario>),
    /// One mechanism alone.
    Trial(Box<TrialCase>),
}

/// A valid `[trial.NAME]`.
#[derive(Clone, Debug)]
pub struct TrialCase {
    /// What the file says.
    pub file: ScenarioFile,
    /// The trial.
    pub def: TrialDef,
    /// Its parameters, with every default.
    pub params: serde_json::Value,
    /// What must come out.
    pub expectations: Vec<Expectation>,
}

/// A file of `anthill validate`: itself, and its variants.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name of its file without `.toml`.
    pub id: String,
    /// The part of the id before the first `-`; the whole id if there is none.
    pub family: String,
    /// Where it was read from.
    pub origin: String,
    /// What is asked, first as the file says it (if it expects anything of that), then each variant.
    pub parts: Vec<Part>,
    /// The whole file.
    pub file: ScenarioFile,
}

/// One thing that is run and judged: the file as it is, or one of its variants.
#[derive(Clone, Debug)]
pub struct Part {
    /// The variant's name.
    pub variant: Option<String>,
    /// What it asks of.
    pub subject: Subject,
}

/// Which expectations of a file are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chapter {
    /// Its own.
    Base,
    /// Those of the variant at this position.
    Variant(usize),
}

impl Subject {
    /// What the file says.
    pub fn file(&self) -> &ScenarioFile {
        match self {
            Subject::Scenario(scenario) => &scenario.file,
            Subject::Trial(trial) => &trial.file,
        }
    }
    /// What must come out.
    pub fn expectations(&self) -> &[Expectation] {
        match self {
            Subject::Scenario(scenario) => &scenario.expectations,
            Subject::Trial(trial) => &trial.expectations,
        }
    }
    /// "scenario" or "trial".
    pub fn kind(&self) -> &'static str {
        match self {
            Subject::Scenario(_) => "scenario",
            Subject::Trial(_) => "trial",
        }
    }
    /// The scenario.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is a trial, which has nothing to compare.
    pub(super) fn into_scenario(self, name: &str) -> Result<Scenario, Error> {
        match self {
            Subject::Scenario(scenario) => Ok(*scenario),
            Subject::Trial(trial) => {
                let message = format!("this is the trial `{}`: it has no patterns to run", trial.def.name);
                let problem = Problem::new(message).file(name).key(format!("trial.{}", trial.def.name));
                Err(problem.remedy(format!("run `anthill validate {name}`")).into())
            }
        }
    }
}

impl Case {
    /// Loads the case at a path, or the embedded one of that name.
    ///
    /// # Errors
    /// As [`Scenario::load`]; also if the file expects nothing.
    pub fn load(path_or_name: &str, known: &Known<'_>) -> Result<Case, Error> {
        let embedded = |list: &[(&str, &str)]| list.iter().any(|(name, _)| *name == path_or_name);
        if !std::path::Path::new(path_or_name).exists() && !embedded(VALIDATION) && !embedded(EMBEDDED) {
            let meant = did_you_mean(path_or_name, VALIDATION.iter().map(|(name, _)| *name));
            let remedy = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => {
                    "give a file or a folder; `anthill validate --list` shows the embedded cases".to_owned()
                }
            };
            return Err(Problem::new("there is no such case").file(path_or_name).remedy(remedy).into());
        }
        let (text, origin) = super::text_of(path_or_name)?;
        Case::from_text(&text, &origin, known)
    }

    /// Loads the case that `text` says.
    ///
    /// # Errors
    /// As [`Case::load`].
    pub fn from_text(text: &str, origin: &TextOrigin, known: &Known<'_>) -> Result<Case, Error> {
        let base = subject(text, origin, &Sets::default(), known)?;
        let file = base.file().clone();
        let mut parts = Vec::new();
        if !base.expectations().is_empty() {
            parts.push(Part { variant: None, subject: base });
        }
        for variant in &file.variant {
            let sets = Sets { variant: Some(&variant.name), given: &[] };
            let subject = subject(text, origin, &sets, known)?;
            parts.push(Part { variant: Some(variant.name.clone()), subject });
        }
        if parts.is_empty() {
            let problem = Problem::new("this file expects nothing").file(origin.name.clone()).key("expect");
            return Err(problem.remedy("add [[expect]] with `metric` and `value`, `min` or `max`").into());
        }
        let family = origin.stem.split('-').next().unwrap_or_default().to_owned();
        Ok(Case { id: origin.stem.clone(), family, origin: origin.name.clone(), parts, file })
    }

    /// "scenario" or "trial".
    pub fn kind(&self) -> &'static str {
        self.parts[0].subject.kind()
    }
}

/// A reference result that has no case.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotThere {
    /// Its id.
    pub id: String,
    /// Why there is no case.
    pub reason: String,
}

/// Reads a list of reference results without a case, `[[case]]` tables of `id` and `reason`; messages call it
/// `name`.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn not_there(text: &str, name: &str) -> Result<Vec<NotThere>, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        #[serde(default)]
        case: Vec<NotThere>,
    }
    let list = toml::from_str::<List>(text).map_err(|error| {
        let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
        let problem = Problem::new(error.message()).file(name).line(1 + before.matches('\n').count());
        problem.remedy("write [[case]] with `id` and `reason`")
    })?;
    Ok(list.case)
}

/// What is changed in a file before it is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sets<'a> {
    /// The sets of this variant come first, and its expectations take the place of the file's.
    pub(super) variant: Option<&'a str>,
    /// Then these, from `--set`.
    pub(super) given: &'a [String],
}

/// Reads the subject of `text`.
pub(super) fn subject(
    text: &str,
    origin: &TextOrigin,
    sets: &Sets<'_>,
    known: &Known<'_>,
) -> Result<Subject, Error> {
    let given: Vec<(String, String)> =
        sets.given.iter().map(|set| (format!("--set {set}"), set.clone())).collect();
    let Some(wanted) = sets.variant else {
        return read(text, origin, (Chapter::Base, &given), known);
    };
    // The file itself must be right before a variant of it can be looked for.
    let base = read(text, origin, (Chapter::Base, &[]), known)?;
    let variants = &base.file().variant;
    let Some(index) = variants.iter().position(|variant| variant.name == wanted) else {
        let names = variants.iter().map(|variant| variant.name.as_str());
        let remedy = match (did_you_mean(wanted, names.clone()), variants.is_empty()) {
            (Some(meant), _) => format!("did you mean `{meant}`?"),
            (None, true) => "it has no [[variant]]".to_owned(),
            (None, false) => format!("its variants are: {}", names.collect::<Vec<_>>().join(", ")),
        };
        let problem = Problem::new(format!("there is no variant `{wanted}`")).file(origin.name.clone());
        return Err(problem.key("variant").remedy(remedy).into());
    };
    let named = |set: &String| (format!("{}, variant `{wanted}`, {set}", origin.name), set.clone());
    let all: Vec<(String, String)> = variants[index].set.iter().map(named).chain(given).collect();
    read(text, origin, (Chapter::Variant(index), &all), known)
}

/// A file that could be read, before it is judged.
#[derive(Debug)]
pub(super) struct Draft<'a, 't> {
    pub(super) document: &'a Document<'t>,
    pub(super) reading: &'a diagnose::Reading<()>,
    pub(super) presets: Vec<PresetUse>,
    pub(super) problems: Vec<Problem>,
    pub(super) origin: &'a TextOrigin,
    pub(super) known: &'a Known<'a>,
    pub(super) chapter: Chapter,
}

fn read(
    text: &str,
    origin: &TextOrigin,
    (chapter, sets): (Chapter, &[(String, String)]),
    known: &Known<'_>,
) -> Result<Subject, Error> {
    let texts = Texts::new(&origin.name, text, sets);
    let (document, presets, mut problems) = super::open(&texts)?;
    let (file, reading) = document.read(&[], ScenarioFile::deserialize).split();
    problems.extend(reading.problems.iter().cloned());
    let Some(file) = file else {
        return Err(resolve::outcome(problems, &origin.name).err().unwrap_or_else(|| {
            Problem::new("the scenario cannot be read").file(origin.name.clone()).into()
        }));
    };
    let draft = Draft { document: &document, reading: &reading, presets, problems, origin, known, chapter };
    if file.trial.is_empty() {
        Scenario::judged(file, draft).map(|scenario| Subject::Scenario(Box::new(scenario)))
    } else {
        trial(file, draft).map(|trial| Subject::Trial(Box::new(trial)))
    }
}

/// The tables of a trial's file, and the keys of its `[run]`.
const OF_TRIALS: [&str; 7] = ["name", "about", "case", "run", "expect", "variant", "trial"];
const RUN_OF_TRIALS: [&str; 3] = ["seed", "replications", "max_replications"];

/// Judges a trial.
fn trial(mut file: ScenarioFile, draft: Draft<'_, '_>) -> Result<TrialCase, Error> {
    let Draft { document, reading, mut problems, origin, known, chapter, .. } = draft;
    let mut checker = Checker::new(&file, document, reading, &origin.folder);
    checker.run(known);
    checker.of_trials();
    for name in file.trial.keys().filter(|name| known.trials.iter().all(|def| def.name != **name)) {
        let remedy = match did_you_mean(name, known.trials.iter().map(|def| def.name)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "`anthill explain` lists the trials".to_owned(),
        };
        checker.refuse(&format!("trial.{name}"), format!("there is no trial `{name}`"), remedy);
    }
    if let Some(second) = file.trial.keys().nth(1) {
        checker.refuse(&format!("trial.{second}"), "a file holds one trial", "move it to a file of its own");
    }
    let def = file.trial.keys().next().and_then(|name| known.trials.iter().find(|def| def.name == *name));
    let expectations = def.map(|def| {
        let measurable = Measurable {
            metrics: def.metrics.iter().collect(),
            class_columns: Vec::new(),
            classes: Vec::new(),
            patterns: None,
            end: crate::engine::Span::ZERO,
        };
        checker.chapter(chapter, &measurable)
    });
    problems.extend(checker.into_problems());
    let params = def.and_then(|def| {
        let reading = document.read(&["trial", def.name], def.read);
        problems.extend(reading.problems);
        let params = super::without_nulls(reading.value?);
        if let Err(wrong) = (def.check)(&params) {
            let located = wrong.map(|mut problem| {
                let key = problem.key.take().map_or_else(String::new, |key| format!(".{key}"));
                document.locate(problem.key(format!("trial.{}{key}", def.name)))
            });
            problems.extend(located.iter().cloned());
        }
        Some(params)
    });
    resolve::outcome(problems, &origin.name)?;
    let (Some(def), Some(params), Some(expectations)) = (def, params, expectations) else {
        return Err(Problem::new("the trial cannot be read").file(origin.name.clone()).into());
    };
    if file.name.is_empty() {
        origin.stem.clone_into(&mut file.name);
    }
    Ok(TrialCase { def: *def, params, expectations, file })
}

impl Checker<'_> {
    /// The expectations of a chapter; the shape of variants is judged with the file itself.
    pub(super) fn chapter(&mut self, chapter: Chapter, measurable: &Measurable) -> Vec<Expectation> {
        let file = self.file;
        match chapter {
            Chapter::Base => {
                self.variants(&file.variant);
                self.expectations(&file.expect, "expect", measurable)
            }
            Chapter::Variant(index) => {
                let key = format!("variant.{index}.expect");
                let specs = file.variant.get(index).map_or(&[][..], |variant| &variant.expect);
                self.expectations(specs, &key, measurable)
            }
        }
    }

    /// Refuses what means nothing to a trial: it would be read and have no effect.
    fn of_trials(&mut self) {
        let document = self.document();
        let keys = |path: &[&str]| -> Vec<String> {
            let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
            document.keys(&path).into_iter().map(|key| dotted(&[path.clone(), vec![key]].concat())).collect()
        };
        for key in keys(&[]).into_iter().filter(|key| !OF_TRIALS.contains(&key.as_str())) {
            self.refuse(&key, format!("a trial takes no `{key}`"), "delete it, or the trial");
        }
        let known = |key: &String| RUN_OF_TRIALS.iter().any(|name| *key == format!("run.{name}"));
        for key in keys(&["run"]).into_iter().filter(|key| !known(key)) {
            let remedy = "of [run] a trial takes seed, replications and max_replications: delete this key";
            self.refuse(&key, format!("a trial takes no `{key}`"), remedy);
        }
    }
}
