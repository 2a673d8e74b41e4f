//! Columns about a run as a whole that no single observer owns.

use super::MetricDef;

/// Columns filled where a run is set up and finished.
pub const DEFS: &[MetricDef] = &[
    MetricDef::neutral("events", "events", "events handled by the kernel"),
    MetricDef::neutral(
        "load_rho",
        "share",
        "work arriving / (capacity of the present agents until the horizon)",
    ),
    MetricDef::lower(
        "standing_overhead_share",
        "share",
        "coordinating share of up capacity with no arrivals and no faults, over ten minutes",
    ),
    MetricDef::lower("authority_busy_share", "share", "busy share of the busiest seat of authority"),
    MetricDef::lower("relay_busy_share", "share", "busy share of the busiest relay's servers"),
    MetricDef::neutral(
        "faults_fired",
        "faults",
        "entries of the fault plan that changed their target's state",
    ),
    MetricDef::neutral(
        "faults_not_applicable",
        "faults",
        "entries whose role the pattern lacks or a reference ignores",
    ),
    MetricDef::neutral("rows_skipped", "rows", "bad rows of the trace left out (on_bad_row = \"skip\")"),
];
