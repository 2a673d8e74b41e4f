//! Who takes part: relays, clients and agents, each at a site.

use std::ops::Range;

use super::Discipline;
use crate::engine::Time;
use crate::trace::{NodeId, SiteId, SkillId};

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Infrastructure: directory, log, claim table, broadcast.
    Relay,
    /// Asks; stands outside the fleet and never fails.
    Client,
    /// Executes tasks; may take a special seat.
    Agent,
}

/// What distinguishes one agent from another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AgentProfile {
    /// Where it runs.
    pub site: SiteId,
    /// Work done per unit of time; 1 is nominal.
    pub speed: f64,
    /// Its one skill class.
    pub skill: SkillId,
    /// Executions its cognition serves at once, each at `speed`.
    pub slots: u32,
    /// Order in which it takes messages, and executions, among themselves.
    pub discipline: Discipline,
    /// Most jobs waiting or in service on its harness; `None` is no bound.
    pub inbox: Option<u32>,
    /// Price of having it for an hour \[money\].
    pub price_per_hour: f64,
    /// Price of a thousand tokens it reads or writes \[money\].
    pub price_per_kilotoken: f64,
    /// Whether it is there at the start; an absent agent stays down throughout.
    pub present: bool,
}

impl AgentProfile {
    /// An agent at `site` as most are: speed 1, skill class 0, one slot, an unbounded inbox, first come first
    /// served, 1 an hour, free tokens, present.
    pub fn at(site: SiteId) -> AgentProfile {
        AgentProfile {
            site,
            speed: 1.0,
            skill: SkillId(0),
            slots: 1,
            discipline: Discipline::Fifo,
            inbox: None,
            price_per_hour: 1.0,
            price_per_kilotoken: 0.0,
            present: true,
        }
    }
    /// Work it does per unit of time with every slot busy.
    pub fn capacity(&self) -> f64 {
        self.speed * f64::from(self.slots)
    }
}

/// What a [`Fleet`] is made of.
#[derive(Clone, Debug, Default)]
pub struct FleetSpec {
    /// Site of each relay.
    pub relay_sites: Vec<SiteId>,
    /// Site of each client: one for every site that asks.
    pub client_sites: Vec<SiteId>,
    /// The agents.
    pub agents: Vec<AgentProfile>,
    /// Positions of present agents in the order in which special seats are given out.
    pub seat_order: Vec<u32>,
    /// Price of a relay for an hour \[money\].
    pub relay_price_per_hour: f64,
    /// Price of a client's node for an hour \[money\].
    pub client_price_per_hour: f64,
}

/// Everyone who may take part in a run. Node numbers: relays, then clients, then agents.
#[derive(Clone, Debug)]
pub struct Fleet {
    spec: FleetSpec,
    /// Present agents by number; first all of them, then those of each skill class.
    able: Vec<Vec<NodeId>>,
}

impl Fleet {
    /// A fleet of `spec`. Panics where there is no client or no present agent: scenarios check that.
    pub fn new(spec: FleetSpec) -> Fleet {
        assert!(!spec.client_sites.is_empty(), "somebody must ask");
        let present = spec.agents.iter().filter(|agent| agent.present).count();
        assert!(present > 0, "somebody must work");
        assert_eq!(spec.seat_order.len(), present, "every present agent stands in the seat order");
        let mut fleet = Fleet { spec, able: Vec::new() };
        let mut able = vec![Vec::new(); fleet.skills() + 1];
        for node in fleet.present() {
            able[0].push(node);
            able[fleet.skill(node).map_or(0, |skill| skill.index() + 1)].push(node);
        }
        fleet.able = able;
        fleet
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.spec.relay_sites.len() + self.spec.client_sites.len() + self.spec.agents.len()
    }
    /// Never: a fleet has at least a client and an agent.
    pub fn is_empty(&self) -> bool {
        false
    }
    /// How many relays there are.
    pub fn relays(&self) -> u32 {
        self.spec.relay_sites.len() as u32
    }
    /// How many clients there are.
    pub fn clients(&self) -> u32 {
        self.spec.client_sites.len() as u32
    }
    /// How many agents there are, absent ones included.
    pub fn agents(&self) -> u32 {
        self.spec.agents.len() as u32
    }
    /// Relay number `index`.
    pub fn relay(&self, index: u32) -> NodeId {
        assert!(index < self.relays(), "there are only {} relays", self.relays());
        NodeId(index)
    }
    /// Client number `index`.
    pub fn client(&self, index: u32) -> NodeId {
        assert!(index < self.clients(), "there are only {} clients", self.clients());
        NodeId(self.relays() + index)
    }
    /// The client at `site`, if one stands there.
    pub fn client_at(&self, site: SiteId) -> Option<NodeId> {
        let index = self.spec.client_sites.iter().position(|&other| other == site)?;
        Some(self.client(index as u32))
    }
    /// Agent number `index`.
    pub fn agent(&self, index: u32) -> NodeId {
        assert!(index < self.agents(), "there are only {} agents", self.agents());
        NodeId(self.first_agent() + index)
    }
    fn first_agent(&self) -> u32 {
        self.relays() + self.clients()
    }
    /// The nodes that are agents.
    pub fn agent_nodes(&self) -> Range<u32> {
        self.first_agent()..self.len() as u32
    }
    /// What `node` is.
    pub fn role(&self, node: NodeId) -> Role {
        if node.0 < self.relays() {
            Role::Relay
        } else if node.0 < self.first_agent() {
            Role::Client
        } else {
            Role::Agent
        }
    }
    /// Position of `node` among those of its role.
    pub fn index_in_role(&self, node: NodeId) -> u32 {
        match self.role(node) {
            Role::Relay => node.0,
            Role::Client => node.0 - self.relays(),
            Role::Agent => node.0 - self.first_agent(),
        }
    }
    /// The address of `node` for random draws: role and position, so that it does not depend on how many
    /// others there are.
    pub fn address(&self, node: NodeId) -> u64 {
        ((self.role(node) as u64) << 32) | u64::from(self.index_in_role(node))
    }
    /// Where `node` is.
    pub fn site(&self, node: NodeId) -> SiteId {
        let index = self.index_in_role(node) as usize;
        match self.role(node) {
            Role::Relay => self.spec.relay_sites[index],
            Role::Client => self.spec.client_sites[index],
            Role::Agent => self.spec.agents[index].site,
        }
    }
    /// The profile of `node`, if it is an agent.
    pub fn profile(&self, node: NodeId) -> Option<&AgentProfile> {
        node.0.checked_sub(self.first_agent()).and_then(|index| self.spec.agents.get(index as usize))
    }
    /// Profiles of all agents, by position.
    pub fn profiles(&self) -> &[AgentProfile] {
        &self.spec.agents
    }
    /// Nominal speed of `node`; relays and clients have speed 1.
    pub fn speed(&self, node: NodeId) -> f64 {
        self.profile(node).map_or(1.0, |profile| profile.speed)
    }
    /// Skill class of `node`, if it is an agent.
    pub fn skill(&self, node: NodeId) -> Option<SkillId> {
        self.profile(node).map(|profile| profile.skill)
    }
    /// Whether agent `node` may take a task that asks for `skill`.
    pub fn can(&self, node: NodeId, skill: Option<SkillId>) -> bool {
        match (self.profile(node), skill) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(profile), Some(skill)) => profile.skill == skill,
        }
    }
    /// The present agents, in the order in which special seats are given out (drawn per replication).
    pub fn seat_order(&self) -> impl ExactSizeIterator<Item = NodeId> {
        self.spec.seat_order.iter().map(|&index| self.agent(index))
    }
    /// The present agent at `place` in the seat order. Panics if there are not that many.
    pub fn seat(&self, place: u32) -> NodeId {
        self.agent(self.spec.seat_order[place as usize])
    }
    /// The present agents, by number.
    pub fn present(&self) -> impl Iterator<Item = NodeId> {
        self.agent_nodes().map(NodeId).filter(|&node| self.profile(node).is_some_and(|agent| agent.present))
    }
    /// The present agents that may take a task that asks for `skill`, by number.
    pub fn able(&self, skill: Option<SkillId>) -> &[NodeId] {
        self.able.get(skill.map_or(0, |skill| skill.index() + 1)).map_or(&[], Vec::as_slice)
    }
    /// Price of a relay for an hour \[money\].
    pub fn relay_price_per_hour(&self) -> f64 {
        self.spec.relay_price_per_hour
    }
    /// Price of a client's node for an hour \[money\].
    pub fn client_price_per_hour(&self) -> f64 {
        self.spec.client_price_per_hour
    }
    /// Highest number of a skill class, plus one.
    pub fn skills(&self) -> usize {
        self.spec.agents.iter().map(|agent| agent.skill.index() + 1).max().unwrap_or(1)
    }
    /// Work the present agents could do by `end`, were they never down \[seconds at speed 1\].
    pub fn capacity_until(&self, end: Time) -> f64 {
        self.spec.agents.iter().filter(|agent| agent.present).map(AgentProfile::capacity).sum::<f64>()
            * end.as_secs_f64()
    }
}
