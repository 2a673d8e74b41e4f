//! SWIM membership: everybody probes one other member in each period.
//!
//! Das, Gupta and Motivala (DSN 2002): a crashed member is first probed after 1/(1 − (1 − 1/(n−1))^a)
//! periods on average if a live members pick at random, e/(e−1) for many that are all alive. Going round
//! through a shuffled list instead, no member waits longer than 2n − 1 periods for any other's probe.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::{Limits, mean};
use crate::engine::{Key, Rng};
use crate::error::Problems;
use crate::metrics::MetricDef;

/// Whom a member probes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Probing {
    /// Anyone else.
    Random,
    /// The next on its list, which it shuffles after each round.
    RoundRobin,
}

/// One member crashes; the live ones probe, one member each in each period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SwimDetection {
    /// Members, the crashed one included.
    pub members: u32,
    /// How many of them probe; absent: all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probing_members: Option<u32>,
    /// Whom each probes. Default random.
    #[serde(default = "random")]
    pub probing: Probing,
    /// Crashes a replication. Default 1000.
    #[serde(default = "crashes")]
    pub crashes: u32,
}

fn random() -> Probing {
    Probing::Random
}

fn crashes() -> u32 {
    1_000
}

/// One member's list of the others; the crashed one is number 0.
struct Prober {
    list: Vec<u32>,
    next: usize,
}

impl Prober {
    fn new(others: u32, rng: &mut Rng) -> Prober {
        let mut list: Vec<u32> = (0..others).collect();
        rng.shuffle(&mut list);
        Prober { list, next: rng.below(others) as usize }
    }
    /// Whether the next probe is of the crashed one.
    fn probe(&mut self, rng: &mut Rng) -> bool {
        if self.next == self.list.len() {
            rng.shuffle(&mut self.list);
            self.next = 0;
        }
        self.next += 1;
        self.list[self.next - 1] == 0
    }
}

impl SwimDetection {
    fn probers(&self) -> u32 {
        self.probing_members.unwrap_or(self.members - 1)
    }

    /// Periods until the first probe.
    fn first_probe(&self, mut rng: Rng) -> f64 {
        let others = self.members - 1;
        let mut periods = 0u32;
        match self.probing {
            Probing::Random => loop {
                periods += 1;
                if (0..self.probers()).any(|_| rng.below(others) == 0) {
                    break;
                }
            },
            Probing::RoundRobin => {
                let mut all: Vec<Prober> =
                    (0..self.probers()).map(|_| Prober::new(others, &mut rng)).collect();
                loop {
                    periods += 1;
                    if all.iter_mut().any(|prober| prober.probe(&mut rng)) {
                        break;
                    }
                }
            }
        }
        f64::from(periods)
    }

    /// The longest gap between two probes of one target by one prober, over some rounds.
    fn longest_gap(&self, mut rng: Rng) -> f64 {
        if self.probing == Probing::Random {
            return f64::NAN;
        }
        let mut prober = Prober::new(self.members - 1, &mut rng);
        let (mut longest, mut last) = (0, None);
        for period in 0..GAP_ROUNDS * (self.members - 1) {
            if prober.probe(&mut rng) {
                longest = longest.max(last.map_or(0, |last| period - last));
                last = Some(period);
            }
        }
        f64::from(longest)
    }
}

/// Rounds of one prober in search of its longest gap.
const GAP_ROUNDS: u32 = 1_000;

impl Trial for SwimDetection {
    const NAME: &'static str = "swim_detection";
    const ABOUT: &'static str = "SWIM: periods until a crashed member is first probed (Das et al. 2002)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("first_detection_mean", "periods", "crash to the first probe, mean over crashes"),
        MetricDef::lower(
            "probe_gap_max",
            "periods",
            "longest gap between a prober's probes of one (round robin)",
        ),
    ];

    fn check(&self) -> Result<(), Problems> {
        let few = (1..self.members).contains(&self.probing_members.unwrap_or(1));
        Limits::new()
            .at_least("members", self.members, 2.0)
            .holds(few, "probing_members", "not that many are left", "1 to `members` − 1")
            .at_least("crashes", self.crashes, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let first = |crash| self.first_probe(key.open(0, u64::from(crash)));
        vec![mean((0..self.crashes).map(first)), self.longest_gap(key.open(1, 0))]
    }
}
