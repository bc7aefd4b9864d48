//! The order of a review queue.

use xunge_client_core::model::{CaseId, CategoryRef, Mode};
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
    let (directory, now) = (district.directory().await, district.now());
    let found = district.desk.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let scope = Scope::below(&DISTRICT.parse().unwrap(), &directory);
            let filter = Filter { states: vec![State::Reported], order: Order::OldestFirst, ..Filter::default() };
            let (timetable, filter) = (timetable(), &filter);
            let ask =
                Ask { scope: &scope, district: DISTRICT, filter, timetable: &timetable, directory: &directory, now };
            queue(tx, &ask).await
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
    assert_eq!((ids(&queue.cases), queue.overdue()), (cases.clone(), 0), "while there is time");
    assert_eq!(queue.oldest(), Some(Millis(queue.cases[0].item.received_at)));
    district.desk.services.business.advance(20 * 60_000);
    let queue = read(&district).await;
    assert_eq!(queue.overdue(), 2);
    assert_eq!(ids(&queue.cases), [cases[2], cases[4], cases[0], cases[1], cases[3]]);
    assert_eq!(queue.oldest(), Some(Millis(queue.cases[2].item.received_at)), "not the first in line");
    district.desk.services.business.advance(60 * 60_000);
    assert_eq!(read(&district).await.overdue(), 5);
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
