//! More photos than a report may have, because two people took them without knowing of each other.

use xunge_client_core::driver::core::Outside;
use xunge_client_core::model::{CaseId, PhotoRole};
use xunge_client_core::sync::{Event, Reason, Sent};

use super::parts::room;
use super::server::Server;
use super::world::Phone;

/// Two phones of one person that know a report.
fn pair() -> (Server, Phone, Phone, CaseId) {
    let mut server = Server::new();
    let mut one = Phone::new(&mut server, "wang", 1, None);
    let mut two = Phone::new(&mut server, "wang", 2, None);
    let case = one.report("一");
    one.sync_fine(&mut server);
    two.sync_fine(&mut server);
    (server, one, two, case)
}

fn attach(phone: &Phone, case: CaseId, photos: std::ops::Range<u8>) {
    for number in photos {
        phone.attach(case, PhotoRole::Before, &[number; 100]);
    }
}

fn photos(server: &Server, case: CaseId) -> usize {
    server.cases[&case].doc.facts().0.photos.len()
}

#[test]
fn photos_a_case_has_no_room_for_are_shown_and_stop_neither_its_words_nor_other_cases() {
    let (mut server, mut one, mut two, case) = pair();
    attach(&one, case, 0..5);
    one.sync_fine(&mut server);
    // The news arrives while the other phone's photos are not sent yet.
    let outside = two.step(Event::Wake(Reason::Asked));
    let [Outside::Send(asked)] = outside.as_slice() else { panic!("{outside:?}") };
    attach(&two, case, 10..16);
    let response = server.sync(&asked.body);
    for outside in two.step(Event::Answered { exchange: asked.exchange, response }) {
        if let Outside::Send(sent) = outside {
            two.step(Event::Unanswered { exchange: sent.exchange });
        }
    }
    two.describe(case, "又说");
    let other = two.report("二");
    let summary = two.sync_fine(&mut server);
    assert_eq!(summary.waiting.cases, 0, "{summary:?}");
    assert!(two.is_on_server(other));
    assert_eq!((photos(&server, case), server.cases[&case].doc.facts().0.description.as_str()), (9, "又说"));
    assert_eq!(server.photos.len(), 9, "no photo is sent that no report names");
    let shown = two.store.detail(case).unwrap().unwrap();
    assert_eq!(shown.facts, server.cases[&case].doc.facts().0);
    assert_eq!(two.store.named_photos().unwrap().len(), 6, "the files of the others stay");
}

#[test]
fn the_inspector_hears_that_a_photo_found_no_room() {
    let (mut server, mut one, mut two, case) = pair();
    attach(&one, case, 0..5);
    one.sync_fine(&mut server);
    attach(&two, case, 10..16);
    two.sync_fine(&mut server);
    assert_eq!(photos(&server, case), 9, "those that fit are there");
    let item = two.store.detail(case).unwrap().unwrap().item;
    assert_eq!((item.attention.as_deref(), item.attention_field.as_deref()), (Some("too_many_photos"), Some("photos")));
    assert_eq!(two.store.unsent().unwrap().cases, 0);
}

#[test]
fn a_photo_taken_off_while_it_was_about_to_leave_is_not_sent() {
    let (mut server, _, mut two, case) = pair();
    let photo = two.attach(case, PhotoRole::Before, b"blurred");
    two.describe(case, "又说");
    let now = two.clock.now_wall();
    two.store.count_mobile_data(now, 1_000);
    let batch = two.store.collect(&room()).unwrap();
    two.act(case, &[xunge_client_core::store::Step::Detach(photo)]);
    assert!(two.store.mark_sent(&Sent { counter: batch.counter + 1, cases: batch.cases }).is_err(), "collect again");
    assert_eq!(two.store.data_plan(now).unwrap().used, 1_000, "what was spent stays counted");
    assert!(two.sync_fine(&mut server).drained);
    assert_eq!((photos(&server, case), server.cases[&case].doc.facts().0.description.as_str()), (0, "又说"));
}
