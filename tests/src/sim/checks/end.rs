//! The end: phones and centre agree, and nothing that was ever promised is missing or there twice.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use xunge_client_core::doc::FieldDoc;
use xunge_client_core::model::{CaseId, ChangeHash, Facts, Role};
use xunge_client_core::workflow::{Ledger, Rule, Verb};
use xunge_server::domain::feed::audience;
use xunge_server::domain::ledger::Case;
use xunge_server::params;

use crate::sim::world::{Sent, World};
use crate::sim::{Held, hold};

/// A case as the centre holds it at the end.
pub(super) struct AtCentre {
    case: Case,
    facts: Facts,
}

impl World {
    /// Compares everything with everything.
    pub(in crate::sim) fn check_end(&mut self) -> Held {
        self.check_centre()?;
        // Looked up once more, all of it.
        self.sent = Sent::default();
        for phone in 0..self.phones.len() {
            self.check_phone(phone)?;
        }
        let held = self.everything_held();
        self.counted.cases = held.len() as u64;
        self.counted.events = self.centre.rows("SELECT COUNT(*) FROM case_event", Vec::new())[0].int(0).unwrap() as u64;
        let copies = "SELECT COUNT(*) FROM audit WHERE action = 'device.cloned'";
        self.counted.copies = self.centre.rows(copies, Vec::new())[0].int(0).unwrap() as u64;
        self.check_reports(&held)?;
        self.check_words(&held)?;
        self.check_pictures(&held)?;
        self.check_authors()?;
        for phone in 0..self.phones.len() {
            self.check_agreement(phone, &held)?;
        }
        self.check_names()?;
        self.check_administration()?;
        self.check_said_again()
    }

    fn everything_held(&self) -> BTreeMap<CaseId, AtCentre> {
        let mut held = BTreeMap::new();
        for id in self.centre.cases() {
            let case = self.centre.case(id).expect("it was listed");
            let sql = "SELECT snapshot FROM doc WHERE case_id = ?1";
            let rows = self.centre.rows(sql, params![id.as_bytes()].to_vec());
            let doc = rows.first().map(|row| FieldDoc::load(row.blob(0).unwrap()).expect("verify read it"));
            held.insert(id, AtCentre { case, facts: doc.map(|doc| doc.facts().0).unwrap_or_default() });
        }
        held
    }

    /// No report is lost, and none was invented.
    fn check_reports(&self, held: &BTreeMap<CaseId, AtCentre>) -> Held {
        for (case, phones) in &self.promises.reports {
            hold(held.contains_key(case), "no saved report is lost", || format!("case {case} of phones {phones:?}"))?;
        }
        for case in held.keys() {
            let known = self.promises.reports.contains_key(case) || self.promises.excused.contains(case);
            hold(known, "no report is invented", || format!("case {case}"))?;
        }
        Ok(())
    }

    /// Every remark is in its case exactly once, or its phone shows that it was refused.
    fn check_words(&self, held: &BTreeMap<CaseId, AtCentre>) -> Held {
        for (words, word) in &self.promises.words {
            let Some(held) = held.get(&word.case) else { continue };
            let said = held.facts.remarks.values().chain(held.facts.supplements.values());
            let times = said.filter(|remark| remark.text.contains(words.as_str())).count();
            hold(times <= 1, "nothing is said twice", || format!("{words} in case {}: {times} times", word.case))?;
            let refused = || word.phones.iter().any(|phone| self.shows_refused(*phone, words));
            hold(times == 1 || refused(), "no saved remark is lost", || {
                format!("{words} in case {} of phones {:?}", word.case, word.phones)
            })?;
        }
        Ok(())
    }

    pub(super) fn shows_refused(&self, phone: usize, words: &str) -> bool {
        let look = self.phones[phone].look();
        let sql = "SELECT 1 FROM intent WHERE instr(body, ?1) > 0 AND refused IS NOT NULL";
        look.prepare_cached(sql).unwrap().exists([words]).unwrap()
    }

    /// Every event's author has a role that may, and phones only ever asked.
    fn check_authors(&self) -> Held {
        for row in self.centre.rows("SELECT verb, role, device, actor FROM case_event", Vec::new()) {
            let verb = Verb::from_code(row.text(0).unwrap()).expect("verify read it");
            let role = Role::from_code(row.text(1).unwrap()).expect("verify read it");
            let from_phone = row.opt_blob(2).unwrap().is_some();
            hold(Rule::of(verb).roles.contains(&role), "only who may decides", || format!("{verb} by {role:?}"))?;
            hold(!from_phone || verb.is_request(), "phones only ask", || format!("{verb} from a phone"))?;
        }
        Ok(())
    }

    /// A phone forgets with its next contact what its user may not see any more, and not only when it counts.
    pub(in crate::sim) fn check_forgotten(&self) -> Held {
        for (name, phone) in self.phones.iter().enumerate() {
            let keys = audience::keys_of(&self.centre.viewer(&phone.user.user));
            let look = phone.look();
            let mut statement = look.prepare("SELECT id FROM case_local WHERE state = 'submitted'").unwrap();
            let cases = statement.query_map([], |row| Ok(CaseId::from_bytes(row.get(0)?))).unwrap();
            for case in cases.map(Result::unwrap) {
                let Some(held) = self.centre.case(case) else { continue };
                let sees = audience::sees(&keys, &held.ledger);
                hold(sees || self.may_keep(&look, case), "a phone forgets what its user may not see", || {
                    format!("phone {name} case {case}: {}, the centre: {}", described(&look, case), held.ledger.state)
                })?;
            }
        }
        Ok(())
    }

    /// A phone shows exactly what its user may see, as the centre has it.
    fn check_agreement(&self, name: usize, held: &BTreeMap<CaseId, AtCentre>) -> Held {
        let phone = &self.phones[name];
        let viewer = self.centre.viewer(&phone.user.user);
        let keys = audience::keys_of(&viewer);
        let look = phone.look();
        let sql = "SELECT id, base, ledger, dirty, facts FROM case_local WHERE state = 'submitted'";
        let mut statement = look.prepare(sql).unwrap();
        let rows = statement
            .query_map([], |row| {
                let ledger: Option<String> = row.get(2)?;
                Ok((
                    CaseId::from_bytes(row.get(0)?),
                    row.get::<_, Option<Vec<u8>>>(1)?,
                    ledger,
                    row.get::<_, String>(4)?,
                ))
            })
            .unwrap();
        let mut shown = BTreeSet::new();
        for row in rows {
            let (case, base, ledger, facts) = row.unwrap();
            shown.insert(case);
            let Some(held) = held.get(&case) else {
                hold(self.may_keep(&look, case), "a phone shows what the centre has", || {
                    format!("phone {name} case {case}: {}", described(&look, case))
                })?;
                continue;
            };
            if !audience::sees(&keys, &held.case.ledger) {
                // [`World::check_forgotten`] has looked at these.
                continue;
            }
            let doc = base.map(|base| FieldDoc::load(&base).expect("it reloads")).unwrap_or_default();
            let (here, there) = (doc.heads(), &held.case.heads);
            // What a restored centre lost and its writer too is still here, and nobody may bring it but its writer.
            let more = self.centre.epoch > 1 && there.iter().all(|head| doc.knows(head));
            hold(here == *there || more, "phones and centre end with equal documents", || {
                format!("phone {name} case {case}: {} but {}", short(&here), short(there))
            })?;
            let facts: Facts = serde_json::from_str(&facts).expect("facts are readable");
            hold(facts == held.facts || here != *there, "phones and centre show the same facts", || {
                format!("phone {name} case {case}: {facts:?} but {:?}", held.facts)
            })?;
            let ledger: Option<Ledger> = ledger.map(|json| serde_json::from_str(&json).expect("a ledger is readable"));
            self.check_ledger(name, case, ledger.as_ref(), &held.case.ledger)?;
        }
        for (case, held) in held {
            let sees = audience::sees(&keys, &held.case.ledger);
            hold(!sees || shown.contains(case), "a phone shows everything its user may see", || {
                format!("phone {name} case {case} in state {}", held.case.ledger.state)
            })?;
        }
        Ok(())
    }

    fn check_ledger(&self, name: usize, case: CaseId, here: Option<&Ledger>, there: &Ledger) -> Held {
        let Some(here) = here else {
            return hold(false, "phones and centre end with equal ledgers", || {
                format!("phone {name} case {case}: none")
            });
        };
        // A phone writes the event of its own report itself: what the centre found out about it, it does not know.
        let mut there = there.clone();
        there.received_at = here.received_at;
        there.flags.clone_from(&here.flags);
        there.office.clone_from(&here.office);
        // Nor that its user works for another unit since it joined.
        if there.reporter == self.phones[name].user.user {
            there.unit.clone_from(&here.unit);
        }
        let mut here = here.clone();
        if here.grid != there.grid && there.version == here.version {
            here.grid.clone_from(&there.grid);
        }
        here.discovered_at = there.discovered_at;
        hold(here == there, "phones and centre end with equal ledgers", || {
            format!("phone {name} case {case}: {}", differences(&here, &there))
        })
    }

    /// A phone may keep a case out of view while the inspector has not seen a refusal, and a colleague's case that a
    /// restored centre may have lost.
    fn may_keep(&self, look: &Connection, case: CaseId) -> bool {
        let sql = "SELECT 1 FROM case_local WHERE id = ?1 AND (attention IS NOT NULL OR ledger_epoch <> ?2)";
        look.prepare_cached(sql).unwrap().exists((case.as_bytes(), self.centre.epoch as i64)).unwrap()
    }
}

pub(in crate::sim) fn described(look: &Connection, case: CaseId) -> String {
    let sql = "SELECT 'own ' || own || ' mine ' || mine || ' dirty ' || dirty || ' gone ' || gone || ' attention ' ||
         COALESCE(attention, '-') || ' outcome ' || outcome || ' photos waiting ' ||
         (SELECT COUNT(*) FROM photo WHERE case_id = case_local.id AND photo.state = 'waiting')
         FROM case_local WHERE id = ?1";
    look.query_row(sql, [case.as_bytes()], |row| row.get(0)).unwrap()
}

fn differences(here: &Ledger, there: &Ledger) -> String {
    let (here, there) = (serde_json::to_value(here).unwrap(), serde_json::to_value(there).unwrap());
    let members = here.as_object().unwrap().iter().filter(|(name, value)| there[name] != **value);
    members.map(|(name, value)| format!("{name} {value} but {}", there[name])).collect::<Vec<_>>().join(", ")
}

fn short(heads: &[ChangeHash]) -> String {
    heads.iter().map(|head| hex::encode(&head.as_bytes()[..4])).collect::<Vec<_>>().join(" ")
}
