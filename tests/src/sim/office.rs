//! What offices do: verbs of the workflow's own table, sometimes on an old version, sometimes twice, sometimes two at once.

use xunge_client_core::model::{CaseId, LocalDay, Millis, Mode, Role, Sha256};
use xunge_client_core::workflow::{Level, Member, Payload, Rule, Satisfaction, Verb, Verdict, offers};
use xunge_server::domain::commands::{CommandError, Key, Reply, Wish};
use xunge_server::domain::ledger::Case;
use xunge_server::domain::people::Viewer;
use xunge_server::params;

use super::world::World;
use super::{Held, hold};

const DAY_MS: i64 = 86_400_000;
const HANDLERS: [&str; 3] = ["U640105-HW", "U640105-SZ", "U640105-JJ"];

impl World {
    /// An office looks at a case and decides something.
    pub(super) fn at_the_office(&mut self) -> Held {
        let Some((case, viewer, verb)) = self.something_to_decide() else { return Ok(()) };
        let version = case.ledger.version;
        let stale = self.dice.chance(80) && version > 1;
        let expected_version = if stale { version - 1 } else { version };
        let payload = self.payload(verb, &case, &viewer);
        let wish = self.wish(case.id, verb, expected_version, payload);
        let reply = self.decide(&viewer, &wish);
        hold(!(stale && reply.is_ok()), "nobody decides on an old version", || format!("{} {verb}", case.id))?;
        if let Ok(reply) = reply {
            if self.dice.chance(200) {
                self.repeat(&viewer, wish, &reply)?;
            } else if self.dice.chance(200) {
                self.second_office(&case)?;
            }
        }
        Ok(())
    }

    /// The answer was lost, the program asks again.
    fn repeat(&mut self, viewer: &Viewer, wish: Wish, first: &Reply) -> Held {
        let case = wish.case;
        let again = self.centre.execute(viewer, wish);
        let same = matches!(&again, Ok(again) if !again.fresh && again.body == first.body);
        hold(same, "a repeated command has the first answer", || format!("{case}: {again:?}"))
    }

    /// Another office decides on what it saw before the first one did.
    fn second_office(&mut self, before: &Case) -> Held {
        let viewers = self.offices_of(before);
        let viewer = self.dice.pick(&viewers).clone();
        let verbs = offers(Some(&before.ledger), &viewer.actor());
        if verbs.is_empty() {
            return Ok(());
        }
        let verb = *self.dice.pick(&verbs);
        let payload = self.payload(verb, before, &viewer);
        let wish = self.wish(before.id, verb, before.ledger.version, payload);
        let reply = self.decide(&viewer, &wish);
        hold(reply.is_err(), "the second of two offices is refused", || format!("{} {verb}", before.id))
    }

    pub(super) fn something_to_decide(&mut self) -> Option<(Case, Viewer, Verb)> {
        let cases = self.centre.cases();
        if cases.is_empty() {
            return None;
        }
        let id = *self.dice.pick(&cases);
        let case = self.centre.case(id).expect("it was listed");
        let viewers = self.offices_of(&case);
        let mut ways = Vec::new();
        for viewer in viewers {
            for verb in offers(Some(&case.ledger), &viewer.actor()) {
                // Anybody may urge, and nothing comes of it; a void ends the story.
                let weight = match verb {
                    Verb::Urge | Verb::Void | Verb::Handover | Verb::Defer | Verb::Suspend | Verb::AskReturn => 1,
                    _ => 5,
                };
                ways.extend(std::iter::repeat_n((viewer.clone(), verb), weight));
            }
        }
        let (viewer, verb) = if ways.is_empty() { None } else { Some(self.dice.pick(&ways).clone()) }?;
        Some((case, viewer, verb))
    }

    /// Everyone at a desk who sees the case.
    fn offices_of(&self, case: &Case) -> Vec<Viewer> {
        let mut users = vec!["dispatch-1".to_owned(), "leader-1".to_owned(), "hotline-1".to_owned()];
        let of = |unit: &str, role: Role| {
            let sql = "SELECT id FROM user_account WHERE unit = ?1 AND role = ?2 ORDER BY id LIMIT 1";
            let rows = self.centre.rows(sql, params![unit, role.code()].to_vec());
            rows.first().map(|row| row.text(0).unwrap().to_owned())
        };
        if let Some(office) = &case.ledger.office {
            users.extend(of(office.as_str(), Role::TownOffice));
        }
        if let Some(handler) = &case.ledger.handler {
            users.extend(of(handler.as_str(), Role::HandlingUnit));
        }
        users.iter().map(|user| self.centre.viewer(user)).collect()
    }

    pub(super) fn wish(&mut self, case: CaseId, verb: Verb, expected_version: u32, payload: Payload) -> Wish {
        let key = format!("{:016x}", self.dice.roll());
        let body =
            Sha256::of(format!("{verb} {expected_version} {}", serde_json::to_string(&payload).unwrap()).as_bytes());
        let key = Key { key, route: format!("POST /v1/cases/{case}/events"), body };
        Wish { case, verb, expected_version, payload, key }
    }

    pub(super) fn decide(&mut self, viewer: &Viewer, wish: &Wish) -> Result<Reply, CommandError> {
        let reply = self.centre.execute(viewer, wish.clone());
        let outcome = match &reply {
            Ok(_) => "done".to_owned(),
            Err(error) => error.to_string(),
        };
        let Wish { case, verb, expected_version, .. } = wish;
        self.note(format!("{} does {verb} on {case} at {expected_version}: {outcome}", viewer.user));
        reply
    }

    pub(super) fn payload(&mut self, verb: Verb, case: &Case, viewer: &Viewer) -> Payload {
        let mut payload = Payload::default();
        for member in Rule::of(verb).required() {
            self.give(&mut payload, *member, case, viewer);
        }
        match verb {
            Verb::File => payload.mode = Some(Mode::Forwarded),
            Verb::Void => payload.reason = Some("not_in_scope".to_owned()),
            Verb::AskExtend => payload.text = Some("申请书".to_owned()),
            _ => {}
        }
        payload
    }

    fn give(&mut self, payload: &mut Payload, member: Member, case: &Case, viewer: &Viewer) {
        let now = self.time.now();
        let words = || Some("请办理".to_owned());
        match member {
            Member::Handler => payload.handler = Some(self.dice.pick(&HANDLERS).parse().expect("a unit")),
            Member::Level => payload.level = Some(Level::Normal),
            Member::DueAt => {
                let due: Millis = case.ledger.due_at.unwrap_or(now).max(now);
                payload.due_at = Some(due.plus_ms(DAY_MS));
            }
            Member::Reason => payload.reason = words(),
            Member::Text => payload.text = words(),
            Member::Note => payload.note = words(),
            Member::Missing => payload.missing = words(),
            Member::Verdict => payload.verdict = Some(Verdict::Real),
            Member::Assignee => {
                let phone = self.any_phone();
                payload.assignee = Some(self.phones[phone].user.user.clone());
            }
            Member::UrgeLevel => payload.urge_level = Some(1 + self.dice.below(4) as u8),
            Member::ReviewDate => payload.review_date = Some(later(now)),
            Member::Outcome => payload.outcome = Some(*self.dice.pick(Satisfaction::ALL)),
            Member::MasterCaseId => {
                let cases = self.centre.cases();
                payload.master_case_id = Some(*self.dice.pick(&cases));
            }
            Member::Photos => {
                let bytes = self.dice.roll().to_be_bytes();
                payload.photos = vec![self.centre.office_photo(&viewer.user, &bytes)];
            }
            _ => {}
        }
    }
}

fn later(now: Millis) -> LocalDay {
    now.local_day().plus_days(20)
}
