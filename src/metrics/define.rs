//! Short constructors for [`MetricDef`], so that a table of columns reads as a table.

use super::{Better, MetricDef};

impl MetricDef {
    /// A column where less is better.
    pub(crate) const fn lower(name: &'static str, unit: &'static str, about: &'static str) -> MetricDef {
        MetricDef { name, unit, about, better: Better::Lower }
    }
    /// A column where more is better.
    pub(crate) const fn higher(name: &'static str, unit: &'static str, about: &'static str) -> MetricDef {
        MetricDef { name, unit, about, better: Better::Higher }
    }
    /// A column that describes.
    pub(crate) const fn neutral(name: &'static str, unit: &'static str, about: &'static str) -> MetricDef {
        MetricDef { name, unit, about, better: Better::Neutral }
    }
}
