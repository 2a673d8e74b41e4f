//! Members that fail and are repaired, and whether enough of them are up.
//!
//! Alternating renewal: one member is up MTBF ÷ (MTBF + MTTR) of the time, whatever the laws; k of n by the
//! binomial law. With exponential laws, A(t) = A + (1 − A)e^(−(1/MTBF + 1/MTTR)t) from up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::{Agenda, Dist, Engine, Key, Law, Model, Span, Time};
use crate::error::Problems;
use crate::metrics::MetricDef;

/// A group that serves while a quorum of its members is up. All start up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuorumAvailability {
    /// Members. Default 1.
    #[serde(default = "one")]
    pub members: u32,
    /// Members that must be up. Default: a strict majority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u32>,
    /// Law of the time from repair to failure (MTBF).
    pub up: Dist,
    /// Law of the time from failure to repair (MTTR).
    pub down: Dist,
    /// Start of the window measured. Default 0 s: from all up.
    #[serde(default)]
    pub warmup: Span,
    /// End of the window measured.
    pub horizon: Span,
}

fn one() -> u32 {
    1
}

enum Event {
    Change(u32),
    WarmedUp,
    End,
}

struct Group<'a> {
    laws: [&'a Law; 2],
    key: Key,
    quorum: u32,
    /// By member: whether it is up, and how often it changed.
    members: Vec<(bool, u64)>,
    up: u32,
    since: Time,
    available: Span,
    member_up_s: f64,
    outages: u64,
}

impl Group<'_> {
    fn serves(&self) -> bool {
        self.up >= self.quorum
    }

    fn account(&mut self, now: Time) {
        let passed = now.since(self.since);
        if self.serves() {
            self.available += passed;
        }
        self.member_up_s += f64::from(self.up) * passed.as_secs_f64();
        self.since = now;
    }

    fn next_change(&mut self, member: u32) -> Span {
        let (up, changes) = self.members[member as usize];
        self.laws[usize::from(!up)].sample_span(&mut self.key.open(u64::from(member), changes))
    }
}

impl Model for Group<'_> {
    type Event = Event;
    fn handle(&mut self, event: Event, agenda: &mut Agenda<Event>) {
        self.account(agenda.now());
        match event {
            Event::Change(member) => {
                let served = self.serves();
                let (up, changes) = &mut self.members[member as usize];
                (*up, *changes) = (!*up, *changes + 1);
                self.up = if *up { self.up + 1 } else { self.up - 1 };
                self.outages += u64::from(served && !self.serves());
                let wait = self.next_change(member);
                agenda.after(wait, Event::Change(member));
            }
            Event::WarmedUp => (self.available, self.member_up_s, self.outages) = (Span::ZERO, 0.0, 0),
            Event::End => agenda.stop(),
        }
    }
}

impl Trial for QuorumAvailability {
    const NAME: &'static str = "quorum_availability";
    const ABOUT: &'static str = "a quorum of members that fail and are repaired (alternating renewal)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher("available_share", "share", "time with a quorum up ÷ window"),
        MetricDef::higher("member_up_share", "share", "time a member is up ÷ window, mean over members"),
        MetricDef::higher("available_end", "share", "1 if a quorum is up at the horizon, else 0"),
        MetricDef::higher("member_up_end", "share", "members up at the horizon ÷ members; A(t) on average"),
        MetricDef::lower("outages_per_h", "1/h", "losses of the quorum per hour of the window"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let quorum = self.quorum.unwrap_or(1);
        let cycle =
            self.up.law().map_or(1.0, |law| law.mean()) + self.down.law().map_or(1.0, |law| law.mean());
        Limits::new()
            .at_least("members", self.members, 1)
            .fits((1..=self.members).contains(&quorum), "quorum", quorum, "from 1 to `members`")
            .law("up", &self.up)
            .law("down", &self.down)
            .fits(cycle > 0.0, "up", "no time at all, up and down,", "a law with a mean above 0s")
            .fits(self.warmup < self.horizon, "horizon", self.horizon, "later than `warmup`")
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (up, down) = (self.up.law().expect("checked"), self.down.law().expect("checked"));
        let group = Group {
            laws: [&up, &down],
            key,
            quorum: self.quorum.unwrap_or(self.members / 2 + 1),
            members: vec![(true, 0); self.members as usize],
            up: self.members,
            since: Time::ZERO,
            available: Span::ZERO,
            member_up_s: 0.0,
            outages: 0,
        };
        let mut engine = Engine::new(group);
        for member in 0..self.members {
            let wait = engine.model_mut().next_change(member);
            engine.agenda().after(wait, Event::Change(member));
        }
        engine.agenda().at(Time::ZERO + self.warmup, Event::WarmedUp);
        engine.agenda().at(Time::ZERO + self.horizon, Event::End);
        engine.run();
        let (group, window) = (engine.into_model(), (self.horizon - self.warmup).as_secs_f64());
        vec![
            group.available.as_secs_f64() / window,
            group.member_up_s / (window * f64::from(self.members)),
            f64::from(u8::from(group.serves())),
            f64::from(group.up) / f64::from(self.members),
            group.outages as f64 / (window / 3600.0),
        ]
    }
}
