//! Agents that leave and return, each on its own clock and from its own address.

use super::spec::{Churn, ChurnStart};
use super::{Entry, FaultKind, Origin, Residual, Scope, Target};
use crate::engine::{Law, Span, Time};

/// The address of churn among the laws of a plan; `draw.rs` counts its own from 1.
const CHURN: u64 = 9 << 56;

/// Draws of one agent: the state at the start, what is left of it, then session and absence in turn.
const STATE: u64 = 0;
const LEFT: u64 = 1;
const FIRST_INTERVAL: u64 = 2;

/// Adds the departures of every present agent.
pub(super) fn draw(churn: &Churn, scope: &Scope<'_>, entries: &mut Vec<Entry>) {
    let fleet = scope.fleet;
    let from = churn.from.map_or(scope.from, |from| Time::ZERO + from);
    let laws = Laws::new(churn);
    for node in fleet.present() {
        let agent = fleet.index_in_role(node);
        let mut leave = |at: Time, until: Time| {
            let (kind, target) = (FaultKind::Leave, Target::Agent(agent));
            entries.push(Entry { at, until: Some(until), kind, target, origin: Origin::Law });
        };
        let open = |ordinal| scope.key.open(CHURN | u64::from(agent), ordinal);
        let squeezed = |span: Span| span.mul_f64(1.0 / churn.compression).min(Span::LONGEST);
        let away = churn.start == ChurnStart::Stationary && open(STATE).chance(laws.absent_share);
        let left = if away { &laws.absence_left } else { &laws.session_left };
        let mut now = from + squeezed(left.sample_span(&mut open(LEFT)));
        if away {
            leave(from, now);
        }
        for round in 0.. {
            // An agent that was away at first begins with a whole session.
            if round > 0 || away {
                let session = laws.session.sample_span(&mut open(FIRST_INTERVAL + 2 * round));
                now += squeezed(session).max(SHORTEST);
            }
            if now >= scope.end {
                break;
            }
            let absence = laws.absence.sample_span(&mut open(FIRST_INTERVAL + 2 * round + 1));
            let back = now + squeezed(absence).max(SHORTEST);
            leave(now, back);
            now = back;
        }
    }
}

/// Shorter intervals than this are as good as none, and a chain of them would never end.
const SHORTEST: Span = Span::from_millis(1);

struct Laws {
    session: Law,
    absence: Law,
    session_left: Residual,
    absence_left: Residual,
    absent_share: f64,
}

impl Laws {
    fn new(churn: &Churn) -> Laws {
        let (session, absence) =
            (churn.session.law().expect("validated"), churn.absence.law().expect("validated"));
        Laws {
            session_left: Residual::of(&session).expect("validated"),
            absence_left: Residual::of(&absence).expect("validated"),
            absent_share: absence.mean() / (session.mean() + absence.mean()),
            session,
            absence,
        }
    }
}
