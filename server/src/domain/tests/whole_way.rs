//! One forwarded case from the basement to the end.

use xunge_client_core::model::{Mode, PhotoHash};
use xunge_client_core::workflow::{Level, Payload, Verb, Verdict};

use super::{code, reported, someone};
use crate::domain::uploads::Owner;
use crate::testing::District;

/// A forwarded case all the way: filed, dispatched, signed, fed back with a photo, rechecked by phone, closed.
#[tokio::test]
async fn a_forwarded_case_runs_its_whole_way() {
    let district = District::new().await;
    let (mut phone, case) = reported(&district, Mode::Forwarded).await;
    let reviewer = district.reviewer_of(case).await;
    let due = district.now().plus_ms(86_400_000);
    district.act(&reviewer, case, Verb::File, Payload::default()).await.unwrap();
    let dispatcher = someone(&district, "dispatcher").await;
    let sql = "SELECT id, unit FROM user_account WHERE role = 'handling_unit' ORDER BY id LIMIT 1";
    let row = district.rows(sql).await.remove(0);
    let (handler, unit) = (row.text(0).unwrap().to_owned(), row.text(1).unwrap().to_owned());
    let dispatch = Payload {
        handler: Some(unit.parse().unwrap()),
        due_at: Some(due),
        level: Some(Level::Normal),
        ..Payload::default()
    };
    district.act(&dispatcher, case, Verb::Dispatch, dispatch).await.unwrap();
    district.act(&handler, case, Verb::Sign, Payload::default()).await.unwrap();
    let photo = PhotoHash::of(b"cleaned");
    let feedback = Payload { note: Some("done".into()), photos: vec![photo], ..Payload::default() };
    let early = district.act(&handler, case, Verb::Feedback, feedback.clone()).await;
    assert_eq!(code(early), "invalid", "a photo nobody sent");
    let owner = Owner::User(handler.clone()).key();
    district.blob_arrives(b"cleaned", &owner).await;
    district.act(&handler, case, Verb::Feedback, feedback).await.unwrap();
    let check = Payload { assignee: Some(phone.user.clone()), ..Payload::default() };
    district.act(&reviewer, case, Verb::CheckSend, check).await.unwrap();
    phone.drain(&district).await;
    assert_eq!(phone.cases[&case].version, 6);
    let reply = Payload { verdict: Some(Verdict::Pass), photos: vec![photo], ..Payload::default() };
    phone.ask(case, Verb::CheckReply, &reply);
    phone.drain(&district).await;
    district.act(&reviewer, case, Verb::Close, Payload::default()).await.unwrap();
    let total = district.november(None).await.total;
    assert_eq!((total.filed, total.case_closed, total.forwarded), (1, 1, 1));
    let report = district.verify().await;
    assert!(report.ok, "{:?}", report.differences);
    assert_eq!((report.checked["events"], report.checked["blobs"]), (8, 1));
}
