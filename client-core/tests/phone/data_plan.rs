//! Photos keep to the inspector's rules; text never waits for them.

use xunge_client_core::model::{CaseId, PhotoHash, PhotoRole};
use xunge_client_core::sync::{DataRules, Leave, Link, Stop};

use super::server::Server;
use super::world::{Call, Fate, Phone};

/// A phone on this link with so many reports, each with a photo of 1,000 bytes and a preview of 100.
fn phone(link: Link, rules: DataRules, reports: u8) -> (Server, Phone, Vec<(CaseId, PhotoHash)>) {
    let mut server = Server::new();
    let phone = Phone::new(&mut server, "wang", 1, None);
    phone.store.set_link(link).unwrap();
    phone.store.set_data_rules(&rules).unwrap();
    let report = |number: u8| {
        let case = phone.report(&number.to_string());
        (case, phone.attach(case, PhotoRole::Before, &[number; 1_000]))
    };
    let cases = (1..=reports).map(report).collect();
    (server, phone, cases)
}

fn held(phone: &Phone) -> Option<Leave> {
    phone.store.photos_held(phone.clock.now_wall()).unwrap()
}

fn arrived(server: &Server) -> usize {
    server.photos.values().filter(|(bytes, size)| bytes.len() as u64 == *size).count()
}

#[test]
fn originals_wait_for_wifi_while_text_and_previews_go() {
    let rules = DataRules { photos_on_wifi_only: true, ..DataRules::default() };
    let (mut server, mut phone, cases) = phone(Link::Metered, rules, 3);
    let summary = phone.sync_fine(&mut server);
    assert_eq!(summary.stop, Some(Stop::Held(Leave::WaitForWifi)));
    assert_eq!((summary.waiting.cases, summary.waiting.photos), (0, 3));
    assert!(cases.iter().all(|(case, _)| phone.is_on_server(*case)));
    assert_eq!((server.previews.len(), server.photos.len()), (3, 0), "photos are not even offered");
    assert_eq!(held(&phone), Some(Leave::WaitForWifi), "the screen says why");

    let asked = server.log.len();
    phone.sync_fine(&mut server);
    assert_eq!(server.log.len(), asked + 1, "an idle sync stays one request");

    assert!(phone.store.set_link(Link::Unmetered).unwrap());
    assert!(!phone.store.set_link(Link::Unmetered).unwrap(), "that is no news");
    assert!(phone.sync_fine(&mut server).drained);
    assert_eq!((arrived(&server), held(&phone)), (3, None));
}

#[test]
fn a_months_budget_is_passed_by_no_photo_and_the_next_month_has_its_own() {
    let rules = DataRules { monthly_bytes: Some(2_500), ..DataRules::default() };
    let (mut server, mut phone, _) = phone(Link::Metered, rules, 3);
    let summary = phone.sync_fine(&mut server);
    assert_eq!(summary.stop, Some(Stop::Held(Leave::BudgetUsed)));
    assert_eq!((server.previews.len(), arrived(&server)), (3, 2), "2,300 bytes; a third photo would be 3,300");
    assert_eq!(phone.store.data_plan(phone.clock.now_wall()).unwrap().used, 2_300);
    assert_eq!(held(&phone), Some(Leave::BudgetUsed));

    phone.clock.advance(31 * 86_400_000);
    assert_eq!(phone.store.data_plan(phone.clock.now_wall()).unwrap().used, 0);
    assert!(phone.sync_fine(&mut server).drained);
    assert_eq!(arrived(&server), 3);
}

#[test]
fn what_goes_over_wifi_counts_against_no_budget() {
    let rules = DataRules { monthly_bytes: Some(1), ..DataRules::default() };
    let (mut server, mut phone, _) = phone(Link::Unmetered, rules, 3);
    assert!(phone.sync_fine(&mut server).drained);
    assert_eq!(phone.store.data_plan(phone.clock.now_wall()).unwrap().used, 0);
}

#[test]
fn abroad_nothing_but_text_goes_by_itself_and_by_hand_previews_do() {
    let (mut server, mut phone, cases) = phone(Link::Roaming, DataRules::default(), 2);
    let summary = phone.sync_fine(&mut server);
    assert_eq!(summary.stop, Some(Stop::Held(Leave::WaitForWifi)));
    assert!(cases.iter().all(|(case, _)| phone.is_on_server(*case)));
    assert_eq!((server.previews.len(), server.photos.len()), (2, 0), "somebody asked by hand");
}

#[test]
fn previews_that_may_not_go_do_not_stand_in_the_way_of_photos_that_may() {
    let rules = DataRules { previews_on_mobile: false, ..DataRules::default() };
    let (mut server, mut phone, _) = phone(Link::Metered, rules, 40);
    assert!(phone.sync_fine(&mut server).drained, "although one request offers only 32");
    assert_eq!((server.previews.len(), arrived(&server)), (0, 40));
}

#[test]
fn text_is_tried_although_the_system_says_there_is_no_network() {
    let (mut server, mut phone, cases) = phone(Link::None, DataRules::default(), 1);
    let summary = phone.sync(&mut server, &mut |_, call| {
        assert!(!matches!(call, Call::Photo(_) | Call::Preview));
        Fate::Fine
    });
    assert_eq!(summary.stop, Some(Stop::Held(Leave::NoNetwork)));
    assert!(phone.is_on_server(cases[0].0));
}

#[test]
fn link_rules_and_use_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, Some(path.clone()));
    let rules = DataRules { monthly_bytes: Some(50_000), photos_on_wifi_only: false, previews_on_mobile: true };
    phone.store.set_link(Link::Metered).unwrap();
    phone.store.set_data_rules(&rules).unwrap();
    let case = phone.report("一");
    phone.attach(case, PhotoRole::Before, &[7; 1_000]);
    assert!(phone.sync_fine(&mut server).drained);
    let (now, before) = (phone.clock.now_wall(), phone.store.data_plan(phone.clock.now_wall()).unwrap());
    assert_eq!((before.link, before.rules, before.used), (Link::Metered, rules, 1_100));
    drop(phone);
    let entropy = std::sync::Arc::new(super::machine::Seeded::new(2));
    let store = xunge_client_core::store::Store::open(&path, entropy).unwrap();
    assert_eq!(store.data_plan(now).unwrap(), before);
}

#[test]
fn a_phone_says_how_old_the_oldest_is_of_what_stays_on_it_be_it_words_or_photos() {
    let rules = DataRules { photos_on_wifi_only: true, ..DataRules::default() };
    let (mut server, mut phone, _) = phone(Link::Metered, rules, 1);
    let saved = phone.clock.now_wall();
    phone.clock.advance(3_600_000);
    let young = phone.report("an hour later");
    phone.clock.advance(3_600_000);
    phone.sync(&mut server, &mut |_, _| Fate::Lost);
    phone.sync_fine(&mut server);
    let said = server.log.last().unwrap().waiting;
    assert_eq!((said.cases, said.photos, said.oldest), (0, 1, saved), "the photo is as old as its report");

    phone.store.set_link(Link::Unmetered).unwrap();
    assert!(phone.sync_fine(&mut server).drained);
    phone.sync_fine(&mut server);
    assert_eq!(server.log.last().unwrap().waiting, Default::default(), "nothing waits");

    server.poison.insert(young);
    phone.describe(young, "words that do not get through");
    let written = phone.clock.now_wall();
    phone.clock.advance(3_600_000);
    phone.sync_fine(&mut server);
    phone.sync_fine(&mut server);
    let said = server.log.last().unwrap().waiting;
    assert_eq!((said.cases, said.photos, said.oldest), (1, 0, written));
}
