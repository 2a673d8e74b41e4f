//! The place where something is served: an agent's harness, its cognition, a relay. One type for all
//! (model.md §1).
//!
//! Two queues, urgent before normal, each in the order of the discipline; a bounded inbox; any number of
//! servers. Completions can be cancelled, because a fault may freeze or slow what is being served, and
//! what is being served may give way. The station knows jobs only as values; events belong to `World`.
//!
//! Most stations of a large fleet are idle most of the time, so that the queues exist only from the first
//! job on that had to wait.

use std::collections::VecDeque;

use super::served::Served;
use super::slab::Slab;
use crate::engine::{EventKey, Span, Time};
use crate::trace::Activity;
use crate::work::Discipline;

/// Whether a job goes before the ordinary ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Executions.
    Normal,
    /// Messages and thoughts.
    Urgent,
}

/// One job waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting<J> {
    pub(super) job: J,
    pub(super) class: Class,
    pub(super) priority: i16,
    /// Effort left \[time at speed 1\], once it has been served for a while; until then [`WHOLE`].
    pub(super) left: Span,
}

/// What is left of a job that nobody has touched.
pub(super) const WHOLE: Span = Span::MAX;

/// One job being served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service<J> {
    pub(super) job: J,
    /// What records call it.
    pub(super) activity: Activity,
    pub(super) class: Class,
    pub(super) priority: i16,
    /// Tells this service from later ones at the same station.
    pub(super) ticket: u32,
    /// Effort left when this stretch began \[time at speed 1\].
    pub(super) left: Span,
    /// Effort this stretch will do; less than `left` if it ends at a turn boundary.
    pub(super) planned: Span,
    /// When this stretch began.
    pub(super) since: Time,
    /// When it ends, unless something comes between.
    pub(super) ends: Time,
    /// The completion event; none while frozen or hung.
    pub(super) completion: Option<EventKey>,
}

/// Jobs waiting, of each class.
#[derive(Debug)]
struct Queues<J> {
    urgent: VecDeque<Waiting<J>>,
    normal: VecDeque<Waiting<J>>,
}

impl<J> Queues<J> {
    fn are_empty(&self) -> bool {
        self.urgent.is_empty() && self.normal.is_empty()
    }
}

/// Queues and servers.
#[derive(Debug)]
pub(super) struct Station<J> {
    servers: u32,
    /// Most messages waiting or in service; [`u32::MAX`] is no bound.
    capacity: u32,
    tickets: u32,
    discipline: Discipline,
    /// Taken for the rest of this event by a step that takes no time.
    held: bool,
    /// Whether anybody waits: the queues themselves lie elsewhere.
    waited_for: bool,
    queues: Option<Box<Queues<J>>>,
    pub(super) serving: Served,
}

/// One server, first come first served, no bound.
impl<J: Copy + PartialEq> Default for Station<J> {
    fn default() -> Station<J> {
        Station::new(1, None, Discipline::Fifo)
    }
}

impl<J: Copy + PartialEq> Station<J> {
    pub(super) fn new(servers: u32, capacity: Option<u32>, discipline: Discipline) -> Station<J> {
        assert!(servers > 0, "a station has at least one server");
        Station {
            servers,
            capacity: capacity.unwrap_or(u32::MAX),
            tickets: 0,
            discipline,
            held: false,
            waited_for: false,
            queues: None,
            serving: Served::nobody(),
        }
    }
    /// Whether one more message fits. `capacity` counts those waiting and those in service.
    pub(super) fn has_room(&self) -> bool {
        self.capacity == u32::MAX || {
            let waiting = self.queues.as_ref().map_or(0, |queues| queues.urgent.len());
            ((waiting + self.serving.len()) as u32) < self.capacity
        }
    }
    /// Whether a job that comes now would be served at once.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.has_free_server() && !self.waited_for
    }
    #[inline]
    pub(super) fn has_free_server(&self) -> bool {
        ((self.serving.len() as u32) < self.servers || self.is_shared()) && !self.held
    }
    /// Keeps every job waiting until this is called again with `false`.
    #[inline]
    pub(super) fn hold(&mut self, on: bool) {
        self.held = on;
    }
    /// Whether everything present is served at once.
    #[inline]
    pub(super) fn is_shared(&self) -> bool {
        self.discipline == Discipline::Sharing
    }
    /// Whether it serves one job after the other, each without a break.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.servers == 1 && !self.is_shared() && !self.is_preemptive()
    }
    #[inline]
    pub(super) fn is_preemptive(&self) -> bool {
        self.discipline == Discipline::Preemptive
    }
    /// Whether the order of the queues depends on priorities.
    #[inline]
    pub(super) fn heeds_priorities(&self) -> bool {
        matches!(self.discipline, Discipline::Priority | Discipline::Preemptive)
    }
    /// The share of a server that each of `services` gets.
    #[inline]
    pub(super) fn share(&self, services: usize) -> f64 {
        if self.is_shared() && services > self.servers as usize {
            f64::from(self.servers) / services as f64
        } else {
            1.0
        }
    }

    /// A job comes.
    pub(super) fn push(&mut self, waiting: Waiting<J>) {
        let discipline = self.discipline;
        let queue = self.queue(waiting.class);
        match discipline {
            Discipline::Fifo | Discipline::Sharing => queue.push_back(waiting),
            Discipline::Lifo => queue.push_front(waiting),
            Discipline::Priority | Discipline::Preemptive => {
                let place = queue.partition_point(|other| other.priority >= waiting.priority);
                queue.insert(place, waiting);
            }
        }
    }
    /// An interrupted job comes back: before all others of its class and, where priorities count, of its
    /// priority.
    pub(super) fn put_back(&mut self, waiting: Waiting<J>) {
        let discipline = self.discipline;
        let queue = self.queue(waiting.class);
        match discipline {
            Discipline::Fifo | Discipline::Lifo | Discipline::Sharing => queue.push_front(waiting),
            Discipline::Priority | Discipline::Preemptive => {
                let place = queue.partition_point(|other| other.priority > waiting.priority);
                queue.insert(place, waiting);
            }
        }
    }
    /// The queue that a job of this class joins now.
    fn queue(&mut self, class: Class) -> &mut VecDeque<Waiting<J>> {
        self.waited_for = true;
        let empty = || Box::new(Queues { urgent: VecDeque::new(), normal: VecDeque::new() });
        let queues = self.queues.get_or_insert_with(empty);
        match class {
            Class::Urgent => &mut queues.urgent,
            Class::Normal => &mut queues.normal,
        }
    }
    /// The first that waits.
    #[inline]
    fn first(&self) -> Option<&Waiting<J>> {
        let queues = self.queues.as_ref().filter(|_| self.waited_for)?;
        queues.urgent.front().or(queues.normal.front())
    }
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Waiting<J>> {
        let queues = self.queues.as_mut().filter(|_| self.waited_for)?;
        let first = queues.urgent.pop_front().or_else(|| queues.normal.pop_front());
        self.waited_for = !queues.are_empty();
        first
    }
    /// The service that must give way to the first that waits: the least of class and priority, and of those
    /// the one that began last. What ends in this instant is let end.
    pub(super) fn gives_way(&self, services: &Slab<Service<J>>, now: Time) -> Option<u32> {
        if !self.is_preemptive() || self.has_free_server() {
            return None;
        }
        let first = self.first()?;
        let began_last = self.serving.iter().rev().map(|slot| services.get(slot));
        let lasting = began_last.filter(|service| service.ends > now);
        let least = lasting.min_by_key(|service| (service.class, service.priority))?;
        ((least.class, least.priority) < (first.class, first.priority)).then_some(least.ticket)
    }
    /// Removes a waiting job of the normal class; says whether it was there.
    pub(super) fn remove_waiting(&mut self, job: J) -> bool {
        let Some(queues) = &mut self.queues else { return false };
        let Some(index) = queues.normal.iter().position(|other| other.job == job) else { return false };
        queues.normal.remove(index);
        self.waited_for = !queues.are_empty();
        true
    }
    /// The ticket of the next service to begin here.
    #[inline]
    pub(super) fn next_ticket(&mut self) -> u32 {
        self.tickets = self.tickets.wrapping_add(1);
        self.tickets
    }
    /// Ends the service with `ticket`, if it is still there.
    #[inline]
    pub(super) fn release(&mut self, services: &mut Slab<Service<J>>, ticket: u32) -> Option<Service<J>> {
        let slot = self.serving.find(services, ticket)?;
        self.serving.remove(slot);
        Some(services.take(slot))
    }
    /// Empties the queues, urgent first.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = J> {
        self.waited_for = false;
        let queues = self.queues.iter_mut();
        let waiting = queues.flat_map(|queues| queues.urgent.drain(..).chain(queues.normal.drain(..)));
        waiting.map(|waiting| waiting.job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(job: u32, class: Class, priority: i16) -> Waiting<u32> {
        Waiting { job, class, priority, left: WHOLE }
    }

    /// Puts a job on a server, for ever.
    fn begin(station: &mut Station<u32>, services: &mut Slab<Service<u32>>, waiting: Waiting<u32>) -> u32 {
        let Waiting { job, class, priority, .. } = waiting;
        let (left, since, ends) = (Span::from_secs(9), Time::ZERO, Time::MAX);
        let (activity, ticket) = (Activity::Verifying, station.next_ticket());
        let planned = left;
        let service =
            Service { job, activity, class, priority, ticket, left, planned, since, ends, completion: None };
        station.serving.push(services.file(service));
        ticket
    }

    /// The order in which jobs 0, 1, … of these priorities are taken up.
    fn order(discipline: Discipline, jobs: &[(Class, i16)]) -> Vec<u32> {
        let mut station = Station::new(1, None, discipline);
        for (job, &(class, priority)) in jobs.iter().enumerate() {
            station.push(waiting(job as u32, class, priority));
        }
        std::iter::from_fn(|| station.pop().map(|waiting| waiting.job)).collect()
    }

    #[test]
    fn each_discipline_has_its_order_and_urgent_goes_first() {
        use Class::{Normal, Urgent};
        let jobs =
            [(Normal, 1), (Normal, 3), (Urgent, 0), (Normal, 3), (Urgent, 0), (Normal, 2), (Urgent, 5)];
        assert_eq!(order(Discipline::Fifo, &jobs), [2, 4, 6, 0, 1, 3, 5]);
        assert_eq!(order(Discipline::Sharing, &jobs), [2, 4, 6, 0, 1, 3, 5]);
        assert_eq!(order(Discipline::Lifo, &jobs), [6, 4, 2, 5, 3, 1, 0]);
        for discipline in [Discipline::Priority, Discipline::Preemptive] {
            assert_eq!(order(discipline, &jobs), [6, 2, 4, 1, 3, 5, 0]);
        }
    }

    #[test]
    fn what_was_interrupted_goes_on_before_its_equals() {
        for (discipline, expected) in [
            (Discipline::Fifo, [9, 0, 1, 2]),
            (Discipline::Lifo, [9, 2, 1, 0]),
            (Discipline::Preemptive, [1, 9, 2, 0]),
        ] {
            let mut station = Station::new(1, None, discipline);
            for (job, priority) in [(0, 1), (1, 3), (2, 2)] {
                station.push(waiting(job, Class::Normal, priority));
            }
            station.put_back(waiting(9, Class::Normal, 2));
            let order: Vec<u32> = std::iter::from_fn(|| station.pop().map(|waiting| waiting.job)).collect();
            assert_eq!(order, expected, "{discipline:?}");
        }
    }

    #[test]
    fn the_least_and_latest_gives_way() {
        let (mut station, mut services) = (Station::new(3, None, Discipline::Preemptive), Slab::new());
        begin(&mut station, &mut services, waiting(0, Class::Urgent, -5));
        begin(&mut station, &mut services, waiting(1, Class::Normal, 1));
        let latest = begin(&mut station, &mut services, waiting(2, Class::Normal, 1));
        let now = Time::from_secs(1);
        station.push(waiting(3, Class::Normal, 1));
        assert_eq!(station.gives_way(&services, now), None, "equals wait");
        station.push(waiting(4, Class::Normal, 2));
        assert_eq!(station.gives_way(&services, now), Some(latest));
        services.get_mut(2).ends = now;
        assert_eq!(station.gives_way(&services, now), Some(latest - 1), "what ends now is let end");
        services.get_mut(1).ends = now;
        assert_eq!(station.gives_way(&services, now), None, "no execution goes before a message");
        station.push(waiting(5, Class::Urgent, -4));
        assert_eq!(station.gives_way(&services, now), Some(latest - 2));
    }

    #[test]
    fn sharing_divides_the_servers_and_leaves_nobody_faster_than_one() {
        let station: Station<u32> = Station::new(2, Some(3), Discipline::Sharing);
        assert_eq!([0, 1, 2, 3, 8].map(|n| station.share(n)), [1.0, 1.0, 1.0, 2.0 / 3.0, 0.25]);
        let station: Station<u32> = Station::new(2, None, Discipline::Fifo);
        assert_eq!(station.share(2), 1.0);
    }

    #[test]
    fn the_inbox_counts_who_waits_and_who_is_served() {
        for discipline in [Discipline::Fifo, Discipline::Sharing] {
            let (mut station, mut services) = (Station::new(1, Some(2), discipline), Slab::new());
            begin(&mut station, &mut services, waiting(0, Class::Urgent, 0));
            assert!(station.has_room());
            station.push(waiting(1, Class::Urgent, 0));
            assert!(!station.has_room());
        }
    }
}
