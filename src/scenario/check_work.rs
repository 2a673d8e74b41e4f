//! What can be wrong with `[work]`: sources, laws, skills, graphs.

use super::document::parts;
use super::network::bad_row;
use super::resolve::{Checker, SKILL};
use crate::engine::{Span, Time};
use crate::error::Error;
use crate::input::azure_llm;
use crate::work::source::{Call, Dag, Estimate, Mmpp, Source, TaskRow};

/// Rows of a recorded trace, as the source wants them.
pub(super) type Rows = Vec<(Span, Call)>;

/// More tasks than this do not fit a machine; a slip of the pen asks for them.
pub(super) const MOST_TASKS: f64 = 20e6;

impl Checker<'_> {
    /// Everything about tasks. `skills` are the classes that present agents have; `sites` the names of
    /// clients' sites, where they are known.
    pub(super) fn work(&mut self, skills: &[String], sites: Option<&[String]>) {
        let work = &self.file.work;
        if let Some(source) = &work.source {
            self.source("work.source", source, skills, sites);
        } else {
            let remedy = "add one, such as source = { poisson = { rate_per_s = 1.0 } }";
            self.refuse("work.source", "the source of tasks is missing", remedy);
        }
        self.durations();
        self.classes(skills);
        for (key, law) in [("work.deadline", &work.deadline), ("work.duration", &work.duration)] {
            if let Some(law) = law {
                self.law(key, law);
            }
        }
        self.law("work.verify", &work.verify);
        for (key, law) in [
            ("work.context_tokens", work.context_tokens.as_ref()),
            ("work.work_tokens", Some(&work.work_tokens)),
            ("work.value", Some(&work.value)),
        ] {
            if let Some(law) = law {
                self.number(key, law);
            }
        }
        self.shares("work.skills", &work.skills, skills, SKILL);
        self.probability("work.error_rate", work.error_rate);
        self.probability("work.detection", work.detection);
        if let Some(turn) = work.turn {
            self.some_time("work.turn", turn);
        }
        if let Estimate::Noisy { sigma } = work.estimate
            && !(sigma.is_finite() && (0.0..=10.0).contains(&sigma))
        {
            let message = format!("{sigma} is no standard deviation of a logarithm");
            self.refuse(
                "work.estimate.noisy.sigma",
                message,
                "write a number from 0 to 10; 0.5 is a factor of 1.6",
            );
        }
    }

    /// Exactly one way to say how much work a task is, unless each task or step says it itself.
    fn durations(&mut self) {
        let work = &self.file.work;
        let own = match &work.source {
            Some(Source::Dag(dag)) => dag.steps.iter().all(|step| step.work.is_some()),
            Some(Source::Route(route)) => route.stages.iter().all(|stage| stage.work.is_some()),
            Some(Source::Tasks(rows)) => rows.iter().all(|row| row.work.is_some()),
            Some(
                Source::Poisson(_)
                | Source::Renewal(_)
                | Source::Mmpp(_)
                | Source::Bursts(_)
                | Source::Batch(_)
                | Source::Trace(_),
            ) => false,
            // What it needs is not known.
            None => true,
        };
        let classes = &work.classes;
        let own = own || (!classes.is_empty() && classes.iter().all(|class| class.duration.is_some()));
        match (&work.duration, &work.model_calls) {
            (None, None) if !own => {
                let remedy = "add duration = \"1min\", or model_calls = { calls = 10 }";
                self.refuse("work.duration", "nothing says how much work a task is", remedy);
            }
            (Some(_), Some(_)) => {
                let message = "`work.duration` says how much work a task is already";
                self.refuse("work.model_calls", message, "delete one of the two");
            }
            (None, _) | (Some(_), None) => {}
        }
        let Some(calls) = &work.model_calls else { return };
        self.number("work.model_calls.calls", &calls.calls);
        if calls.calls.law().is_ok_and(|law| law.mean() > 100_000.0) {
            let message = "a task makes at most 100000 model calls";
            self.refuse("work.model_calls.calls", message, "lower the mean of this law");
        }
        self.number("work.model_calls.generated_tokens", &calls.generated_tokens);
        self.number("work.model_calls.context_tokens", &calls.context_tokens);
        self.law("work.model_calls.ttft", &calls.ttft);
        self.law("work.model_calls.per_token", &calls.per_token);
    }

    pub(super) fn source(&mut self, key: &str, source: &Source, skills: &[String], sites: Option<&[String]>) {
        let key = format!("{key}.{}", source.name());
        let horizon = self.file.run.horizon.as_secs_f64();
        let expected = match source {
            Source::Poisson(poisson) => match poisson.mean_gap_s() {
                Some(gap) => horizon / gap,
                None => {
                    match (poisson.rate_per_s, poisson.mean_interarrival) {
                        (Some(rate), None) => self.positive(&format!("{key}.rate_per_s"), rate),
                        (None, Some(gap)) => self.some_time(&format!("{key}.mean_interarrival"), gap),
                        (None, None) | (Some(_), Some(_)) => {
                            let message = "exactly one of `rate_per_s` and `mean_interarrival` must be given";
                            self.refuse(&key, message, "write poisson = { rate_per_s = 2.5 }");
                        }
                    }
                    0.0
                }
            },
            Source::Renewal(renewal) => {
                let key = format!("{key}.interarrival");
                self.law(&key, &renewal.interarrival);
                let mean = renewal.interarrival.law().ok().map(|law| law.mean());
                self.finite_mean(&key, mean);
                mean.filter(|mean| *mean > 0.0).map_or(0.0, |mean| horizon / mean)
            }
            Source::Mmpp(mmpp) => {
                if self.mmpp(&key, mmpp) {
                    horizon * mmpp.mean_rate()
                } else {
                    0.0
                }
            }
            Source::Bursts(bursts) => {
                self.positive(&format!("{key}.rate_per_s"), bursts.rate_per_s);
                self.number(&format!("{key}.size"), &bursts.size);
                self.law(&format!("{key}.spacing"), &bursts.spacing);
                let size = bursts.size.law().map_or(0.0, |law| law.mean());
                self.finite_mean(&format!("{key}.size"), bursts.size.law().ok().map(|law| law.mean()));
                horizon * bursts.rate_per_s * size
            }
            Source::Batch(batch) => {
                self.within_horizon(&format!("{key}.at"), batch.at);
                f64::from(batch.tasks)
            }
            Source::Trace(trace) => {
                self.positive(&format!("{key}.compression"), trace.compression);
                0.0
            }
            Source::Dag(dag) => {
                self.dag(&key, dag, skills);
                f64::from(dag.jobs.unwrap_or(0)) * dag.steps.len() as f64
            }
            Source::Route(route) => self.route(&key, route, skills),
            Source::Tasks(rows) => {
                self.rows(&key, rows, skills, sites);
                0.0
            }
        };
        if expected > MOST_TASKS {
            let message = format!("about {expected:.0} tasks are expected: they do not fit into memory");
            self.refuse(&key, message, "lower the rate or shorten `run.horizon`");
        }
    }

    fn within_horizon(&mut self, key: &str, at: Time) {
        let horizon = self.file.run.horizon;
        if at > Time::ZERO + horizon {
            self.refuse(key, format!("{at} is after the horizon of {horizon}"), "lengthen `run.horizon`");
        }
    }

    /// Whether the process makes sense.
    fn mmpp(&mut self, key: &str, mmpp: &Mmpp) -> bool {
        let states = mmpp.rates_per_s.len();
        let fits = states > 0
            && mmpp.mean_sojourns.len() == states
            && (mmpp.jumps.is_empty() || mmpp.jumps.len() == states)
            && mmpp.jumps.iter().all(|row| row.len() == states);
        if !fits {
            let message = format!(
                "there are {states} rates, {} sojourns and {} rows of jumps",
                mmpp.mean_sojourns.len(),
                mmpp.jumps.len()
            );
            self.refuse(key, message, "one of each a state; a row of `jumps` has an entry a state");
            return false;
        }
        let mut good = true;
        for (state, rate) in mmpp.rates_per_s.iter().enumerate() {
            if !(rate.is_finite() && *rate >= 0.0) {
                good = false;
                let key = format!("{key}.rates_per_s.{state}");
                self.refuse(&key, format!("{rate} is not a rate"), "write a number of 0 or more");
            }
        }
        for (state, stay) in mmpp.mean_sojourns.iter().enumerate() {
            good &= !stay.is_zero();
            self.some_time(&format!("{key}.mean_sojourns.{state}"), *stay);
        }
        for (state, row) in mmpp.jumps.iter().enumerate() {
            let sum: f64 = row.iter().sum();
            if !row.iter().all(|p| (0.0..=1.0).contains(p)) || (sum - 1.0).abs() > 0.01 {
                good = false;
                let message = format!("the jumps from state {state} are not probabilities that sum to 1");
                self.refuse(
                    &format!("{key}.jumps.{state}"),
                    message,
                    "write where it goes next, such as [0, 0.3, 0.7]",
                );
            }
        }
        if good && mmpp.rates_per_s.iter().all(|rate| *rate == 0.0) {
            good = false;
            self.refuse(
                &format!("{key}.rates_per_s"),
                "nothing ever arrives",
                "make one rate greater than 0",
            );
        }
        if good && !mmpp.mean_rate().is_finite() {
            good = false;
            self.refuse(
                &format!("{key}.jumps"),
                "some states are never reached again",
                "let each reach each",
            );
        }
        good
    }

    fn dag(&mut self, key: &str, dag: &Dag, skills: &[String]) {
        let names: Vec<String> = dag.steps.iter().map(|step| step.name.clone()).collect();
        if dag.steps.is_empty() {
            self.refuse(
                &format!("{key}.steps"),
                "a job needs a step",
                "add { name = \"first\", work = \"1min\" }",
            );
        }
        for (index, step) in dag.steps.iter().enumerate() {
            let key = format!("{key}.steps.{index}");
            if names[..index].contains(&step.name) {
                let message = format!("two steps are called `{}`", step.name);
                self.refuse(&format!("{key}.name"), message, "give each step its own name");
            }
            for (position, before) in step.after.iter().enumerate() {
                self.name(&format!("{key}.after.{position}"), before, &names, ("step", "steps"));
            }
            if let Some(work) = &step.work {
                self.law(&format!("{key}.work"), work);
            }
            if let Some(tokens) = &step.context_tokens {
                self.number(&format!("{key}.context_tokens"), tokens);
            }
            if let Some(skill) = &step.skill {
                self.name(&format!("{key}.skill"), skill, skills, SKILL);
            }
        }
        if let Some(step) = dag.cycle() {
            let index = names.iter().position(|name| name == step).unwrap_or(0);
            let message = format!("step `{step}` waits, directly or not, for itself");
            self.refuse(&format!("{key}.steps.{index}.after"), message, "remove one name from the circle");
        }
        match &dag.arrivals {
            Some(arrivals) => match &**arrivals {
                Source::Dag(_) | Source::Route(_) | Source::Tasks(_) => {
                    let message = format!("jobs cannot arrive as `{}`", arrivals.name());
                    self.refuse(&format!("{key}.arrivals"), message, "write another source, such as poisson");
                }
                source @ (Source::Poisson(_)
                | Source::Renewal(_)
                | Source::Mmpp(_)
                | Source::Bursts(_)
                | Source::Batch(_)
                | Source::Trace(_)) => self.source(&format!("{key}.arrivals"), source, skills, None),
            },
            None if dag.jobs.is_none() => {
                self.refuse(
                    key,
                    "nothing says how many jobs there are",
                    "add jobs = 100, or arrivals = { … }",
                );
            }
            None => {}
        }
    }

    fn rows(&mut self, key: &str, rows: &[TaskRow], skills: &[String], sites: Option<&[String]>) {
        for (index, row) in rows.iter().enumerate() {
            let key = format!("{key}.{index}");
            self.within_horizon(&format!("{key}.at"), row.at);
            if let Some(skill) = &row.skill {
                self.name(&format!("{key}.skill"), skill, skills, SKILL);
            }
            if let (Some(origin), Some(sites)) = (&row.origin, sites) {
                self.name(
                    &format!("{key}.origin"),
                    origin,
                    sites,
                    ("site with a client", "sites with a client"),
                );
            }
            if let Some(class) = &row.class {
                let names: Vec<String> =
                    self.file.work.classes.iter().map(|class| class.name.clone()).collect();
                self.name(&format!("{key}.class"), class, &names, ("class", "classes of `[[work.classes]]`"));
            }
            for (position, before) in row.after.iter().enumerate() {
                if *before as usize >= rows.len() {
                    let message = format!("there is no task {before}: there are {}", rows.len());
                    self.refuse(&format!("{key}.after.{position}"), message, "count tasks from 0");
                }
            }
        }
        let known = |row: &TaskRow| row.after.iter().all(|&before| (before as usize) < rows.len());
        if rows.iter().all(known) && circular(rows) {
            self.refuse(
                key,
                "some tasks wait, directly or not, for themselves",
                "remove one `after` of the circle",
            );
        }
    }

    /// The rows of a trace, and how many were left out.
    pub(super) fn trace(&mut self) -> Result<(Rows, u64), Error> {
        let Some(trace) = self.file.work.source.as_ref().and_then(Source::trace) else {
            return Ok((Rows::new(), 0));
        };
        let path = self.folder.join(&trace.azure_llm);
        match azure_llm::read(&path, bad_row(trace.on_bad_row)) {
            Ok(read) => {
                let row = |request: &azure_llm::Request| {
                    let call = Call {
                        context_tokens: request.context_tokens,
                        generated_tokens: request.generated_tokens,
                    };
                    (request.arrival.since(Time::ZERO), call)
                };
                Ok((read.rows.iter().map(row).collect(), read.skipped))
            }
            Err(error) => self.found_in_file("work.source.trace.azure_llm", error).map(|()| (Rows::new(), 0)),
        }
    }

    /// Whether `key` is written in the scenario, and not a default.
    pub(super) fn is_written(&self, key: &str) -> bool {
        self.document().is_written(&parts(key))
    }
}

fn circular(rows: &[TaskRow]) -> bool {
    let mut done = vec![false; rows.len()];
    loop {
        let before = done.iter().filter(|done| **done).count();
        for (index, row) in rows.iter().enumerate() {
            done[index] = done[index] || row.after.iter().all(|&before| done[before as usize]);
        }
        let after = done.iter().filter(|done| **done).count();
        if after == rows.len() || after == before {
            return after < rows.len();
        }
    }
}
