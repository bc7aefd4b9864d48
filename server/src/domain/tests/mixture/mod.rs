//! Random districts: phones that lose answers and offices that decide, in any order, over weeks.
//!
//! Whatever happens, everything recounts from the ledger, every queue drains, and every phone ends up showing what the
//! server has. A seed that fails names itself; `XUNGE_SEED=<n>` runs that one alone, `XUNGE_SEEDS=<n>` runs more.

mod acts;
mod dice;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{CaseId, Facts, Mode, Remark, Ulid};

use self::dice::Dice;
use super::agreement::{deadlines_agree, figures_agree, phone_agrees};
use super::born_at_the_office;
use crate::domain::feed::page::Size;
use crate::testing::{District, Phone, facts};

/// Districts of one run of the tests.
const SEEDS: u64 = 200;
/// Things that happen in one district.
const STEPS: usize = 60;
/// Phones in one district.
const PHONES: usize = 7;

#[test]
fn after_any_mixture_everything_recounts_and_every_phone_shows_what_the_server_has() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, end) = match number("XUNGE_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, number("XUNGE_SEEDS").unwrap_or(SEEDS)),
    };
    let next = AtomicU64::new(first);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            if let Err(failed) = catch_unwind(AssertUnwindSafe(|| run(seed))) {
                let text =
                    failed.downcast_ref::<String>().cloned().or(failed.downcast_ref().map(|it: &&str| it.to_string()));
                panic!(
                    "XUNGE_SEED={seed} cargo test --release -p xunge-server --lib mixture: {}",
                    text.unwrap_or_default()
                );
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
}

fn run(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(one_district(seed));
}

async fn one_district(seed: u64) {
    let mut dice = Dice::new(seed);
    let mut district = District::new().await;
    // Small pages, so that they end anywhere: between two rows of a case, in the middle of a snapshot.
    district.desk.services.feed_page =
        dice.pick(&[Size { bytes: 600, rows: 3 }, Size { bytes: 5_000, rows: 9 }, Size::default()]);
    let users = district.inspectors().await;
    let mut phones = Vec::new();
    for _ in 0..3 {
        phones.push(district.phone(&users[dice.roll(5)]).await);
    }
    for _ in 0..STEPS {
        step(&district, &mut dice, &mut phones, &users).await;
    }
    // What one phone brings late is news for the others.
    for _ in 0..2 {
        for phone in &mut phones {
            phone.drain(&district).await;
        }
    }
    for phone in &mut phones {
        let idle = phone.sync(&district).await;
        assert!(idle.feed.is_empty() && idle.gone.is_empty(), "{} is told the same again: {idle:?}", phone.user);
        phone_agrees(&district, phone).await;
    }
    let report = district.verify().await;
    assert!(report.ok, "{:?}", report.differences);
    assert!(report.checked["events"] >= report.checked["cases"]);
    figures_agree(&district, dice.roll(3)).await;
    deadlines_agree(&district).await;
}

/// One random thing that happens in a district.
async fn step(district: &District, dice: &mut Dice, phones: &mut Vec<Phone>, users: &[String]) {
    let at = dice.roll(phones.len());
    match dice.roll(20) {
        0 => {
            born_at_the_office::take(district, born_at_the_office::call(district)).await;
        }
        1..=4 => {
            let mode = dice.pick(&[Mode::Forwarded, Mode::SelfHandled]);
            phones[at].report(&facts(district.fresh(), mode, district.now()));
        }
        5 | 6 => edit(district, dice, &mut phones[at]),
        7 | 8 => acts::ask(district, dice, phones, at).await,
        9 => district.advance_days(if dice.roll(8) == 0 { 64 } else { dice.roll(5) as i64 }),
        10 if phones.len() < PHONES => phones.push(district.phone(&users[dice.roll(5)]).await),
        10..=13 => sync(district, dice, &mut phones[at]).await,
        _ => acts::decide(district, dice, phones).await,
    }
}

/// An edit of any case on the phone: a register, or an entry that even an ended case takes.
fn edit(district: &District, dice: &mut Dice, phone: &mut Phone) {
    let cases: Vec<CaseId> = phone.cases.keys().copied().collect();
    if cases.is_empty() {
        return;
    }
    let number = district.fresh();
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.to_be_bytes());
    let key = Facts::remark_key(Ulid::from_parts(district.now(), random));
    let remark = Remark { text: format!("note {number}"), at: district.now() };
    let edit = match dice.roll(5) {
        0 => Edit::AddRemark(key, remark),
        1 => Edit::AddSupplement(key, remark),
        2 => Edit::LocationText(format!("by gate {number}")),
        _ => Edit::Description(format!("edit {number}")),
    };
    phone.edit(dice.pick(&cases), &[edit]);
}

/// One request, whose answer is lost one time in three.
async fn sync(district: &District, dice: &mut Dice, phone: &mut Phone) {
    let up = phone.up(district.now());
    let down = phone.send(district, &up).await.unwrap();
    if dice.roll(3) > 0 {
        phone.take(&up, &down);
    }
}
