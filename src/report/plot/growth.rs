//! How costs grow with a size: curves over one logarithmic axis, in panels side by side.
//!
//! Both axes are logarithmic, so that a cost which does not depend on the size is a level line and one
//! which is proportional to it rises by a decade in each. What is drawn is the caller's: this knows no runs.

use super::axis::Axis;
use super::canvas::{Canvas, Point, Sample, legend_height, svg};
use super::colour;

const WIDTH: i32 = 1000;
const HEIGHT: i32 = 470;
const LEFT: i32 = 70;
const RIGHT: i32 = WIDTH - 34;
/// Between two panels, for the labels of the second \[px\].
const GAP: i32 = 96;

/// A plot of costs against a size.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth<'a> {
    /// Its title.
    pub title: &'a str,
    /// What stands below the title.
    pub below: &'a str,
    /// What the horizontal axes show, with the unit.
    pub size: &'a str,
    /// From left to right.
    pub panels: Vec<GrowthPanel<'a>>,
}

/// One cost.
#[derive(Clone, Debug, PartialEq)]
pub struct GrowthPanel<'a> {
    /// What it is, with the unit.
    pub heading: &'a str,
    /// In the order of the legend, which shows those of the first panel.
    pub curves: Vec<GrowthCurve<'a>>,
}

/// The cost under one pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct GrowthCurve<'a> {
    /// Name of the pattern; decides the colour.
    pub pattern: &'a str,
    /// Size and cost, by size. What is not finite leaves a gap.
    pub points: Vec<(f64, f64)>,
}

/// The SVG text of the plot.
pub fn growth(plot: &Growth<'_>) -> String {
    svg(WIDTH as u32, HEIGHT as u32, |canvas| draw(plot, canvas))
}

fn draw(plot: &Growth<'_>, canvas: &Canvas<'_>) {
    canvas.title(plot.title, plot.below);
    let names: Vec<&str> = plot.panels.iter().take(1).flat_map(|panel| names(panel)).collect();
    let looks = names.iter().enumerate().map(|(index, name)| Sample::Line(colour::pattern(name, index)));
    canvas.legend(names.iter().copied().zip(looks), (20, RIGHT), 76);
    let top = 104 + legend_height(names.iter().copied(), (20, RIGHT));
    let bottom = HEIGHT - 60;
    let count = plot.panels.len().max(1) as i32;
    let width = (RIGHT - LEFT - GAP * (count - 1)) / count;
    let all = || plot.panels.iter().flat_map(|panel| &panel.curves).flat_map(|curve| &curve.points);
    for (index, panel) in plot.panels.iter().enumerate() {
        let left = LEFT + (width + GAP) * index as i32;
        let sizes = Axis::log(all().map(|point| point.0), (left, left + width));
        let costs = panel.curves.iter().flat_map(|curve| &curve.points).map(|point| point.1);
        let costs = Axis::log(costs, (bottom, top));
        canvas.below(&sizes, (top, bottom), plot.size);
        canvas.beside(&costs, (left, left + width));
        canvas.heading((left - 50, top - 18), panel.heading);
        for (index, curve) in panel.curves.iter().enumerate() {
            let look = colour::pattern(curve.pattern, index);
            for part in parts(curve, &sizes, &costs) {
                canvas.curve(&part, look);
                part.iter().for_each(|&point| canvas.dot(point, 3, look.colour));
            }
        }
    }
}

fn names<'a>(panel: &GrowthPanel<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    panel.curves.iter().map(|curve| curve.pattern).collect::<Vec<_>>().into_iter()
}

/// The points of a curve, cut where one is missing.
fn parts(curve: &GrowthCurve<'_>, sizes: &Axis, costs: &Axis) -> Vec<Vec<Point>> {
    let mut parts = vec![Vec::new()];
    for &(size, cost) in &curve.points {
        match (sizes.place(size), costs.place(cost)) {
            (Some(x), Some(y)) => parts.last_mut().expect("one at least").push((x, y)),
            _ => parts.push(Vec::new()),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_is_a_gap_and_a_level_cost_a_level_line() {
        let points = vec![(1e2, 40.0), (1e3, 40.0), (1e4, f64::NAN), (1e5, 40.0), (1e6, 400.0)];
        let curve = GrowthCurve { pattern: "hybrid", points };
        let (sizes, costs) = (Axis::log([1e2, 1e6], (0, 400)), Axis::log([40.0, 400.0], (100, 0)));
        let drawn = parts(&curve, &sizes, &costs);
        let level = drawn[0][0].1;
        assert_eq!(drawn[0], [(0, level), (100, level)]);
        assert_eq!((drawn[1][0], drawn[1].len(), drawn.len()), ((300, level), 2, 2));
        let panels = vec![GrowthPanel { heading: "time [ns]", curves: vec![curve] }];
        let plot = Growth { title: "Scale", below: "one run", size: "agents", panels };
        let text = growth(&plot);
        assert!(
            ["Scale", "time [ns]", "agents", "hybrid", "1,000,000"].iter().all(|word| text.contains(word))
        );
        assert!(!text.contains("NaN"));
        assert!(growth(&Growth { panels: Vec::new(), ..plot }).contains("Scale"));
    }
}
