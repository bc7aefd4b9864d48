//! Small pictures go ahead of photos, and never stand in their way.

use xunge_client_core::model::{PhotoHash, PhotoRole};

use super::server::Server;
use super::world::{Call, Fate, Phone};

/// Bytes of a photo that is worth a preview; the phone's preview of it are 100 times its first byte.
fn picture(number: u8) -> Vec<u8> {
    vec![number; 1_000]
}

fn is_shown(server: &Server, photo: &PhotoHash, number: u8) -> bool {
    server.previews.get(photo).is_some_and(|((held, _), name)| *held == [number; 100] && PhotoHash::of(held) == *name)
}

#[test]
fn previews_of_all_cases_arrive_before_the_first_photo() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let photos: Vec<PhotoHash> = (1..=40)
        .map(|number| {
            let case = phone.report(&format!("{number}"));
            phone.attach(case, PhotoRole::Before, &picture(number))
        })
        .collect();
    let mut order = Vec::new();
    let summary = phone.sync(&mut server, &mut |_, call| {
        match call {
            Call::Preview => order.push('v'),
            Call::Photo(_) => order.push('p'),
            _ => {}
        }
        Fate::Fine
    });
    assert!(summary.drained, "{summary:?}");
    let order: String = order.into_iter().collect();
    assert_eq!(order, format!("{}{}", "v".repeat(40), "p".repeat(40)), "although one request offers only 32");
    assert_eq!(summary.photos_sent, 40, "a preview is not counted as a photo");
    assert!(photos.iter().zip(1..).all(|(photo, number)| is_shown(&server, photo, number)));
    assert!(photos.iter().zip(1..).all(|(photo, number)| server.photos[photo].0 == picture(number)));
}

#[test]
fn a_broken_preview_goes_on_where_it_was_cut() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    let photo = phone.attach(case, PhotoRole::Before, &picture(7));
    let mut previews = 0;
    let summary = phone.sync(&mut server, &mut |_, call| {
        previews += u32::from(matches!(call, Call::Preview));
        // Half of it arrives, its answer does not.
        if matches!(call, Call::Preview) && previews == 1 { Fate::AnswerLost } else { Fate::Fine }
    });
    assert!(summary.drained, "{summary:?}");
    assert_eq!(previews, 2);
    assert!(is_shown(&server, &photo, 7));
}

#[test]
fn a_server_that_knows_no_previews_is_sent_the_photos() {
    let mut server = Server::new();
    server.takes_previews = false;
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    let photo = phone.attach(case, PhotoRole::Before, &picture(7));
    let summary = phone.sync_fine(&mut server);
    assert!(summary.drained, "{summary:?}");
    assert_eq!(server.photos[&photo].0, picture(7));
    let before = server.log.len();
    phone.sync_fine(&mut server);
    assert!(server.log[before..].iter().all(|up| up.photos.is_empty()), "it is not offered for ever");
}

#[test]
fn a_preview_that_is_refused_holds_nothing_up_and_bothers_nobody() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    let photo = phone.attach(case, PhotoRole::Before, &picture(7));
    // The server expects other bytes under this name: both tries fail their hash.
    server.previews.insert(photo, ((Vec::new(), 100), PhotoHash::of(b"other")));
    let summary = phone.sync_fine(&mut server);
    assert!(summary.drained, "{summary:?}");
    assert_eq!(server.photos[&photo].0, picture(7));
    assert_eq!(phone.attention(case), None);
    assert!(!is_shown(&server, &photo, 7));
}

#[test]
fn a_photo_hardly_larger_than_its_preview_goes_alone() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    let photo = phone.attach(case, PhotoRole::Before, &[7; 399]);
    assert!(phone.sync_fine(&mut server).drained);
    assert_eq!(server.photos[&photo].0.len(), 399);
    assert!(server.previews.is_empty());
}

#[test]
fn what_a_restored_server_lost_is_shown_early_again() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    let photo = phone.attach(case, PhotoRole::Before, &picture(7));
    // The link breaks for good after the preview.
    phone.sync(&mut server, &mut |_, call| if matches!(call, Call::Photo(_)) { Fate::Lost } else { Fate::Fine });
    assert!(is_shown(&server, &photo, 7));
    assert!(server.photos[&photo].0.is_empty());
    (server.photos, server.previews) = Default::default();
    server.epoch += 1;
    assert!(phone.sync_fine(&mut server).drained);
    assert!(is_shown(&server, &photo, 7));
}
