//! An append-only log: entries get consecutive offsets, readers keep their own position.
//!
//! The shared log of event-driven systems (Kreps, "The Log", 2013). The order of appends is the only
//! authority in it: readers that start at the same offset see the same sequence, whatever their pace.

use super::message::{LogEntry, Offset};

/// A log held in memory, 12 bytes an entry. Offsets are gapless from 0.
#[derive(Clone, Debug, Default)]
pub struct Log {
    entries: Vec<LogEntry>,
}

impl Log {
    /// Adds `entry` and says where. Panics after 2³² entries.
    pub fn append(&mut self, entry: LogEntry) -> Offset {
        let offset = self.end();
        self.entries.push(entry);
        offset
    }

    /// The offset that the next entry will get.
    pub fn end(&self) -> Offset {
        Offset(u32::try_from(self.entries.len()).expect("a log holds fewer than 2^32 entries"))
    }

    /// Up to `max` entries from `from` on; none if the log ends before.
    pub fn read(&self, from: Offset, max: usize) -> &[LogEntry] {
        let rest = self.entries.get(from.0 as usize..).unwrap_or_default();
        &rest[..rest.len().min(max)]
    }

    /// Loses everything. Readers that kept an offset beyond the new end read nothing until the log has
    /// grown past it, and miss what is written until then.
    pub fn wipe(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::EntryKind;
    use super::*;
    use crate::trace::{NodeId, TaskId};
    use proptest::prelude::*;

    proptest! {
        /// Offsets are gapless, and reading in steps of any size gives what was written, once, in order.
        #[test]
        fn readers_see_what_was_written(count in 0u32..200, step in 1usize..20) {
            let mut log = Log::default();
            let entry = |id| LogEntry { kind: EntryKind::Posted, task: TaskId(id), node: NodeId(0) };
            for id in 0..count {
                prop_assert_eq!(log.append(entry(id)), Offset(id));
            }
            let (mut at, mut read) = (0, Vec::new());
            while Offset(at) < log.end() {
                let page = log.read(Offset(at), step);
                prop_assert!(!page.is_empty() && page.len() <= step);
                read.extend_from_slice(page);
                at += page.len() as u32;
            }
            prop_assert_eq!(read, (0..count).map(entry).collect::<Vec<_>>());
            prop_assert_eq!(log.read(Offset(count + 5), step), &[]);
        }
    }
}
