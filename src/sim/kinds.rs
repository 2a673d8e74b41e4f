//! Kinds of messages with what a scenario says they cost.

use super::protocol::{Kind, Message, Protocol};
use super::setup::Setup;
use crate::engine::{Law, Rng, Span};
use crate::trace::{Phase, Plane};
use crate::work::Role;

/// A law with its constant value at hand, so that constant costs draw nothing.
#[derive(Clone, Debug)]
pub(super) struct Cost {
    law: Law,
    fixed: Option<Span>,
}

impl Cost {
    pub(super) fn new(law: &Law) -> Cost {
        Cost { fixed: law.constant().map(Span::from_secs_f64), law: law.clone() }
    }
    #[inline]
    pub(super) fn draw(&self, rng: impl FnOnce() -> Rng) -> Span {
        self.fixed.unwrap_or_else(|| self.law.sample_span(&mut rng()))
    }
    pub(super) fn is_zero(&self) -> bool {
        self.fixed == Some(Span::ZERO)
    }
    pub(super) fn draw_fixed(&self) -> Option<Span> {
        self.fixed
    }
    pub(super) fn sample(&self, rng: &mut Rng) -> Span {
        self.law.sample_span(rng)
    }
}

/// A kind of message with what the scenario says it costs.
#[derive(Clone, Debug)]
pub(super) struct ResolvedKind {
    pub(super) kind: Kind,
    pub(super) plane: Plane,
    pub(super) at_agent: Cost,
    pub(super) at_relay: Cost,
    pub(super) per_token: Span,
    pub(super) priority: i16,
}

impl ResolvedKind {
    /// What handling it costs a node of this role, apart from its tokens.
    #[inline]
    pub(super) fn cost(&self, role: Role) -> &Cost {
        match role {
            Role::Relay => &self.at_relay,
            Role::Client | Role::Agent => &self.at_agent,
        }
    }
}

/// The kinds of a run, as `Record::Sent` numbers them.
#[derive(Clone, Debug)]
pub struct Kinds(pub Vec<Kind>);

/// Positions of the client protocol's kinds.
pub(super) const SUBMIT: u8 = 0;
pub(super) const ACKNOWLEDGE: u8 = 1;

/// The client protocol, the same under every pattern.
pub(crate) const CLIENT_KINDS: [Kind; 2] = [
    Kind {
        name: "submit",
        phase: Phase::Assignment,
        plane: Plane::Harness,
        bytes: 1_024,
        about: "a client hands over a task",
    },
    Kind {
        name: "acknowledge",
        phase: Phase::Assignment,
        plane: Plane::Harness,
        bytes: 64,
        about: "the pattern took charge of a task (clients read it at no cost)",
    },
];

/// The client protocol's kinds, then those of `P`, as records number them.
pub(super) fn resolve_kinds<P: Protocol>(setup: &Setup) -> Vec<ResolvedKind> {
    let costs = &setup.costs;
    CLIENT_KINDS
        .iter()
        .chain(P::Msg::KINDS)
        .map(|&kind| {
            let special = costs.kinds.get(kind.name);
            let plane = special.and_then(|special| special.plane).unwrap_or(kind.plane);
            let time = special.and_then(|special| special.time.as_ref());
            let default = match plane {
                Plane::Harness => &costs.harness,
                Plane::Cognition => &costs.cognition,
            };
            let per_token = match (special, plane) {
                (Some(special), _) => special.per_token,
                (None, Plane::Cognition) => costs.cognition_per_token,
                (None, Plane::Harness) => Span::ZERO,
            };
            let zero = Law::fixed(Span::ZERO);
            let (at_agent, at_relay) = if P::ORACLE {
                (&zero, &zero)
            } else {
                (time.unwrap_or(default), time.unwrap_or(&setup.relay.service))
            };
            let per_token = if P::ORACLE { Span::ZERO } else { per_token };
            ResolvedKind {
                kind,
                plane,
                at_agent: Cost::new(at_agent),
                at_relay: Cost::new(at_relay),
                per_token,
                priority: special.map_or(0, |special| special.priority),
            }
        })
        .collect()
}
