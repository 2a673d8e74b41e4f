//! The ledger's columns: capacity-seconds by state and fate, the coordination tax and its kinds.

use super::super::{Better, MetricDef, MetricSet};
use super::Ledger;
use crate::trace::{Fate, Phase, Stage};

const fn lower(name: &'static str, unit: &'static str, about: &'static str) -> MetricDef {
    MetricDef { name, unit, about, better: Better::Lower }
}
const fn neutral(name: &'static str, unit: &'static str, about: &'static str) -> MetricDef {
    MetricDef { name, unit, about, better: Better::Neutral }
}

const CAPACITY: &str = "capacity-s";

/// Columns of the ledger. Capacity-seconds are agent seconds × nominal speed, inside the measured window.
pub const DEFS: &[MetricDef] = &[
    lower(
        "tax_agents",
        "share",
        "coordination tax of the agents: O / (1 + O), O = (wasted + verifying + coordinating + blocked) / U, \
         U = work of correctly completed tasks; all in capacity-seconds (model.md 3)",
    ),
    lower("tax_agents_low", "share", "tax_agents with unsettled executions counted useful"),
    lower("tax_agents_high", "share", "tax_agents with unsettled executions counted wasted"),
    lower(
        "tax_full",
        "share",
        "tax_agents with relay and client nodes added to O as provisioned node-seconds x price of the node \
         / mean price of an agent",
    ),
    lower("tax_full_low", "share", "tax_full with unsettled executions counted useful"),
    lower("tax_full_high", "share", "tax_full with unsettled executions counted wasted"),
    lower("tax_inconclusive", "1", "1 where tax_full_high - tax_full_low exceeds 5 points"),
    lower(
        "overhead_ratio",
        "1",
        "O of tax_full: coordination capacity-seconds per capacity-second of correct work",
    ),
    lower("tax_search", "share", "part of tax_full: discovery + assignment + negotiation + consensus"),
    lower(
        "tax_synchronisation",
        "share",
        "part of tax_full: synchronisation + blocked, without blocked.lost",
    ),
    lower("tax_context", "share", "part of tax_full: context"),
    lower("tax_duplication", "share", "part of tax_full: wasted.duplicate"),
    lower("tax_trust", "share", "part of tax_full: verifying + wasted.reject + wasted.defect"),
    lower("tax_recovery", "share", "part of tax_full: recovery + wasted.crash + blocked.lost"),
    lower("tax_other", "share", "part of tax_full: wasted.rollback + wasted.abandon + wasted.stall"),
    lower("tax_infrastructure", "share", "part of tax_full: relays and clients"),
    neutral("useful_capacity_s", CAPACITY, "executing, accepted and correct (U)"),
    lower("wasted_duplicate_capacity_s", CAPACITY, "executing: another execution of the task was accepted"),
    lower("wasted_crash_capacity_s", CAPACITY, "executing: lost with its agent"),
    lower("wasted_rollback_capacity_s", CAPACITY, "executing: undone by a rollback"),
    lower("wasted_reject_capacity_s", CAPACITY, "executing: the output failed verification"),
    lower("wasted_abandon_capacity_s", CAPACITY, "executing: given up, or its task had ended"),
    lower("wasted_stall_capacity_s", CAPACITY, "executing: the agent hung"),
    lower("wasted_defect_capacity_s", CAPACITY, "executing: accepted but wrong"),
    neutral("unsettled_capacity_s", CAPACITY, "executing: fate open at the end of the run"),
    lower(
        "slowed_capacity_s",
        CAPACITY,
        "executing beyond work / nominal speed because of a slow fault: fault loss, not tax",
    ),
    lower("verifying_capacity_s", CAPACITY, "verifying outputs"),
    lower("coordinating_discovery_capacity_s", CAPACITY, "coordinating: finding out who is there"),
    lower("coordinating_assignment_capacity_s", CAPACITY, "coordinating: giving tasks to agents"),
    lower("coordinating_negotiation_capacity_s", CAPACITY, "coordinating: calls, bids, scope"),
    lower("coordinating_consensus_capacity_s", CAPACITY, "coordinating: claims and votes"),
    lower(
        "coordinating_synchronisation_capacity_s",
        CAPACITY,
        "coordinating: heartbeats, log reading, notices",
    ),
    lower("coordinating_context_capacity_s", CAPACITY, "coordinating: reading and handing over context"),
    lower("coordinating_recovery_capacity_s", CAPACITY, "coordinating: repairing after faults"),
    lower(
        "blocked_lost_capacity_s",
        CAPACITY,
        "free agent and startable task that do not meet: the holder is down, silent or unreachable",
    ),
    lower(
        "blocked_context_capacity_s",
        CAPACITY,
        "free agent and startable task that do not meet: the holder waits for context",
    ),
    lower(
        "blocked_claimed_capacity_s",
        CAPACITY,
        "free agent and startable task that do not meet: held, not started",
    ),
    lower(
        "blocked_announced_capacity_s",
        CAPACITY,
        "free agent and startable task that do not meet: offered, not taken",
    ),
    lower(
        "blocked_queued_capacity_s",
        CAPACITY,
        "free agent and startable task that do not meet: queued by the pattern",
    ),
    lower(
        "blocked_entry_capacity_s",
        CAPACITY,
        "free agent and startable task that do not meet: not yet acknowledged to the client",
    ),
    neutral("idle_capacity_s", CAPACITY, "free agents with no task to start"),
    neutral("down_capacity_s", CAPACITY, "crashed, paused, left, not joined"),
    neutral("harness_overlap_capacity_s", CAPACITY, "harness busy under a busy cognition: outside the sum"),
    neutral(
        "infrastructure_capacity_s",
        CAPACITY,
        "relay and client node-seconds x price of the node / mean price of an agent",
    ),
    neutral("coordinating_share", "share", "coordinating + verifying, as a share of up capacity"),
    neutral(
        "utilisation",
        "share",
        "executing, as a share of up capacity, from the warm-up to the end of the drain",
    ),
];

/// O ÷ (1 + O), from its numerator and the useful capacity; 1 when nothing useful was done.
fn tax(overhead: f64, useful: f64) -> f64 {
    if overhead + useful > 0.0 { overhead / (overhead + useful) } else { f64::NAN }
}

/// Fates that waste the time of an execution.
const WASTED: [Fate; 7] =
    [Fate::Duplicate, Fate::Crash, Fate::Rollback, Fate::Reject, Fate::Abandon, Fate::Stall, Fate::Defect];

pub(super) fn report(ledger: &Ledger, metrics: &mut MetricSet) {
    let speeds = || ledger.fleet.profiles().iter().map(|profile| profile.speed);
    let weigh = |of: &dyn Fn(&super::AgentTime) -> u64| -> f64 {
        ledger.agents.iter().zip(speeds()).map(|(time, speed)| of(time) as f64 * 1e-9 * speed).sum()
    };
    let fate = |fate: Fate| ledger.fates[fate as usize].capacity_s;
    let blocked = |stage: Stage| ledger.blocked.matching.blocked_capacity_s[stage as usize];
    let coordinating: Vec<f64> =
        Phase::ALL.iter().map(|&phase| weigh(&|time| time.coordinating_ns[phase as usize])).collect();
    let phase = |phase: Phase| coordinating[phase as usize];
    let verifying = weigh(&|time| time.verifying_ns);
    let down = weigh(&|time| time.down_ns);
    let all = speeds().sum::<f64>() * ledger.window_ns() as f64 * 1e-9;

    for one in WASTED {
        metrics.set(&format!("wasted_{}_capacity_s", one.name()), fate(one));
    }
    for one in Phase::ALL {
        metrics.set(&format!("coordinating_{}_capacity_s", one.name()), phase(one));
    }
    for one in Stage::ALL {
        metrics.set(&format!("blocked_{}_capacity_s", one.name()), blocked(one));
    }
    let useful = fate(Fate::Useful);
    let unsettled = fate(Fate::Unsettled);
    let infrastructure = infrastructure(ledger);
    metrics.set("useful_capacity_s", useful);
    metrics.set("unsettled_capacity_s", unsettled);
    metrics.set("slowed_capacity_s", ledger.slowed.capacity_s);
    metrics.set("verifying_capacity_s", verifying);
    metrics.set("idle_capacity_s", ledger.blocked.matching.idle_capacity_s);
    metrics.set("down_capacity_s", down);
    metrics.set("harness_overlap_capacity_s", weigh(&|time| time.overlap_ns));
    metrics.set("infrastructure_capacity_s", infrastructure);

    let coordinating_all: f64 = coordinating.iter().sum();
    let blocked_all: f64 = Stage::ALL.iter().map(|&stage| blocked(stage)).sum();
    let overhead =
        WASTED.iter().map(|&one| fate(one)).sum::<f64>() + verifying + coordinating_all + blocked_all;
    let full = overhead + infrastructure;
    for (name, overhead) in [("tax_agents", overhead), ("tax_full", full)] {
        metrics.set(name, tax(overhead, useful));
        metrics.set(&format!("{name}_low"), tax(overhead, useful + unsettled));
        metrics.set(&format!("{name}_high"), tax(overhead + unsettled, useful));
    }
    let width = tax(full + unsettled, useful) - tax(full, useful + unsettled);
    metrics.set("tax_inconclusive", f64::from(u8::from(width > 0.05)));
    metrics.set("overhead_ratio", full / useful);

    let part = |capacity: f64| capacity / (full + useful);
    let search = [Phase::Discovery, Phase::Assignment, Phase::Negotiation, Phase::Consensus];
    metrics.set("tax_search", part(search.iter().map(|&one| phase(one)).sum()));
    metrics
        .set("tax_synchronisation", part(phase(Phase::Synchronisation) + blocked_all - blocked(Stage::Lost)));
    metrics.set("tax_context", part(phase(Phase::Context)));
    metrics.set("tax_duplication", part(fate(Fate::Duplicate)));
    metrics.set("tax_trust", part(verifying + fate(Fate::Reject) + fate(Fate::Defect)));
    metrics.set("tax_recovery", part(phase(Phase::Recovery) + fate(Fate::Crash) + blocked(Stage::Lost)));
    metrics.set("tax_other", part(fate(Fate::Rollback) + fate(Fate::Abandon) + fate(Fate::Stall)));
    metrics.set("tax_infrastructure", part(infrastructure));
    metrics.set("coordinating_share", (coordinating_all + verifying) / (all - down));
    metrics.set("utilisation", weigh(&|time| time.executing_ns) / (all - down));
}

/// Relays and clients as agent capacity of the same price. Where agents are free of charge a node counts
/// as one agent of mean speed.
fn infrastructure(ledger: &Ledger) -> f64 {
    let fleet = &ledger.fleet;
    let agents = fleet.profiles().iter().filter(|profile| profile.present);
    let count = agents.clone().count() as f64;
    let price = agents.clone().map(|profile| profile.price_per_hour).sum::<f64>() / count;
    let speed = agents.map(|profile| profile.speed).sum::<f64>() / count;
    let ratio = |of: f64| if price > 0.0 { of / price } else { 1.0 };
    let nodes = f64::from(fleet.relays()) * ratio(fleet.relay_price_per_hour())
        + f64::from(fleet.clients()) * ratio(fleet.client_price_per_hour());
    nodes * speed * ledger.window_ns() as f64 * 1e-9
}
