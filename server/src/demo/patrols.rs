//! Who finds something when, and what: before anyone knows what becomes of it.

use std::collections::BTreeMap;

use xunge_client_core::model::{CategoryRef, Millis};

use super::calendar::{Calendar, ROUNDS};
use super::rng::Rng;
use super::staff::{PhonePlan, UnitShare};
use crate::reference::published::Published;
use crate::reference::taxonomy::{Category, Taxonomy};

const MINUTE: i64 = 60_000;

/// One case before anyone knows what it is about: who finds it and when.
pub(super) struct Patrol {
    /// Index of the unit among the shares.
    pub(super) share: usize,
    /// Index of the phone.
    pub(super) phone: usize,
    /// Round in which the phone syncs it.
    pub(super) round: usize,
    pub(super) discovered_at: Millis,
}

/// Spreads each unit's cases over its phones, its days, and the moments its phones are in coverage.
pub(super) fn patrols(rng: &mut Rng, calendar: &Calendar, shares: &[UnitShare], phones: &[PhonePlan]) -> Vec<Patrol> {
    let mut found: BTreeMap<(usize, usize, usize), usize> = BTreeMap::new();
    for (index, share) in shares.iter().enumerate() {
        let own: Vec<usize> =
            (0..phones.len()).filter(|phone| phones[*phone].user.unit.as_ref() == Some(&share.unit)).collect();
        for _ in 0..share.reported {
            *found.entry((calendar.draw_day(rng), *rng.pick(&own), index)).or_default() += 1;
        }
    }
    let mut patrols = Vec::new();
    for ((day, phone, share), cases) in found {
        let syncs = sync_rounds(rng, day, cases);
        for _ in 0..cases {
            let nth = rng.below(syncs.len());
            let round = syncs[nth];
            let discovered_at = discovered(rng, calendar, day, nth.checked_sub(1).map(|before| syncs[before]), round);
            patrols.push(Patrol { share, phone, round, discovered_at });
        }
    }
    patrols.sort_by_key(|patrol| (patrol.round, patrol.phone, patrol.discovered_at));
    patrols
}

/// When a phone syncs on a day: once, or at noon and in the late afternoon, or in the evening as well.
fn sync_rounds(rng: &mut Rng, day: usize, cases: usize) -> Vec<usize> {
    let windows: &[(usize, usize)] = match cases {
        0..=3 => &[(4, 20)],
        4..=9 => &[(4, 9), (15, 20)],
        _ => &[(4, 9), (15, 19), (20, 23)],
    };
    windows.iter().map(|(from, to)| day * ROUNDS + rng.between(*from, *to)).collect()
}

/// Minutes or hours before the sync; one in a hundred was found the evening before, out of coverage.
fn discovered(rng: &mut Rng, calendar: &Calendar, day: usize, before: Option<usize>, round: usize) -> Millis {
    let sync = calendar.at(round);
    let morning = sync.local_day().start().plus_ms(8 * 60 * MINUTE);
    if before.is_none() && day > 0 && rng.percent(1) {
        let evening = morning.plus_ms(-15 * 60 * MINUTE);
        return evening.plus_ms(rng.below(150) as i64 * MINUTE);
    }
    let from = before.map_or(morning, |before| calendar.at(before));
    let minutes = ((sync.0 - from.0) / MINUTE).max(8) as usize;
    sync.plus_ms(-(rng.between(7, minutes) as i64) * MINUTE)
}

/// One category for each case, in random order: the published counts, and the rest among the minors of majors that
/// the report does not itemise.
pub(super) fn categories(report: &Published, cases: usize, rng: &mut Rng) -> Vec<&'static Category> {
    let taxonomy = Taxonomy::builtin();
    let mut dealt: Vec<&Category> = report
        .minors()
        .flat_map(|row| {
            let category = taxonomy.get(&row.key).expect("published categories are in the tree");
            std::iter::repeat_n(category, row.count as usize)
        })
        .collect();
    let itemised: Vec<&CategoryRef> = report.majors().map(|row| &row.key).collect();
    let scheme = &itemised[0].scheme;
    let rest: Vec<&Category> = taxonomy
        .scheme(scheme)
        .filter(|category| {
            let major = taxonomy.major_of(&category.key).map(|major| &major.key);
            !category.is_major() && major.is_some_and(|major| !itemised.contains(&major))
        })
        .collect();
    let weights: Vec<usize> = rest.iter().map(|_| rng.between(60, 140)).collect();
    while dealt.len() < cases {
        dealt.push(rest[rng.weighted(&weights)]);
    }
    rng.shuffle(&mut dealt);
    dealt
}
