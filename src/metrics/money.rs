//! What a run costs: agents by the hour, tokens by the thousand, relays and clients by the hour.

use std::sync::Arc;

use super::{MetricDef, MetricSet};
use crate::engine::{EventId, Time};
use crate::trace::{NodeId, Observer, Record};
use crate::work::{Fleet, Tasks};

/// Columns of this file. Money is in the unit of the scenario's prices.
pub const DEFS: &[MetricDef] = &[
    MetricDef::lower(
        "money",
        "money",
        "agents present and up + relays + clients by the hour, tokens by the thousand, whole run",
    ),
    MetricDef::lower("money_per_correct_task", "money", "money / tasks completed correctly"),
    MetricDef::lower(
        "tokens_work",
        "tokens",
        "tokens read and written in executions, whole run; a repeated execution pays again",
    ),
];

/// Adds up prices.
#[derive(Debug)]
pub struct Money {
    fleet: Arc<Fleet>,
    tasks: Arc<Tasks>,
    down_since: Vec<Option<Time>>,
    /// Money for up time and tokens of agents.
    agents: f64,
    tokens_work: u64,
    correct: u64,
    end: Time,
}

impl Money {
    /// Nothing spent yet.
    pub fn new(fleet: Arc<Fleet>, tasks: Arc<Tasks>) -> Money {
        let down_since = vec![None; fleet.len()];
        Money { fleet, tasks, down_since, agents: 0.0, tokens_work: 0, correct: 0, end: Time::ZERO }
    }

    fn hours_down(&mut self, node: NodeId, from: Time, to: Time) {
        if let Some(profile) = self.fleet.profile(node) {
            self.agents -= to.saturating_since(from).as_secs_f64() / 3_600.0 * profile.price_per_hour;
        }
    }

    /// Fills this observer's columns.
    pub fn fill(&self, metrics: &mut MetricSet) {
        let hours = self.end.as_secs_f64() / 3_600.0;
        let rent: f64 = self.fleet.profiles().iter().map(|profile| profile.price_per_hour).sum();
        let nodes = f64::from(self.fleet.relays()) * self.fleet.relay_price_per_hour()
            + f64::from(self.fleet.clients()) * self.fleet.client_price_per_hour();
        let money = self.agents + (rent + nodes) * hours;
        metrics.set("money", money);
        metrics.set("tokens_work", self.tokens_work as f64);
        if self.correct > 0 {
            metrics.set("money_per_correct_task", money / self.correct as f64);
        }
    }
}

impl Observer for Money {
    #[inline(always)]
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Down { node, .. } => self.down_since[node.index()] = Some(at),
            Record::Up { node } => {
                if let Some(since) = self.down_since[node.index()].take() {
                    self.hours_down(node, since, at);
                }
            }
            Record::Started { task, node, .. } => {
                let tokens = self.tasks.work_tokens(task);
                if tokens == 0 {
                    return;
                }
                self.tokens_work += u64::from(tokens);
                let profile = self.fleet.profile(node).expect("only agents execute");
                self.agents += f64::from(tokens) / 1_000.0 * profile.price_per_kilotoken;
            }
            Record::Sent { to, tokens, .. } if tokens > 0 => {
                if let Some(profile) = self.fleet.profile(to) {
                    self.agents += f64::from(tokens) / 1_000.0 * profile.price_per_kilotoken;
                }
            }
            Record::Accepted { correct, .. } => self.correct += u64::from(correct),
            Record::Finish => {
                self.end = at;
                for node in 0..self.down_since.len() {
                    if let Some(since) = self.down_since[node].take() {
                        self.hours_down(NodeId(node as u32), since, at);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{DownReason, SiteId};
    use crate::work::{AgentProfile, FleetSpec};

    #[test]
    fn rent_stops_while_an_agent_is_down() {
        let agent =
            AgentProfile { price_per_hour: 2.0, price_per_kilotoken: 0.5, ..AgentProfile::at(SiteId(0)) };
        let fleet = Arc::new(Fleet::new(FleetSpec {
            client_sites: vec![SiteId(0)],
            agents: vec![agent; 2],
            seat_order: vec![0, 1],
            client_price_per_hour: 0.25,
            ..FleetSpec::default()
        }));
        let tasks = Arc::new(Tasks::new(Vec::new()).unwrap());
        let mut money = Money::new(fleet, tasks);
        let hours = |hours: u64| Time::from_secs(3_600 * hours);
        let mut see = |at, record| money.observe(at, EventId(0), &record);
        see(hours(1), Record::Down { node: NodeId(1), why: DownReason::Crash });
        see(hours(2), Record::Up { node: NodeId(1) });
        see(
            hours(3),
            Record::Sent {
                letter: crate::trace::LetterId(0),
                from: NodeId(0),
                to: NodeId(2),
                kind: 0,
                bytes: 0,
                tokens: 4_000,
            },
        );
        see(hours(3), Record::Down { node: NodeId(2), why: DownReason::Leave });
        see(hours(4), Record::Finish);
        let mut metrics = MetricSet::default();
        money.fill(&mut metrics);
        // Six agent hours at 2, four client hours at 0.25, four thousand tokens at 0.5.
        assert!((metrics.get("money") - (12.0 + 1.0 + 2.0)).abs() < 1e-9, "{}", metrics.get("money"));
        assert!(metrics.get("money_per_correct_task").is_nan());
    }
}
