//! The peers of anthill on its two works, one process a measurement: `peers WORK CONTESTANT key=value…`.
//!
//! ```text
//! peers hold CONTESTANT          pending=1000 events=1000000 seed=1
//! peers leader-worker CONTESTANT groups=1 horizon_s=10 warmup_s=1 seed=1
//! peers list
//! ```
//!
//! `race.py` starts these in turn and compares; README.md says what the works are.

use std::process::ExitCode;

use anthill_peers::options::Options;
use anthill_peers::{hold, leader_worker};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("peers: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run(words: &[String]) -> Result<String, String> {
    match words {
        [list] if list == "list" => Ok(list_all()),
        [work, name, rest @ ..] if work == "hold" => {
            let plan = Options::read(rest)?.hold()?;
            Ok(find(hold::CONTESTANTS, name)?(&plan).report(name, &plan).to_string())
        }
        [work, name, rest @ ..] if work == "leader-worker" => {
            let plan = Options::read(rest)?.leader_worker()?;
            let (tally, cpu_s) = find(leader_worker::CONTESTANTS, name)?(&plan);
            Ok(tally.report(name, &plan, cpu_s).to_string())
        }
        _ => Err("say `peers hold|leader-worker CONTESTANT key=value…` or `peers list`".to_owned()),
    }
}

fn find<F: Copy>(contestants: &[(&str, F)], name: &str) -> Result<F, String> {
    let known = contestants.iter().find(|(known, _)| *known == name);
    known.map(|&(_, run)| run).ok_or_else(|| format!("no contestant {name:?}: see `peers list`"))
}

fn list_all() -> String {
    let hold = hold::CONTESTANTS.iter().map(|(name, _)| format!("hold {name}"));
    let leader_worker = leader_worker::CONTESTANTS.iter().map(|(name, _)| format!("leader-worker {name}"));
    hold.chain(leader_worker).collect::<Vec<_>>().join("\n")
}
