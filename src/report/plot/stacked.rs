//! Horizontal bars of stacked parts, one a pattern, with the total and its interval at the end.

use super::axis::Axis;
use super::canvas::{Align, Canvas, Sample, TEXT, legend_height, svg, width_of};
use super::colour::{Colour, INK};
use crate::stats::interval::Interval;

/// One bar.
pub(super) struct Bar<'a> {
    pub(super) name: &'a str,
    /// The parts, in the order of [`Stacked::parts`].
    pub(super) parts: Vec<f64>,
    pub(super) total: Interval,
    /// What stands at the end of the bar.
    pub(super) label: String,
}

/// The whole plot.
pub(super) struct Stacked<'a> {
    pub(super) title: &'a str,
    pub(super) below: &'a str,
    /// What the axis shows, with its unit.
    pub(super) what: &'a str,
    /// Names and colours of the parts.
    pub(super) parts: Vec<(&'a str, Colour)>,
    pub(super) bars: Vec<Bar<'a>>,
    /// Where the axis ends at the latest.
    pub(super) limit: f64,
}

const WIDTH: i32 = 920;
const LEFT: i32 = 130;
const ROW: i32 = 42;

impl Stacked<'_> {
    pub(super) fn svg(&self) -> String {
        let top = 78 + legend_height(self.parts.iter().map(|(name, _)| *name), (20, WIDTH - 20));
        let bottom = top + ROW * self.bars.len() as i32;
        svg(WIDTH as u32, (bottom + 55) as u32, |canvas| self.draw(canvas, (top, bottom)))
    }

    fn draw(&self, canvas: &Canvas<'_>, (top, bottom): (i32, i32)) {
        canvas.title(self.title, self.below);
        let samples = self.parts.iter().map(|&(name, colour)| (name, Sample::Area(colour)));
        canvas.legend(samples, (20, WIDTH - 20), 76);
        let labels = self.bars.iter().map(|bar| width_of(&bar.label, TEXT)).max().unwrap_or(0);
        let ends = self.bars.iter().flat_map(|bar| [bar.total.estimate, bar.total.high, sum(&bar.parts)]);
        let high = ends.filter(|end| end.is_finite()).fold(0.0, f64::max).min(self.limit);
        let axis = Axis::linear(high, (LEFT, WIDTH - 40 - labels));
        canvas.below(&axis, (top, bottom), self.what);
        for (index, bar) in self.bars.iter().enumerate() {
            let middle = top + ROW * index as i32 + ROW / 2;
            canvas.text((LEFT - 10, middle), bar.name, INK, Align::Right);
            self.bar(canvas, &axis, bar, middle);
        }
        canvas.line(&[(LEFT, top), (LEFT, bottom)], INK, 1);
    }

    fn bar(&self, canvas: &Canvas<'_>, axis: &Axis, bar: &Bar<'_>, middle: i32) {
        let (mut from, mut reached) = (axis.pixels().0, 0.0);
        let mut end = from;
        for (value, (_, colour)) in bar.parts.iter().zip(&self.parts) {
            reached += if value.is_finite() { value.max(0.0) } else { 0.0 };
            let to = axis.place(reached).unwrap_or(from);
            if to > from {
                canvas.rectangle((from, middle - 13), (to, middle + 13), *colour);
            }
            (from, end) = (to, to);
        }
        if axis.is_above(bar.total.estimate) {
            canvas.broken(end, (middle - 14, middle + 14));
        } else if let (Some(low), Some(high)) = (axis.place(bar.total.low), axis.place(bar.total.high)) {
            canvas.line(&[(low, middle), (high, middle)], INK, 2);
            for x in [low, high] {
                canvas.line(&[(x, middle - 5), (x, middle + 5)], INK, 2);
            }
            end = end.max(high);
        }
        canvas.text((end + 10, middle), &bar.label, INK, Align::Left);
    }
}

fn sum(parts: &[f64]) -> f64 {
    parts.iter().filter(|part| part.is_finite()).sum()
}
