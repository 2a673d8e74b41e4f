//! Simulated against reference: a panel for each family, a dot with its interval for each expectation.
//!
//! What is drawn is simulated ÷ reference − 1, so that seconds and shares stand beside each other. A
//! reference of 0 has no such ratio, and a threshold has no reference: these are in the table alone.

use super::super::format::number;
use super::axis::Axis;
use super::canvas::{Align, Canvas, Sample, svg};
use super::colour::{Colour, FAINT, GRID, INK, VERDICTS};
use crate::experiment::judge::Verdict;
use crate::experiment::validate::Validation;

const WIDTH: i32 = 1000;
const LEFT: i32 = 78;
const RIGHT: i32 = WIDTH - 24;
const TOP: i32 = 104;
/// Height of a panel with its title and labels, and of the part with dots.
const PANEL: i32 = 150;
const FIELD: i32 = 92;
/// Room for the number of a case \[px\].
const LABEL: i32 = 20;

/// One expectation.
struct Dot<'a> {
    case: &'a str,
    verdict: Verdict,
    /// Relative to the reference: estimate, low, high.
    at: [f64; 3],
}

/// The plot, with as many panels as there are families with something to draw.
pub(in crate::report) fn validation(validation: &Validation) -> String {
    let mut families: Vec<(&str, Vec<Dot<'_>>)> = Vec::new();
    let mut left_out = 0;
    for (case, finding) in validation.findings() {
        let judged = &finding.judged;
        let measured = judged.measured;
        let reference = judged.expectation.claim.reference().filter(|value| *value != 0.0);
        let Some(reference) = reference.filter(|_| measured.estimate.is_finite()) else {
            left_out += 1;
            continue;
        };
        if families.last().is_none_or(|(name, _)| *name != case.family) {
            families.push((&case.family, Vec::new()));
        }
        let mut at = [measured.estimate, measured.low, measured.high].map(|value| value / reference - 1.0);
        if reference < 0.0 {
            at.swap(1, 2);
        }
        let dots = &mut families.last_mut().expect("pushed above").1;
        dots.push(Dot { case: &case.id, verdict: judged.verdict, at });
    }
    let drawn: usize = families.iter().map(|(_, dots)| dots.len()).sum();
    let height = TOP + PANEL * families.len().max(1) as i32;
    svg(WIDTH as u32, height as u32, |canvas| {
        let below = format!(
            "simulated ÷ reference − 1, 95 % intervals; {drawn} expectations; {left_out} without such a ratio"
        );
        canvas.title("Simulated against reference", &below);
        let names = VERDICTS.iter().map(|(_, name, colour)| (*name, Sample::Area(*colour)));
        canvas.legend(names, (20, RIGHT), 74);
        for (index, (family, dots)) in families.iter().enumerate() {
            panel(canvas, TOP + PANEL * index as i32, family, dots);
        }
    })
}

fn panel(canvas: &Canvas<'_>, top: i32, family: &str, dots: &[Dot<'_>]) {
    canvas.heading((20, top), family);
    let (high, low) = (top + 14, top + 14 + FIELD);
    // Most dots decide the scale; one that is far out is drawn at the edge, where it is seen.
    let reaches = dots.iter().map(|dot| dot.at.iter().map(|value| value.abs()).fold(0.0, f64::max));
    let reach = super::axis::reach(reaches, 8.0).max(1e-4);
    let axis = Axis::about_zero(reach, (low, high));
    for (y, value) in axis.zero_and_ends() {
        canvas.line(&[(LEFT, y), (RIGHT, y)], if value == 0.0 { INK } else { GRID }, 1);
        let sign = if value > 0.0 { "+" } else { "" };
        let label =
            if value == 0.0 { "0".to_owned() } else { format!("{sign}{} %", number(100.0 * value, 1)) };
        canvas.text((LEFT - 8, y), &label, FAINT, Align::Right);
    }
    let step = f64::from(RIGHT - LEFT) / dots.len() as f64;
    let middle = |index: usize| LEFT + (step * (index as f64 + 0.5)).round() as i32;
    for (index, dot) in dots.iter().enumerate() {
        mark(canvas, &axis, dot, (middle(index), (step * 0.3).clamp(1.0, 4.0) as i32));
    }
    cases(canvas, dots, (high, low), |index| LEFT + (step * index as f64).round() as i32);
}

/// A dot and its interval; beyond the edge, a ring at it.
fn mark(canvas: &Canvas<'_>, axis: &Axis, dot: &Dot<'_>, (x, half): (i32, i32)) {
    let colour = colour_of(dot.verdict);
    let [estimate, low, high] = dot.at.map(|value| axis.place(value));
    if let (Some(low), Some(high)) = (low, high) {
        canvas.line(&[(x, low), (x, high)], colour, 1);
        for y in [low, high] {
            canvas.line(&[(x - half, y), (x + half, y)], colour, 1);
        }
    }
    let Some(y) = estimate else { return };
    if axis.is_above(dot.at[0]) || axis.is_below(dot.at[0]) {
        canvas.ring((x, y), 4, colour);
    } else {
        canvas.dot((x, y), 2 + u32::from(dot.verdict != Verdict::Pass), colour);
    }
}

/// Lines between cases, and their numbers below where there is room.
fn cases(canvas: &Canvas<'_>, dots: &[Dot<'_>], (high, low): (i32, i32), edge: impl Fn(usize) -> i32) {
    let mut free = LEFT;
    let mut first = 0;
    for (index, dot) in dots.iter().enumerate() {
        let last = dots.get(index + 1).is_none_or(|next| next.case != dot.case);
        if !last {
            continue;
        }
        let (from, to) = (edge(first), edge(index + 1));
        if to < RIGHT {
            canvas.line(&[(to, high), (to, low)], GRID, 1);
        }
        let centre = (from + to) / 2;
        if centre - LABEL / 2 >= free {
            let label = dot.case.split_once('-').map_or(dot.case, |(_, number)| number);
            canvas.text((centre, low + 13), label, FAINT, Align::Centre);
            free = centre + LABEL / 2;
        }
        first = index + 1;
    }
}

fn colour_of(verdict: Verdict) -> Colour {
    VERDICTS.iter().find(|(known, ..)| *known == verdict).expect("all verdicts have a colour").2
}
