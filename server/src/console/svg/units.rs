//! One bar per unit: self-handled, then forwarded, then the number.

use super::scale::Scale;
use super::{Anchor, Drawing};

/// One unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bar {
    /// Its name.
    pub(crate) name: String,
    /// In words, for the mouse.
    pub(crate) tip: String,
    /// 自发自处.
    pub(crate) self_handled: i64,
    /// 平台流转.
    pub(crate) forwarded: i64,
}

const WIDTH: f64 = 960.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 70.0;
const TOP: f64 = 34.0;
const ROW: f64 = 26.0;
const ID: &str = "units";

/// Draws the units in the order given.
pub(crate) fn units(title: &str, message: &str, legend: [&str; 2], bars: &[Bar]) -> String {
    let height = TOP + ROW * bars.len() as f64 + 8.0;
    let mut drawing = Drawing::new(ID, "chart", (WIDTH, height), title, message);
    drawing.hatch(ID);
    let length = WIDTH - LEFT - RIGHT;
    let scale = Scale::up_to(bars.iter().map(|bar| bar.self_handled + bar.forwarded).max().unwrap_or(0));
    for tick in &scale.ticks {
        let x = LEFT + scale.length(*tick, length);
        drawing.line(if *tick == 0 { "axis" } else { "rule" }, (x, TOP - 6.0), (x, height - 6.0));
    }
    for (index, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * index as f64;
        drawing.open(&bar.tip);
        drawing.text("label", Anchor::End, (LEFT - 8.0, y + 14.0), &bar.name);
        let own = scale.length(bar.self_handled, length);
        let both = scale.length(bar.self_handled + bar.forwarded, length);
        drawing.rect("self", (LEFT, y + 2.0), (own, ROW - 8.0));
        drawing.hatched(ID, (LEFT + own, y + 2.0), (both - own, ROW - 8.0));
        drawing.text("figure", Anchor::Start, (LEFT + both + 7.0, y + 14.5), bar.self_handled + bar.forwarded);
        drawing.close();
    }
    drawing.legend(ID, legend, (LEFT, 16.0));
    drawing.finish()
}
