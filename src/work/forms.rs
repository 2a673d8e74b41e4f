//! Shapes in which scenario files write what the code wants in one shape.
//!
//! Both are read by visitors and not by untagged enums, so that an error still names the key it is
//! about.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Reads one table, or a list of tables, as a list.
///
/// # Errors
/// Those of the entries.
pub(crate) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct OneOrMany<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> de::Visitor<'de> for OneOrMany<T> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table, or a list of tables")
        }
        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
            Ok(vec![T::deserialize(MapAccessDeserializer::new(map))?])
        }
        fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Vec<T>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(seq))
        }
    }
    deserializer.deserialize_any(OneOrMany(PhantomData))
}

/// Shares of named things: `["eu", "us"]` (equal shares) or `{ eu = 3, us = 1 }`. Empty: whatever the
/// key's documentation says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shares(pub Vec<(String, f64)>);

impl Shares {
    /// The names, in the order written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl Serialize for Shares {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut names: Vec<&str> = self.names().collect();
        let equal = self.0.iter().all(|(_, share)| *share == 1.0);
        names.sort_unstable();
        names.dedup();
        // A table cannot name a thing twice, a list can; a list cannot weigh them.
        if equal || names.len() < self.0.len() {
            return serializer.collect_seq(self.names());
        }
        serializer.collect_map(self.0.iter().map(|(name, share)| (name, share)))
    }
}

impl<'de> Deserialize<'de> for Shares {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shares, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Shares;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names such as [\"eu\", \"us\"], or names with shares such as { eu = 3, us = 1 }")
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Shares, A::Error> {
                let mut shares = Vec::new();
                while let Some(name) = seq.next_element::<String>()? {
                    shares.push((name, 1.0));
                }
                Ok(Shares(shares))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Shares, A::Error> {
                let mut shares = Vec::new();
                while let Some(entry) = map.next_entry::<String, f64>()? {
                    shares.push(entry);
                }
                Ok(Shares(shares))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl schemars::JsonSchema for Shares {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Shares".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "names in equal shares, or a table of names and shares",
            "anyOf": [
                { "type": "array", "items": { "type": "string" } },
                { "type": "object", "additionalProperties": { "type": "number", "exclusiveMinimum": 0 } },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, Serialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        x: u32,
    }
    #[derive(Debug, Deserialize, Serialize, PartialEq)]
    struct File {
        #[serde(default, deserialize_with = "one_or_many")]
        inner: Vec<Inner>,
        #[serde(default)]
        shares: Shares,
    }

    #[test]
    fn one_table_is_a_list_of_one() {
        let one: File = toml::from_str("[inner]\nx = 1").expect("one");
        let many: File = toml::from_str("[[inner]]\nx = 1\n[[inner]]\nx = 2").expect("many");
        assert_eq!((one.inner.len(), many.inner[1].x), (1, 2));
        let error = toml::from_str::<File>("[inner]\ny = 1").expect_err("unknown");
        assert_eq!(error.span(), Some(8..9), "{error}");
    }

    #[test]
    fn shares_are_written_as_they_are_read() {
        for text in ["shares = [\"b\", \"a\"]", "[shares]\na = 3.0\nb = 1.0"] {
            let file: File = toml::from_str(text).expect(text);
            let written = toml::to_string(&file).expect(text);
            assert_eq!(toml::from_str::<File>(&written).expect(&written), file);
        }
    }
}
