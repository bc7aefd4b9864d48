use xunge_client_core::model::{Point, Polygon};

use super::*;

/// Elements in order, after checking that every tag is closed and every attribute quoted.
fn elements(svg: &str) -> Vec<String> {
    let mut open = Vec::new();
    let mut seen = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "in {svg}");
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert!(!tag.contains("style="), "the content policy forbids inline styles: {tag}");
        assert!(!tag.contains("NaN") && !tag.contains("inf"), "{tag}");
        let name = tag.split_whitespace().next().unwrap().to_owned();
        if !tag.ends_with('/') {
            open.push(name.clone());
        }
        seen.push(tag.to_owned());
    }
    assert!(open.is_empty(), "{open:?} stay open");
    seen
}

fn number(tag: &str, name: &str) -> f64 {
    let (_, rest) = tag.split_once(&format!(" {name}=\"")).unwrap();
    rest.split_once('"').unwrap().0.parse().unwrap()
}

fn bars(svg: &str, class: &str) -> Vec<String> {
    let marks = format!("rect class=\"{class}\"");
    // The last one is the legend's.
    let mut found: Vec<_> = elements(svg).into_iter().filter(|tag| tag.starts_with(&marks)).collect();
    found.pop();
    found
}

fn day(n: i64, forwarded: i64) -> Day {
    Day { label: n.to_string(), tip: format!("{n} & <b>"), weekend: n % 7 == 4, self_handled: n * 10, forwarded }
}

#[test]
fn bars_of_a_month_are_as_high_as_their_numbers() {
    let svg =
        days(Paper::BROAD, "标题", "说明", ["自发自处", "平台流转"], &(1..=30).map(|n| day(n, n)).collect::<Vec<_>>());
    let (own, forwarded) = (bars(&svg, "self"), bars(&svg, "forwarded"));
    assert_eq!((own.len(), forwarded.len()), (30, 30));
    let unit = number(&own[29], "height") / 300.0;
    for (index, (own, forwarded)) in own.iter().zip(&forwarded).enumerate() {
        let n = (index + 1) as f64;
        assert!((number(own, "height") - unit * n * 10.0).abs() < 0.11, "{own}");
        assert!((number(forwarded, "height") - unit * n).abs() < 0.11, "{forwarded}");
        assert!(number(own, "x") + number(own, "width") <= number(forwarded, "x"));
    }
    assert_eq!(svg.matches("class=\"weekend\"").count(), 4);
}

#[test]
fn a_month_is_drawn_whole_on_a_phone_s_screen_too_with_room_for_its_labels() {
    let month: Vec<Day> = (1..=31).map(|n| day(n, n)).collect();
    let [broad, slim] = [Paper::BROAD, Paper::SLIM].map(|paper| days(paper, "t", "m", ["a", "b"], &month));
    for svg in [&broad, &slim] {
        assert_eq!((bars(svg, "self").len(), bars(svg, "forwarded").len()), (31, 31));
    }
    assert!(bars(&slim, "forwarded").iter().all(|bar| number(bar, "x") + number(bar, "width") <= 360.0));
    let labels = |svg: &str| (1..=31).filter(|n| svg.contains(&format!("y=\"212.0\">{n}</text>"))).collect::<Vec<_>>();
    assert_eq!(labels(&slim), [1, 5, 10, 15, 20, 25, 30]);
    // Both stand in one page: no name is given twice.
    assert!(slim.contains("id=\"days-slim-title\"") && slim.contains("url(#days-slim-hatch)"));
    assert!(broad.contains("id=\"days-title\"") && !slim.contains("id=\"days-title\""));
}

#[test]
fn a_month_without_a_single_report_is_an_empty_chart_with_its_axis() {
    for list in [vec![], vec![day(0, 0); 30]] {
        let svg = days(Paper::BROAD, "t", "m", ["a", "b"], &list);
        assert!(bars(&svg, "self").iter().all(|bar| number(bar, "height") == 0.0));
        assert!(svg.contains("class=\"axis\""));
    }
    elements(&units("t", "m", ["a", "b"], &[]));
}

#[test]
fn words_in_a_chart_are_text_and_never_markup() {
    let svg = days(Paper::BROAD, "<script>\"'&", "\u{7}]]>", ["<a>", "</svg>"], &[day(1, 1)]);
    let seen = elements(&svg);
    assert!(!seen.iter().any(|tag| tag.starts_with("script") || tag.starts_with("b") || tag == "a"));
    assert!(svg.contains("&lt;script&gt;&quot;&#39;&amp;") && !svg.contains('\u{7}'));
}

#[test]
fn a_unit_s_bar_is_its_two_parts_end_to_end() {
    let bar = |own, forwarded| Bar { name: "镇".into(), tip: String::new(), self_handled: own, forwarded };
    let svg = units("t", "m", ["a", "b"], &[bar(70, 30), bar(0, 50), bar(0, 0)]);
    let (own, forwarded) = (bars(&svg, "self"), bars(&svg, "forwarded"));
    let whole = number(&own[0], "width") + number(&forwarded[0], "width");
    assert!((number(&own[0], "width") / whole - 0.7).abs() < 0.01);
    assert!((number(&forwarded[1], "width") / whole - 0.5).abs() < 0.01);
    assert_eq!(number(&forwarded[2], "width"), 0.0);
    assert!(svg.contains(">100</text>"));
}

#[test]
fn a_strip_shows_every_part_that_is_there_and_fills_its_width() {
    let parts = [("self", 7_390), ("void", 1), ("pending", 0)].map(|(class, n)| Part { class, n });
    let svg = strip("s", "t", "m", &parts);
    let rects: Vec<_> = elements(&svg).into_iter().filter(|tag| tag.starts_with("rect")).collect();
    assert_eq!(rects.len(), 3, "the ground and two parts");
    assert!(number(&rects[2], "width") >= 3.0, "one void report of thousands is seen");
    assert!((number(&rects[2], "x") + number(&rects[2], "width") - 999.0).abs() < 0.2);
    elements(&strip("s", "t", "m", &[]));
}

#[test]
fn the_sketch_keeps_north_up_and_the_grid_inside() {
    let ring = |w, s, e, n| {
        Polygon([(w, s), (e, s), (e, n), (w, n)].into_iter().map(|(lon_e6, lat_e6)| Point { lon_e6, lat_e6 }).collect())
    };
    let (own, other) = (ring(0, 0, 10_000, 10_000), ring(10_000, 0, 20_000, 10_000));
    let point = Point { lon_e6: 2_000, lat_e6: 8_000 };
    let svg = sketch("t", "m", &Sketch { own: Some(&own), others: vec![&other], point, name: "一格" });
    let seen = elements(&svg);
    let dot = seen.iter().find(|tag| tag.contains("class=\"point\"")).unwrap();
    assert!(number(dot, "cx") < WIDTH / 2.0 && number(dot, "cy") < HEIGHT / 2.0, "north-west: {dot}");
    elements(&sketch("t", "m", &Sketch { own: None, others: vec![], point, name: "" }));
    const WIDTH: f64 = 320.0;
    const HEIGHT: f64 = 200.0;
}
