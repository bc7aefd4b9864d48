//! The order of a review queue.

use xunge_client_core::model::Mode;
use xunge_client_core::workflow::State;

use super::*;
use crate::domain::cases::Order;
use crate::testing::{DISTRICT, District, LITTER, facts};

/// An hour of work for every review, a quarter of it for one category.
fn timetable() -> Timetable {
    let limits = "clock,category,level,org,value,unit\nreview,,,,60,work_minute\nreview,xixia-2023:event:XX0202,,,15,work_minute\n";
    Timetable::of(&[], None, Some(("limits.csv", limits))).unwrap()
}

async fn read(district: &District) -> Queue {
    read_without(district, &[]).await
}

async fn read_without(district: &District, out: &[CaseId]) -> Queue {
    let out: BTreeSet<CaseId> = out.iter().copied().collect();
    let (directory, now) = (district.directory().await, district.now());
    let found = district.desk.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let scope = Scope::below(&DISTRICT.parse().unwrap(), &directory);
            let filter = Filter { states: vec![State::Reported], order: Order::OldestFirst, ..Filter::default() };
            let (timetable, filter, out) = (&timetable(), &filter, &out);
            let directory = &directory;
            queue(tx, &Ask { scope: &scope, district: DISTRICT, filter, out, timetable, directory, now }).await
        })
    });
    found.await.unwrap()
}

/// Reports of these categories, a minute apart.
async fn reported(district: &District, categories: &[&str]) -> Vec<CaseId> {
    let mut phone = district.phone("insp-ninghua-1").await;
    let mut cases = Vec::new();
    for category in categories {
        let mut seen = facts(district.fresh(), Mode::Forwarded, district.now());
        seen.category_claim = Some(category.parse::<CategoryRef>().unwrap());
        cases.push(phone.report(&seen));
        phone.drain(district).await;
        district.desk.services.business.advance(60_000);
    }
    cases
}

fn ids(cases: &[Waiting]) -> Vec<CaseId> {
    cases.iter().map(|it| it.item.id).collect()
}

#[tokio::test]
async fn what_is_overdue_comes_first_and_the_rest_by_receipt() {
    let district = District::new().await;
    let quick = "xixia-2023:event:XX0202";
    let cases = reported(&district, &[LITTER, LITTER, quick, LITTER, quick]).await;
    let queue = read(&district).await;
    assert_eq!((ids(&queue.cases), queue.overdue), (cases.clone(), 0), "while there is time");
    assert_eq!(queue.oldest(), Some(Millis(queue.cases[0].item.received_at)));
    district.desk.services.business.advance(20 * 60_000);
    let queue = read(&district).await;
    assert_eq!(queue.overdue, 2);
    assert_eq!(ids(&queue.cases), [cases[2], cases[4], cases[0], cases[1], cases[3]]);
    assert_eq!(queue.oldest(), Some(Millis(queue.cases[2].item.received_at)), "not the first in line");
    district.desk.services.business.advance(60 * 60_000);
    assert_eq!(read(&district).await.overdue, 5);
}

#[tokio::test]
async fn whoever_passes_over_a_case_goes_on_behind_it_even_if_it_is_gone() {
    let district = District::new().await;
    let quick = "xixia-2023:event:XX0202";
    let cases = reported(&district, &[LITTER, quick, LITTER, LITTER]).await;
    district.desk.services.business.advance(20 * 60_000);
    let queue = read(&district).await;
    let place = |case: CaseId| queue.cases.iter().find(|it| it.item.id == case).map(|it| it.item.cursor());
    let behind = |queue: &Queue, case: CaseId| ids(queue.behind(place(case)));
    assert_eq!(ids(queue.behind(None)), [cases[1], cases[0], cases[2], cases[3]]);
    assert_eq!(behind(&queue, cases[1]), [cases[0], cases[2], cases[3]]);
    assert_eq!(behind(&queue, cases[2]), [cases[3]]);
    assert!(behind(&queue, cases[3]).is_empty());
    let mut rest = queue.clone();
    rest.cases.retain(|it| it.item.id != cases[2]);
    assert_eq!(behind(&rest, cases[2]), [cases[3]], "decided meanwhile");
}

#[tokio::test]
async fn a_queue_that_is_too_long_to_be_put_in_order_says_how_long_it_is() {
    let district = District::new().await;
    let mut cases = Vec::new();
    for inspector in ["insp-ninghua-1", "insp-huaiyuan-1"] {
        let mut phone = district.phone(inspector).await;
        for number in 0..ORDERED as u64 / 2 + 2 {
            cases.push(phone.report(&facts(number, Mode::Forwarded, district.now())));
        }
        phone.drain(&district).await;
        district.desk.services.business.advance(60_000);
    }
    let queue = read(&district).await;
    assert_eq!((queue.cases.len(), queue.total, queue.more()), (ORDERED, ORDERED + 4, true));
    // What is left out is not counted, whether it was among the oldest or behind them.
    let oldest = ids(&queue.cases);
    let (first, last) = (oldest[0], *cases.iter().find(|case| !oldest.contains(case)).unwrap());
    let queue = read_without(&district, &[first, last]).await;
    assert_eq!((queue.cases.len(), queue.total, queue.more()), (ORDERED - 1, ORDERED + 2, true));
    // What was sent back or decided waits no more.
    district.run("UPDATE case_row SET state = 'filed' WHERE id = ?1", vec![last.as_bytes().to_vec().into()]).await;
    assert_eq!(read(&district).await.total, ORDERED + 3);
    let rest = read_without(&district, &oldest[..10]).await;
    assert_eq!((rest.cases.len(), rest.total), (ORDERED - 10, ORDERED - 7));
    // So is what is late, beyond those that are put in order too.
    let (first, last) = (oldest[0], oldest[1]);
    district.desk.services.business.advance(58 * 60_000 + 30_000);
    let queue = read(&district).await;
    assert_eq!((queue.total, queue.overdue), (ORDERED + 3, ORDERED / 2 + 2), "the second phone's came a minute later");
    district.desk.services.business.advance(60_000);
    assert_eq!(read(&district).await.overdue, ORDERED + 3);
    assert_eq!(read_without(&district, &[first, last]).await.overdue, ORDERED + 1);
}
