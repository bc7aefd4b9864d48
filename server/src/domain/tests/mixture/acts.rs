//! What people decide and ask for in a random district: mostly what is possible, with members that fit.

use xunge_client_core::model::{CaseId, Millis, Mode, PhotoHash};
use xunge_client_core::workflow::{Ledger, Level, Payload, Satisfaction, Verb, Verdict, offers};

use super::dice::Dice;
use crate::domain::ledger::row;
use crate::domain::uploads::Owner;
use crate::params;
use crate::testing::{District, LITTER, Phone};

const DAY: i64 = 86_400_000;

/// An office does something to a case.
pub(super) async fn decide(district: &District, dice: &mut Dice, phones: &[Phone]) {
    let cases = district.rows("SELECT id, ledger, office FROM case_row ORDER BY id").await;
    if cases.is_empty() {
        return;
    }
    let case = &cases[dice.roll(cases.len())];
    let (id, ledger) = (CaseId::from_bytes(case.array(0).unwrap()), row::ledger(case.text(1).unwrap()).unwrap());
    let office = case.text(2).unwrap();
    let handler = ledger.handler.as_ref().map(|unit| unit.as_str().to_owned());
    let (role, unit) = match dice.roll(10) {
        0..=4 => ("town_office", Some(office.to_owned())),
        5 => ("dispatcher", None),
        6 | 7 => ("handling_unit", handler),
        8 => ("duty_leader", None),
        _ => ("hotline", None),
    };
    let sql = "SELECT id FROM user_account WHERE role = ?1 AND (?2 IS NULL OR unit = ?2) ORDER BY id LIMIT 1";
    let found = district.rows_with(sql, params![role, unit].to_vec()).await;
    let Some(user) = found.first().map(|row| row.text(0).unwrap().to_owned()) else { return };
    let actor = district.viewer(&user).await.actor();
    let possible = offers(Some(&ledger), &actor);
    if possible.is_empty() {
        return;
    }
    if dice.roll(2) == 0 {
        district.photos_arrive(id).await;
    }
    let verb = dice.pick(&possible);
    let mut payload = payload(dice, verb, &ledger, phones, district.now());
    if verb == Verb::MergeDuplicate {
        payload.master_case_id = Some(CaseId::from_bytes(dice.pick(&cases).array(0).unwrap()));
    }
    if verb == Verb::Feedback {
        let sent = district.blob_arrives(b"swept", &Owner::User(user.clone()).key()).await;
        payload.photos = vec![sent];
    }
    // A refusal is as good: it has to leave nothing behind.
    let _ = district.act(&user, id, verb, payload).await;
}

/// An inspector asks for something on a case of the phone.
pub(super) async fn ask(district: &District, dice: &mut Dice, phones: &mut [Phone], at: usize) {
    let cases: Vec<CaseId> = phones[at].cases.keys().copied().collect();
    if cases.is_empty() {
        return;
    }
    let case = dice.pick(&cases);
    let sql = "SELECT ledger FROM case_row WHERE id = ?1";
    let known = district.rows_with(sql, params![case.as_bytes()].to_vec()).await;
    let Some(ledger) = known.first().map(|row| row::ledger(row.text(0).unwrap()).unwrap()) else { return };
    let actor = district.viewer(&phones[at].user).await.actor();
    let mut possible: Vec<Verb> = offers(Some(&ledger), &actor).into_iter().filter(|verb| verb.is_request()).collect();
    if possible.is_empty() || dice.roll(4) == 0 {
        possible = Verb::ALL.iter().copied().filter(|verb| verb.is_request()).collect();
    }
    let verb = dice.pick(&possible);
    let payload = payload(dice, verb, &ledger, phones, district.now());
    phones[at].ask(case, verb, &payload);
}

/// Members that fit the verb, mostly.
fn payload(dice: &mut Dice, verb: Verb, ledger: &Ledger, phones: &[Phone], now: Millis) -> Payload {
    let words = || Some("because".to_owned());
    let colleague = Some(phones[dice.roll(phones.len())].user.clone());
    let given = Payload::default();
    match verb {
        Verb::VerifySend | Verb::CheckSend | Verb::Handover => Payload { assignee: colleague, ..given },
        Verb::VerifyReply => {
            let verdict = Some(dice.pick(&[Verdict::Real, Verdict::NotFound]));
            Payload { verdict, photos: vec![PhotoHash::of(b"seen")], ..given }
        }
        Verb::CheckReply => {
            let verdict = Some(dice.pick(&[Verdict::Pass, Verdict::Pass, Verdict::Fail]));
            Payload { verdict, photos: vec![PhotoHash::of(b"seen")], ..given }
        }
        Verb::File => {
            let category = (dice.roll(2) == 0).then(|| LITTER.parse().unwrap());
            Payload { mode: Some(Mode::Forwarded), category, ..given }
        }
        Verb::Void => Payload { reason: Some("false_report".into()), ..given },
        Verb::SendBack => Payload { missing: words(), ..given },
        Verb::Submit | Verb::Answer | Verb::Uphold | Verb::Appeal => Payload { text: words(), ..given },
        Verb::Dispatch => {
            let handler = dice.pick(&["U640105-HW", "U640105-ZD"]).parse().ok();
            Payload { handler, due_at: Some(now.plus_ms(3 * DAY)), level: Some(Level::Normal), ..given }
        }
        Verb::AskExtend => {
            let due_at = Some(ledger.due_at.unwrap_or(now).max(now).plus_ms(DAY));
            Payload { reason: words(), due_at, text: words(), ..given }
        }
        Verb::Suspend => Payload { reason: words(), review_date: Some(now.local_day().plus_days(30)), ..given },
        Verb::Feedback => Payload { note: words(), ..given },
        Verb::Urge => Payload { urge_level: Some(1 + dice.roll(4) as u8), text: words(), ..given },
        Verb::Revisit => Payload { outcome: Some(dice.pick(Satisfaction::ALL)), ..given },
        Verb::RouteChange => Payload { mode: Some(dice.pick(Mode::ALL)), ..given },
        Verb::AskReturn
        | Verb::RefuseReturn
        | Verb::RefuseExtend
        | Verb::Defer
        | Verb::Rework
        | Verb::Reopen
        | Verb::Reinstate => Payload { reason: words(), ..given },
        _ => given,
    }
}
