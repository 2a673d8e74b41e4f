//! What patterns promise whoever uses them.

/// What a pattern may promise; listed in `GIVES_UP` when it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promise {
    /// A task is settled at most once.
    SettledOnce,
    /// A task acknowledged to its client is never lost, whatever node fails.
    NoTaskLost,
    /// Progress continues while any single node is down.
    NoSinglePoint,
}

impl Promise {
    /// The name shown by `anthill patterns`.
    pub const fn name(self) -> &'static str {
        match self {
            Promise::SettledOnce => "settled_once",
            Promise::NoTaskLost => "no_task_lost",
            Promise::NoSinglePoint => "no_single_point",
        }
    }
    /// What it promises, in one line.
    pub const fn about(self) -> &'static str {
        match self {
            Promise::SettledOnce => "a task is settled at most once",
            Promise::NoTaskLost => "a task acknowledged to its client is never lost, whatever node fails",
            Promise::NoSinglePoint => "progress continues while any single node is down",
        }
    }
}
