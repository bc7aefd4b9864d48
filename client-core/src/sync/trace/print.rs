//! A hash of what an engine wants, without what it is about.

use std::fmt::Write as _;

use crate::model::Sha256;
use crate::sync::effect::{Effect, Notice, Stop, Write};
use crate::wire::PhotoItem;

/// Hash of effects; photos are told apart by their `number`.
pub(super) fn print(effects: &[Effect], number: &mut dyn FnMut(&PhotoItem) -> u32) -> u32 {
    let mut text = String::new();
    for effect in effects {
        // Writing into a text can not fail.
        let _ = line(&mut text, effect, number);
        text.push('\n');
    }
    let full = Sha256::of(text.as_bytes());
    u32::from_be_bytes(full.as_bytes().first_chunk().copied().expect("32 bytes hold 4"))
}

fn line(text: &mut String, effect: &Effect, number: &mut dyn FnMut(&PhotoItem) -> u32) -> std::fmt::Result {
    match effect {
        Effect::Collect(room) => {
            let parked = (room.parked_cases.len(), room.parked_photos.len());
            write!(text, "collect {} {} {parked:?} {:?}", room.bytes, room.photos, room.counting)
        }
        Effect::Persist(Write::Sent(sent)) => write!(text, "sent {} {}", sent.counter, sent.cases.len()),
        Effect::Persist(Write::Answer(answer)) => write!(text, "answer {}", answer.counter),
        Effect::Persist(Write::Photos(photos)) => {
            let photos: Vec<_> = photos.iter().map(|(photo, bytes, whole)| (number(photo), *bytes, *whole)).collect();
            write!(text, "photos {photos:?}")
        }
        Effect::Persist(Write::PhotoRefused { item, code }) => write!(text, "refused {} {code}", number(item)),
        Effect::Persist(Write::Reference(_)) => text.write_str("reference"),
        Effect::Persist(Write::Blocked(code)) => write!(text, "blocked {code:?}"),
        Effect::Persist(Write::Attention { code, .. }) => write!(text, "attention {code}"),
        Effect::Send(sent) => write!(text, "send {} {:?} {}", sent.exchange, sent.kind, sent.bearer.is_some()),
        Effect::Upload(upload) => write!(text, "upload {} {} {}", number(&upload.item), upload.offset, upload.bytes),
        Effect::Sleep { until_ms } => write!(text, "sleep {until_ms}"),
        Effect::Notify(notice) => match notice {
            Notice::CasesChanged(cases) => write!(text, "changed {}", cases.len()),
            Notice::Refused(refused) => write!(text, "told of {}", refused.len()),
            Notice::PhotoSent(photo) => write!(text, "photo {}", number(&PhotoItem::Full(*photo))),
            Notice::ReferenceChanged => text.write_str("reference changed"),
            Notice::Drained => text.write_str("drained"),
            Notice::Waiting { until_ms } => write!(text, "waiting {until_ms}"),
            Notice::Blocked { code } => write!(text, "told blocked {code}"),
        },
        Effect::Finish(summary) => {
            let waiting = (summary.waiting.cases, summary.waiting.photos);
            let counts = (summary.exchanges, summary.cases_sent, summary.photos_sent, summary.received);
            let stop = summary.stop.as_ref().map(stop_code);
            write!(text, "finish {counts:?} {} {waiting:?} {} {stop:?}", summary.refused.len(), summary.drained)
        }
    }
}

/// Why a run ended; what the store said stays out of it.
fn stop_code(stop: &Stop) -> String {
    match stop {
        Stop::Store(_) => "store".to_owned(),
        other => format!("{other:?}"),
    }
}
