//! Every pattern under every kind of fault: safe throughout, and live once the faults have healed.
//!
//! *Safe*: every invariant of `check` watches every run, and none breaks. *Live*: every task is settled
//! within [`PATIENCE`] after the last fault has healed. Where a pattern is meant to fail, [`FAILS`] says
//! under which faults and which promise it gives up there. It may then break that promise and do nothing
//! else wrong; and it must break it in some run, or the line is not true.

use std::collections::BTreeSet;
use std::fmt::Write;

use anthill::check::INVARIANTS;
use anthill::engine::{Seed, Time};
use anthill::fault::{FaultKind, FaultPlan, Origin};
use anthill::pattern::PATTERNS;
use anthill::scenario::Scenario;
use anthill::sim::{Outcome, PatternDef, Setup};
use anthill::trace::Promise;

use crate::common;

const SEEDS: u64 = 20;
/// All faults have healed by then \[s\].
const HEALED_S: u64 = 240;
/// The bound on what is left to do after that. One agent alone needs the longest: some eighty tasks of 15 s
/// and what slow faults cost it.
const PATIENCE: &str = "45min";

/// Eight agents, two relays that remember, two sites with jitter, and a load of two thirds for 4 minutes.
const SMALL: &str = r#"
[run]
horizon = "240s"
drain = "PATIENCE"
warmup = "30s"
[agents]
count = 8
[relays]
count = 2
durable = true
[network]
sites = ["eu", "us"]
inter = "60ms"
jitter = { exponential = { mean = "5ms" } }
[work]
source = { poisson = { rate_per_s = 0.35 } }
duration = { exponential = { mean = "15s" } }
turn = "5s"
[costs]
cognition = "500ms"
"#;

/// What goes wrong: its name, lines changed in the scenario, and tables added to it.
struct Trouble {
    name: &'static str,
    changes: &'static [(&'static str, &'static str)],
    faults: &'static str,
}

const fn fault(name: &'static str, faults: &'static str) -> Trouble {
    Trouble { name, changes: &[], faults }
}

const VOLATILE: (&str, &str) = ("durable = true", "durable = false");
const LOSSY: (&str, &str) = ("[network]", "[network]\nloss = 0.05");
const REORDER: (&str, &str) = ("[network]", "[network]\norder = \"reorder\"");
const POLLING: (&str, &str) = ("[network]", "[network]\ntransport = { poll = { interval = \"2s\" } }");
const OUTAGE: &str = "[[faults.relay_outage]]\nat = \"2min\"\nfor = \"40s\"\n";
const PARTITION: &str = "[[faults.partition]]\nat = \"2min\"\nshare = 0.4\nfor = \"1min\"\n";

const TROUBLES: &[Trouble] = &[
    fault("nothing", ""),
    fault(
        "crash",
        "[[faults.crash]]\nat = \"90s\"\ntarget = \"agents:0.25\"\nrestart_after = \"30s\"\n\
         [[faults.crash]]\nat = \"150s\"\ntarget = \"agents:0.25\"\nrestart_after = \"10s\"\n",
    ),
    fault(
        "crash of authority",
        "[[faults.crash]]\nat = \"2min\"\ntarget = \"authority\"\nrestart_after = \"30s\"\n",
    ),
    fault("pause", "[[faults.pause]]\nat = \"2min\"\ntarget = \"agents:0.25\"\nfor = \"1min\"\n"),
    fault("pause of authority", "[[faults.pause]]\nat = \"2min\"\ntarget = \"authority\"\nfor = \"30s\"\n"),
    fault("slow", "[[faults.slow]]\nat = \"1min\"\ntarget = \"agents:0.5\"\nfactor = 0.2\nfor = \"2min\"\n"),
    fault("partition", PARTITION),
    fault(
        "one-way partition",
        "[[faults.partition]]\nat = \"2min\"\nshare = 0.4\none_way = true\nfor = \"1min\"\n",
    ),
    fault("relay outage", OUTAGE),
    fault(
        "takeover",
        "[[faults.relay_outage]]\nmtbf = { exponential = { mean = \"2min\" } }\n\
         mttr = { exponential = { mean = \"20s\" } }\n\
         standby = { takeover = { exponential = { mean = \"5s\" } } }\n",
    ),
    Trouble { name: "outage of volatile relays", changes: &[VOLATILE], faults: OUTAGE },
    fault(
        "wrong output",
        "[[faults.wrong_output]]\nat = \"1min\"\ntarget = \"agents:0.5\"\nfor = \"2min\"\n\
         probability = 0.5\n",
    ),
    fault("stall", "[[faults.stall]]\nat = \"90s\"\ntarget = \"agents:0.5\"\nfor = \"1min\"\n"),
    fault(
        "churn",
        "[faults.churn]\nsession = { exponential = { mean = \"2min\" } }\n\
         absence = { exponential = { mean = \"15s\" } }\n",
    ),
    Trouble { name: "loss", changes: &[LOSSY], faults: "" },
    Trouble { name: "reordering", changes: &[REORDER], faults: "" },
    Trouble { name: "partition of pollers", changes: &[POLLING], faults: PARTITION },
];

/// Where a pattern is meant to fail, and what it gives up there.
const FAILS: &[(&str, &str, Promise)] = &[
    // What an agent had taken and not finished was in its memory alone.
    ("single", "crash", Promise::NoTaskLost),
    ("single", "crash of authority", Promise::NoTaskLost),
    ("single", "churn", Promise::NoTaskLost),
    ("independent", "crash", Promise::NoTaskLost),
    ("independent", "crash of authority", Promise::NoTaskLost),
    ("independent", "churn", Promise::NoTaskLost),
    // A coordinator without a standby loses its queue; a manager, what nobody had confirmed yet.
    ("hierarchical", "crash", Promise::NoTaskLost),
    ("hierarchical", "crash of authority", Promise::NoTaskLost),
    ("hierarchical", "churn", Promise::NoTaskLost),
    ("peer_to_peer", "crash", Promise::NoTaskLost),
    ("peer_to_peer", "crash of authority", Promise::NoTaskLost),
    ("peer_to_peer", "churn", Promise::NoTaskLost),
    // A log that is forgotten takes along the tasks nobody had claimed.
    ("event_driven", "outage of volatile relays", Promise::NoTaskLost),
    // Who only seemed dead finishes what was given to another, and nobody arbitrates.
    ("peer_to_peer", "pause", Promise::SettledOnce),
    ("peer_to_peer", "pause of authority", Promise::SettledOnce),
    ("peer_to_peer", "partition", Promise::SettledOnce),
    ("peer_to_peer", "one-way partition", Promise::SettledOnce),
    ("peer_to_peer", "stall", Promise::SettledOnce),
    ("peer_to_peer", "loss", Promise::SettledOnce),
    ("peer_to_peer", "partition of pollers", Promise::SettledOnce),
    // A client, or a worker, that hears nothing turns to the other relay: two logs, two claim tables.
    ("event_driven", "pause of authority", Promise::SettledOnce),
    ("event_driven", "loss", Promise::SettledOnce),
    ("hybrid", "one-way partition", Promise::SettledOnce),
    ("hybrid", "pause of authority", Promise::SettledOnce),
    ("hybrid", "stall", Promise::SettledOnce),
];

impl Trouble {
    fn text(&self) -> String {
        changed(self.changes, PATIENCE) + self.faults
    }
}

/// The scenario with so much time at its end, and with `changes` made.
fn changed(changes: &[(&str, &str)], patience: &str) -> String {
    let text = SMALL.replace("PATIENCE", patience);
    changes.iter().fold(text, |text, (from, to)| text.replacen(from, to, 1))
}

/// A run with checks on, and with every fault healed at the horizon.
fn setup(scenario: &Scenario, seed: u64) -> Setup {
    let mut setup = scenario.instantiate(Seed(seed), 0).unwrap_or_else(|error| panic!("{error}"));
    setup.checks = true;
    let healed = Time::from_secs(HEALED_S);
    let mut entries = setup.faults.entries.clone();
    entries.retain(|entry| entry.at < healed);
    entries.iter_mut().for_each(|entry| entry.until = Some(entry.until.unwrap_or(healed).min(healed)));
    setup.faults = FaultPlan::new(entries).into();
    setup
}

/// What a run shows that must be forgiven; an error where it cannot be.
fn judge(def: &PatternDef, trouble: &str, outcome: &Outcome) -> Result<Vec<Promise>, String> {
    let get = |metric: &str| outcome.metrics.get(metric);
    let (open, lost, twice) = (get("open"), get("tasks_lost"), get("double_settles"));
    if lost < open {
        return Err(format!("{} tasks are open that nobody acknowledged", open - lost));
    }
    let (mut broken, mut wrong) = (Vec::new(), Vec::new());
    for (count, promise, what) in [
        (lost, Promise::NoTaskLost, "acknowledged tasks are open"),
        (twice, Promise::SettledOnce, "settled tasks were settled again"),
    ] {
        let meant = FAILS.contains(&(def.name, trouble, promise)) && def.gives_up.contains(&promise);
        match (count > 0.0, meant) {
            (false, _) => {}
            (true, true) => broken.push(promise),
            (true, false) => wrong.push(format!("{count} {what}")),
        }
    }
    if wrong.is_empty() { Ok(broken) } else { Err(wrong.join(", and ")) }
}

#[test]
fn every_pattern_is_safe_and_live_under_every_kind_of_fault() {
    let (mut wrong, mut seen) = (String::new(), BTreeSet::new());
    for trouble in TROUBLES {
        let scenario = common::scenario(&trouble.text());
        for seed in 1..=SEEDS {
            let setup = setup(&scenario, seed);
            for def in PATTERNS {
                let outcome = (def.run)(&setup).map_err(|error| error.to_string());
                match outcome.and_then(|outcome| judge(def, trouble.name, &outcome)) {
                    Ok(broken) => {
                        seen.extend(broken.iter().map(|promise| (def.name, trouble.name, promise.name())));
                    }
                    Err(what) => {
                        let _ = writeln!(wrong, "{} under {}, seed {seed}: {what}", def.name, trouble.name);
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    for (pattern, trouble, promise) in FAILS {
        let line = (*pattern, *trouble, promise.name());
        assert!(seen.contains(&line), "{line:?} never happens");
    }
}

/// All kinds at once: nothing is promised about progress, but every invariant holds.
#[test]
fn every_pattern_is_safe_when_everything_goes_wrong_at_once() {
    let faults: String =
        TROUBLES.iter().filter(|trouble| trouble.changes.is_empty()).map(|t| t.faults).collect();
    for changes in [&[LOSSY, REORDER][..], &[LOSSY, VOLATILE], &[LOSSY, POLLING], &[VOLATILE, POLLING]] {
        let scenario = common::scenario(&(changed(changes, "10min") + &faults));
        for seed in 1..=SEEDS {
            let mut setup = setup(&scenario, seed);
            // A fault that strikes who is down already changes nothing; that is no matter here.
            let mut plan = (*setup.faults).clone();
            plan.entries.iter_mut().for_each(|entry| entry.origin = Origin::Law);
            setup.faults = plan.into();
            for def in PATTERNS {
                (def.run)(&setup).unwrap_or_else(|error| panic!("{changes:?}, seed {seed}: {error}"));
            }
        }
    }
}

/// With one relay that remembers, its claim table orders all results: whoever settles there settles once.
#[test]
fn one_durable_relay_settles_every_task_once() {
    for trouble in TROUBLES.iter().filter(|trouble| !trouble.changes.contains(&VOLATILE)) {
        let text = trouble.text().replacen("[relays]\ncount = 2", "[relays]\ncount = 1", 1);
        let scenario = common::scenario(&text);
        for seed in 1..=SEEDS / 2 {
            let setup = setup(&scenario, seed);
            for def in ["event_driven", "hybrid"].map(common::pattern) {
                let outcome = (def.run)(&setup).unwrap_or_else(|error| panic!("{}: {error}", trouble.name));
                let metrics = &outcome.metrics;
                let what = format!("{} under {}, seed {seed}", def.name, trouble.name);
                assert_eq!((metrics.get("double_settles"), metrics.get("open")), (0.0, 0.0), "{what}");
            }
        }
    }
}

/// The list of troubles is whole.
#[test]
fn every_kind_of_fault_is_tried() {
    let mut kinds = BTreeSet::new();
    for trouble in TROUBLES {
        for entry in &setup(&common::scenario(&trouble.text()), 1).faults.entries {
            // A new kind does not compile here, and then stands in the list above.
            kinds.insert(match entry.kind {
                FaultKind::Crash => "crash",
                FaultKind::Leave => "leave",
                FaultKind::Pause => "pause",
                FaultKind::Slow { .. } => "slow",
                FaultKind::Outage => "outage",
                FaultKind::Takeover => "takeover",
                FaultKind::Partition { .. } => "partition",
                FaultKind::WrongOutput { .. } => "wrong_output",
                FaultKind::Stall => "stall",
            });
        }
    }
    assert_eq!(kinds.len(), 9, "{kinds:?}");
}

#[test]
fn invariants_have_names_and_say_what_must_hold() {
    for (index, def) in INVARIANTS.iter().enumerate() {
        assert!(!def.about.is_empty() && INVARIANTS[..index].iter().all(|other| other.name != def.name));
    }
}
