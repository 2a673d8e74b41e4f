//! Inboxes of those everything passes through: relays, and the seats of authority.
//!
//! A message is in an inbox from its delivery until its handling ends, so waiting and in service. One that
//! is handled in the very instant of its delivery never was there and is not counted: otherwise messages
//! that cost nothing would thin out the numbers of those that do. Counted over [warm-up, horizon].

use super::queue::Level;
use super::{MetricDef, MetricSet};
use crate::engine::{EventId, Time, prefetch_at};
use crate::trace::{DropReason, LetterId, NodeId, Observer, Record};
use crate::work::Fleet;

/// Columns this file fills.
pub const DEFS: &[MetricDef] = &[
    MetricDef::lower(
        "relay_inbox_mean",
        "messages",
        "messages waiting or in service at a relay, time average over the window, mean over relays",
    ),
    MetricDef::lower(
        "relay_sojourn_mean_s",
        "s",
        "delivery → end of handling at relays, mean over messages delivered in the window that took time",
    ),
    MetricDef::lower(
        "relay_drop_share",
        "share",
        "messages that found the inbox of their relay full ÷ messages that reached a relay in the window and \
         were not handled in the same instant",
    ),
    MetricDef::lower("authority_inbox_mean", "messages", "relay_inbox_mean, of the seats of authority"),
    MetricDef::lower("authority_sojourn_mean_s", "s", "relay_sojourn_mean_s, of the seats of authority"),
    MetricDef::lower("authority_drop_share", "share", "relay_drop_share, of the seats of authority"),
];

/// No account: nobody asks for the inbox of this node.
const NOBODY: u32 = u32::MAX;
/// Not yet delivered.
const UNDER_WAY: Time = Time::MAX;

/// Where a message goes, and since when it is there.
#[derive(Clone, Copy, Debug)]
struct Way {
    account: u32,
    delivered: Time,
}

/// The inbox of one node.
#[derive(Clone, Debug, Default)]
struct Account {
    present: Level,
    /// Messages of the window that reached it, with and without room.
    reached: u64,
    dropped: u64,
    handled: u64,
    sojourns_ns: u128,
}

/// Follows the messages of a run through inboxes.
#[derive(Clone, Debug)]
pub struct Inboxes {
    warmup: Time,
    horizon: Time,
    relays: u32,
    /// By the number of the letter, which is used again once it is gone.
    ways: Vec<Way>,
    /// Account of each node, or [`NOBODY`].
    account_of: Vec<u32>,
    accounts: Vec<Account>,
    end: Option<Time>,
}

impl Inboxes {
    /// Follows the inboxes of the relays of `fleet` and of the seats of `authority` over
    /// [`warmup`, `horizon`].
    pub fn new(fleet: &Fleet, authority: &[NodeId], warmup: Time, horizon: Time) -> Inboxes {
        let mut account_of = vec![NOBODY; fleet.len()];
        let mut accounts = Vec::new();
        for node in (0..fleet.relays()).map(NodeId).chain(authority.iter().copied()) {
            if account_of[node.index()] == NOBODY {
                account_of[node.index()] = accounts.len() as u32;
                accounts.push(Account::default());
            }
        }
        let (relays, ways) = (fleet.relays(), Vec::new());
        Inboxes { warmup, horizon, relays, ways, account_of, accounts, end: None }
    }

    /// Asks for what records of `node` will touch.
    #[inline]
    pub(crate) fn foresee(&self, node: NodeId) {
        prefetch_at(&self.account_of, node.index());
    }

    fn is_measured(&self, at: Time) -> bool {
        self.warmup <= at && at <= self.horizon
    }

    fn sent(&mut self, letter: LetterId, to: NodeId) {
        let way = Way { account: self.account_of[to.index()], delivered: UNDER_WAY };
        match self.ways.get_mut(letter.index()) {
            Some(slot) => *slot = way,
            None => self.ways.resize(letter.index() + 1, way),
        }
    }

    fn delivered(&mut self, at: Time, letter: LetterId) {
        let way = &mut self.ways[letter.index()];
        if way.account == NOBODY {
            return;
        }
        way.delivered = at;
        let account = way.account as usize;
        let (window, measured) = ((self.warmup, self.horizon), self.is_measured(at));
        let account = &mut self.accounts[account];
        account.present.change(at, 1, window);
        account.reached += u64::from(measured);
    }

    /// A message left the inbox, `handled` or lost.
    fn left(&mut self, at: Time, letter: LetterId, handled: bool) {
        let Way { account, delivered: since } = self.ways[letter.index()];
        if account == NOBODY || since == UNDER_WAY {
            return;
        }
        let window = (self.warmup, self.horizon);
        let measured = self.is_measured(since);
        let account = &mut self.accounts[account as usize];
        account.present.change(at, -1, window);
        if measured && handled && since == at {
            account.reached -= 1;
        } else if measured && handled {
            account.handled += 1;
            account.sojourns_ns += u128::from(at.since(since).as_nanos());
        }
    }

    fn overflowed(&mut self, at: Time, letter: LetterId) {
        let account = self.ways[letter.index()].account;
        if account != NOBODY && self.is_measured(at) {
            let account = &mut self.accounts[account as usize];
            account.reached += 1;
            account.dropped += 1;
        }
    }

    /// Writes the columns of [`DEFS`]; `authority` are the seats given to [`Inboxes::new`]. Panics before the
    /// end of the run.
    pub fn fill(&self, authority: &[NodeId], set: &mut MetricSet) {
        let relays = (0..self.relays).map(NodeId);
        let [inbox, sojourn, dropped] = self.pooled(relays);
        set.set("relay_inbox_mean", inbox);
        set.set("relay_sojourn_mean_s", sojourn);
        set.set("relay_drop_share", dropped);
        let [inbox, sojourn, dropped] = self.pooled(authority.iter().copied());
        set.set("authority_inbox_mean", inbox);
        set.set("authority_sojourn_mean_s", sojourn);
        set.set("authority_drop_share", dropped);
    }

    /// Mean number, mean sojourn \[s\] and share dropped at some nodes; NaN where nothing can be divided by.
    fn pooled(&self, nodes: impl Iterator<Item = NodeId>) -> [f64; 3] {
        let end = self.end.expect("metrics are read after the run");
        let length = end.min(self.horizon).saturating_since(self.warmup).as_secs_f64();
        let (mut count, mut area, mut sojourns) = (0_u32, 0_u128, 0_u128);
        let (mut reached, mut handled, mut dropped) = (0_u64, 0_u64, 0_u64);
        for node in nodes {
            let account = &self.accounts[self.account_of[node.index()] as usize];
            count += 1;
            area += account.present.area;
            sojourns += account.sojourns_ns;
            reached += account.reached;
            handled += account.handled;
            dropped += account.dropped;
        }
        [
            area as f64 / 1e9 / (length * f64::from(count)),
            sojourns as f64 / 1e9 / handled as f64,
            dropped as f64 / reached as f64,
        ]
    }
}

impl Observer for Inboxes {
    #[inline(always)]
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Sent { letter, to, .. } => self.sent(letter, to),
            Record::Delivered { letter, .. } => self.delivered(at, letter),
            Record::Handled { letter, .. } => self.left(at, letter, true),
            Record::Dropped { letter, why: DropReason::Overflow } => self.overflowed(at, letter),
            Record::Dropped { letter, .. } => self.left(at, letter, false),
            Record::Finish => {
                let window = (self.warmup, self.horizon);
                for account in &mut self.accounts {
                    account.present.book(at, window);
                }
                self.end = Some(at);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample;

    /// A relay (node 0) gets four messages: one handled in 3 s, one in no time, one lost in a crash after
    /// 4 s, one that finds no room.
    #[test]
    fn an_inbox_counts_what_takes_time_and_what_finds_no_room() {
        let fleet = sample::fleet(&[1.0]);
        let mut inboxes = Inboxes::new(&fleet, &[NodeId(2)], Time::from_secs(2), Time::from_secs(12));
        let node = NodeId(0);
        let mut see = |second: u64, record| inboxes.observe(Time::from_secs(second), EventId(0), &record);
        let sent = |letter| {
            let letter = LetterId(letter);
            Record::Sent { letter, from: NodeId(1), to: node, kind: 0, bytes: 1, tokens: 0 }
        };
        let delivered = |letter| Record::Delivered { letter: LetterId(letter), to: node, overtook: false };
        let handled = |letter| Record::Handled { letter: LetterId(letter), node };
        let dropped = |letter, why| Record::Dropped { letter: LetterId(letter), why };
        for letter in 0..4 {
            see(0, sent(letter));
        }
        see(4, delivered(0));
        see(5, delivered(1));
        see(5, handled(1));
        see(6, delivered(2));
        see(7, handled(0));
        see(8, dropped(3, DropReason::Overflow));
        see(10, dropped(2, DropReason::Crash));
        see(20, Record::Finish);
        let mut metrics = MetricSet::default();
        inboxes.fill(&[NodeId(2)], &mut metrics);
        assert_eq!(metrics.get("relay_inbox_mean"), 0.7);
        assert_eq!(metrics.get("relay_sojourn_mean_s"), 3.0);
        assert_eq!(metrics.get("relay_drop_share"), 1.0 / 3.0);
        assert_eq!(metrics.get("authority_inbox_mean"), 0.0);
        assert!(metrics.get("authority_drop_share").is_nan(), "nothing reached it");
    }
}
