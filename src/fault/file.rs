//! Fault plans as files: `faults.json`, written by a comparison, edited by hand, replayed.

use std::io::ErrorKind;
use std::path::Path;

use super::{FaultKind, FaultPlan, Target};
use crate::error::{Error, Problem, Problems};
use crate::work::Fleet;

impl FaultPlan {
    /// The plan as the text of a `faults.json`, one entry a line.
    pub fn to_json(&self) -> String {
        let line = |entry| serde_json::to_string(entry).expect("a plan is plain data");
        let lines: Vec<String> = self.entries.iter().map(line).collect();
        format!("[\n{}\n]\n", lines.join(",\n"))
    }

    /// Reads a plan from the text of a `faults.json` called `name` and puts it in order of time.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the text is no plan.
    pub fn from_json(text: &str, name: &str) -> Result<FaultPlan, Error> {
        Ok(FaultPlan::new(FaultPlan::parse(text, name)?.entries))
    }

    /// The plan of `text`, its entries in the order of the text.
    fn parse(text: &str, name: &str) -> Result<FaultPlan, Error> {
        serde_json::from_str(text).map_err(|error| {
            if let Ok(plans) = serde_json::from_str::<Vec<FaultPlan>>(text) {
                let message = format!("these are the plans of {} replications, not one plan", plans.len());
                let remedy = "keep one of them, or write it with `anthill run --replication K --out DIR`";
                return Problem::new(message).file(name).line(1).remedy(remedy).into();
            }
            let message = error.to_string();
            // The position is told apart below.
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
            let mut problem = Problem::new(format!("this is not a fault plan: {message}")).file(name);
            (problem.line, problem.column) = (Some(error.line().max(1)), Some(error.column().max(1)));
            problem.snippet = text.lines().nth(error.line().saturating_sub(1)).map(str::to_owned);
            problem
                .remedy("write it as `anthill run --out DIR` writes faults.json, or delete the entry")
                .into()
        })
    }

    /// Reads the plan at `path`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such file or it is no plan; [`Error::Io`] if it cannot be read.
    pub fn load(path: &Path) -> Result<FaultPlan, Error> {
        FaultPlan::load_with_lines(path).map(|(plan, _)| plan)
    }

    /// Reads the plan at `path`, with the line on which each of its entries begins.
    ///
    /// # Errors
    /// As [`FaultPlan::load`].
    pub(crate) fn load_with_lines(path: &Path) -> Result<(FaultPlan, Vec<usize>), Error> {
        let name = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let problem = Problem::new("there is no such fault plan").file(name);
                let remedy = "`anthill run --out DIR` writes one as DIR/faults.json";
                return Err(problem.remedy(remedy).into());
            }
            Err(error) => return Err(Error::io(path)(error)),
        };
        let entries = FaultPlan::parse(&text, &name)?.entries;
        let mut placed: Vec<_> = entries.into_iter().zip(entry_lines(&text)).collect();
        // The order of `FaultPlan::new`.
        placed.sort_by_key(|(entry, _)| entry.at);
        let (entries, lines) = placed.into_iter().unzip();
        Ok((FaultPlan { entries }, lines))
    }

    /// Writes the plan to `path`.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        std::fs::write(path, self.to_json()).map_err(Error::io(path))
    }

    /// Everything that does not fit `fleet`, or that no fault can be.
    pub fn check(&self, fleet: &Fleet) -> Problems {
        let mut problems = Problems::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let mut refuse = |what: String, remedy: &str| {
                problems.push(Problem::new(what).key(format!("[{index}]")).remedy(remedy));
            };
            let mut known = |role: &str, number: u32, count: u32| {
                if number >= count {
                    let remedy = "a plan fits only the fleet it was drawn for";
                    refuse(format!("there is no {role} {number}: there are {count}"), remedy);
                }
            };
            match &entry.target {
                Target::Agent(agent) => known("agent", *agent, fleet.agents()),
                Target::Agents(agents) => {
                    agents.iter().for_each(|&agent| known("agent", agent, fleet.agents()))
                }
                Target::Relay(relay) => known("relay", *relay, fleet.relays()),
                Target::Authority { seat: _, otherwise } => known("agent", *otherwise, fleet.agents()),
                Target::Network => {}
            }
            if let FaultKind::Partition { groups, one_way: _ } = &entry.kind {
                for group in groups {
                    group.agents.iter().for_each(|&agent| known("agent", agent, fleet.agents()));
                    group.relays.iter().for_each(|&relay| known("relay", relay, fleet.relays()));
                    group.clients.iter().for_each(|&client| known("client", client, fleet.clients()));
                }
            }
            if let Some(until) = entry.until.filter(|until| *until < entry.at) {
                let message = format!("it ends at {until}, before it begins at {}", entry.at);
                refuse(message, "set `until` to a later time than `at`");
            }
            if let Err((what, remedy)) = fits(&entry.kind, &entry.target) {
                refuse(what, remedy);
            }
        }
        problems
    }
}

/// The lines (from 1) on which the objects of a JSON list begin.
fn entry_lines(text: &str) -> Vec<usize> {
    let (mut lines, mut line, mut depth, mut quoted, mut escaped) = (Vec::new(), 1, 0, false, false);
    for byte in text.bytes() {
        line += usize::from(byte == b'\n');
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => {
                if depth == 1 {
                    lines.push(line);
                }
                depth += 1;
            }
            b']' | b'}' => depth -= 1,
            _ => {}
        }
    }
    lines
}

/// Whether `kind` can strike `target`.
fn fits(kind: &FaultKind, target: &Target) -> Result<(), (String, &'static str)> {
    let network = *target == Target::Network;
    let relay = matches!(target, Target::Relay(_));
    let wrong = |what: &str| Err((format!("`{}` {what}", kind.name()), "change its `target`"));
    match kind {
        FaultKind::Partition { groups, .. } if groups.len() > 200 => {
            Err((format!("a partition has at most 200 sides, not {}", groups.len()), "join some"))
        }
        FaultKind::Partition { .. } if !network => wrong("strikes the network, nobody in particular"),
        FaultKind::Outage | FaultKind::Takeover if !relay => wrong("strikes a relay"),
        FaultKind::WrongOutput { .. } | FaultKind::Stall | FaultKind::Leave if relay => {
            wrong("strikes agents")
        }
        FaultKind::Slow { factor } if !(factor.is_finite() && *factor > 0.0) => {
            Err((format!("`factor` must be above 0, not {factor}"), "0.5 halves the speed"))
        }
        FaultKind::WrongOutput { probability } if !(0.0..=1.0).contains(probability) => {
            Err((format!("`probability` must be in [0, 1], not {probability}"), "0.1 is one in ten"))
        }
        FaultKind::Crash
        | FaultKind::Leave
        | FaultKind::Pause
        | FaultKind::Slow { .. }
        | FaultKind::WrongOutput { .. }
        | FaultKind::Stall
        | FaultKind::Outage
        | FaultKind::Takeover
            if network =>
        {
            wrong("needs somebody to strike")
        }
        FaultKind::Crash
        | FaultKind::Leave
        | FaultKind::Pause
        | FaultKind::Slow { .. }
        | FaultKind::WrongOutput { .. }
        | FaultKind::Stall
        | FaultKind::Outage
        | FaultKind::Takeover
        | FaultKind::Partition { .. } => Ok(()),
    }
}
