//! Trials: experiments on one mechanism or one statistical method alone, without agents or tasks.
//!
//! Where a scenario asks how a whole system behaves, a trial asks whether a part of it keeps to its theory:
//! how many claims collide, how many messages an election takes, how often a 95 % interval covers. A
//! scenario file may hold a `[trial.NAME]` table in place of agents and work; it is replicated, expected
//! and reported like any other. Trials run the code that patterns and experiments use, or simulate on the
//! engine's clock; they must not know scenarios, files or reports.
//!
//! A new trial is one file and its line in [`TRIALS`].

mod agenda;
mod agreement;
mod balance;
mod birthday;
mod bully;
mod causality;
mod chances;
mod channel;
mod claim_race;
mod contract_net;
mod coverage;
mod detector;
mod determinism;
mod exchange;
mod gossip;
mod known_answers;
mod lease;
mod links;
mod paired_draws;
mod phold;
mod quorum;
mod raft_election;
mod repair;
mod retry;
mod scaling;
mod selection;
mod swim;
#[cfg(test)]
mod tests;
mod tools;
mod topology;
mod trust;
mod turns;
mod warm_up;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::Key;
use crate::error::{Error, Problem, Problems};
use crate::metrics::MetricDef;

/// One experiment: its parameters are the table `[trial.NAME]`.
pub trait Trial: Serialize + DeserializeOwned + JsonSchema {
    /// Name in files; snake_case.
    const NAME: &'static str;
    /// One line, with the source of the theory.
    const ABOUT: &'static str;
    /// What a replication measures.
    const METRICS: &'static [MetricDef];
    /// Whether the parameters make sense; keys are relative to the trial's table.
    ///
    /// # Errors
    /// All that is wrong.
    fn check(&self) -> Result<(), Problems> {
        Ok(())
    }
    /// One replication: a value for each of [`Trial::METRICS`], in that order; NaN where one does not
    /// apply. All randomness comes from `key`, by address.
    fn run(&self, key: Key) -> Vec<f64>;
}

/// A trial as files, help and validation see it.
#[derive(Clone, Copy)]
pub struct TrialDef {
    /// Name in files.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// What it measures.
    pub metrics: &'static [MetricDef],
    /// JSON schema of its parameters, with units and docs.
    pub schema: fn() -> schemars::Schema,
    /// Reads the table `[trial.NAME]`; the result shows every default. An error knows its place.
    pub read: fn(toml::de::Deserializer<'_>) -> Result<serde_json::Value, toml::de::Error>,
    /// Checks parameters; keys are relative to the trial's table.
    pub check: fn(&serde_json::Value) -> Result<(), Problems>,
    /// Runs one replication on checked parameters.
    pub run: fn(&serde_json::Value, Key) -> Result<Vec<f64>, Error>,
}

impl std::fmt::Debug for TrialDef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrialDef").field("name", &self.name).finish_non_exhaustive()
    }
}

impl TrialDef {
    /// The entry of trial `T`.
    pub const fn of<T: Trial>() -> TrialDef {
        TrialDef {
            name: T::NAME,
            about: T::ABOUT,
            metrics: T::METRICS,
            schema: || schemars::schema_for!(T),
            read: |table| {
                let trial = T::deserialize(table)?;
                Ok(serde_json::to_value(trial).expect("parameters are plain data"))
            },
            check: |value| parse::<T>(value)?.check(),
            run: |value, key| {
                let trial = parse::<T>(value)?;
                trial.check()?;
                let values = trial.run(key);
                assert_eq!(values.len(), T::METRICS.len(), "{} measures what it says", T::NAME);
                Ok(values)
            },
        }
    }
}

fn parse<T: Trial>(value: &serde_json::Value) -> Result<T, Problems> {
    serde_json::from_value(value.clone()).map_err(|error| Problem::new(error.to_string()).into())
}

/// All trials, in the order of the families they serve.
pub const TRIALS: &[TrialDef] = &[
    TrialDef::of::<balance::ProbeSampling>(),
    TrialDef::of::<balance::RingShares>(),
    TrialDef::of::<balance::TailAtScale>(),
    TrialDef::of::<gossip::Rumor>(),
    TrialDef::of::<gossip::AntiEntropy>(),
    TrialDef::of::<gossip::PushRounds>(),
    TrialDef::of::<gossip::InfectAndDie>(),
    TrialDef::of::<swim::SwimDetection>(),
    TrialDef::of::<gossip::Averaging>(),
    TrialDef::of::<raft_election::RaftElection>(),
    TrialDef::of::<agreement::QuorumRound>(),
    TrialDef::of::<bully::Bully>(),
    TrialDef::of::<quorum::QuorumAvailability>(),
    TrialDef::of::<agreement::Pbft>(),
    TrialDef::of::<agreement::TwoPhaseCommit>(),
    TrialDef::of::<chances::Bipartition>(),
    TrialDef::of::<topology::Topology>(),
    TrialDef::of::<contract_net::ContractNet>(),
    TrialDef::of::<scaling::PairwiseTalks>(),
    TrialDef::of::<topology::AllReduce>(),
    TrialDef::of::<scaling::UslFit>(),
    TrialDef::of::<scaling::LockRounds>(),
    TrialDef::of::<scaling::ScaledWork>(),
    TrialDef::of::<claim_race::ClaimRace>(),
    TrialDef::of::<channel::SharedChannel>(),
    TrialDef::of::<retry::SlottedBackoff>(),
    TrialDef::of::<birthday::Birthday>(),
    TrialDef::of::<retry::OptimisticCommit>(),
    TrialDef::of::<retry::AtLeastOnce>(),
    TrialDef::of::<detector::HeartbeatDetector>(),
    TrialDef::of::<detector::FreshnessDetector>(),
    TrialDef::of::<detector::AccrualDetector>(),
    TrialDef::of::<lease::LeaseBlock>(),
    TrialDef::of::<lease::LeaseTraffic>(),
    TrialDef::of::<repair::Availability>(),
    TrialDef::of::<repair::Redundancy>(),
    TrialDef::of::<repair::Checkpoints>(),
    TrialDef::of::<causality::ClockBytes>(),
    TrialDef::of::<causality::StaleReads>(),
    TrialDef::of::<causality::Siblings>(),
    TrialDef::of::<links::OvertakingPair>(),
    TrialDef::of::<links::CutLink>(),
    TrialDef::of::<links::MinorityStall>(),
    TrialDef::of::<links::PushAndPoll>(),
    TrialDef::of::<turns::TurnOverhead>(),
    TrialDef::of::<turns::PowerLawFit>(),
    TrialDef::of::<turns::RelativeChange>(),
    TrialDef::of::<chances::WeightedKinds>(),
    TrialDef::of::<chances::Vote>(),
    TrialDef::of::<chances::StepChain>(),
    TrialDef::of::<chances::SpotCheck>(),
    TrialDef::of::<trust::Deterrence>(),
    TrialDef::of::<trust::SequentialTest>(),
    TrialDef::of::<trust::BetaRating>(),
    TrialDef::of::<coverage::IntervalCoverage>(),
    TrialDef::of::<warm_up::WarmUp>(),
    TrialDef::of::<paired_draws::PairedDraws>(),
    TrialDef::of::<selection::Selection>(),
    TrialDef::of::<coverage::SequentialStopping>(),
    TrialDef::of::<known_answers::KnownAnswers>(),
    TrialDef::of::<phold::Phold>(),
    TrialDef::of::<agenda::Hold>(),
    TrialDef::of::<agenda::Cancellation>(),
    TrialDef::of::<determinism::Determinism>(),
];

/// The trial called `name`.
pub fn find(name: &str) -> Option<&'static TrialDef> {
    TRIALS.iter().find(|trial| trial.name == name)
}
