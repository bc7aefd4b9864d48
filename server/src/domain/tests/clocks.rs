//! Clocks on a real case: category keys come from the trees, limits and working time from the timetable.

use xunge_client_core::model::{CategoryRef, Mode};
use xunge_client_core::workflow::deadline::{Clock, Standing};
use xunge_client_core::workflow::{Level, Payload, Verb};

use super::reported;
use crate::domain::clocks;
use crate::testing::{District, LITTER};

#[tokio::test]
async fn a_reviewer_sees_how_long_a_review_has_and_had() {
    let district = District::new().await;
    let (_, case) = reported(&district, Mode::Forwarded).await;
    let services = &district.desk.services;
    let directory = district.directory().await;
    let now = district.now();
    let review = |ledger: &_, now| clocks::of(services, &directory, ledger, now)[0];
    let fresh = district.ledger(case).await;
    let clock = review(&fresh, now);
    assert_eq!((clock.reading.clock, clock.standing), (Clock::Review, Standing::InTime));
    // Received on a Wednesday at nine: one working hour.
    assert_eq!(clock.reading.due_at, now.plus_ms(3_600_000));
    assert_eq!(review(&fresh, now.plus_ms(50 * 60_000)).standing, Standing::Warning);
    assert_eq!(review(&fresh, now.plus_ms(61 * 60_000)).standing, Standing::Overdue);
    district.advance_days(1);
    let reviewer = district.reviewer_of(case).await;
    district.act(&reviewer, case, Verb::File, Payload::default()).await.unwrap();
    let clock = review(&district.ledger(case).await, district.now());
    assert_eq!((clock.standing, clock.reading.stopped_at), (Standing::Overdue, Some(district.now())));
}

#[tokio::test]
async fn a_dispatcher_is_offered_the_deadline_of_the_category_through_the_national_standard() {
    let district = District::new().await;
    let services = &district.desk.services;
    let directory = district.directory().await;
    let litter: CategoryRef = LITTER.parse().unwrap();
    let due = |category: Option<&CategoryRef>, level| {
        clocks::handling_due(services, &directory, category, level, None, district.now()).unwrap().local_text()
    };
    // Four working hours from nine: three before noon, one after half past two.
    assert_eq!(due(Some(&litter), Level::Normal), "2023-11-01 15:30");
    assert_eq!(due(Some(&litter), Level::Urgent), "2023-11-01 13:00");
    assert_eq!(due(None, Level::Normal), "2023-11-06 09:00", "three working days");
}
