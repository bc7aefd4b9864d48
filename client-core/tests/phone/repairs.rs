//! After a refusal: nothing is destroyed, the inspector hears why, and it ends within two round trips.

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{Mode, PhotoRole, Remark};
use xunge_client_core::store::Step;
use xunge_client_core::wire::PhotoItem;

use super::server::{Server, ServerCase};
use super::world::{Fate, Phone};

fn remark(phone: &Phone, key: &str, text: &str) -> Step {
    let at = phone.clock.now_wall();
    Step::Edit(vec![Edit::AddRemark(key.to_owned(), Remark { text: text.to_owned(), at })])
}

#[test]
fn a_refused_field_is_left_out_and_the_rest_arrives() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    server.judge =
        Some(|_, doc| doc.facts().0.description.contains("脏话").then_some(("bad_value", Some("description"))));
    let case = phone.report("脏话");
    phone.act(case, &[Step::Edit(vec![Edit::ModeClaim(Some(Mode::SelfHandled))])]);
    let summary = phone.sync_fine(&mut server);
    assert!(phone.requests <= 3, "{} requests", phone.requests);
    assert_eq!(summary.refused.len(), 1);
    assert_eq!(summary.refused[0].field.as_deref(), Some("description"));
    assert!(phone.is_on_server(case));
    let there = server.cases[&case].doc.facts().0;
    assert_eq!((there.description.as_str(), there.mode_claim), ("", Some(Mode::SelfHandled)));
    assert_eq!(phone.attention(case).as_deref(), Some("bad_value"));
    // What the inspector writes next is taken again.
    phone.describe(case, "文明用语");
    assert!(phone.sync_fine(&mut server).drained);
    assert_eq!(server.cases[&case].doc.facts().0.description, "文明用语");
    assert_eq!(phone.attention(case), None);
}

#[test]
fn a_fault_of_the_bytes_is_repeated_once_as_somebody_else() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    phone.describe(case, "二");
    server.judge = Some(|_, doc| (doc.actors().count() == 1).then_some(("actor_taken", None)));
    let summary = phone.sync_fine(&mut server);
    assert!(phone.is_on_server(case), "{summary:?}");
    let doc = &server.cases[&case].doc;
    assert_eq!((doc.facts().0.description.as_str(), doc.actors().count()), ("二", 2));
    assert_eq!(phone.attention(case), None, "nothing was lost, nobody has to look");
}

#[test]
fn what_is_refused_whatever_is_done_is_given_up_and_stays_readable() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    let before = phone.requests;
    phone.describe(case, "二");
    server.judge = Some(|_, _| Some(("not_reproducible", None)));
    phone.sync_fine(&mut server);
    assert!(phone.requests - before <= 3, "{} requests", phone.requests - before);
    assert_eq!(phone.text(case), "一");
    assert!(phone.is_on_server(case), "nothing of it waits any more");
    assert_eq!(phone.attention(case).as_deref(), Some("not_reproducible"));
    let refused = phone.store.detail(case).unwrap().unwrap().refused;
    assert_eq!(refused.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["描述：二"]);
}

#[test]
fn a_change_before_the_refused_one_stays_and_one_after_it_goes_with_it() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    // Two changes leave without an answer, the second builds on the first.
    phone.describe(case, "二");
    phone.sync(&mut server, &mut |_, _| Fate::Lost);
    phone.act(case, &[remark(&phone, "01HGW2BBG0000000000000000A", "三")]);
    server.judge = Some(|_, doc| (doc.facts().0.description == "二").then_some(("bad_value", Some("description"))));
    phone.sync_fine(&mut server);
    let there = server.cases[&case].doc.facts().0;
    assert_eq!((there.description.as_str(), there.remarks.len()), ("一", 1));
    assert_eq!(phone.store.detail(case).unwrap().unwrap().facts, there);
    assert!(phone.is_on_server(case));
}

#[test]
fn words_for_a_sealed_case_arrive_as_a_supplement() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    phone.describe(case, "二");
    server.sealed.insert(case);
    let before = phone.requests;
    phone.sync_fine(&mut server);
    assert!(phone.requests - before <= 2);
    let there = server.cases[&case].doc.facts().0;
    assert_eq!(there.description, "一");
    assert!(there.supplements.values().any(|supplement| supplement.text.contains('二')), "{there:?}");
    assert_eq!(phone.attention(case).as_deref(), Some("field_frozen"));
    assert!(phone.is_on_server(case));
}

#[test]
fn somebody_elses_case_takes_nothing_and_says_so() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    phone.describe(case, "二");
    server.judge = Some(|_, _| Some(("not_yours", None)));
    phone.sync_fine(&mut server);
    assert_eq!(phone.attention(case).as_deref(), Some("not_yours"));
    assert!(phone.is_on_server(case));
}

#[test]
fn a_report_the_server_forgot_without_telling_is_offered_again_whole() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    server.forget(case);
    phone.describe(case, "二");
    let before = phone.requests;
    assert!(phone.sync_fine(&mut server).drained);
    assert!(phone.requests - before <= 2, "{} requests", phone.requests - before);
    let there = &server.cases[&case];
    assert_eq!((there.doc.facts().0.description.as_str(), there.doc.change_count()), ("二", 2));
    assert!(there.ledger.is_some(), "submitted anew");
    assert_eq!(phone.attention(case), None, "nothing was lost, nobody has to look");
}

#[test]
fn a_submit_whose_changes_hang_in_the_air_is_not_taken_for_accepted() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    // A restore after which somebody else's copy, without the first change, came back before ours.
    server.forget(case);
    server.cases.insert(case, ServerCase::default());
    phone.describe(case, "二");
    assert!(phone.sync_fine(&mut server).drained);
    let there = &server.cases[&case];
    assert_eq!((there.doc.facts().0.description.as_str(), there.doc.change_count()), ("二", 2));
    assert!(there.ledger.is_some(), "the report counts again");
    assert!(phone.is_on_server(case));
}

#[test]
fn edits_too_large_for_one_change_all_come_back_if_only_the_last_is_refused() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    let long = "长".repeat(1_900);
    let keys: Vec<String> = (0..20).map(|index| format!("01HGW2BBG000000000000000{index:02}")).collect();
    let steps: Vec<Step> = keys.iter().map(|key| remark(&phone, key, &long)).collect();
    phone.act(case, &steps);
    server.refuse_last_once = true;
    assert!(phone.sync_fine(&mut server).drained);
    let there = server.cases[&case].doc.facts().0;
    assert!(!server.refuse_last_once, "they needed several changes");
    assert_eq!(there.remarks.len(), keys.len(), "{:?}", there.remarks.keys());
    assert_eq!(phone.store.detail(case).unwrap().unwrap().facts, there);
    assert_eq!(phone.attention(case), None, "nothing was lost, nobody has to look");
}

#[test]
fn words_refused_on_a_case_that_leaves_after_more_work_on_it_stay_until_they_are_read() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let mut other = Phone::new(&mut server, "wang", 2, None);
    let case = other.report("一");
    other.sync_fine(&mut server);
    phone.sync_fine(&mut server);
    phone.act(case, &[remark(&phone, "01HGW2BBG0000000000000000A", "门口还有一堆")]);
    server.judge = Some(|_, _| Some(("not_yours", None)));
    phone.sync_fine(&mut server);
    assert_eq!(phone.attention(case).as_deref(), Some("not_yours"));
    // The task is done all the same, and with it the case leaves the view.
    server.judge = None;
    phone.act(case, &[remark(&phone, "01HGW2BBG0000000000000000B", "已核实")]);
    assert_eq!(phone.attention(case), None);
    phone.sync_fine(&mut server);
    server.hide(case, "wang");
    phone.sync_fine(&mut server);
    assert_eq!(phone.attention(case).as_deref(), Some("not_yours"), "shown once more");
    phone.sync_fine(&mut server);
    let shown = phone.store.detail(case).unwrap().expect("the refused words are still here");
    assert_eq!(shown.refused.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["门口还有一堆"]);
    phone.store.set_attention(case, None).unwrap();
    phone.sync_fine(&mut server);
    assert!(phone.store.detail(case).unwrap().is_none(), "read, and nothing else of this phone is in it");
}

#[test]
fn photos_refused_on_a_case_that_leaves_after_more_work_on_it_stay_until_they_are_seen() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let mut other = Phone::new(&mut server, "wang", 2, None);
    let (named_in_vain, given_up) = (other.report("一"), other.report("二"));
    other.sync_fine(&mut server);
    phone.sync_fine(&mut server);
    // Of one photo the words that name it are refused, of the other the bytes.
    phone.attach(named_in_vain, PhotoRole::Verify, &[1; 100]);
    server.judge = Some(|_, _| Some(("not_yours", None)));
    phone.sync_fine(&mut server);
    server.judge = None;
    let photo = phone.attach(given_up, PhotoRole::Verify, &[2; 100]);
    phone.store.refuse_photo(&PhotoItem::Full(photo), "photo_missing").unwrap();
    for (case, code) in [(named_in_vain, "not_yours"), (given_up, "photo_missing")] {
        assert_eq!(phone.attention(case).as_deref(), Some(code));
        phone.act(case, &[remark(&phone, "01HGW2BBG0000000000000000B", "已核实")]);
        assert_eq!(phone.attention(case), None);
        phone.sync_fine(&mut server);
        server.hide(case, "wang");
        phone.sync_fine(&mut server);
        assert_eq!(phone.attention(case).as_deref(), Some(code), "shown once more");
        phone.sync_fine(&mut server);
        assert!(phone.store.detail(case).unwrap().is_some(), "and still here");
    }
    let shown = phone.store.detail(named_in_vain).unwrap().unwrap().refused;
    assert_eq!(shown.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["照片：核实"]);
    for case in [named_in_vain, given_up] {
        phone.store.set_attention(case, None).unwrap();
        phone.sync_fine(&mut server);
        assert!(phone.store.detail(case).unwrap().is_none(), "seen, and nothing else of this phone is in it");
    }
}

#[test]
fn words_refused_on_a_case_out_of_view_stay_until_they_are_read_whatever_else_is_edited() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let mut other = Phone::new(&mut server, "wang", 2, None);
    let case = other.report("一");
    other.sync_fine(&mut server);
    phone.sync_fine(&mut server);
    phone.act(case, &[remark(&phone, "01HGW2BBG0000000000000000A", "补充")]);
    server.judge = Some(|_, _| Some(("not_yours", None)));
    server.hide(case, "wang");
    phone.sync_fine(&mut server);
    assert_eq!(phone.attention(case).as_deref(), Some("not_yours"));
    // The way it is already: nothing that could be sent, and so nothing that could be refused again.
    let mode = phone.store.detail(case).unwrap().unwrap().facts.mode_claim;
    phone.act(case, &[Step::Edit(vec![Edit::ModeClaim(mode)])]);
    phone.sync_fine(&mut server);
    phone.sync_fine(&mut server);
    let shown = phone.store.detail(case).unwrap().expect("the refused words are still here");
    let refused: Vec<(&str, &str)> = shown.refused.iter().map(|one| (one.text.as_str(), one.code.as_str())).collect();
    assert_eq!(refused, [("补充", "not_yours")]);
    phone.store.set_attention(case, None).unwrap();
    phone.sync_fine(&mut server);
    assert!(phone.store.detail(case).unwrap().is_none(), "read, and nothing else of this phone is in it");
}

#[test]
fn a_case_this_app_could_not_read_leaves_with_its_view() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, Some(path.clone()));
    let mut other = Phone::new(&mut server, "wang", 2, None);
    let cases = ["app_outdated", "news_damaged", "request_refused"].map(|mark| (other.report(mark), mark));
    other.sync_fine(&mut server);
    phone.sync_fine(&mut server);
    let database = rusqlite::Connection::open(path).unwrap();
    for (case, mark) in cases {
        let marked = "UPDATE case_local SET attention = ?2 WHERE id = ?1";
        assert_eq!(database.execute(marked, (case.as_bytes(), mark)).unwrap(), 1);
        server.hide(case, "wang");
    }
    phone.sync_fine(&mut server);
    let left: Vec<&str> =
        cases.iter().filter(|(case, _)| phone.store.detail(*case).unwrap().is_some()).map(|(_, mark)| *mark).collect();
    assert_eq!(left, ["request_refused"], "a refusal has to be seen first");
}
