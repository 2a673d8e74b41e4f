//! `--set key=value`: a change to a scenario from the command line, applied before anything is judged.
//!
//! The key is dotted, with positions in lists (`agents.0.count`); the position may be left out where
//! there is one table only. The value is TOML if it reads as TOML, else a string, so that durations need
//! no quotes. What is wrong with it later is reported as standing in `--set`.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{Document, Path, SetText, Table, Value, dotted, parts};
use crate::error::{Problem, Problems};

impl<'t> Document<'t> {
    /// Applies one `key=value`.
    ///
    /// # Errors
    /// If the text has no `=`, or the key leads through something that is no table.
    pub(super) fn set(&mut self, set: &'t SetText) -> Result<(), Problems> {
        let text = set.text.as_str();
        let name = set.name.clone();
        let wrong = |message: String, remedy: &str| {
            Problems::from(Problem::new(message).file(name.clone()).remedy(remedy))
        };
        let Some((key, _)) = text.split_once('=') else {
            return Err(wrong(
                "there is no `=`".to_owned(),
                "write --set key=value, such as --set run.horizon=10min",
            ));
        };
        let path = parts(key.trim());
        if path.is_empty() || path.iter().any(|part| part.trim().is_empty()) {
            return Err(wrong(
                format!("`{key}` is not a key"),
                "write dotted names without empty parts, such as run.horizon",
            ));
        }
        let base = self.add_piece(name.clone(), text);
        let value = parse_value(set, key.len(), base);
        let (key, place) = (dotted(&path), base..base + key.len());
        insert(&mut self.root, &path, &[], (value, place)).map_err(|message| {
            wrong(message, "set a key that is there, or the whole value above it")
                .map(|problem| problem.key(key.clone()))
        })
    }
}

/// What follows the `=` at `equals` as a TOML value, or as a string. `base` is the offset of the text.
fn parse_value(set: &SetText, equals: usize, base: usize) -> Value<'_> {
    let parsed = DeTable::parse(&set.padded).ok().and_then(|table| {
        let mut values = table.into_inner().into_iter();
        // A text with line breaks could smuggle in more keys.
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    });
    let text = set.text.as_str();
    match parsed {
        Some(value) => relocated(value, &|place| place.start + base..place.end + base),
        None => {
            let value = text[equals + 1..].trim();
            Spanned::new(base + equals + 1..base + text.len(), DeValue::String(value.into()))
        }
    }
}

/// `value` and everything in it, with other places.
pub(super) fn relocated<'t>(value: Value<'t>, to: &impl Fn(Range<usize>) -> Range<usize>) -> Value<'t> {
    let place = to(value.span());
    let value = match value.into_inner() {
        DeValue::Table(table) => {
            let entry = |(key, value): (Spanned<_>, Value<'t>)| {
                (Spanned::new(to(key.span()), key.into_inner()), relocated(value, to))
            };
            DeValue::Table(table.into_iter().map(entry).collect())
        }
        DeValue::Array(array) => {
            DeValue::Array(array.into_iter().map(|value| relocated(value, to)).collect())
        }
        leaf @ (DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)) => leaf,
    };
    Spanned::new(place, value)
}

/// Puts `value` at `path` below the table at `above`, making tables on the way.
fn insert<'t>(
    table: &mut Table<'t>,
    path: &[String],
    above: &[String],
    value: (Value<'t>, Range<usize>),
) -> Result<(), String> {
    let (first, rest) = path.split_first().expect("a key has parts");
    let known = table.keys().find(|key| key.get_ref() == first).cloned();
    let key = known.unwrap_or_else(|| Spanned::new(value.1.clone(), first.clone().into()));
    if rest.is_empty() {
        table.insert(key, value.0);
        return Ok(());
    }
    let empty = || Spanned::new(value.1.clone(), DeValue::Table(Table::new()));
    let below = table.entry(key).or_insert_with(empty);
    insert_below(below, rest, &[above, std::slice::from_ref(first)].concat(), value)
}

fn insert_below<'t>(
    below: &mut Value<'t>,
    path: &[String],
    above: &[String],
    value: (Value<'t>, Range<usize>),
) -> Result<(), String> {
    match below.get_mut() {
        // One table may stand for a list of one.
        DeValue::Table(table) => match path {
            [zero, rest @ ..] if zero == "0" && !rest.is_empty() => insert(table, rest, above, value),
            _ => insert(table, path, above, value),
        },
        DeValue::Array(array) => {
            let count = array.len();
            let (index, rest) = match (path[0].parse::<usize>(), count) {
                (Ok(index), _) if index < count => (index, &path[1..]),
                (Ok(index), _) => {
                    return Err(format!(
                        "`{}` has {count} entries: there is no number {index}",
                        dotted(above)
                    ));
                }
                (Err(_), 1) => (0, path),
                (Err(_), _) => {
                    return Err(format!(
                        "`{0}` has {count} entries: say which, as in `{0}.0.{1}`",
                        dotted(above),
                        dotted(path)
                    ));
                }
            };
            let Some(entry) = array.get_mut(index) else { return Ok(()) };
            if rest.is_empty() {
                *entry = value.0;
                return Ok(());
            }
            let above: Path = [above, &[index.to_string()]].concat();
            insert_below(entry, rest, &above, value)
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => Err(format!("`{}` is not a table", dotted(above))),
    }
}
