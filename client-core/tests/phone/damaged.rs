//! Rows of one case that can not be read: it is shown, and everything else goes on.

use rusqlite::Connection;
use xunge_client_core::model::CaseId;
use xunge_client_core::store::ListQuery;
use xunge_client_core::workflow::{Payload, Verb};

use super::server::Server;
use super::world::{Fate, Phone};

/// A phone in a file whose database is damaged behind its back.
struct Site {
    server: Server,
    phone: Phone,
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::new();
        let phone = Phone::new(&mut server, "wang", 1, Some(folder.path().join("phone.db")));
        Self { server, phone, folder }
    }

    fn damage(&self, sql: &str, case: CaseId) {
        let database = Connection::open(self.folder.path().join("phone.db")).unwrap();
        assert!(database.execute(sql, [case.as_bytes()]).unwrap() > 0, "{sql}");
    }

    fn describes(&self, case: CaseId) -> Option<&str> {
        let known = self.server.cases.get(&case)?;
        known.ledger.as_ref()?;
        Some(if known.doc.facts().0.description.is_empty() { "" } else { "all of it" })
    }
}

#[test]
fn a_report_whose_shown_facts_or_heads_are_damaged_arrives_as_it_was_written() {
    let mut site = Site::new();
    let cases: Vec<CaseId> = (0..3).map(|n| site.phone.report(&format!("report {n}"))).collect();
    site.damage("UPDATE case_local SET facts = '{rot' WHERE id = ?1", cases[0]);
    site.damage("UPDATE case_local SET acked_heads = x'01' WHERE id = ?1", cases[1]);
    let (listed, _) = site.phone.store.list(&ListQuery::default()).unwrap();
    assert_eq!(listed.iter().map(|item| item.text.as_str()).collect::<Vec<_>>(), ["report 2", "report 1", "report 0"]);
    assert!(site.phone.sync_fine(&mut site.server).drained);
    for (n, case) in cases.iter().enumerate() {
        assert_eq!(site.server.cases[case].doc.facts().0.description, format!("report {n}"));
    }
}

#[test]
fn a_case_that_can_not_be_written_is_shown_and_the_others_leave_by_sync_and_by_rescue() {
    let mut site = Site::new();
    let cases: Vec<CaseId> = (0..3).map(|n| site.phone.report(&format!("report {n}"))).collect();
    site.damage("UPDATE intent SET body = '[rot' WHERE case_id = ?1 AND kind = 'edit'", cases[1]);
    site.phone.sync(&mut site.server, &mut |_, _| Fate::Lost);
    assert_eq!(site.phone.attention(cases[1]).as_deref(), Some("case_damaged"));
    let frozen = site.phone.store.waiting_cases().unwrap();
    assert_eq!(frozen.iter().filter(|case| site.phone.store.freeze(**case).unwrap().is_some()).count(), 2);
    let summary = site.phone.sync_fine(&mut site.server);
    assert_eq!((summary.drained, summary.waiting.cases), (false, 1), "what is left is said");
    assert_eq!([0, 1, 2].map(|n| site.describes(cases[n])), [Some("all of it"), None, Some("all of it")]);
}

#[test]
fn what_was_written_down_of_a_case_before_it_was_damaged_still_arrives() {
    let mut site = Site::new();
    let case = site.phone.report("report");
    site.phone.sync(&mut site.server, &mut |_, _| Fate::Lost);
    site.phone.describe(case, "corrected");
    site.damage("UPDATE intent SET body = '[rot' WHERE case_id = ?1 AND state = 'pending' AND kind = 'edit'", case);
    site.phone.sync_fine(&mut site.server);
    assert_eq!(site.describes(case), Some("all of it"));
    assert_eq!(site.phone.attention(case).as_deref(), Some("case_damaged"));
}

#[test]
fn an_answer_that_names_a_case_that_can_not_be_read_is_taken_in_for_the_others() {
    let mut site = Site::new();
    let cases: Vec<CaseId> = (0..3).map(|n| site.phone.report(&format!("report {n}"))).collect();
    assert!(site.phone.sync_fine(&mut site.server).drained);
    site.phone.describe(cases[0], "corrected");
    site.damage("UPDATE intent SET body = '[rot' WHERE case_id = ?1 AND state = 'pending'", cases[0]);
    site.damage("UPDATE case_local SET facts = '{rot' WHERE id = ?1", cases[0]);
    for case in &cases {
        let payload = Payload { reason: Some("not_in_scope".into()), ..Payload::default() };
        site.server.office(*case, Verb::Void, payload);
    }
    let cursor = site.phone.store.phone().unwrap().cursor;
    site.phone.sync_fine(&mut site.server);
    assert!(site.phone.store.phone().unwrap().cursor > cursor);
    let (listed, _) = site.phone.store.list(&ListQuery::default()).unwrap();
    let lines: Vec<(u32, Option<&str>)> = listed.iter().map(|item| (item.version, item.attention.as_deref())).collect();
    assert_eq!(lines, [(2, None), (2, None), (0, Some("case_damaged"))]);
}
