//! The plan: stationarity of churn, addresses, targets, files.

use super::super::spec::{Churn, ChurnStart};
use super::*;
use crate::engine::{Purpose, Seed};
use crate::work::{AgentProfile, FleetSpec};

fn fleet(present: u32, absent: u32) -> Fleet {
    let agent = |index: u32| AgentProfile {
        present: index < present,
        ..AgentProfile::at(SiteId((index % 2) as u16))
    };
    Fleet::new(FleetSpec {
        relay_sites: vec![SiteId(0), SiteId(1)],
        client_sites: vec![SiteId(0), SiteId(1)],
        agents: (0..present + absent).map(agent).collect(),
        seat_order: (0..present).collect(),
        relay_price_per_hour: 1.0,
        client_price_per_hour: 1.0,
    })
}

fn sites() -> Sites {
    let row = vec![Span::from_millis(1); 2];
    Sites::new(vec!["eu".to_owned(), "us".to_owned()], vec![row.clone(), row])
}

fn plan(text: &str, fleet: &Fleet) -> FaultPlan {
    let spec: FaultSpec = toml::from_str(text).expect(text);
    let key = Seed(1).key(0, Purpose::Fault);
    let (from, end) = (Time::from_secs(600), Time::from_secs(7_200));
    draw(&spec, &Scope { fleet, sites: &sites(), from, end, key })
}

const ALL: &str = r#"
    crash = { at = "20min", target = "authority", restart_after = "2min" }
    pause = { every = { exponential = { mean = "10min" } }, for = "30s" }
    slow = { at = "30min", target = "agents:0.25", factor = 0.5, for = "5min" }
    partition = [
    { at = "40min", share = 0.2, for = "2min" },
    { at = "50min", sites = [["eu"]], for = "1min" },
]
    relay_outage = [
    { at = "25min", for = "1min", relay = 1 },
    { mtbf = { exponential = { mean = "20min" } }, mttr = "1min" },
]
    wrong_output = { at = "15min", probability = 0.5 }
    stall = { at = "16min", target = "agent:3", for = "1min" }
    churn = { session = { exponential = { mean = "20min" } }, absence = "4min" }
"#;

#[test]
fn every_kind_is_drawn_in_order_of_time_and_after_the_warm_up() {
    let fleet = fleet(40, 0);
    let plan = plan(ALL, &fleet);
    assert!(plan.entries.windows(2).all(|pair| pair[0].at <= pair[1].at));
    assert!(plan.entries.iter().all(|entry| entry.at >= Time::from_secs(600)));
    assert!(plan.check(&fleet).is_empty(), "{}", plan.check(&fleet));
    let of = |name: &str| -> Vec<&Entry> { plan.entries.iter().filter(|e| e.kind.name() == name).collect() };
    for name in ["crash", "pause", "slow", "partition", "relay_outage", "wrong_output", "stall", "leave"] {
        assert!(!of(name).is_empty(), "{name}");
    }
    assert!(matches!(of("crash")[0].target, Target::Authority { .. }));
    assert_eq!(of("crash")[0].until, Some(Time::from_secs(22 * 60)));
    assert!(matches!(&of("slow")[0].target, Target::Agents(agents) if agents.len() == 10));
    assert!(of("relay_outage").iter().any(|entry| entry.origin == Origin::Scheduled));
    let FaultKind::Partition { groups, .. } = &of("partition")[1].kind else { unreachable!("by name") };
    assert_eq!(
        (groups[0].agents.len(), &groups[0].relays[..], &groups[0].clients[..]),
        (20, &[0][..], &[0][..])
    );
}

#[test]
fn an_absent_agent_changes_no_entry() {
    assert_eq!(plan(ALL, &fleet(40, 0)), plan(ALL, &fleet(40, 25)));
    assert_ne!(plan(ALL, &fleet(40, 0)), plan(ALL, &fleet(41, 0)));
}

/// Share of agents there, averaged over `[from, end]`, agent by agent.
fn up_shares(plan: &FaultPlan, agents: u32, from: Time, end: Time) -> Vec<f64> {
    let mut away = vec![0.0; agents as usize];
    for entry in &plan.entries {
        let Target::Agent(agent) = entry.target else { unreachable!("churn strikes agents") };
        let until = entry.until.expect("absences end").min(end);
        away[agent as usize] += until.saturating_since(entry.at.max(from)).as_secs_f64();
    }
    away.iter().map(|away| 1.0 - away / end.since(from).as_secs_f64()).collect()
}

/// A stationary start: the share of agents there is E[S] ÷ (E[S] + E[A]) in every part of the run.
#[test]
fn churn_is_stationary_from_its_first_instant() {
    let fleet = fleet(4_000, 0);
    let churn = r#"
[churn]
compression = 2.0
session = { weibull = { shape = 0.6, mean = "2h" } }
absence = { lognormal = { mean = "40min", sigma = 1.0 } }
"#;
    let plan = plan(churn, &fleet);
    for (from, end) in [(600, 900), (600, 7_200), (6_600, 7_200)] {
        let (from, end) = (Time::from_secs(from), Time::from_secs(end));
        let shares = up_shares(&plan, 4_000, from, end);
        let mean = shares.iter().sum::<f64>() / 4_000.0;
        let variance = shares.iter().map(|share| (share - mean) * (share - mean)).sum::<f64>() / 4_000.0;
        let half_width = 3.0 * (variance / 4_000.0).sqrt();
        assert!((mean - 0.75).abs() < half_width, "{from}..{end}: {mean} ± {half_width}");
    }
}

#[test]
fn churn_may_begin_with_everyone_present() {
    let churn = Churn {
        session: Dist::Constant(Span::from_secs(600)),
        absence: Dist::Constant(Span::from_secs(600)),
        compression: 1.0,
        from: Some(Span::from_secs(60)),
        start: ChurnStart::Present,
    };
    let spec = FaultSpec { churn: Some(churn), ..FaultSpec::default() };
    let fleet = fleet(50, 0);
    let key = Seed(1).key(0, Purpose::Fault);
    let (from, end) = (Time::from_secs(600), Time::from_secs(7_200));
    let plan = draw(&spec, &Scope { fleet: &fleet, sites: &sites(), from, end, key });
    assert!(plan.entries[0].at > Time::from_secs(60), "nobody is away at first");
    assert!(plan.entries[0].at < Time::from_secs(200), "but somebody leaves soon");
}

#[test]
fn a_plan_is_read_as_it_was_written_and_bad_ones_are_refused() {
    let fleet = fleet(40, 0);
    let plan = plan(ALL, &fleet);
    assert_eq!(FaultPlan::from_json(&plan.to_json(), "faults.json").expect("a plan"), plan);
    let bad = plan.to_json().replace("\"at\":\"20min\"", "\"at\":\"soon\"");
    let text = FaultPlan::from_json(&bad, "faults.json").expect_err("not a time").to_string();
    assert!(text.contains("faults.json:") && text.contains("`soon` is not a duration"), "{text}");

    let small = super::tests::fleet(3, 0);
    let text = plan.check(&small).to_string();
    assert!(text.contains("there is no agent") && text.contains("there are 3"), "{text}");
    let entry = Entry {
        at: Time::from_secs(2),
        until: Some(Time::from_secs(1)),
        kind: FaultKind::Outage,
        target: Target::Agent(0),
        origin: Origin::Scheduled,
    };
    let text = FaultPlan::new(vec![entry]).check(&fleet).to_string();
    assert!(
        text.contains("it ends at 1s, before it begins at 2s")
            && text.contains("`relay_outage` strikes a relay"),
        "{text}"
    );
}

/// Each of the nodes named goes down and up on its own, from the instant named on, and never twice at a time.
#[test]
fn up_and_down_in_turn_is_each_target_for_itself() {
    let fleet = fleet(20, 2);
    let text = r#"
        pause = { target = "any", from = "0s", mtbf = { exponential = { mean = "10s" } }, mttr = "2s" }
        [relay_outage]
        mtbf = { exponential = { mean = "1000s" } }
        mttr = { exponential = { mean = "100s" } }
        standby = { takeover = "7s" }
    "#;
    let plan = plan(text, &fleet);
    let (mut down, mut free) = (0.0, std::collections::BTreeMap::new());
    for entry in plan.entries.iter().filter(|entry| entry.kind == FaultKind::Pause) {
        let until = entry.until.expect("a pause ends");
        let before = free.insert(format!("{:?}", entry.target), until);
        assert!(before.is_none_or(|before| before <= entry.at));
        down += until.since(entry.at).as_secs_f64();
    }
    assert_eq!(free.len(), 22, "20 agents and 2 relays");
    let share = down / (22.0 * 7_200.0);
    assert!((share - 1.0 / 6.0).abs() < 0.003, "{share}");
    assert!(plan.entries.iter().any(|entry| entry.kind == FaultKind::Takeover));
    assert!(plan.entries[0].at < Time::from_secs(10));
}
