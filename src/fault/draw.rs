//! From the table `[faults]` to a plan: every choice drawn from the plan's own stream, by the law it
//! belongs to, its n-th strike, and, for churn and outages, the node.
//!
//! Only present agents are candidates, in their order, so that an extra agent that stays down changes no
//! entry. The spec must have been validated: what makes no sense panics.

use super::spec::{FaultSpec, Outage, Partition, When};
use super::standby::{self, Drawn, Pair};
use super::target::TargetSpec;
use super::{Entry, FaultKind, FaultPlan, Group, Origin, Target, churn};
use crate::engine::{Dist, Key, Rng, Span, Time};
use crate::net::Sites;
use crate::trace::{NodeId, SiteId};
use crate::work::{Fleet, Role};

/// What a plan is drawn for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Who takes part.
    pub fleet: &'a Fleet,
    /// Where.
    pub sites: &'a Sites,
    /// Random laws begin here.
    pub from: Time,
    /// The latest end of the run: nothing begins then or later.
    pub end: Time,
    /// The plan's own key.
    pub key: Key,
}

/// One number a kind of fault, never reused.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Law {
    Crash = 1,
    Pause = 2,
    Slow = 3,
    Partition = 4,
    Outage = 5,
    WrongOutput = 6,
    Stall = 7,
}

/// What of a strike is drawn.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Draw {
    Gap = 0,
    Target = 1,
    Lasts = 2,
    Takeover = 3,
}
const DRAWS: u64 = 4;

/// One fault of the spec: its kind, its place in the list and, for outages, the relay.
#[derive(Clone, Copy)]
struct Address {
    law: Law,
    position: usize,
    node: u32,
}

impl Address {
    fn open(self, key: Key, strike: u64, draw: Draw) -> Rng {
        let entity = ((self.law as u64) << 56) | ((self.position as u64) << 32) | u64::from(self.node);
        key.open(entity, strike * DRAWS + draw as u64)
    }
}

/// Draws the plan of `spec`.
pub fn draw(spec: &FaultSpec, scope: &Scope<'_>) -> FaultPlan {
    let mut plan = Drawing { scope, entries: Vec::new() };
    for (position, crash) in spec.crash.iter().enumerate() {
        let address = Address { law: Law::Crash, position, node: 0 };
        let lasts = crash.restart_after.as_ref();
        plan.strikes(crash.when(), address, crash.target, lasts, || FaultKind::Crash);
    }
    for (position, pause) in spec.pause.iter().enumerate() {
        let address = Address { law: Law::Pause, position, node: 0 };
        plan.strikes(pause.when(), address, pause.target, pause.lasts.as_ref(), || FaultKind::Pause);
    }
    for (position, slow) in spec.slow.iter().enumerate() {
        let address = Address { law: Law::Slow, position, node: 0 };
        let factor = slow.factor;
        let kind = || FaultKind::Slow { factor };
        plan.strikes(slow.when(), address, slow.target, slow.lasts.as_ref(), kind);
    }
    for (position, partition) in spec.partition.iter().enumerate() {
        plan.partitions(partition, Address { law: Law::Partition, position, node: 0 });
    }
    for (position, outage) in spec.relay_outage.iter().enumerate() {
        plan.outages(outage, position);
    }
    for (position, wrong) in spec.wrong_output.iter().enumerate() {
        let address = Address { law: Law::WrongOutput, position, node: 0 };
        let probability = wrong.probability;
        let kind = || FaultKind::WrongOutput { probability };
        plan.strikes(wrong.when(), address, wrong.target, wrong.lasts.as_ref(), kind);
    }
    for (position, stall) in spec.stall.iter().enumerate() {
        let address = Address { law: Law::Stall, position, node: 0 };
        plan.strikes(stall.when(), address, stall.target, stall.lasts.as_ref(), || FaultKind::Stall);
    }
    if let Some(law) = &spec.churn {
        churn::draw(law, scope, &mut plan.entries);
    }
    plan.make_way();
    FaultPlan::new(plan.entries)
}

/// Seats of authority go to the first agents of the seat order. How many a pattern fills is not known
/// here; this many are kept present for a scheduled fault of `authority`.
const LIKELY_SEATS: usize = 16;

struct Drawing<'a> {
    scope: &'a Scope<'a>,
    entries: Vec<Entry>,
}

/// No random law strikes more often than this: a gap of zero would never end.
const SHORTEST_GAP: Span = Span::from_millis(1);

impl Drawing<'_> {
    /// Instants at which a fault begins, each with its number.
    fn instants(&self, when: Option<When<'_>>, address: Address) -> Vec<(u64, Time, Origin)> {
        match when.expect("validated") {
            When::At(at) => vec![(0, at, Origin::Scheduled)],
            When::Alternating { .. } => unreachable!("each target has instants of its own"),
            When::Every(every) => {
                let law = every.law().expect("validated");
                let (mut instants, mut at) = (Vec::new(), self.scope.from);
                for strike in 0.. {
                    let gap = law.sample_span(&mut address.open(self.scope.key, strike, Draw::Gap));
                    at += gap.max(SHORTEST_GAP);
                    if at >= self.scope.end {
                        break;
                    }
                    instants.push((strike, at, Origin::Law));
                }
                instants
            }
        }
    }

    fn until(&self, at: Time, lasts: Option<&Dist>, address: Address, strike: u64) -> Option<Time> {
        lasts.map(|law| at + law.sample_span(&mut address.open(self.scope.key, strike, Draw::Lasts)))
    }

    fn strikes(
        &mut self,
        when: Option<When<'_>>,
        address: Address,
        target: TargetSpec,
        lasts: Option<&Dist>,
        kind: impl Fn() -> FaultKind,
    ) {
        if let Some(When::Alternating { up, down, from }) = when {
            for (node, target) in self.each_of(target, address) {
                self.alternate((up, down, from), Address { node, ..address }, target, kind());
            }
            return;
        }
        for (strike, at, origin) in self.instants(when, address) {
            let agents_only = matches!(address.law, Law::WrongOutput | Law::Stall);
            let rng = &mut address.open(self.scope.key, strike, Draw::Target);
            let target = self.choose(target, agents_only, rng);
            let until = self.until(at, lasts, address, strike);
            self.entries.push(Entry { at, until, kind: kind(), target, origin });
        }
    }

    /// A scheduled fault must find its target: absences and outages of a random law that would hide it
    /// are left out.
    fn make_way(&mut self) {
        let fleet = self.scope.fleet;
        let seats: Vec<u32> =
            fleet.seat_order().take(LIKELY_SEATS).map(|node| fleet.index_in_role(node)).collect();
        let mut struck: Vec<(Time, Target)> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.origin == Origin::Scheduled) {
            let mut add = |target| struck.push((entry.at, target));
            match &entry.target {
                Target::Agent(_) | Target::Relay(_) => add(entry.target.clone()),
                Target::Agents(agents) => agents.iter().for_each(|&agent| add(Target::Agent(agent))),
                Target::Authority { otherwise, .. } => {
                    seats.iter().chain([otherwise]).for_each(|&agent| add(Target::Agent(agent)));
                    (0..fleet.relays()).for_each(|relay| add(Target::Relay(relay)));
                }
                Target::Network => {}
            }
        }
        self.entries.retain(|entry| {
            entry.origin == Origin::Scheduled
                || !struck.iter().any(|(at, target)| {
                    entry.target == *target && entry.at <= *at && entry.until.is_none_or(|until| until > *at)
                })
        });
    }

    /// Positions of the agents that are there.
    fn present(&self) -> Vec<u32> {
        let fleet = self.scope.fleet;
        fleet.present().map(|node| fleet.index_in_role(node)).collect()
    }

    fn choose(&self, target: TargetSpec, agents_only: bool, rng: &mut Rng) -> Target {
        let present = self.present();
        let agents = present.len() as u32;
        match target {
            TargetSpec::Authority => Target::Authority {
                seat: (rng.next_u64() >> 33) as u32,
                otherwise: present[rng.below(agents) as usize],
            },
            TargetSpec::Any => {
                let relays = if agents_only { 0 } else { self.scope.fleet.relays() };
                match rng.below(agents + relays) {
                    index if index < agents => Target::Agent(present[index as usize]),
                    index => Target::Relay(index - agents),
                }
            }
            TargetSpec::Agent(index) => Target::Agent(index),
            TargetSpec::Agents(share) => Target::Agents(some_of(present, share, rng)),
            TargetSpec::Relay(index) => Target::Relay(index),
        }
    }

    fn partitions(&mut self, partition: &Partition, address: Address) {
        for (strike, at, origin) in self.instants(partition.when(), address) {
            let rng = &mut address.open(self.scope.key, strike, Draw::Target);
            let groups = match (&partition.share, &partition.sites) {
                (Some(share), _) => {
                    vec![Group { agents: some_of(self.present(), *share, rng), ..Group::default() }]
                }
                (None, sites) => sites.iter().flatten().map(|names| self.group_at(names)).collect(),
            };
            let until = self.until(at, Some(&partition.lasts), address, strike);
            let kind = FaultKind::Partition { groups, one_way: partition.one_way };
            self.entries.push(Entry { at, until, kind, target: Target::Network, origin });
        }
    }

    /// Everyone at the sites called `names`.
    fn group_at(&self, names: &[String]) -> Group {
        let (fleet, sites) = (self.scope.fleet, self.scope.sites);
        let mut group = Group::default();
        for node in (0..fleet.len() as u32).map(NodeId) {
            let SiteId(site) = fleet.site(node);
            if !names.iter().any(|name| name == sites.name(SiteId(site))) {
                continue;
            }
            let index = fleet.index_in_role(node);
            match fleet.role(node) {
                Role::Relay => group.relays.push(index),
                Role::Client => group.clients.push(index),
                Role::Agent if fleet.profile(node).is_some_and(|agent| agent.present) => {
                    group.agents.push(index);
                }
                Role::Agent => {}
            }
        }
        group
    }

    fn outages(&mut self, outage: &Outage, position: usize) {
        let relays = match outage.relay {
            Some(relay) => relay..relay + 1,
            None => 0..self.scope.fleet.relays(),
        };
        for node in relays {
            let address = Address { law: Law::Outage, position, node };
            let target = Target::Relay(node);
            if let (Some(at), lasts) = (outage.at, outage.lasts.as_ref()) {
                let until = self.until(at, lasts, address, 0);
                let (kind, origin) = (FaultKind::Outage, Origin::Scheduled);
                self.entries.push(Entry { at, until, kind, target, origin });
                continue;
            }
            let (Some(up), Some(down)) = (&outage.mtbf, &outage.mttr) else { panic!("validated") };
            match &outage.standby {
                None => self.alternate((up, down, outage.from), address, target, FaultKind::Outage),
                Some(standby) => {
                    let law = |law: &Dist| law.law().expect("validated");
                    let pair = Pair { life: law(up), repair: law(down), takeover: law(&standby.takeover) };
                    self.pair(pair, outage.from, address, &target);
                }
            }
        }
    }

    /// The nodes that fail each on their own, with the number that addresses their draws.
    fn each_of(&self, target: TargetSpec, address: Address) -> Vec<(u32, Target)> {
        let agent = |agent: u32| (agent, Target::Agent(agent));
        let relay = |relay: u32| (relay | RELAYS, Target::Relay(relay));
        let mut rng = address.open(self.scope.key, 0, Draw::Target);
        match target {
            TargetSpec::Authority => vec![(AUTHORITY, self.choose(target, false, &mut rng))],
            TargetSpec::Any => {
                let relays = (0..self.scope.fleet.relays()).map(relay);
                self.present().into_iter().map(agent).chain(relays).collect()
            }
            TargetSpec::Agent(index) => vec![agent(index)],
            TargetSpec::Agents(share) => {
                some_of(self.present(), share, &mut rng).into_iter().map(agent).collect()
            }
            TargetSpec::Relay(index) => vec![relay(index)],
        }
    }

    /// `target` is up and down in turn.
    fn alternate(
        &mut self,
        (up, down, from): (&Dist, &Dist, Option<Time>),
        address: Address,
        target: Target,
        kind: FaultKind,
    ) {
        let (up, down) = (up.law().expect("validated"), down.law().expect("validated"));
        let mut at = from.unwrap_or(self.scope.from);
        for strike in 0.. {
            let open = |draw| address.open(self.scope.key, strike, draw);
            at += up.sample_span(&mut open(Draw::Gap)).max(SHORTEST_GAP);
            if at >= self.scope.end {
                break;
            }
            let until = at + down.sample_span(&mut open(Draw::Lasts));
            let (kind, target) = (kind.clone(), target.clone());
            self.entries.push(Entry { at, until: Some(until), kind, target, origin: Origin::Law });
            at = until;
        }
    }

    /// `target` is a pair of units.
    fn pair(&mut self, pair: Pair, from: Option<Time>, address: Address, target: &Target) {
        let (from, end) = (from.unwrap_or(self.scope.from), self.scope.end);
        let breaks = standby::draw(pair, from, end, |count, what| {
            let draw = match what {
                Drawn::Life => Draw::Gap,
                Drawn::Repair => Draw::Lasts,
                Drawn::Takeover => Draw::Takeover,
            };
            address.open(self.scope.key, count, draw)
        });
        self.entries.extend(breaks.into_iter().map(|one| Entry {
            at: one.at,
            until: Some(one.until),
            kind: if one.takeover { FaultKind::Takeover } else { FaultKind::Outage },
            target: target.clone(),
            origin: Origin::Law,
        }));
    }
}

/// Marks the number of a relay, where agents and relays have draws of their own.
const RELAYS: u32 = 1 << 31;
/// The number of whoever decides.
const AUTHORITY: u32 = u32::MAX;

/// A random `share` of `items`, at least one of them, in order.
fn some_of(mut items: Vec<u32>, share: f64, rng: &mut Rng) -> Vec<u32> {
    let count = ((share * items.len() as f64).round() as usize).clamp(1, items.len());
    rng.shuffle(&mut items);
    items.truncate(count);
    items.sort_unstable();
    items
}

#[cfg(test)]
mod tests;
