//! Whom a fault is to strike, as scenario files write it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Whom a fault is to strike: `"authority"`, `"any"`, `"agent:3"`, `"agents:0.1"` or `"relay:0"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TargetSpec {
    /// Whoever decides under the pattern; a random agent where nobody does.
    Authority,
    /// A random node, relays included; a random agent for what only agents suffer.
    Any,
    /// One agent, by position.
    Agent(u32),
    /// A random share of the agents, at once.
    Agents(f64),
    /// One relay, by position.
    Relay(u32),
}

const FORMS: &str = "write \"authority\", \"any\", \"agent:3\", \"agents:0.1\" or \"relay:0\"";

impl fmt::Display for TargetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetSpec::Authority => f.write_str("authority"),
            TargetSpec::Any => f.write_str("any"),
            TargetSpec::Agent(index) => write!(f, "agent:{index}"),
            TargetSpec::Agents(share) => write!(f, "agents:{share}"),
            TargetSpec::Relay(index) => write!(f, "relay:{index}"),
        }
    }
}

impl FromStr for TargetSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<TargetSpec, String> {
        let parsed = match text.split_once(':') {
            None if text == "authority" => Some(TargetSpec::Authority),
            None if text == "any" => Some(TargetSpec::Any),
            Some(("agent", index)) => index.parse().ok().map(TargetSpec::Agent),
            Some(("agents", share)) => share.parse().ok().map(TargetSpec::Agents),
            Some(("relay", index)) => index.parse().ok().map(TargetSpec::Relay),
            None | Some(_) => None,
        };
        parsed.ok_or_else(|| format!("`{text}` is not a target: {FORMS}"))
    }
}

impl Serialize for TargetSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TargetSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TargetSpec, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = TargetSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a target such as \"authority\" or \"agent:3\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<TargetSpec, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

impl schemars::JsonSchema for TargetSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Target".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "whom a fault is to strike",
            "examples": ["authority", "any", "agent:3", "agents:0.1", "relay:0"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_they_are_printed() {
        for text in ["authority", "any", "agent:3", "agents:0.25", "relay:0"] {
            assert_eq!(text.parse::<TargetSpec>().map(|target| target.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "agent", "agent:", "agent:-1", "agents:x", "relay:1.5", "authority:1", "Any"] {
            assert!(text.parse::<TargetSpec>().is_err(), "{text}");
        }
    }
}
