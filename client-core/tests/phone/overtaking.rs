//! Text does not wait for photos that are on their way.

use std::collections::VecDeque;

use xunge_client_core::driver::core::Outside;
use xunge_client_core::model::PhotoRole;
use xunge_client_core::sync::{Event, OutboundKind, Reason, Response, Upload, UploadEnd};

use super::server::Server;
use super::world::Phone;

/// Tells the phone something and answers its requests at once; what it begins to upload stays on its way.
fn tell(phone: &mut Phone, server: &mut Server, event: Event) -> (u32, Vec<Upload>) {
    let (mut exchanges, mut begun, mut left) = (0, Vec::new(), VecDeque::from(phone.step(event)));
    while let Some(next) = left.pop_front() {
        match next {
            Outside::Send(outbound) => {
                assert_eq!(outbound.kind, OutboundKind::Sync);
                exchanges += 1;
                let response = server.sync(&outbound.body);
                left.extend(phone.step(Event::Answered { exchange: outbound.exchange, response }));
            }
            Outside::Upload { upload, preview: None } => begun.push(upload),
            Outside::Upload { upload, preview: Some(whole) } => {
                let end = arrive(server, &upload, &whole[upload.offset as usize..]);
                left.extend(phone.step(Event::Uploaded { item: upload.item, end }));
            }
            Outside::Sleep { .. } | Outside::Finish(_) => {}
        }
    }
    (exchanges, begun)
}

fn arrive(server: &mut Server, upload: &Upload, bytes: &[u8]) -> UploadEnd {
    let (status, offset) = server.patch(upload.item, upload.offset, bytes);
    UploadEnd::Answered { response: Response { status, retry_after_ms: None, body: Vec::new() }, offset }
}

#[test]
fn a_report_saved_while_two_photos_are_on_their_way_is_confirmed_before_either_ends() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let first = phone.report("一");
    let photos = [1, 2, 3].map(|number| {
        let bytes = vec![number; 400_000];
        (phone.attach(first, PhotoRole::Before, &bytes), bytes)
    });
    let (_, mut on_their_way) = tell(&mut phone, &mut server, Event::Wake(Reason::Background));
    assert_eq!(on_their_way.len(), 2, "two photos, and neither ends from here on");

    for (number, text) in ["二", "三"].into_iter().enumerate() {
        let case = phone.report(text);
        let (exchanges, begun) = tell(&mut phone, &mut server, Event::Wake(Reason::Changed));
        assert_eq!(exchanges, 1, "report {number}: one request, at once");
        assert!(phone.is_on_server(case), "report {number} is confirmed");
        assert_eq!(begun, [], "nothing joins the two on the link");
    }

    // What was on its way goes on, and the third photo follows.
    while let Some(upload) = on_their_way.pop() {
        let (_, bytes) = photos.iter().find(|(photo, _)| *photo == upload.item.photo()).unwrap();
        let end = arrive(&mut server, &upload, bytes);
        let (_, begun) = tell(&mut phone, &mut server, Event::Uploaded { item: upload.item, end });
        on_their_way.extend(begun);
    }
    assert!(photos.iter().all(|(photo, bytes)| server.photos[photo].0 == *bytes));
}
