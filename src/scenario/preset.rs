//! Presets: named, cited sets of values that a scenario puts in place of its own.
//!
//! `session = { preset = "grid5000_available" }` becomes the law of that name; in a table with other keys
//! (`[network]`), the preset's keys join those written, which win. This happens on the tree, before
//! anything is read, so that a preset can stand wherever its content can. What was used is kept, so that
//! a result can say where its numbers come from.

use std::borrow::Cow;
use std::ops::Range;

use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnose::suggestion;
use super::document::{Document, Path, Table, Value, dotted};
use super::patch::relocated;
use crate::error::{Problem, did_you_mean};

/// The files of presets: tables with a `law`, and their source in comments.
const FILES: [&str; 1] = [include_str!("presets/fitted.toml")];

/// Words of the fits that scenarios have another word for.
const WORDS: [(&str, &str); 4] =
    [("names", "sites"), ("nodes", "weights"), ("one_way", "latency"), ("sojourns", "mean_sojourns")];

/// One preset and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preset {
    /// Its name in scenario files.
    pub name: String,
    /// What the numbers are.
    pub about: String,
    /// The data set, as it asks to be cited.
    pub source: String,
    /// Sample size.
    pub sample_size: String,
    /// Figures of the fit.
    pub quality: String,
}

/// A preset that a scenario uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PresetUse {
    /// The key it stands at.
    pub key: String,
    /// The preset.
    #[serde(flatten)]
    pub preset: Preset,
}

/// Every preset there is.
pub fn presets() -> Vec<Preset> {
    FILES.iter().flat_map(|text| described(text)).collect()
}

/// The descriptions in the comments of one file.
fn described(text: &str) -> Vec<Preset> {
    let mut presets: Vec<Preset> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let empty = String::new;
            let (about, source) = (empty(), empty());
            presets.push(Preset {
                name: name.to_owned(),
                about,
                source,
                sample_size: empty(),
                quality: empty(),
            });
        }
        let (Some(preset), Some(comment)) = (presets.last_mut(), line.strip_prefix("# ")) else { continue };
        match comment.split_once(": ") {
            Some(("source", value)) => preset.source = value.to_owned(),
            Some(("sample size", value)) => preset.sample_size = value.to_owned(),
            Some(("quality", value)) => preset.quality = value.to_owned(),
            Some(("file" | "also tried", _)) => {}
            Some(_) | None if preset.about.is_empty() => preset.about = comment.to_owned(),
            Some(_) | None => {}
        }
    }
    presets
}

/// The content of the preset called `name`.
fn content(name: &str) -> Option<DeValue<'static>> {
    FILES.iter().find_map(|text| {
        // Our own files: a test reads them all.
        let table = DeTable::parse(text).ok()?.into_inner();
        let inner = table.into_iter().find(|(key, _)| key.get_ref() == name)?.1.into_inner();
        let DeValue::Table(inner) = inner else { return None };
        inner.into_iter().find(|(key, _)| key.get_ref() == "law").map(|(_, law)| law.into_inner())
    })
}

/// The tables of a preset with the keys of scenarios.
fn in_our_words(content: Table<'static>) -> Table<'static> {
    let entry = |(key, value): (Spanned<Cow<'static, str>>, Value<'static>)| {
        let word = WORDS.iter().find(|word| word.0 == key.get_ref()).map(|word| Cow::Borrowed(word.1));
        let (key_place, place) = (key.span(), value.span());
        let value = match value.into_inner() {
            DeValue::Table(table) => DeValue::Table(in_our_words(table)),
            leaf @ (DeValue::Array(_)
            | DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)) => leaf,
        };
        (Spanned::new(key_place, word.unwrap_or(key.into_inner())), Spanned::new(place, value))
    };
    content.into_iter().map(entry).collect()
}

impl Document<'_> {
    /// Puts presets where they are named. Returns those used, and what is wrong.
    pub(super) fn expand_presets(&mut self) -> (Vec<PresetUse>, Vec<Problem>) {
        let mut expansion = Expansion { used: Vec::new(), wrong: Vec::new(), gone: Vec::new() };
        expansion.table(&mut self.root, &mut Path::new());
        self.gone.extend(expansion.gone);
        let problems = expansion.wrong.into_iter().map(|(problem, span)| self.place(problem, span)).collect();
        (expansion.used, problems)
    }
}

struct Expansion {
    used: Vec<PresetUse>,
    wrong: Vec<(Problem, Range<usize>)>,
    gone: Vec<Path>,
}

impl Expansion {
    fn value(&mut self, value: &mut Value<'_>, path: &mut Path) {
        match value.get_mut() {
            DeValue::Table(table) => self.table(table, path),
            DeValue::Array(array) => {
                for (index, value) in array.iter_mut().enumerate() {
                    path.push(index.to_string());
                    self.value(value, path);
                    path.pop();
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }

    fn table(&mut self, table: &mut Table<'_>, path: &mut Path) {
        // A pattern may have a parameter of any name.
        if path.first().is_some_and(|first| first == "pattern") {
            return;
        }
        let key = table.keys().find(|key| key.get_ref() == "preset").cloned();
        if let Some(named) = key.and_then(|key| table.remove(&key)) {
            self.expand(table, &named, path);
        }
        let keys: Vec<_> = table.keys().cloned().collect();
        for key in keys {
            path.push(key.get_ref().to_string());
            if let Some(value) = table.get_mut(&key) {
                self.value(value, path);
            }
            path.pop();
        }
    }

    fn expand(&mut self, table: &mut Table<'_>, named: &Value<'_>, path: &Path) {
        let place = named.span();
        let known = presets();
        let names = || known.iter().map(|preset| preset.name.as_str());
        let found = named.get_ref().as_str().and_then(|name| Some((name, content(name)?)));
        let Some((name, DeValue::Table(content))) = found else {
            let name = named.get_ref().as_str().unwrap_or("this");
            let key: Path = [&path[..], &["preset".to_owned()]].concat();
            let all: Vec<String> = names().map(str::to_owned).collect();
            let remedy = suggestion(did_you_mean(name, names()), &all, "presets");
            self.wrong.push((
                Problem::new(format!("there is no preset `{name}`")).key(dotted(&key)).remedy(remedy),
                place,
            ));
            self.gone.push(key);
            return;
        };
        for (key, value) in in_our_words(content) {
            if !table.keys().any(|own| own.get_ref() == key.get_ref()) {
                let key = Spanned::new(place.clone(), key.into_inner());
                table.insert(key, relocated(value, &|_| place.clone()));
            }
        }
        if let Some(preset) = known.iter().find(|preset| preset.name == name) {
            self.used.push(PresetUse { key: dotted(path), preset: preset.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_has_a_content_a_source_and_a_sample_size() {
        let all = presets();
        assert!(all.len() > 5, "{all:?}");
        for preset in all {
            assert!(content(&preset.name).is_some(), "{preset:?}");
            let told = [&preset.about, &preset.source, &preset.sample_size, &preset.quality];
            assert!(told.iter().all(|text| !text.is_empty()), "{preset:?}");
        }
    }
}
