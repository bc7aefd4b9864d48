//! The daily count: what a phone lost, or should not have, is put right by the next day.

use rusqlite::Connection;
use xunge_client_core::model::{CaseId, Millis, PhotoRole};
use xunge_client_core::store::Step;
use xunge_client_core::workflow::{Payload, Verb};

use super::server::Server;
use super::world::{Fate, Phone};

const DAY: i64 = 86_400_000;

/// A phone in a file, its server, and `n` reports that both hold; news of the last day has been read.
struct Site {
    server: Server,
    phone: Phone,
    cases: Vec<CaseId>,
    folder: tempfile::TempDir,
}

impl Site {
    fn new(n: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::new();
        let mut phone = Phone::new(&mut server, "li", 1, Some(folder.path().join("phone.db")));
        let cases = (0..n).map(|number| phone.report(&format!("report {number}"))).collect();
        assert!(phone.sync_fine(&mut server).drained);
        let mut site = Self { server, phone, cases, folder };
        site.tomorrow();
        site
    }

    /// A day passes, and the phone hears of it.
    fn tomorrow(&mut self) {
        self.server.now = Millis(self.server.now.0 + DAY);
        self.phone.clock.advance(DAY as u64);
        assert!(self.phone.sync_fine(&mut self.server).drained);
    }

    /// Changes the database behind the app's back.
    fn damage(&mut self, sql: &str) {
        let changed = Connection::open(self.folder.path().join("phone.db")).unwrap();
        changed.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        assert!(changed.execute(sql, []).unwrap() > 0, "{sql}");
    }

    /// The requests of the next sync that said what the phone holds, with and without buckets.
    fn counts_of_next_sync(&mut self) -> (usize, usize) {
        self.server.log.clear();
        assert!(self.phone.sync_fine(&mut self.server).drained);
        let counts: Vec<bool> =
            self.server.log.iter().filter_map(|up| up.census.as_ref().map(|census| census.buckets.is_some())).collect();
        (counts.iter().filter(|buckets| !**buckets).count(), counts.iter().filter(|buckets| **buckets).count())
    }

    fn heads(&self, case: CaseId) -> (Vec<String>, u32) {
        let detail = self.phone.store.detail(case).unwrap().unwrap();
        let held = &self.server.cases[&case];
        let heads = held.doc.heads().iter().map(ToString::to_string).collect();
        assert_eq!(detail.facts, held.doc.facts().0, "the facts shown");
        (heads, detail.ledger.unwrap().version)
    }
}

#[test]
fn equal_stores_are_compared_once_a_day_with_one_digest() {
    let mut site = Site::new(20);
    assert_eq!(site.counts_of_next_sync(), (1, 0));
    assert_eq!(site.counts_of_next_sync(), (0, 0), "once a day");
    site.tomorrow();
    assert_eq!(site.counts_of_next_sync(), (1, 0));
}

#[test]
fn a_case_an_event_and_a_document_that_were_lost_come_back_the_next_day() {
    let mut site = Site::new(12);
    for case in site.cases.clone() {
        let payload = Payload { reason: Some("not_in_scope".into()), ..Payload::default() };
        site.server.office(case, Verb::Void, payload);
    }
    site.phone.sync_fine(&mut site.server);
    let whole: Vec<_> = site.cases.iter().map(|case| site.heads(*case)).collect();
    for sql in [
        "DELETE FROM case_local WHERE ord = 2",
        "DELETE FROM event WHERE version = 1 AND case_id = (SELECT id FROM case_local WHERE ord = 3)",
        "DELETE FROM event WHERE case_id = (SELECT id FROM case_local WHERE ord = 4)",
        "UPDATE case_local SET base = substr(base, 1, 80) WHERE ord = 5",
        "UPDATE case_local SET base = NULL WHERE ord = 6",
        "UPDATE case_local SET ledger = NULL WHERE ord = 7",
        "UPDATE case_local SET ledger = 'rot' || ledger WHERE ord = 8",
    ] {
        site.tomorrow();
        site.counts_of_next_sync();
        site.damage(sql);
        site.tomorrow();
        assert_eq!(site.counts_of_next_sync(), (1, 1), "{sql}");
        let after: Vec<_> = site.cases.iter().map(|case| site.heads(*case)).collect();
        assert_eq!(after, whole, "{sql}");
        site.tomorrow();
        assert_eq!(site.counts_of_next_sync(), (1, 0), "{sql}: it holds");
    }
}

#[test]
fn a_phone_that_lost_everything_is_told_all_of_it_in_pages() {
    let mut site = Site::new(40);
    site.server.buckets = 5;
    site.counts_of_next_sync();
    site.damage("DELETE FROM case_local");
    site.tomorrow();
    let (_, pages) = site.counts_of_next_sync();
    assert!((5..=8).contains(&pages), "{pages} pages of five buckets");
    for case in site.cases.clone() {
        site.heads(case);
    }
}

#[test]
fn a_case_that_should_not_be_there_leaves_the_next_day_unless_it_holds_unsent_work() {
    let mut site = Site::new(3);
    let strangers: Vec<CaseId> = (0..2).map(|n| site.phone.report(&format!("not mine {n}"))).collect();
    site.phone.sync_fine(&mut site.server);
    site.damage("UPDATE case_local SET own = 0 WHERE ord > 3");
    for case in &strangers {
        site.server.cases.remove(case);
    }
    site.phone.describe(strangers[1], "said and not sent");
    site.phone.sync(&mut site.server, &mut |_, _| Fate::Lost);
    site.server.poison.insert(strangers[1]);
    for _ in 0..2 {
        site.server.now = Millis(site.server.now.0 + DAY);
        site.phone.sync_fine(&mut site.server);
    }
    assert!(site.phone.store.detail(strangers[0]).unwrap().is_none());
    assert!(site.phone.store.detail(strangers[1]).unwrap().is_some(), "what is unsent stays");
    assert!(site.cases.iter().all(|case| site.phone.store.detail(*case).unwrap().is_some()));
}

#[test]
fn a_report_and_a_change_the_server_lost_without_a_word_are_offered_again() {
    let mut site = Site::new(4);
    site.counts_of_next_sync();
    let edited = site.cases[1];
    let before = site.server.cases[&edited].clone();
    site.phone.describe(edited, "corrected");
    site.phone.sync_fine(&mut site.server);
    site.server.cases.insert(edited, before);
    site.server.forget(site.cases[2]);
    site.tomorrow();
    site.counts_of_next_sync();
    assert_eq!(site.server.cases[&edited].doc.facts().0.description, "corrected");
    assert!(site.server.cases.contains_key(&site.cases[2]));
    assert!(site.cases.iter().all(|case| site.phone.is_on_server(*case)));
}

#[test]
fn a_day_of_a_wrong_clock_does_not_switch_the_count_off() {
    let mut site = Site::new(3);
    site.counts_of_next_sync();
    let right = site.server.now;
    site.server.now = Millis(right.0 + 400 * DAY);
    site.counts_of_next_sync();
    site.counts_of_next_sync();
    site.server.now = right;
    site.tomorrow();
    assert_eq!(site.counts_of_next_sync(), (1, 0));
    assert_eq!(site.counts_of_next_sync(), (0, 0));
}

/// Li's phone, whose document of a colleague's case is spoilt while the answer to what Li wrote on it was lost; Wang wrote
/// too, having heard Li or not.
fn spoilt_under_unheard_work(wang_heard_li: bool) {
    let mut site = Site::new(0);
    let mut wang = Phone::new(&mut site.server, "wang", 2, None);
    let case = wang.report("一");
    wang.sync_fine(&mut site.server);
    let handover = Payload { assignee: Some("li".into()), ..Payload::default() };
    wang.act(case, &[Step::Request { verb: Verb::Handover, payload: Box::new(handover) }]);
    wang.sync_fine(&mut site.server);
    site.phone.sync_fine(&mut site.server);
    site.phone.describe(case, "李改");
    if !wang_heard_li {
        wang.describe(case, "王改");
    }
    let mut weather = |number, _: &_| if number == 0 { Fate::AnswerLost } else { Fate::Lost };
    site.phone.sync(&mut site.server, &mut weather);
    if wang_heard_li {
        wang.sync_fine(&mut site.server);
        wang.describe(case, "王改");
    }
    wang.sync_fine(&mut site.server);
    site.damage("UPDATE case_local SET base = substr(base, 1, 80)");
    for _ in 0..4 {
        site.phone.sync_fine(&mut site.server);
    }
    assert_eq!(site.phone.store.unsent().unwrap().cases, 0, "Wang heard Li: {wang_heard_li}");
    site.heads(case);
    assert_eq!(site.phone.attention(case), None);
}

#[test]
fn work_on_a_colleagues_case_whose_document_was_spoilt_does_not_wait_for_ever() {
    spoilt_under_unheard_work(false);
    spoilt_under_unheard_work(true);
}

#[test]
fn a_spoilt_document_stops_nobody_from_acting_on_the_case_nor_a_restored_server_from_being_told() {
    let mut site = Site::new(4);
    site.counts_of_next_sync();
    let cases = site.cases.clone();
    let photo = site.phone.attach(cases[0], PhotoRole::Before, b"picture");
    site.damage("UPDATE case_local SET base = substr(base, 1, 80)");
    site.phone.act(cases[0], &[Step::Detach(photo)]);
    site.phone.act(cases[1], &[Step::Request { verb: Verb::Withdraw, payload: Box::default() }]);
    site.phone.describe(cases[2], "corrected");
    site.server.epoch += 1;
    site.server.forget(cases[3]);
    assert!(site.phone.sync_fine(&mut site.server).drained);
    for _ in 0..2 {
        site.tomorrow();
    }
    for case in &cases {
        site.heads(*case);
    }
    assert_eq!(site.server.cases[&cases[2]].doc.facts().0.description, "corrected");
    assert_eq!(site.server.cases[&cases[1]].ledger.as_ref().unwrap().version, 2, "the request arrived");
    assert!(site.server.cases[&cases[0]].doc.facts().0.photos.is_empty());
}
