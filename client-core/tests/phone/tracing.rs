//! The flight recorder: what a phone did can be repeated without it.

use xunge_client_core::model::PhotoRole;
use xunge_client_core::sync::trace::{FILE, Happened, SEGMENT, Step, Trace, TraceFile, replay};
use xunge_client_core::wire::codec;

use super::server::Server;
use super::world::{Fate, Phone};

/// Weather by a number: some of everything.
fn rough(seed: u32) -> impl FnMut(u32, &super::world::Call) -> Fate {
    let mut dice = seed.wrapping_mul(0x9e37_79b9) | 1;
    move |_, _| {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match dice >> 28 {
            0 | 1 => Fate::Lost,
            2 | 3 => Fate::AnswerLost,
            4 => Fate::Twice,
            5 => Fate::Damaged,
            _ => Fate::Fine,
        }
    }
}

#[test]
fn what_was_recorded_is_repeated_step_by_step() {
    let mut steps = 0;
    for seed in 0..30 {
        let mut server = Server::new();
        server.reference = u64::from(seed % 2);
        let mut phone = Phone::new(&mut server, "li", 100 + u64::from(seed), None);
        for round in 0..4 {
            for number in 0..seed % 5 {
                let case = phone.report(&format!("report {round} {number} {}", "text ".repeat(seed as usize * 9)));
                phone.attach(case, PhotoRole::Before, format!("{seed} {round} {number}").as_bytes());
            }
            if seed == 7 {
                server.poison.extend(phone.store.status_items().unwrap().iter().map(|item| item.id));
            }
            phone.sync(&mut server, &mut rough(seed * 4 + round));
            server.now = xunge_client_core::model::Millis(server.now.0 + 86_400_000);
        }
        steps += phone.replay().0;
    }
    assert!(steps > 600, "{steps} steps");
}

#[test]
fn a_recorder_that_began_anew_at_a_rest_is_repeated_from_there() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "li", 1, None);
    let mut file = TraceFile::default();
    let mut anew = 0;
    for round in 0..600 {
        if round % 7 == 0 {
            phone.report(&format!("report {round}"));
        }
        phone.sync(&mut server, &mut rough(round));
        let (segment, began) = phone.segment();
        if began {
            file = file.with(segment);
            anew += 1;
        }
    }
    file = file.with(phone.segment().0);
    assert!(anew >= 2, "{anew}");
    let bytes = file.to_bytes();
    assert!(bytes.len() <= FILE && bytes.len() > SEGMENT, "{}", bytes.len());
    let traces = TraceFile::read(&bytes).unwrap().traces().unwrap();
    assert!(traces.len() >= 2 && traces[1].rest.is_some());
    for trace in &traces {
        assert!(replay(trace).unwrap() > 0);
    }
}

#[test]
fn a_trace_of_another_engine_is_told_apart() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "li", 1, None);
    phone.report("one");
    phone.sync_fine(&mut server);
    let mut trace: Trace = codec::decode(&phone.segment().0).unwrap();
    let at = trace.steps.len() - 1;
    let mut step: Step = codec::decode(&trace.steps[at]).unwrap();
    step.happened = Happened::Tick;
    trace.steps[at] = codec::encode(&step).into();
    assert!(replay(&trace).is_err());
}

#[test]
fn a_trace_holds_nothing_of_what_was_reported() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "inspector-of-the-third-street", 1, None);
    let case = phone.report("the words of the report");
    phone.sync_fine(&mut server);
    let (bytes, _) = phone.segment();
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(!holds(b"words") && !holds(b"street") && !holds(case.as_bytes()) && !holds(phone.device.as_bytes()));
    assert!(bytes.len() < 1_000, "{} bytes for one sync", bytes.len());
}
