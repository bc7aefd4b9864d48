//! Real processes killed, real answers cut, a real server put back: what was lost.
//!
//! Minutes each in tier `full`, so the lines of a campaign are told on stderr as soon as it is over. No campaign cuts the
//! power, so with `TMPDIR` on a disk in memory they are as hard and much faster.

use xunge_tests::{cuts, kills, rollbacks};

use super::Tier;
use super::figure::{Figure, grouped};

const SEED: u64 = 20_231_101;

pub(crate) async fn measure(tier: Tier) -> Vec<Figure> {
    let mut figures = told(killed(tier.pick(60, 150, 1_000)));
    figures.extend(told(torn(tier.pick(300, 1_000, 10_000)).await));
    figures.extend(told(put_back(tier.pick(8, 20, 200)).await));
    figures
}

fn told(figures: Vec<Figure>) -> Vec<Figure> {
    figures.iter().for_each(|figure| eprintln!("{}", figure.row()));
    figures
}

fn killed(wanted: u64) -> Vec<Figure> {
    let killed = tokio::task::block_in_place(|| kills::run(8, wanted, SEED));
    let promise = |name, failed| Figure::promise(name, killed.phones + killed.servers, wanted, failed);
    let detail = format!("{} / {} / {}", killed.phones, killed.servers, killed.tally.saved);
    vec![
        promise("crash: SIGKILLs, saved reports lost", killed.tally.lost),
        promise("crash: SIGKILLs, cases too many or figures wrong", killed.tally.wrong),
        promise("crash: SIGKILLs, photos missing", killed.photos_missing),
        Figure::note("crash: SIGKILLs of phones / of the server / reports", detail),
    ]
}

async fn torn(wanted: u64) -> Vec<Figure> {
    let torn = cuts::run(40, wanted, SEED).await;
    let promise = |name, failed| Figure::promise(name, torn.cut, wanted, failed);
    vec![
        promise("crash: answers cut, duplicates or figures wrong", torn.tally.wrong),
        promise("crash: answers cut, saved reports lost", torn.tally.lost),
        promise("crash: answers cut, stuck phones", torn.stuck),
        promise("crash: answers cut, photos missing", torn.photos_missing),
        Figure::note("crash: answers cut, reports", grouped(torn.tally.saved)),
    ]
}

async fn put_back(wanted: u64) -> Vec<Figure> {
    let back = rollbacks::run(6, wanted, SEED).await;
    let promise = |name, failed| Figure::promise(name, back.rollbacks, wanted, failed);
    let detail = format!("{} / {}", back.tally.saved, back.oldest);
    vec![
        promise("crash: server rollbacks, reports lost", back.missing + back.tally.lost),
        promise("crash: server rollbacks, phones not healed within 2 contacts", back.slow),
        promise("crash: server rollbacks, decisions of the backup lost", back.decisions_lost),
        promise("crash: server rollbacks, cases too many or figures wrong", back.tally.wrong),
        promise("crash: server rollbacks, photos missing", back.photos_missing),
        Figure::note("crash: server rollbacks, reports / age of the oldest backup, rounds", detail),
    ]
}
