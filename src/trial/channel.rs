//! One channel that all share and nobody assigns: frames that overlap are lost.
//!
//! Throughput S for offered load G, in frames a frame time (Abramson 1970; Roberts 1975; Kleinrock and
//! Tobagi, IEEE ToC 23(12), 1975):
//!
//! | access | who may begin | S |
//! |---|---|---|
//! | pure | anyone, at any instant | G·e^(−2G) |
//! | slotted | anyone, at the start of a slot | G·e^(−G); N stations: Np(1−p)^(N−1) |
//! | carrier sense | who hears nothing; delay a to all, no persistence | G·e^(−aG) ÷ (G(1+2a) + e^(−aG)) |

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::{Limits, exponential};
use crate::engine::{Key, Rng};
use crate::error::Problems;
use crate::metrics::MetricDef;

/// Who may begin to send.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Access {
    /// Anyone at any instant; frames begin as a Poisson process.
    Pure {
        /// Frames offered in the time of one.
        load: f64,
    },
    /// Anyone at the start of a slot; frames come as a Poisson process.
    Slotted {
        /// Frames offered in the time of one.
        load: f64,
    },
    /// Each station sends in each slot with the same probability.
    Stations {
        /// How many there are.
        count: u32,
        /// How likely each sends; absent: 1 ÷ count, which is best.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probability: Option<f64>,
    },
    /// Who hears somebody sending tries again later (non-persistent CSMA).
    CarrierSense {
        /// Frames offered in the time of one, those put off included.
        load: f64,
        /// Frame times until all hear what one sends.
        delay: f64,
    },
}

/// Stations that share a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SharedChannel {
    /// Who may begin to send.
    pub access: Access,
    /// Length of a replication in frame times. Default 100000.
    #[serde(default = "frame_times")]
    pub frame_times: u32,
}

fn frame_times() -> u32 {
    100_000
}

/// A Poisson process of frames.
struct Offered {
    rng: Rng,
    load: f64,
    next: f64,
}

impl Offered {
    fn new(mut rng: Rng, load: f64) -> Offered {
        let next = exponential(&mut rng) / load;
        Offered { rng, load, next }
    }
    /// Takes the next frame: when it begins.
    fn take(&mut self) -> f64 {
        let now = self.next;
        self.next += exponential(&mut self.rng) / self.load;
        now
    }
    /// Takes the frames before `end`: how many, and when the last of them begins.
    fn take_before(&mut self, end: f64) -> (u32, Option<f64>) {
        let (mut count, mut last) = (0, None);
        while self.next < end {
            last = Some(self.take());
            count += 1;
        }
        (count, last)
    }
}

impl SharedChannel {
    fn slotted(&self, mut frames_in: impl FnMut(u32) -> u32) -> f64 {
        (0..self.frame_times).filter(|&slot| frames_in(slot) == 1).count() as f64
    }

    fn pure(&self, mut offered: Offered) -> f64 {
        let (mut good, mut before, mut at) = (0u64, -1.0, offered.take());
        while at < f64::from(self.frame_times) {
            good += u64::from(at - before >= 1.0 && offered.next - at >= 1.0);
            before = at;
            at = offered.take();
        }
        good as f64
    }

    /// Frames that got through in whole busy periods and the idle ones before them; and their time.
    fn carrier_sense(&self, mut offered: Offered, delay: f64) -> (f64, f64) {
        let (mut good, mut free) = (0u64, 0.0);
        while free < f64::from(self.frame_times) {
            let first = offered.take();
            // Until they hear the first, others begin too, and all of it is lost.
            let (others, last) = offered.take_before(first + delay);
            good += u64::from(others == 0);
            free = last.unwrap_or(first) + 1.0 + delay;
            offered.take_before(free);
        }
        (good as f64, free)
    }
}

impl Trial for SharedChannel {
    const NAME: &'static str = "shared_channel";
    const ABOUT: &'static str =
        "ALOHA and carrier sense: throughput of a channel nobody assigns (Kleinrock–Tobagi)";
    const METRICS: &'static [MetricDef] = &[MetricDef::higher(
        "throughput",
        "share",
        "frame times in which a frame gets through ÷ frame times",
    )];

    fn check(&self) -> Result<(), Problems> {
        let limits = Limits::new().at_least("frame_times", self.frame_times, 1.0);
        match self.access {
            Access::Pure { load } => limits.positive("access.pure.load", load),
            Access::Slotted { load } => limits.positive("access.slotted.load", load),
            Access::Stations { count, probability } => limits
                .at_least("access.stations.count", count, 1.0)
                .probability("access.stations.probability", probability.unwrap_or(1.0)),
            Access::CarrierSense { load, delay } => limits
                .positive("access.carrier_sense.load", load)
                .at_least("access.carrier_sense.delay", delay, 0.0),
        }
        .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let mut rng = key.open(0, 0);
        let time = f64::from(self.frame_times);
        let (good, time) = match self.access {
            Access::Pure { load } => (self.pure(Offered::new(rng, load)), time),
            Access::Slotted { load } => {
                let mut offered = Offered::new(rng, load);
                (self.slotted(|slot| offered.take_before(f64::from(slot) + 1.0).0), time)
            }
            Access::Stations { count, probability } => {
                let probability = probability.unwrap_or(1.0 / f64::from(count));
                let send = |_| (0..count).filter(|_| rng.chance(probability)).count() as u32;
                (self.slotted(send), time)
            }
            Access::CarrierSense { load, delay } => self.carrier_sense(Offered::new(rng, load), delay),
        };
        vec![good / time]
    }
}
