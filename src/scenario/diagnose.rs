//! Reads a document into a type and reports everything wrong with it at once.
//!
//! A deserialiser stops at its first error. So the key it stopped at is reported, taken out of a copy of
//! the tree, and the copy is read again, until it passes. What the removal itself breaks (a required key
//! that was there, but wrong) is not reported.

use toml::Spanned;
use toml::de::{DeValue, Deserializer};

use super::document::{Document, NOWHERE, Path, Table, Value, dotted};
use crate::error::{Problem, did_you_mean};

/// What reading gave.
#[derive(Debug)]
pub(super) struct Reading<T> {
    /// The value, without the keys that are wrong; `None` if nothing could be saved.
    pub(super) value: Option<T>,
    /// What is wrong, with places.
    pub(super) problems: Vec<Problem>,
    /// Keys taken out, or meant by a misspelt one: nothing can be concluded from their absence.
    pub(super) gone: Vec<Path>,
    /// Tables with an unknown key: what they lack may be what it was meant to be.
    pub(super) puzzling: Vec<Path>,
}

impl<T> Reading<T> {
    /// The value, and the rest.
    pub(super) fn split(self) -> (Option<T>, Reading<()>) {
        let Reading { value, problems, gone, puzzling } = self;
        (value, Reading { value: None, problems, gone, puzzling })
    }
}

/// More problems than this are not worth listing.
const MOST_PROBLEMS: usize = 100;

impl<'t> Document<'t> {
    /// Reads the table at `at` (empty: everything) with `deserialize`. An absent table is an empty one.
    pub(super) fn read<T>(
        &self,
        at: &[&str],
        deserialize: impl Fn(Deserializer<'t>) -> Result<T, toml::de::Error>,
    ) -> Reading<T> {
        let at: Path = at.iter().map(|&part| part.to_owned()).collect();
        let mut reading =
            Reading { value: None, problems: Vec::new(), gone: self.gone.clone(), puzzling: Vec::new() };
        let mut removed: Vec<Path> = Vec::new();
        // Each round removes a key, so that this ends.
        for _ in 0..10 * MOST_PROBLEMS {
            let (tree, span) = self.pruned(&at, &removed);
            let error = match deserialize(Deserializer::from(Spanned::new(span, tree))) {
                Ok(value) => {
                    reading.value = Some(value);
                    break;
                }
                Err(error) => error,
            };
            let span = error.span().unwrap_or(NOWHERE);
            let (path, is_key) = self.at(&span);
            let complaint = Complaint::of(error.message());
            if !complaint.follows_from(&path, &reading.gone) {
                let (problem, meant) = complaint.problem(&path);
                reading.problems.push(self.place(problem, span));
                reading.gone.extend(meant);
            }
            let target = if is_key && matches!(complaint, Complaint::UnknownVariant { .. }) {
                path[..path.len() - 1].to_vec()
            } else {
                path
            };
            if target.len() <= at.len() || reading.problems.len() >= MOST_PROBLEMS {
                break;
            }
            if matches!(complaint, Complaint::UnknownField { .. }) {
                reading.puzzling.push(target[..target.len() - 1].to_vec());
            } else {
                reading.gone.push(target.clone());
            }
            removed.push(target);
        }
        reading.problems.sort_by_key(|problem| (problem.line.is_none(), problem.line, problem.column));
        reading
    }

    /// The table at `at` without the keys in `removed`, and its place.
    fn pruned(&self, at: &[String], removed: &[Path]) -> (Table<'t>, std::ops::Range<usize>) {
        let mut root = self.root.clone();
        let mut order: Vec<&Path> = removed.iter().collect();
        // Within a list from the back, so that positions stay what they were.
        order.sort_by(|a, b| by_position(b, a));
        for path in order {
            remove(&mut root, path);
        }
        let (mut table, mut span) = (root, NOWHERE);
        for part in at {
            let value = table.into_iter().find(|(key, _)| key.get_ref() == part).map(|(_, value)| value);
            match value.map(|value| (value.span(), value.into_inner())) {
                Some((place, DeValue::Table(inner))) => (table, span) = (inner, place),
                Some(_) | None => return (Table::new(), NOWHERE),
            }
        }
        (table, span)
    }
}

fn by_position(a: &Path, b: &Path) -> std::cmp::Ordering {
    let number = |part: &String| part.parse::<usize>().ok();
    for (x, y) in a.iter().zip(b) {
        let order = match (number(x), number(y)) {
            (Some(x), Some(y)) => x.cmp(&y),
            (Some(_), None) | (None, Some(_)) | (None, None) => x.cmp(y),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Takes the value at `path` out of `table`, if it is there.
fn remove(table: &mut Table<'_>, path: &[String]) {
    let Some((first, rest)) = path.split_first() else { return };
    let Some(key) = table.keys().find(|key| key.get_ref() == first).cloned() else { return };
    if rest.is_empty() {
        table.remove(&key);
    } else if let Some(value) = table.get_mut(&key) {
        remove_below(value, rest);
    }
}

fn remove_below(value: &mut Value<'_>, path: &[String]) {
    match value.get_mut() {
        DeValue::Table(table) => remove(table, path),
        DeValue::Array(array) => {
            let Some(index) = path[0].parse::<usize>().ok().filter(|&index| index < array.len()) else {
                return;
            };
            if path.len() == 1 {
                let rest = array.iter().enumerate().filter(|entry| entry.0 != index);
                *array = rest.map(|entry| entry.1.clone()).collect();
            } else if let Some(value) = array.get_mut(index) {
                remove_below(value, &path[1..]);
            }
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => {}
    }
}

/// What a deserialiser complains of, taken from the words in which serde says it.
#[derive(Debug)]
enum Complaint {
    UnknownField { name: String, known: Vec<String> },
    UnknownVariant { name: String, known: Vec<String> },
    MissingField { name: String },
    WrongValue { message: String, expected: Option<String> },
}

impl Complaint {
    fn of(message: &str) -> Complaint {
        let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
        let mut first = || quoted.next().unwrap_or_default();
        if message.starts_with("unknown field") {
            Complaint::UnknownField { name: first(), known: quoted.collect() }
        } else if message.starts_with("unknown variant") {
            Complaint::UnknownVariant { name: first(), known: quoted.collect() }
        } else if message.starts_with("missing field") {
            Complaint::MissingField { name: first() }
        } else if message.starts_with("wanted exactly 1 element, more") {
            let message = "there are several keys, of which only one may stand here: write one, or replace \
                           all with --set 'KEY={ … }'";
            Complaint::WrongValue { message: message.to_owned(), expected: None }
        } else if let Some(complaint) = out_of_range(message) {
            complaint
        } else {
            let (what, expected) = match message.split_once(", expected ") {
                Some((what, expected)) => (what, Some(in_words(expected))),
                None => (message, None),
            };
            // "invalid type: integer `2`" is the deserialiser's business; the value is the user's.
            let found = what.strip_prefix("invalid type: ").or_else(|| what.strip_prefix("invalid value: "));
            match (found, expected) {
                (Some(found), Some(expected)) => Complaint::WrongValue {
                    message: format!("{found} is not {expected}"),
                    expected: Some(expected),
                },
                (_, _) => Complaint::WrongValue { message: message.to_owned(), expected: None },
            }
        }
    }

    /// Whether an error at `path` only repeats what the removal of `gone` keys did.
    fn follows_from(&self, path: &[String], gone: &[Path]) -> bool {
        let child_gone = || gone.iter().any(|other| other.len() == path.len() + 1 && other.starts_with(path));
        match self {
            Complaint::UnknownField { .. } | Complaint::UnknownVariant { .. } => false,
            Complaint::MissingField { name } => gone
                .iter()
                .any(|other| other.split_last().is_some_and(|(last, up)| last == name && up == path)),
            Complaint::WrongValue { .. } => child_gone(),
        }
    }

    /// The problem, and the key that a misspelt one means.
    fn problem(&self, path: &[String]) -> (Problem, Option<Path>) {
        let problem = |message: String| Problem::new(message).key(dotted(path));
        match self {
            Complaint::UnknownField { name, known } => {
                let meant = did_you_mean(name, known.iter().map(String::as_str)).map(str::to_owned);
                let remedy = suggestion(meant.as_deref(), known, "keys here");
                let path = meant.map(|meant| [&path[..path.len() - 1], &[meant]].concat());
                (problem(format!("there is no key `{name}` here")).remedy(remedy), path)
            }
            Complaint::UnknownVariant { name, known } => {
                let meant = did_you_mean(name, known.iter().map(String::as_str));
                let remedy = suggestion(meant, known, "possible here");
                (problem(format!("`{name}` is not known here")).remedy(remedy), None)
            }
            Complaint::MissingField { name } => {
                let mut path = path.to_vec();
                path.push(name.clone());
                let message = format!("the key `{name}` is missing");
                let remedy = format!("add `{name} = …`; see `anthill schema`");
                (Problem::new(message).key(dotted(&path)).remedy(remedy), None)
            }
            Complaint::WrongValue { message, expected: Some(expected) } => {
                (problem(message.clone()).remedy(format!("write {expected}")), None)
            }
            Complaint::WrongValue { message, expected: None } => {
                let at = [": write", ": did you", "; or a law"].iter().find_map(|mark| message.find(mark));
                let (what, remedy) = match at {
                    Some(at) => (&message[..at], message[at + 2..].to_owned()),
                    None => (message.as_str(), "see `anthill schema` for what may stand here".to_owned()),
                };
                (problem(what.to_owned()).remedy(remedy), None)
            }
        }
    }
}

/// What a message says of a whole number that the type of the key has no room for.
fn out_of_range(message: &str) -> Option<Complaint> {
    let (what, expected) = message.split_once(", expected ")?;
    let (_, found) = what.split_once(": integer `")?;
    let digits = found.strip_suffix(" as i128").or(found.strip_suffix(" as u128")).unwrap_or(found);
    let number: i128 = digits.strip_suffix('`')?.parse().ok()?;
    let (least, most) = match expected {
        "u8" => (0, i128::from(u8::MAX)),
        "u16" => (0, i128::from(u16::MAX)),
        "u32" => (0, i128::from(u32::MAX)),
        "u64" | "usize" => (0, i128::from(u64::MAX)),
        "i8" => (i128::from(i8::MIN), i128::from(i8::MAX)),
        "i16" => (i128::from(i16::MIN), i128::from(i16::MAX)),
        "i32" => (i128::from(i32::MIN), i128::from(i32::MAX)),
        "i64" => (i128::from(i64::MIN), i128::from(i64::MAX)),
        _ => return None,
    };
    let (how, other) = match number {
        _ if number > most => ("large", "smaller"),
        _ if number < least && least < 0 => ("small", "larger"),
        _ => return None,
    };
    let message = format!("the number {number} is too {how} to stand here");
    Some(Complaint::WrongValue { message, expected: Some(format!("a {other} number")) })
}

/// Rust's names of types, as people say them.
fn in_words(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        _ if expected.starts_with("struct ") => "a table".to_owned(),
        _ if expected.starts_with("tuple variant") || expected.starts_with("tuple of") => "a list".to_owned(),
        _ => expected.to_owned(),
    }
}

/// What to write instead of something unknown.
pub(super) fn suggestion(meant: Option<&str>, known: &[String], what: &str) -> String {
    match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "delete it".to_owned(),
        None => format!("{what}: {}", known.join(", ")),
    }
}
