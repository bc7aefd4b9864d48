//! What lies around a case: reports that may be of the same problem, and those that were found to be.

use std::collections::BTreeSet;

use xunge_client_core::model::{CaseId, Millis};
use xunge_client_core::workflow::{Member, State, Verb, VoidReason};

use super::case::Loaded;
use super::choices;
use super::fault::Fault;
use super::flash::short;
use super::look::Names;
use super::visit::Visit;
use super::words;
use crate::domain::cases::CaseItem;
use crate::domain::nearby::{self, Near};
use crate::domain::people;

/// A report that may be of the same problem, ready to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct NearLook {
    /// Address of its page.
    pub(crate) href: String,
    /// Its number, or the end of its id.
    pub(crate) no: String,
    /// Address of a small photo, with what it shows in words; none if no photo is here.
    pub(crate) photo: Option<(String, String)>,
    /// How far, and when it was received.
    pub(crate) line: String,
    /// Its state.
    pub(crate) state: String,
    /// Somebody's void of it waits and may still be taken back.
    pub(crate) held: bool,
    /// Who reported it.
    pub(crate) who: String,
    /// What was written.
    pub(crate) text: String,
    /// The button that voids this case as a repeat of it.
    pub(crate) repeat: Option<Repeat>,
}

/// A form that voids a case as a repeat of another.
#[derive(Debug, Clone)]
pub(crate) struct Repeat {
    /// Where it goes.
    pub(crate) action: String,
    /// Names and values it sends.
    pub(crate) fields: Vec<(&'static str, String)>,
}

/// A case that repeats this one.
#[derive(Debug, Clone)]
pub(crate) struct RepeatLook {
    /// Address of its page.
    pub(crate) href: String,
    /// Its number, or the end of its id.
    pub(crate) no: String,
    /// Who reported it, for which unit, when, and how it ended.
    pub(crate) line: String,
}

/// What lies around a case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Around {
    /// What is said of it beside the decision; empty if nothing is near.
    pub(crate) hint: String,
    /// Nearest first.
    pub(crate) near: Vec<NearLook>,
    /// Oldest first.
    pub(crate) repeats: Vec<RepeatLook>,
}

/// Looks around a case; `back` is where a form goes on.
pub(crate) async fn look(visit: &Visit, loaded: &Loaded, back: &str) -> Result<Around, Fault> {
    let (scope, item, facts) = (visit.scope.clone(), loaded.detail.item.clone(), loaded.detail.facts.clone());
    let read = visit.app.services.store.read::<_, Fault, _>(move |tx| {
        Box::pin(async move {
            let near = nearby::near(tx, &scope, &item, &facts).await?;
            let repeats = nearby::repeats(tx, &scope, item.id).await?;
            let reporters = near.iter().map(|it| &it.item).chain(&repeats).map(|it| it.reporter.clone());
            let names = people::names(tx, &reporters.collect::<BTreeSet<_>>()).await?;
            Ok((near, repeats, names))
        })
    });
    let (near, repeats, names) = read.await?;
    // What was found to be a repeat of this one is no question any more.
    let known: BTreeSet<CaseId> = repeats.iter().map(|it| it.id).collect();
    let questions = near.iter().filter(|it| !known.contains(&it.item.id));
    let near: Vec<NearLook> = questions.map(|it| near_look(visit, loaded, it, &names, back)).collect();
    Ok(Around {
        hint: match near.len() {
            0 => String::new(),
            n => visit.lang.fill("near.hint", &[("n", &n.to_string())]),
        },
        near,
        repeats: repeats.iter().map(|it| repeat_look(visit, it, &names)).collect(),
    })
}

fn number(item: &CaseItem) -> String {
    item.case_no.clone().unwrap_or_else(|| short(item.id))
}

fn reporter(visit: &Visit, item: &CaseItem, names: &Names) -> String {
    let name = names.get(&item.reporter).unwrap_or(&item.reporter);
    let unit = item.unit.as_deref().map(|unit| choices::place(&visit.directory, unit));
    unit.map_or_else(|| name.clone(), |unit| format!("{name}（{unit}）"))
}

fn near_look(visit: &Visit, loaded: &Loaded, near: &Near, names: &Names, back: &str) -> NearLook {
    let (lang, item, here) = (visit.lang, &near.item, &loaded.detail.item);
    let received = Millis(item.received_at);
    let text = item.text.lines().next().unwrap_or_default().to_owned();
    let may = loaded.detail.offers.contains(&Verb::Void) && item.state != State::Void.code();
    NearLook {
        href: format!("/cases/{}", item.id),
        no: number(item),
        photo: near.photo.map(|photo| {
            let alt = lang.fill("near.photo", &[("no", &number(item))]);
            (format!("/console/cases/{}/photos/{photo}", item.id), alt)
        }),
        line: lang
            .fill("near.line", &[("m", &format!("{:.0}", near.metres)), ("at", &words::when(received, visit.now))]),
        state: lang.word("state", &item.state),
        held: item.held_void.is_some(),
        who: reporter(visit, item, names),
        text,
        repeat: may.then(|| Repeat {
            action: format!("/cases/{}/act", here.id),
            fields: vec![
                ("verb", Verb::Void.code().to_owned()),
                ("version", here.version.to_string()),
                ("back", back.to_owned()),
                (Member::Reason.code(), VoidReason::Duplicate.code().to_owned()),
                (Member::MasterCaseId.code(), item.id.to_string()),
            ],
        }),
    }
}

fn repeat_look(visit: &Visit, item: &CaseItem, names: &Names) -> RepeatLook {
    let received = words::when(Millis(item.received_at), visit.now);
    let state = visit.lang.word("state", &item.state);
    let who = reporter(visit, item, names);
    let line = visit.lang.fill("near.repeat", &[("who", &who), ("at", &received), ("state", &state)]);
    RepeatLook { href: format!("/cases/{}", item.id), no: number(item), line }
}
