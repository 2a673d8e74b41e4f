//! The command line: `key=value`, every key known, every value a number.

use crate::measure::{Hold, LeaderWorker};

/// What was said after the names.
#[derive(Debug)]
pub struct Options(Vec<(String, f64)>);

impl Options {
    pub fn read(words: &[String]) -> Result<Options, String> {
        words.iter().map(|word| Options::pair(word)).collect::<Result<_, _>>().map(Options)
    }

    fn pair(word: &str) -> Result<(String, f64), String> {
        let (key, value) = word.split_once('=').ok_or_else(|| format!("{word:?} is not key=value"))?;
        let value = value.parse().map_err(|_| format!("{word:?}: {value:?} is not a number"))?;
        Ok((key.to_owned(), value))
    }

    pub fn hold(mut self) -> Result<Hold, String> {
        let (pending, events, seed) =
            (self.take("pending", 1e3), self.take("events", 1e6), self.take("seed", 1.0));
        self.nothing_left()?;
        Ok(Hold { pending: pending as u32, events: events as u64, seed: seed as u64 })
    }

    pub fn leader_worker(mut self) -> Result<LeaderWorker, String> {
        let groups = self.take("groups", 1.0) as u32;
        let (horizon_s, warmup_s) = (self.take("horizon_s", 10.0), self.take("warmup_s", 1.0));
        let seed = self.take("seed", 1.0) as u64;
        self.nothing_left()?;
        Ok(LeaderWorker { groups, horizon_s, warmup_s, seed })
    }

    fn take(&mut self, key: &str, default: f64) -> f64 {
        match self.0.iter().position(|(known, _)| known == key) {
            Some(place) => self.0.swap_remove(place).1,
            None => default,
        }
    }

    fn nothing_left(&self) -> Result<(), String> {
        match self.0.first() {
            Some((key, _)) => Err(format!("unknown or repeated key {key:?}")),
            None => Ok(()),
        }
    }
}
