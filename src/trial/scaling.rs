//! Scalability laws: fitted to given throughputs, and found again by simulating what they describe.
//!
//! The Universal Scalability Law X(N) = γN ÷ (1 + σ(N − 1) + κN(N − 1)) (Gunther 2007); Amdahl's law is a
//! lock that all agents reach together; Gustafson's a serial part beside parallel work that grows with the
//! agents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::{Agenda, Engine, Key, Model, Span, Time};
use crate::error::Problems;
use crate::metrics::MetricDef;
use crate::stats::usl::Usl;

/// Fits the law to measured points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UslFit {
    /// Numbers of agents, three different ones at least.
    pub sizes: Vec<f64>,
    /// Throughput at each size, in any unit.
    pub throughputs: Vec<f64>,
    /// Size at which to evaluate the fitted law. Default: the largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
}

impl UslFit {
    fn points(&self) -> Vec<(f64, f64)> {
        self.sizes.iter().copied().zip(self.throughputs.iter().copied()).collect()
    }
}

impl Trial for UslFit {
    const NAME: &'static str = "usl_fit";
    const ABOUT: &'static str = "the Universal Scalability Law fitted by least squares (Gunther 2007)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher("gamma", "throughput", "throughput of one agent"),
        MetricDef::lower("sigma", "1", "contention"),
        MetricDef::lower("kappa", "1", "coherency"),
        MetricDef::neutral("gamma_error", "throughput", "standard error of gamma; none with three points"),
        MetricDef::neutral("sigma_error", "1", "standard error of sigma; none with three points"),
        MetricDef::neutral("kappa_error", "1", "standard error of kappa; none with three points"),
        MetricDef::neutral("peak_size", "agents", "√((1 − σ)/κ); none without a peak"),
        MetricDef::higher("peak_throughput", "throughput", "the law at its peak; none without a peak"),
        MetricDef::higher("amdahl_limit", "throughput", "γ/σ; none unless σ > 0"),
        MetricDef::neutral("optimal_size", "agents", "1/σ; none unless σ > 0"),
        MetricDef::neutral("throughput", "throughput", "the law at size `at`"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let (sizes, throughputs) = (self.sizes.len(), self.throughputs.len());
        let limits = Limits::new()
            .fits(
                sizes == throughputs,
                "throughputs",
                throughputs,
                format!("{sizes} of them, one for each size"),
            )
            .at_least("at", self.at.unwrap_or(1.0), 1);
        match Usl::fit(&self.points()) {
            Ok(_) => limits,
            Err(error) => limits.fits(false, "sizes", format!("{:?}", self.sizes), error.to_string()),
        }
        .done()
    }

    fn run(&self, _: Key) -> Vec<f64> {
        let fit = Usl::fit(&self.points()).expect("checked");
        let (peak_size, peak_throughput) = fit.peak().unwrap_or((f64::NAN, f64::NAN));
        let at = self.at.unwrap_or(self.sizes.iter().copied().fold(1.0, f64::max));
        vec![
            fit.gamma,
            fit.sigma,
            fit.kappa,
            fit.gamma_error,
            fit.sigma_error,
            fit.kappa_error,
            peak_size,
            peak_throughput,
            fit.amdahl_limit().unwrap_or(f64::NAN),
            fit.optimal_size().unwrap_or(f64::NAN),
            fit.throughput(at),
        ]
    }
}

/// Agents work, meet at a lock, pass it one by one, and go on together (the synchronous repairman).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LockRounds {
    /// Agents.
    pub agents: u32,
    /// Work of a job that all agents do at once.
    pub parallel: Span,
    /// Work of a job under the lock.
    pub serial: Span,
    /// Jobs each agent does. Default 10.
    #[serde(default = "ten")]
    pub rounds: u32,
}

fn ten() -> u32 {
    10
}

enum Step {
    /// A round begins.
    Begins,
    /// An agent reaches the lock.
    Reached,
    /// The holder gives the lock back: its job is done.
    Released,
}

struct Lock {
    agents: u32,
    parallel: Span,
    serial: Span,
    rounds: u32,
    waiting: u32,
    passed: u32,
}

impl Model for Lock {
    type Event = Step;
    fn handle(&mut self, step: Step, agenda: &mut Agenda<Step>) {
        match step {
            Step::Begins => {
                self.passed = 0;
                for _ in 0..self.agents {
                    agenda.after(self.parallel, Step::Reached);
                }
            }
            Step::Reached => {
                self.waiting += 1;
                if self.waiting == 1 {
                    agenda.after(self.serial, Step::Released);
                }
            }
            Step::Released => {
                (self.waiting, self.passed) = (self.waiting - 1, self.passed + 1);
                if self.waiting > 0 {
                    agenda.after(self.serial, Step::Released);
                } else if self.passed == self.agents {
                    self.rounds -= 1;
                    if self.rounds > 0 {
                        agenda.after(Span::ZERO, Step::Begins);
                    }
                }
            }
        }
    }
}

impl LockRounds {
    /// Simulated speed-up of `agents` over one agent: work done ÷ time taken.
    fn speedup(&self, agents: u32) -> f64 {
        let LockRounds { parallel, serial, rounds, .. } = *self;
        let mut engine = Engine::new(Lock { agents, parallel, serial, rounds, waiting: 0, passed: 0 });
        engine.agenda().at(Time::ZERO, Step::Begins);
        let took = engine.run().now.since(Time::ZERO).as_secs_f64();
        f64::from(agents) * f64::from(rounds) * (parallel + serial).as_secs_f64() / took
    }
}

impl Trial for LockRounds {
    const NAME: &'static str = "lock_rounds";
    const ABOUT: &'static str = "agents in synchronous rounds through one lock (Amdahl 1967; Gunther 2007)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher(
            "speedup",
            "1",
            "jobs · (parallel + serial) / time taken; N/(1 + σ(N − 1)) in theory",
        ),
        MetricDef::lower(
            "sigma_fitted",
            "1",
            "contention of the scalability law fitted to simulated 1, ⌈N/4⌉, ⌈N/2⌉ and N agents; none with \
             fewer than three sizes",
        ),
        MetricDef::lower("kappa_fitted", "1", "coherency of the same fit"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let work = (self.parallel + self.serial).as_secs_f64();
        Limits::new()
            .at_least("agents", self.agents, 1)
            .fits(work > 0.0, "parallel", self.parallel, "some work: above 0s, or a serial part that is")
            .at_least("rounds", self.rounds, 1)
            .done()
    }

    fn run(&self, _: Key) -> Vec<f64> {
        let n = self.agents;
        let points = [1, n.div_ceil(4), n.div_ceil(2), n].map(|size| (f64::from(size), self.speedup(size)));
        let fit = Usl::fit(&points);
        let (sigma, kappa) = fit.map_or((f64::NAN, f64::NAN), |fit| (fit.sigma, fit.kappa));
        vec![self.speedup(n), sigma, kappa]
    }
}

/// One agent does the serial part, then all do the parallel part, as much each as one agent alone would.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScaledWork {
    /// Agents.
    pub agents: u32,
    /// Serial share of the time of the parallel run.
    pub serial: f64,
}

/// Counts the work that ends.
struct Working {
    agents: u32,
    parallel: Span,
    done: Span,
}

impl Model for Working {
    /// Work that ends now; `true` after the serial part.
    type Event = (Span, bool);
    fn handle(&mut self, (work, serial): (Span, bool), agenda: &mut Agenda<(Span, bool)>) {
        self.done += work;
        if serial {
            for _ in 0..self.agents {
                agenda.after(self.parallel, (self.parallel, false));
            }
        }
    }
}

impl Trial for ScaledWork {
    const NAME: &'static str = "scaled_work";
    const ABOUT: &'static str = "scaled speed-up of work that grows with the agents (Gustafson 1988)";
    const METRICS: &'static [MetricDef] =
        &[MetricDef::higher("scaled_speedup", "1", "work done / time taken; N − s(N − 1) in theory")];

    fn check(&self) -> Result<(), Problems> {
        Limits::new().at_least("agents", self.agents, 1).probability("serial", self.serial).done()
    }

    fn run(&self, _: Key) -> Vec<f64> {
        let whole = Span::from_secs(1000);
        let serial = whole.mul_f64(self.serial);
        let mut engine =
            Engine::new(Working { agents: self.agents, parallel: whole - serial, done: Span::ZERO });
        engine.agenda().after(serial, (serial, true));
        let took = engine.run().now.since(Time::ZERO);
        vec![engine.model().done.as_secs_f64() / took.as_secs_f64()]
    }
}

/// A job split evenly, where every pair of agents must agree in turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PairwiseTalks {
    /// Work of the job.
    pub work: Span,
    /// Time that one pair takes to agree; pairs talk one after the other.
    pub talk: Span,
    /// Agents whose makespan is `makespan_s`. Default 1.
    #[serde(default = "single")]
    pub agents: u32,
    /// The largest team tried in search of the best one. Default 100.
    #[serde(default = "hundred")]
    pub agents_max: u32,
}

fn single() -> u32 {
    1
}
fn hundred() -> u32 {
    100
}

/// Workers still busy, and talks still to come once all are done.
struct Team {
    busy: u32,
    talks: u64,
    talk: Span,
}

impl Model for Team {
    /// Whether it was a talk that ended, or else a share of the work.
    type Event = bool;
    fn handle(&mut self, talked: bool, agenda: &mut Agenda<bool>) {
        if !talked {
            self.busy -= 1;
        }
        if self.busy == 0 && self.talks > 0 {
            self.talks -= 1;
            agenda.after(self.talk, true);
        }
    }
}

impl PairwiseTalks {
    fn makespan(&self, agents: u32) -> f64 {
        let talks = u64::from(agents) * u64::from(agents - 1) / 2;
        let mut engine = Engine::new(Team { busy: agents, talks, talk: self.talk });
        for _ in 0..agents {
            engine.agenda().after(self.work.mul_f64(1.0 / f64::from(agents)), false);
        }
        engine.run().now.as_secs_f64()
    }
}

impl Trial for PairwiseTalks {
    const NAME: &'static str = "pairwise_talks";
    const ABOUT: &'static str = "the best size of a team in which every pair must talk (Brooks 1975)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("makespan_s", "s", "time of `agents`; W/n + c·n(n − 1)/2 in theory"),
        MetricDef::neutral("best_agents", "agents", "team of the shortest time, up to `agents_max`"),
        MetricDef::lower("best_makespan_s", "s", "that time"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .positive("work", self.work.as_secs_f64())
            .at_least("agents", self.agents, 1)
            .fits((1..=2000).contains(&self.agents_max), "agents_max", self.agents_max, "from 1 to 2000")
            .done()
    }

    fn run(&self, _: Key) -> Vec<f64> {
        let (mut best, mut shortest) = (1, f64::INFINITY);
        for agents in 1..=self.agents_max {
            let makespan = self.makespan(agents);
            if makespan < shortest {
                (best, shortest) = (agents, makespan);
            }
        }
        vec![self.makespan(self.agents), f64::from(best), shortest]
    }
}
