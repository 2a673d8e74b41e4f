//! What can be wrong with `[faults]`: times, targets, shares, and plans from files.

use super::resolve::{Checker, SITE};
use crate::engine::{Dist, Span, Time};
use crate::error::Error;
use crate::fault::{FaultPlan, Outage, TargetSpec, When};

/// How many there are of whom a fault can strike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub(super) agents: u32,
    pub(super) relays: u32,
}

/// More departures than this are not drawn: a plan is made before the run, and would take gigabytes.
const MOST_DEPARTURES: f64 = 2e7;

impl Checker<'_> {
    /// Everything about faults; `sites` are the names of the sites, where they are known.
    pub(super) fn faults(&mut self, numbers: Numbers, sites: Option<&[String]>) {
        let faults = &self.file.faults;
        for (index, crash) in faults.crash.iter().enumerate() {
            let key = format!("faults.crash.{index}");
            self.when(&key, crash.when());
            self.target(&key, crash.target, numbers, false);
            self.length(&key, crash.when(), "restart_after", crash.restart_after.as_ref(), false);
        }
        for (index, pause) in faults.pause.iter().enumerate() {
            let key = format!("faults.pause.{index}");
            self.when(&key, pause.when());
            self.target(&key, pause.target, numbers, false);
            self.length(&key, pause.when(), "for", pause.lasts.as_ref(), true);
        }
        for (index, slow) in faults.slow.iter().enumerate() {
            let key = format!("faults.slow.{index}");
            self.when(&key, slow.when());
            self.target(&key, slow.target, numbers, false);
            self.length(&key, slow.when(), "for", slow.lasts.as_ref(), true);
            self.positive(&format!("{key}.factor"), slow.factor);
            if slow.factor == 1.0 {
                self.refuse(
                    &format!("{key}.factor"),
                    "a factor of 1 changes nothing",
                    "0.5 halves the speed",
                );
            }
        }
        for (index, wrong) in faults.wrong_output.iter().enumerate() {
            let key = format!("faults.wrong_output.{index}");
            self.when(&key, wrong.when());
            self.target(&key, wrong.target, numbers, true);
            self.lasts(&format!("{key}.for"), wrong.lasts.as_ref());
            self.probability(&format!("{key}.probability"), wrong.probability);
            if wrong.probability == 0.0 {
                let message = "a probability of 0 changes nothing";
                self.refuse(&format!("{key}.probability"), message, "write a number in (0, 1]");
            }
        }
        for (index, stall) in faults.stall.iter().enumerate() {
            let key = format!("faults.stall.{index}");
            self.when(&key, stall.when());
            self.target(&key, stall.target, numbers, true);
            self.lasts(&format!("{key}.for"), stall.lasts.as_ref());
        }
        self.partitions(sites);
        for (index, outage) in faults.relay_outage.iter().enumerate() {
            self.outage(&format!("faults.relay_outage.{index}"), outage, numbers);
        }
        self.churn(numbers.agents);
        self.overlaps();
    }

    fn when(&mut self, key: &str, when: Option<When<'_>>) {
        match when {
            None if ["mtbf", "mttr"].iter().any(|name| self.is_written(&format!("{key}.{name}"))) => {
                let message = "a fault has `at`, or `every`, or both of `mtbf` and `mttr`";
                self.refuse(key, message, "give one of the three and none of the others");
            }
            None => self.one_of(key, ["at", "every"], "write at = \"20min\""),
            Some(When::At(at)) => self.instant(&format!("{key}.at"), at),
            Some(When::Every(law)) => {
                let key = format!("{key}.every");
                self.law(&key, law);
                let mean = law.law().ok().map(|law| law.mean());
                self.finite_mean(&key, mean);
                self.strikes_in_time(&key, mean);
                self.not_too_often(&key, law);
            }
            Some(When::Alternating { up, down, from }) => {
                for (name, law) in [("mtbf", up), ("mttr", down)] {
                    self.lasts(&format!("{key}.{name}"), Some(law));
                    self.not_too_often(&format!("{key}.{name}"), law);
                }
                self.begins_in_time(key, from);
            }
        }
        if self.is_written(&format!("{key}.from")) && !matches!(when, None | Some(When::Alternating { .. })) {
            let message = "only `mtbf` and `mttr` begin at a time of their own";
            self.refuse(&format!("{key}.from"), message, "delete it");
        }
    }

    /// Refuses a law that would hardly strike before the run is over.
    fn strikes_in_time(&mut self, key: &str, mean: Option<f64>) {
        let run = &self.file.run;
        let (from, end) = (run.warmup(), run.horizon + run.drain());
        let left = Time::ZERO + end;
        let left = left.since((Time::ZERO + from).min(left));
        if let Some(mean) = mean
            && mean.is_finite()
            && mean > left.as_secs_f64()
        {
            let mean = Span::from_secs_f64(mean);
            let message =
                format!("a fault every {mean} on average, but there are {left} for it to strike in");
            self.refuse(key, message, "shorten it, lengthen `run.horizon`, or name one instant with `at`");
        }
    }

    /// Refuses a law whose gaps are below the shortest that is drawn.
    fn not_too_often(&mut self, key: &str, law: &Dist) {
        let shortest = Span::from_millis(1).as_secs_f64();
        if law.law().is_ok_and(|law| law.mean() > 0.0 && law.mean() < shortest) {
            let message = "faults do not change more often than every millisecond";
            self.refuse(key, message, "write a law with a mean of at least \"1ms\"");
        }
    }

    /// Refuses a beginning that is not before the end of the run.
    fn begins_in_time(&mut self, key: &str, from: Option<Time>) {
        let end = Time::ZERO + self.file.run.horizon + self.file.run.drain();
        if let Some(from) = from
            && from >= end
        {
            let message = format!("{from} is not before the end of the run at {end}");
            self.refuse(&format!("{key}.from"), message, "let it begin earlier");
        }
    }

    /// The length of a fault that is not up and down in turn, in `name`.
    fn length(&mut self, key: &str, when: Option<When<'_>>, name: &str, law: Option<&Dist>, must: bool) {
        let alternates = matches!(when, Some(When::Alternating { .. }));
        self.lasts(&format!("{key}.{name}"), law);
        match law {
            Some(_) if alternates => {
                let message = format!("`mttr` says how long it lasts, and so does `{name}`");
                self.refuse(&format!("{key}.{name}"), message, "delete it");
            }
            None if must && !alternates && when.is_some() => {
                let message = format!("missing field `{name}`: how long it lasts");
                self.refuse(key, message, format!("write {name} = \"2min\""));
            }
            Some(_) | None => {}
        }
    }

    /// Refuses a table in which none or both of two keys are given; `remedy` is for none.
    fn one_of(&mut self, key: &str, [first, second]: [&str; 2], remedy: &str) {
        if self.is_written(&format!("{key}.{second}")) {
            let message = format!("`{first}` and `{second}` exclude each other");
            self.refuse(&format!("{key}.{second}"), message, "delete one of the two");
        } else {
            self.refuse(key, format!("exactly one of `{first}` and `{second}` must be given"), remedy);
        }
    }

    /// A scheduled fault falls between the warm-up and the end, or it could not fire, or be measured.
    fn instant(&mut self, key: &str, at: Time) {
        let run = &self.file.run;
        let (warmup, end) = (Time::ZERO + run.warmup(), Time::ZERO + run.horizon + run.drain());
        if at < warmup {
            let message =
                format!("{at} is before the end of the warm-up at {warmup}: it would not be measured");
            self.refuse(key, message, "move it, or shorten `run.warmup`");
        } else if at >= end {
            let message = format!("{at} is not before the end of the run at {end}: it could not fire");
            self.refuse(key, message, "move it, or lengthen `run.horizon` or `run.drain`");
        }
    }

    fn target(&mut self, key: &str, target: TargetSpec, numbers: Numbers, agents_only: bool) {
        let key = format!("{key}.target");
        match target {
            TargetSpec::Authority if agents_only => {
                let message = "`authority` may be a relay, but only agents suffer this";
                self.refuse(&key, message, "write \"any\", \"agent:3\" or \"agents:0.1\"");
            }
            TargetSpec::Relay(_) if agents_only => {
                self.refuse(&key, "only agents suffer this", "write \"any\", \"agent:3\" or \"agents:0.1\"");
            }
            TargetSpec::Agent(index) if index >= numbers.agents => {
                let message = format!("there is no present agent {index}: there are {}", numbers.agents);
                self.refuse(&key, message, "count agents from 0");
            }
            TargetSpec::Relay(index) if index >= numbers.relays => {
                let message = format!("there is no relay {index}: there are {}", numbers.relays);
                self.refuse(&key, message, "count relays from 0, or raise `relays.count`");
            }
            TargetSpec::Agents(share) => self.share(&key, share),
            TargetSpec::Authority | TargetSpec::Any | TargetSpec::Agent(_) | TargetSpec::Relay(_) => {}
        }
    }

    fn share(&mut self, key: &str, share: f64) {
        if !(share > 0.0 && share <= 1.0) {
            self.refuse(key, format!("{share} is not a share"), "write a number above 0 and up to 1");
        }
    }

    fn lasts(&mut self, key: &str, law: Option<&Dist>) {
        let Some(law) = law else { return };
        self.law(key, law);
        if law.law().is_ok_and(|law| law.constant() == Some(0.0)) {
            self.refuse(key, "a fault of no length changes nothing", "write a duration such as \"2min\"");
        }
    }

    fn partitions(&mut self, sites: Option<&[String]>) {
        let faults = &self.file.faults;
        for (index, partition) in faults.partition.iter().enumerate() {
            let key = format!("faults.partition.{index}");
            self.when(&key, partition.when());
            self.lasts(&format!("{key}.for"), Some(&partition.lasts));
            match (partition.share, &partition.sites) {
                (Some(share), None) => self.share(&format!("{key}.share"), share),
                (None, Some(sides)) => {
                    if sides.is_empty() || sides.iter().any(Vec::is_empty) || sides.len() > 200 {
                        let message = format!("{} sides, or one without a site", sides.len());
                        self.refuse(
                            &format!("{key}.sites"),
                            message,
                            "write 1 to 200 lists of sites: [[\"eu\"]]",
                        );
                    }
                    let Some(known) = sites else { continue };
                    for (side, names) in sides.iter().enumerate() {
                        for (position, name) in names.iter().enumerate() {
                            self.name(&format!("{key}.sites.{side}.{position}"), name, known, SITE);
                        }
                    }
                    let named = |site: &&String| sides.iter().any(|names| names.contains(site));
                    if sides.len() == 1 && known.iter().filter(named).count() == known.len() {
                        let message = "every site is on one side: nothing is split";
                        self.refuse(
                            &format!("{key}.sites"),
                            message,
                            "leave out a site, or name another side",
                        );
                    }
                }
                (None, None) | (Some(_), Some(_)) => {
                    self.one_of(&key, ["share", "sites"], "write share = 0.2");
                }
            }
        }
    }

    fn outage(&mut self, key: &str, outage: &Outage, numbers: Numbers) {
        match (outage.at, &outage.lasts, &outage.mtbf, &outage.mttr) {
            (Some(at), Some(lasts), None, None) => {
                self.instant(&format!("{key}.at"), at);
                self.lasts(&format!("{key}.for"), Some(lasts));
            }
            (None, None, Some(mtbf), Some(mttr)) => {
                for (name, law) in [("mtbf", mtbf), ("mttr", mttr)] {
                    self.lasts(&format!("{key}.{name}"), Some(law));
                    self.not_too_often(&format!("{key}.{name}"), law);
                }
                self.begins_in_time(key, outage.from);
            }
            (_, _, _, _) => {
                let message = "an outage has `at` and `for`, or `mtbf` and `mttr`";
                self.refuse(key, message, "give both of one pair and none of the other");
            }
        }
        for (name, written) in [("from", outage.from.is_some()), ("standby", outage.standby.is_some())] {
            if written && outage.mtbf.is_none() {
                let message = format!("`{name}` belongs to `mtbf` and `mttr`");
                self.refuse(&format!("{key}.{name}"), message, "delete it, or give those two");
            }
        }
        if let Some(standby) = &outage.standby {
            self.law(&format!("{key}.standby.takeover"), &standby.takeover);
        }
        if numbers.relays == 0 {
            self.refuse(key, "there is no relay to go out of service", "set relays.count to 1 or more");
        } else if let Some(relay) = outage.relay
            && relay >= numbers.relays
        {
            let message = format!("there is no relay {relay}: there are {}", numbers.relays);
            self.refuse(&format!("{key}.relay"), message, "count relays from 0, or raise `relays.count`");
        }
    }

    fn churn(&mut self, agents: u32) {
        let Some(churn) = &self.file.faults.churn else { return };
        for (name, law) in [("session", &churn.session), ("absence", &churn.absence)] {
            let key = format!("faults.churn.{name}");
            self.law(&key, law);
            self.finite_mean(&key, law.law().ok().map(|law| law.mean()));
        }
        self.positive("faults.churn.compression", churn.compression);
        if let (Ok(session), Ok(absence)) = (churn.session.law(), churn.absence.law()) {
            let run_s = (self.file.run.horizon + self.file.run.drain()).as_secs_f64();
            let cycle_s = (session.mean() + absence.mean()) / churn.compression;
            let expected = f64::from(agents) * run_s / cycle_s;
            if expected.is_finite() && expected > MOST_DEPARTURES {
                let message =
                    format!("about {expected:.1e} departures are expected: they do not fit into memory");
                let remedy = "lengthen `session` or `absence`, lower `compression`, or shorten the run";
                self.refuse("faults.churn", message, remedy);
            }
        }
        if let Some(from) = churn.from
            && from >= self.file.run.horizon
        {
            let message = format!("{from} is not before the horizon of {}", self.file.run.horizon);
            self.refuse("faults.churn.from", message, "let it begin earlier");
        }
    }

    /// The plan of `faults.plan` with the lines of its entries, if one is named and can be read.
    pub(super) fn plan(&mut self) -> Result<Option<(FaultPlan, Vec<usize>)>, Error> {
        let faults = &self.file.faults;
        let Some(path) = &faults.plan else { return Ok(None) };
        let kinds = ["crash", "pause", "slow", "partition", "relay_outage", "wrong_output", "stall", "churn"];
        let others: Vec<&str> =
            kinds.into_iter().filter(|kind| self.is_written(&format!("faults.{kind}"))).collect();
        if !others.is_empty() {
            let message = format!("a plan says all faults, but there are others: {}", others.join(", "));
            let remedy = "delete them, or replace them with --set 'faults={ plan = \"FILE\" }'";
            self.refuse("faults.plan", message, remedy);
        }
        match FaultPlan::load_with_lines(&self.folder.join(path)) {
            Ok(plan) => Ok(Some(plan)),
            Err(error) => self.found_in_file("faults.plan", error).map(|()| None),
        }
    }
}
