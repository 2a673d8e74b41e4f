//! Who was there: the time relays and agents were out of service, and how often relays went.

use std::sync::Arc;

use super::{MetricDef, MetricSet};
use crate::engine::{EventId, Time};
use crate::fault::{FaultKind, FaultPlan};
use crate::trace::{DownReason, NodeId, Observer, Record};
use crate::work::{Fleet, Role};

/// Columns of this file.
pub const DEFS: &[MetricDef] = &[
    MetricDef::neutral(
        "relay_down_share",
        "share",
        "Σ over relays of time out of service in [warm-up, horizon] / (relays × window)",
    ),
    MetricDef::neutral(
        "relay_outages_per_h",
        "1/h",
        "times a relay went out of service in [warm-up, horizon] / (relays × hours of that window)",
    ),
    MetricDef::neutral(
        "relay_takeovers_per_h",
        "1/h",
        "takeovers by a standby begun in [warm-up, horizon] / (relays × hours of that window)",
    ),
    MetricDef::neutral(
        "agents_down_share",
        "share",
        "Σ over present agents of time down or paused in [warm-up, horizon] / (agents × window)",
    ),
];

/// Measures how long nodes are down.
#[derive(Clone, Debug)]
pub struct Availability {
    fleet: Arc<Fleet>,
    plan: Arc<FaultPlan>,
    warmup: Time,
    horizon: Time,
    /// By node: since when it is down.
    down_since: Vec<Option<Time>>,
    relays_down_s: f64,
    agents_down_s: f64,
    outages: u64,
    takeovers: u64,
}

impl Availability {
    /// Everybody is up; measures [`warmup`, `horizon`].
    pub fn new(fleet: Arc<Fleet>, plan: Arc<FaultPlan>, warmup: Time, horizon: Time) -> Availability {
        let down_since = vec![None; fleet.len()];
        let (relays_down_s, agents_down_s, outages, takeovers) = (0.0, 0.0, 0, 0);
        Availability {
            fleet,
            plan,
            warmup,
            horizon,
            down_since,
            relays_down_s,
            agents_down_s,
            outages,
            takeovers,
        }
    }

    /// Fills this observer's columns.
    pub fn fill(&self, metrics: &mut MetricSet) {
        let window_s = self.horizon.since(self.warmup).as_secs_f64();
        let relays_s = f64::from(self.fleet.relays()) * window_s;
        if relays_s > 0.0 {
            metrics.set("relay_down_share", self.relays_down_s / relays_s);
            metrics.set("relay_outages_per_h", self.outages as f64 * 3_600.0 / relays_s);
            metrics.set("relay_takeovers_per_h", self.takeovers as f64 * 3_600.0 / relays_s);
        }
        let agents_s = self.fleet.present().count() as f64 * window_s;
        if agents_s > 0.0 {
            metrics.set("agents_down_share", self.agents_down_s / agents_s);
        }
    }

    fn is_measured(&self, at: Time) -> bool {
        self.warmup <= at && at < self.horizon
    }

    fn up(&mut self, node: NodeId, at: Time) {
        let Some(since) = self.down_since[node.index()].take() else { return };
        let (from, until) = (since.max(self.warmup), at.min(self.horizon));
        if from < until {
            let down_s = until.since(from).as_secs_f64();
            match self.fleet.role(node) {
                Role::Relay => self.relays_down_s += down_s,
                Role::Agent => self.agents_down_s += down_s,
                Role::Client => {}
            }
        }
    }
}

impl Observer for Availability {
    #[inline(always)]
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            // One that is never there is not missed.
            Record::Down { why: DownReason::Absent, .. } => {}
            Record::Down { node, .. }
                // A pause may become a crash: the node was down before.
                if self.down_since[node.index()].is_none() => {
                    self.down_since[node.index()] = Some(at);
                    let relay = self.fleet.role(node) == Role::Relay;
                    self.outages += u64::from(relay && self.is_measured(at));
                }
            Record::Up { node } => self.up(node, at),
            Record::Fault { index, on: true } => {
                let takeover = self.plan.entries[index as usize].kind == FaultKind::Takeover;
                self.takeovers += u64::from(takeover && self.is_measured(at));
            }
            Record::Finish => {
                (0..self.fleet.len() as u32).for_each(|node| self.up(NodeId(node), at));
            }
            _ => {}
        }
    }
}
