//! The bully election (Garcia-Molina, IEEE Trans. Computers C-31(1), 1982), message by message.
//!
//! Whoever misses the coordinator sends ELECTION to every higher process; each that lives answers OK and
//! holds an election itself; who hears no OK in time tells all lower processes that it is COORDINATOR. With
//! the highest of n crashed and the lowest detecting: n(n − 1)/2, (n − 1)(n − 2)/2 and n − 2 messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::exchange::{Protocol, Wire, exchange};
use super::tools::Limits;
use crate::engine::{Key, Law, Span};
use crate::error::Problems;
use crate::metrics::MetricDef;

/// One election.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Bully {
    /// Processes, numbered from 1; the highest was the coordinator.
    pub processes: u32,
    /// How many of the highest have crashed. Default 1.
    #[serde(default = "one")]
    pub crashed: u32,
    /// The process that notices. Default 1, the lowest: the worst case.
    #[serde(default = "one")]
    pub detector: u32,
    /// Latency of a message. Default 10 ms.
    #[serde(default = "latency")]
    pub latency: Span,
}

fn one() -> u32 {
    1
}
fn latency() -> Span {
    Span::from_millis(10)
}

enum Message {
    Election,
    Ok,
    Coordinator,
}

#[derive(Clone, Default)]
struct Process {
    electing: bool,
    /// Somebody higher lives and will see to it.
    bullied: bool,
    coordinator: u32,
}

struct Election {
    bully: Bully,
    /// By number; the one at 0 is nobody.
    processes: Vec<Process>,
    elections: u64,
    oks: u64,
    coordinators: u64,
    settled_s: f64,
}

impl Election {
    fn alive(&self) -> u32 {
        self.bully.processes - self.bully.crashed
    }

    fn elect(&mut self, wire: &mut Wire<'_, Message>, process: u32) {
        if std::mem::replace(&mut self.processes[process as usize].electing, true) {
            return;
        }
        for higher in process + 1..=self.bully.processes {
            self.elections += 1;
            wire.send(process, higher, Message::Election);
        }
        // An OK takes one latency there and one back; a nanosecond more, and it cannot come any more.
        let patience = self.bully.latency + self.bully.latency + Span::from_nanos(1);
        wire.wake_after(patience, process);
    }
}

impl Protocol for Election {
    type Message = Message;

    fn start(&mut self, wire: &mut Wire<'_, Message>) {
        self.elect(wire, self.bully.detector);
    }

    fn receive(&mut self, wire: &mut Wire<'_, Message>, from: u32, to: u32, message: Message) {
        if to > self.alive() {
            return;
        }
        match message {
            Message::Election => {
                self.oks += 1;
                wire.send(to, from, Message::Ok);
                self.elect(wire, to);
            }
            Message::Ok => self.processes[to as usize].bullied = true,
            Message::Coordinator => {
                self.processes[to as usize].coordinator = from;
                self.settled_s = wire.now().as_secs_f64();
            }
        }
    }

    fn wake(&mut self, wire: &mut Wire<'_, Message>, process: u32) {
        if self.processes[process as usize].bullied {
            return;
        }
        self.processes[process as usize].coordinator = process;
        self.settled_s = wire.now().as_secs_f64();
        for lower in 1..process {
            self.coordinators += 1;
            wire.send(process, lower, Message::Coordinator);
        }
    }
}

impl Trial for Bully {
    const NAME: &'static str = "bully";
    const ABOUT: &'static str = "messages of a bully election (Garcia-Molina 1982)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("messages", "messages", "all messages, those to crashed processes included"),
        MetricDef::lower("election_messages", "messages", "ELECTION"),
        MetricDef::lower("ok_messages", "messages", "OK"),
        MetricDef::lower("coordinator_messages", "messages", "COORDINATOR"),
        MetricDef::higher(
            "agreeing_share",
            "share",
            "living processes that take the highest living one for their coordinator ÷ living processes",
        ),
        MetricDef::lower("election_s", "s", "time until the last process knows"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let alive = self.processes.saturating_sub(self.crashed);
        let living = (1..=alive).contains(&self.detector);
        Limits::new()
            .fits(alive >= 1, "crashed", self.crashed, "fewer than `processes`")
            .fits(self.processes <= 2000, "processes", self.processes, "at most 2000: messages grow as n²")
            .fits(living, "detector", self.detector, format!("a living process, 1 to {alive}"))
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let processes = vec![Process::default(); self.processes as usize + 1];
        let (elections, oks, coordinators, settled_s) = (0, 0, 0, 0.0);
        let election = Election { bully: self.clone(), processes, elections, oks, coordinators, settled_s };
        let ended = exchange(election, &Law::fixed(self.latency), key);
        let election = ended.protocol;
        let alive = election.alive();
        let living = &election.processes[1..=alive as usize];
        let agreeing = living.iter().filter(|process| process.coordinator == alive).count();
        vec![
            ended.messages as f64,
            election.elections as f64,
            election.oks as f64,
            election.coordinators as f64,
            agreeing as f64 / f64::from(alive),
            election.settled_s,
        ]
    }
}
