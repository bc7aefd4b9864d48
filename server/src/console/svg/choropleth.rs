//! A map of places, each the darker the more cases it has; cases themselves as points where few places are in view.

use xunge_client_core::model::{Point, Polygon};

use super::view::View;
use super::{Anchor, Drawing, Escaped};

/// A place.
#[derive(Debug)]
pub(crate) struct Area<'a> {
    /// Where it leads.
    pub(crate) href: String,
    /// In words.
    pub(crate) tip: String,
    /// How many.
    pub(crate) n: i64,
    /// Its outline, in WGS-84.
    pub(crate) polygon: &'a Polygon,
}

/// A case.
#[derive(Debug)]
pub(crate) struct Spot {
    /// Where it leads.
    pub(crate) href: String,
    /// In words.
    pub(crate) tip: String,
    /// 自发自处: a circle; else a square.
    pub(crate) self_handled: bool,
    /// A void of it may still be taken back: a ring around it.
    pub(crate) held: bool,
    /// Where it lies, in WGS-84.
    pub(crate) point: Point,
}

/// What lies under the map: the address of a tile by zoom, column and row.
pub(crate) type Ground<'a> = &'a dyn Fn(u32, [u32; 2]) -> String;

/// Words of the legend: for cases, for self-handled, for forwarded, for a void that may still be taken back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Legend<'a> {
    /// What is counted, with its unit.
    pub(crate) counted: &'a str,
    /// What a circle is.
    pub(crate) circle: &'a str,
    /// What a square is.
    pub(crate) square: &'a str,
    /// What a ring is; named where there is one.
    pub(crate) ring: &'a str,
}

/// How wide the map may be; a district that is taller than wide leaves no empty ground beside it, which a phone would
/// have to show.
const WIDTHS: (f64, f64) = (600.0, 960.0);
const HEIGHT: f64 = 640.0;
/// Room for the legend above the map: what is counted, and below that the shades.
const TOP: f64 = 62.0;
/// On a narrow screen words are drawn so much larger; they have room for that.
const LARGER: f64 = 1.6;
const MARGIN: f64 = 14.0;
/// Shades beside that of none.
const SHADES: i64 = 5;
/// Places that have room for their numbers.
const NUMBERED: usize = 40;
/// Widest tile: they come 256 pixels wide, and the map is seldom drawn larger than this.
const TILE: f64 = 300.0;

/// Draws the places, and the cases over them.
pub(crate) fn choropleth(
    (title, message): (&str, &str),
    legend: Legend<'_>,
    areas: &[Area<'_>],
    spots: &[Spot],
    ground: Option<Ground<'_>>,
) -> String {
    let corners: Vec<Point> = areas.iter().flat_map(|area| area.polygon.0.iter().copied()).collect();
    let width = View::fitting_width(&corners, WIDTHS, HEIGHT, MARGIN);
    let mut drawing = Drawing::new("grids", "chart grids", (width, HEIGHT + TOP), title, message);
    let view = View::around(&corners, (width, HEIGHT), MARGIN);
    let most = areas.iter().map(|area| area.n).max().unwrap_or_default();
    drawing.put(format_args!(
        "<defs><clipPath id=\"grids-clip\"><rect width=\"{width}\" height=\"{HEIGHT}\"/></clipPath></defs>\
         <g transform=\"translate(0 {TOP})\"><g clip-path=\"url(#grids-clip)\">"
    ));
    drawing.rect("ground", (0.0, 0.0), (width, HEIGHT));
    if let Some(address) = ground {
        for (zoom, tile, [x, y, width, height]) in view.tiles(TILE) {
            drawing.put(format_args!(
                "<image href=\"{}\" x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" \
                 preserveAspectRatio=\"none\"/>",
                Escaped(&address(zoom, tile))
            ));
        }
    }
    // What lies under a shade and on it has to be seen.
    let over = match (ground.is_some(), spots.is_empty()) {
        (_, false) => " near",
        (true, true) => " over",
        (false, true) => "",
    };
    for area in areas {
        link(&mut drawing, &area.href, &area.tip);
        drawing.put(format_args!("<polygon class=\"shade-{}{over}\" points=\"", shade(area.n, most)));
        for point in &area.polygon.0 {
            let (x, y) = view.place(*point);
            drawing.put(format_args!("{x:.1},{y:.1} "));
        }
        drawing.put(format_args!("\"/>"));
        if areas.len() <= NUMBERED
            && let Some([west, south, east, north]) = area.polygon.bounds()
        {
            let (x, y) = view.place(Point { lon_e6: (west + east) / 2, lat_e6: (south + north) / 2 });
            let dark = if shade(area.n, most) >= 4 && over.is_empty() { "figure light" } else { "figure halo" };
            drawing.text(dark, Anchor::Middle, (x, y + 5.0), area.n);
        }
        drawing.put(format_args!("</a>"));
    }
    for spot in spots {
        let (x, y) = view.place(spot.point);
        link(&mut drawing, &spot.href, &spot.tip);
        if spot.held {
            ring(&mut drawing, (x, y));
        }
        match spot.self_handled {
            true => drawing.put(format_args!("<circle class=\"spot self\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>")),
            false => drawing.rect("spot forwarded", (x - 4.5, y - 4.5), (9.0, 9.0)),
        }
        drawing.put(format_args!("</a>"));
    }
    drawing.put(format_args!("</g></g>"));
    key(&mut drawing, legend, most, spots);
    drawing.finish().replacen("role=\"img\"", "role=\"group\"", 1)
}

/// The mark of a void that may still be taken back: dashed, so that it is seen without its colour.
fn ring(drawing: &mut Drawing, (x, y): (f64, f64)) {
    drawing.put(format_args!("<circle class=\"ring\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"/>"));
}

/// Opens a link that a mouse finds; the keyboard has the same links in the table below.
fn link(drawing: &mut Drawing, href: &str, tip: &str) {
    let (href, tip) = (Escaped(href), Escaped(tip));
    drawing.put(format_args!("<a href=\"{href}\" tabindex=\"-1\" aria-label=\"{tip}\"><title>{tip}</title>"));
}

/// How dark a place is: 0 for none, then fifths of the most.
fn shade(n: i64, most: i64) -> i64 {
    if n <= 0 || most <= 0 { 0 } else { ((n * SHADES - 1) / most + 1).clamp(1, SHADES) }
}

/// The squares that say which shade is which number.
fn key(drawing: &mut Drawing, legend: Legend<'_>, most: i64, spots: &[Spot]) {
    let mut x = 8.0;
    let mut entry = |drawing: &mut Drawing, class: &str, words: &str| {
        drawing.rect(class, (x, 37.0), (16.0, 16.0));
        drawing.text("label", Anchor::Start, (x + 21.0, 50.5), words);
        x += 36.0 + LARGER * super::width_of(words);
    };
    let shades: Vec<i64> = (0..=SHADES).filter(|wanted| (0..=most).any(|n| shade(n, most) == *wanted)).collect();
    for wanted in shades {
        // The numbers of a shade: those between two fifths.
        let low = if wanted == 0 { 0 } else { (most * (wanted - 1)) / SHADES + 1 };
        let high = if wanted == 0 { 0 } else { (most * wanted) / SHADES };
        let words = if low >= high { low.to_string() } else { format!("{low}–{high}") };
        entry(drawing, &format!("shade-{wanted}"), &words);
    }
    drawing.text("label", Anchor::Start, (8.0, 22.0), legend.counted);
    if !spots.is_empty() {
        let y = TOP + HEIGHT - 12.0;
        drawing.put(format_args!("<circle class=\"spot self\" cx=\"16\" cy=\"{:.1}\" r=\"5\"/>", y - 4.0));
        drawing.text("label halo", Anchor::Start, (26.0, y), legend.circle);
        let next = 46.0 + LARGER * super::width_of(legend.circle);
        drawing.rect("spot forwarded", (next, y - 8.5), (9.0, 9.0));
        drawing.text("label halo", Anchor::Start, (next + 15.0, y), legend.square);
        if spots.iter().any(|spot| spot.held) {
            // A line of its own: the words are long, and larger on a narrow screen.
            ring(drawing, (16.0, y - 28.0));
            drawing.text("label halo", Anchor::Start, (32.0, y - 24.0), legend.ring);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_are_fifths_and_the_legend_names_exactly_their_numbers() {
        for most in 1..60 {
            let shades: Vec<i64> = (0..=most).map(|n| shade(n, most)).collect();
            assert!(shades.is_sorted() && shades[0] == 0 && shades[most as usize] == SHADES, "{most}: {shades:?}");
            for wanted in 1..=SHADES {
                let (low, high) = ((most * (wanted - 1)) / SHADES + 1, (most * wanted) / SHADES);
                for n in 1..=most {
                    assert_eq!((low..=high).contains(&n), shade(n, most) == wanted, "{n} of {most}");
                }
            }
        }
    }

    #[test]
    fn every_place_and_case_is_a_link_with_words_and_tiles_lie_under_them() {
        let corner = |lon: i32, lat: i32| Point { lon_e6: 106_000_000 + lon, lat_e6: 38_400_000 + lat };
        let polygon = Polygon(vec![corner(0, 0), corner(9_000, 0), corner(9_000, 9_000), corner(0, 9_000)]);
        let area = Area { href: "/map?place=1".into(), tip: "一 & 二".into(), n: 7, polygon: &polygon };
        let spot =
            Spot { href: "/cases/1".into(), tip: "案".into(), self_handled: false, held: true, point: corner(3, 3) };
        let legend = Legend { counted: "件", circle: "自处", square: "流转", ring: "可撤回" };
        let address = |zoom: u32, [x, y]: [u32; 2]| format!("/tiles/{zoom}/{x}/{y}");
        let drawn = choropleth(("名", "说"), legend, &[area], &[spot], Some(&address));
        assert_eq!(drawn.matches("<a href=").count(), 2);
        assert_eq!(drawn.matches("</a>").count(), 2);
        assert!(drawn.contains("aria-label=\"一 &amp; 二\"") && drawn.contains(">7</text>"), "{drawn}");
        let (tile, area) = (drawn.find("<image href=\"/tiles/").unwrap(), drawn.find("<polygon").unwrap());
        assert!(tile < area);
        assert!(drawn.matches("class=\"ring\"").count() == 2 && drawn.contains(">可撤回</text>"), "and in the legend");
    }
}
