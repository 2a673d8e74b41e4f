//! At-least-once delivery: send again until acknowledged, and know what came twice.
//!
//! With messages and acknowledgements each lost with probability p, a message is sent 1/(1−p)² times and
//! comes 1/(1−p) times on average; the receiver's memory turns that into exactly one effect.

use std::collections::BTreeMap;

/// What a sender still owes.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    next: u64,
    /// Sendings of each message not yet acknowledged.
    unacknowledged: BTreeMap<u64, u32>,
}

impl Outbox {
    /// A new message: the number to send it under.
    pub fn send(&mut self) -> u64 {
        let message = self.next;
        self.next += 1;
        self.unacknowledged.insert(message, 1);
        message
    }
    /// The wait for an acknowledgement is over: true if `message` must be sent again, and is counted so.
    pub fn timed_out(&mut self, message: u64) -> bool {
        self.unacknowledged.get_mut(&message).map(|sendings| *sendings += 1).is_some()
    }
    /// `message` was acknowledged: how often it was sent, or `None` if that was known.
    pub fn acknowledged(&mut self, message: u64) -> Option<u32> {
        self.unacknowledged.remove(&message)
    }
}

/// What a receiver has had.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    /// All messages below this one have come …
    complete: u64,
    /// … and these above it.
    ahead: std::collections::BTreeSet<u64>,
}

impl Inbox {
    /// `message` comes in and is to be acknowledged: true if for the first time.
    pub fn receive(&mut self, message: u64) -> bool {
        if message < self.complete || !self.ahead.insert(message) {
            return false;
        }
        while self.ahead.remove(&self.complete) {
            self.complete += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_owed_until_acknowledged_and_counts_once() {
        let (mut outbox, mut inbox) = (Outbox::default(), Inbox::default());
        let (first, second) = (outbox.send(), outbox.send());
        assert!(inbox.receive(second) && !inbox.receive(second) && inbox.receive(first));
        assert!(!inbox.receive(first) && inbox.ahead.is_empty());
        assert!(outbox.timed_out(first));
        assert_eq!((outbox.acknowledged(first), outbox.acknowledged(first)), (Some(2), None));
        assert!(!outbox.timed_out(first) && outbox.timed_out(second));
    }
}
