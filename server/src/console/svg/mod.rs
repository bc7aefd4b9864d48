//! Pictures drawn as SVG text: charts of the overview, the map of its grids, and the sketch of one grid.
//!
//! No script and no inline style (the content policy forbids both): colours come from classes in `console.css`, so
//! they follow print and high contrast. Every chart tells its message in its `<desc>` and has its table below it.
//! Self-handled and forwarded differ by pattern as well as by colour: pages are printed in black and white.

mod choropleth;
mod days;
mod map;
mod scale;
mod strip;
mod units;
mod view;

pub(crate) use choropleth::{Area, Legend, Spot, choropleth};
pub(crate) use days::{Day, Paper, days};
pub(crate) use map::{Sketch, sketch};
pub(crate) use strip::{Part, strip};
pub(crate) use units::{Bar, units};

use std::fmt::{self, Write as _};

/// A drawing under way.
#[derive(Debug)]
struct Drawing(String);

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy)]
enum Anchor {
    Start,
    Middle,
    End,
}

impl Drawing {
    /// Begins a picture of `width` x `height` units with its name and its message in words.
    fn new(id: &str, class: &str, (width, height): (f64, f64), title: &str, message: &str) -> Self {
        let mut drawing = Self(String::with_capacity(8_192));
        drawing.put(format_args!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" \
             xmlns=\"http://www.w3.org/2000/svg\"><title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
            Escaped(title),
            Escaped(message),
        ));
        drawing
    }

    /// The hatching that marks forwarded cases.
    fn hatch(&mut self, id: &str) {
        self.put(format_args!(
            "<defs><pattern id=\"{id}-hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect class=\"forwarded-back\" width=\"5\" height=\"5\"/>\
             <rect class=\"forwarded-line\" width=\"2.4\" height=\"5\"/></pattern></defs>"
        ));
    }

    fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        ));
    }

    /// A bar of forwarded cases.
    fn hatched(&mut self, id: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        self.put(format_args!(
            "<rect class=\"forwarded\" fill=\"url(#{id}-hatch)\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\"/>"
        ));
    }

    fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.put(format_args!("<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"));
    }

    fn text(&mut self, class: &str, anchor: Anchor, (x, y): (f64, f64), text: impl fmt::Display) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.put(format_args!(
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
            Escaped(&text.to_string())
        ));
    }

    /// Begins a group whose words show when the mouse rests on it.
    fn open(&mut self, tip: &str) {
        self.put(format_args!("<g><title>{}</title>", Escaped(tip)));
    }

    fn close(&mut self) {
        self.0.push_str("</g>");
    }

    /// The two squares that say which bar is which, beginning at `at`.
    fn legend(&mut self, id: &str, [first, second]: [&str; 2], (x, y): (f64, f64)) {
        self.rect("self", (x, y - 10.0), (14.0, 11.0));
        self.text("label", Anchor::Start, (x + 20.0, y), first);
        let next = x + 40.0 + width_of(first);
        self.hatched(id, (next, y - 10.0), (14.0, 11.0));
        self.text("label", Anchor::Start, (next + 20.0, y), second);
    }

    fn finish(mut self) -> String {
        self.0.push_str("</svg>");
        self.0
    }

    fn put(&mut self, text: fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("writing to a String does not fail");
    }
}

/// Roughly how wide a label is: a Chinese character takes twice what a Latin one does.
fn width_of(text: &str) -> f64 {
    text.chars().map(|c| if c.is_ascii() { 7.0 } else { 13.0 }).sum()
}

/// Text between tags or in an attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                // Control characters are not allowed in SVG, not even escaped.
                c if c.is_control() => out.write_char(' ')?,
                c => out.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "../tests/svg.rs"]
mod tests;
