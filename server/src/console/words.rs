//! Times, ages, numbers and coordinates as people read them.

use xunge_client_core::model::{LocalDay, LocalMonth, Millis, Point};

use super::lang::Lang;
use crate::domain::cases::PhotoCount;

/// `11-03 09:12`, with the year if it is not `now`'s.
pub(crate) fn when(at: Millis, now: Millis) -> String {
    let text = at.local_text();
    if at.local_day().civil().0 == now.local_day().civil().0 { text[5..].to_owned() } else { text }
}

/// For `<time datetime>`, Asia/Shanghai.
pub(crate) fn iso(at: Millis) -> String {
    format!("{}:00+08:00", at.local_text().replace(' ', "T"))
}

/// How long, in its largest unit.
pub(crate) fn age(lang: Lang, ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    let (key, n) = match minutes {
        0 => return lang.say("age.now").to_owned(),
        1..120 => ("age.minutes", minutes),
        120..2_880 => ("age.hours", minutes / 60),
        _ => ("age.days", minutes / 1_440),
    };
    lang.fill(key, &[("n", &n.to_string())])
}

/// How long ago.
pub(crate) fn ago(lang: Lang, at: Millis, now: Millis) -> String {
    let ms = now.0.saturating_sub(at.0);
    match age(lang, ms) {
        text if ms < 60_000 => text,
        text => lang.fill("age.ago", &[("age", &text)]),
    }
}

/// `2023 年 11 月`.
pub(crate) fn month(lang: Lang, month: LocalMonth) -> String {
    let (y, m, _) = month.first().civil();
    lang.fill("overview.month_name", &[("y", &y.to_string()), ("m", &m.to_string())])
}

/// `11 月 3 日`.
pub(crate) fn day(lang: Lang, day: LocalDay) -> String {
    let (_, m, d) = day.civil();
    lang.fill("overview.day_name", &[("m", &m.to_string()), ("d", &d.to_string())])
}

/// `106.131940, 38.494160`: longitude first, as the trade writes it.
pub(crate) fn point(point: Point) -> String {
    let degrees = |e6: i32| {
        let sign = if e6 < 0 { "-" } else { "" };
        format!("{sign}{}.{:06}", e6.unsigned_abs() / 1_000_000, e6.unsigned_abs() % 1_000_000)
    };
    format!("{}, {}", degrees(point.lon_e6), degrees(point.lat_e6))
}

/// The first line of what was written, cut after so many characters.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// `照片 2 / 3 张已到`.
pub(crate) fn photos(lang: Lang, count: PhotoCount) -> String {
    let counts = [count.present, count.expected].map(|n| n.to_string());
    lang.fill("case.photos_present", &[("present", &counts[0]), ("expected", &counts[1])])
}

/// A change in percent with its sign: `+57.34%`, `−4.43%`.
pub(crate) fn change(percent: &str) -> String {
    match percent.strip_prefix('-') {
        Some(size) => format!("\u{2212}{size}%"),
        None if percent.bytes().all(|byte| matches!(byte, b'0' | b'.')) => format!("{percent}%"),
        None => format!("+{percent}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_show_the_year_only_when_it_is_another() {
        let now = LocalDay::new(2023, 12, 1).unwrap().start();
        assert_eq!(when(now.plus_ms(-60_000), now), "11-30 23:59");
        assert_eq!(when(LocalDay::new(2022, 12, 31).unwrap().start(), now), "2022-12-31 00:00");
        assert_eq!(iso(now), "2023-12-01T00:00:00+08:00");
    }

    #[test]
    fn ages_are_told_in_their_largest_unit() {
        for (ms, expected) in [
            (-5, "刚才"),
            (59_999, "刚才"),
            (60_000, "1 分钟"),
            (7_140_000, "119 分钟"),
            (7_200_000, "2 小时"),
            (172_799_999, "47 小时"),
            (172_800_000, "2 天"),
        ] {
            assert_eq!(age(Lang::Zh, ms), expected, "{ms}");
        }
        assert_eq!(ago(Lang::En, Millis(0), Millis(3_600_000)), "60 min ago");
        assert_eq!(ago(Lang::Zh, Millis(0), Millis(1)), "刚才");
    }

    #[test]
    fn coordinates_keep_their_sign_and_their_zeros() {
        assert_eq!(point(Point { lon_e6: 106_131_940, lat_e6: 38_004_160 }), "106.131940, 38.004160");
        assert_eq!(point(Point { lon_e6: -5, lat_e6: 0 }), "-0.000005, 0.000000");
    }

    #[test]
    fn changes_have_a_sign_unless_nothing_changed() {
        assert_eq!([change("57.34"), change("-4.43"), change("0.00")], ["+57.34%", "−4.43%", "0.00%"]);
    }
}
