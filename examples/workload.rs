//! One piece of work, done once and without a clock: for callgrind, perf and the instruction gate.
//!
//! `cargo run --release --example workload -- hybrid 40` runs 40 minutes of the pattern `hybrid` and prints
//! how many events that were; without arguments it lists what there is. What a unit of work costs is the
//! difference between a large and a small run divided by the difference in units, so that starting up and
//! drawing the fleet cancel out. `tests/instructions.rs` does so under callgrind; a table by function is
//! `valgrind --tool=callgrind target/release/examples/workload hybrid 40`, then `callgrind_annotate`.

use anthill::engine::{Agenda, Ahead, Engine, Model, Rng, Seed, Span, Time, prefetch_at};
use anthill::pattern::PATTERNS;
use anthill::scenario::{Known, Scenario, TextOrigin};
use anthill::sim::Setup;

/// A kind of work.
#[derive(Debug)]
pub struct Workload {
    /// What it is called on the command line and in `benches/instructions.toml`.
    pub name: &'static str,
    /// What is counted.
    pub unit: &'static str,
    /// What sizes mean.
    pub size: &'static str,
    /// Two sizes whose difference can be measured.
    pub sizes: [u64; 2],
    work: fn(&str, u64) -> u64,
}

impl Workload {
    /// Does it, and returns how many units were done.
    pub fn run(&self, size: u64) -> u64 {
        (self.work)(self.name, size)
    }
}

/// All of them.
pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "hold_1000",
        unit: "event",
        size: "events with 1,000 pending",
        sizes: [100_000, 300_000],
        work: hold,
    },
    pattern("hierarchical"),
    pattern("peer_to_peer"),
    pattern("event_driven"),
    pattern("hybrid"),
    Workload {
        name: "leader_worker",
        unit: "task",
        size: "milliseconds of 8,000 tasks a second",
        sizes: [200, 600],
        work: leader_worker,
    },
];

const fn pattern(name: &'static str) -> Workload {
    let size = "minutes of benches/workload.toml";
    Workload { name, unit: "event", size, sizes: [20, 60], work: measured }
}

/// Whatever is called `name`.
pub fn find(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

/// A run with every metric, as it is always measured.
fn measured(pattern: &str, minutes: u64) -> u64 {
    let text = include_str!("../benches/workload.toml");
    let setup = setup(text, &[format!("run.horizon={minutes}min")]);
    run(pattern, &setup)
}

/// The same of one coordinator and a thousand workers; what is counted is tasks.
fn leader_worker(_: &str, milliseconds: u64) -> u64 {
    let text = include_str!("../scenarios/leader-worker.toml");
    let setup = setup(text, &[format!("run.horizon={milliseconds}ms"), "run.warmup=100ms".to_owned()]);
    run("hierarchical", &setup);
    setup.tasks.len() as u64
}

fn run(pattern: &str, setup: &Setup) -> u64 {
    let def = PATTERNS.iter().find(|def| def.name == pattern).expect("a registered pattern");
    (def.run)(setup).expect("no promise is broken").end.events
}

fn setup(text: &str, sets: &[String]) -> Setup {
    let origin = TextOrigin { name: "workload".into(), stem: "workload".into(), folder: ".".into() };
    let known = Known { patterns: PATTERNS, trials: anthill::trial::TRIALS };
    let scenario = Scenario::from_text(text, &origin, sets, &known);
    scenario.and_then(|scenario| scenario.instantiate(Seed(1), 0)).expect("our own scenario is valid")
}

/// The hold model with exponential delays, through the public `Model` and `Agenda`: `benches/agenda.rs` says
/// more.
struct Hold {
    rng: Rng,
    fired: Vec<u64>,
    left: u64,
}

impl Hold {
    fn delay(&mut self) -> Span {
        Span::from_secs_f64(-libm::log(self.rng.uniform()))
    }
}

impl Model for Hold {
    /// Twelve bytes, as much as the events of the simulator.
    type Event = (u32, [u32; 2]);

    fn handle(&mut self, (process, payload): Self::Event, agenda: &mut Agenda<Self::Event>) {
        self.fired[process as usize] += 1;
        self.left -= 1;
        if self.left == 0 {
            agenda.stop();
        }
        let delay = self.delay();
        let next = self.rng.below(self.fired.len() as u32);
        agenda.after(delay, (next, [payload[1], payload[0] + 1]));
    }

    fn foresee(&self, &(process, _): &Self::Event, ahead: Ahead) {
        if ahead == Ahead::Far {
            prefetch_at(&self.fired, process as usize);
        }
    }
}

fn hold(_: &str, events: u64) -> u64 {
    let processes = 1_000;
    let mut engine = Engine::new(Hold { rng: Rng::from_state(1), fired: vec![0; processes], left: events });
    for process in 0..processes as u32 {
        let delay = engine.model_mut().delay();
        engine.agenda().at(Time::ZERO + delay, (process, [0; 2]));
    }
    engine.run().events
}

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = arguments.first().and_then(|name| find(name));
    let size = arguments.get(1).map_or(Some(None), |size| size.parse().ok().map(Some));
    let (Some(workload), Some(size)) = (asked, size) else {
        eprintln!("usage: workload NAME [SIZE]\n");
        for Workload { name, unit, size, sizes, .. } in WORKLOADS {
            eprintln!("  {name:14} counts {unit}s; SIZE is {size}, {} if left out", sizes[0]);
        }
        return std::process::ExitCode::from(2);
    };
    let units = workload.run(size.unwrap_or(workload.sizes[0]));
    println!("{units} {}s", workload.unit);
    std::process::ExitCode::SUCCESS
}
