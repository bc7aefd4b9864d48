//! Grids are taken away from inspectors, and what their phones hold by them goes with the next contact.

use std::collections::BTreeSet;

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{CaseId, Facts, Mode};
use xunge_client_core::wire::{SyncDown, SyncUp};
use xunge_client_core::workflow::{Payload, Verb};

use super::page::Size;
use crate::auth::device;
use crate::params;
use crate::store::StoreError;
use crate::testing::{District, Phone, facts};

/// A district, somebody who reports in a grid, and the phone of a colleague who walks it too and has read everything.
struct Street {
    district: District,
    reporter: Phone,
    colleague: Phone,
    grid: String,
    cases: Vec<CaseId>,
}

impl Street {
    async fn with(cases: usize) -> Self {
        let district = District::new().await;
        let people = district.inspectors().await;
        let (reporter, colleague) = (district.phone(&people[0]).await, district.phone(&people[1]).await);
        let mut street = Self { district, reporter, colleague, grid: String::new(), cases: Vec::new() };
        for _ in 0..cases {
            street.report().await;
        }
        let sql = "SELECT grid FROM case_row LIMIT 1";
        street.grid = street.district.rows(sql).await[0].text(0).unwrap().to_owned();
        street.give().await;
        street.colleague.drain(&street.district).await;
        assert_eq!(street.held(), street.cases.iter().copied().collect());
        street
    }

    /// A report in the middle of the grid.
    fn seen(&self) -> Facts {
        let point = facts(1, Mode::Forwarded, self.district.now()).point;
        Facts { point, ..facts(self.district.fresh(), Mode::Forwarded, self.district.now()) }
    }

    async fn report(&mut self) -> CaseId {
        let seen = self.seen();
        let case = self.reporter.report(&seen);
        self.reporter.drain(&self.district).await;
        self.cases.push(case);
        case
    }

    async fn give(&self) {
        let sql = "INSERT INTO user_grid (user_id, grid) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.district.run(sql, params![&self.colleague.user, &self.grid].to_vec()).await;
    }

    async fn take(&self) {
        let sql = "DELETE FROM user_grid WHERE user_id = ?1 AND grid = ?2";
        self.district.run(sql, params![&self.colleague.user, &self.grid].to_vec()).await;
    }

    fn held(&self) -> BTreeSet<CaseId> {
        self.colleague.cases.keys().copied().collect()
    }

    /// What the colleague's phone says when it has heard that answer.
    fn says(&self, heard: u64) -> SyncUp {
        SyncUp { heard: Some(heard), ..self.colleague.up(self.district.now()) }
    }

    async fn void(&self, case: CaseId) {
        let reviewer = self.district.reviewer_of(case).await;
        let because = Payload { reason: Some("test".into()), ..Payload::default() };
        self.district.act(&reviewer, case, Verb::Void, because).await.unwrap();
    }

    /// Grids the server remembers of the colleague's phones.
    async fn remembered(&self) -> Vec<String> {
        let sql = "SELECT v.grid FROM device_view v JOIN device d ON d.id = v.device WHERE d.user_id = ?1 ORDER BY 1";
        let rows = self.district.rows_with(sql, params![&self.colleague.user].to_vec()).await;
        rows.iter().map(|row| row.text(0).unwrap().to_owned()).collect()
    }
}

fn named(down: &SyncDown) -> BTreeSet<CaseId> {
    down.gone.iter().copied().collect()
}

#[tokio::test]
async fn cases_of_a_grid_that_was_taken_away_leave_the_phone_with_its_next_contact_and_own_reports_stay() {
    let mut street = Street::with(5).await;
    let seen = street.seen();
    let own = street.colleague.report(&seen);
    street.colleague.drain(&street.district).await;
    street.take().await;
    let down = street.colleague.sync(&street.district).await;
    assert_eq!(named(&down), street.cases.iter().copied().collect());
    assert!(down.feed.is_empty() && !down.more, "one answer says it all");
    assert_eq!(street.held(), [own].into());
    let next = street.colleague.sync(&street.district).await;
    assert!(next.gone.is_empty(), "an idle phone hears nothing of it again");
    assert!(!street.remembered().await.contains(&street.grid));
    // What happens there now is not for this phone.
    let later = street.report().await;
    street.colleague.drain(&street.district).await;
    assert!(!street.held().contains(&later));
}

#[tokio::test]
async fn what_ended_or_came_between_the_last_contact_and_the_loss_goes_too() {
    let mut street = Street::with(3).await;
    street.void(street.cases[0]).await;
    let unread = street.report().await;
    street.take().await;
    let down = street.colleague.sync(&street.district).await;
    assert!(named(&down).is_superset(&street.cases.iter().copied().collect()) && named(&down).contains(&unread));
    assert!(street.held().is_empty(), "{:?}", street.held());
}

#[tokio::test]
async fn it_is_told_until_the_phone_has_heard_it() {
    let mut street = Street::with(2).await;
    let heard = street.colleague.counter;
    street.take().await;
    for _ in 0..3 {
        // The answer is lost each time.
        let up = street.says(heard);
        let down = street.colleague.send(&street.district, &up).await.unwrap();
        assert_eq!(down.gone.len(), 2);
    }
    let up = street.says(heard);
    let down = street.colleague.send(&street.district, &up).await.unwrap();
    street.colleague.take(&up, &down);
    assert!(street.held().is_empty());
    let up = street.says(street.colleague.counter);
    assert!(street.colleague.send(&street.district, &up).await.unwrap().gone.is_empty());
}

#[tokio::test]
async fn a_grid_that_is_given_back_before_the_phone_came_takes_nothing_away() {
    let mut street = Street::with(2).await;
    street.take().await;
    street.give().await;
    assert!(street.colleague.sync(&street.district).await.gone.is_empty());
    assert_eq!(street.held().len(), 2);
    // Nor does one that was given back after an answer nobody heard, and it can be taken away once more.
    let heard = street.colleague.counter;
    street.take().await;
    let up = street.says(heard);
    street.colleague.send(&street.district, &up).await.unwrap();
    street.give().await;
    let up = street.says(heard);
    let down = street.colleague.send(&street.district, &up).await.unwrap();
    street.colleague.take(&up, &down);
    assert_eq!(street.held().len(), 2);
    street.take().await;
    let up = street.says(street.colleague.counter);
    assert_eq!(street.colleague.send(&street.district, &up).await.unwrap().gone.len(), 2);
}

#[tokio::test]
async fn a_case_the_inspector_sees_for_another_reason_stays() {
    let mut street = Street::with(2).await;
    let case = street.cases[0];
    let to = Payload { assignee: Some(street.colleague.user.clone()), ..Payload::default() };
    street.reporter.ask(case, Verb::Handover, &to);
    street.reporter.drain(&street.district).await;
    street.colleague.drain(&street.district).await;
    street.take().await;
    let down = street.colleague.sync(&street.district).await;
    assert_eq!(named(&down), [street.cases[1]].into());
    assert_eq!(street.held(), [case].into());
}

#[tokio::test]
async fn unsent_work_on_a_lost_case_stays_until_the_phone_was_told_what_became_of_it() {
    let mut street = Street::with(1).await;
    let case = street.cases[0];
    street.take().await;
    street.colleague.edit(case, &[Edit::Description("未传的一句".into())]);
    let up = SyncUp { frames: Vec::new(), ..street.colleague.up(street.district.now()) };
    let down = street.colleague.send(&street.district, &up).await.unwrap();
    street.colleague.take(&up, &down);
    assert_eq!(street.held(), [case].into(), "it holds words nobody else has");
    let down = street.colleague.sync(&street.district).await;
    assert_eq!(down.rejected[0].code, "not_yours");
    assert!(street.held().is_empty());
}

#[tokio::test]
async fn a_phone_that_joins_again_is_told_what_its_user_lost_meanwhile() {
    let mut street = Street::with(2).await;
    street.take().await;
    let again = street.district.phone(&street.colleague.user).await;
    let (id, user, key) = (again.id, again.user.clone(), again.key.verifying_key().to_bytes());
    street.district.run("DELETE FROM device WHERE id = ?1", params![id.as_bytes()].to_vec()).await;
    let store = &street.district.desk.services.store;
    store
        .write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { device::add(tx, id, &user, &key, "again", Default::default()).await })
        })
        .await
        .unwrap();
    let cases = std::mem::take(&mut street.colleague.cases);
    street.colleague = again;
    street.colleague.cases = cases;
    street.colleague.sync(&street.district).await;
    assert!(street.held().is_empty());
}

#[tokio::test]
async fn a_restored_server_that_believes_to_have_told_it_tells_it_again() {
    let mut street = Street::with(2).await;
    let heard = street.colleague.counter;
    street.take().await;
    let up = street.says(heard);
    street.colleague.send(&street.district, &up).await.unwrap();
    // What was heard since is another past.
    street.district.run("UPDATE meta SET value = '2' WHERE key = 'server_epoch'", Vec::new()).await;
    street.district.run("INSERT OR IGNORE INTO meta (key, value) VALUES ('server_epoch', '2')", Vec::new()).await;
    let up = street.says(street.colleague.counter);
    let down = street.colleague.send(&street.district, &up).await.unwrap();
    assert_eq!((down.epoch, down.gone.len()), (2, 2));
}

#[tokio::test]
async fn on_a_bad_link_a_kilobyte_is_named_and_the_daily_count_finds_the_rest() {
    let mut street = Street::with(70).await;
    street.take().await;
    street.district.desk.services.feed_page = Size { bytes: 512, ..Size::default() };
    let down = street.colleague.sync(&street.district).await;
    assert_eq!(down.gone.len(), 64);
    assert_eq!(street.held().len(), 6);
}
