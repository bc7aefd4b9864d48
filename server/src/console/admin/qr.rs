//! A code for a camera (二维码), drawn as one path.

use std::fmt::Write;

use qrcode::{Color, QrCode};

/// Modules of quiet around the code, as the standard asks.
const QUIET: usize = 4;

/// The code as an SVG with its name; empty for a text no code can hold.
pub(super) fn svg(text: &str, name: &str) -> String {
    let Ok(code) = QrCode::new(text) else { return String::new() };
    let width = code.width();
    let mut path = String::new();
    for (index, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (index % width + QUIET, index / width + QUIET);
            write!(path, "M{x} {y}h1v1h-1z").expect("writing to a String does not fail");
        }
    }
    let side = width + 2 * QUIET;
    let name = name.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    format!(
        "<svg class=\"qr\" role=\"img\" aria-label=\"{name}\" viewBox=\"0 0 {side} {side}\"><path d=\"{path}\"></path></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_finders_and_its_quiet_border() {
        let drawn = svg("xunge://enrol?code=AAAA&server=https://grid.example", "二维码 \"1\"");
        assert!(
            drawn.contains("M4 4h1v1h-1z") && !drawn.contains("M3 "),
            "the first finder begins behind four modules"
        );
        assert!(drawn.contains("aria-label=\"二维码 &quot;1&quot;\""));
        assert_eq!(svg(&"x".repeat(5_000), "x"), "", "more than a code can hold");
    }
}
