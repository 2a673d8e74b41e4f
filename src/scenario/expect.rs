//! The tables `[[expect]]` and `[[variant]]`: what must come out, and the same question with other numbers.
//!
//! An expectation names a measured quantity and one claim about it. The claim is judged on the 95 % interval
//! over replications, by [`experiment::judge`](crate::experiment::judge): pass, fail, or unknown where the
//! interval is too wide to tell.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::engine::Span;

/// One expectation: a quantity (`metric` with `pattern`, `class`, `at`, `versus`, `statistic`) and a claim
/// (`value` with `tolerance` or `within`, or `min` and `max`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectSpec {
    /// What reports call it. Default: made of the keys below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is measured: a metric (see `anthill explain`), or one of the trial's. Required.
    pub metric: String,
    /// Under which pattern. Default: the only one of `run.patterns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Of which class of tasks. Default: of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The instant at which tasks are counted; only with metric = "tasks_present".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Span>,
    /// Another pattern: the quantity is metric(pattern) − metric(versus) on the same replications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versus: Option<String>,
    /// With `versus`: the geometric mean of metric(pattern) ÷ metric(versus) in place of the difference.
    /// Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ratio: bool,
    /// What is taken of the replications: "mean" (Student t) or "variance" (χ², so their values must be
    /// about normal). Default "mean".
    #[serde(default, skip_serializing_if = "Statistic::is_mean")]
    pub statistic: Statistic,
    /// The reference value \[the metric's unit\].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// With `value`: the reference must lie in the 95 % interval, and the half-width must be at most this:
    /// a number, or a part of the value such as "2%".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Amount>,
    /// Half-width of the reference itself, where it was simulated or measured: the two are combined as
    /// √(h² + r²). Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_half_width: Option<f64>,
    /// With `value`, instead of `tolerance`: the whole interval must lie this near to it. For approximate
    /// references, and for results that are exact, where it may be 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Amount>,
    /// The whole interval must lie at or above this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The whole interval must lie at or below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// With `min` or `max`: replicate until the half-width is at most this: a number, or a part of the
    /// estimate such as "5%". Default: `run.replications` are enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_width: Option<Amount>,
}

/// The same case with other numbers and expectations of its own. Only `anthill validate` runs all variants;
/// `anthill compare --variant NAME` runs one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantSpec {
    /// Its name, unique in the file. Required.
    pub name: String,
    /// What is changed, as by `--set`: "key=value". Default: nothing.
    #[serde(default)]
    pub set: Vec<String>,
    /// What must come out of it. Those of the file do not apply.
    #[serde(default)]
    pub expect: Vec<ExpectSpec>,
}

/// What a file says about itself as a case of `anthill validate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CaseSpec {
    /// Where the reference values come from: the work cited, or how they were derived.
    pub source: String,
    /// Which part of anthill it puts to the test.
    pub validates: String,
    /// Whether it belongs to the quick subset, which `cargo test` runs. Default false.
    pub quick: bool,
}

/// What is taken of the values of a metric over replications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Their mean, with a Student-t interval.
    #[default]
    Mean,
    /// Their variance, with a χ² interval.
    Variance,
}

impl Statistic {
    fn is_mean(&self) -> bool {
        *self == Statistic::Mean
    }
}

/// A number in the metric's unit, or a part of another: `0.04` or `"2%"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// In the metric's unit.
    Absolute(f64),
    /// Of the value it belongs to, as a share: 0.02 is written "2%".
    Share(f64),
}

impl Amount {
    /// The amount beside `value`.
    pub fn beside(self, value: f64) -> f64 {
        match self {
            Amount::Absolute(amount) => amount,
            Amount::Share(share) => share * value.abs(),
        }
    }

    /// The number as it is written: per cent for a share.
    pub(super) fn written(self) -> f64 {
        match self {
            Amount::Absolute(amount) => amount,
            Amount::Share(share) => 100.0 * share,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Absolute(amount) => write!(f, "{amount}"),
            // Rounded, because 100 × 0.07 is not 7.
            Amount::Share(share) => write!(f, "{}%", (1e8 * share).round() / 1e6),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Amount::Absolute(amount) => serializer.serialize_f64(*amount),
            Amount::Share(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a part such as \"2%\"")
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Amount, E> {
                Ok(Amount::Absolute(value))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Amount, E> {
                Ok(Amount::Absolute(value as f64))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Amount, E> {
                Ok(Amount::Absolute(value as f64))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                let number = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
                let share = number.map(|percent| Amount::Share(percent / 100.0));
                share.ok_or_else(|| E::custom(format!("`{text}` is not a part: write a number, or \"2%\"")))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "a number in the metric's unit, or a part such as \"2%\"",
            "anyOf": [
                { "type": "number", "exclusiveMinimum": 0 },
                { "type": "string", "pattern": "^[0-9.]+ *%$" },
            ],
        })
    }
}

/// An expectation that was found valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// What reports call it.
    pub label: String,
    /// The metric's name.
    pub metric: String,
    /// The metric's unit.
    pub unit: &'static str,
    /// The pattern; `None` for a trial.
    pub pattern: Option<String>,
    /// The class of tasks; `None` for all.
    pub class: Option<String>,
    /// Where the tasks present at an instant are counted: which of [`Setup::probes`](crate::sim::Setup).
    pub probe: Option<(Span, usize)>,
    /// The other pattern, and whether it is a ratio.
    pub versus: Option<(String, bool)>,
    /// What is taken of the replications.
    pub statistic: Statistic,
    /// What is claimed.
    pub claim: Claim,
}

/// What is claimed of a quantity, in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Claim {
    /// The reference lies in the interval, whose half-width is within the tolerance.
    Equal {
        /// The reference.
        value: f64,
        /// The largest half-width.
        tolerance: f64,
        /// Half-width of the reference itself; 0 if it is exact.
        reference_half_width: f64,
    },
    /// The whole interval lies in value ± by.
    Within {
        /// The reference.
        value: f64,
        /// How far the interval may reach from it.
        by: f64,
    },
    /// The whole interval lies between the bounds.
    Bounds {
        /// At least this.
        min: Option<f64>,
        /// At most this.
        max: Option<f64>,
        /// The half-width asked for.
        half_width: Option<Amount>,
    },
}

impl Claim {
    /// The reference, where there is one.
    pub fn reference(&self) -> Option<f64> {
        match *self {
            Claim::Equal { value, .. } | Claim::Within { value, .. } => Some(value),
            Claim::Bounds { .. } => None,
        }
    }
}

impl Expectation {
    /// The patterns that must run for it.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        let versus = self.versus.as_ref().map(|(name, _)| name.as_str());
        self.pattern.as_deref().into_iter().chain(versus)
    }
}
