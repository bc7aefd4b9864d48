//! A case with more to say than one request holds says it in parts.

use crypto_box::SecretKey;
use xunge_client_core::client::{self, Config, Parts};
use xunge_client_core::doc::gate::{GateLimits, Policy, admit};
use xunge_client_core::doc::{Edit, FieldDoc};
use xunge_client_core::driver::core::Outside;
use xunge_client_core::model::{CaseId, Mode, Remark};
use xunge_client_core::store::Step;
use xunge_client_core::sync::{Event, Reason, Room, Sent};
use xunge_client_core::wire::{Bundle, Contents, limits};

use super::server::Server;
use super::world::{Phone, enrolment};

/// Room for text.
pub(super) fn room() -> Room {
    Room { bytes: 512 << 10, ..Room::default() }
}

/// So many remarks that hardly compress, six kilobytes each.
fn remarks(phone: &Phone, case: CaseId, n: usize) {
    let at = phone.clock.now_wall();
    let noise = |_| char::from_u32(0x4e00 + (phone.entropy.next() % 20_000) as u32).unwrap();
    let remark = |number: usize| {
        let text = (0..2_000).map(noise).collect();
        Edit::AddRemark(format!("01HGW2BBG0000000000000{number:04}"), Remark { text, at })
    };
    phone.act(case, &[Step::Edit((0..n).map(remark).collect())]);
}

/// Says something and writes it down as sent; nothing arrives.
fn say_into_the_void(phone: &Phone, case: CaseId, text: &str) {
    phone.describe(case, text);
    let batch = phone.store.collect(&room()).unwrap();
    phone.store.mark_sent(&Sent { counter: batch.counter + 1, cases: batch.cases }).unwrap();
}

#[test]
fn a_case_larger_than_a_request_arrives_in_parts_even_if_the_phone_dies_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, Some(folder.path().join("phone.db")));
    let case = phone.report("一");
    remarks(&phone, case, 60);
    // The first part is about to leave.
    let outside = phone.step(Event::Wake(Reason::Asked));
    assert!(matches!(outside.as_slice(), [Outside::Send(_)]));
    phone.reboot();
    let summary = phone.sync_fine(&mut server);
    assert!(summary.drained, "{summary:?}");
    assert!(server.log.len() > 2 && server.log.len() < 12, "{} requests", server.log.len());
    assert_eq!(server.cases[&case].doc.facts().0.remarks.len(), 60);
    assert_eq!(phone.store.detail(case).unwrap().unwrap().facts, server.cases[&case].doc.facts().0);
    phone.replay();
}

#[test]
fn a_report_was_taken_as_its_first_part_said() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    for number in 0..limits::CHANGES_PER_CASE {
        say_into_the_void(&phone, case, &number.to_string());
    }
    phone.act(case, &[Step::Edit(vec![Edit::ModeClaim(Some(Mode::SelfHandled))])]);
    assert!(phone.sync_fine(&mut server).drained);
    let frames: Vec<usize> = server.log.iter().flat_map(|up| &up.frames).map(|frame| frame.changes.len()).collect();
    assert_eq!(frames, [limits::CHANGES_PER_CASE, 1]);
    let (here, there) = (phone.store.detail(case).unwrap().unwrap(), &server.cases[&case]);
    assert_eq!(here.facts.mode_claim, Some(Mode::SelfHandled));
    let taken = there.ledger.as_ref().unwrap().mode_claim;
    assert_eq!((here.ledger.unwrap().mode_claim, taken), (Mode::Forwarded, Mode::Forwarded));
}

#[test]
fn no_change_leaves_the_phone_that_is_not_written_down() {
    let phone = Phone::new(&mut Server::new(), "wang", 1, None);
    let case = phone.report("一");
    for number in 0..63 {
        say_into_the_void(&phone, case, &number.to_string());
    }
    // More than one change holds.
    remarks(&phone, case, 14);
    let batch = phone.store.collect(&Room { bytes: 10 << 20, ..room() }).unwrap();
    let sent = batch.cases[0].changes.clone();
    assert!(batch.text_left && sent.len() == limits::CHANGES_PER_CASE, "{} changes", sent.len());
    phone.store.mark_sent(&Sent { counter: batch.counter + 1, cases: batch.cases }).unwrap();
    let stored = phone.store.freeze(case).unwrap().unwrap().changes;
    assert!(stored.len() > sent.len() && stored.starts_with(&sent));
}

#[test]
fn a_rescue_takes_all_of_a_case_however_much_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::new(&mut Server::new(), "wang", 1, Some(folder.path().join("phone.db")));
    let secret = SecretKey::from_bytes([7; 32]);
    let mut enrolled = enrolment(phone.device, "wang", 1);
    enrolled.server.sealing_key = hex::encode(secret.public_key().as_bytes());
    phone.store.enrolled(&enrolled).unwrap();
    let case = phone.report("一");
    for number in 0..80 {
        say_into_the_void(&phone, case, &number.to_string());
    }
    phone.describe(case, "说完了");
    remarks(&phone, case, 100);
    phone.reboot();
    let parts = Parts { clock: phone.clock.clone(), files: Some(phone.files.clone()), ..Parts::default() };
    let client = client::Phone::with_parts(Config::new(folder.path()), parts).unwrap();
    let written = client.rescue(&folder.path().join("bundle")).unwrap();
    assert_eq!((written.cases, written.files.len()), (1, 1));

    let bundle = Bundle::read(&std::fs::read(&written.files[0]).unwrap()).unwrap();
    let contents = bundle.open(&secret.to_bytes()).unwrap().contents().unwrap();
    let mut doc = FieldDoc::new();
    let policy =
        Policy { limits: GateLimits { max_document_bytes: 2 << 20, ..GateLimits::default() }, ..Policy::from_server() };
    for page in &contents.pages {
        let page = Contents::page(page).unwrap();
        for frame in &page.frames {
            let bodies: Vec<&[u8]> = frame.changes.iter().map(|body| body.as_slice()).collect();
            let admission = admit(&mut doc, &bodies, &policy);
            assert!(admission.rejected.is_empty() && admission.needs.is_empty(), "{admission:?}");
        }
    }
    let said = doc.facts().0;
    assert_eq!((said.description.as_str(), said.remarks.len()), ("说完了", 100));
    // A sync that works after all sends the same.
    let stored = phone.store.freeze(case).unwrap().unwrap();
    assert!(stored.fresh == 0 && stored.changes.iter().all(|(hash, _)| doc.knows(hash)));
}
