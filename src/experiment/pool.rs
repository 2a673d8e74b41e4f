//! Jobs on threads, taken from the front of a list and given away in its order.
//!
//! Every thread takes the next job in order, so that what is done when somebody interrupts is the beginning
//! of the list. (A parallel iterator would begin in the middle as well.) A result that comes before those
//! of earlier jobs is kept until they have come, and no thread runs further ahead than [`AHEAD`] jobs for
//! each thread: memory is bounded by the threads, however long the list is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

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

    /// Does `jobs` and hands every result to `take`, in the order of the jobs, as soon as that is possible.
    /// When somebody stops, or after a result that is `fatal`, no other job is begun; what was done is the
    /// beginning of the list, and all of it is handed over. Returns how many jobs were done.
    pub(super) fn run<J: Sync, R: Send>(
        &self,
        jobs: &[J],
        run: impl Fn(&J) -> R + Sync,
        fatal: impl Fn(&R) -> bool + Sync,
        take: impl FnMut(&J, R) + Send,
    ) -> usize {
        let total = self.total.fetch_add(jobs.len(), Ordering::Relaxed) + jobs.len();
        let line = Mutex::new(Line { next: 0, taken: 0, early: BTreeMap::new(), closed: false, take });
        let moved = Condvar::new();
        let ahead = AHEAD * self.threads.current_num_threads();
        self.threads.broadcast(|_| {
            // Should a job panic, the others must not wait for its result.
            let _close = Close { line: &line, moved: &moved };
            while let Some(index) = begin(&line, &moved, || self.stopped(), jobs.len(), ahead) {
                let result = run(&jobs[index]);
                let mut line = lock(&line);
                line.closed |= fatal(&result);
                line.hand_over(jobs, index, result);
                drop(line);
                moved.notify_all();
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                (self.each)(Progress { done, total });
            }
        });
        line.into_inner().unwrap_or_else(PoisonError::into_inner).taken
    }
}

/// How many jobs a thread may begin before the one whose result everybody waits for is done. Jobs differ
/// tenfold in length, and nobody should wait.
const AHEAD: usize = 32;

/// The list of jobs while it is worked off.
struct Line<R, T> {
    /// The first job that nobody has begun.
    next: usize,
    /// Jobs whose results were handed over: those before this one.
    taken: usize,
    /// Results whose turn has not come.
    early: BTreeMap<usize, R>,
    /// Whether no other job is to be begun.
    closed: bool,
    take: T,
}

impl<R, T> Line<R, T> {
    fn hand_over<J>(&mut self, jobs: &[J], index: usize, result: R)
    where
        T: FnMut(&J, R),
    {
        self.early.insert(index, result);
        while let Some(result) = self.early.remove(&self.taken) {
            (self.take)(&jobs[self.taken], result);
            self.taken += 1;
        }
    }
}

/// The next job to do; waits while the line is too far ahead. `None` if there is none, or none is wanted.
fn begin<R, T>(
    line: &Mutex<Line<R, T>>,
    moved: &Condvar,
    stopped: impl Fn() -> bool,
    jobs: usize,
    ahead: usize,
) -> Option<usize> {
    let mut line = lock(line);
    loop {
        if line.closed || line.next == jobs || stopped() {
            return None;
        }
        if line.next < line.taken + ahead {
            line.next += 1;
            return Some(line.next - 1);
        }
        line = moved.wait(line).unwrap_or_else(PoisonError::into_inner);
    }
}

fn lock<L>(line: &Mutex<L>) -> MutexGuard<'_, L> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes the line of a thread that panics.
struct Close<'a, R, T> {
    line: &'a Mutex<Line<R, T>>,
    moved: &'a Condvar,
}

impl<R, T> Drop for Close<'_, R, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(self.line).closed = true;
            self.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: fn(Progress) = |_| {};

    fn pool<'a>(threads: usize, stop: &'a AtomicBool) -> Pool<'a> {
        Pool::new(threads, &QUIET, stop).expect("threads")
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let stop = AtomicBool::new(false);
        let jobs: Vec<usize> = (0..500).collect();
        let mut seen = Vec::new();
        let done = pool(3, &stop).run(&jobs, |job| job * 2, |_| false, |job, twice| seen.push((*job, twice)));
        assert_eq!(done, 500);
        assert!(seen.iter().enumerate().all(|(place, &(job, twice))| job == place && twice == 2 * place));
    }

    /// While the first job goes on, the others may not run away from it.
    #[test]
    fn nobody_runs_further_ahead_than_allowed() {
        let stop = AtomicBool::new(false);
        let begun = AtomicUsize::new(0);
        let jobs: Vec<usize> = (0..1_000).collect();
        let furthest = AtomicUsize::new(0);
        let run = |job: &usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            if *job == 0 {
                // All others that may begin do so, and then no more.
                while begun.load(Ordering::SeqCst) < 2 * AHEAD {
                    std::thread::yield_now();
                }
                for _ in 0..1_000 {
                    std::thread::yield_now();
                }
                furthest.store(begun.load(Ordering::SeqCst), Ordering::SeqCst);
            }
        };
        assert_eq!(pool(2, &stop).run(&jobs, run, |()| false, |_, ()| {}), 1_000);
        assert_eq!(furthest.load(Ordering::SeqCst), 2 * AHEAD);
    }

    #[test]
    fn after_a_fatal_result_or_a_stop_only_the_beginning_of_the_list_is_done() {
        let stop = AtomicBool::new(false);
        let jobs: Vec<usize> = (0..1_000).collect();
        let mut seen = Vec::new();
        let done = pool(2, &stop).run(&jobs, |job| *job, |job| *job == 40, |_, job| seen.push(job));
        assert!((41..=40 + 2 * AHEAD).contains(&done), "{done}");
        assert_eq!(seen, jobs[..done]);
        let halt = |job: &usize| stop.store(*job >= 7, Ordering::Relaxed);
        let done = pool(1, &stop).run(&jobs, halt, |()| false, |_, ()| {});
        assert_eq!(done, 8);
    }

    #[test]
    #[should_panic(expected = "the first job fails")]
    fn a_job_that_panics_leaves_nobody_waiting() {
        let stop = AtomicBool::new(false);
        let jobs: Vec<usize> = (0..1_000).collect();
        let run = |job: &usize| {
            if *job == 0 {
                for _ in 0..1_000 {
                    std::thread::yield_now();
                }
                panic!("the first job fails");
            }
        };
        pool(2, &stop).run(&jobs, run, |()| false, |_, ()| {});
    }
}
