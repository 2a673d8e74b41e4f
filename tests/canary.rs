//! Things deliberately broken that the checks must catch: a guard never seen to fail is no guard.

use std::rc::Rc;
use std::sync::Arc;

use anthill::check::{Checks, Ground};
use anthill::engine::{Dist, EventId, Span, Time};
use anthill::error::Error;
use anthill::experiment::Comparison;
use anthill::metrics::ledger::Ledger;
use anthill::metrics::tasks::TaskCounts;
use anthill::net::{Order, Sites};
use anthill::pattern::{Hierarchical, hierarchical};
use anthill::sim::{
    CxOf, Kind, Message, Protocol, Seat, Seats, Setup, Submission, Work, WorkKind, ground, measure, run,
};
use anthill::trace::{Fact, NodeId, Observer, Promise, Record, TaskId};
use anthill::work::Fleet;

use crate::common;

const CALM: &str = r#"
[run]
horizon = "10min"
warmup = "0s"
[agents]
count = 5
[work]
source = { poisson = { rate_per_s = 0.05 } }
duration = "20s"
"#;

/// What the run or comparison says is broken; panics if it says nothing.
fn broken<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    let error = result.expect_err("the checks let it pass");
    assert_eq!(error.exit_code(), 1, "{error}");
    match error {
        Error::Invariant(what) => what,
        other => panic!("{other}"),
    }
}

/// Settles whatever it finishes twice; says so beforehand if `DECLARED`.
#[derive(Debug)]
struct Twice<const DECLARED: bool>;

/// No message.
#[derive(Clone, Debug)]
pub enum Nothing {}
impl Message for Nothing {
    const KINDS: &'static [Kind] = &[];
    fn kind(&self) -> usize {
        match *self {}
    }
}

impl<const DECLARED: bool> Protocol for Twice<DECLARED> {
    const NAME: &'static str = "twice";
    const ABOUT: &'static str = "settles every task twice";
    const GIVES_UP: &'static [Promise] = if DECLARED { &[Promise::SettledOnce] } else { &[] };
    type Params = anthill::pattern::single::Params;
    type Msg = Nothing;
    type Timer = ();
    fn seats(_: &Self::Params, _: &Fleet) -> Seats {
        Seats::default()
    }
    fn entry(_: &Self::Params, fleet: &Fleet, _: &Seats, _: Submission) -> NodeId {
        fleet.agent(0)
    }
    fn sit(_: &Self::Params, _: &Seat<'_>) -> Self {
        Twice
    }
    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        cx.work(task, ());
    }
    fn on_work(&mut self, done: Work, (): (), cx: &mut CxOf<'_, Self>) {
        if let WorkKind::Executed(output) = done.kind {
            cx.settle(done.task, output);
            cx.settle(done.task, output);
        }
    }
}

#[test]
fn a_pattern_that_settles_twice_is_caught_unless_it_said_so() {
    let setup = common::setup(CALM);
    let what = broken(measure::<Twice<false>>(&setup));
    assert!(what.contains("double_settle: task 0") && what.contains("pattern twice, seed 1"), "{what}");
    measure::<Twice<true>>(&setup).expect("a promise given up is not broken");
}

/// Hides the `hidden`-th record that `picks`, as a world would that forgot to emit it.
struct Leaky<O> {
    inner: O,
    picks: fn(&Record) -> bool,
    hidden: u32,
}

impl<O: Observer> Observer for Leaky<O> {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        if (self.picks)(record) {
            self.hidden = self.hidden.wrapping_sub(1);
            if self.hidden == 0 {
                return;
            }
        }
        self.inner.observe(at, cause, record);
    }
}

fn leak<O: Observer>(setup: &Setup, inner: O, picks: fn(&Record) -> bool, hidden: u32) -> O {
    let params = hierarchical::Params::default();
    run::<Hierarchical, _>(setup, &params, Leaky { inner, picks, hidden }).1.inner
}

#[test]
fn a_world_that_leaks_agent_time_is_caught() {
    let setup = common::setup(CALM);
    let ledger = || Ledger::new(setup.fleet.clone(), setup.tasks.clone(), setup.clock.warmup);
    let fate = |record: &Record| matches!(record, Record::Fate { .. });
    let ceased = |record: &Record| matches!(record, Record::Ceased { node: NodeId(3), .. });
    assert_eq!(
        leak(&setup, ledger(), fate, 0).check(),
        Vec::<String>::new(),
        "nothing is hidden, nothing leaks"
    );
    for (what, picks) in [("a fate", fate as fn(&Record) -> bool), ("an end of attention", ceased)] {
        let caught = std::panic::catch_unwind(|| leak(&setup, ledger(), picks, 5).check());
        // An assertion in the ledger is as good as a finding.
        assert!(caught.is_err() || caught.is_ok_and(|found| !found.is_empty()), "{what} is missed by nobody");
    }
}

#[test]
fn a_world_that_loses_a_task_is_caught() {
    let setup = common::setup(CALM);
    let clock = setup.clock;
    let counts = || TaskCounts::new(&setup.tasks, clock.warmup, clock.horizon, clock.end());
    let finished = |record: &Record| matches!(record, Record::Accepted { .. });
    let arrived = |record: &Record| matches!(record, Record::Arrived { .. });
    assert_eq!(leak(&setup, counts(), finished, 0).violation(), None);
    assert!(
        leak(&setup, counts(), arrived, 3).violation().is_some(),
        "a task that never arrived was accepted"
    );
}

/// Says of itself what no node may say: `LIE` picks what.
#[derive(Debug)]
struct Liar<const LIE: u8>;

impl<const LIE: u8> Protocol for Liar<LIE> {
    const NAME: &'static str = "liar";
    const ABOUT: &'static str = "breaks its word";
    const GIVES_UP: &'static [Promise] = &[];
    type Params = anthill::pattern::single::Params;
    type Msg = Nothing;
    type Timer = ();
    fn seats(_: &Self::Params, _: &Fleet) -> Seats {
        Seats::default()
    }
    fn entry(_: &Self::Params, fleet: &Fleet, _: &Seats, _: Submission) -> NodeId {
        fleet.agent(0)
    }
    fn sit(_: &Self::Params, _: &Seat<'_>) -> Self {
        Liar
    }
    fn on_start(&mut self, cx: &mut CxOf<'_, Self>) {
        match LIE {
            // Everybody leads, in the same term.
            1 => cx.note(Fact::Leads { shard: 0, term: 3 }),
            // One offset is left out.
            2 => [0, 2].into_iter().for_each(|offset| cx.note(Fact::Appended { offset })),
            _ => {}
        }
    }
    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        if LIE == 3 {
            // Two agents get the same task.
            let until = cx.now() + Span::from_secs(60);
            for holder in [0, 1].map(|index| cx.fleet().agent(index)) {
                cx.note(Fact::Leased { task, holder, until });
            }
        }
        cx.work(task, ());
    }
    fn on_work(&mut self, done: Work, (): (), cx: &mut CxOf<'_, Self>) {
        if let WorkKind::Executed(output) = done.kind {
            cx.settle(done.task, output);
        }
    }
}

#[test]
fn a_pattern_that_breaks_its_word_is_caught_by_the_invariant() {
    let mut setup = common::setup(CALM);
    setup.checks = true;
    measure::<Liar<0>>(&setup).expect("who says nothing does not lie");
    for (invariant, result) in [
        ("one_leader", measure::<Liar<1>>(&setup)),
        ("log_gapless", measure::<Liar<2>>(&setup)),
        ("claim_exclusive", measure::<Liar<3>>(&setup)),
        ("settled_once", measure::<Twice<false>>(&setup)),
    ] {
        let what = broken(result);
        assert!(what.contains(&format!("invariant `{invariant}` at ")), "{invariant}: {what}");
        assert!(what.contains("seed 1, replication 0"), "{what}");
    }
}

const TROUBLED: &str = r#"
[network]
jitter = { exponential = { mean = "50ms" } }
[[faults.pause]]
at = "3min"
target = "agent:3"
for = "30s"
[[faults.partition]]
at = "5min"
share = 0.5
for = "30s"
"#;

/// A world that hides what it did, or keeps promises other than those the invariants were told of.
#[test]
fn a_world_that_breaks_an_invariant_is_caught() {
    let setup = common::setup(&format!("{CALM}{TROUBLED}"));
    let honest = || ground::<Hierarchical>(&setup);
    let watched =
        |picks: fn(&Record) -> bool, which| leak(&setup, Checks::new(&honest()), picks, which).broken();
    assert_eq!(watched(|_| false, 0), Vec::<String>::new(), "nothing is hidden, nothing breaks");
    // Two faults heal, the partition second; of everything else the first is hidden.
    type Picks = fn(&Record) -> bool;
    let hidden: [(&str, u32, Picks); 4] = [
        ("down_is_idle", 1, |record| matches!(record, Record::Up { .. })),
        ("tasks_conserved", 1, |record| matches!(record, Record::Arrived { .. })),
        ("delivery", 1, |record| matches!(record, Record::Delivered { .. })),
        ("partition_silent", 2, |record| matches!(record, Record::Fault { on: false, .. })),
    ];
    for (invariant, which, picks) in hidden {
        let found = watched(picks, which);
        let named = |line: &String| line.starts_with(&format!("invariant `{invariant}`"));
        assert!(found.iter().any(named), "{invariant}: {found:?}");
    }
    let told = |change: fn(&mut Ground)| {
        let mut ground = Rc::into_inner(honest()).expect("nobody else has it");
        change(&mut ground);
        leak(&setup, Checks::new(&Rc::new(ground)), |_| false, 0).broken()
    };
    let found = told(|ground| ground.sites = Arc::new(Sites::single(Span::from_secs(1))));
    assert!(found[0].starts_with("invariant `causality`"), "{found:?}");
    let mut loose = setup.clone();
    loose.network.order = Order::Reorder;
    loose.network.jitter = Dist::exponential(Span::from_secs(20)).law().expect("a law of its mean");
    let found = leak(&loose, Checks::new(&honest()), |_| false, 0).broken();
    assert!(found.iter().any(|line| line.starts_with("invariant `fifo`")), "{found:?}");
}

/// The agent is dead for good when the second crash is to strike it.
#[test]
fn a_scheduled_fault_that_changes_nothing_is_caught() {
    let dead = "[[faults.crash]]\nat = \"2min\"\ntarget = \"authority\"\n";
    common::setup(&format!("{CALM}{dead}"));
    let pattern = common::pattern("hierarchical");
    (pattern.run)(&common::setup(&format!("{CALM}{dead}"))).expect("once is fine");
    let again = format!("{CALM}{dead}{}", dead.replace("2min", "4min"));
    let what = broken((pattern.run)(&common::setup(&again)));
    assert!(what.contains("fault 1 (crash of authority at 4min) changed nothing"), "{what}");
}

fn compared(faults: &str) -> Result<Comparison, Error> {
    let scenario = common::scenario(&format!("{CALM}{faults}"));
    common::compared(&scenario, &[common::pattern("hierarchical")], 2, 1)
}

/// A law that strikes none but the dead, and one whose first strike comes after the end.
#[test]
fn a_random_law_that_never_fires_is_caught() {
    let dead = "[[faults.crash]]\nat = \"10s\"\ntarget = \"agent:3\"\n";
    let law = "[[faults.pause]]\nevery = \"1min\"\ntarget = \"agent:3\"\nfor = \"5s\"\n";
    compared(law).expect("the living can be paused");
    let what = broken(compared(&format!("{dead}{law}")));
    assert!(what.contains("the random law of `pause` never changed anything under hierarchical"), "{what}");
    let what = broken(compared(&law.replace("1min", "750s")));
    assert!(what.contains("the random law of `pause` never"), "{what}");
}
