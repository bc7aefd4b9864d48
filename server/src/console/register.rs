//! Registering a case that is born at the office (登记案件: 热线受理, 领导交办, 媒体曝光): a form and one press.
//!
//! The form has a number of its own, in its address. The case gets its id from that number and from who is logged in, so
//! whoever presses twice, or goes back and presses again, is told which case it is. What another system numbered already
//! is named and not registered again. What is refused comes back with everything that was typed.
//!
//! Callers' names and numbers are not taken here.

mod form;
mod read;

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::Response;
use xunge_client_core::model::{CaseId, Millis, Sha256, Ulid};

use super::attach;
use super::fault::Fault;
use super::flash::{Flash, short};
use super::lang::Lang;
use super::link;
use super::page::{Notice, go};
use super::sent::{Sent, SentForm};
use super::visit::Visit;
use crate::domain::intake::office::{self, RegisterError};
use crate::entropy;

/// Address of the page.
pub(crate) const PATH: &str = "/register";

/// What is wrong with single fields, by their names.
type Problems = BTreeMap<&'static str, String>;

/// Why a form is shown again.
#[derive(Debug, Default)]
struct Refused {
    status: StatusCode,
    notice: Notice,
    fields: Problems,
}

/// `GET /register`: on to a form of its own, which stays the same form when somebody goes back to it or reloads it.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = clerk(&visit).map(|()| match query.parsed("form") {
        Ok(Some(number)) => form::page(&visit, &Sent::default(), number, Refused::default()),
        _ => go(&link::with(PATH, [("form", &*fresh(visit.now).to_string())])),
    });
    visit.answer(answer)
}

/// `POST /register`.
pub(crate) async fn post(visit: Visit, request: Request) -> Response {
    let answer = register(&visit, request).await;
    visit.answer(answer)
}

/// Lets only those in who may register.
fn clerk(visit: &Visit) -> Result<(), Fault> {
    if visit.registers() { Ok(()) } else { Err(Fault::Role) }
}

/// The number of a new form.
fn fresh(now: Millis) -> Ulid {
    Ulid::from_parts(now, entropy::fill())
}

/// The case a form becomes. Nobody can aim it at a case that is there: half of it is a hash.
fn case_of(user: &str, number: Ulid) -> CaseId {
    let mut id = *number.as_bytes();
    let hash = Sha256::of(format!("{PATH}\n{user}\n{number}").as_bytes());
    id[6..].copy_from_slice(&hash.as_bytes()[..10]);
    CaseId::from_bytes(id)
}

async fn register(visit: &Visit, request: Request) -> Result<Response, Fault> {
    clerk(visit)?;
    let SentForm(sent) = attach::form(visit, request).await?;
    let number: Ulid = sent.parsed("form").ok().flatten().ok_or(Fault::BadRequest)?;
    let case = case_of(&visit.viewer.user, number);
    let registration = match read::registration(visit, &sent, case, number) {
        Ok(registration) => registration,
        Err(fields) => return Ok(form::page(visit, &sent, number, form::to_correct(visit.lang, fields))),
    };
    match office::register(&visit.app.services, &visit.viewer, registration).await {
        Ok(reply) => {
            let mut answer = go(&format!("/cases/{case}"));
            let said = Flash::Registered { case, again: !reply.fresh };
            answer.headers_mut().append(header::SET_COOKIE, said.cookie());
            Ok(answer)
        }
        Err(failed) => refused(visit, &sent, case, number, failed),
    }
}

fn refused(visit: &Visit, sent: &Sent, case: CaseId, number: Ulid, failed: RegisterError) -> Result<Response, Fault> {
    let lang = visit.lang;
    let again = |number, refused| Ok(form::page(visit, sent, number, refused));
    match failed {
        RegisterError::Missing { field } => again(number, form::to_correct(lang, read::missing(lang, field))),
        RegisterError::Invalid { field } => again(number, form::to_correct(lang, read::invalid(lang, &field))),
        RegisterError::Retired => again(number, form::to_correct(lang, read::retired(lang))),
        RegisterError::Known { case } => {
            let text = lang.fill("intake.known", &[("number", sent.get("number")), ("case", &short(case))]);
            let fields = Problems::from([("number", text.clone())]);
            again(number, Refused { fields, ..conflict(visit, case, text, "") })
        }
        // A new number: if it is meant, the next press registers another case.
        RegisterError::KeyReused => {
            let text = lang.fill("intake.used", &[("case", &short(case))]);
            again(fresh(visit.now), conflict(visit, case, text, lang.say("intake.used_way")))
        }
        RegisterError::OutsideScope => again(number, whole(lang.say("intake.outside").to_owned())),
        RegisterError::Refused(refusal) => {
            let text = match lang {
                Lang::Zh => refusal.zh(),
                Lang::En => refusal.en(),
            };
            again(number, whole(lang.fill("act.problem", &[("text", &text)])))
        }
        RegisterError::Store(failed) => Err(failed.into()),
    }
}

/// Something is wrong with the whole.
fn whole(text: String) -> Refused {
    let notice = Notice { tone: "bad", text, ..Notice::default() };
    Refused { status: StatusCode::UNPROCESSABLE_ENTITY, notice, fields: Problems::new() }
}

/// It is a case already.
fn conflict(visit: &Visit, case: CaseId, text: String, way: &str) -> Refused {
    let link = Some((format!("/cases/{case}"), visit.lang.say("stale.to_case").to_owned()));
    let notice = Notice { tone: "bad", text, way: way.to_owned(), link };
    Refused { status: StatusCode::CONFLICT, notice, fields: Problems::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_one_case_and_nobody_else_s() {
        let number = Ulid::from_parts(Millis(1_700_000_000_000), [7; 10]);
        let case = case_of("hotline-1", number);
        assert_eq!(case, case_of("hotline-1", number));
        assert_ne!(case, case_of("hotline-2", number));
        assert_ne!(case, case_of("hotline-1", fresh(Millis(1_700_000_000_000))));
        assert_eq!(case.to_string()[..10], number.to_string()[..10], "it sorts by when the form was opened");
        assert_ne!(case.as_bytes(), number.as_bytes());
    }
}
