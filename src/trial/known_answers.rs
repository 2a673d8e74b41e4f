//! Generators of random numbers against their published outputs.
//!
//! Our streams are SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) under keys from ChaCha8. Xoshiro256++
//! (Blackman and Vigna, ACM TOMS 47, 2021) drives nothing here; it is there to compare with, from `rand`.

use rand::rand_core::{Infallible, SeedableRng, TryRng};
use rand::rngs::Xoshiro256PlusPlus;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::{Key, Rng};
use crate::error::Problems;
use crate::metrics::MetricDef;

/// Which generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) enum Generator {
    /// The stream that every draw of ours comes from; one word of state.
    #[serde(rename = "splitmix64")]
    SplitMix64,
    /// For comparison; four words of state.
    #[serde(rename = "xoshiro256++")]
    Xoshiro256PlusPlus,
    /// What our keys come from; the four words are its 256-bit key.
    #[serde(rename = "chacha8")]
    ChaCha8,
}

/// Compares the outputs of a generator with those expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownAnswers {
    /// The generator.
    pub generator: Generator,
    /// Its state as decimal numbers of 64 bits, in strings: they may exceed what TOML can say.
    pub state: Vec<String>,
    /// The first outputs, written likewise.
    pub expected: Vec<String>,
}

impl Generator {
    fn words(self) -> usize {
        match self {
            Generator::SplitMix64 => 1,
            Generator::Xoshiro256PlusPlus | Generator::ChaCha8 => 4,
        }
    }

    fn outputs(self, state: &[u64], count: usize) -> Vec<u64> {
        let mut seed = [0; 32];
        for (bytes, word) in seed.chunks_exact_mut(8).zip(state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        match self {
            Generator::SplitMix64 => first(&mut Rng::from_state(state[0]), count),
            Generator::Xoshiro256PlusPlus => first(&mut Xoshiro256PlusPlus::from_seed(seed), count),
            Generator::ChaCha8 => first(&mut ChaCha8Rng::from_seed(seed), count),
        }
    }
}

fn first(rng: &mut impl TryRng<Error = Infallible>, count: usize) -> Vec<u64> {
    let mut next = || match rng.try_next_u64() {
        Ok(word) => word,
        Err(never) => match never {},
    };
    (0..count).map(|_| next()).collect()
}

fn words(texts: &[String]) -> Option<Vec<u64>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}

impl Trial for KnownAnswers {
    const NAME: &'static str = "known_answers";
    const ABOUT: &'static str = "random generators against their published outputs";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher("agreeing", "outputs", "leading outputs that are as expected, bit by bit"),
        MetricDef::higher("agreeing_share", "share", "the same ÷ outputs expected"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let wanted = self.generator.words();
        let state = words(&self.state).filter(|state| state.len() == wanted);
        let expected = words(&self.expected).filter(|expected| !expected.is_empty());
        let remedy = format!("{wanted} number(s) of 64 bits in strings, such as [\"1234567\"]");
        Limits::new()
            .fits(state.is_some(), "state", format!("{:?}", self.state), remedy)
            .fits(
                expected.is_some(),
                "expected",
                format!("{:?}", self.expected),
                "at least one number of 64 bits, each in a string",
            )
            .done()
    }

    fn run(&self, _: Key) -> Vec<f64> {
        let state = words(&self.state).expect("checked");
        let expected = words(&self.expected).expect("checked");
        let outputs = self.generator.outputs(&state, expected.len());
        let agreeing = outputs.iter().zip(&expected).take_while(|(is, should)| is == should).count();
        vec![agreeing as f64, agreeing as f64 / expected.len() as f64]
    }
}
