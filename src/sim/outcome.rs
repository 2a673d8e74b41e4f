//! From a setup to numbers: one run with all observers, checked. And the registry's entry for a pattern.

use std::rc::Rc;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::observers::Observers;
use super::protocol::{Kind, Message, Protocol};
use super::setup::{Finish, Setup};
use super::world::{Firing, RunEnd, Violation, run};
use crate::check::{Checks, Ground};
use crate::engine::Span;
use crate::error::{Error, Problem, Problems};
use crate::fault::{Origin, Target};
use crate::metrics::MetricSet;
use crate::metrics::bound::Bound;
use crate::metrics::histogram::SojournHistogram;
use crate::metrics::ledger::Ledger;
use crate::metrics::queue::ClassNumbers;
use crate::metrics::series::RunSeries;
use crate::metrics::traffic::KindTraffic;
use crate::trace::{NodeId, Observer, Phase, Promise};
use crate::work::Fleet;

/// The numbers of one run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Name of the pattern.
    pub pattern: &'static str,
    /// Digest of everything that happened.
    pub fingerprint: u64,
    /// How the run ended, with what became of each fault.
    pub end: RunEnd,
    /// Every metric of the registry.
    pub metrics: MetricSet,
    /// Sojourn times of measured tasks, for pooled quantiles and plots.
    pub sojourns: SojournHistogram,
    /// Numbers of each class of tasks.
    pub classes: Vec<ClassNumbers>,
    /// Tasks present at each instant of [`Setup::probes`], in that order.
    pub probes: Vec<f64>,
    /// Counts by window of ten seconds.
    pub series: RunSeries,
    /// Messages by kind.
    pub kinds: Vec<KindTraffic>,
}

impl Outcome {
    /// The value of a metric, of all tasks or of one class; `None` if there is no such metric or class.
    pub fn value(&self, metric: &str, class: Option<&str>) -> Option<f64> {
        match class {
            None => crate::metrics::position(metric).map(|index| self.metrics.values()[index]),
            Some(name) => self.classes.iter().find(|class| class.name == name)?.get(metric),
        }
    }
}

/// A pattern as help, docs, scenarios and every cross-pattern test see it. Types are erased once per run.
#[derive(Clone, Copy)]
pub struct PatternDef {
    /// Name in scenarios, columns and plots.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// Promises it does not make.
    pub gives_up: &'static [Promise],
    /// Whether it is a reference with an oracle.
    pub oracle: bool,
    /// Its message kinds, without the client protocol.
    pub kinds: &'static [Kind],
    /// JSON schema of its parameters, with units and docs.
    pub schema: fn() -> schemars::Schema,
    /// Its default parameters.
    pub defaults: fn() -> serde_json::Value,
    /// Reads the table `[pattern.NAME]`; the result shows every default. An error knows its place.
    pub read: fn(toml::de::Deserializer<'_>) -> Result<serde_json::Value, toml::de::Error>,
    /// Checks parameters against a fleet; keys are relative to the pattern's table.
    pub check: fn(&serde_json::Value, &Fleet) -> Result<(), Problems>,
    /// Runs it.
    pub run: fn(&Setup) -> Result<Outcome, Error>,
    /// Runs it with this observer alone: no metrics, no checks.
    pub watch: fn(&Setup, &mut dyn Observer) -> Result<RunEnd, Error>,
}

impl std::fmt::Debug for PatternDef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PatternDef").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PatternDef {
    /// The entry of protocol `P`.
    pub const fn of<P: Protocol>() -> PatternDef {
        PatternDef {
            name: P::NAME,
            about: P::ABOUT,
            gives_up: P::GIVES_UP,
            oracle: P::ORACLE,
            kinds: P::Msg::KINDS,
            schema: || schemars::schema_for!(P::Params),
            defaults: || serde_json::to_value(P::Params::default()).expect("parameters are plain data"),
            read: |table| {
                let params = <P::Params as serde::Deserialize>::deserialize(table)?;
                Ok(serde_json::to_value(params).expect("parameters are plain data"))
            },
            check: |value, fleet| P::check(&parse::<P::Params>(value)?, fleet),
            run: measure::<P>,
            watch: watch::<P>,
        }
    }
}

fn parse<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T, Problems> {
    serde_json::from_value(value.clone()).map_err(|error| Problem::new(error.to_string()).into())
}

/// Runs `P` on `setup` with every observer and checks what must hold in every run.
///
/// # Errors
/// [`Error::Invalid`] if the parameters do not fit, [`Error::Invariant`] if the ledger does not add up,
/// tasks or letters are not conserved, a promise or a watched invariant is broken, a scheduled fault did
/// not fire or the price is below 1: such numbers must not be used.
pub fn measure<P: Protocol>(setup: &Setup) -> Result<Outcome, Error> {
    let params = params::<P>(setup)?;
    let clock = setup.clock;
    let authority = P::seats(&params, &setup.fleet).authority;
    let observers = Observers::new(setup, kinds_of::<P>(), &authority);
    let (end, observers, breaches) = if setup.checks || cfg!(debug_assertions) {
        let mut watched = (observers, Checks::new(&ground::<P>(setup)));
        let (end, _) = run::<P, &mut dyn Observer>(setup, &params, &mut watched);
        (end, watched.0, watched.1.broken())
    } else {
        let (end, observers) = run::<P, Observers>(setup, &params, observers);
        (end, observers, Vec::new())
    };
    let mut metrics = MetricSet::default();
    observers.fill(&end, &mut metrics);
    let Observers { fingerprint, ledger, latency, counts, traffic, series, queue, probes, .. } = observers;
    let bound = Bound::new(&setup.tasks, &setup.fleet, &setup.faults, clock.end());
    bound.fill(&counts, &mut metrics);
    whole::<P>(setup, &params, &end, &ledger, &mut metrics);

    let violations: Vec<String> =
        end.violations.iter().map(|Violation { at, what }| format!("at {at}: {what}")).collect();
    if end.cut_short {
        return Err(unusable::<P>(setup, violations));
    }
    let mut broken = ledger.check();
    broken.extend(counts.violation());
    broken.extend(violations);
    broken.extend(unfired(setup, &end));
    let gap = metrics.get("little_gap_share");
    if gap != 0.0 {
        let what = "Little's law: the number present and the times of single tasks differ by";
        broken.push(format!("{what} {gap}"));
    }
    broken.extend(breaches);
    if bound.is_beaten_by(counts.task_seconds()) {
        let price = metrics.get("price");
        broken.push(format!("price of coordination {price} is below its lower bound of 1"));
    }
    if !broken.is_empty() {
        return Err(unusable::<P>(setup, broken));
    }
    Ok(Outcome {
        pattern: P::NAME,
        fingerprint: fingerprint.value(),
        end,
        metrics,
        sojourns: latency.histogram(),
        classes: queue.classes(),
        probes: probes.answers(),
        series: series.series(),
        kinds: traffic.kinds().to_vec(),
    })
}

/// The error that names a run and says what is wrong with it.
fn unusable<P: Protocol>(setup: &Setup, broken: Vec<String>) -> Error {
    Error::Invariant(format!(
        "pattern {}, seed {}, replication {}:\n    {}",
        P::NAME,
        setup.seed.0,
        setup.replication,
        broken.join("\n    ")
    ))
}

/// The parameters of `P` in `setup`, checked against its fleet.
fn params<P: Protocol>(setup: &Setup) -> Result<P::Params, Error> {
    let params: P::Params = match setup.params.get(P::NAME) {
        Some(value) => parse(value)?,
        None => P::Params::default(),
    };
    P::check(&params, &setup.fleet)?;
    Ok(params)
}

fn watch<P: Protocol>(setup: &Setup, observer: &mut dyn Observer) -> Result<RunEnd, Error> {
    let params = params::<P>(setup)?;
    Ok(run::<P, &mut dyn Observer>(setup, &params, observer).0)
}

/// What the invariants may know of a run of `P` on `setup`.
pub fn ground<P: Protocol>(setup: &Setup) -> Rc<Ground> {
    Rc::new(Ground {
        fleet: Arc::clone(&setup.fleet),
        tasks: Arc::clone(&setup.tasks),
        faults: Arc::clone(&setup.faults),
        sites: Arc::clone(&setup.network.sites),
        order: setup.network.order,
        transport: setup.network.transport.build(&setup.fleet),
        lossy: setup.network.loss > 0.0,
        durable: setup.relay.durable,
        oracle: P::ORACLE,
        gives_up: P::GIVES_UP,
    })
}

fn kinds_of<P: Protocol>() -> Vec<(&'static str, Phase)> {
    super::kinds::CLIENT_KINDS.iter().chain(P::Msg::KINDS).map(|kind| (kind.name, kind.phase)).collect()
}

fn whole<P: Protocol>(
    setup: &Setup,
    params: &P::Params,
    end: &RunEnd,
    ledger: &Ledger,
    metrics: &mut MetricSet,
) {
    let clock = setup.clock;
    metrics.set("events", end.events as f64);
    let capacity = setup.fleet.capacity_until(clock.horizon);
    // How much arrives in a closed loop is the pattern's doing.
    let load = setup.tasks.total_work_s() / capacity;
    metrics.set("load_rho", if setup.tasks.is_closed_loop() { f64::NAN } else { load });
    metrics.set("standing_overhead_share", standing_overhead::<P>(setup, params));
    let busiest = |nodes: &mut dyn Iterator<Item = NodeId>| {
        nodes.map(|node| ledger.busy_share(node)).fold(f64::NAN, f64::max)
    };
    metrics.set("authority_busy_share", busiest(&mut end.seats.authority.iter().copied()));
    metrics.set("relay_busy_share", busiest(&mut (0..setup.fleet.relays()).map(NodeId)));
    let count = |firing: Firing| end.firing.iter().filter(|&&one| one == firing).count() as f64;
    metrics.set("faults_fired", count(Firing::Fired));
    metrics.set("faults_not_applicable", count(Firing::NotApplicable));
}

/// The coordinating share of the same fleet with nothing to do and nothing going wrong, over ten minutes.
fn standing_overhead<P: Protocol>(setup: &Setup, params: &P::Params) -> f64 {
    let window = Span::from_secs(600);
    let quiet = setup.without_tasks_and_faults(window);
    let mut ledger = Ledger::new(Arc::clone(&quiet.fleet), Arc::clone(&quiet.tasks), quiet.clock.warmup);
    run::<P, &mut dyn Observer>(&quiet, params, &mut ledger);
    let mut metrics = MetricSet::default();
    ledger.report(&mut metrics);
    metrics.get("coordinating_share")
}

/// Scheduled faults that changed nothing (model.md §4: fired = it changed its target's state).
fn unfired(setup: &Setup, end: &RunEnd) -> Vec<String> {
    let entries = &setup.faults.entries;
    let missed = |index: &usize| match end.firing[*index] {
        Firing::Idle => true,
        // A run that ends when its work is done may end before the fault.
        Firing::NotReached => setup.clock.finish == Finish::Drained,
        Firing::Fired | Firing::NotApplicable => false,
    };
    let scheduled = (0..entries.len()).filter(|&index| entries[index].origin == Origin::Scheduled);
    let name = |index: usize| {
        let entry = &entries[index];
        format!("fault {index} ({} of {} at {})", entry.kind.name(), describe(&entry.target), entry.at)
    };
    let why = |index: usize| match holder(setup, end, index) {
        Some(other) => format!("{} held its target down; move one of them", name(other)),
        None => "its target was in that state already; move it or name another target".to_owned(),
    };
    scheduled.filter(missed).map(|index| format!("{} changed nothing: {}", name(index), why(index))).collect()
}

/// Another fault that held a target of fault `index` down when it began.
fn holder(setup: &Setup, end: &RunEnd, index: usize) -> Option<usize> {
    let entries = &setup.faults.entries;
    let (one, nodes) = (&entries[index], end.seats.struck(&entries[index].target, &setup.fleet));
    (0..entries.len()).filter(|&other| other != index).find(|&other| {
        let entry = &entries[other];
        entry.kind.takes_down()
            && entry.at <= one.at
            && entry.until.is_none_or(|until| until >= one.at)
            && end.seats.struck(&entry.target, &setup.fleet).iter().any(|node| nodes.contains(node))
    })
}

fn describe(target: &Target) -> String {
    match target {
        Target::Agent(index) => format!("agent:{index}"),
        Target::Agents(indices) => format!("{} agents", indices.len()),
        Target::Relay(index) => format!("relay:{index}"),
        Target::Authority { .. } => "authority".to_owned(),
        Target::Network => "the network".to_owned(),
    }
}
