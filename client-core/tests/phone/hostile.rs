//! Pages of a damaged or hostile server: they never hurt the phone, and what was wrong is asked for again.

use xunge_client_core::model::{CaseId, Millis, PhotoRole};
use xunge_client_core::platform::{Entropy, random};

use super::machine::Seeded;
use super::server::Server;
use super::world::Phone;

const DAY: i64 = 86_400_000;

/// Two phones of one person: what one reports is news for the other.
fn pair(server: &mut Server, seed: u64) -> (Phone, Phone) {
    (Phone::new(server, "li", seed, None), Phone::new(server, "li", seed + 1, None))
}

fn shown(phone: &Phone, server: &Server) -> usize {
    let good = |case: &&CaseId| {
        phone.store.detail(**case).unwrap().is_some_and(|detail| detail.facts == server.cases[*case].doc.facts().0)
    };
    server.cases.keys().filter(|case| good(case)).count()
}

#[test]
fn a_bad_change_is_shown_left_out_and_fetched_again_while_the_rest_of_the_page_arrives() {
    let mut server = Server::new();
    let (mut one, mut two) = pair(&mut server, 1);
    two.sync_fine(&mut server);
    let cases: Vec<_> = (0..5).map(|n| one.report(&format!("report {n}"))).collect();
    one.sync_fine(&mut server);
    server.harm = Some(cases[2]);
    let summary = two.sync_fine(&mut server);
    assert!(summary.drained, "a bad page is no failure");
    assert_eq!(shown(&two, &server), 4);
    let hurt: Vec<_> = cases.iter().filter(|case| two.attention(**case).as_deref() == Some("news_damaged")).collect();
    assert_eq!(hurt.len(), 1, "the case is shown");
    let position = two.store.phone().unwrap().cursor;
    assert!(position > 0, "the cursor moved on");
    server.harm = None;
    for _ in 0..2 {
        server.now = Millis(server.now.0 + DAY);
        two.sync_fine(&mut server);
    }
    assert_eq!(shown(&two, &server), 5, "the next day's count asks for it again");
    assert!(cases.iter().all(|case| two.attention(*case).is_none()));
}

#[test]
fn no_page_of_nonsense_stops_a_phone() {
    let dice = Seeded::new(99);
    let (mut harmed, mut healed) = (0, 0);
    for round in 0..60 {
        let mut server = Server::new();
        let (mut one, mut two) = pair(&mut server, 10 + 2 * round);
        two.sync_fine(&mut server);
        let case = one.report("the first words");
        one.attach(case, PhotoRole::Before, b"picture");
        one.sync_fine(&mut server);
        one.describe(case, "other words");
        one.sync_fine(&mut server);
        server.nonsense = Some(random::<8>(&dice as &dyn Entropy));
        assert!(two.sync_fine(&mut server).drained, "round {round}");
        harmed += usize::from(shown(&two, &server) == 0);
        let own = two.report("what this phone has to say");
        assert!(two.sync_fine(&mut server).drained, "round {round}: a phone that was lied to still reports");
        assert!(two.is_on_server(own));
        server.nonsense = None;
        for _ in 0..3 {
            server.now = Millis(server.now.0 + DAY);
            two.sync_fine(&mut server);
        }
        // Nonsense that is a change of its own is believed: who writes is the server's to say.
        let is_whole = shown(&two, &server) == 2;
        assert!(is_whole || two.attention(case).is_none(), "round {round}: what was refused is asked for again");
        healed += usize::from(is_whole);
    }
    assert!(harmed > 20 && healed > 40, "{harmed} of 60 pages were refused in part, {healed} healed");
}
