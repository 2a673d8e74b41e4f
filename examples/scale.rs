//! What simulating costs per event and per agent, from a hundred agents to a million.
//!
//! `cargo run --release --example scale` runs `scenarios/scale.toml` at 10² to 10⁶ agents under each
//! pattern, and writes `results/scale`: `scale.csv`, `scale.svg`, `scale.png`. `--most 100000` stops
//! earlier, `--patterns hybrid,hierarchical` takes these alone, `--out DIR` writes elsewhere. Each pattern
//! at each size is a process of its own, so that the peak of its memory is that run's; a finished one is
//! written at once.
//!
//! | column | what |
//! |---|---|
//! | `agents`, `pattern`, `replications` | what was run; small fleets run more often |
//! | `events` | in all replications |
//! | `ns_per_event` | CPU time of engine, world, pattern and every metric ÷ events |
//! | `ns_per_event_bare` | the same without metrics |
//! | `bytes_per_agent` | heap of engine, world and pattern at its largest, without the setup, ÷ agents |
//! | `world_bytes_per_agent` | the same under `independent`, whose nodes keep nothing: engine and world |
//! | `peak_rss_mib` | most memory the process ever had, with the setup and every metric |

// What a run costs is measured by the clock; the simulation knows nothing of it.
#![allow(clippy::disallowed_types)]

use std::alloc::System;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anthill::engine::{EventId, Seed, Span, Time};
use anthill::metrics::ledger::Ledger;
use anthill::pattern::PATTERNS;
use anthill::report::{Growth, GrowthCurve, GrowthPanel, growth, png};
use anthill::scenario::{Known, Scenario};
use anthill::sim::{PatternDef, Setup};
use anthill::trace::{Observer, Record};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const HEADER: &str = "agents,pattern,replications,events,ns_per_event,ns_per_event_bare,bytes_per_agent,\
                      world_bytes_per_agent,peak_rss_mib";
/// Agents in all replications of one size, so that the smallest fleets have as many tasks as one of these.
const AGENTS_IN_ALL: u32 = 40_000;
/// What `standing_overhead_share` simulates in every measured run, and what is no event of the run.
const STANDING: Span = Span::from_secs(600);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match &arguments[..] {
        [one, pattern, agents] if one == "one" => one_process(pattern, agents),
        options => Options::parse(options).and_then(|options| all_processes(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("scale: {what}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    most: u32,
    patterns: Vec<String>,
    out: PathBuf,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options, String> {
        let patterns = ["hierarchical", "peer_to_peer", "event_driven", "hybrid"].map(str::to_owned).to_vec();
        let mut options = Options { most: 1_000_000, patterns, out: "results/scale".into() };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else { return Err(format!("{} needs a value", pair[0])) };
            match name.as_str() {
                "--most" => options.most = value.parse().map_err(|_| format!("--most {value}: a number"))?,
                "--patterns" => options.patterns = value.split(',').map(str::to_owned).collect(),
                "--out" => options.out = value.into(),
                _ => return Err(format!("{name}: there are --most, --patterns and --out")),
            }
        }
        options.patterns.iter().try_for_each(|name| pattern(name).map(|_| ()))?;
        Ok(options)
    }
}

/// Runs everything, smallest first; what is done is on disk whatever happens next.
fn all_processes(options: &Options) -> Result<(), String> {
    std::fs::create_dir_all(&options.out).map_err(|error| format!("{}: {error}", options.out.display()))?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut csv = format!("{HEADER}\n");
    let sizes =
        (2..).map(|power| 10u32.pow(power)).take_while(|&agents| agents <= options.most.min(1_000_000));
    for agents in sizes {
        for name in &options.patterns {
            let mut child = Command::new(&this);
            child.args(["one", name, &agents.to_string()]).stderr(Stdio::inherit());
            let output = child.output().map_err(|error| error.to_string())?;
            if !output.status.success() {
                return Err(format!("{name} with {agents} agents: {}", output.status));
            }
            let row = String::from_utf8_lossy(&output.stdout);
            eprint!("{row}");
            csv.push_str(&row);
            write(&options.out, &csv)?;
        }
    }
    Ok(())
}

fn write(folder: &Path, csv: &str) -> Result<(), String> {
    let svg = plot(csv);
    let files = [("scale.csv", csv.as_bytes()), ("scale.svg", svg.as_bytes()), ("scale.png", &png(&svg))];
    files.into_iter().try_for_each(|(name, bytes)| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    })
}

fn plot(csv: &str) -> String {
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
    growth(&Growth {
        title: "What simulating costs as fleets grow",
        below: "scenario scale: half a task for each agent; one core, every metric on",
        size: "agents",
        panels: vec![
            panel("CPU time [ns per event]", &rows, "ns_per_event"),
            panel("engine, world and pattern [bytes per agent]", &rows, "bytes_per_agent"),
        ],
    })
}

/// One column of the rows against the number of agents, a curve for each pattern.
fn panel<'a>(heading: &'a str, rows: &[Vec<&'a str>], name: &str) -> GrowthPanel<'a> {
    let column = |name: &str| HEADER.split(',').position(|known| known == name).expect("a column");
    let (agents, pattern, cost) = (column("agents"), column("pattern"), column(name));
    let mut curves: Vec<GrowthCurve<'_>> = Vec::new();
    for row in rows {
        let number = |column: usize| row[column].parse().unwrap_or(f64::NAN);
        let point = (number(agents), number(cost));
        match curves.iter_mut().find(|curve| curve.pattern == row[pattern]) {
            Some(curve) => curve.points.push(point),
            None => curves.push(GrowthCurve { pattern: row[pattern], points: vec![point] }),
        }
    }
    GrowthPanel { heading, curves }
}

fn pattern(name: &str) -> Result<PatternDef, String> {
    let found = PATTERNS.iter().find(|def| def.name == name);
    found.copied().ok_or_else(|| format!("there is no pattern {name}"))
}

/// One size under one pattern; prints its row.
fn one_process(name: &str, agents: &str) -> Result<(), String> {
    let (def, independent) = (pattern(name)?, pattern("independent")?);
    let agents: u32 = agents.parse().map_err(|_| format!("{agents}: a number of agents"))?;
    let scenario = scenario(agents)?;
    let replications = (AGENTS_IN_ALL / agents).max(1);
    let (mut events, mut bare_ns, mut all_ns) = (0, 0.0, 0.0);
    let mut bytes = 0;
    for replication in 0..replications {
        let setup = scenario.instantiate(Seed(1), replication).map_err(|error| error.to_string())?;
        let mut scales = Scales::new();
        let (end, ns) = timed(|| (def.watch)(&setup, &mut scales));
        events += end.map_err(|error| error.to_string())?.events;
        bare_ns += ns;
        bytes = bytes.max(scales.most);
        let standing = standing(&def, &setup)?;
        let (outcome, ns) = timed(|| (def.run)(&setup));
        outcome.map_err(|error| error.to_string())?;
        all_ns += ns - standing;
    }
    let peak_rss_mib = peak_rss_kib().map_or(f64::NAN, |kib| kib as f64 / 1024.0);
    // After the peak was read, because it is another pattern's run.
    let setup = scenario.instantiate(Seed(1), 0).map_err(|error| error.to_string())?;
    let mut world = Scales::new();
    (independent.watch)(&setup, &mut world).map_err(|error| error.to_string())?;
    let per_event = |ns: f64| ns / events as f64;
    let per_agent = |bytes: usize| bytes as f64 / f64::from(agents);
    let mut row = format!("{agents},{name},{replications},{events}");
    let _ = write!(row, ",{:.1},{:.1}", per_event(all_ns), per_event(bare_ns));
    let _ = write!(row, ",{:.0},{:.0},{peak_rss_mib:.0}", per_agent(bytes), per_agent(world.most));
    println!("{row}");
    Ok(())
}

/// The scenario for so many agents, with infrastructure in proportion.
fn scenario(agents: u32) -> Result<Scenario, String> {
    let sets = [
        format!("agents.count={agents}"),
        format!("work.source.poisson.rate_per_s={}", 0.005 * f64::from(agents)),
        format!("relays.count={}", agents.div_ceil(2_000)),
        format!("pattern.hierarchical.coordinators={}", agents.div_ceil(5_000)),
    ];
    let known = Known { patterns: PATTERNS, trials: anthill::trial::TRIALS };
    Scenario::load("scale", &sets, &known).map_err(|error| error.to_string())
}

/// CPU time of the quiet fleet that every measured run simulates beside its own events \[ns\].
fn standing(def: &PatternDef, setup: &Setup) -> Result<f64, String> {
    let quiet = setup.without_tasks_and_faults(STANDING);
    let mut ledger = Ledger::new(quiet.fleet.clone(), quiet.tasks.clone(), quiet.clock.warmup);
    let (end, ns) = timed(|| (def.watch)(&quiet, &mut ledger));
    end.map_err(|error| error.to_string())?;
    Ok(ns)
}

/// Weighs the heap while a run goes on: what is there above what was there before.
///
/// A weight now and then will do, and one at the end: what a run keeps grows to what it needs at most.
struct Scales {
    before: usize,
    most: usize,
    records: u32,
}

impl Scales {
    fn new() -> Scales {
        Scales { before: heap(), most: 0, records: 0 }
    }
}

impl Observer for Scales {
    fn observe(&mut self, _: Time, _: EventId, record: &Record) {
        self.records = self.records.wrapping_add(1);
        if self.records.is_multiple_of(1024) || matches!(record, Record::Finish) {
            self.most = self.most.max(heap().saturating_sub(self.before));
        }
    }
}

/// Bytes asked for and not given back.
fn heap() -> usize {
    let stats = INSTRUMENTED_SYSTEM.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// What `work` returns, and the CPU time of this thread it took \[ns\]; by the clock where the system does
/// not say.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let cpu_ns = || -> Option<f64> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse().ok()
    };
    let (start, clock) = (cpu_ns(), Instant::now());
    let result = work();
    let ns = match (start, cpu_ns()) {
        (Some(start), Some(end)) => end - start,
        _ => clock.elapsed().as_nanos() as f64,
    };
    (result, ns)
}

fn peak_rss_kib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().split(' ').next()?.parse().ok()
}
