//! Which relays keep in touch with which agents.
//!
//! Where every agent subscribes to every relay, relays share the tasks but not the agents: n agents and r
//! relays make n × r subscriptions, and as many refreshes. With `homes` the relays form groups of that
//! many, and an agent is at home with one group; a relay then knows its share of the agents and no more.
//!
//! Relay j and agent i belong to groups j mod g and i mod g. So whom a relay knows follows from its number
//! ([`Homes::agents`]), and its tables are as long as its share.

use crate::error::Problem;
use crate::mechanism::Places;
use crate::trace::NodeId;
use crate::work::Fleet;

/// How relays and agents are split in groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Homes {
    groups: u32,
    relays: u32,
}

impl Homes {
    /// Each agent keeps in touch with `homes` relays; 0 means all. There are relays ÷ `homes` groups, rounded
    /// down, so that groups are larger where that leaves a remainder.
    pub(super) fn new(homes: u32, fleet: &Fleet) -> Homes {
        let relays = fleet.relays();
        let groups = relays.checked_div(homes).unwrap_or(1).max(1);
        Homes { groups, relays }
    }

    /// What is wrong with `homes` relays an agent in this `fleet`: more than there are, or a group of relays
    /// that no present agent is at home with, where tasks would wait for ever.
    pub(super) fn problem(homes: u32, fleet: &Fleet) -> Option<Problem> {
        let relays = fleet.relays();
        if homes > relays && relays > 0 {
            let problem = Problem::new(format!("{homes} relays an agent, of {relays} there are"));
            return Some(problem.key("homes").remedy("at most as many as there are relays; 0 means all"));
        }
        let Homes { groups, .. } = Homes::new(homes, fleet);
        let mut at_home = vec![false; groups as usize];
        for agent in fleet.present() {
            at_home[(fleet.index_in_role(agent) % groups) as usize] = true;
        }
        let lonely = at_home.iter().position(|somebody| !somebody)?;
        let what =
            format!("{groups} groups of {homes} relays, and no present agent is at home with group {lonely}");
        Some(Problem::new(what).key("homes").remedy("fewer relays, more of them an agent, or more agents"))
    }

    /// The agents that `relay` keeps in touch with.
    pub(super) fn agents(self, relay: NodeId, fleet: &Fleet) -> Places {
        let first = NodeId(fleet.agent_nodes().start + self.group(fleet.index_in_role(relay)));
        Places::new(first, self.groups)
    }

    /// How many agents `relay` keeps in touch with, absent ones included.
    pub(super) fn share(self, relay: NodeId, fleet: &Fleet) -> u32 {
        let before = self.group(fleet.index_in_role(relay));
        fleet.agents().saturating_sub(before).div_ceil(self.groups)
    }

    /// Whether `relay` keeps in touch with `node`.
    pub(super) fn knows(self, relay: NodeId, node: NodeId, fleet: &Fleet) -> bool {
        fleet.agent_nodes().contains(&node.0)
            && (self.groups == 1
                || self.group(fleet.index_in_role(relay)) == self.group(fleet.index_in_role(node)))
    }

    /// The relays that `agent` keeps in touch with.
    pub(super) fn of(self, agent: NodeId, fleet: &Fleet) -> impl ExactSizeIterator<Item = NodeId> + use<> {
        let first = self.group(fleet.index_in_role(agent));
        (first..self.relays).step_by(self.groups as usize).map(NodeId)
    }

    /// The numbering of these relays.
    pub(super) fn relays(self, agent: NodeId, fleet: &Fleet) -> Places {
        Places::new(NodeId(self.group(fleet.index_in_role(agent))), self.groups)
    }

    /// The relay after `relay` in its group, the first after the last.
    pub(super) fn next(self, relay: NodeId) -> NodeId {
        let next = relay.0 + self.groups;
        NodeId(if next < self.relays { next } else { self.group(relay.0) })
    }

    fn group(self, index: u32) -> u32 {
        index % self.groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::SiteId;
    use crate::work::{AgentProfile, FleetSpec};

    fn fleet(relays: usize, agents: usize) -> Fleet {
        Fleet::new(FleetSpec {
            relay_sites: vec![SiteId(0); relays],
            client_sites: vec![SiteId(0)],
            agents: vec![AgentProfile::at(SiteId(0)); agents],
            seat_order: (0..agents as u32).collect(),
            ..FleetSpec::default()
        })
    }

    #[test]
    fn relays_and_agents_agree_on_who_knows_whom() {
        for (relays, count, least) in [(1, 0, 1), (6, 0, 6), (6, 1, 1), (6, 2, 2), (7, 3, 3), (3, 9, 3)] {
            let fleet = fleet(relays, 50);
            let homes = Homes::new(count, &fleet);
            let mut known = vec![0; relays];
            for agent in fleet.agent_nodes().map(NodeId) {
                let own: Vec<_> = homes.of(agent, &fleet).collect();
                assert!(own.len() >= least && own.len() < least.max(relays / 2) + 2);
                for (place, &relay) in own.iter().enumerate() {
                    let agents = homes.agents(relay, &fleet);
                    assert_eq!(agents.node(agents.of(agent)), agent);
                    assert!(agents.of(agent) < homes.share(relay, &fleet));
                    assert_eq!(homes.relays(agent, &fleet).of(relay), place as u32);
                    assert_eq!(homes.next(relay), own[(place + 1) % own.len()]);
                    known[relay.index()] += 1;
                }
                for relay in (0..relays as u32).map(NodeId) {
                    assert_eq!(homes.knows(relay, agent, &fleet), own.contains(&relay));
                }
            }
            let shares = (0..relays as u32).map(|relay| homes.share(NodeId(relay), &fleet));
            assert!(shares.eq(known), "a table as long as the share has a place for everybody");
        }
    }
}
