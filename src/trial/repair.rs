//! Things that fail and are repaired: availability, redundancy, and work saved at checkpoints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::{Limits, exponential, mean, share};
use crate::engine::{Agenda, Dist, Engine, Key, Law, Model, Rng, Span, Time};
use crate::error::Problems;
use crate::mechanism::checkpoint;
use crate::metrics::MetricDef;

fn rounds() -> u32 {
    1_000
}

fn law(dist: &Dist) -> Law {
    dist.law().expect("the parameters were checked")
}

/// One unit that is up, then down, then up …
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Availability {
    /// How long it stays up.
    pub up: Dist,
    /// How long it stays down.
    pub down: Dist,
    /// An instant after it came up, to ask whether it is up then.
    pub at: Span,
    /// Periods up a replication, for the long run. Default 1000.
    #[serde(default = "rounds")]
    pub cycles: u32,
    /// Starts a replication, for the instant. Default 1000.
    #[serde(default = "rounds")]
    pub rounds: u32,
}

impl Trial for Availability {
    const NAME: &'static str = "availability";
    const ABOUT: &'static str =
        "a unit that fails and is repaired: availability in the long run and at an instant";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher("availability", "share", "time up ÷ (time up + time down)"),
        MetricDef::higher("availability_at", "share", "starts after which it is up at the instant ÷ starts"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .law("up", &self.up)
            .law("down", &self.down)
            .at_least("cycles", self.cycles, 1.0)
            .at_least("rounds", self.rounds, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (up, down) = (law(&self.up), law(&self.down));
        let mut rng = key.open(0, 0);
        let (mut time_up, mut time) = (0.0, 0.0);
        for _ in 0..self.cycles {
            let lasts = up.sample(&mut rng);
            time_up += lasts;
            time += lasts + down.sample(&mut rng);
        }
        let at = self.at.as_secs_f64();
        let is_up = share(self.rounds, |round| {
            let mut rng = key.open(1, u64::from(round));
            let mut now = 0.0;
            loop {
                now += up.sample(&mut rng);
                if now > at {
                    return true;
                }
                now += down.sample(&mut rng);
                if now > at {
                    return false;
                }
            }
        });
        vec![time_up / time, is_up]
    }
}

/// Units of which one is enough, and crews that repair them in the order of failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Redundancy {
    /// Units, all up at first, each failing on its own.
    pub units: u32,
    /// Repairs that can go on at once. Default 1.
    #[serde(default = "one")]
    pub crews: u32,
    /// How long a unit stays up.
    pub up: Dist,
    /// How long a repair takes.
    pub repair: Dist,
    /// Times a replication until all are down. Default 1000.
    #[serde(default = "rounds")]
    pub rounds: u32,
}

fn one() -> u32 {
    1
}

/// What happens to some unit: all are alike.
#[derive(Clone, Copy)]
enum Change {
    Fails,
    Repaired,
}

/// One time until all are down.
struct Units {
    up: Law,
    repair: Law,
    rng: Rng,
    working: u32,
    waiting: u32,
    crews_free: u32,
}

impl Units {
    fn repair(&mut self, agenda: &mut Agenda<Change>) {
        let lasts = self.repair.sample_span(&mut self.rng);
        agenda.after(lasts, Change::Repaired);
    }
}

impl Model for Units {
    type Event = Change;

    fn handle(&mut self, change: Change, agenda: &mut Agenda<Change>) {
        match change {
            Change::Fails => {
                self.working -= 1;
                if self.working == 0 {
                    agenda.stop();
                } else if self.crews_free > 0 {
                    self.crews_free -= 1;
                    self.repair(agenda);
                } else {
                    self.waiting += 1;
                }
            }
            Change::Repaired => {
                self.working += 1;
                let lasts = self.up.sample_span(&mut self.rng);
                agenda.after(lasts, Change::Fails);
                if self.waiting > 0 {
                    self.waiting -= 1;
                    self.repair(agenda);
                } else {
                    self.crews_free += 1;
                }
            }
        }
    }
}

impl Trial for Redundancy {
    const NAME: &'static str = "redundancy";
    const ABOUT: &'static str =
        "time until all of several repaired units are down: (3λ+μ)/(2λ²) for two (Markov)";
    const METRICS: &'static [MetricDef] =
        &[MetricDef::higher("time_to_failure_mean_s", "s", "all up to all down, mean over rounds")];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .at_least("units", self.units, 1.0)
            .at_least("crews", self.crews, 1.0)
            .law("up", &self.up)
            .law("repair", &self.repair)
            .at_least("rounds", self.rounds, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (up, repair) = (law(&self.up), law(&self.repair));
        vec![mean((0..self.rounds).map(|round| {
            let mut rng = key.open(u64::from(round), 0);
            let lives: Vec<Span> = (0..self.units).map(|_| up.sample_span(&mut rng)).collect();
            let (up, repair) = (up.clone(), repair.clone());
            let (working, crews_free) = (self.units, self.crews);
            let mut engine = Engine::new(Units { up, repair, rng, working, waiting: 0, crews_free });
            for life in lives {
                engine.agenda().at(Time::ZERO + life, Change::Fails);
            }
            engine.run().now.as_secs_f64()
        }))]
    }
}

/// Failures an interval, on average, beyond which e^so many tries are needed for each.
const HOPELESS: f64 = 10.0;

/// Work that is saved now and then, and done again from there after a failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Checkpoints {
    /// Work to do.
    pub work: Span,
    /// Work between two checkpoints.
    pub interval: Span,
    /// Time a checkpoint takes.
    pub cost: Span,
    /// Time from a failure until work goes on; it may fail again meanwhile.
    pub restart: Span,
    /// Mean time between failures, which are memoryless.
    pub mtbf: Span,
    /// Times a replication. Default 1000.
    #[serde(default = "rounds")]
    pub rounds: u32,
}

impl Checkpoints {
    /// Time \[s\] until the work is done.
    fn makespan(&self, mut rng: Rng) -> f64 {
        let mtbf = self.mtbf.as_secs_f64();
        let (mut now, mut left) = (0.0, self.work);
        let mut failure = mtbf * exponential(&mut rng);
        while !left.is_zero() {
            let piece = left.min(self.interval);
            let mut ends = now + (piece + self.cost).as_secs_f64();
            while failure < ends {
                now = failure;
                failure = now + mtbf * exponential(&mut rng);
                ends = now + (self.restart + piece + self.cost).as_secs_f64();
            }
            now = ends;
            left -= piece;
        }
        now
    }
}

impl Trial for Checkpoints {
    const NAME: &'static str = "checkpoints";
    const ABOUT: &'static str = "work saved every so often under failures (Young 1974, Daly 2006)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("makespan_mean_s", "s", "time to do the work, mean over rounds"),
        MetricDef::neutral("makespan_expected_s", "s", "M·e^(R/M)·(e^((τ+δ)/M) − 1)·work ÷ τ"),
        MetricDef::neutral("young_interval_s", "s", "√(2δM)"),
        MetricDef::neutral("daly_interval_s", "s", "√(2δM)·(1 + √(δ/2M)/3 + (δ/2M)/9) − δ"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .positive("interval", self.interval.as_secs_f64())
            .positive("mtbf", self.mtbf.as_secs_f64())
            .at_least("rounds", self.rounds, 1.0)
            .holds(
                (self.interval + self.cost).as_secs_f64() <= HOPELESS * self.mtbf.as_secs_f64(),
                "mtbf",
                "hardly any interval would ever be done: e^(interval + cost) ÷ mtbf tries each",
                "lengthen it, or shorten `interval`",
            )
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (cost, mtbf) = (self.cost, self.mtbf);
        let expected = checkpoint::expected(self.work, self.interval, cost, self.restart, mtbf);
        vec![
            mean((0..self.rounds).map(|round| self.makespan(key.open(u64::from(round), 0)))),
            expected.as_secs_f64(),
            checkpoint::young(cost, mtbf).as_secs_f64(),
            checkpoint::daly(cost, mtbf).as_secs_f64(),
        ]
    }
}
