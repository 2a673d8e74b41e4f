//! Jobs on threads, taken from the front of a list.
//!
//! Every thread takes the next job in order, so that what is done when somebody interrupts is the beginning
//! of the list. (A parallel iterator would begin in the middle as well.) What comes out is ordered by job,
//! whoever did it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Runs done.
    pub done: usize,
    /// Runs known of so far; there are more where an expectation asks for more replications.
    pub total: usize,
}

/// Threads, how far they are, and whether to stop.
pub(super) struct Pool<'a> {
    threads: rayon::ThreadPool,
    each: &'a (dyn Fn(Progress) + Sync),
    stop: &'a AtomicBool,
    done: AtomicUsize,
    total: AtomicUsize,
}

impl<'a> Pool<'a> {
    /// `threads` threads (0: one a core). `each` is called from them after every job; jobs not begun when
    /// `stop` is set are left out.
    pub(super) fn new(
        threads: usize,
        each: &'a (dyn Fn(Progress) + Sync),
        stop: &'a AtomicBool,
    ) -> Result<Pool<'a>, Error> {
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| Error::Incomplete(format!("no threads to run on: {error}")))?;
        Ok(Pool { threads, each, stop, done: AtomicUsize::new(0), total: AtomicUsize::new(0) })
    }

    /// Whether somebody asked to stop.
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Does `jobs`; `None` for those left out. After a result that is `fatal` no other job is begun.
    pub(super) fn run<J: Sync, R: Send>(
        &self,
        jobs: &[J],
        run: impl Fn(&J) -> R + Sync,
        fatal: impl Fn(&R) -> bool + Sync,
    ) -> Vec<Option<R>> {
        let total = self.total.fetch_add(jobs.len(), Ordering::Relaxed) + jobs.len();
        let results: Mutex<Vec<Option<R>>> = Mutex::new(jobs.iter().map(|_| None).collect());
        let next = AtomicUsize::new(0);
        self.threads.broadcast(|_| {
            while !self.stopped() {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(index) else { return };
                let result = run(job);
                if fatal(&result) {
                    // Nothing can be concluded any more: let the others stop as well.
                    next.fetch_add(jobs.len(), Ordering::Relaxed);
                }
                results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(result);
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                (self.each)(Progress { done, total });
            }
        });
        results.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
