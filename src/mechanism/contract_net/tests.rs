//! Negotiations as their managers see them: what arrives, and what is to be sent.

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
