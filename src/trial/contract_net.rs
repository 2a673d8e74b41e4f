//! One negotiation of the contract net, by the machine that patterns use ([`Negotiation`]).
//!
//! n calls, n answers, 1 accept, a reject for each other bid, 1 inform: 3n + 1 messages when all bid,
//! 2n + bids + 1 with refusals (FIPA SC00029H).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::exchange::{Protocol, Wire, exchange};
use super::tools::Limits;
use crate::engine::{Dist, Key, Rng, Span};
use crate::error::Problems;
use crate::mechanism::{Bid, Losers, Negotiation, Step};
use crate::metrics::MetricDef;
use crate::trace::NodeId;

/// A manager calls for bids, again and again from new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContractNet {
    /// Contractors called.
    pub contractors: u32,
    /// Probability that one refuses. Default 0.
    #[serde(default)]
    pub refuses: f64,
    /// Law of the latency of a message. Default 10 ms.
    #[serde(default = "latency")]
    pub latency: Dist,
    /// Time for bids. Default 1 h: everyone answers.
    #[serde(default = "deadline")]
    pub deadline: Span,
    /// Negotiations a replication. Default 1000.
    #[serde(default = "rounds")]
    pub rounds: u32,
}

fn latency() -> Dist {
    Dist::Constant(Span::from_millis(10))
}
fn deadline() -> Span {
    Span::from_secs(3600)
}
fn rounds() -> u32 {
    1000
}

/// The manager's number; contractors follow.
const MANAGER: u32 = 0;

enum Message {
    Call,
    Bid(Bid),
    Refuse,
    Accept,
    Reject,
    Inform,
}

struct Net {
    refuses: f64,
    deadline: Span,
    rng: Rng,
    negotiation: Negotiation,
    first_steps: Vec<Step>,
    bids: u64,
    informed: bool,
}

impl Net {
    fn carry_out(wire: &mut Wire<'_, Message>, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Call(node) => wire.send(MANAGER, node.0, Message::Call),
                Step::Accept(node) => wire.send(MANAGER, node.0, Message::Accept),
                Step::Reject(node) => wire.send(MANAGER, node.0, Message::Reject),
                Step::Exhausted => {}
            }
        }
    }
}

impl Protocol for Net {
    type Message = Message;

    fn start(&mut self, wire: &mut Wire<'_, Message>) {
        wire.wake_after(self.deadline, MANAGER);
        Net::carry_out(wire, std::mem::take(&mut self.first_steps));
    }

    fn receive(&mut self, wire: &mut Wire<'_, Message>, from: u32, to: u32, message: Message) {
        let mut steps = Vec::new();
        match message {
            Message::Call if self.rng.chance(self.refuses) => wire.send(to, from, Message::Refuse),
            Message::Call => {
                self.bids += 1;
                let completion = Span::from_secs_f64(1.0 + self.rng.uniform());
                wire.send(to, from, Message::Bid(Bid { completion }));
            }
            Message::Bid(bid) => self.negotiation.bid(NodeId(from), bid, &mut steps),
            Message::Refuse => self.negotiation.refuse(NodeId(from), &mut steps),
            Message::Accept => wire.send(to, from, Message::Inform),
            Message::Reject => {}
            Message::Inform => {
                self.informed = true;
                self.negotiation.confirm(NodeId(from), &mut steps);
            }
        }
        Net::carry_out(wire, steps);
    }

    fn wake(&mut self, wire: &mut Wire<'_, Message>, _: u32) {
        let mut steps = Vec::new();
        self.negotiation.deadline(&mut steps);
        Net::carry_out(wire, steps);
    }
}

impl Trial for ContractNet {
    const NAME: &'static str = "contract_net";
    const ABOUT: &'static str = "messages of a contract net negotiation (Smith 1980; FIPA SC00029H)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower(
            "messages_mean",
            "messages",
            "messages of a negotiation: 2n + bids + 1 where any bid",
        ),
        MetricDef::neutral("bids_mean", "bids", "bids of a negotiation"),
        MetricDef::higher("done_share", "share", "negotiations whose winner informed that it is done"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .at_least("contractors", self.contractors, 1)
            .probability("refuses", self.refuses)
            .law("latency", &self.latency)
            .at_least("rounds", self.rounds, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let law = self.latency.law().expect("checked");
        let (mut messages, mut bids, mut done) = (0, 0, 0u64);
        for round in 0..self.rounds {
            let key = key.within(u64::from(round));
            let mut first_steps = Vec::new();
            let called = (1..=self.contractors).map(NodeId);
            let negotiation = Negotiation::start(called, Losers::RejectedAtOnce, &mut first_steps);
            let net = Net {
                refuses: self.refuses,
                deadline: self.deadline,
                rng: key.open(0, 1),
                negotiation,
                first_steps,
                bids: 0,
                informed: false,
            };
            let ended = exchange(net, &law, key);
            messages += ended.messages;
            bids += ended.protocol.bids;
            done += u64::from(ended.protocol.informed);
        }
        [messages, bids, done].map(|count| count as f64 / f64::from(self.rounds)).to_vec()
    }
}
