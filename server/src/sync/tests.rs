//! A scripted phone against the handler.

use xunge_client_core::doc::Edit;
use xunge_client_core::model::Mode;
use xunge_client_core::workflow::{Payload, Verb};

use crate::testing::{District, facts};

#[tokio::test]
async fn a_report_becomes_a_case_and_is_counted_once_however_often_it_is_sent() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    phone.report(&facts(1, Mode::SelfHandled, district.now()));
    phone.report(&facts(2, Mode::Forwarded, district.now()));
    let up = phone.up(district.now());
    let first = phone.send(&district, &up).await.unwrap();
    let after_first = district.fingerprint().await;
    for _ in 0..3 {
        let again = phone.send(&district, &up).await.unwrap();
        assert_eq!((again.ack, &again.rejected, &again.results), (first.ack, &first.rejected, &first.results));
    }
    assert_eq!(district.fingerprint().await, after_first, "a repeated push changes nothing");
    phone.take(&up, &first);
    let total = district.november(None).await.total;
    assert_eq!((total.reported, total.self_handled, total.forwarded, total.pending), (2, 1, 1, 2));
    assert!(first.feed.is_empty() && first.differs.is_empty() && first.results.is_empty());
    assert!(phone.up(district.now()).frames.is_empty());
}

#[tokio::test]
async fn a_decision_reaches_the_phone_and_its_edits_reach_the_server() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let case = phone.report(&facts(1, Mode::SelfHandled, district.now()));
    phone.drain(&district).await;
    phone.edit(case, &[Edit::Description("烟头,已清".into())]);
    phone.drain(&district).await;
    district.photos_arrive(case).await;
    let reviewer = district.reviewer_of(case).await;
    let reply = district.act(&reviewer, case, Verb::ApproveSelfHandled, Payload::default()).await.unwrap();
    assert!(reply.fresh && reply.body.contains("\"case_no\":\"64010520231101000001\""), "{}", reply.body);
    let down = phone.sync(&district).await;
    assert_eq!(down.feed.len(), 1);
    assert_eq!((down.feed[0].events.len(), down.feed[0].changes.len()), (1, 0));
    let total = district.november(None).await.total;
    assert_eq!((total.reported, total.case_closed, total.close_rate.as_deref()), (1, 1, Some("100.00")));
}
