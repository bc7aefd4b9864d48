//! Two bars for each day of a month: self-handled beside forwarded.

use super::scale::Scale;
use super::{Anchor, Drawing};

/// One day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Day {
    /// Below the bars.
    pub(crate) label: String,
    /// In words, for the mouse.
    pub(crate) tip: String,
    /// Saturday or Sunday.
    pub(crate) weekend: bool,
    /// 自发自处.
    pub(crate) self_handled: i64,
    /// 平台流转.
    pub(crate) forwarded: i64,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 26.0;
const ID: &str = "days";

/// Draws a month.
pub(crate) fn days(title: &str, message: &str, legend: [&str; 2], days: &[Day]) -> String {
    let mut drawing = Drawing::new(ID, "chart", (WIDTH, HEIGHT), title, message);
    drawing.hatch(ID);
    let scale = Scale::up_to(days.iter().map(|day| day.self_handled.max(day.forwarded)).max().unwrap_or(0));
    let (ground, height) = (HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP);
    let step = (WIDTH - LEFT) / days.len().max(1) as f64;
    for (index, _) in days.iter().enumerate().filter(|(_, day)| day.weekend) {
        drawing.rect("weekend", (LEFT + index as f64 * step, TOP), (step, height));
    }
    for tick in &scale.ticks {
        let y = ground - scale.length(*tick, height);
        drawing.line(if *tick == 0 { "axis" } else { "rule" }, (LEFT, y), (WIDTH, y));
        drawing.text("tick", Anchor::End, (LEFT - 8.0, y + 4.0), tick);
    }
    let bar = (step * 0.38).min(13.0);
    for (index, day) in days.iter().enumerate() {
        let middle = LEFT + (index as f64 + 0.5) * step;
        drawing.open(&day.tip);
        let own = scale.length(day.self_handled, height);
        drawing.rect("self", (middle - bar - 0.5, ground - own), (bar, own));
        let forwarded = scale.length(day.forwarded, height);
        drawing.hatched(ID, (middle + 0.5, ground - forwarded), (bar, forwarded));
        drawing.text("tick", Anchor::Middle, (middle, HEIGHT - 8.0), &day.label);
        drawing.close();
    }
    drawing.legend(ID, legend, (LEFT, 16.0));
    drawing.finish()
}
