//! What a run is worth in numbers: folds over the record stream, written once and knowing no pattern.
//!
//! Each file observes [`Record`](crate::trace::Record)s, declares its columns as [`MetricDef`]s and fills
//! them into a [`MetricSet`] when the run is over. [`registry`] walks all columns in order: `runs.csv`,
//! `summary.csv`, JSON, `anthill explain` and the plots take names, units and formulas from there.
//! Nothing here may know a pattern, draw a random number or change what happens.

pub mod availability;
pub mod bound;
pub(crate) mod channels;
pub mod decentralization;
mod define;
pub mod histogram;
pub mod inbox;
pub mod latency;
pub mod ledger;
pub mod money;
pub mod probes;
pub mod queue;
mod recovery;
#[cfg(test)]
mod sample;
pub mod series;
mod spans;
pub mod tasks;
pub mod traffic;
pub mod turns;
pub mod whole;

/// The columns of each file, in the order they are written.
static TABLES: [&[MetricDef]; 13] = [
    whole::DEFS,
    ledger::DEFS,
    bound::DEFS,
    tasks::DEFS,
    latency::DEFS,
    queue::DEFS,
    decentralization::DEFS,
    traffic::DEFS,
    inbox::DEFS,
    turns::DEFS,
    availability::DEFS,
    series::DEFS,
    money::DEFS,
];

/// Which direction is better, where one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither: a description.
    Neutral,
}

/// One column of `runs.csv`.
#[derive(Clone, Copy, Debug)]
pub struct MetricDef {
    /// snake_case, unit last.
    pub name: &'static str,
    /// Unit as shown to people: `s`, `share`, `tasks/s`, `1`.
    pub unit: &'static str,
    /// Definition: the formula, and the section of the model or the paper it comes from.
    pub about: &'static str,
    /// Which direction is better.
    pub better: Better,
}

/// The numbers of one run. A metric that does not apply is NaN, shown as an empty cell.
#[derive(Clone, Debug)]
pub struct MetricSet {
    values: Vec<f64>,
}

/// All columns, in the order they are written.
pub fn registry() -> impl Iterator<Item = &'static MetricDef> + Clone {
    TABLES.iter().copied().flatten()
}

/// Position of the metric called `name`.
pub fn position(name: &str) -> Option<usize> {
    registry().position(|def| def.name == name)
}

impl Default for MetricSet {
    fn default() -> MetricSet {
        MetricSet { values: vec![f64::NAN; registry().count()] }
    }
}

impl MetricSet {
    /// Sets a metric. Panics if no column has this name: the registry and the code disagree.
    pub fn set(&mut self, name: &str, value: f64) {
        let position = position(name).unwrap_or_else(|| panic!("`{name}` is not in the metric registry"));
        self.values[position] = value;
    }
    /// The value of `name`; NaN if it does not apply. Panics if no column has this name.
    pub fn get(&self, name: &str) -> f64 {
        self.values[position(name).unwrap_or_else(|| panic!("`{name}` is not in the metric registry"))]
    }
    /// All values, in registry order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}
