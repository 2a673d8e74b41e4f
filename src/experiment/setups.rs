//! The setups of a comparison: each drawn once, shared by the runs of its replication, let go by the last.

use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::Seed;
use crate::error::Error;
use crate::fault::FaultPlan;
use crate::scenario::Scenario;
use crate::sim::Setup;

/// Setups by replication.
pub(super) struct Setups<'a> {
    scenario: &'a Scenario,
    seed: Seed,
    /// How many runs share a setup.
    runs: usize,
    shared: Vec<Mutex<Shared>>,
}

/// One replication's setup.
#[derive(Default)]
struct Shared {
    /// Runs that have asked for it.
    asked: usize,
    drawn: Option<Result<Arc<Setup>, String>>,
    /// What remains of it for the report.
    plan: Option<Arc<FaultPlan>>,
}

impl<'a> Setups<'a> {
    /// Those of `replications` replications of `scenario`, each for so many `runs`.
    pub(super) fn new(scenario: &'a Scenario, seed: Seed, replications: u32, runs: usize) -> Setups<'a> {
        let shared = (0..replications).map(|_| Mutex::default()).collect();
        Setups { scenario, seed, runs, shared }
    }

    /// The setup for one run of `replication`; the last run gets the only copy. Whoever comes first draws
    /// it, while those of the same replication wait.
    ///
    /// # Errors
    /// If it cannot be drawn.
    pub(super) fn take(&self, replication: u32) -> Result<Arc<Setup>, Error> {
        let mut shared = self.shared[replication as usize].lock().unwrap_or_else(PoisonError::into_inner);
        let Shared { asked, drawn, plan } = &mut *shared;
        let setup = drawn.get_or_insert_with(|| {
            let setup = self.scenario.instantiate(self.seed, replication);
            setup.map(Arc::new).map_err(|error| error.to_string())
        });
        let setup = setup.clone().map_err(Error::Invariant)?;
        plan.get_or_insert_with(|| Arc::clone(&setup.faults));
        *asked += 1;
        assert!(*asked <= self.runs, "no run asks twice");
        if *asked == self.runs {
            *drawn = None;
        }
        Ok(setup)
    }

    /// The fault plan of a replication that was drawn.
    pub(super) fn plan(&self, replication: u32) -> Arc<FaultPlan> {
        let shared = self.shared[replication as usize].lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shared.plan.as_ref().expect("the replication is complete"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::PATTERNS;
    use crate::scenario::Known;

    #[test]
    fn a_setup_is_let_go_by_its_last_run_and_its_plan_stays() {
        let known = Known { patterns: PATTERNS, trials: &[] };
        let scenario = Scenario::load("flagship", &[], &known).expect("the embedded flagship is valid");
        let setups = Setups::new(&scenario, Seed(1), 2, 3);
        let held: Vec<_> = (0..3).map(|_| setups.take(1).expect("drawn")).collect();
        assert!(Arc::ptr_eq(&held[0], &held[2]));
        assert_eq!(Arc::strong_count(&held[0]), 3, "nobody but the runs holds it");
        let plan = Arc::clone(&held[0].faults);
        drop(held);
        assert!(Arc::ptr_eq(&setups.plan(1), &plan));
    }
}
