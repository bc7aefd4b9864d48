//! A sketch of the grid a report lies in, with its neighbours and the point. North is up.

use xunge_client_core::model::{Point, Polygon};

use super::view::View;
use super::{Anchor, Drawing};

/// What to draw.
#[derive(Debug)]
pub(crate) struct Sketch<'a> {
    /// The grid, if the point lies in one.
    pub(crate) own: Option<&'a Polygon>,
    /// Grids around it.
    pub(crate) others: Vec<&'a Polygon>,
    /// Where the phone says it was, in WGS-84.
    pub(crate) point: Point,
    /// Name of the grid.
    pub(crate) name: &'a str,
}

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 200.0;
const MARGIN: f64 = 24.0;

/// Draws it; the own grid, or the surroundings of the point, fills the picture.
pub(crate) fn sketch(title: &str, message: &str, sketch: &Sketch<'_>) -> String {
    let mut drawing = Drawing::new("map", "map", (WIDTH, HEIGHT), title, message);
    let mut seen: Vec<Point> = sketch.own.map(|own| own.0.clone()).unwrap_or_default();
    seen.push(sketch.point);
    let view = View::around(&seen, (WIDTH, HEIGHT), MARGIN);
    drawing.rect("ground", (0.0, 0.0), (WIDTH, HEIGHT));
    for polygon in &sketch.others {
        outline(&mut drawing, "other", polygon, &view);
    }
    if let Some(own) = sketch.own {
        outline(&mut drawing, "own", own, &view);
    }
    let (x, y) = view.place(sketch.point);
    drawing.put(format_args!("<circle class=\"halo\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"/>"));
    drawing.put(format_args!("<circle class=\"point\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>"));
    drawing.text("label", Anchor::Start, (8.0, HEIGHT - 8.0), sketch.name);
    drawing.text("north", Anchor::End, (WIDTH - 8.0, 18.0), "N ↑");
    drawing.finish()
}

fn outline(drawing: &mut Drawing, class: &str, polygon: &Polygon, view: &View) {
    drawing.put(format_args!("<polygon class=\"{class}\" points=\""));
    for point in &polygon.0 {
        let (x, y) = view.place(*point);
        drawing.put(format_args!("{x:.1},{y:.1} "));
    }
    drawing.put(format_args!("\"/>"));
}
