//! Trying again: back-off on a shared channel, delivery until acknowledged, transactions until valid.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::{Limits, distinct, mean};
use crate::engine::Key;
use crate::error::Problems;
use crate::mechanism::Window;
use crate::mechanism::delivery::{Inbox, Outbox};
use crate::mechanism::optimistic::{ReadSet, Versions};
use crate::metrics::MetricDef;

fn many() -> u32 {
    100_000
}

/// Stations that always have something to send, with binary exponential back-off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SlottedBackoff {
    /// Stations; at least 2.
    pub stations: u32,
    /// Slots to choose from after a success.
    pub window: u32,
    /// How often the window doubles at most.
    pub doublings: u32,
    /// Slots a replication. Default 100000.
    #[serde(default = "many")]
    pub slots: u32,
}

impl Trial for SlottedBackoff {
    const NAME: &'static str = "slotted_backoff";
    const ABOUT: &'static str = "saturated stations with binary exponential back-off (Bianchi 2000)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("collision_share", "share", "frames that collide ÷ frames sent"),
        MetricDef::neutral("attempt_share", "share", "frames sent ÷ (stations · slots)"),
        MetricDef::neutral(
            "collision_fixed_point",
            "share",
            "what Bianchi's fixed point gives for collisions",
        ),
        MetricDef::neutral("attempt_fixed_point", "share", "what Bianchi's fixed point gives for attempts"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let fits = self.doublings < 32 && self.window <= u32::MAX >> self.doublings;
        Limits::new()
            .at_least("stations", self.stations, 2.0)
            .at_least("window", self.window, 1.0)
            .at_least("slots", self.slots, 1.0)
            .holds(fits, "doublings", "the window outgrows 32 bits", "a lower number")
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let window = Window { first: self.window, doublings: self.doublings };
        let mut rng = key.open(0, 0);
        let mut stations: Vec<_> = (0..self.stations).map(|_| (0, window.slots(0, &mut rng))).collect();
        let (mut sent, mut collided) = (0u64, 0u64);
        for _ in 0..self.slots {
            let ready = stations.iter().filter(|station| station.1 == 0).count() as u64;
            sent += ready;
            collided += if ready > 1 { ready } else { 0 };
            for (collisions, wait) in &mut stations {
                if *wait > 0 {
                    *wait -= 1;
                } else {
                    *collisions = if ready > 1 { *collisions + 1 } else { 0 };
                    *wait = window.slots(*collisions, &mut rng);
                }
            }
        }
        let chances = f64::from(self.stations) * f64::from(self.slots);
        let (attempts, collisions) = window.saturated(self.stations);
        vec![collided as f64 / sent as f64, sent as f64 / chances, collisions, attempts]
    }
}

/// Messages over a link that loses some, each sent again until an acknowledgement comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AtLeastOnce {
    /// How likely a message is lost, and an acknowledgement.
    pub loss: f64,
    /// Messages a replication. Default 100000.
    #[serde(default = "many")]
    pub messages: u32,
}

impl Trial for AtLeastOnce {
    const NAME: &'static str = "at_least_once";
    const ABOUT: &'static str = "sending until acknowledged: 1/(1−p)² sendings, 1/(1−p) deliveries";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("sends_mean", "sendings", "times a message is sent, mean over messages"),
        MetricDef::lower("deliveries_mean", "deliveries", "times a message comes in, mean over messages"),
        MetricDef::lower("duplicates_mean", "deliveries", "deliveries the receiver knew, mean over messages"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new().below_one("loss", self.loss).at_least("messages", self.messages, 1.0).done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (mut outbox, mut inbox) = (Outbox::default(), Inbox::default());
        let (mut sends, mut deliveries, mut duplicates) = (0u64, 0u64, 0u64);
        for _ in 0..self.messages {
            let message = outbox.send();
            let mut rng = key.open(message, 0);
            loop {
                if !rng.chance(self.loss) {
                    deliveries += 1;
                    duplicates += u64::from(!inbox.receive(message));
                    if !rng.chance(self.loss) {
                        let sendings = outbox.acknowledged(message).expect("it was owed until now");
                        sends += u64::from(sendings);
                        break;
                    }
                }
                assert!(outbox.timed_out(message), "what is not acknowledged is owed");
            }
        }
        [sends, deliveries, duplicates].map(|count| count as f64 / f64::from(self.messages)).to_vec()
    }
}

/// Transactions, each overtaken by another that commits between its reads and its commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OptimisticCommit {
    /// Items there are.
    pub items: u32,
    /// Different items a transaction reads.
    pub reads: u32,
    /// Different items the other one writes.
    pub writes: u32,
    /// Transactions a replication. Default 100000.
    #[serde(default = "many")]
    pub transactions: u32,
}

impl Trial for OptimisticCommit {
    const NAME: &'static str = "optimistic_commit";
    const ABOUT: &'static str =
        "conflicts of optimistic transactions: 1 − C(D−r,w)/C(D,w) (Kung and Robinson 1981)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("conflict_share", "share", "transactions whose first try is refused ÷ transactions"),
        MetricDef::lower("tries_mean", "tries", "tries until committed, mean over transactions"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let room = self.reads.checked_add(self.writes).is_some_and(|both| both <= self.items);
        Limits::new()
            .holds(room, "items", "a transaction could never commit", "at least `reads` + `writes`")
            .at_least("transactions", self.transactions, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let mut items = Versions::new(self.items);
        let tries: Vec<u32> = (0..self.transactions)
            .map(|transaction| {
                let mut rng = key.open(u64::from(transaction), 0);
                let mut tries = 0;
                loop {
                    tries += 1;
                    let mut reads = ReadSet::default();
                    distinct(&mut rng, self.items, self.reads)
                        .into_iter()
                        .for_each(|item| items.read(item, &mut reads));
                    let others = distinct(&mut rng, self.items, self.writes);
                    assert!(items.commit(&ReadSet::default(), &others), "who reads nothing always commits");
                    if items.commit(&reads, &[]) {
                        return tries;
                    }
                }
            })
            .collect();
        let refused = tries.iter().filter(|&&tries| tries > 1).count();
        let mean_tries = mean(tries.iter().map(|&tries| f64::from(tries)));
        vec![refused as f64 / f64::from(self.transactions), mean_tries]
    }
}
