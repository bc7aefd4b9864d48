//! What becomes of a photo when its upload fails, and who decides when it is given up.

use xunge_client_core::driver::core::Outside;
use xunge_client_core::model::{CaseId, PhotoHash, PhotoRole};
use xunge_client_core::sync::{DataRules, Event, Link, Reason, Response, Stop};
use xunge_client_core::wire::PhotoItem;

use super::server::{Server, problem};
use super::world::Phone;

/// A phone with one report and a photo so small that it has no preview.
fn phone(server: &mut Server) -> (Phone, CaseId, PhotoHash) {
    let phone = Phone::new(server, "wang", 1, None);
    let case = phone.report("一");
    let photo = phone.attach(case, PhotoRole::Before, b"photo");
    (phone, case, photo)
}

/// A photo that needs four pieces.
static LARGE: [u8; 200_000] = [7; 200_000];

fn stranger(status: u16) -> Response {
    Response { status, retry_after_ms: None, body: b"<html>Request Entity Too Large</html>".to_vec() }
}

fn busy(seconds: u64) -> Response {
    Response { retry_after_ms: Some(seconds * 1_000), ..problem(507, "disk_full") }
}

fn is_photo(left: &Outside) -> bool {
    matches!(left, Outside::Upload { upload, .. } if matches!(upload.item, PhotoItem::Full(_)))
}

fn nothing(_: &xunge_client_core::store::Store, _: &Outside) -> Option<Event> {
    None
}

#[test]
fn a_page_of_a_proxy_gives_no_photo_up() {
    for status in [400, 413, 415, 422] {
        let mut server = Server::new();
        let (mut phone, case, photo) = phone(&mut server);
        server.instead.insert(photo, [stranger(status), stranger(status)].into());
        let summary = phone.sync_fine(&mut server);
        assert_eq!((summary.waiting.photos, phone.attention(case)), (1, None), "{status}");
        assert!(phone.sync_fine(&mut server).drained, "{status}");
        assert_eq!(server.photos[&photo].0, b"photo");
        phone.replay();
    }
}

#[test]
fn a_photo_a_proxy_does_not_let_through_holds_up_no_other() {
    let mut server = Server::new();
    let (mut phone, case, photo) = phone(&mut server);
    (0..5).for_each(|number| {
        phone.attach(case, PhotoRole::After, &[number; 20]);
    });
    server.instead.insert(photo, vec![stranger(413); 9].into());
    let summary = phone.sync_fine(&mut server);
    assert_eq!((summary.photos_sent, summary.waiting.photos), (5, 1), "{summary:?}");
}

#[test]
fn the_servers_own_words_end_a_photo() {
    let mut server = Server::new();
    let (mut phone, case, photo) = phone(&mut server);
    server.instead.insert(photo, [problem(413, "photo_too_large")].into());
    assert_eq!(phone.sync_fine(&mut server).waiting.photos, 0);
    assert_eq!(phone.attention(case).as_deref(), Some("photo_too_large"));
}

#[test]
fn bytes_damaged_once_on_their_way_give_no_photo_up_whatever_else_went_wrong_before() {
    let mut server = Server::new();
    let (mut phone, case, photo) = phone(&mut server);
    server.instead.insert(photo, [problem(404, "upload_not_found"), problem(460, "photo_hash")].into());
    let summary = phone.sync_fine(&mut server);
    assert!(summary.drained, "{summary:?}");
    assert_eq!((phone.attention(case), server.photos[&photo].0.as_slice()), (None, b"photo".as_slice()));
}

#[test]
fn a_photo_the_system_does_not_give_out_now_is_sent_later() {
    let mut server = Server::new();
    let (mut phone, case, photo) = phone(&mut server);
    phone.files.lock(true);
    let summary = phone.sync_fine(&mut server);
    assert_eq!((summary.waiting.photos, phone.attention(case)), (1, None));
    assert_eq!(summary.stop, Some(Stop::Stalled));
    phone.files.lock(false);
    assert!(phone.sync_fine(&mut server).drained);
    assert_eq!(server.photos[&photo].0, b"photo");
    phone.replay();
}

#[test]
fn reports_go_on_while_the_server_asks_to_wait_with_photos() {
    let mut server = Server::new();
    let (mut phone, case, photo) = phone(&mut server);
    server.instead.insert(photo, [busy(300)].into());
    phone.live(&mut server, Event::Wake(Reason::Background), &mut nothing);
    assert!(phone.is_on_server(case));
    let other = phone.report("二");
    phone.attach(other, PhotoRole::Before, b"other");
    phone.live(&mut server, Event::Wake(Reason::Changed), &mut nothing);
    assert!(phone.is_on_server(other), "a report saved meanwhile does not wait");
    assert!(server.log.last().unwrap().photos.is_empty(), "and no photo goes with it");
    phone.clock.advance(290_000);
    phone.live(&mut server, Event::Tick, &mut nothing);
    assert_eq!(server.photos[&photo].0, b"", "as long as the server asked for");
    phone.clock.advance(100_000);
    phone.live(&mut server, Event::Tick, &mut nothing);
    assert_eq!(server.photos[&photo].0, b"photo");
    phone.replay();
}

#[test]
fn a_run_that_was_asked_for_says_that_the_server_asks_to_wait_and_nobody_is_waited_for_longer_than_an_hour() {
    let mut server = Server::new();
    let (mut phone, case, photo) = phone(&mut server);
    server.instead.insert(photo, [busy(86_400)].into());
    let summary = phone.sync_fine(&mut server);
    assert_eq!(summary.stop, Some(Stop::Busy { status: 507, retry_after_ms: Some(3_600_000) }));
    assert_eq!((summary.waiting.cases, summary.waiting.photos), (0, 1));
    assert!(phone.is_on_server(case));
    assert!(phone.sync_fine(&mut server).drained, "asked by hand, it tries at once");
}

#[test]
fn whoever_asked_waits_a_few_seconds_for_the_photos_that_are_left() {
    let mut server = Server::new();
    let (mut phone, case, photo) = phone(&mut server);
    (0..5).for_each(|number| {
        phone.attach(case, PhotoRole::After, &[number; 20]);
    });
    server.instead.insert(photo, [busy(5)].into());
    let summary = phone.sync_fine(&mut server);
    assert_eq!((summary.photos_sent, summary.waiting.photos), (5, 1), "{summary:?}");
}

#[test]
fn stopping_stops_a_photo_between_two_pieces() {
    let mut server = Server::new();
    let (mut phone, case, _) = phone(&mut server);
    let large = phone.attach(case, PhotoRole::After, &LARGE);
    let mut pieces = 0;
    phone.live(&mut server, Event::Wake(Reason::Background), &mut |_, left| {
        let of_large = matches!(left, Outside::Upload { upload, .. } if upload.item == PhotoItem::Full(large));
        pieces += u32::from(of_large);
        (of_large && pieces == 1).then_some(Event::Halt)
    });
    assert_eq!(pieces, 1);
    let photos = phone.store.detail(case).unwrap().unwrap().photos;
    assert!(photos.iter().any(|photo| photo.sha256 == large && photo.sent == 64 << 10), "{photos:?}");
    assert!(phone.sync_fine(&mut server).drained);
}

#[test]
fn a_photo_under_way_stops_where_its_rules_do_not_let_it_go_on() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let rules = DataRules { photos_on_wifi_only: true, ..DataRules::default() };
    phone.store.set_data_rules(&rules).unwrap();
    phone.store.set_link(Link::Unmetered).unwrap();
    let case = phone.report("一");
    let large = phone.attach(case, PhotoRole::Before, &LARGE);
    let mut pieces = 0;
    phone.live(&mut server, Event::Wake(Reason::Background), &mut |store, left| {
        pieces += u32::from(is_photo(left));
        let leaves_wifi = is_photo(left) && pieces == 1;
        leaves_wifi.then(|| {
            store.set_link(Link::Metered).unwrap();
            Event::Wake(Reason::Awake)
        })
    });
    assert_eq!((pieces, server.photos[&large].0.len()), (1, 64 << 10));
    phone.store.set_link(Link::Unmetered).unwrap();
    phone.live(&mut server, Event::Wake(Reason::Awake), &mut nothing);
    assert_eq!(server.photos[&large].0, LARGE);
}

#[test]
fn a_server_that_always_has_more_and_never_tells_it_is_asked_once_a_round() {
    let mut server = Server::new();
    server.endless = true;
    let (mut phone, case, _) = phone(&mut server);
    assert!(phone.sync_fine(&mut server).drained);
    assert!(phone.is_on_server(case) && phone.requests <= 4, "{} requests", phone.requests);
}
