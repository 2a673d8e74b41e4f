//! `anthill patterns`: the registry, for people.

use std::fmt::Write;

use clap::Args;

use super::{pattern, talk};
use crate::error::Error;
use crate::pattern::PATTERNS;
use crate::sim::{CLIENT_KINDS, Kind, PatternDef};

#[derive(Debug, Args)]
pub(super) struct PatternsArgs {
    /// Describe this pattern: parameters, units, defaults, messages
    name: Option<String>,
}

pub(super) fn patterns(args: &PatternsArgs) -> Result<u8, Error> {
    let mut text = String::new();
    match &args.name {
        None => {
            for def in PATTERNS {
                let _ = writeln!(text, "{:<14} {}", def.name, def.about);
                let _ = writeln!(text, "{:<14} {}", "", gives_up(def));
            }
        }
        Some(name) => describe(&pattern(name, None)?, &mut text),
    }
    talk::out(&text)?;
    Ok(0)
}

fn gives_up(def: &PatternDef) -> String {
    if def.gives_up.is_empty() {
        return "gives up no promise".to_owned();
    }
    let names: Vec<&str> = def.gives_up.iter().map(|promise| promise.name()).collect();
    format!("gives up: {}", names.join(", "))
}

fn describe(def: &PatternDef, text: &mut String) {
    let _ = writeln!(text, "{}: {}", def.name, def.about);
    let promises =
        if def.gives_up.is_empty() { "It gives up no promise." } else { "It does not promise that" };
    let _ = writeln!(text, "{promises}");
    for promise in def.gives_up {
        let _ = writeln!(text, "  {:<16} {}", promise.name(), promise.about());
    }
    text.push('\n');
    let schema = (def.schema)();
    let defaults = (def.defaults)();
    let properties = schema.get("properties").and_then(|value| value.as_object());
    match properties {
        Some(properties) if !properties.is_empty() => {
            let _ = writeln!(text, "[pattern.{}]", def.name);
            for (key, property) in properties {
                let about = property.get("description").and_then(|value| value.as_str()).unwrap_or_default();
                // Documentation escapes brackets, which would be links there.
                let about = about.replace("\\[", "[").replace("\\]", "]");
                for line in wrap(&about, 96) {
                    let _ = writeln!(text, "# {line}");
                }
                match defaults.get(key) {
                    Some(value) if !value.is_null() => {
                        let _ = writeln!(text, "{key} = {}", toml_value(value));
                    }
                    _ => {
                        let _ = writeln!(text, "# {key} =");
                    }
                }
            }
        }
        _ => {
            let _ = writeln!(text, "It has no parameters.");
        }
    }
    // What reaches an oracle costs nothing, whatever a scenario says.
    let clients: &[Kind] = if def.oracle { &[] } else { &CLIENT_KINDS };
    if !clients.is_empty() || !def.kinds.is_empty() {
        let _ = writeln!(text, "\nMessages and thoughts, as named in [costs.kinds]:");
        for kind in clients.iter().chain(def.kinds) {
            let plane = format!("{:?}", kind.plane).to_lowercase();
            let _ =
                writeln!(text, "  {:<18} {:<16} {:<10} {}", kind.name, kind.phase.name(), plane, kind.about);
        }
    }
}

fn toml_value(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(map) => {
            let fields: Vec<String> =
                map.iter().map(|(key, value)| format!("{key} = {}", toml_value(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.len() + word.len() >= width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
