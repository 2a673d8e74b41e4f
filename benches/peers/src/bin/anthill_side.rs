//! anthill's side of the race that its command line cannot tell: the hold model on its kernel, and how the
//! time of a run divides into reading, drawing and simulating.
//!
//! ```text
//! anthill-side hold anthill|anthill-own-draws     pending=1000 events=1000000 seed=1
//! anthill-side world SCENARIO PATTERN SEED        [any key of the scenario=value]…
//! ```

use std::process::ExitCode;

use anthill::engine::{Agenda, Dist, Engine, Law, Model, Rng, Seed, Span, Time};
use anthill::pattern::PATTERNS;
use anthill::scenario::{Known, Scenario};
use anthill_peers::draw::Draw;
use anthill_peers::measure::{Held, Hold, cpu_s};
use anthill_peers::options::Options;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("anthill-side: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run(words: &[String]) -> Result<Value, String> {
    match words {
        [work, name, rest @ ..] if work == "hold" => {
            let plan = Options::read(rest)?.hold()?;
            let held = match name.as_str() {
                "anthill" => hold(&plan, Draw::new(plan.seed)),
                "anthill-own-draws" => hold(&plan, Own::new(&plan)),
                _ => return Err(format!("no contestant {name:?}: anthill or anthill-own-draws")),
            };
            Ok(held.report(name, &plan))
        }
        [work, scenario, pattern, seed, sets @ ..] if work == "world" => {
            let seed = seed.parse().map_err(|_| format!("{seed:?} is no seed"))?;
            world(scenario, pattern, Seed(seed), sets)
        }
        _ => {
            Err("say `anthill-side hold CONTESTANT key=value…` or `… world SCENARIO PATTERN SEED`".to_owned())
        }
    }
}

/// What a hold model draws for each event.
trait Next {
    fn wait(&mut self) -> Span;
    fn process(&mut self, processes: u32) -> u32;
}

/// The draws of all other contestants, so that what differs is the kernel.
impl Next for Draw {
    fn wait(&mut self) -> Span {
        Span::from_nanos(self.exponential(1e9) as u64)
    }
    fn process(&mut self, processes: u32) -> u32 {
        self.below(processes)
    }
}

/// anthill's own laws and generator.
struct Own {
    law: Law,
    rng: Rng,
}

impl Own {
    fn new(plan: &Hold) -> Own {
        let law = Dist::exponential(Span::from_secs(1)).law().expect("a mean above zero");
        Own { law, rng: Rng::from_state(plan.seed) }
    }
}

impl Next for Own {
    fn wait(&mut self) -> Span {
        self.law.sample_span(&mut self.rng)
    }
    fn process(&mut self, processes: u32) -> u32 {
        self.rng.below(processes)
    }
}

struct Processes<N> {
    fired: Vec<u64>,
    next: N,
    left: u64,
}

impl<N: Next> Model for Processes<N> {
    type Event = u32;

    fn handle(&mut self, process: u32, agenda: &mut Agenda<u32>) {
        self.fired[process as usize] += 1;
        let wait = self.next.wait();
        agenda.after(wait, self.next.process(self.fired.len() as u32));
        self.left -= 1;
        if self.left == 0 {
            agenda.stop();
        }
    }
}

fn hold<N: Next>(plan: &Hold, next: N) -> Held {
    let fired = vec![0; plan.pending as usize];
    let mut engine = Engine::new(Processes { fired, next, left: plan.untimed() });
    for process in 0..plan.pending {
        let wait = engine.model_mut().next.wait();
        engine.agenda().at(Time::ZERO + wait, process);
    }
    let before = engine.run().now;
    engine.model_mut().left = plan.events;
    let start = cpu_s();
    let after = engine.run().now;
    Held { events: plan.events, cpu_s: cpu_s() - start, simulated_s: after.since(before).as_secs_f64() }
}

/// CPU time of each part of a run, and of the run again with nobody watching.
fn world(scenario: &str, pattern: &str, seed: Seed, sets: &[String]) -> Result<Value, String> {
    let known = Known { patterns: PATTERNS, trials: anthill::trial::TRIALS };
    let pattern = PATTERNS.iter().find(|def| def.name == pattern).ok_or("no such pattern")?;
    let mut clock = Laps(cpu_s());
    let scenario = Scenario::load(scenario, sets, &known).map_err(|error| error.to_string())?;
    let read_s = clock.lap();
    let setup = scenario.instantiate(seed, 0).map_err(|error| error.to_string())?;
    let draw_s = clock.lap();
    let outcome = (pattern.run)(&setup).map_err(|error| error.to_string())?;
    let run_s = clock.lap();
    (pattern.watch)(&setup, &mut ()).map_err(|error| error.to_string())?;
    let unwatched_s = clock.lap();
    let tasks = outcome.metrics.get("completed");
    Ok(json!({
        "tasks": tasks,
        "events": outcome.end.events,
        "read_s": read_s,
        "draw_s": draw_s,
        "run_s": run_s,
        "unwatched_s": unwatched_s,
        "tasks_per_run_s": tasks / run_s,
        "tasks_per_unwatched_s": tasks / unwatched_s,
        "settled_s": outcome.metrics.get("sojourn_mean_s"),
    }))
}

/// CPU time since the last lap [s].
struct Laps(f64);

impl Laps {
    fn lap(&mut self) -> f64 {
        let now = cpu_s();
        now - std::mem::replace(&mut self.0, now)
    }
}
