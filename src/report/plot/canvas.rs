//! Drawing in whole pixels: text, lines, rectangles, dots; frames and legends made of them.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::{
    Circle, DrawingArea, IntoDrawingArea, IntoFont, PathElement, RGBColor, Rectangle, SVGBackend, ShapeStyle,
    Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, FontStyle};

use super::axis::Axis;
use super::colour::{Colour, FAINT, GRID, INK, Look, PAPER};

pub(super) type Point = (i32, i32);

/// Size of ordinary text \[px\].
pub(super) const TEXT: i32 = 13;

/// Where text begins, ends or is centred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

/// A sheet of paper.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// The SVG text of what `draw` draws on `width` × `height` pixels.
pub(super) fn svg(width: u32, height: u32, draw: impl FnOnce(&Canvas<'_>)) -> String {
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
    let canvas = Canvas { area };
    let (right, bottom) = (width as i32, height as i32);
    canvas.rectangle((0, 0), (right, bottom), PAPER);
    draw(&canvas);
    canvas.area.present().expect("a string can be written to");
    drop(canvas);
    text
}

/// Roughly how wide `text` is \[px\]; rather too wide than too narrow.
pub(super) fn width_of(text: &str, size: i32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * 0.57).ceil() as i32
}

/// How high a legend of these names is, drawn between `left` and `right` \[px\].
pub(super) fn legend_height<'n>(names: impl IntoIterator<Item = &'n str>, (left, right): (i32, i32)) -> i32 {
    let (mut x, mut rows) = (left, 1);
    for name in names {
        let width = entry_width(name);
        if x > left && x + width > right {
            (x, rows) = (left, rows + 1);
        }
        x += width;
    }
    21 * rows
}

fn entry_width(name: &str) -> i32 {
    29 + width_of(name, TEXT) + 10
}

fn rgb((red, green, blue): Colour) -> RGBColor {
    RGBColor(red, green, blue)
}

fn stroke(colour: Colour, width: u32) -> ShapeStyle {
    ShapeStyle { color: rgb(colour).to_rgba(), filled: false, stroke_width: width }
}

const DRAWN: &str = "a string can be drawn into";

impl Canvas<'_> {
    pub(super) fn rectangle(&self, from: Point, to: Point, colour: Colour) {
        self.area.draw(&Rectangle::new([from, to], rgb(colour).filled())).expect(DRAWN);
    }

    pub(super) fn line(&self, points: &[Point], colour: Colour, width: u32) {
        self.area.draw(&PathElement::new(points.to_vec(), stroke(colour, width))).expect(DRAWN);
    }

    pub(super) fn dashes(&self, points: &[Point], colour: Colour, width: u32) {
        if points.len() < 2 {
            return;
        }
        let path = DashedPathElement::new(points.iter().copied(), 6, 4, stroke(colour, width));
        self.area.draw(&path).expect(DRAWN);
    }

    /// A line through `points` in the look of a pattern.
    pub(super) fn curve(&self, points: &[Point], look: Look) {
        if look.dashed {
            self.dashes(points, look.colour, 2);
        } else {
            self.line(points, look.colour, 2);
        }
    }

    pub(super) fn dot(&self, at: Point, radius: u32, colour: Colour) {
        self.area.draw(&Circle::new(at, radius, rgb(colour).filled())).expect(DRAWN);
    }

    /// A dot with a hole.
    pub(super) fn ring(&self, at: Point, radius: u32, colour: Colour) {
        self.area.draw(&Circle::new(at, radius, rgb(PAPER).filled())).expect(DRAWN);
        self.area.draw(&Circle::new(at, radius, stroke(colour, 2))).expect(DRAWN);
    }

    /// Text whose middle height is at `at`.
    pub(super) fn text(&self, at: Point, text: &str, colour: Colour, align: Align) {
        self.write(at, text, (TEXT, FontStyle::Normal, colour), align);
    }

    fn write(&self, at: Point, text: &str, (size, style, colour): (i32, FontStyle, Colour), align: Align) {
        let family = FontFamily::Name("Helvetica, Arial, sans-serif");
        // plotters writes sizes divided by 1.24.
        let font = (family, f64::from(size) * 1.24, style).into_font();
        let horizontal = match align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let colour = rgb(colour);
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(horizontal, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), at, style)).expect(DRAWN);
    }

    /// The title of the plot, and what stands below it.
    pub(super) fn title(&self, title: &str, below: &str) {
        self.write((20, 24), title, (18, FontStyle::Bold, INK), Align::Left);
        self.text((20, 47), below, FAINT, Align::Left);
    }

    /// The title of one of several panels.
    pub(super) fn heading(&self, at: Point, text: &str) {
        self.write(at, text, (14, FontStyle::Bold, INK), Align::Left);
    }

    /// Vertical gridlines from `top` to `bottom` with their labels, and what the axis shows.
    pub(super) fn below(&self, axis: &Axis, (top, bottom): (i32, i32), what: &str) {
        for (x, label) in axis.ticks() {
            self.line(&[(x, top), (x, bottom)], GRID, 1);
            self.text((x, bottom + 13), &label, FAINT, Align::Centre);
        }
        let (from, to) = axis.pixels();
        self.text(((from + to) / 2, bottom + 34), what, INK, Align::Centre);
    }

    /// Horizontal gridlines from `left` to `right` with their labels.
    pub(super) fn beside(&self, axis: &Axis, (left, right): (i32, i32)) {
        for (y, label) in axis.ticks() {
            self.line(&[(left, y), (right, y)], GRID, 1);
            self.text((left - 8, y), &label, FAINT, Align::Right);
        }
    }

    /// Two cuts through a bar that goes on beyond its end at `x`.
    pub(super) fn broken(&self, x: i32, (top, bottom): (i32, i32)) {
        for shift in [16, 9] {
            self.line(&[(x - shift - 4, bottom), (x - shift + 4, top)], PAPER, 3);
        }
    }

    /// Names with samples of colour, in rows between `left` and `right` from `top` on.
    pub(super) fn legend<'n>(
        &self,
        entries: impl IntoIterator<Item = (&'n str, Sample)>,
        (left, right): (i32, i32),
        top: i32,
    ) {
        let (mut x, mut y) = (left, top);
        for (name, sample) in entries {
            let width = entry_width(name);
            if x > left && x + width > right {
                (x, y) = (left, y + 21);
            }
            match sample {
                Sample::Area(colour) => self.rectangle((x, y - 6), (x + 22, y + 6), colour),
                Sample::Line(look) => self.curve(&[(x, y), (x + 22, y)], look),
                Sample::Thin(colour) => self.line(&[(x, y), (x + 22, y)], colour, 1),
            }
            self.text((x + 29, y), name, INK, Align::Left);
            x += width;
        }
    }
}

/// What a legend shows beside a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sample {
    Area(Colour),
    Line(Look),
    /// A thin line.
    Thin(Colour),
}
