//! What `anthill run` shows: every metric of one run, and its messages by kind.

use std::fmt::Write;

use super::expectations::expectations_table;
use super::format::{NONE, number};
use super::hex;
use super::table::columns;
use crate::experiment::judge::Judged;
use crate::fault::FaultPlan;
use crate::metrics::registry;
use crate::sim::{Firing, Outcome};

/// One run with what is needed to repeat it.
#[derive(Clone, Copy, Debug)]
pub struct OneRun<'a> {
    /// Name of the scenario.
    pub scenario: &'a str,
    /// Master seed.
    pub seed: u64,
    /// Which replication.
    pub replication: u32,
    /// What came out.
    pub outcome: &'a Outcome,
    /// Its fault plan.
    pub plan: &'a FaultPlan,
    /// The command line that makes the same numbers again.
    pub repro: &'a str,
    /// What the scenario expects of this pattern, judged on this run.
    pub judged: &'a [Judged],
}

/// Every metric with its unit, messages by kind, and what became of the faults.
pub fn run_table(run: &OneRun<'_>) -> String {
    let outcome = run.outcome;
    let mut text = format!("{}: {}, replication {}\n\n", run.scenario, outcome.pattern, run.replication);
    let metrics = registry().zip(outcome.metrics.values()).map(|(metric, &value)| {
        let unit = if metric.unit == "1" { "" } else { metric.unit };
        vec![metric.name.to_owned(), exact(value), unit.to_owned()]
    });
    let _ = writeln!(text, "{}", columns(&["metric", "value", "unit"], metrics.collect()));
    let kinds = outcome.kinds.iter().map(|kind| {
        let counts = [kind.messages, kind.bytes, kind.tokens].map(|count| exact(count as f64));
        [kind.name, kind.phase.name()].map(str::to_owned).into_iter().chain(counts).collect()
    });
    let header = ["messages by kind", "phase", "messages", "bytes", "tokens"];
    let _ = writeln!(text, "\n{}", columns(&header, kinds.collect()));
    let _ = writeln!(text, "\n{}", faults(&outcome.end.firing));
    text.push_str(&expectations_table(run.judged));
    let fingerprint = hex(outcome.fingerprint);
    let _ = writeln!(text, "seed {}   fingerprint {fingerprint}\nrepro: {}", run.seed, run.repro);
    text
}

/// Whole numbers to the last digit, others to five.
fn exact(value: f64) -> String {
    if value.is_nan() {
        NONE.to_owned()
    } else if value.fract() == 0.0 && value.abs() < 1e15 {
        number(value, 15).split('.').next().unwrap_or_default().to_owned()
    } else {
        number(value, 5)
    }
}

fn faults(firing: &[Firing]) -> String {
    let count = |which: Firing| firing.iter().filter(|&&one| one == which).count();
    format!(
        "{} faults planned: {} fired, {} changed nothing, {} not applicable, {} after the end",
        firing.len(),
        count(Firing::Fired),
        count(Firing::Idle),
        count(Firing::NotApplicable),
        count(Firing::NotReached)
    )
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn every_metric_is_shown_with_its_unit() {
        let outcome = sample::outcome("hybrid");
        let plan = FaultPlan::default();
        let run = OneRun {
            scenario: "sample",
            seed: 7,
            replication: 1,
            outcome: &outcome,
            plan: &plan,
            repro: "x y",
            judged: &[],
        };
        let text = run_table(&run);
        for metric in registry() {
            assert!(
                text.lines().any(|line| line.split_whitespace().next() == Some(metric.name)),
                "{}",
                metric.name
            );
        }
        let line = |name: &str| {
            let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
            line.expect("shown above").split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("events"), "1,234 events");
        assert_eq!(line("price"), "1.2100");
        assert_eq!(line("makespan_s"), "– s");
        assert!(text.contains("claim") && text.contains("consensus"));
        assert!(text.ends_with("seed 7   fingerprint 00000000000003e9\nrepro: x y\n"), "{text}");
    }

    #[test]
    fn whole_numbers_are_exact() {
        for (value, shown) in
            [(1_234_567.0, "1,234,567"), (0.0, "0"), (0.123_456_7, "0.12346"), (f64::NAN, "–")]
        {
            assert_eq!(exact(value), shown);
        }
    }
}
