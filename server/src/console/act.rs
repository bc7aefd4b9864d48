//! Doing something to a case (办理): from a form to the ledger and on to the next page.
//!
//! Every form carries the version its reader saw. If somebody decided meanwhile, nothing is done and a page says who
//! decided what. A form that is sent twice (a double click, a reload) is done once and answered twice: its
//! idempotency key is a hash of what it asks for. What is refused comes back with everything that was typed.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::Response;
use xunge_client_core::model::{CaseId, LocalDay, PhotoHash, Sha256};
use xunge_client_core::workflow::{Member, Payload, Refusal, Rule, Verb};

use super::case;
use super::fault::Fault;
use super::flash::Flash;
use super::forms::moment;
use super::lang::Lang;
use super::page::go;
use super::sent::{Sent, SentForm};
use super::visit::Visit;
use super::{link, meanwhile, review};
use crate::domain::commands::{self, CommandError, Key, Wish};
use crate::domain::held::{self, HoldError};

/// A form that was refused: what was typed, and what is wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// What was tried.
    pub(crate) verb: Verb,
    /// As typed.
    pub(crate) sent: Sent,
    /// Status of the answer.
    pub(crate) status: StatusCode,
    /// What is wrong with the whole.
    pub(crate) problem: String,
    /// The way out.
    pub(crate) way: String,
    /// What is wrong with single fields.
    pub(crate) fields: BTreeMap<Member, String>,
}

/// `POST /cases/{id}/act`.
pub(crate) async fn post(visit: Visit, Path(id): Path<String>, form: SentForm) -> Response {
    let answer = act(&visit, &id, form).await;
    visit.answer(answer)
}

async fn act(visit: &Visit, id: &str, form: SentForm) -> Result<Response, Fault> {
    visit.admit(&form)?;
    let SentForm(sent) = form;
    let case: CaseId = id.parse().map_err(|_| Fault::NotFound)?;
    let verb = Verb::from_code(sent.get("verb")).ok_or(Fault::BadRequest)?;
    let version = sent.parsed::<u32>("version").ok().flatten().ok_or(Fault::BadRequest)?;
    let (payload, fields) = read(visit.lang, verb, &sent);
    if !fields.is_empty() {
        let text = visit.lang.say("act.bad_value").to_owned();
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let attempt = Attempt { verb, sent, status, problem: text, way: String::new(), fields };
        return again(visit, case, attempt).await;
    }
    let wish = Wish { case, verb, expected_version: version, key: key(case, verb, version, &payload), payload };
    if verb == Verb::Void {
        return hold(visit, wish, sent).await;
    }
    match commands::execute(&visit.app.services, &visit.viewer, wish).await {
        Ok(_) => {
            let mut answer = on(visit, case, &sent);
            let next = is_queue(&sent);
            answer.headers_mut().append(header::SET_COOKIE, Flash::Done { verb, case, next }.cookie());
            Ok(answer)
        }
        Err(failed) => not_done(visit, case, version, verb, sent, failed).await,
    }
}

/// A void waits for ten seconds; the bar says so, so that nothing else has to.
async fn hold(visit: &Visit, wish: Wish, sent: Sent) -> Result<Response, Fault> {
    let (case, version, verb) = (wish.case, wish.expected_version, wish.verb);
    match held::hold(&visit.app.services, &visit.viewer, wish).await {
        Ok(()) => Ok(on(visit, case, &sent)),
        Err(HoldError::Other(other)) => {
            let text = super::held::said(visit, &other);
            let problem = visit.lang.fill("act.problem", &[("text", &text)]);
            let (status, way) = (StatusCode::CONFLICT, visit.lang.say("held.other_way").to_owned());
            again(visit, case, Attempt { verb, sent, status, problem, way, fields: BTreeMap::new() }).await
        }
        Err(HoldError::Command(failed)) => not_done(visit, case, version, verb, sent, failed).await,
    }
}

async fn not_done(
    visit: &Visit,
    case: CaseId,
    version: u32,
    verb: Verb,
    sent: Sent,
    failed: CommandError,
) -> Result<Response, Fault> {
    match failed {
        CommandError::NotFound => Err(Fault::NotFound),
        CommandError::KeyReused => Err(Fault::BadRequest),
        CommandError::Store(failed) => Err(failed.into()),
        CommandError::Refused(refusal) => refused(visit, case, version, verb, sent, refusal).await,
    }
}

/// The same wish has the same key: whoever presses twice is answered twice and it is done once.
pub(super) fn key(case: CaseId, verb: Verb, version: u32, payload: &Payload) -> Key {
    let wish = serde_json::to_vec(&(case, verb, version, payload)).expect("a wish is plain data");
    let body = Sha256::of(&wish);
    Key { key: format!("console-{}", &body.to_string()[..40]), route: format!("POST /cases/{case}/act"), body }
}

/// On to where the form came from: the queue shows the next case there, a case's page itself.
fn on(visit: &Visit, case: CaseId, sent: &Sent) -> Response {
    visit.desks.leave(&visit.viewer.user);
    let back = link::back(sent.get("back"));
    if is_queue(sent) { go(back) } else { go(&format!("/cases/{case}")) }
}

/// True for a form of the review queue.
fn is_queue(sent: &Sent) -> bool {
    link::back(sent.get("back")).starts_with("/review")
}

async fn refused(
    visit: &Visit,
    case: CaseId,
    version: u32,
    verb: Verb,
    sent: Sent,
    refusal: Refusal,
) -> Result<Response, Fault> {
    if refusal.current().is_some_and(|(_, current)| current != version) {
        return meanwhile::page(visit, case, version, verb, link::back(sent.get("back"))).await;
    }
    let (text, way) = match visit.lang {
        Lang::Zh => (refusal.zh(), refusal.hint_zh()),
        Lang::En => (refusal.en(), refusal.hint_en()),
    };
    let status = match refusal {
        Refusal::WrongRole { .. } | Refusal::NotYours | Refusal::Separation { .. } => StatusCode::FORBIDDEN,
        Refusal::WrongState { .. } => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let fields = refusal.field().map(|member| (member, text.clone())).into_iter().collect();
    let problem = visit.lang.fill("act.problem", &[("text", &text)]);
    again(visit, case, Attempt { verb, sent, status, problem, way: way.to_owned(), fields }).await
}

/// The page the form came from, with what was typed and what is wrong.
async fn again(visit: &Visit, case: CaseId, attempt: Attempt) -> Result<Response, Fault> {
    if is_queue(&attempt.sent) {
        let back = link::back(attempt.sent.get("back")).to_owned();
        review::again(visit, case, &back, &attempt).await
    } else {
        case::again(visit, case, &attempt).await
    }
}

/// Reads the members a verb takes. What can not be read is said per field; what is missing the workflow says.
fn read(lang: Lang, verb: Verb, sent: &Sent) -> (Payload, BTreeMap<Member, String>) {
    let rule = Rule::of(verb);
    let (mut payload, mut problems) = (Payload::default(), BTreeMap::new());
    for member in rule.required().iter().chain(rule.optional()).copied() {
        let Some(text) = sent.given(member.code()) else { continue };
        if take(&mut payload, member, text).is_none() {
            let key = if member == Member::DueAt { "act.bad_time" } else { "act.bad_value" };
            problems.insert(member, lang.say(key).to_owned());
        }
    }
    (payload, problems)
}

/// Puts a member into the payload; none if the text is not what the member takes.
fn take(payload: &mut Payload, member: Member, text: &str) -> Option<()> {
    use xunge_client_core::model::Mode;
    use xunge_client_core::workflow::{Level, Satisfaction, Verdict};
    let words = || Some(text.to_owned());
    match member {
        Member::Category => payload.category = Some(text.parse().ok()?),
        Member::Mode => payload.mode = Some(Mode::from_code(text)?),
        Member::Handler => payload.handler = Some(text.parse().ok()?),
        Member::Level => payload.level = Some(Level::from_code(text)?),
        Member::DueAt => payload.due_at = Some(moment(text)?),
        Member::Reason => payload.reason = words(),
        Member::Text => payload.text = words(),
        Member::Note => payload.note = words(),
        Member::Missing => payload.missing = words(),
        Member::Assignee => payload.assignee = words(),
        Member::Verdict => payload.verdict = Some(Verdict::from_code(text)?),
        Member::MasterCaseId => payload.master_case_id = Some(text.parse().ok()?),
        Member::UrgeLevel => payload.urge_level = Some(text.parse().ok()?),
        Member::ReviewDate => payload.review_date = Some(text.parse::<LocalDay>().ok()?),
        Member::Outcome => payload.outcome = Some(Satisfaction::from_code(text)?),
        Member::Grid => payload.grid = Some(text.parse().ok()?),
        Member::Photos => {
            let each = text.split([' ', ',', '，', '\n', '\r']).filter(|hash| !hash.is_empty());
            payload.photos = each.map(|hash| hash.parse::<PhotoHash>().ok()).collect::<Option<_>>()?;
        }
        // No form of an office has these.
        Member::CaseNo
        | Member::Facts
        | Member::ModeClaim
        | Member::CategoryClaim
        | Member::Unit
        | Member::Office
        | Member::Source
        | Member::DiscoveredAt
        | Member::Flags
        | Member::Reporter => return None,
    }
    Some(())
}
