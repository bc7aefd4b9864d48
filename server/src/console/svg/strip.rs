//! A thin strip that shows how a whole is made of its parts.

use super::Drawing;

/// One part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Class of its colour.
    pub(crate) class: &'static str,
    /// How many.
    pub(crate) n: i64,
}

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 10.0;
/// A part that is there is seen, however small: 8 pending of 8,000 are the news.
const LEAST: f64 = 4.0;

/// Draws the parts side by side over the whole width; an empty whole is an empty strip.
pub(crate) fn strip(id: &str, title: &str, message: &str, parts: &[Part]) -> String {
    let mut drawing = Drawing::new(id, "strip", (WIDTH, HEIGHT), title, message);
    drawing.rect("empty", (0.0, 0.0), (WIDTH, HEIGHT));
    let there: Vec<&Part> = parts.iter().filter(|part| part.n > 0).collect();
    let whole: i64 = there.iter().map(|part| part.n).sum();
    let spare = WIDTH - LEAST * there.len() as f64;
    let mut x = 0.0;
    for part in there {
        let width = LEAST + spare * part.n as f64 / whole as f64;
        drawing.rect(part.class, (x, 0.0), ((width - 1.0).max(1.0), HEIGHT));
        x += width;
    }
    let text = drawing.finish();
    text.replacen("role=\"img\"", "preserveAspectRatio=\"none\" role=\"img\"", 1)
}
