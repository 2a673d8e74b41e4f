//! The three things no pattern has at once: quick decisions, fault tolerance, decentralization.

use super::super::table::{against_reference, unstable};
use super::axis::Axis;
use super::canvas::{Align, Canvas, Point, svg};
use super::colour::{Colour, FAINT, GRID, INK};
use super::{colour, context};
use crate::experiment::{Comparison, PatternResult};
use crate::stats::interval::Interval;

const WIDTH: i32 = 980;
const ROW: i32 = 40;
const TOP: i32 = 112;
/// Pixels of the panels.
const PANELS: [(i32, i32); 3] = [(140, 390), (440, 670), (720, 950)];

pub(super) fn trilemma(comparison: &Comparison) -> String {
    let bottom = TOP + ROW * comparison.patterns.len() as i32;
    svg(WIDTH as u32, (bottom + 78) as u32, |canvas| draw(comparison, canvas, bottom))
}

fn draw(comparison: &Comparison, canvas: &Canvas<'_>, bottom: i32) {
    canvas.title(
        "Trilemma: decision latency, fault tolerance, decentralization",
        &format!("{}; whiskers: 95 % intervals", context(comparison)),
    );
    for (index, pattern) in comparison.patterns.iter().enumerate() {
        let y = TOP + ROW * index as i32 + ROW / 2;
        canvas.text((PANELS[0].0 - 14, y), pattern.def.name, INK, Align::Right);
    }
    decisions(comparison, canvas, bottom);
    let tolerance: Vec<Interval> = comparison
        .patterns
        .iter()
        .map(|pattern| {
            let found = against_reference(comparison, "fault_tolerance", pattern.def.name);
            found.map_or(UNDEFINED, super::super::format::in_percent)
        })
        .collect();
    let most = tolerance.iter().flat_map(|one| [one.estimate, one.high]).filter(|end| end.is_finite());
    let axis = Axis::to(1.03 * most.fold(100.0, f64::max), PANELS[1]);
    panel(
        canvas,
        &axis,
        bottom,
        ["Fault tolerance", "goodput [% of ideal without faults]", "more is better →"],
    );
    dots(comparison, canvas, &axis, &tolerance);

    let deciders: Vec<Interval> =
        comparison.patterns.iter().map(|pattern| pattern.summary("decider_effective_number")).collect();
    let axis = Axis::log(deciders.iter().flat_map(|one| [one.estimate, one.low, one.high, 1.0]), PANELS[2]);
    panel(canvas, &axis, bottom, ["Decentralization", "effective deciders (1/HHI)", "more is better →"]);
    dots(comparison, canvas, &axis, &deciders);
}

const UNDEFINED: Interval = Interval { n: 0, skipped: 0, estimate: f64::NAN, low: f64::NAN, high: f64::NAN };

fn panel(canvas: &Canvas<'_>, axis: &Axis, bottom: i32, [heading, what, better]: [&str; 3]) {
    let (from, to) = axis.pixels();
    canvas.heading((from, TOP - 22), heading);
    canvas.below(axis, (TOP, bottom), what);
    canvas.text(((from + to) / 2, bottom + 54), better, FAINT, Align::Centre);
    canvas.line(&[(from, TOP), (from, bottom)], GRID, 1);
}

/// Median (filled) and 99th percentile (ring) of the decision latency, joined.
fn decisions(comparison: &Comparison, canvas: &Canvas<'_>, bottom: i32) {
    let both = |pattern: &PatternResult| {
        ["decision_latency_p50_s", "decision_latency_p99_s"].map(|metric| pattern.summary(metric))
    };
    let stable = || comparison.patterns.iter().filter(|pattern| !unstable(pattern));
    // The lower end of an interval may lie near zero, which would stretch the axis over many decades.
    let low = |one: Interval| if one.low > 0.1 * one.estimate { one.low } else { 0.5 * one.estimate };
    let ends = stable().flat_map(both).flat_map(|one| [low(one), one.estimate, one.high]);
    let axis = Axis::log(ends, PANELS[0]);
    panel(canvas, &axis, bottom, ["Decision latency", "● median, ○ 99th percentile [s]", "← less is better"]);
    for (index, pattern) in comparison.patterns.iter().enumerate() {
        let y = TOP + ROW * index as i32 + ROW / 2;
        let look = colour::pattern(pattern.def.name, index);
        if unstable(pattern) {
            let (from, to) = axis.pixels();
            canvas.text(((from + to) / 2, y), "unstable: the backlog grows", FAINT, Align::Centre);
            continue;
        }
        let [median, tail] = both(pattern);
        if let (Some(from), Some(to)) = (axis.place(median.estimate), axis.place(tail.estimate)) {
            canvas.line(&[(from, y), (to, y)], look.colour, 1);
        }
        whisker(canvas, &axis, median, y, look.colour);
        whisker(canvas, &axis, tail, y, look.colour);
        if let Some(x) = axis.place(tail.estimate) {
            canvas.ring((x, y), 5, look.colour);
        }
        if let Some(x) = axis.place(median.estimate) {
            canvas.dot((x, y), 5, look.colour);
            if axis.is_below(median.estimate) {
                let text = if median.estimate == 0.0 { "median 0 s" } else { "median below the scale" };
                canvas.text((x + 9, y - 11), text, FAINT, Align::Left);
            }
        }
    }
}

fn dots(comparison: &Comparison, canvas: &Canvas<'_>, axis: &Axis, values: &[Interval]) {
    for (index, (pattern, value)) in comparison.patterns.iter().zip(values).enumerate() {
        let at = |x: i32| -> Point { (x, TOP + ROW * index as i32 + ROW / 2) };
        let look = colour::pattern(pattern.def.name, index);
        whisker(canvas, axis, *value, at(0).1, look.colour);
        match axis.place(value.estimate) {
            Some(x) => canvas.dot(at(x), 5, look.colour),
            None => canvas.text(at(axis.pixels().0 + 8), "not defined", FAINT, Align::Left),
        }
    }
}

fn whisker(canvas: &Canvas<'_>, axis: &Axis, interval: Interval, y: i32, colour: Colour) {
    if let (Some(low), Some(high)) = (axis.place(interval.low), axis.place(interval.high)) {
        canvas.line(&[(low, y), (high, y)], colour, 3);
        // An end outside the axis has no cap: the interval goes on.
        for (x, end) in [(low, interval.low), (high, interval.high)] {
            if !axis.is_below(end) {
                canvas.line(&[(x, y - 5), (x, y + 5)], colour, 2);
            }
        }
    }
}
