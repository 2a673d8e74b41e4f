//! How long tasks take from arrival to acceptance: the distribution over all tasks of all replications.

use super::super::table::unstable;
use super::axis::Axis;
use super::canvas::{Canvas, Point, Sample, legend_height, svg};
use super::{colour, context};
use crate::experiment::{Comparison, PatternResult};

const WIDTH: i32 = 920;
const HEIGHT: i32 = 560;
const LEFT: i32 = 60;

pub(super) fn latency(comparison: &Comparison) -> String {
    svg(WIDTH as u32, HEIGHT as u32, |canvas| draw(comparison, canvas))
}

fn draw(comparison: &Comparison, canvas: &Canvas<'_>) {
    canvas.title(
        "Sojourn: how many tasks are done after how long",
        &format!("{}; all tasks pooled; open tasks count with their age", context(comparison)),
    );
    let name = |pattern: &PatternResult| {
        let note = if unstable(pattern) { " (unstable)" } else { "" };
        format!("{}{note}", pattern.def.name)
    };
    let names: Vec<String> = comparison.patterns.iter().map(name).collect();
    let looks: Vec<colour::Look> = comparison
        .patterns
        .iter()
        .enumerate()
        .map(|(index, pattern)| colour::pattern(pattern.def.name, index))
        .collect();
    let entries = names.iter().zip(&looks).map(|(name, look)| (name.as_str(), Sample::Line(*look)));
    canvas.legend(entries, (20, WIDTH - 20), 76);
    let top = 104 + legend_height(names.iter().map(String::as_str), (20, WIDTH - 20));
    let bottom = HEIGHT - 60;
    // The fastest hundredth of a per cent would stretch the axis for nothing one can see.
    let ends =
        comparison.patterns.iter().flat_map(|pattern| [0.001, 1.0].map(|p| pattern.sojourns.quantile_s(p)));
    let seconds = Axis::log(ends, (LEFT, WIDTH - 30));
    let share = Axis::to(100.0, (bottom, top));
    canvas.below(&seconds, (top, bottom), "sojourn, arrival to acceptance [s]");
    canvas.beside(&share, (LEFT, WIDTH - 30));
    canvas.heading((20, top - 18), "tasks done [%]");
    for (pattern, look) in comparison.patterns.iter().zip(looks) {
        let points = steps(pattern, &seconds, &share);
        if points.len() > 1 {
            canvas.curve(&points, look);
        }
    }
}

/// The empirical distribution, thinned to what a pixel can show.
fn steps(pattern: &PatternResult, seconds: &Axis, share: &Axis) -> Vec<Point> {
    let all = pattern.sojourns.count() as f64;
    let (mut done, mut points) = (0, Vec::<Point>::new());
    for (upper, count) in pattern.sojourns.bins() {
        done += count;
        let percent = 100.0 * done as f64 / all;
        let (Some(x), Some(y)) = (seconds.place(upper), share.place(percent)) else { continue };
        match points.last_mut() {
            Some(last) if last.0 == x => last.1 = y,
            Some(_) | None => points.push((x, y)),
        }
    }
    points
}
