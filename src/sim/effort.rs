//! How much effort a job takes, what records call it, and how urgent it is among its equals.
//!
//! Costs are drawn by address: the node and the ordinal of its service. It must not know when a job is
//! served.

use super::cx::Effort;
use super::execution::Job;
use super::kinds::CLIENT_KINDS;
use super::protocol::Protocol;
use super::world::World;
use crate::engine::{Rng, Span};
use crate::trace::{Activity, NodeId, Observer, Phase};
use crate::work::Role;

impl<P: Protocol, O: Observer> World<'_, P, O> {
    /// Opens the stream of the next service at `node`, which its cost is drawn from, if it is drawn.
    #[inline]
    fn next_service(&mut self, node: NodeId) -> impl FnOnce() -> Rng + use<P, O> {
        let state = &mut self.nodes[node.index()];
        state.served += 1;
        let (key, address, ordinal) = (self.cost_key, state.costs, state.served);
        move || key.stream(address, ordinal)
    }

    /// What `effort` amounts to at speed 1.
    pub(super) fn effort(&mut self, node: NodeId, effort: Effort) -> Span {
        match effort {
            Effort::Time(span) => span,
            Effort::Like { kind, tokens } => self.handling(node, CLIENT_KINDS.len() + kind, tokens),
        }
    }

    /// What verifying an output amounts to at speed 1.
    pub(super) fn verifying(&mut self, node: NodeId) -> Span {
        let rng = self.next_service(node);
        self.verify.draw(rng)
    }

    #[inline]
    fn handling(&mut self, node: NodeId, kind: usize, tokens: u32) -> Span {
        let rng = self.next_service(node);
        let kind = &self.kinds[kind];
        let base = kind.cost(self.nodes[node.index()].role).draw(rng);
        if tokens == 0 {
            return base;
        }
        base + kind.per_token.mul_f64(f64::from(tokens)).min(Span::LONGEST)
    }

    /// The priority of a step that takes `effort`: that of the kind of message it is like.
    pub(super) fn effort_priority(&self, effort: Effort) -> i16 {
        match effort {
            Effort::Time(_) => 0,
            Effort::Like { kind, .. } => self.kinds[CLIENT_KINDS.len() + kind].priority,
        }
    }

    pub(super) fn priority(&self, job: Job) -> i16 {
        match job {
            Job::Letter(letter) => self.kinds[usize::from(self.letters.get(letter.0).kind)].priority,
            Job::Execution(execution) => {
                self.setup.tasks.card(self.executions[execution.index()].task).priority
            }
            Job::Errand(slot) => self.errands.get(slot).priority,
            Job::Poll { .. } => 0,
        }
    }

    /// How much effort `job` takes at `node` \[time at speed 1\], and what records call it.
    #[inline]
    pub(super) fn size_up(&mut self, node: NodeId, job: Job) -> (Span, Activity) {
        match job {
            Job::Letter(letter) => {
                let letter = self.letters.get(letter.0);
                let (kind, tokens) = (usize::from(letter.kind), letter.tokens);
                let activity = Activity::Coordinating(self.kinds[kind].kind.phase);
                (self.handling(node, kind, tokens), activity)
            }
            Job::Execution(execution) => {
                let work = self.setup.tasks.work(self.executions[execution.index()].task);
                (work, Activity::Executing(execution))
            }
            Job::Errand(slot) => {
                let errand = self.errands.get(slot);
                (errand.effort, errand.kind.activity())
            }
            Job::Poll { .. } => (self.poll_effort(node), Activity::Coordinating(Phase::Synchronisation)),
        }
    }

    /// A relay answers a poll as it handles a message; an agent composes one in the mean time of its harness.
    fn poll_effort(&mut self, node: NodeId) -> Span {
        match self.nodes[node.index()].role {
            Role::Relay => {
                let rng = self.next_service(node);
                self.setup.relay.service.sample_span(&mut rng())
            }
            Role::Client | Role::Agent => Span::from_secs_f64(self.setup.costs.harness.mean()),
        }
    }

    /// What records call a job that was sized up before.
    pub(super) fn activity(&self, job: Job) -> Activity {
        match job {
            Job::Letter(letter) => {
                let kind = usize::from(self.letters.get(letter.0).kind);
                Activity::Coordinating(self.kinds[kind].kind.phase)
            }
            Job::Execution(execution) => Activity::Executing(execution),
            Job::Errand(slot) => self.errands.get(slot).kind.activity(),
            Job::Poll { .. } => Activity::Coordinating(Phase::Synchronisation),
        }
    }
}
