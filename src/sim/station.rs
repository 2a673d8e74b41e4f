//! A place that serves: an agent's harness, an agent's cognition, a relay. One type for all (model.md §1).
//!
//! Two queues, urgent before normal, each first in first out; a bounded inbox; any number of servers.
//! Completions can be cancelled, because a fault may freeze or slow what is being served. The station
//! knows jobs only as values; time and events belong to `World`.

use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::engine::{EventKey, Span, Time};

/// Whether a job goes before the ordinary ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Messages and thoughts.
    Urgent,
    /// Executions.
    Normal,
}

/// One job being served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service<J> {
    pub(super) job: J,
    /// Tells this service from later ones at the same station.
    pub(super) ticket: u32,
    /// Effort left when this stretch began \[time at speed 1\].
    pub(super) left: Span,
    /// Effort this stretch will do; less than `left` if it ends at a turn boundary.
    pub(super) planned: Span,
    /// When this stretch began.
    pub(super) since: Time,
    /// The completion event; none while frozen or hung.
    pub(super) completion: Option<EventKey>,
}

/// Queues and servers.
#[derive(Debug)]
pub(super) struct Station<J> {
    servers: u32,
    capacity: Option<u32>,
    urgent: VecDeque<J>,
    normal: VecDeque<J>,
    pub(super) serving: SmallVec<[Service<J>; 1]>,
    tickets: u32,
}

impl<J: Copy + PartialEq> Station<J> {
    pub(super) fn new(servers: u32, capacity: Option<u32>) -> Station<J> {
        assert!(servers > 0, "a station has at least one server");
        Station {
            servers,
            capacity,
            urgent: VecDeque::new(),
            normal: VecDeque::new(),
            serving: SmallVec::new(),
            tickets: 0,
        }
    }
    /// Whether one more message fits. `capacity` counts those waiting and those in service.
    pub(super) fn has_room(&self) -> bool {
        self.capacity.is_none_or(|capacity| ((self.urgent.len() + self.serving.len()) as u32) < capacity)
    }
    /// Whether a job that comes now would be served at once.
    pub(super) fn is_idle(&self) -> bool {
        (self.serving.len() as u32) < self.servers && self.urgent.is_empty() && self.normal.is_empty()
    }
    pub(super) fn has_free_server(&self) -> bool {
        (self.serving.len() as u32) < self.servers
    }
    pub(super) fn push(&mut self, job: J, class: Class) {
        match class {
            Class::Urgent => self.urgent.push_back(job),
            Class::Normal => self.normal.push_back(job),
        }
    }
    /// Puts an interrupted job before all others of the normal class.
    pub(super) fn push_front(&mut self, job: J) {
        self.normal.push_front(job);
    }
    pub(super) fn pop(&mut self) -> Option<J> {
        self.urgent.pop_front().or_else(|| self.normal.pop_front())
    }
    /// Removes a waiting job of the normal class; says whether it was there.
    pub(super) fn remove_waiting(&mut self, job: J) -> bool {
        match self.normal.iter().position(|&other| other == job) {
            Some(index) => self.normal.remove(index).is_some(),
            None => false,
        }
    }
    pub(super) fn ticket(&mut self) -> u32 {
        self.tickets = self.tickets.wrapping_add(1);
        self.tickets
    }
    /// Ends the service with `ticket`, if it is still there.
    pub(super) fn release(&mut self, ticket: u32) -> Option<Service<J>> {
        let index = self.serving.iter().position(|service| service.ticket == ticket)?;
        Some(self.serving.remove(index))
    }
    /// Empties the queues, urgent first.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = J> {
        self.urgent.drain(..).chain(self.normal.drain(..))
    }
}
