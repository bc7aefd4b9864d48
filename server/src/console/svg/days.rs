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

/// What a month is drawn on. A page has it on each; its style sheet shows the one that fits the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paper {
    id: &'static str,
    class: &'static str,
    width: f64,
    height: f64,
    /// Room for the numbers of the axis.
    left: f64,
    /// One day in so many has room for its label.
    labelled: usize,
}

impl Paper {
    /// A desk's screen, and a page of a printer.
    pub(crate) const BROAD: Self =
        Self { id: "days", class: "chart broad", width: 960.0, height: 260.0, left: 44.0, labelled: 1 };
    /// A phone in a hand: the whole month at once, nothing of it beside the screen.
    pub(crate) const SLIM: Self =
        Self { id: "days-slim", class: "chart slim", width: 360.0, height: 220.0, left: 34.0, labelled: 5 };
}

const TOP: f64 = 34.0;
const BOTTOM: f64 = 26.0;

/// Draws a month.
pub(crate) fn days(paper: Paper, title: &str, message: &str, legend: [&str; 2], days: &[Day]) -> String {
    let Paper { id, width, left, .. } = paper;
    let mut drawing = Drawing::new(id, paper.class, (width, paper.height), title, message);
    drawing.hatch(id);
    let scale = Scale::up_to(days.iter().map(|day| day.self_handled.max(day.forwarded)).max().unwrap_or(0));
    let (ground, height) = (paper.height - BOTTOM, paper.height - BOTTOM - TOP);
    let step = (width - left) / days.len().max(1) as f64;
    for (index, _) in days.iter().enumerate().filter(|(_, day)| day.weekend) {
        drawing.rect("weekend", (left + index as f64 * step, TOP), (step, height));
    }
    for tick in &scale.ticks {
        let y = ground - scale.length(*tick, height);
        drawing.line(if *tick == 0 { "axis" } else { "rule" }, (left, y), (width, y));
        drawing.text("tick", Anchor::End, (left - 8.0, y + 4.0), tick);
    }
    let bar = (step * 0.38).min(13.0);
    for (index, day) in days.iter().enumerate() {
        let middle = left + (index as f64 + 0.5) * step;
        drawing.open(&day.tip);
        let own = scale.length(day.self_handled, height);
        drawing.rect("self", (middle - bar - 0.5, ground - own), (bar, own));
        let forwarded = scale.length(day.forwarded, height);
        drawing.hatched(id, (middle + 0.5, ground - forwarded), (bar, forwarded));
        if index == 0 || (index + 1) % paper.labelled == 0 {
            drawing.text("tick", Anchor::Middle, (middle, paper.height - 8.0), &day.label);
        }
        drawing.close();
    }
    drawing.legend(id, legend, (left, 16.0));
    drawing.finish()
}
