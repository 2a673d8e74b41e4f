//! Throughput and backlog over time, with the scheduled faults shaded.

use super::super::format::number;
use super::axis::{Axis, reach};
use super::canvas::{Align, Canvas, Point, Sample, TEXT, legend_height, svg, width_of};
use super::colour::{Colour, FAINT, GRID, INK, Look, SHADE};
use super::{colour, context};
use crate::experiment::{Comparison, PatternResult};
use crate::fault::{Entry, FaultKind, Origin, Target};
use crate::metrics::series::RunSeries;

const WIDTH: i32 = 920;
const LEFT: i32 = 70;
const RIGHT: i32 = WIDTH - 30;
const PANEL: i32 = 210;
const ARRIVALS: &str = "arrivals";
const THIN: Colour = (0xA8, 0xA8, 0xA8);

/// Means over replications, by window.
struct Curve {
    name: &'static str,
    look: Look,
    /// Correct outputs accepted \[tasks/s\].
    done: Vec<f64>,
    backlog: Vec<f64>,
}

pub(super) fn timeline(comparison: &Comparison) -> String {
    let faults = faults(comparison);
    let rows = faults.iter().map(|fault| fault.row + 1).max().unwrap_or(0);
    let names = comparison.patterns.iter().map(|pattern| pattern.def.name).chain([ARRIVALS]);
    let first = 104 + legend_height(names, (20, WIDTH - 20)) + 18 * rows;
    let height = first + 2 * PANEL + 112;
    svg(WIDTH as u32, height as u32, |canvas| draw(comparison, canvas, &faults, first))
}

fn draw(comparison: &Comparison, canvas: &Canvas<'_>, faults: &[Fault], first: i32) {
    canvas.title(
        "Throughput and backlog over time",
        &format!("{}; means over replications, 30 s moving average", context(comparison)),
    );
    let curves: Vec<Curve> =
        comparison.patterns.iter().enumerate().map(|(index, pattern)| curve(pattern, index)).collect();
    let Some(series) =
        comparison.patterns.iter().flat_map(|pattern| &pattern.runs).map(|run| &run.series).next()
    else {
        return;
    };
    let window = series.window.as_secs_f64();
    let horizon = series.horizon.as_secs_f64();
    let longest = curves.iter().map(|curve| curve.backlog.len()).max().unwrap_or(0) as f64 * window;
    let minutes = Axis::to(longest.max(horizon) / 60.0, (LEFT, RIGHT));
    let entries = curves.iter().map(|curve| (curve.name, Sample::Line(curve.look)));
    let thin = [(ARRIVALS, Sample::Thin(THIN))];
    canvas.legend(entries.chain(thin), (20, WIDTH - 20), 76);

    let rows = faults.iter().map(|fault| fault.row + 1).max().unwrap_or(0);
    let second = first + PANEL + 54;
    let panels = [(first, first + PANEL), (second, second + PANEL)];
    shade(canvas, faults, &minutes, panels, first);
    let arrived = smooth(&mean(&comparison.patterns[0], |series, index| {
        series.windows.get(index).map_or(0.0, |one| f64::from(one.arrived) / window)
    }));
    for ((top, bottom), title, what) in [
        (panels[0], "Correct outputs accepted [tasks/s]", Curve::done as fn(&Curve) -> &[f64]),
        (panels[1], "Backlog: tasks arrived and not ended [tasks]", Curve::backlog),
    ] {
        let extra = if top == first { &arrived[..] } else { &[] };
        let high = ceiling(&curves, what, extra);
        let axis = Axis::linear(high, (bottom, top));
        let labels = if top == first { 18 * rows } else { 0 };
        canvas.heading((20, top - 16 - labels), title);
        off_scale(canvas, &curves, what, (&axis, top - 16 - labels));
        canvas.beside(&axis, (LEFT, RIGHT));
        frame(canvas, &minutes, (top, bottom), horizon / 60.0);
        thin_line(canvas, extra, &minutes, &axis, window);
        for curve in &curves {
            for part in parts(what(curve), &minutes, &axis, window) {
                canvas.curve(&part, curve.look);
            }
        }
    }
    canvas.text(((LEFT + RIGHT) / 2, second + PANEL + 34), "time [min]", INK, Align::Centre);
}

impl Curve {
    fn done(&self) -> &[f64] {
        &self.done
    }
    fn backlog(&self) -> &[f64] {
        &self.backlog
    }
}

fn curve(pattern: &PatternResult, index: usize) -> Curve {
    let done = mean(pattern, |series, index| {
        let count = series.windows.get(index).map_or(0.0, |window| f64::from(window.correct));
        count / series.window.as_secs_f64()
    });
    // After the end of a run its backlog stays what it was.
    let backlog = mean(pattern, |series, index| {
        series.backlog.get(index).or(series.backlog.last()).map_or(0.0, |&tasks| tasks as f64)
    });
    Curve {
        name: pattern.def.name,
        look: colour::pattern(pattern.def.name, index),
        done: smooth(&done),
        backlog: smooth(&backlog),
    }
}

fn mean(pattern: &PatternResult, value: impl Fn(&RunSeries, usize) -> f64) -> Vec<f64> {
    let longest = pattern.runs.iter().map(|run| run.series.windows.len()).max().unwrap_or(0);
    let count = pattern.runs.len() as f64;
    (0..longest)
        .map(|index| pattern.runs.iter().map(|run| value(&run.series, index)).sum::<f64>() / count)
        .collect()
}

/// Each value with its neighbours: three windows of ten seconds.
fn smooth(values: &[f64]) -> Vec<f64> {
    let around = |index: usize| &values[index.saturating_sub(1)..values.len().min(index + 2)];
    (0..values.len()).map(|index| around(index).iter().sum::<f64>() / around(index).len() as f64).collect()
}

/// The largest value an axis shows.
fn ceiling(curves: &[Curve], what: fn(&Curve) -> &[f64], extra: &[f64]) -> f64 {
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    reach(curves.iter().map(|curve| most(what(curve))), 2.0).max(most(extra))
}

/// The parts of a curve that the panel can show; where it leaves at the top, each part goes up to the edge.
fn parts(values: &[f64], minutes: &Axis, axis: &Axis, window: f64) -> Vec<Vec<Point>> {
    let place = |index: usize| -> Option<Point> {
        let centre = (index as f64 + 0.5) * window / 60.0;
        Some((minutes.place(centre)?, axis.place(*values.get(index)?)?))
    };
    let shown = |index: usize| values.get(index).is_some_and(|value| !axis.is_above(*value));
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for index in 0..values.len() {
        let beside = shown(index) || shown(index + 1) || (index > 0 && shown(index - 1));
        let begins = index == 0 || !(shown(index) || shown(index - 1));
        let Some(point) = place(index).filter(|_| beside) else { continue };
        match parts.last_mut() {
            Some(part) if !begins => part.push(point),
            Some(_) | None => parts.push(vec![point]),
        }
    }
    parts.retain(|part| part.len() > 1);
    parts
}

fn thin_line(canvas: &Canvas<'_>, values: &[f64], minutes: &Axis, axis: &Axis, window: f64) {
    for part in parts(values, minutes, axis, window) {
        canvas.line(&part, THIN, 1);
    }
}

/// Names the curves that leave the panel at its top and how far they go, to the right of its heading.
fn off_scale(canvas: &Canvas<'_>, curves: &[Curve], what: fn(&Curve) -> &[f64], (axis, y): (&Axis, i32)) {
    let most = |curve: &Curve| what(curve).iter().copied().fold(0.0, f64::max);
    let off = curves.iter().filter(|curve| axis.is_above(most(curve)));
    let mut names: Vec<String> =
        off.map(|curve| format!("{} up to {}", curve.name, number(most(curve), 2))).collect();
    if names.len() > 3 {
        names.truncate(3);
        names.push("…".to_owned());
    }
    if !names.is_empty() {
        canvas.text((RIGHT, y), &format!("off the scale: {}", names.join(", ")), FAINT, Align::Right);
    }
}

fn frame(canvas: &Canvas<'_>, minutes: &Axis, (top, bottom): (i32, i32), horizon: f64) {
    for (x, label) in minutes.ticks() {
        canvas.line(&[(x, top), (x, bottom)], GRID, 1);
        canvas.text((x, bottom + 13), &label, FAINT, Align::Centre);
    }
    if let Some(x) = minutes.place(horizon) {
        canvas.dashes(&[(x, top), (x, bottom)], FAINT, 1);
        canvas.text((x + 6, top + 12), "arrivals end", FAINT, Align::Left);
    }
}

/// One scheduled fault.
struct Fault {
    from_min: f64,
    until_min: f64,
    label: String,
    /// Row of its label, from below.
    row: i32,
}

/// The scheduled faults of the first replication, their labels in rows that do not overlap.
fn faults(comparison: &Comparison) -> Vec<Fault> {
    let Some(plan) = comparison.plans.first() else { return Vec::new() };
    let scheduled = plan.entries.iter().filter(|entry| entry.origin == Origin::Scheduled);
    let mut ends: Vec<f64> = Vec::new();
    let mut faults = Vec::new();
    for entry in scheduled.take(12) {
        let from_min = entry.at.as_secs_f64() / 60.0;
        let until_min = entry.until.map_or(f64::MAX, |until| until.as_secs_f64() / 60.0);
        let label = describe(entry);
        // A label may take as much time as its text is wide; a pixel is some five seconds.
        let end = from_min + f64::from(width_of(&label, TEXT) + 10) * 0.09;
        let row = ends.iter().position(|taken| *taken <= from_min).unwrap_or(ends.len());
        if row == ends.len() {
            ends.push(end);
        } else {
            ends[row] = end;
        }
        faults.push(Fault { from_min, until_min, label, row: row as i32 });
    }
    faults
}

fn describe(entry: &Entry) -> String {
    let what = match entry.kind {
        FaultKind::Crash => "crash",
        FaultKind::Leave => "leave",
        FaultKind::Pause => "pause",
        FaultKind::Slow { .. } => "slow",
        FaultKind::Outage | FaultKind::Takeover => "relay outage",
        FaultKind::Partition { .. } => "partition",
        FaultKind::WrongOutput { .. } => "wrong outputs",
        FaultKind::Stall => "stall",
    };
    match &entry.target {
        Target::Authority { .. } => format!("authority {what}"),
        Target::Agent(index) => format!("{what} of agent {index}"),
        Target::Agents(agents) => format!("{what} of {} agents", agents.len()),
        Target::Relay(_) if matches!(entry.kind, FaultKind::Outage | FaultKind::Takeover) => what.to_owned(),
        Target::Relay(index) => format!("{what} of relay {index}"),
        Target::Network => what.to_owned(),
    }
}

fn shade(canvas: &Canvas<'_>, faults: &[Fault], minutes: &Axis, panels: [(i32, i32); 2], first: i32) {
    for fault in faults {
        let (Some(from), Some(until)) = (minutes.place(fault.from_min), minutes.place(fault.until_min))
        else {
            continue;
        };
        for (top, bottom) in panels {
            canvas.rectangle((from, top), (until.max(from + 2), bottom), SHADE);
        }
        let y = first - 12 - 18 * fault.row;
        canvas.line(&[(from, y), (from, first)], FAINT, 1);
        canvas.text((from + 5, y), &fault.label, INK, Align::Left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_that_leaves_the_scale_comes_back() {
        let (minutes, axis) = (Axis::to(10.0, (0, 100)), Axis::to(10.0, (100, 0)));
        let drawn = |values: &[f64]| parts(values, &minutes, &axis, 60.0);
        assert_eq!(drawn(&[0.0, 5.0, 10.0]), [[(5, 100), (15, 50), (25, 0)]]);
        // Up to the edge, and down from it; nothing in between.
        let values = [5.0, 20.0, 30.0, 20.0, 5.0];
        assert_eq!(drawn(&values), [[(5, 50), (15, 0)], [(35, 0), (45, 50)]]);
        // A single peak is one part.
        assert_eq!(drawn(&[5.0, 20.0, 5.0]), [[(5, 50), (15, 0), (25, 50)]]);
        assert_eq!(drawn(&[5.0, 20.0, 20.0, 5.0]).len(), 2);
        assert!(drawn(&[20.0, 20.0]).is_empty() && drawn(&[]).is_empty() && drawn(&[1.0]).is_empty());
    }

    #[test]
    fn labels_of_faults_do_not_overlap() {
        let comparison = super::super::super::sample::comparison(&["hybrid"], 2);
        let faults = faults(&comparison);
        let labels: Vec<(&str, i32)> = faults.iter().map(|fault| (fault.label.as_str(), fault.row)).collect();
        // At 5.0, 8.3 and 9.5 minutes; a label takes about nine.
        assert_eq!(labels, [("partition", 0), ("relay outage", 1), ("authority crash", 2)]);
    }

    #[test]
    fn the_moving_average_keeps_a_constant_and_spreads_a_peak() {
        assert_eq!(smooth(&[3.0; 5]), [3.0; 5]);
        assert_eq!(smooth(&[0.0, 0.0, 3.0, 0.0, 0.0]), [0.0, 1.0, 1.0, 1.0, 0.0]);
    }
}
