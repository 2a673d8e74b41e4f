//! Results as SVG plots, drawn with plotters as a canvas.
//!
//! Axes, legends and labels are laid out here (`axis`, `canvas`) and not by plotters' charts, for control
//! over logarithmic ticks, direct labels and empty data. Coordinates are whole pixels, so the same results
//! give the same bytes. Nothing undefined is drawn: a value that is not finite leaves a gap.
//!
//! Colours are those of Okabe and Ito (Color Universal Design, 2008), told apart by people with any common
//! colour blindness. A pattern, a kind of tax and a phase have one colour each in all plots; baselines are
//! grey and dashed.

mod axis;
mod canvas;
mod colour;
mod growth;
mod latency;
mod messages;
mod png;
mod stacked;
mod tax;
mod timeline;
mod trilemma;
pub(super) mod validation;

pub use growth::{Growth, GrowthCurve, GrowthPanel, growth};
pub use png::png;

use crate::experiment::Comparison;

/// All plots of a comparison: file name and SVG text.
pub fn plots(comparison: &Comparison) -> Vec<(&'static str, String)> {
    vec![
        ("tax.svg", tax::tax(comparison)),
        ("latency.svg", latency::latency(comparison)),
        ("timeline.svg", timeline::timeline(comparison)),
        ("trilemma.svg", trilemma::trilemma(comparison)),
        ("messages.svg", messages::messages(comparison)),
    ]
}

/// What every plot says below its title.
fn context(comparison: &Comparison) -> String {
    let replications = match comparison.completed {
        1 => "1 replication".to_owned(),
        many => format!("{many} replications"),
    };
    format!("scenario {}, {replications}, seed {}", comparison.scenario, comparison.seed)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    /// Attributes of elements that hold coordinates, as numbers.
    fn coordinates(svg: &str) -> Vec<f64> {
        let mut found = Vec::new();
        for name in ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "points"] {
            for rest in svg.split(&format!(" {name}=\"")).skip(1) {
                let value = rest.split('"').next().expect("attributes are closed");
                for number in value.split([' ', ',']).filter(|number| !number.is_empty()) {
                    found.push(number.parse().unwrap_or_else(|_| panic!("{name}=\"{value}\"")));
                }
            }
        }
        found
    }

    fn check(comparison: &Comparison) {
        for (name, svg) in plots(comparison) {
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{name}");
            let numbers = coordinates(&svg);
            assert!(numbers.len() > 20, "{name} is empty");
            assert!(
                numbers.iter().all(|number| (-1.0..=1200.0).contains(number)),
                "{name} leaves its canvas"
            );
            assert!(!svg.contains("NaN") && !svg.contains("inf<"), "{name}");
        }
    }

    #[test]
    fn plots_say_what_they_show_and_do_not_vary() {
        let names = ["ideal", "hierarchical", "hybrid"];
        let comparison = sample::comparison(&names, 3);
        check(&comparison);
        let drawn = plots(&comparison);
        assert_eq!(drawn, plots(&sample::comparison(&names, 3)));
        let has = |file: &str, label: &str| {
            let svg = &drawn.iter().find(|(name, _)| *name == file).expect("a plot").1;
            assert!(svg.contains(label), "{file} lacks {label}");
        };
        for (file, _) in &drawn {
            for label in ["sample", "hierarchical", "hybrid", "3 replications", "seed 7"] {
                has(file, label);
            }
        }
        for (file, labels) in [
            ("tax.svg", vec!["Coordination tax", "search", "infrastructure", "% of engaged capacity"]),
            ("latency.svg", vec!["Sojourn", "[s]"]),
            (
                "timeline.svg",
                vec!["partition", "relay outage", "authority crash", "Backlog", "[tasks/s]", "[min]"],
            ),
            ("trilemma.svg", vec!["Decision latency", "Fault tolerance", "Decentralization"]),
            ("messages.svg", vec!["Messages per", "consensus", "assignment"]),
        ] {
            labels.into_iter().for_each(|label| has(file, label));
        }
        let timeline = &drawn[2].1;
        assert!(!timeline.contains("leave"), "churn is not shaded");
    }

    #[test]
    fn one_replication_of_one_pattern_is_drawn_without_intervals() {
        check(&sample::comparison(&["hybrid"], 1));
        check(&sample::comparison(&["single"], 1));
    }

    #[test]
    fn undefined_and_zero_values_leave_gaps_and_nothing_else() {
        let mut comparison = sample::comparison(&["hierarchical", "hybrid"], 3);
        for run in &mut comparison.patterns[0].runs {
            run.metrics = crate::metrics::MetricSet::default();
            run.series.windows.clear();
            run.series.backlog.clear();
        }
        comparison.patterns[0].sojourns = crate::metrics::histogram::SojournHistogram::new();
        comparison.paired.clear();
        comparison.plans.clear();
        check(&comparison);
        for run in &mut comparison.patterns[1].runs {
            for name in
                ["tax_full", "messages_per_task", "decision_latency_p99_s", "decider_effective_number"]
            {
                run.metrics.set(name, 0.0);
            }
        }
        check(&comparison);
    }
}
