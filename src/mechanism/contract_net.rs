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
    Waiting(Bid),
    /// Bid, and was told that the task went elsewhere.
    Rejected(Bid),
}

/// The manager's side of one negotiation. Up to eight candidates need no allocation.
#[derive(Clone, Debug)]
pub struct Negotiation {
    losers: Losers,
    phase: Phase,
    candidates: SmallVec<[(NodeId, Answer); 8]>,
    silent: u32,
}

impl Negotiation {
    /// Calls on `candidates` (each once, however often it is named); with none, exhausted at once.
    pub fn start(
        candidates: impl IntoIterator<Item = NodeId>,
        losers: Losers,
        steps: &mut Vec<Step>,
    ) -> Negotiation {
        let mut negotiation =
            Negotiation { losers, phase: Phase::Calling, candidates: SmallVec::new(), silent: 0 };
        for node in candidates {
            if negotiation.index(node).is_none() {
                negotiation.candidates.push((node, Answer::None));
                negotiation.silent += 1;
                steps.push(Step::Call(node));
            }
        }
        if negotiation.silent == 0 {
            negotiation.award(steps);
        }
        negotiation
    }

    /// `from` bids. The last answer missing closes the call; a late bid is rejected or, where losers are
    /// held and the award is not confirmed, kept as a fallback.
    pub fn bid(&mut self, from: NodeId, bid: Bid, steps: &mut Vec<Step>) {
        let Some(index) = self.index(from) else { return };
        if self.candidates[index].1 != Answer::None {
            return; // A duplicate: the first word counts.
        }
        self.silent -= 1;
        self.candidates[index].1 = Answer::Waiting(bid);
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
    pub fn refuse(&mut self, from: NodeId, steps: &mut Vec<Step>) {
        let Some(index) = self.index(from) else { return };
        if self.candidates[index].1 == Answer::None {
            self.silent -= 1;
            self.candidates[index].1 = Answer::Out;
            if self.phase == Phase::Calling {
                self.close_if_complete(steps);
            }
        }
    }

    /// The time for bids is over: awards to the best so far. Nothing if the call is closed already.
    pub fn deadline(&mut self, steps: &mut Vec<Step>) {
        if self.phase == Phase::Calling {
            self.award(steps);
        }
    }

    /// `from` declined the award, failed, or did not confirm it in time: the next best gets it. Nothing
    /// if the award is not, or no longer, with `from`; after its confirmation this means that it failed.
    pub fn declined(&mut self, from: NodeId, steps: &mut Vec<Step>) {
        let holds = match self.phase {
            Phase::Awarded { to } => to == from,
            Phase::Confirmed { by } => by == from,
            Phase::Calling | Phase::Exhausted => false,
        };
        if holds && let Some(index) = self.index(from) {
            self.candidates[index].1 = Answer::Out;
            self.award(steps);
        }
    }

    /// `from` confirms the award: it started, or informs that it is done. Confirming an award that went
    /// elsewhere in the meantime earns a reject.
    pub fn confirm(&mut self, from: NodeId, steps: &mut Vec<Step>) {
        match self.phase {
            Phase::Awarded { to } if to == from => {
                self.phase = Phase::Confirmed { by: from };
                self.reject_waiting(steps);
            }
            Phase::Confirmed { by } if by == from => {}
            Phase::Calling => {} // Nothing was awarded: a stray message.
            Phase::Awarded { .. } | Phase::Confirmed { .. } | Phase::Exhausted => {
                if self.index(from).is_some() {
                    steps.push(Step::Reject(from));
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
        self.candidates.iter().filter(|(_, answer)| *answer == Answer::None).map(|&(node, _)| node)
    }

    fn index(&self, node: NodeId) -> Option<usize> {
        self.candidates.iter().position(|&(candidate, _)| candidate == node)
    }

    fn close_if_complete(&mut self, steps: &mut Vec<Step>) {
        if self.silent == 0 {
            self.award(steps);
        }
    }

    /// Gives the task to the best bid left.
    fn award(&mut self, steps: &mut Vec<Step>) {
        let offers = self.candidates.iter().filter_map(|&(node, answer)| match answer {
            Answer::Waiting(bid) | Answer::Rejected(bid) => Some((bid, node)),
            Answer::None | Answer::Out => None,
        });
        let Some((_, to)) = offers.min() else {
            self.phase = Phase::Exhausted;
            steps.push(Step::Exhausted);
            return;
        };
        self.phase = Phase::Awarded { to };
        steps.push(Step::Accept(to));
        match self.losers {
            Losers::RejectedAtOnce => self.reject_waiting(steps),
            Losers::HeldUntilConfirmed => {}
        }
    }

    /// Rejects every waiting bidder but the one with the award.
    fn reject_waiting(&mut self, steps: &mut Vec<Step>) {
        let awarded = self.awarded_to();
        for (node, answer) in &mut self.candidates {
            if let Answer::Waiting(bid) = *answer
                && awarded != Some(*node)
            {
                *answer = Answer::Rejected(bid);
                steps.push(Step::Reject(*node));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Step::{Accept, Call, Exhausted, Reject};
    use super::*;
    use proptest::prelude::*;

    const BOTH: [Losers; 2] = [Losers::RejectedAtOnce, Losers::HeldUntilConfirmed];

    fn bid(secs: u64) -> Bid {
        Bid { completion: Span::from_secs(secs) }
    }

    fn node(id: u32) -> NodeId {
        NodeId(id)
    }

    /// What the owner of the negotiation sees after `input`.
    fn after(net: &mut Negotiation, input: impl FnOnce(&mut Negotiation, &mut Vec<Step>)) -> Vec<Step> {
        let mut steps = Vec::new();
        input(net, &mut steps);
        steps
    }

    fn start(n: u32, losers: Losers) -> Negotiation {
        let mut steps = Vec::new();
        let net = Negotiation::start((0..n).map(NodeId), losers, &mut steps);
        assert_eq!(steps, (0..n).map(|id| Call(node(id))).collect::<Vec<_>>());
        net
    }

    /// Messages of one undisturbed negotiation: steps sent, answers to the call, and the inform.
    fn messages(n: u32, bidders: u32, losers: Losers) -> usize {
        let mut steps = Vec::new();
        let mut net = Negotiation::start((0..n).map(NodeId), losers, &mut steps);
        for id in 0..n {
            if id < bidders {
                net.bid(node(id), bid(9), &mut steps);
            } else {
                net.refuse(node(id), &mut steps);
            }
        }
        net.confirm(node(0), &mut steps);
        assert!(net.is_confirmed() && net.awarded_to() == Some(node(0)));
        steps.len() + n as usize + 1
    }

    /// N-03 of the reference results (FIPA SC00029H): 3n + 1, and 2n + bids + 1 with refusals.
    #[test]
    fn messages_are_as_many_as_fipa_says() {
        for losers in BOTH {
            for n in 1..40 {
                assert_eq!(messages(n, n, losers), 3 * n as usize + 1);
                for bids in 1..=n {
                    assert_eq!(messages(n, bids, losers), (2 * n + bids + 1) as usize);
                }
            }
            assert_eq!((messages(10, 10, losers), messages(10, 7, losers)), (31, 28));
        }
    }

    #[test]
    fn the_earliest_completion_wins_and_ties_go_to_the_lowest_id() {
        let mut net = start(4, Losers::RejectedAtOnce);
        for (id, secs) in [(3, 5), (0, 7), (2, 5)] {
            assert_eq!(after(&mut net, |net, out| net.bid(node(id), bid(secs), out)), []);
        }
        assert_eq!(net.silent().collect::<Vec<_>>(), [node(1)]);
        let steps = after(&mut net, |net, out| net.deadline(out));
        assert_eq!(steps, [Accept(node(2)), Reject(node(0)), Reject(node(3))]);
        // One bid came late, though it was the best; the deadline passes once.
        assert_eq!(after(&mut net, |net, out| net.bid(node(1), bid(1), out)), [Reject(node(1))]);
        assert_eq!(after(&mut net, |net, out| net.deadline(out)), []);
    }

    #[test]
    fn a_declined_award_goes_to_the_next_best_until_none_is_left() {
        for losers in BOTH {
            let mut net = start(3, losers);
            after(&mut net, |net, out| net.bid(node(0), bid(3), out));
            after(&mut net, |net, out| net.refuse(node(1), out));
            let closing = after(&mut net, |net, out| net.bid(node(2), bid(2), out));
            let rejects_now = losers == Losers::RejectedAtOnce;
            assert_eq!(closing, [Accept(node(2)), Reject(node(0))][..if rejects_now { 2 } else { 1 }]);
            assert_eq!(after(&mut net, |net, out| net.declined(node(0), out)), [], "it had no award");
            assert_eq!(after(&mut net, |net, out| net.declined(node(2), out)), [Accept(node(0))]);
            // The first winner was only slow: it must not work on.
            assert_eq!(after(&mut net, |net, out| net.confirm(node(2), out)), [Reject(node(2))]);
            assert_eq!(after(&mut net, |net, out| net.confirm(node(0), out)), []);
            assert!(net.is_confirmed());
            assert_eq!(after(&mut net, |net, out| net.declined(node(0), out)), [Exhausted]);
            assert!(net.is_exhausted() && net.awarded_to().is_none());
        }
    }

    #[test]
    fn a_held_late_bid_is_a_fallback() {
        let mut net = start(2, Losers::HeldUntilConfirmed);
        after(&mut net, |net, out| net.bid(node(0), bid(5), out));
        assert_eq!(after(&mut net, |net, out| net.deadline(out)), [Accept(node(0))]);
        assert_eq!(after(&mut net, |net, out| net.bid(node(1), bid(1), out)), []);
        assert_eq!(after(&mut net, |net, out| net.declined(node(0), out)), [Accept(node(1))]);
    }

    #[test]
    fn nobody_called_or_nobody_bidding_exhausts() {
        let mut steps = Vec::new();
        assert!(Negotiation::start([], Losers::default(), &mut steps).is_exhausted());
        assert_eq!(steps, [Exhausted]);
        let mut net = start(2, Losers::default());
        assert_eq!(after(&mut net, |net, out| net.refuse(node(0), out)), []);
        assert_eq!(after(&mut net, |net, out| net.deadline(out)), [Exhausted]);
        assert_eq!(after(&mut net, |net, out| net.bid(node(1), bid(1), out)), [Reject(node(1))]);
    }

    #[test]
    fn a_bid_is_when_the_task_would_be_done() {
        let secs = Span::from_secs;
        let terms = BidTerms { queued: secs(4), work: secs(10), latency: secs(1), skilled: true };
        assert_eq!(Bid::estimate(terms), Some(bid(14)));
        assert_eq!(Bid::estimate(BidTerms { queued: secs(0), ..terms }), Some(bid(11)));
        assert_eq!(Bid::estimate(BidTerms { skilled: false, ..terms }), None);
    }

    proptest! {
        /// Whatever arrives in whatever order, an award is with one bidder at a time, nobody is called
        /// twice, and after the confirmation every other bidder has been told.
        #[test]
        fn at_most_one_award_stands(
            inputs in prop::collection::vec((0u8..5, 0u32..7, 0u64..5), 0..60), held in any::<bool>()
        ) {
            let losers = if held { Losers::HeldUntilConfirmed } else { Losers::RejectedAtOnce };
            let mut steps = Vec::new();
            let mut net = Negotiation::start((0..5).map(NodeId), losers, &mut steps);
            let (mut holder, mut bidders) = (None, std::collections::BTreeSet::new());
            for (input, id, secs) in inputs {
                let told = steps.len();
                let before = net.awarded_to();
                match input {
                    0 => {
                        net.bid(node(id), bid(secs), &mut steps);
                        bidders.insert(node(id));
                    }
                    1 => net.refuse(node(id), &mut steps),
                    2 => net.deadline(&mut steps),
                    3 => net.declined(node(id), &mut steps),
                    _ => net.confirm(node(id), &mut steps),
                }
                if input == 3 && before == Some(node(id)) { holder = None }
                for step in &steps[told..] {
                    match *step {
                        Accept(to) => {
                            prop_assert_eq!(holder, None);
                            prop_assert!(bidders.contains(&to));
                            holder = Some(to);
                        }
                        Reject(to) => prop_assert_ne!(holder, Some(to)),
                        Call(_) => prop_assert!(false, "nobody is called twice"),
                        Exhausted => prop_assert_eq!(holder, None),
                    }
                }
                prop_assert_eq!(net.awarded_to(), holder);
            }
        }
    }
}
