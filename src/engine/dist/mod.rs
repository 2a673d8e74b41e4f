//! Laws to draw durations from, as scenario files write them.
//!
//! A [`Dist`] is what the user wrote: `"2s"`, or `{ exponential = { mean = "2s" } }`. A [`Law`] is the
//! same with its derived parameters worked out once; whoever draws more than a few times asks for it
//! with [`Dist::law`] and keeps it.
//!
//! Draws are made on `libm`, whose version is pinned, and on a logarithm of our own (`ln.rs`), so that a
//! seed means the same on every platform and in every build. They are made by inversion wherever the
//! inverse is cheap: a draw then rises with its uniform number, which is what lets common random numbers
//! correlate two laws and antithetic numbers anticorrelate two draws (Law and Kelton, "Simulation Modeling
//! and Analysis", ch. 11).

mod empirical;
mod law;
mod ln;
mod resolve;
mod special;
#[cfg(test)]
mod tests;

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use law::Law;
pub use resolve::DistError;
pub use special::{normal_cdf, normal_quantile, standard_normal};

use super::rng::Rng;
use super::time::Span;

/// A law of durations, as scenario files write it. A plain duration such as `"2s"` is short for
/// `{ constant = "2s" }`.
///
/// What is read may still be nonsense (a minimum above the maximum): [`Dist::validate`] says so. The
/// methods that use a law panic on nonsense.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(transform = accept_plain_durations)]
pub enum Dist {
    /// Always the same.
    Constant(Span),
    /// Anything between two bounds, equally likely.
    Uniform {
        /// Lower bound.
        low: Span,
        /// Upper bound, above `low`.
        high: Span,
    },
    /// Between two bounds, with a peak.
    Triangular {
        /// Lower bound.
        low: Span,
        /// The most likely value, between the bounds.
        mode: Span,
        /// Upper bound, above `low`.
        high: Span,
    },
    /// Memoryless: squared coefficient of variation 1.
    Exponential {
        /// Mean, above zero.
        mean: Span,
    },
    /// A sum of equal exponential stages: squared coefficient of variation 1 ÷ stages.
    Erlang {
        /// Number of stages, 1 to 1,000.
        stages: u32,
        /// Mean of the sum, above zero.
        mean: Span,
    },
    /// The gamma law: squared coefficient of variation 1 ÷ shape.
    Gamma {
        /// Shape, above zero.
        shape: f64,
        /// Mean, above zero.
        mean: Span,
    },
    /// A number whose logarithm is normal. Needs exactly one of `median` and `mean`.
    Lognormal {
        /// Median, above zero: exp(μ).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        median: Option<Span>,
        /// Mean, above zero: exp(μ + σ²/2).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mean: Option<Span>,
        /// Standard deviation σ of the natural logarithm, zero or more.
        sigma: f64,
    },
    /// The Weibull law; shapes below 1 have a falling hazard. Needs exactly one of `scale` and `mean`.
    Weibull {
        /// Shape, above zero.
        shape: f64,
        /// Scale, above zero: the 63.2 % quantile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scale: Option<Span>,
        /// Mean, above zero.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mean: Option<Span>,
    },
    /// The Pareto law, P(X > x) = (scale ÷ x)^shape: no mean for shapes up to 1, no variance up to 2,
    /// unless it is cut off at `upper`.
    Pareto {
        /// Tail index, above zero.
        shape: f64,
        /// The least value, above zero.
        scale: Span,
        /// The greatest value, above `scale`: the law given that it is not exceeded (bounded Pareto).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upper: Option<Span>,
    },
    /// Two exponential laws mixed (H₂), from the mean and the squared coefficient of variation.
    Hyperexponential {
        /// Mean, above zero.
        mean: Span,
        /// Squared coefficient of variation, 1 or more.
        scv: f64,
        /// What fixes the third parameter.
        #[serde(default)]
        normalisation: Normalisation,
    },
    /// Exponential laws mixed, explicitly: the general hyperexponential law.
    Mixture {
        /// How likely each law is, relative to the others.
        weights: Vec<f64>,
        /// The mean of each law, above zero; as many as weights.
        means: Vec<Span>,
    },
    /// Measured quantiles, joined by straight lines.
    Empirical {
        /// Pairs of a probability and the value not exceeded with it, in rising order, from 0 to 1.
        #[serde(deserialize_with = "pairs")]
        quantiles: Vec<(f64, Span)>,
    },
    /// Measured values, equally likely.
    EmpiricalValues(Vec<Span>),
}

/// Reads pairs, and refuses whatever has a third element: readers of tuples pass over it in silence.
fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(f64, Span)>, D::Error> {
    struct Pair(f64, Span);
    impl<'de> Deserialize<'de> for Pair {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pair, D::Error> {
            struct Visitor;
            impl<'de> de::Visitor<'de> for Visitor {
                type Value = Pair;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a pair such as [0.5, \"1s\"]")
                }
                fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Pair, A::Error> {
                    let no_pair =
                        || de::Error::custom("this is no pair: write two values such as [0.5, \"1s\"]");
                    let p = seq.next_element()?.ok_or_else(no_pair)?;
                    let value = seq.next_element()?.ok_or_else(no_pair)?;
                    match seq.next_element::<de::IgnoredAny>()? {
                        None => Ok(Pair(p, value)),
                        Some(_) => Err(no_pair()),
                    }
                }
            }
            deserializer.deserialize_seq(Visitor)
        }
    }
    let pairs: Vec<Pair> = Deserialize::deserialize(deserializer)?;
    Ok(pairs.into_iter().map(|Pair(p, value)| (p, value)).collect())
}

/// What fixes the third parameter of a hyperexponential law. The choice matters: two H₂ laws with the
/// same mean and variance give different waiting times in M/G/c.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// Balanced means: both laws contribute half of the mean.
    #[default]
    Balanced,
    /// Gamma normalisation: the third moment is that of the gamma law with the same mean and squared
    /// coefficient of variation (Tijms, "Stochastic Models", 1994, appendix B).
    Gamma,
}

impl Dist {
    /// The exponential law.
    pub const fn exponential(mean: Span) -> Dist {
        Dist::Exponential { mean }
    }

    /// Works out the derived parameters.
    ///
    /// # Errors
    /// If a parameter is out of its range, or one too many or too few is given.
    pub fn law(&self) -> Result<Law, DistError> {
        resolve::resolve(self)
    }

    /// Whether the parameters make a law.
    ///
    /// # Errors
    /// As [`Dist::law`].
    pub fn validate(&self) -> Result<(), DistError> {
        self.law().map(drop)
    }

    /// One draw \[s\]. Works the law out each time: keep the [`Law`] where this is called often.
    ///
    /// # Panics
    /// If [`Dist::validate`] fails; so do the other methods below.
    pub fn sample(&self, rng: &mut Rng) -> f64 {
        self.valid().sample(rng)
    }
    /// One draw; see [`Law::sample_span`].
    pub fn sample_span(&self, rng: &mut Rng) -> Span {
        self.valid().sample_span(rng)
    }
    /// The mean \[s\]; infinite where the integral diverges.
    pub fn mean(&self) -> f64 {
        self.valid().mean()
    }
    /// The variance \[s²\]; infinite where the integral diverges.
    pub fn variance(&self) -> f64 {
        self.valid().variance()
    }
    /// The squared coefficient of variation; see [`Law::scv`].
    pub fn scv(&self) -> f64 {
        self.valid().scv()
    }
    /// P(X ≤ `x`), `x` in seconds.
    pub fn cdf(&self, x: f64) -> f64 {
        self.valid().cdf(x)
    }
    /// The least value \[s\] whose [`Dist::cdf`] reaches `p`; see [`Law::quantile`].
    pub fn quantile(&self, p: f64) -> f64 {
        self.valid().quantile(p)
    }

    fn valid(&self) -> Law {
        match self.law() {
            Ok(law) => law,
            Err(error) => panic!("a law was used without being validated: {error}"),
        }
    }
}

impl From<Span> for Dist {
    fn from(value: Span) -> Dist {
        Dist::Constant(value)
    }
}

impl Serialize for Dist {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Dist::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Dist {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Dist, D::Error> {
        deserializer.deserialize_any(DistVisitor)
    }
}

/// What a law looks like, for error messages.
const EXAMPLE: &str = "a law such as { exponential = { mean = \"2s\" } }";

/// Reads a string as a constant and a table as the derived, externally tagged enum: with an untagged
/// enum, errors could not name the key they are about.
struct DistVisitor;

impl<'de> de::Visitor<'de> for DistVisitor {
    type Value = Dist;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a duration such as \"250ms\", or {EXAMPLE}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Dist, E> {
        text.parse().map(Dist::Constant).map_err(|error| E::custom(format!("{error}; or {EXAMPLE}")))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Dist, A::Error> {
        if map.size_hint() == Some(0) {
            return Err(de::Error::custom(format!(
                "a law is missing: write a duration such as \"2s\", or {EXAMPLE}"
            )));
        }
        let dist = Dist::deserialize(MapAccessDeserializer::new(&mut map))?;
        match map.next_key::<String>()? {
            None => Ok(dist),
            Some(second) => Err(de::Error::custom(format!(
                "a law has one name, but `{second}` follows: did you mean it to stand inside the braces?"
            ))),
        }
    }
}

/// Adds the shorthand to the derived schema.
fn accept_plain_durations(schema: &mut schemars::Schema) {
    if let Some(serde_json::Value::Array(laws)) = schema.get_mut("oneOf") {
        let plain = serde_json::json!({
            "type": "string",
            "description": "a duration such as \"250ms\": always the same",
        });
        laws.insert(0, plain);
    }
}

#[cfg(test)]
mod reading {
    use super::tests::{LAWS, read, stream};
    use super::*;

    #[derive(Debug, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct File {
        pub(super) law: Dist,
    }

    #[test]
    fn laws_are_written_as_they_are_read() {
        for text in LAWS.into_iter().chain([r#"{ empirical_values = ["1s", "2s"] }"#]) {
            let file = File { law: read(text) };
            let toml = toml::to_string(&file).expect(text);
            assert_eq!(toml::from_str::<File>(&toml).expect(&toml).law, file.law);
            let json = serde_json::to_string(&file).expect(text);
            assert_eq!(serde_json::from_str::<File>(&json).expect(&json).law, file.law);
        }
        assert_eq!(read(r#"{ constant = "2s" }"#), Dist::from(Span::from_secs(2)));
    }

    /// Each error says what is wrong, and points at the key or the value it is about.
    #[test]
    fn errors_point_at_the_wrong_key() {
        let cases = [
            (
                r#"{ expnential = { mean = "2s" } }"#,
                "unknown variant `expnential`, expected one of",
                "expnential",
            ),
            (r#"{ exponential = { maen = "2s" } }"#, "unknown field `maen`, expected `mean`", "maen"),
            (r#"{ exponential = { mean = "2" } }"#, "`2` is not a duration", "\"2\""),
            (r#"{ exponential = { mean = 2 } }"#, "expected a duration such as \"250ms\"", "2"),
            (r#"{ exponential = {} }"#, "missing field `mean`", "{}"),
            (r#"{ constant = "1 fortnight" }"#, "`1 fortnight` is not a duration", "\"1 fortnight\""),
            (r#"{ uniform = { low = "1s", high = "2s", width = "1s" } }"#, "unknown field `width`", "width"),
            (r#"{ constant = "1s", uniform = { low = "1s", high = "2s" } }"#, "but `uniform` follows", ""),
            (r#"{ exponential = { mean = "1s" }, scale = "2s" }"#, "but `scale` follows", ""),
            (r#""exponential""#, "or a law such as { exponential = { mean = \"2s\" } }", "\"exponential\""),
            (r#"2.5"#, "expected a duration such as \"250ms\", or a law", "2.5"),
            (r#"{}"#, "a law is missing", ""),
            (
                r#"{ hyperexponential = { mean = "1s", scv = 2, normalisation = "tijms" } }"#,
                "expected `balanced` or `gamma`",
                "\"tijms\"",
            ),
        ];
        for (text, message, place) in cases {
            let document = format!("law = {text}");
            let error = toml::from_str::<File>(&document).expect_err(text);
            assert!(error.message().contains(message), "{text}: {}", error.message());
            let span = error.span().expect("errors know their place");
            assert!(place.is_empty() || &document[span.clone()] == place, "{text}: {:?}", &document[span]);
        }
    }

    #[test]
    fn the_schema_knows_the_shorthand_and_every_law() {
        let schema = serde_json::to_value(schemars::schema_for!(Dist)).unwrap();
        let laws = schema["oneOf"].as_array().unwrap();
        assert_eq!(laws[0]["type"], "string");
        let named = |name: &str| laws.iter().any(|law| law["properties"].get(name).is_some());
        for text in &LAWS[1..] {
            let name = text.trim_start_matches("{ ").split(' ').next().unwrap();
            assert!(named(name), "{name} is not in {schema}");
        }
        assert!(named("constant") && named("empirical_values") && !named("expnential"));
    }

    #[test]
    #[should_panic(expected = "a law was used without being validated: `exponential.mean`")]
    fn an_invalid_law_cannot_be_drawn_from() {
        Dist::exponential(Span::ZERO).sample(&mut stream(0));
    }
}
