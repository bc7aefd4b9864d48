//! The forms of a case: one per verb its reader could use, its fields read off the workflow's table.

use xunge_client_core::model::{CategoryRef, LocalDay, Millis, Mode, OrgCode, PhotoHash};
use xunge_client_core::workflow::{Level, Member, Rule, Satisfaction, Verb};

use super::act::Attempt;
use super::choices::{self, ungrouped};
use super::field::{Choice, Field, Group, Kind, VerbForm};
use super::lang::Lang;
use super::suggested;
use super::visit::Visit;
use crate::domain::cases::CaseDetail;
use crate::domain::clocks;
use crate::domain::people::Colleague;
use crate::domain::void_reasons::Reason;
use crate::reference::org::UnitKind;
use crate::reference::taxonomy::XIXIA;

/// What forms are made from.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    /// Who reads them.
    pub(crate) visit: &'a Visit,
    /// The case.
    pub(crate) detail: &'a CaseDetail,
    /// Who a task can go to.
    pub(crate) inspectors: &'a [Colleague],
    /// Where to go on afterwards.
    pub(crate) back: &'a str,
    /// What was tried just now and refused.
    pub(crate) attempt: Option<&'a Attempt>,
}

/// Verbs the review page shows, in its order, with their access keys: initials of 通过, 立案, 作废, 补充.
const REVIEW: [(Verb, &str); 4] =
    [(Verb::ApproveSelfHandled, "t"), (Verb::File, "l"), (Verb::Void, "z"), (Verb::SendBack, "b")];

impl Bench<'_> {
    /// The four decisions of a review, as far as they are open.
    pub(crate) fn review(&self) -> Vec<VerbForm> {
        let open = REVIEW.iter().filter(|(verb, _)| self.detail.offers.contains(verb));
        open.map(|(verb, key)| VerbForm { key, ..self.form(*verb) }).collect()
    }

    /// Everything the reader could do. What only a phone does is left to phones.
    pub(crate) fn all(&self) -> Vec<VerbForm> {
        let at_a_desk = |verb: &&Verb| !verb.is_request() || **verb == Verb::Handover;
        self.detail.offers.iter().filter(at_a_desk).map(|verb| self.form(*verb)).collect()
    }

    /// The form of one verb.
    pub(crate) fn form(&self, verb: Verb) -> VerbForm {
        let (lang, rule) = (self.visit.lang, Rule::of(verb));
        let attempt = self.attempt.filter(|attempt| attempt.verb == verb);
        let required = rule.required().iter().map(|member| (*member, true));
        let optional = rule.optional().iter().map(|member| (*member, false));
        let shown = required.chain(optional).filter(|(member, needed)| *needed || self.shows(verb, *member));
        let title = lang.word("verb", verb.code());
        let overrules = verb == Verb::File && self.detail.ledger.mode_claim == Mode::SelfHandled;
        let fields: Vec<Field> = shown.map(|(member, needed)| self.field(verb, member, needed, attempt)).collect();
        let form = VerbForm {
            action: format!("/cases/{}/act", self.detail.item.id),
            verb: verb.code(),
            version: self.detail.item.version,
            back: self.back.to_owned(),
            // What one press does needs no "confirm".
            button: if fields.is_empty() { title.clone() } else { lang.fill("act.confirm", &[("verb", &title)]) },
            title,
            tone: match verb {
                Verb::ApproveSelfHandled | Verb::File | Verb::Dispatch | Verb::Sign | Verb::Feedback | Verb::Close => {
                    "main"
                }
                Verb::Void => "grave",
                _ => "",
            },
            key: "",
            open: attempt.is_some(),
            warning: if overrules { lang.say("act.file_self_warning").to_owned() } else { String::new() },
            problem: attempt.map(|attempt| attempt.problem.clone()).unwrap_or_default(),
            way: attempt.map(|attempt| attempt.way.clone()).unwrap_or_default(),
            fields,
        };
        // Files come by a way of their own.
        let action = if form.has_photos() { format!("{}/photos", form.action) } else { form.action.clone() };
        VerbForm { action, ..form }
    }

    /// Which of the optional members a form offers. Fewer fields, faster decisions: places are corrected by the few
    /// who do so through the case's own programs.
    fn shows(&self, verb: Verb, member: Member) -> bool {
        match (verb, member) {
            // Approving is one press, as long as there is a category to approve.
            (Verb::ApproveSelfHandled, Member::Category) => self.category().is_none(),
            (Verb::ApproveSelfHandled, _) | (_, Member::Grid | Member::Photos) => false,
            _ => true,
        }
    }

    fn category(&self) -> Option<CategoryRef> {
        let ledger = &self.detail.ledger;
        let claim = self.detail.facts.category_claim.clone();
        let current = ledger.category.clone().or(claim).or_else(|| ledger.category_claim.clone());
        current.filter(|key| self.visit.directory.category(key).is_some())
    }

    fn field(&self, verb: Verb, member: Member, required: bool, attempt: Option<&Attempt>) -> Field {
        let lang = self.visit.lang;
        let sent = attempt.map(|attempt| attempt.sent.get(member.code()).to_owned());
        let value = sent.unwrap_or_else(|| self.default(verb, member));
        let kind = self.kind(verb, member, required, &value);
        let value = if kind == Kind::Photos { hashes(&value) } else { value };
        let sent_before = kind == Kind::Photos && !value.is_empty();
        Field {
            id: format!("{}-{}", verb.code().replace('_', "-"), member.code().replace('_', "-")),
            name: member.code().to_owned(),
            label: match (verb, member) {
                (Verb::Void, Member::Reason) => lang.say("case.void_reason").to_owned(),
                _ => lang.word("member", member.code()),
            },
            kind,
            required: required && !sent_before,
            optional: lang.say("act.optional"),
            hint: self.hint(verb, member, &value),
            problem: attempt.and_then(|attempt| attempt.fields.get(&member)).cloned().unwrap_or_default(),
            value,
        }
    }

    fn hint(&self, verb: Verb, member: Member, value: &str) -> String {
        let lang = self.visit.lang;
        let key = match (verb, member) {
            (_, Member::Photos) if !value.is_empty() => {
                let sent = value.split(' ').count().to_string();
                return lang.fill("act.photos_sent", &[("n", &sent)]);
            }
            (Verb::Dispatch, Member::Handler) => return suggested::words(self.visit, self.detail.suggestion.as_ref()),
            (_, Member::Level) => "act.level_hint",
            (Verb::Dispatch, Member::DueAt) => "act.due_hint",
            (Verb::File, Member::Handler) => "act.handler_hint",
            (_, Member::Missing) => "act.missing_hint",
            (Verb::Void, Member::Text) => "act.text_hint",
            (_, Member::MasterCaseId) => "act.master_hint",
            (_, Member::Photos) => "act.photos_hint",
            (_, Member::Note) => "act.note_hint",
            _ => return String::new(),
        };
        lang.say(key).to_owned()
    }

    /// What a field holds before anybody touched it.
    fn default(&self, verb: Verb, member: Member) -> String {
        let ledger = &self.detail.ledger;
        match (verb, member) {
            (_, Member::Category) => self.category().map(|key| key.to_string()).unwrap_or_default(),
            (Verb::File, Member::Mode) => Mode::Forwarded.code().to_owned(),
            (_, Member::Level) => ledger.level.code().to_owned(),
            (Verb::Dispatch, Member::Handler) => self.suggested().map(ToString::to_string).unwrap_or_default(),
            (Verb::Dispatch, Member::DueAt) => self.handling_due(),
            (Verb::ApproveExtend, Member::DueAt) => {
                // What was asked for, unless it has passed meanwhile; left out it counts all the same.
                let asked = ledger.ask.as_ref().and_then(|ask| ask.due_at).filter(|due| *due > self.visit.now);
                asked.map(typed).unwrap_or_default()
            }
            (_, Member::UrgeLevel) => "1".to_owned(),
            _ => String::new(),
        }
    }

    /// The unit the case should go to, as far as anybody knows.
    fn suggested(&self) -> Option<&OrgCode> {
        self.detail.suggestion.as_ref().map(|suggestion| &suggestion.unit)
    }

    /// The deadline the district's limits give the suggested unit; empty where no rule says anything.
    fn handling_due(&self) -> String {
        let (visit, ledger, category) = (self.visit, &self.detail.ledger, self.category());
        let (services, handler) = (&visit.app.services, self.suggested());
        let due = clocks::handling_due(services, &visit.directory, category.as_ref(), ledger.level, handler, visit.now);
        due.map(typed).unwrap_or_default()
    }

    fn kind(&self, verb: Verb, member: Member, required: bool, value: &str) -> Kind {
        let (lang, directory) = (self.visit.lang, &self.visit.directory);
        let first = || Choice::new("", lang.say("act.choose"), value);
        let coded = |group: &str, codes: &[&str]| -> Vec<Choice> {
            codes.iter().map(|code| Choice::new(*code, lang.word(group, code), value)).collect()
        };
        match member {
            Member::Mode => Kind::Hidden,
            Member::Category => {
                let scheme = self.category().map_or(XIXIA.to_owned(), |key| key.scheme);
                let first = value.is_empty().then(first);
                Kind::Choice(choices::categories(directory, &scheme, first, false, value))
            }
            Member::Handler => {
                Kind::Choice(choices::units(directory, |kind| kind == UnitKind::Handling, first(), value))
            }
            Member::Level => Kind::Radio(coded("level", &Level::ALL.iter().map(|it| it.code()).collect::<Vec<_>>())),
            Member::UrgeLevel => Kind::Radio(coded("urge", &["1", "2", "3", "4"])),
            Member::Outcome => {
                Kind::Radio(coded("satisfaction", &Satisfaction::ALL.iter().map(|it| it.code()).collect::<Vec<_>>()))
            }
            Member::Reason if verb == Verb::Void => {
                let choice = |reason: &Reason| Choice::new(&*reason.key, reason_words(lang, reason), value);
                // All in sight: one press instead of two, and a digit for each of the first nine.
                let key = |n: usize| if n < 10 { n.to_string() } else { String::new() };
                let numbered = directory.void_reasons().offered().map(choice).zip(1..);
                Kind::Radio(numbered.map(|(choice, n)| Choice { key: key(n), ..choice }).collect())
            }
            Member::Assignee => Kind::Choice(self.people(first(), value)),
            Member::DueAt => Kind::Line("datetime-local"),
            Member::ReviewDate => Kind::Line("date"),
            Member::MasterCaseId => Kind::Line("text"),
            Member::Photos => Kind::Photos,
            _ if required || member == Member::Text || member == Member::Note || member == Member::Reason => Kind::Long,
            _ => Kind::Line("text"),
        }
    }

    /// Inspectors below the names of their units.
    fn people(&self, first: Choice, value: &str) -> Vec<Group> {
        let mut groups = vec![ungrouped(vec![first])];
        for person in self.inspectors {
            let unit = person.unit.as_ref().map(|unit| choices::place(&self.visit.directory, unit.as_str()));
            let label = unit.unwrap_or_else(|| self.visit.lang.say("overview.no_unit").to_owned());
            if groups.last().is_none_or(|group| group.label != label) {
                groups.push(Group { label, choices: Vec::new() });
            }
            if let Some(group) = groups.last_mut() {
                group.choices.push(Choice::new(&*person.user, &*person.name, value));
            }
        }
        groups
    }
}

/// What a reason is called.
pub(crate) fn reason_words(lang: Lang, reason: &Reason) -> String {
    match (reason.is_own(), lang) {
        (false, _) => lang.word("void_reason", &reason.key),
        (true, Lang::Zh) => reason.zh.clone(),
        (true, Lang::En) => reason.en.clone(),
    }
}

/// The names of photos among the words of a field, a blank between them.
fn hashes(text: &str) -> String {
    let known = text.split_whitespace().filter(|word| word.parse::<PhotoHash>().is_ok());
    known.collect::<Vec<_>>().join(" ")
}

/// A moment as `<input type=datetime-local>` holds it.
fn typed(at: Millis) -> String {
    at.local_text().replace(' ', "T")
}

/// `2023-11-30T18:00`, as `<input type=datetime-local>` sends it, in Asia/Shanghai.
pub(crate) fn moment(text: &str) -> Option<Millis> {
    let (day, time) = text.split_once('T').or_else(|| text.split_once(' '))?;
    let (day, mut time) = (day.parse::<LocalDay>().ok()?, time.split(':'));
    let (hour, minute) = (time.next()?.parse::<i64>().ok()?, time.next()?.parse::<i64>().ok()?);
    let real = (0..24).contains(&hour) && (0..60).contains(&minute);
    real.then(|| day.start().plus_ms((hour * 60 + minute) * 60_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_local_time() {
        let at = moment("2023-11-30T18:05").unwrap();
        assert_eq!(at.local_text(), "2023-11-30 18:05");
        assert_eq!(moment("2023-11-30 18:05:59"), Some(at));
        for wrong in
            ["", "2023-11-30", "2023-11-31T10:00", "2023-11-30T24:00", "2023-11-30T10", "T10:00", "2023-11-30T-1:00"]
        {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }
}
