//! What can be wrong with classes of tasks and with jobs that go from stage to stage.

use super::resolve::{Checker, SKILL};
use crate::work::source::{DONE, Route, Source};

/// Classes are numbered in two bytes.
const MOST_CLASSES: usize = 65_536;

impl Checker<'_> {
    /// The table `[[work.classes]]`.
    pub(super) fn classes(&mut self, skills: &[String]) {
        let work = &self.file.work;
        let key = "work.classes";
        self.at_most_classes(key, work.classes.len(), "classes");
        if let (Some(source @ (Source::Dag(_) | Source::Route(_))), false) =
            (&work.source, work.classes.is_empty())
        {
            let parts = if matches!(source, Source::Dag(_)) { "steps" } else { "stages" };
            let message = format!("the {parts} of a `{}` are the classes of its tasks", source.name());
            self.refuse(key, message, format!("give the {parts} their own priority, skill and work"));
        }
        for (index, class) in work.classes.iter().enumerate() {
            let key = format!("{key}.{index}");
            if work.classes[..index].iter().any(|other| other.name == class.name) {
                let message = format!("two classes are called `{}`", class.name);
                self.refuse(&format!("{key}.name"), message, "give each class its own name");
            }
            self.positive(&format!("{key}.share"), class.share);
            if let Some(duration) = &class.duration {
                self.law(&format!("{key}.duration"), duration);
            }
            if let Some(deadline) = &class.deadline {
                self.law(&format!("{key}.deadline"), deadline);
            }
            if let Some(skill) = &class.skill {
                self.name(&format!("{key}.skill"), skill, skills, SKILL);
            }
        }
    }

    fn at_most_classes(&mut self, key: &str, count: usize, what: &str) {
        if count > MOST_CLASSES {
            let message = format!("{count} {what} are more than {MOST_CLASSES}");
            self.refuse(key, message, format!("use fewer {what}"));
        }
    }

    /// The table of a route; says how many tasks to expect.
    pub(super) fn route(&mut self, key: &str, route: &Route, skills: &[String]) -> f64 {
        self.stages(key, route, skills);
        self.law(&format!("{key}.think"), &route.think);
        let visits = if route.stages.is_empty() { vec![] } else { route.mean_visits() };
        if visits.iter().any(|visits| visits.is_infinite()) {
            let remedy = format!("let every stage lead to \"{DONE}\" in the end");
            self.refuse(&format!("{key}.stages"), "a job may go round for ever", &remedy);
            return 0.0;
        }
        match (&route.arrivals, route.customers) {
            (Some(arrivals), None) => {
                let key = format!("{key}.arrivals");
                match &**arrivals {
                    Source::Dag(_) | Source::Route(_) | Source::Tasks(_) => {
                        let message = format!("jobs cannot arrive as `{}`", arrivals.name());
                        self.refuse(&key, message, "write another source, such as poisson");
                    }
                    source => self.source(&key, source, skills, None),
                }
                0.0
            }
            (None, Some(0)) => {
                self.refuse(&format!("{key}.customers"), "nobody asks", "write 1 or more");
                0.0
            }
            (None, Some(customers)) => self.closed(key, route, customers, &visits),
            (None, None) | (Some(_), Some(_)) => {
                let message = "exactly one of `arrivals` and `customers` must be given";
                self.refuse(
                    key,
                    message,
                    "write arrivals = { poisson = { rate_per_s = 0.5 } }, or customers = 10",
                );
                0.0
            }
        }
    }

    /// Tasks to expect of customers whom nothing makes wait.
    fn closed(&mut self, key: &str, route: &Route, customers: u32, visits: &[f64]) -> f64 {
        let mean = |law: Option<&crate::engine::Dist>| {
            law.and_then(|law| law.law().ok()).map_or(0.0, |law| law.mean())
        };
        let work =
            route.stages.iter().zip(visits).map(|(stage, visits)| {
                visits * mean(stage.work.as_ref().or(self.file.work.duration.as_ref()))
            });
        let cycle = mean(Some(&route.think)) + work.sum::<f64>();
        if cycle <= 0.0 && self.file.work.model_calls.is_none() {
            let message = "a customer that neither thinks nor waits for work asks without end";
            self.refuse(&format!("{key}.think"), message, "write a think time above 0s");
            return 0.0;
        }
        let horizon = self.file.run.horizon.as_secs_f64();
        f64::from(customers) * (horizon / cycle.max(1e-3) + 1.0) * visits.iter().sum::<f64>()
    }

    fn stages(&mut self, key: &str, route: &Route, skills: &[String]) {
        let names: Vec<String> = route.stages.iter().map(|stage| stage.name.clone()).collect();
        if names.is_empty() {
            let remedy = "leave `stages` out for one stage, or add { name = \"work\" }";
            self.refuse(&format!("{key}.stages"), "a job needs a stage", remedy);
        }
        self.at_most_classes(&format!("{key}.stages"), names.len(), "stages");
        let targets: Vec<String> = names.iter().cloned().chain([DONE.to_owned()]).collect();
        for (index, stage) in route.stages.iter().enumerate() {
            let key = format!("{key}.stages.{index}");
            if names[..index].contains(&stage.name) || stage.name == DONE {
                let message = format!("`{}` is the name of something else", stage.name);
                self.refuse(
                    &format!("{key}.name"),
                    message,
                    "give each stage its own name, and none \"done\"",
                );
            }
            self.shares(&format!("{key}.next"), &stage.next, &targets, ("stage", "stages"));
            let sum: f64 = stage.next.0.iter().map(|next| next.1).sum();
            // A list of names stands for equal probabilities.
            let listed = stage.next.0.iter().all(|next| next.1 == 1.0);
            if !stage.next.0.is_empty() && !listed && (sum - 1.0).abs() > 1e-6 {
                let message = format!("the probabilities sum to {sum}, not to 1");
                let remedy =
                    format!("write the rest as \"{DONE}\", such as {{ again = 0.25, {DONE} = 0.75 }}");
                self.refuse(&format!("{key}.next"), message, &remedy);
            }
            if let Some(work) = &stage.work {
                self.law(&format!("{key}.work"), work);
            }
            if let Some(tokens) = &stage.context_tokens {
                self.number(&format!("{key}.context_tokens"), tokens);
            }
            if let Some(skill) = &stage.skill {
                self.name(&format!("{key}.skill"), skill, skills, SKILL);
            }
        }
    }
}
