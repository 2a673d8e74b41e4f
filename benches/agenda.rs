//! The hold model (K-03 of the reference results): n logical processes, one event each; an event touches
//! its process and re-schedules itself at a random one. The cost of one event through the public `Model` and
//! `Agenda`, random draws included.
//!
//! `cargo bench --bench agenda` measures all laws with criterion. `cargo bench --bench agenda -- table`
//! compares, in turns within one process, with two kernels of the same model: the floor, which has no queue
//! at all (a ring: first in, first out, whatever the time), and one on the standard library's binary heap.
//! `-- laws` does so for every law; `-- only agenda 10000 1000000` runs one kernel (`floor`, `heap`,
//! `agenda`) with so many pending for so many events and prints nothing, for callgrind.

// A bench measures the clock on the wall; the simulation knows nothing of it.
#![allow(clippy::disallowed_types)]
#![allow(missing_docs)]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

use anthill::engine::{Agenda, Ahead, Engine, Model, Rng, Span, Time, prefetch_at};
use criterion::{BenchmarkId, Criterion, Throughput};

/// Of the delays, mean about 1 s each: those of Rönngren and Ayani (ACM TOMACS 7(3), 1997), and four that
/// queues with fixed buckets stumble over.
#[derive(Clone, Copy, Debug)]
enum Law {
    Exponential,
    Uniform,
    Bimodal,
    Triangular,
    Biased,
    /// Pareto with shape 1.1: some delays are 10⁵ times the usual one.
    HeavyTail,
    /// One in ten is a timer of an hour, the others take 1 ms.
    FarTimers,
    /// Always 1 s, so that everything happens at the same instants.
    Equal,
    /// Half of them no time at all.
    Immediate,
}

const LAWS: [Law; 9] = [
    Law::Exponential,
    Law::Uniform,
    Law::Bimodal,
    Law::Triangular,
    Law::Biased,
    Law::HeavyTail,
    Law::FarTimers,
    Law::Equal,
    Law::Immediate,
];

impl Law {
    #[inline(always)]
    fn draw(self, rng: &mut Rng) -> Span {
        let exponential = |rng: &mut Rng| -libm::log(rng.uniform());
        Span::from_secs_f64(match self {
            Law::Exponential => exponential(rng),
            Law::Uniform => 2.0 * rng.uniform(),
            Law::Bimodal => 0.95238 * rng.uniform() + if rng.chance(0.1) { 9.5238 } else { 0.0 },
            Law::Triangular => 1.5 * rng.uniform().sqrt(),
            Law::Biased => 0.9 + 0.2 * rng.uniform(),
            Law::HeavyTail => 0.1 * libm::exp(exponential(rng) / 1.1),
            Law::FarTimers if rng.chance(0.1) => 3_600.0 * rng.uniform(),
            Law::FarTimers => 0.001 * exponential(rng),
            Law::Equal => 1.0,
            Law::Immediate if rng.chance(0.5) => 0.0,
            Law::Immediate => 2.0 * exponential(rng),
        })
    }
}

/// Twelve bytes, as much as the events of the simulator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    process: u32,
    payload: [u32; 2],
}

#[derive(Clone, Copy)]
struct Process {
    fired: u64,
    last: Time,
}

/// What all three kernels do with an event.
struct Hold {
    law: Law,
    rng: Rng,
    processes: Vec<Process>,
    left: u64,
}

impl Hold {
    fn new(law: Law, processes: u32) -> Hold {
        let fresh = Process { fired: 0, last: Time::ZERO };
        Hold { law, rng: Rng::from_state(1), processes: vec![fresh; processes as usize], left: u64::MAX }
    }

    /// The first events, one for each process.
    fn first(&mut self) -> Vec<(Time, Event)> {
        let processes = 0..self.processes.len() as u32;
        let first = processes.map(|process| (Time::ZERO + self.law.draw(&mut self.rng), process));
        first.map(|(at, process)| (at, Event { process, payload: [0; 2] })).collect()
    }

    #[inline(always)]
    fn react(&mut self, event: Event, now: Time) -> (Span, Event) {
        let process = &mut self.processes[event.process as usize];
        process.fired += 1;
        process.last = now;
        self.left -= 1;
        let wait = self.law.draw(&mut self.rng);
        let process = self.rng.below(self.processes.len() as u32);
        (wait, Event { process, payload: [event.payload[1], event.payload[0] + 1] })
    }
}

impl Model for Hold {
    type Event = Event;
    #[inline]
    fn handle(&mut self, event: Event, agenda: &mut Agenda<Event>) {
        let (wait, event) = self.react(event, agenda.now());
        agenda.after(wait, event);
        if self.left == 0 {
            agenda.stop();
        }
    }
    #[inline]
    fn foresee(&self, event: &Event, ahead: Ahead) {
        if ahead == Ahead::Far {
            prefetch_at(&self.processes, event.process as usize);
        }
    }
}

/// A kernel that can run some more events.
trait Kernel {
    fn run(&mut self, events: u64);
}

struct Ours(Engine<Hold>);

impl Ours {
    fn new(law: Law, processes: u32) -> Ours {
        let mut engine = Engine::new(Hold::new(law, processes));
        for (at, event) in engine.model_mut().first() {
            engine.agenda().at(at, event);
        }
        Ours(engine)
    }
}

impl Kernel for Ours {
    #[inline(never)]
    fn run(&mut self, events: u64) {
        self.0.model_mut().left = events;
        self.0.run();
    }
}

struct Floor {
    hold: Hold,
    ring: VecDeque<(Time, Event)>,
}

impl Floor {
    fn new(law: Law, processes: u32) -> Floor {
        let mut hold = Hold::new(law, processes);
        let mut ring = VecDeque::with_capacity(processes as usize + 1);
        ring.extend(hold.first());
        Floor { hold, ring }
    }
}

impl Kernel for Floor {
    #[inline(never)]
    fn run(&mut self, events: u64) {
        self.hold.left = events;
        while let Some((now, event)) = self.ring.pop_front() {
            let (wait, event) = self.hold.react(event, now);
            self.ring.push_back((now + wait, event));
            if self.hold.left == 0 {
                return;
            }
        }
    }
}

struct Heap {
    hold: Hold,
    heap: BinaryHeap<Reverse<(Time, u64, Event)>>,
    scheduled: u64,
}

impl Heap {
    fn new(law: Law, processes: u32) -> Heap {
        let mut hold = Hold::new(law, processes);
        let first = hold.first().into_iter().zip(0..).map(|((at, event), order)| Reverse((at, order, event)));
        Heap { heap: first.collect(), hold, scheduled: u64::from(processes) }
    }
}

impl Kernel for Heap {
    #[inline(never)]
    fn run(&mut self, events: u64) {
        self.hold.left = events;
        while let Some(Reverse((now, _, event))) = self.heap.pop() {
            let (wait, event) = self.hold.react(event, now);
            self.heap.push(Reverse((now + wait, self.scheduled, event)));
            self.scheduled += 1;
            if self.hold.left == 0 {
                return;
            }
        }
    }
}

/// What a tenth, half and nine tenths of the values stay below: a turn that the machine interrupts at a bad
/// moment is an outlier, and says nothing.
fn spread(values: &mut [f64]) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [values[values.len() / 10], values[values.len() / 2], values[values.len() * 9 / 10]]
}

/// Short turns of each kernel, one after the other, so that a slow moment of the machine meets all of them.
fn compare(law: Law, processes: u32, turns: usize) {
    let mut kernels: [Box<dyn Kernel>; 3] = [
        Box::new(Floor::new(law, processes)),
        Box::new(Heap::new(law, processes)),
        Box::new(Ours::new(law, processes)),
    ];
    let settle = u64::from(processes) * 12 + 20_000;
    kernels.iter_mut().for_each(|kernel| kernel.run(settle));
    let events = 20_000 + u64::from(processes) / 16;
    let mut costs = [(); 3].map(|()| Vec::with_capacity(turns));
    for _ in 0..turns {
        for (kernel, costs) in kernels.iter_mut().zip(&mut costs) {
            // A turn starts with the caches as the others left them.
            kernel.run(events / 4);
            let start = Instant::now();
            kernel.run(events);
            costs.push(start.elapsed().as_nanos() as f64 / events as f64);
        }
    }
    let ratio = |over: usize, under: usize| -> String {
        let mut ratios: Vec<f64> = costs[over].iter().zip(&costs[under]).map(|(a, b)| a / b).collect();
        let [low, median, high] = spread(&mut ratios);
        format!("{median:.2} ({low:.2}–{high:.2})")
    };
    let (ours, heap) = (ratio(2, 0), ratio(1, 2));
    let [floor, std_heap, ladder] = costs.map(|mut costs| spread(&mut costs)[1]);
    let law = format!("{law:?}");
    println!("| {law:11} | {processes:9} | {floor:5.1} | {std_heap:5.1} | {ladder:5.1} | {ours} | {heap} |");
}

fn table(laws: &[Law], sizes: &[u32]) {
    println!("ns an event, medians of interleaved turns; ratios: median (first–last decile)\n");
    println!("| delays | pending | floor | std heap | agenda | agenda ÷ floor | std heap ÷ agenda |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for &law in laws {
        for &processes in sizes {
            compare(law, processes, if processes > 100_000 { 40 } else { 200 });
        }
    }
}

fn criterion_groups() {
    let mut criterion = Criterion::default().configure_from_args();
    for law in LAWS {
        let mut group = criterion.benchmark_group(format!("hold/{law:?}"));
        for processes in [100, 1_000, 10_000, 100_000, 1_000_000] {
            let mut kernel = Ours::new(law, processes);
            kernel.run(u64::from(processes) * 12);
            let events = 100_000;
            group.throughput(Throughput::Elements(events)).sample_size(20);
            group.bench_function(BenchmarkId::from_parameter(processes), |bencher| {
                bencher.iter(|| kernel.run(events));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let sizes = [10, 100, 1_000, 10_000, 100_000, 1_000_000];
    match arguments.first().map(String::as_str) {
        Some("table") => table(&LAWS[..1], &sizes),
        Some("laws") => table(&LAWS, &[1_000, 100_000]),
        Some("only") => {
            let number = |place: usize| arguments[place].parse().expect("a number");
            let (processes, law) = (number(2) as u32, LAWS[arguments.get(4).map_or(0, |_| number(4))]);
            let mut kernel: Box<dyn Kernel> = match arguments[1].as_str() {
                "floor" => Box::new(Floor::new(law, processes)),
                "heap" => Box::new(Heap::new(law, processes)),
                _ => Box::new(Ours::new(law, processes)),
            };
            kernel.run(number(3) as u64);
        }
        _ => criterion_groups(),
    }
}
