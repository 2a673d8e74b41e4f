//! Laws of plain numbers (speeds, tokens, counts), as scenario files write them.
//!
//! A [`NumberDist`] is to numbers what [`Dist`] is to durations, and is drawn from by the same
//! [`Law`], with one second standing for 1: the samplers exist once. Values are therefore kept to nine
//! decimal places, between 0 and 10⁹.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::engine::{Dist, DistError, Law, Span};

/// A law of numbers that are not negative. A plain number such as `1.5` is short for
/// `{ constant = 1.5 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(transform = accept_plain_numbers)]
pub enum NumberDist {
    /// Always the same.
    Constant(f64),
    /// Anything between two bounds, equally likely.
    Uniform {
        /// Lower bound.
        low: f64,
        /// Upper bound, above `low`.
        high: f64,
    },
    /// Between two bounds, with a peak.
    Triangular {
        /// Lower bound.
        low: f64,
        /// The most likely value, between the bounds.
        mode: f64,
        /// Upper bound, above `low`.
        high: f64,
    },
    /// Memoryless: squared coefficient of variation 1.
    Exponential {
        /// Mean, above zero.
        mean: f64,
    },
    /// The gamma law: squared coefficient of variation 1 ÷ shape.
    Gamma {
        /// Shape, above zero.
        shape: f64,
        /// Mean, above zero.
        mean: f64,
    },
    /// A number whose logarithm is normal. Needs exactly one of `median` and `mean`.
    Lognormal {
        /// Median, above zero: exp(μ).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        median: Option<f64>,
        /// Mean, above zero: exp(μ + σ²/2).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mean: Option<f64>,
        /// Standard deviation σ of the natural logarithm, zero or more.
        sigma: f64,
    },
    /// The Weibull law. Needs exactly one of `scale` and `mean`.
    Weibull {
        /// Shape, above zero.
        shape: f64,
        /// Scale, above zero: the 63.2 % quantile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scale: Option<f64>,
        /// Mean, above zero.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mean: Option<f64>,
    },
    /// The Pareto law, P(X > x) = (scale ÷ x)^shape.
    Pareto {
        /// Tail index, above zero.
        shape: f64,
        /// The least value, above zero.
        scale: f64,
        /// The greatest value, above `scale`: the law given that it is not exceeded (bounded Pareto).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upper: Option<f64>,
    },
    /// Whole numbers from 1, each 1 − 1 ÷ mean times as likely as the one before it: sizes of groups.
    Geometric {
        /// Mean, 1 or more.
        mean: f64,
    },
    /// Measured quantiles, joined by straight lines.
    Empirical {
        /// Pairs of a probability and the value not exceeded with it, in rising order, from 0 to 1.
        quantiles: Vec<(f64, f64)>,
    },
    /// Measured values, equally likely.
    EmpiricalValues(Vec<f64>),
}

/// The greatest number a law may name: its nanoseconds stay far from the end of the clock.
const GREATEST: f64 = 1e9;

impl NumberDist {
    /// Works out the derived parameters. Draws of the law are numbers, not seconds.
    ///
    /// # Errors
    /// If a parameter is negative, not finite, above 10⁹ or out of its range, or if one too many or too
    /// few is given.
    pub fn law(&self) -> Result<Law, DistError> {
        if let NumberDist::Geometric { mean } = *self
            && mean != 1.0
        {
            above("geometric.mean", 1.0, mean)?;
            span("geometric.mean", mean)?;
            return Ok(Law::geometric(mean));
        }
        self.as_durations()?.law()
    }

    /// Whether the parameters make a law.
    ///
    /// # Errors
    /// As [`NumberDist::law`].
    pub fn validate(&self) -> Result<(), DistError> {
        self.law().map(drop)
    }

    /// The value if every draw is the same.
    pub fn constant(&self) -> Option<f64> {
        self.law().ok().and_then(|law| law.constant())
    }

    /// The same law with one second for 1.
    fn as_durations(&self) -> Result<Dist, DistError> {
        Ok(match self {
            NumberDist::Constant(value) => Dist::Constant(span("constant", *value)?),
            NumberDist::Uniform { low, high } => {
                above("uniform.high", *low, *high)?;
                Dist::Uniform { low: span("uniform.low", *low)?, high: span("uniform.high", *high)? }
            }
            NumberDist::Triangular { low, mode, high } => {
                above("triangular.high", *low, *high)?;
                if !(low..=high).contains(&mode) {
                    return refuse(
                        "triangular.mode",
                        format!("must lie between {low} and {high}, but is {mode}"),
                    );
                }
                Dist::Triangular {
                    low: span("triangular.low", *low)?,
                    mode: span("triangular.mode", *mode)?,
                    high: span("triangular.high", *high)?,
                }
            }
            NumberDist::Exponential { mean } => Dist::Exponential { mean: span("exponential.mean", *mean)? },
            NumberDist::Gamma { shape, mean } => {
                Dist::Gamma { shape: *shape, mean: span("gamma.mean", *mean)? }
            }
            NumberDist::Lognormal { median, mean, sigma } => Dist::Lognormal {
                median: optional("lognormal.median", *median)?,
                mean: optional("lognormal.mean", *mean)?,
                sigma: *sigma,
            },
            NumberDist::Weibull { shape, scale, mean } => Dist::Weibull {
                shape: *shape,
                scale: optional("weibull.scale", *scale)?,
                mean: optional("weibull.mean", *mean)?,
            },
            NumberDist::Pareto { shape, scale, upper } => {
                if let Some(upper) = upper {
                    above("pareto.upper", *scale, *upper)?;
                }
                Dist::Pareto {
                    shape: *shape,
                    scale: span("pareto.scale", *scale)?,
                    upper: optional("pareto.upper", *upper)?,
                }
            }
            // No law of durations, but for the one that is always 1.
            NumberDist::Geometric { mean } => Dist::Constant(span("geometric.mean", *mean)?),
            NumberDist::Empirical { quantiles } => {
                const KEY: &str = "empirical.quantiles";
                if let Some(pair) = quantiles.windows(2).find(|pair| pair[1].1 < pair[0].1) {
                    let ((p, value), (next, below)) = (pair[0], pair[1]);
                    return refuse(KEY, format!("must rise, but [{next}, {below}] follows [{p}, {value}]"));
                }
                let pairs = quantiles.iter().map(|&(p, value)| Ok((p, span(KEY, value)?)));
                Dist::Empirical { quantiles: pairs.collect::<Result<_, _>>()? }
            }
            NumberDist::EmpiricalValues(values) => {
                let spans = values.iter().map(|&value| span("empirical_values", value));
                Dist::EmpiricalValues(spans.collect::<Result<_, _>>()?)
            }
        })
    }
}

impl From<f64> for NumberDist {
    fn from(value: f64) -> NumberDist {
        NumberDist::Constant(value)
    }
}

fn refuse<T>(key: &'static str, message: String) -> Result<T, DistError> {
    Err(DistError { key, message })
}

fn span(key: &'static str, value: f64) -> Result<Span, DistError> {
    if (0.0..=GREATEST).contains(&value) {
        return Ok(Span::from_secs_f64(value));
    }
    refuse(key, format!("must be a number from 0 to 10⁹, not {value}"))
}

fn optional(key: &'static str, value: Option<f64>) -> Result<Option<Span>, DistError> {
    value.map(|value| span(key, value)).transpose()
}

fn above(key: &'static str, low: f64, high: f64) -> Result<(), DistError> {
    // Written so that NaN is refused too.
    if low < high { Ok(()) } else { refuse(key, format!("must be above {low}, but is {high}")) }
}

impl Serialize for NumberDist {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // Written as it is most easily read.
            NumberDist::Constant(value) => serializer.serialize_f64(*value),
            NumberDist::Uniform { .. }
            | NumberDist::Triangular { .. }
            | NumberDist::Exponential { .. }
            | NumberDist::Gamma { .. }
            | NumberDist::Lognormal { .. }
            | NumberDist::Weibull { .. }
            | NumberDist::Pareto { .. }
            | NumberDist::Geometric { .. }
            | NumberDist::Empirical { .. }
            | NumberDist::EmpiricalValues(_) => NumberDist::serialize(self, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for NumberDist {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NumberDist, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

/// What such a law looks like, for error messages.
const EXAMPLE: &str = "a law such as { lognormal = { median = 1.0, sigma = 0.2 } }";

/// Reads a number as a constant and a table as the derived enum, so that errors name their key.
struct NumberVisitor;

impl<'de> de::Visitor<'de> for NumberVisitor {
    type Value = NumberDist;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number such as 1.5, or {EXAMPLE}")
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<NumberDist, E> {
        Ok(NumberDist::Constant(value))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<NumberDist, E> {
        Ok(NumberDist::Constant(value as f64))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<NumberDist, E> {
        Ok(NumberDist::Constant(value as f64))
    }
    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<NumberDist, A::Error> {
        if map.size_hint() == Some(0) {
            return Err(de::Error::custom(format!(
                "a law is missing: write a number such as 1.5, or {EXAMPLE}"
            )));
        }
        let dist = NumberDist::deserialize(MapAccessDeserializer::new(&mut map))?;
        match map.next_key::<String>()? {
            None => Ok(dist),
            Some(second) => Err(de::Error::custom(format!(
                "a law has one name, but `{second}` follows: did you mean it to stand inside the braces?"
            ))),
        }
    }
}

/// Adds the shorthand to the derived schema.
fn accept_plain_numbers(schema: &mut schemars::Schema) {
    if let Some(serde_json::Value::Array(laws)) = schema.get_mut("oneOf") {
        let plain =
            serde_json::json!({ "type": "number", "description": "a number such as 1.5: always the same" });
        laws.insert(0, plain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Rng;

    #[derive(Debug, Deserialize, Serialize)]
    struct File {
        law: NumberDist,
    }

    fn read(text: &str) -> NumberDist {
        toml::from_str::<File>(&format!("law = {text}")).expect(text).law
    }

    #[test]
    fn laws_of_numbers_have_the_moments_they_state() {
        let cases = [
            ("3", 3.0),
            ("2.5", 2.5),
            ("{ uniform = { low = 1, high = 3 } }", 2.0),
            ("{ triangular = { low = 0, mode = 1, high = 5 } }", 2.0),
            ("{ exponential = { mean = 28 } }", 28.0),
            ("{ gamma = { shape = 3, mean = 6 } }", 6.0),
            ("{ lognormal = { mean = 2048, sigma = 1.1 } }", 2048.0),
            ("{ weibull = { shape = 0.7, mean = 5 } }", 5.0),
            ("{ pareto = { shape = 3, scale = 2 } }", 3.0),
            ("{ geometric = { mean = 3 } }", 3.0),
            ("{ geometric = { mean = 1 } }", 1.0),
            ("{ empirical = { quantiles = [[0, 0], [0.5, 10], [1, 100]] } }", 30.0),
            ("{ empirical_values = [1, 2, 6] }", 3.0),
        ];
        for (text, mean) in cases {
            let law = read(text).law().expect(text);
            assert!((law.mean() - mean).abs() < 1e-6 * mean, "{text}: {}", law.mean());
            assert!(law.sample(&mut Rng::from_state(1)) >= 0.0);
            let file = File { law: read(text) };
            let written = toml::to_string(&file).expect(text);
            assert_eq!(toml::from_str::<File>(&written).expect(&written).law, file.law);
        }
    }

    /// P(X = k) = p (1 − p)^(k − 1), variance (1 − p) ÷ p²; here p = 1/3.
    #[test]
    fn geometric_draws_are_whole_and_have_their_probabilities() {
        let law = read("{ geometric = { mean = 3 } }").law().unwrap();
        let (mut rng, mut counts, mut square) = (Rng::from_state(7), [0.0; 4], 0.0);
        for _ in 0..100_000 {
            let draw = law.sample(&mut rng);
            assert!(draw >= 1.0 && draw.fract() == 0.0, "{draw}");
            counts[(draw as usize - 1).min(3)] += 1e-5;
            square += (draw - 3.0) * (draw - 3.0) * 1e-5;
        }
        for (&share, expected) in counts.iter().zip([1.0_f64 / 3.0, 2.0 / 9.0, 4.0 / 27.0, 8.0 / 27.0]) {
            assert!((share - expected).abs() < 0.006, "{counts:?}");
        }
        assert!((square - 6.0).abs() < 0.15 && law.variance() == 6.0, "{square}");
        assert!((law.cdf(2.0) - 5.0 / 9.0).abs() < 1e-12 && law.cdf(2.9) == law.cdf(2.0));
    }

    #[test]
    fn nonsense_is_refused_by_name_and_in_numbers() {
        let cases = [
            ("-1", "constant", "from 0 to 10⁹, not -1"),
            ("nan", "constant", "not NaN"),
            ("2e9", "constant", "not 2000000000"),
            ("{ uniform = { low = 2, high = 2 } }", "uniform.high", "above 2, but is 2"),
            (
                "{ triangular = { low = 1, mode = 9, high = 2 } }",
                "triangular.mode",
                "between 1 and 2, but is 9",
            ),
            ("{ geometric = { mean = 0.5 } }", "geometric.mean", "above 1, but is 0.5"),
            ("{ pareto = { shape = 1, scale = 2, upper = 1 } }", "pareto.upper", "above 2, but is 1"),
            ("{ lognormal = { sigma = 1 } }", "lognormal", "needs `median` or `mean`"),
            (
                "{ empirical = { quantiles = [[0, 2], [1, 1]] } }",
                "empirical.quantiles",
                "[1, 1] follows [0, 2]",
            ),
        ];
        for (text, key, message) in cases {
            let error = read(text).validate().expect_err(text);
            assert_eq!(error.key, key, "{text}");
            assert!(error.message.contains(message), "{text}: {error}");
        }
        let error = toml::from_str::<File>("law = \"2s\"").expect_err("a duration is no number");
        assert!(error.message().contains("expected a number such as 1.5"), "{}", error.message());
    }
}
