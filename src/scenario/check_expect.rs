//! What can be wrong with `[[expect]]`, `[[variant]]` and `[case]`: names, and claims that contradict
//! themselves.

use super::expect::{Amount, Claim, ExpectSpec, Expectation, Statistic, VariantSpec};
use super::resolve::Checker;
use crate::engine::Span;
use crate::metrics::MetricDef;

/// The quantity that `at` asks for; no column of `runs.csv`, because it needs an instant.
const PRESENT: &str = "tasks_present";

/// What expectations of a file may speak of.
#[derive(Clone, Debug)]
pub(super) struct Measurable {
    pub(super) metrics: Vec<&'static MetricDef>,
    /// The columns that exist for each class of tasks.
    pub(super) class_columns: Vec<&'static str>,
    /// The classes of tasks.
    pub(super) classes: Vec<String>,
    /// The patterns compared; `None` for a trial, which has none.
    pub(super) patterns: Option<Vec<String>>,
    /// The end of the run.
    pub(super) end: Span,
}

impl Checker<'_> {
    /// The expectations `specs`, which stand at `key`, with whatever is wrong with them reported.
    pub(super) fn expectations(
        &mut self,
        specs: &[ExpectSpec],
        key: &str,
        known: &Measurable,
    ) -> Vec<Expectation> {
        let mut probes: Vec<Span> = Vec::new();
        let mut found = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let at = |name: &str| format!("{key}.{index}.{name}");
            let probe = spec.at.map(|instant| {
                let place = probes.iter().position(|&other| other == instant).unwrap_or(probes.len());
                if place == probes.len() {
                    probes.push(instant);
                }
                (instant, place)
            });
            let unit = self.measured(spec, &at, known);
            let pattern = self.pattern_of(spec, &at, known);
            let versus = self.versus(spec, &at, known);
            let claim = self.claim(spec, &format!("{key}.{index}"), &at);
            if let (Some(unit), Some(claim)) = (unit, claim) {
                found.push(Expectation {
                    label: label(spec, pattern.as_deref()),
                    metric: spec.metric.clone(),
                    unit,
                    pattern,
                    class: spec.class.clone(),
                    probe,
                    versus,
                    statistic: spec.statistic,
                    claim,
                });
            }
        }
        found
    }

    /// The unit of what is measured.
    fn measured(
        &mut self,
        spec: &ExpectSpec,
        at: &dyn Fn(&str) -> String,
        known: &Measurable,
    ) -> Option<&'static str> {
        if spec.metric == PRESENT || spec.at.is_some() {
            return self.probe(spec, at, known);
        }
        let names: Vec<String> = known.metrics.iter().map(|def| def.name.to_owned()).collect();
        self.name(&at("metric"), &spec.metric, &names, ("metric", "metrics"));
        if let Some(class) = &spec.class {
            if known.patterns.is_none() {
                self.refuse(&at("class"), "a trial has no classes of tasks", "delete this key");
            } else {
                self.name(&at("class"), class, &known.classes, ("class of tasks", "classes of tasks"));
                if names.contains(&spec.metric) {
                    let columns: Vec<String> =
                        known.class_columns.iter().map(|&name| name.to_owned()).collect();
                    let what = ("metric of a class", "metrics of a class");
                    self.name(&at("metric"), &spec.metric, &columns, what);
                }
            }
        }
        Some(known.metrics.iter().find(|def| def.name == spec.metric)?.unit)
    }

    /// Tasks present at an instant.
    fn probe(
        &mut self,
        spec: &ExpectSpec,
        at: &dyn Fn(&str) -> String,
        known: &Measurable,
    ) -> Option<&'static str> {
        if known.patterns.is_none() {
            self.refuse(&at("at"), "a trial has no instants and no tasks", "delete this key");
            return None;
        }
        let Some(instant) = spec.at else {
            let message = format!("`{PRESENT}` is counted at an instant");
            self.refuse(&at("metric"), message, "add `at = \"10min\"`, or expect `tasks_present_mean`");
            return None;
        };
        if spec.metric != PRESENT {
            let message = format!("only `{PRESENT}` is measured at an instant, not `{}`", spec.metric);
            self.refuse(&at("at"), message, format!("write metric = \"{PRESENT}\", or delete `at`"));
        }
        if spec.class.is_some() {
            self.refuse(&at("class"), format!("`{PRESENT}` counts all classes"), "delete this key");
        }
        if instant > known.end {
            let message = format!("{instant} is after the end of the run at {}", known.end);
            self.refuse(&at("at"), message, "name an earlier instant, or lengthen `run.horizon`");
        }
        Some("tasks")
    }

    fn pattern_of(
        &mut self,
        spec: &ExpectSpec,
        at: &dyn Fn(&str) -> String,
        known: &Measurable,
    ) -> Option<String> {
        match (&known.patterns, &spec.pattern) {
            (None, None) => None,
            (None, Some(_)) => {
                self.refuse(&at("pattern"), "a trial runs no patterns", "delete this key");
                None
            }
            (Some(patterns), Some(name)) => {
                self.name(&at("pattern"), name, patterns, ("pattern compared here", "run.patterns"));
                Some(name.clone())
            }
            (Some(patterns), None) => {
                if let [only] = &patterns[..] {
                    return Some(only.clone());
                }
                let message = format!("{} patterns are compared: say which one is meant", patterns.len());
                self.refuse(
                    &at("pattern"),
                    message,
                    format!("add pattern = one of: {}", patterns.join(", ")),
                );
                None
            }
        }
    }

    fn versus(
        &mut self,
        spec: &ExpectSpec,
        at: &dyn Fn(&str) -> String,
        known: &Measurable,
    ) -> Option<(String, bool)> {
        let Some(name) = &spec.versus else {
            if spec.ratio {
                self.refuse(&at("ratio"), "there is nothing to divide by", "add `versus`, or delete `ratio`");
            }
            return None;
        };
        match &known.patterns {
            None => self.refuse(&at("versus"), "a trial runs no patterns", "delete this key"),
            Some(patterns) => {
                self.name(&at("versus"), name, patterns, ("pattern compared here", "run.patterns"));
                if spec.pattern.as_ref() == Some(name) {
                    self.refuse(
                        &at("versus"),
                        format!("`{name}` would be compared with itself"),
                        "name another",
                    );
                }
            }
        }
        if spec.ratio && spec.statistic == Statistic::Variance {
            let remedy = "delete `ratio`, or `statistic`";
            self.refuse(&at("ratio"), "there is no variance of a geometric mean of ratios", remedy);
        }
        Some((name.clone(), spec.ratio))
    }

    /// The claim: one of the three forms, complete, and with nothing of the others.
    fn claim(&mut self, spec: &ExpectSpec, table: &str, at: &dyn Fn(&str) -> String) -> Option<Claim> {
        let before = self.problems.len();
        for (name, value) in [("value", spec.value), ("min", spec.min), ("max", spec.max)] {
            if let Some(value) = value.filter(|value| !value.is_finite()) {
                self.refuse(&at(name), format!("{value} is not a finite number"), "write a number");
            }
        }
        let claim = match (spec.value, spec.min.is_some() || spec.max.is_some()) {
            (Some(_), true) => {
                let key = if spec.min.is_some() { "min" } else { "max" };
                self.refuse(&at(key), "`value` says already what is expected", "delete one of the two");
                None
            }
            (Some(value), false) => self.reference(spec, value, at),
            (None, true) => self.bounds(spec, at),
            (None, false) => {
                let message = format!("nothing is expected of `{}`", spec.metric);
                let remedy = "add `value` with `tolerance` or `within`, or `min`, or `max`";
                self.refuse(table, message, remedy);
                None
            }
        };
        claim.filter(|_| self.problems.len() == before)
    }

    fn reference(&mut self, spec: &ExpectSpec, value: f64, at: &dyn Fn(&str) -> String) -> Option<Claim> {
        if spec.half_width.is_some() {
            self.refuse(&at("half_width"), "`tolerance` says how precise it must be", "delete this key");
        }
        match (spec.tolerance, spec.within) {
            (Some(tolerance), None) => {
                self.amount(&at("tolerance"), tolerance, Some(value));
                let reference_half_width = spec.reference_half_width.unwrap_or(0.0);
                if !(reference_half_width.is_finite() && reference_half_width >= 0.0) {
                    let message = format!("{reference_half_width} is not a half-width");
                    self.refuse(&at("reference_half_width"), message, "write a number of 0 or more");
                }
                Some(Claim::Equal { value, tolerance: tolerance.beside(value), reference_half_width })
            }
            (None, Some(within)) => {
                // No room is what a result that is exact needs.
                if within != Amount::Absolute(0.0) {
                    self.amount(&at("within"), within, Some(value));
                }
                if spec.reference_half_width.is_some() {
                    let message = "this belongs to `tolerance`; `within` must allow for it";
                    self.refuse(&at("reference_half_width"), message, "widen `within`, and delete this key");
                }
                Some(Claim::Within { value, by: within.beside(value) })
            }
            (Some(_), Some(_)) => {
                self.refuse(
                    &at("within"),
                    "`tolerance` and `within` are two claims",
                    "delete one of the two",
                );
                None
            }
            (None, None) => {
                let remedy = "add `tolerance = \"2%\"`: the reference must lie in the interval; or `within`: \
                              the whole interval must lie near it";
                self.refuse(&at("value"), "how near to this must it come?", remedy);
                None
            }
        }
    }

    fn bounds(&mut self, spec: &ExpectSpec, at: &dyn Fn(&str) -> String) -> Option<Claim> {
        for (name, given) in [
            ("tolerance", spec.tolerance.is_some()),
            ("within", spec.within.is_some()),
            ("reference_half_width", spec.reference_half_width.is_some()),
        ] {
            if given {
                let remedy = "write `half_width` to ask for precision, or `value` in place of the threshold";
                self.refuse(&at(name), "this belongs to `value`", remedy);
            }
        }
        if let (Some(min), Some(max)) = (spec.min, spec.max)
            && min > max
        {
            self.refuse(&at("max"), format!("{max} is below the `min` of {min}"), "exchange them");
        }
        if let Some(half_width) = spec.half_width {
            self.amount(&at("half_width"), half_width, None);
        }
        Some(Claim::Bounds { min: spec.min, max: spec.max, half_width: spec.half_width })
    }

    /// Refuses an amount that is not above zero, beside `value` where that is known.
    fn amount(&mut self, key: &str, amount: Amount, value: Option<f64>) {
        if !(amount.written().is_finite() && amount.written() > 0.0) {
            let message = format!("{amount} is no room at all");
            self.refuse(key, message, "write a number above 0, or a part such as \"2%\"");
        } else if value == Some(0.0) && matches!(amount, Amount::Share(_)) {
            self.refuse(
                key,
                format!("{amount} of 0 is no room at all"),
                "write a number in the metric's unit",
            );
        }
    }

    /// The names and sets of variants; their expectations are judged when they are loaded.
    pub(super) fn variants(&mut self, variants: &[VariantSpec]) {
        for (index, variant) in variants.iter().enumerate() {
            let at = |name: &str| format!("variant.{index}.{name}");
            if variant.name.trim().is_empty() {
                self.refuse(&at("name"), "a variant needs a name", "write a short one");
            }
            if variants[..index].iter().any(|other| other.name == variant.name) {
                let message = format!("`{}` is named twice", variant.name);
                self.refuse(&at("name"), message, "give each variant its own name");
            }
            for (place, set) in variant.set.iter().enumerate().filter(|(_, set)| !set.contains('=')) {
                let message = format!("there is no `=` in `{set}`");
                self.refuse(&at(&format!("set.{place}")), message, "write \"key=value\"");
            }
            if variant.expect.is_empty() {
                let message = format!("nothing is expected of the variant `{}`", variant.name);
                self.refuse(&format!("variant.{index}"), message, "add [[variant.expect]]");
            }
        }
    }
}

/// What reports call an expectation that has no name: its quantity in words.
fn label(spec: &ExpectSpec, pattern: Option<&str>) -> String {
    if let Some(name) = &spec.name {
        return name.clone();
    }
    let mut label = spec.metric.clone();
    if let Some(class) = &spec.class {
        label.push_str(&format!(" of {class}"));
    }
    if let Some(instant) = spec.at {
        label.push_str(&format!(" at {instant}"));
    }
    if spec.statistic == Statistic::Variance {
        label = format!("variance of {label}");
    }
    if let (Some(versus), Some(pattern)) = (&spec.versus, pattern) {
        let sign = if spec.ratio { "÷" } else { "−" };
        label.push_str(&format!(", {pattern} {sign} {versus}"));
    }
    label
}
