//! The contract net: a manager calls for bids, contractors bid or refuse, the best bid gets the award.
//!
//! Smith, "The Contract Net Protocol", IEEE Trans. Computers C-29(12), 1980; standardised as the FIPA
//! Contract Net Interaction Protocol, SC00029H (2002), whose performatives are in brackets below.
//!
//! ```text
//! manager                     contractors
//!    │ call (cfp) ───────────────▶│  to each of n candidates
//!    │◀──── bid (propose) or refuse│  until everyone answered, or the deadline
//!    │ accept (accept-proposal) ──▶│  the best bid: earliest completion, then lowest node id
//!    │ reject (reject-proposal) ──▶│  the other bids, late ones included
//!    │◀──────────── inform(-done) │  or a decline / silence: the next best gets the award
//! ```
//!
//! Messages when all bid in time: n calls + n bids + 1 accept + (n−1) rejects + 1 inform = **3n + 1**;
//! with refusals, n + n + 1 accept + (bids − 1) rejects + 1 inform = 2n + bids + 1.
//!
//! The machine is the manager's side of one negotiation. Its owner sends what the [`Step`]s say, sets two
//! timers (bids, then confirmation of the award) and reports what arrives. Every input may come late, twice
//! or from a stranger; such input changes nothing but may earn a reject, so that nobody keeps time
//! reserved, or keeps working, for an award that went elsewhere.

use smallvec::SmallVec;

use crate::engine::Span;
use crate::trace::NodeId;

/// What a contractor knows when it composes a bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BidTerms {
    /// Work queued ahead of the task here.
    pub queued: Span,
    /// Expected time to execute the task here.
    pub work: Span,
    /// Time for the award and the task's context to arrive.
    pub latency: Span,
    /// Whether this contractor has the skill that the task needs.
    pub skilled: bool,
}

/// An offer: how long after the award the contractor expects to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bid {
    /// Estimated time from award to completion.
    pub completion: Span,
}

impl Bid {
    /// The honest bid on `terms`; `None` is a refusal, for lack of the skill.
    ///
    /// Queued work and the award's travel overlap, so the later of the two counts, not their sum.
    pub fn estimate(terms: BidTerms) -> Option<Bid> {
        terms.skilled.then(|| Bid { completion: terms.queued.max(terms.latency) + terms.work })
    }
}

/// When bidders that did not get the award hear of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Losers {
    /// With the award, as FIPA has it: nobody waits. A fallback then goes to a bidder that was rejected
    /// and may have taken other work.
    #[default]
    RejectedAtOnce,
    /// When the award is confirmed: a fallback finds its bidder still waiting, and everyone waits longer.
    HeldUntilConfirmed,
}

/// What the manager has to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Call on this candidate to bid.
    Call(NodeId),
    /// Award the task to this bidder and wait for its confirmation.
    Accept(NodeId),
    /// Tell this bidder that the task went elsewhere.
    Reject(NodeId),
    /// No bid is left to accept: find other candidates, or give up.
    Exhausted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Calling,
    Awarded { to: NodeId },
    Confirmed { by: NodeId },
    Exhausted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Called, silent so far.
    None,
    /// Refused, declined the award, or let it time out: out of the race.
    Out,
    /// Bid, and waiting to hear.
    Waiting,
    /// Bid, and was told that the task went elsewhere.
    Rejected,
}

/// One candidate. The bid stands beside the answer, not in it, for the sake of its size: 16 bytes, not 24.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    node: NodeId,
    answer: Answer,
    /// Means something only if the answer is one.
    bid: Bid,
}

/// The manager's side of one negotiation. Eight candidates and the manager itself need no allocation.
#[derive(Clone, Debug)]
pub struct Negotiation {
    losers: Losers,
    phase: Phase,
    candidates: SmallVec<[Candidate; 9]>,
    silent: u32,
}

impl Negotiation {
    /// Calls on `candidates` (each once, however often it is named); with none, exhausted at once.
    pub fn start(
        candidates: impl IntoIterator<Item = NodeId>,
        losers: Losers,
        steps: &mut impl Extend<Step>,
    ) -> Negotiation {
        let mut negotiation =
            Negotiation { losers, phase: Phase::Calling, candidates: SmallVec::new(), silent: 0 };
        for node in candidates {
            if negotiation.index(node).is_none() {
                let bid = Bid { completion: Span::ZERO };
                negotiation.candidates.push(Candidate { node, answer: Answer::None, bid });
                negotiation.silent += 1;
                steps.extend([Step::Call(node)]);
            }
        }
        if negotiation.silent == 0 {
            negotiation.award(steps);
        }
        negotiation
    }

    /// `from` bids. The last answer missing closes the call; a late bid is rejected or, where losers are
    /// held and the award is not confirmed, kept as a fallback.
    pub fn bid(&mut self, from: NodeId, bid: Bid, steps: &mut impl Extend<Step>) {
        let Some(index) = self.index(from) else { return };
        let candidate = &mut self.candidates[index];
        if candidate.answer != Answer::None {
            return; // A duplicate: the first word counts.
        }
        (candidate.answer, candidate.bid) = (Answer::Waiting, bid);
        self.silent -= 1;
        match (self.phase, self.losers) {
            (Phase::Calling, _) => self.close_if_complete(steps),
            (Phase::Awarded { .. }, Losers::HeldUntilConfirmed) => {}
            (Phase::Awarded { .. }, Losers::RejectedAtOnce) | (Phase::Confirmed { .. }, _) => {
                self.reject_waiting(steps);
            }
            // The owner has been told to look elsewhere; it may have done so.
            (Phase::Exhausted, _) => self.reject_waiting(steps),
        }
    }

    /// `from` will not bid.
    pub fn refuse(&mut self, from: NodeId, steps: &mut impl Extend<Step>) {
        let Some(index) = self.index(from) else { return };
        if self.candidates[index].answer == Answer::None {
            self.silent -= 1;
            self.candidates[index].answer = Answer::Out;
            if self.phase == Phase::Calling {
                self.close_if_complete(steps);
            }
        }
    }

    /// The time for bids is over: awards to the best so far. Nothing if the call is closed already.
    pub fn deadline(&mut self, steps: &mut impl Extend<Step>) {
        if self.phase == Phase::Calling {
            self.award(steps);
        }
    }

    /// `from` declined the award, failed, or did not confirm it in time: the next best gets it. Nothing
    /// if the award is not, or no longer, with `from`; after its confirmation this means that it failed.
    pub fn declined(&mut self, from: NodeId, steps: &mut impl Extend<Step>) {
        let holds = match self.phase {
            Phase::Awarded { to } => to == from,
            Phase::Confirmed { by } => by == from,
            Phase::Calling | Phase::Exhausted => false,
        };
        if holds && let Some(index) = self.index(from) {
            self.candidates[index].answer = Answer::Out;
            self.award(steps);
        }
    }

    /// `from` confirms the award: it started, or informs that it is done. Confirming an award that went
    /// elsewhere in the meantime earns a reject.
    pub fn confirm(&mut self, from: NodeId, steps: &mut impl Extend<Step>) {
        match self.phase {
            Phase::Awarded { to } if to == from => {
                self.phase = Phase::Confirmed { by: from };
                self.reject_waiting(steps);
            }
            Phase::Confirmed { by } if by == from => {}
            Phase::Calling => {} // Nothing was awarded: a stray message.
            Phase::Awarded { .. } | Phase::Confirmed { .. } | Phase::Exhausted => {
                if self.index(from).is_some() {
                    steps.extend([Step::Reject(from)]);
                }
            }
        }
    }

    /// Who has the award, confirmed or not.
    pub fn awarded_to(&self) -> Option<NodeId> {
        match self.phase {
            Phase::Awarded { to: node } | Phase::Confirmed { by: node } => Some(node),
            Phase::Calling | Phase::Exhausted => None,
        }
    }

    /// Whether the award has been confirmed.
    pub fn is_confirmed(&self) -> bool {
        matches!(self.phase, Phase::Confirmed { .. })
    }

    /// Whether no bid is left to accept.
    pub fn is_exhausted(&self) -> bool {
        self.phase == Phase::Exhausted
    }

    /// The candidates that have not answered the call: probably dead, or far away.
    pub fn silent(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.candidates.iter().filter(|other| other.answer == Answer::None).map(|other| other.node)
    }

    fn index(&self, node: NodeId) -> Option<usize> {
        self.candidates.iter().position(|candidate| candidate.node == node)
    }

    fn close_if_complete(&mut self, steps: &mut impl Extend<Step>) {
        if self.silent == 0 {
            self.award(steps);
        }
    }

    /// Gives the task to the best bid left.
    fn award(&mut self, steps: &mut impl Extend<Step>) {
        let offers = self.candidates.iter().filter_map(|&Candidate { node, answer, bid }| match answer {
            Answer::Waiting | Answer::Rejected => Some((bid, node)),
            Answer::None | Answer::Out => None,
        });
        let Some((_, to)) = offers.min() else {
            self.phase = Phase::Exhausted;
            steps.extend([Step::Exhausted]);
            return;
        };
        self.phase = Phase::Awarded { to };
        steps.extend([Step::Accept(to)]);
        match self.losers {
            Losers::RejectedAtOnce => self.reject_waiting(steps),
            Losers::HeldUntilConfirmed => {}
        }
    }

    /// Rejects every waiting bidder but the one with the award.
    fn reject_waiting(&mut self, steps: &mut impl Extend<Step>) {
        let awarded = self.awarded_to();
        for Candidate { node, answer, .. } in &mut self.candidates {
            if *answer == Answer::Waiting && awarded != Some(*node) {
                *answer = Answer::Rejected;
                steps.extend([Step::Reject(*node)]);
            }
        }
    }
}

#[cfg(test)]
mod tests;
