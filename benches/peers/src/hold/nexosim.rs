//! NeXosim on one thread: one model that knows all processes, or a model for each process.
//!
//! A model can schedule events for itself alone, and one output for each of n targets would be n²
//! connections. So with a model for each process the next event stays at its process: one event each, no
//! random target.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::EventSource;
use nexosim::simulation::{Mailbox, SimInit, Simulation};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};

use crate::draw::Draw;
use crate::measure::{Held, Hold, cpu_s};

/// Events fired. One thread writes, so that no locked instruction is needed.
static FIRED: AtomicU64 = AtomicU64::new(0);

fn count() {
    FIRED.store(FIRED.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// An event may not be scheduled for now.
fn wait(draw: &mut Draw) -> Duration {
    Duration::from_nanos((draw.exponential(1e9) as u64).max(1))
}

#[derive(Serialize, Deserialize)]
struct All {
    fired: Vec<u64>,
    draw: Draw,
}

#[Model]
impl All {
    pub fn begin(&mut self, _: (), cx: &Context<Self>) {
        for process in 0..self.fired.len() as u32 {
            self.next(process, cx);
        }
    }

    #[nexosim(schedulable)]
    fn fire(&mut self, process: u32, cx: &Context<Self>) {
        count();
        self.fired[process as usize] += 1;
        let next = self.draw.below(self.fired.len() as u32);
        self.next(next, cx);
    }

    fn next(&mut self, process: u32, cx: &Context<Self>) {
        let wait = wait(&mut self.draw);
        cx.schedule_event(wait, schedulable!(Self::fire), process).expect("a wait is above zero");
    }
}

pub fn one(plan: &Hold) -> Held {
    let all = All { fired: vec![0; plan.pending as usize], draw: Draw::new(plan.seed) };
    let mailbox = Mailbox::new();
    let mut bench = SimInit::with_num_threads(1);
    let begin = EventSource::new().connect(All::begin, &mailbox).register(&mut bench);
    let mut simulation =
        bench.add_model(all, mailbox, "all").init(MonotonicTime::EPOCH).expect("a bench of one model");
    simulation.process_event(&begin, ()).expect("the model is there");
    timed(&mut simulation, plan)
}

#[derive(Serialize, Deserialize)]
struct Process {
    fired: u64,
    draw: Draw,
}

#[Model]
impl Process {
    #[nexosim(init)]
    async fn begin(&mut self, cx: &Context<Self>) {
        self.next(cx);
    }

    #[nexosim(schedulable)]
    fn fire(&mut self, _: (), cx: &Context<Self>) {
        count();
        self.fired += 1;
        self.next(cx);
    }

    fn next(&mut self, cx: &Context<Self>) {
        let wait = wait(&mut self.draw);
        cx.schedule_event(wait, schedulable!(Self::fire), ()).expect("a wait is above zero");
    }
}

pub fn each(plan: &Hold) -> Held {
    let mut bench = SimInit::with_num_threads(1);
    for number in 0..plan.pending {
        let draw = Draw::new(plan.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(number)));
        bench = bench.add_model(Process { fired: 0, draw }, Mailbox::with_capacity(1), &format!("p{number}"));
    }
    let mut simulation = bench.init(MonotonicTime::EPOCH).expect("models without connections");
    timed(&mut simulation, plan)
}

fn timed(simulation: &mut Simulation, plan: &Hold) -> Held {
    until(simulation, plan.untimed());
    let (before, fired_before) = (simulation.time(), FIRED.load(Ordering::Relaxed));
    let start = cpu_s();
    until(simulation, fired_before + plan.events);
    let cpu_s = cpu_s() - start;
    let simulated_s = simulation.time().duration_since(before).as_secs_f64();
    Held { events: FIRED.load(Ordering::Relaxed) - fired_before, cpu_s, simulated_s }
}

/// Steps until so many events have fired: a step fires everything that is scheduled for one instant.
fn until(simulation: &mut Simulation, events: u64) {
    while FIRED.load(Ordering::Relaxed) < events {
        simulation.step().expect("events are pending");
    }
}
