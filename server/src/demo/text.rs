//! Short Chinese texts of the demo, put together from [`super::phrases`].

use xunge_client_core::model::{CategoryRef, Millis, Mode};

use super::phrases::{
    COMPOUND_SPOTS, COMPOUNDS, FIXED, GENERAL, OPENINGS, PADDING, PASSED_ON, PHRASES, Phrases, REMARKS, ROAD_SPOTS,
    ROADS,
};
use super::rng::Rng;

/// Fewest and most characters of a description, as measured on real ones for the sync workload.
pub const DESCRIPTION_CHARS: std::ops::RangeInclusive<usize> = 45..=120;

/// What an inspector writes about one case.
pub(super) struct Words {
    /// Where, without the district.
    pub(super) spot: String,
    /// What is wrong and what follows.
    pub(super) description: String,
    /// What was or will be done about it: the handling note of whoever does it.
    pub(super) act: &'static str,
}

/// Writes a report of `category`, found at `at`, as its reporter claims it.
pub(super) fn words(rng: &mut Rng, category: &CategoryRef, claim: Mode, at: Millis) -> Words {
    let finding = rng.pick(&phrases_of(category).findings);
    let spot = spot(rng, category);
    let opening = rng.pick(&OPENINGS).replace("{}", time_of_day(at));
    let (detail, remark) = (rng.pick(&finding.details), rng.pick(&REMARKS));
    let ending = match claim {
        Mode::SelfHandled => rng.pick(&FIXED).replace("{}", finding.act),
        Mode::Forwarded => (*rng.pick(&PASSED_ON)).to_owned(),
    };
    let mut description = format!("{opening}{spot}，发现{}，{detail}，{remark}。{ending}", finding.problem);
    if description.chars().count() < *DESCRIPTION_CHARS.start() {
        description.push_str(PADDING);
    }
    Words { spot, description, act: finding.act }
}

fn phrases_of(category: &CategoryRef) -> &'static Phrases {
    PHRASES.iter().find(|phrases| phrases.code == category.code).unwrap_or(&GENERAL)
}

fn time_of_day(at: Millis) -> &'static str {
    match (at.0 - at.local_day().start().0) / 3_600_000 {
        0..=10 => "上午",
        11..=13 => "中午",
        14..=17 => "下午",
        _ => "傍晚",
    }
}

/// A place in a compound for 小区管理, along a road for the rest, with its numbers filled in.
fn spot(rng: &mut Rng, category: &CategoryRef) -> String {
    let (name, spot) = match category.code.starts_with("XX01") {
        true => (rng.pick(&COMPOUNDS), rng.pick(&COMPOUND_SPOTS)),
        false => (rng.pick(&ROADS), rng.pick(&ROAD_SPOTS)),
    };
    let mut text = (*name).to_owned();
    for letter in spot.chars() {
        match letter {
            '#' => text.push_str(&rng.between(1, 28).to_string()),
            '*' => text.push_str(&rng.between(1, 4).to_string()),
            _ => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::taxonomy::{Taxonomy, XIXIA};

    #[test]
    fn every_reportable_minor_has_words_of_its_own() {
        for category in Taxonomy::builtin().scheme(XIXIA).filter(|category| !category.is_major()) {
            assert_eq!(phrases_of(&category.key).code, category.key.code);
        }
        let other = "gb47678.5-2026:event:06010".parse().unwrap();
        assert_eq!(phrases_of(&other).code, "");
    }

    #[test]
    fn descriptions_have_the_length_of_real_ones() {
        let mut rng = Rng::new(3, "words");
        let mut total = 0;
        for round in 0..4_000 {
            let phrases = &PHRASES[round % PHRASES.len()];
            let category = format!("{XIXIA}:event:{}", phrases.code).parse().unwrap();
            for claim in [Mode::SelfHandled, Mode::Forwarded] {
                let words = words(&mut rng, &category, claim, Millis(1_698_800_000_000 + round as i64 * 900_000));
                let length = words.description.chars().count();
                assert!(DESCRIPTION_CHARS.contains(&length), "{length}: {}", words.description);
                assert!(!words.description.contains(['#', '*', '{']), "{}", words.description);
                total += length;
            }
        }
        assert!((60..90).contains(&(total / 8_000)), "{}", total / 8_000);
    }
}
