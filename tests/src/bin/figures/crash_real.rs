//! Real processes killed, real answers cut, a real server put back: what was lost.

use xunge_tests::{cuts, kills, rollbacks};

use super::Tier;
use super::figure::{Figure, grouped};

/// Phones of each campaign.
const PHONES: usize = 8;
const TORN_PHONES: usize = 40;
const SEED: u64 = 20_231_101;

pub(crate) async fn measure(tier: Tier) -> Vec<Figure> {
    let mut figures = vec![];
    let wanted = tier.pick(60, 150, 1_000);
    let killed = tokio::task::block_in_place(|| kills::run(PHONES, wanted, SEED));
    let all = killed.phones + killed.servers;
    figures.extend([
        Figure::promise("crash: SIGKILLs after which a saved report was lost", all, wanted, killed.tally.lost),
        Figure::promise("crash: SIGKILLs, cases too many or figures wrong", all, wanted, killed.tally.wrong),
        Figure::promise("crash: SIGKILLs, photos missing", all, wanted, killed.photos_missing),
        Figure::note("crash: SIGKILLs of phones / of the server / reports", {
            format!("{} / {} / {}", killed.phones, killed.servers, killed.tally.saved)
        }),
    ]);

    let wanted = tier.pick(300, 1_000, 10_000);
    let torn = cuts::run(TORN_PHONES, wanted, SEED).await;
    figures.extend([
        Figure::promise("crash: answers cut, duplicates or figures wrong", torn.cut, wanted, torn.tally.wrong),
        Figure::promise("crash: answers cut, saved reports lost", torn.cut, wanted, torn.tally.lost),
        Figure::promise(
            "crash: answers cut, stuck phones or missing photos",
            torn.cut,
            wanted,
            torn.stuck + torn.photos_missing,
        ),
        Figure::note("crash: answers cut, reports", grouped(torn.tally.saved)),
    ]);

    let wanted = tier.pick(8, 20, 200);
    let back = rollbacks::run(PHONES, wanted, SEED).await;
    let (reports, decisions) = (back.missing + back.tally.lost, back.decisions_lost);
    figures.extend([
        Figure::promise("crash: server rollbacks, reports lost", back.rollbacks, wanted, reports),
        Figure::promise(
            "crash: server rollbacks, phones not healed within 2 contacts",
            back.rollbacks,
            wanted,
            back.slow,
        ),
        Figure::promise("crash: server rollbacks, decisions of the backup lost", back.rollbacks, wanted, decisions),
        Figure::promise(
            "crash: server rollbacks, cases too many or figures wrong",
            back.rollbacks,
            wanted,
            back.tally.wrong,
        ),
        Figure::promise("crash: server rollbacks, photos missing", back.rollbacks, wanted, back.photos_missing),
        Figure::note("crash: server rollbacks, reports / oldest backup, rounds", {
            format!("{} / {}", back.tally.saved, back.oldest)
        }),
    ]);
    figures
}
