//! A case under test, with everyone who may touch it at hand.

use super::*;

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;
/// 2023-11-01 08:00 in Asia/Shanghai.
pub(super) const START: Millis = Millis(1_698_768_000_000 + 8 * HOUR);

pub(super) fn code(text: &str) -> OrgCode {
    text.parse().unwrap()
}

pub(super) fn category() -> CategoryRef {
    "xixia-2023:event:0101".parse().unwrap()
}

pub(super) fn photos() -> Vec<PhotoHash> {
    vec![PhotoHash::from_bytes([7; 32])]
}

pub(super) fn user(name: &str, role: Role, unit: &str) -> Actor {
    Actor { user: name.to_owned(), role, unit: Some(code(unit)) }
}

/// The person who does this role's work in the stories; the inspector reports, the unit handles.
pub(super) fn actor(role: Role) -> Actor {
    match role {
        Role::Inspector => user("wang", role, "U-town"),
        Role::TownOffice => user("office", role, "U-town"),
        Role::Dispatcher => user("dispatcher", role, "U-centre"),
        Role::HandlingUnit => user("unit", role, "U-roads"),
        Role::DutyLeader => user("leader", role, "U-centre"),
        Role::Hotline => user("agent", role, "U-hotline"),
        Role::Auditor => user("auditor", role, "U-centre"),
        Role::Admin => user("admin", role, "U-centre"),
    }
}

/// One case: its events, the ledger kept up by `apply`, and what the caller would know.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) events: Vec<Event>,
    pub(super) ledger: Option<Ledger>,
    pub(super) context: Context,
}

impl Case {
    pub(super) fn new() -> Self {
        let context = Context {
            after_photo_present: true,
            claimed_category: Some(category()),
            case_no: Some("64010520231101000001".to_owned()),
            case_id: Some(CaseId::from_bytes([1; 16])),
            ..Context::at(START)
        };
        Self { events: Vec::new(), ledger: None, context }
    }

    /// A fresh report with this claim.
    pub(super) fn reported(claim: Mode) -> Self {
        let mut case = Self::new();
        case.does(Role::Inspector, Verb::Submit, Payload { mode_claim: Some(claim), ..Payload::default() });
        case
    }

    /// A forwarded case led to this state by the shortest way.
    pub(super) fn in_state(state: State) -> Self {
        let mut case = Self::reported(Mode::Forwarded);
        let way: &[Verb] = match state {
            State::Reported => &[],
            State::Verifying => &[Verb::VerifySend],
            State::Filed => &[Verb::File],
            State::Dispatched => &[Verb::File, Verb::Dispatch],
            State::Handling => &[Verb::File, Verb::Dispatch, Verb::Sign],
            State::Handled => &[Verb::File, Verb::Dispatch, Verb::Sign, Verb::Feedback],
            State::Rechecking => &[Verb::File, Verb::Dispatch, Verb::Sign, Verb::Feedback, Verb::CheckSend],
            State::Closed => &[
                Verb::File,
                Verb::Dispatch,
                Verb::Sign,
                Verb::Feedback,
                Verb::CheckSend,
                Verb::CheckReply,
                Verb::Close,
            ],
            State::Void => &[Verb::Void],
        };
        for verb in way {
            case.goes(*verb);
        }
        assert_eq!(case.ledger().state, state);
        case
    }

    pub(super) fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().expect("the case exists")
    }

    /// Tries a command; an accepted one takes effect.
    pub(super) fn tries(&mut self, actor: &Actor, command: &Command) -> Result<&Event, Refusal> {
        let event = decide(self.ledger.as_ref(), command, actor, &self.context)?;
        self.ledger = Some(apply(self.ledger.take(), &event).expect("decide makes events that apply takes"));
        self.events.push(event);
        Ok(self.events.last().expect("just pushed"))
    }

    /// The role's usual person does it, and may.
    pub(super) fn does(&mut self, role: Role, verb: Verb, payload: Payload) -> &Event {
        self.tries(&actor(role), &Command::new(verb, payload)).unwrap_or_else(|refusal| panic!("{verb}: {refusal:?}"))
    }

    /// What the role's usual person hears; nothing changes.
    pub(super) fn refuses(&self, role: Role, verb: Verb, payload: Payload) -> Refusal {
        self.refuses_to(&actor(role), &Command::new(verb, payload))
    }

    pub(super) fn refuses_to(&self, actor: &Actor, command: &Command) -> Refusal {
        decide(self.ledger.as_ref(), command, actor, &self.context).expect_err("this should be refused")
    }

    /// The first role of the table does it with an ordinary payload.
    pub(super) fn goes(&mut self, verb: Verb) -> &Event {
        let role = Rule::of(verb).roles[0];
        let payload = ordinary(verb, self.context.now);
        self.does(role, verb, payload)
    }

    pub(super) fn later(&mut self, ms: i64) {
        self.context.now = self.context.now.plus_ms(ms);
    }
}

/// A payload with every required member of the verb, and what its notes ask for.
pub(super) fn ordinary(verb: Verb, now: Millis) -> Payload {
    let mut payload = Payload::default();
    for member in Rule::of(verb).required() {
        give(&mut payload, *member, now);
    }
    match verb {
        Verb::Void => payload.reason = Some("not_in_scope".to_owned()),
        Verb::CheckReply => payload.verdict = Some(Verdict::Pass),
        Verb::AskExtend => payload.due_at = Some(now.plus_ms(9 * DAY)),
        Verb::MergeDuplicate => payload.master_case_id = Some(CaseId::from_bytes([2; 16])),
        Verb::RouteChange => payload.mode = Some(Mode::SelfHandled),
        Verb::Handover => payload.assignee = Some("li".to_owned()),
        _ => {}
    }
    payload
}

pub(super) fn give(payload: &mut Payload, member: Member, now: Millis) {
    let words = || Some("说明".to_owned());
    match member {
        Member::Category => payload.category = Some(category()),
        Member::Mode => payload.mode = Some(Mode::Forwarded),
        Member::Handler => payload.handler = Some(code("U-roads")),
        Member::Level => payload.level = Some(Level::Normal),
        Member::DueAt => payload.due_at = Some(now.plus_ms(3 * DAY)),
        Member::Reason => payload.reason = words(),
        Member::Text => payload.text = words(),
        Member::Note => payload.note = words(),
        Member::Photos => payload.photos = photos(),
        Member::Verdict => payload.verdict = Some(Verdict::Real),
        Member::Missing => payload.missing = words(),
        Member::MasterCaseId => payload.master_case_id = Some(CaseId::from_bytes([2; 16])),
        // The reporter, so that the usual inspector answers the task; of another unit than the one that handles.
        Member::Assignee => payload.assignee = Some("wang".to_owned()),
        Member::UrgeLevel => payload.urge_level = Some(1),
        Member::ReviewDate => payload.review_date = LocalDay::new(2024, 3, 1),
        Member::Outcome => payload.outcome = Some(Satisfaction::Satisfied),
        Member::CaseNo => payload.case_no = words(),
        Member::Facts => payload.facts = Some(Box::default()),
        Member::ModeClaim => payload.mode_claim = Some(Mode::Forwarded),
        Member::CategoryClaim => payload.category_claim = Some(category()),
        Member::Grid => payload.grid = Some(code("640105001002003")),
        Member::Unit => payload.unit = Some(code("U-town")),
        Member::Office => payload.office = Some(code("640105001")),
        Member::Source => payload.source = Some(Source::Inspector),
        Member::DiscoveredAt => payload.discovered_at = Some(now),
        Member::Flags => payload.flags = vec!["outside_grids".to_owned()],
        Member::Reporter => payload.reporter = Some("wang".to_owned()),
    }
}
