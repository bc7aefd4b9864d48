//! What the next page says once, carried over the redirect in a cookie.
//!
//! The cookie holds codes only, never words: whoever could plant one can at most choose among our own sentences.

use axum::http::{HeaderMap, HeaderValue};
use xunge_client_core::model::CaseId;
use xunge_client_core::workflow::Verb;

use super::cookie::{self, Keep};
use super::lang::Lang;
use super::page::Notice;
use super::register;
use super::saved::Told;

/// Seconds a browser may take to follow a redirect.
const KEEP_S: u32 = 60;

/// What is to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flash {
    /// A verb was done to a case, and the page shows the next one or the case itself.
    Done {
        /// What.
        verb: Verb,
        /// To which.
        case: CaseId,
        /// The next case is shown.
        next: bool,
    },
    /// A case was registered at the office.
    Registered {
        /// Which.
        case: CaseId,
        /// It was there already: the form had been sent before.
        again: bool,
    },
    /// A void was taken back.
    TakenBack {
        /// Of which case.
        case: CaseId,
    },
    /// A void could not be taken back any more.
    TooLate {
        /// Of which case.
        case: CaseId,
    },
    /// Something an administrator or somebody about themselves changed.
    Saved,
    /// Something was done with the lists kept under a name, or not.
    Kept(Told),
    /// Logged out.
    LoggedOut,
    /// The session is over.
    Expired,
}

impl Flash {
    /// For `Set-Cookie`.
    pub(crate) fn cookie(self) -> HeaderValue {
        let value = match self {
            Self::Done { verb, case, next } => format!("done.{}.{case}.{}", verb.code(), if next { "n" } else { "c" }),
            Self::Registered { case, again } => format!("born.{case}.{}", if again { "a" } else { "n" }),
            Self::TakenBack { case } => format!("back.{case}"),
            Self::TooLate { case } => format!("late.{case}"),
            Self::Saved => "saved".to_owned(),
            Self::Kept(told) => format!("list.{}", told.code()),
            Self::LoggedOut => "out".to_owned(),
            Self::Expired => "expired".to_owned(),
        };
        cookie::set(cookie::FLASH, &value, Keep::Seconds(KEEP_S))
    }

    /// What a request carries.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let mut parts = cookie::read(headers, cookie::FLASH)?.split('.');
        match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("saved", None, ..) => Some(Self::Saved),
            ("list", Some(told), None, _) => Told::from_code(told).map(Self::Kept),
            ("out", None, ..) => Some(Self::LoggedOut),
            ("expired", None, ..) => Some(Self::Expired),
            ("born", Some(case), Some(again), None) => {
                Some(Self::Registered { case: case.parse().ok()?, again: again == "a" })
            }
            ("back", Some(case), None, _) => Some(Self::TakenBack { case: case.parse().ok()? }),
            ("late", Some(case), None, _) => Some(Self::TooLate { case: case.parse().ok()? }),
            ("done", Some(verb), Some(case), Some(next)) => {
                Some(Self::Done { verb: Verb::from_code(verb)?, case: case.parse().ok()?, next: next == "n" })
            }
            _ => None,
        }
    }

    /// For `Set-Cookie` on the page that said it.
    pub(crate) fn spent() -> HeaderValue {
        cookie::set(cookie::FLASH, "", Keep::Forget)
    }

    /// In words.
    pub(crate) fn notice(self, lang: Lang) -> Notice {
        let to_case = |case: CaseId| (format!("/cases/{case}"), lang.say("stale.to_case").to_owned());
        let plain = |text: &str, way: &str| Notice { text: text.to_owned(), way: way.to_owned(), ..Notice::default() };
        match self {
            Self::Done { verb, case, next } => Notice {
                tone: "good",
                text: lang.fill("act.done", &[("verb", &lang.word("verb", verb.code())), ("case", &short(case))]),
                way: if next { lang.say("act.done_next").to_owned() } else { String::new() },
                link: next.then(|| to_case(case)),
            },
            Self::Registered { case, again } => Notice {
                tone: if again { "" } else { "good" },
                text: lang.fill(if again { "intake.again" } else { "intake.done" }, &[("case", &short(case))]),
                way: if again { String::new() } else { lang.say("intake.done_way").to_owned() },
                link: Some((register::PATH.to_owned(), lang.say("intake.another").to_owned())),
            },
            Self::TakenBack { case } => Notice {
                tone: "good",
                text: lang.fill("held.taken_back", &[("case", &short(case))]),
                way: lang.say("held.taken_back_way").to_owned(),
                link: Some(to_case(case)),
            },
            Self::TooLate { case } => Notice {
                tone: "bad",
                text: lang.fill("held.too_late", &[("case", &short(case))]),
                way: lang.say("held.too_late_way").to_owned(),
                link: Some(to_case(case)),
            },
            Self::Saved => Notice { tone: "good", ..plain(lang.say("admin.saved"), "") },
            Self::Kept(told) => Notice {
                tone: if told.is_good() { "good" } else { "bad" },
                ..plain(&lang.word("saved", told.code()), "")
            },
            Self::LoggedOut => plain(lang.say("login.ended"), ""),
            Self::Expired => plain(lang.say("login.expired"), lang.say("login.expired_way")),
        }
    }
}

/// The end of an id: its beginning is time and the same for all of a day.
pub(crate) fn short(case: CaseId) -> String {
    let id = case.to_string();
    format!("…{}", &id[id.len() - 6..])
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn sent(value: &str) -> Option<Flash> {
        let cookie = HeaderValue::from_str(&format!("{}={value}", cookie::FLASH)).unwrap();
        Flash::read(&HeaderMap::from_iter([(header::COOKIE, cookie)]))
    }

    #[test]
    fn what_was_to_be_said_survives_the_redirect() {
        let case = CaseId::from_bytes([7; 16]);
        for flash in [
            Flash::Done { verb: Verb::File, case, next: true },
            Flash::Registered { case, again: false },
            Flash::Registered { case, again: true },
            Flash::TakenBack { case },
            Flash::TooLate { case },
            Flash::Saved,
            Flash::Kept(Told::Taken),
            Flash::LoggedOut,
            Flash::Expired,
        ] {
            let cookie = flash.cookie();
            let value = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
            assert_eq!(sent(&value), Some(flash));
        }
    }

    #[test]
    fn nobody_can_make_a_page_say_words_of_theirs() {
        for value in [
            "",
            "done",
            "done.void",
            "done.evil.01HF0000000000000000000000.n",
            "done.void.<b>.n",
            "words",
            "out.x",
            "back",
            "late.x",
            "born.x.n",
            "born.01HF0000000000000000000000",
            "list.x",
        ] {
            assert_eq!(sent(value), None, "{value}");
        }
    }
}
