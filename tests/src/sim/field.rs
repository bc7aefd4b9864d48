//! What inspectors do: report, correct, remark, photograph, ask, sync.

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{
    CaseId, CategoryRef, Facts, Mode, PhotoFact, PhotoHash, PhotoRole, Point, Remark, Sha256, Ulid,
};
use xunge_client_core::platform::Files;
use xunge_client_core::store::{ActError, NewPhoto, Step, StoreError};
use xunge_client_core::workflow::{Payload, Verb, Verdict};

use super::world::World;
use super::{Broken, Held, centre, hold};

/// Categories that are there, and one that nobody knows: that is flagged, not refused.
const CATEGORIES: [&str; 4] =
    ["xixia-2023:event:XX0201", "xixia-2023:event:XX0102", "xixia-2023:event:XX0304", "elsewhere:event:9999"];

impl World {
    /// Someone does something on a phone.
    pub(super) fn in_the_field(&mut self) -> Held {
        let phone = self.any_phone();
        if self.phones[phone].process.is_none() {
            self.start(phone)?;
        }
        match self.dice.below(12) {
            0..5 => self.report(phone, true),
            5 => self.report(phone, false),
            6 => self.submit_draft(phone),
            7..10 => self.correct(phone),
            _ => self.request(phone),
        }
    }

    pub(super) fn report(&mut self, name: usize, submit: bool) -> Held {
        let case = self.phones[name].new_case();
        let mode = if self.dice.chance(400) { Mode::SelfHandled } else { Mode::Forwarded };
        let mut steps = vec![Step::Edit(self.facts(name, mode))];
        if self.dice.chance(500) {
            let Some(photo) = self.photo(name, PhotoRole::Before) else { return Ok(()) };
            steps.push(Step::Attach(photo));
        }
        if mode == Mode::SelfHandled && self.dice.chance(800) {
            let Some(photo) = self.photo(name, PhotoRole::After) else { return Ok(()) };
            steps.push(Step::Attach(photo));
        }
        if submit {
            steps.push(Step::Submit);
        }
        let done = self.act(name, case, true, &steps, None)?;
        if done && submit {
            self.promises.reported(name, case);
        }
        Ok(())
    }

    fn submit_draft(&mut self, name: usize) -> Held {
        let Some(case) = self.pick_case(name, "state = 'draft'") else { return Ok(()) };
        if self.act(name, case, false, &[Step::Submit], None)? {
            self.promises.reported(name, case);
        }
        Ok(())
    }

    fn correct(&mut self, name: usize) -> Held {
        let Some(case) = self.pick_case(name, "1") else { return Ok(()) };
        let words = self.promises.fresh_words();
        let step = match self.dice.below(8) {
            0 | 1 => Step::Edit(vec![Edit::Description(format!("更正 {words}"))]),
            2 => Step::Edit(vec![Edit::HandleNote(format!("说明 {words}"))]),
            3 => Step::Edit(vec![Edit::ModeClaim(Some(*self.dice.pick(Mode::ALL)))]),
            4 => match self.photo(name, PhotoRole::After) {
                Some(photo) => Step::Attach(photo),
                None => return Ok(()),
            },
            _ => {
                let phone = &self.phones[name];
                let key = Facts::remark_key(Ulid::from_parts(phone.now(), phone.ten()));
                let remark = Remark { text: words.clone(), at: phone.now() };
                let step = Step::Edit(vec![Edit::AddRemark(key, remark)]);
                return self.act(name, case, false, &[step], Some(words)).map(drop);
            }
        };
        self.act(name, case, false, &[step], None).map(drop)
    }

    fn request(&mut self, name: usize) -> Held {
        let Some(case) = self.pick_case(name, "ledger IS NOT NULL AND (mine = 1 OR task IS NOT NULL)") else {
            return Ok(());
        };
        let offers = self.phones[name].store().detail(case).map_err(broken)?.map(|it| it.offers).unwrap_or_default();
        if offers.is_empty() {
            return Ok(());
        }
        let verb = *self.dice.pick(&offers);
        let mut payload = Payload::default();
        let mut steps = Vec::new();
        match verb {
            Verb::RouteChange => payload.mode = Some(*self.dice.pick(Mode::ALL)),
            Verb::Appeal => payload.text = Some("请再核实".to_owned()),
            Verb::Handover => payload.assignee = Some(self.colleague(name)),
            Verb::VerifyReply | Verb::CheckReply => {
                let (verdicts, role) = match verb {
                    Verb::VerifyReply => ([Verdict::Real, Verdict::NotFound], PhotoRole::Verify),
                    _ => ([Verdict::Pass, Verdict::Fail], PhotoRole::Check),
                };
                payload.verdict = Some(*self.dice.pick(&verdicts));
                let Some(photo) = self.photo(name, role) else { return Ok(()) };
                payload.photos = vec![photo.sha256];
                steps.push(Step::Attach(photo));
            }
            _ => {}
        }
        steps.push(Step::Request { verb, payload: Box::new(payload) });
        self.act(name, case, false, &steps, None).map(drop)
    }

    /// Does steps on a phone; answers whether they were saved. A refusal is an answer, a failing store is not.
    fn act(
        &mut self,
        name: usize,
        case: CaseId,
        create: bool,
        steps: &[Step],
        words: Option<String>,
    ) -> Result<bool, Broken> {
        let what: Vec<&str> = steps.iter().map(named).collect();
        let what = what.join("+");
        let kept = self.phones[name].short.as_ref().and_then(|_| self.phones[name].acts_on(case));
        let before = self.dice.chance(15).then(|| self.phones[name].disk());
        let phone = &self.phones[name];
        match phone.store().act(case, create, steps, phone.now()) {
            Ok(_) if before.is_some() => {
                // The screen never said "saved": it may be there or not, but not in half.
                self.promises.excused.insert(case);
                self.tear(name, before.unwrap_or_default())?;
                Ok(false)
            }
            Ok(_) => {
                self.note(format!("phone {name} saves {what} of {case}"));
                self.promises.edited(name, case, words);
                for step in steps {
                    if let Step::Attach(photo) = step {
                        self.promises.photographed(name, case, photo.sha256);
                    }
                }
                let changed = xunge_client_core::sync::Event::Wake(xunge_client_core::sync::Reason::Changed);
                self.tell(name, changed)?;
                Ok(true)
            }
            Err(ActError::Store(error)) if phone.excuses(&error) => {
                self.note(format!("phone {name} can not save {what} of {case}: {error}"));
                let there = self.phones[name].acts_on(case);
                hold(there == kept, "what could not be saved is not there in half", || {
                    format!("phone {name} case {case}: {there:?} after {kept:?}")
                })?;
                if !matches!(error, StoreError::Full) {
                    // A commit that could not be flushed may be whole in the log, for the next process.
                    self.promises.excused.insert(case);
                }
                self.check_phone(name)?;
                Ok(false)
            }
            Err(ActError::Store(error)) => Err(broken(error)),
            Err(refused) => {
                self.note(format!("phone {name} refuses {what} of {case}: {refused}"));
                Ok(false)
            }
        }
    }

    fn facts(&mut self, name: usize, mode: Mode) -> Vec<Edit> {
        let grids = self.phones[name].user.grids.clone();
        let grid = self.dice.pick(&grids).clone();
        let outline = centre::org().place(&grid).and_then(|place| place.polygon.clone());
        let point = match outline.and_then(|polygon| polygon.bounds()) {
            Some([west, south, east, north]) if !self.dice.chance(50) => {
                Point { lon_e6: (west + east) / 2, lat_e6: (south + north) / 2 }
            }
            // In the sea.
            _ => Point { lon_e6: 122_000_000, lat_e6: 38_000_000 },
        };
        let category: CategoryRef = self.dice.pick(&CATEGORIES).parse().expect("a category");
        let words = self.promises.fresh_words();
        vec![
            Edit::CategoryClaim(Some(category)),
            Edit::Description(format!("路边堆放杂物 {words}")),
            Edit::Point(Some(point)),
            Edit::ModeClaim(Some(mode)),
            Edit::GridClaim(Some(grid.as_str().to_owned())),
            Edit::DiscoveredAt(Some(self.phones[name].now())),
        ]
    }

    /// A photo nobody took before; none if there is no room for it, which the screen says.
    fn photo(&mut self, name: usize, role: PhotoRole) -> Option<NewPhoto> {
        let phone = &self.phones[name];
        let size = 40 + self.dice.below(2_000) as usize;
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0];
        while bytes.len() < size {
            bytes.extend(phone.ten());
        }
        let sha256 = PhotoHash::of(&bytes);
        if phone.files.save(&[(sha256, &bytes)]).is_err() {
            self.note(format!("phone {name} has no room for a photo"));
            return None;
        }
        let taken_at = Some(phone.now());
        // The smallest photos are less than four times as large and go alone.
        let preview = bytes[..16].to_vec();
        let fact = PhotoFact { role, mime: "image/jpeg".to_owned(), bytes: bytes.len() as u64, w: 32, h: 24, taken_at };
        Some(NewPhoto { sha256, fact, original: Sha256::of(&bytes), preview })
    }

    /// Another inspector who has a phone.
    pub(super) fn colleague(&mut self, name: usize) -> String {
        let mine = self.phones[name].user.user.clone();
        let others: Vec<String> =
            self.phones.iter().map(|phone| phone.user.user.clone()).filter(|user| *user != mine).collect();
        self.dice.pick(&others).clone()
    }

    /// One of the cases on a phone; the newest are likelier.
    fn pick_case(&mut self, name: usize, which: &str) -> Option<CaseId> {
        let look = self.phones[name].look();
        let sql = format!("SELECT id FROM case_local WHERE {which} ORDER BY ord DESC LIMIT 12");
        let mut statement = look.prepare_cached(&sql).expect("the schema is known");
        let rows = statement.query_map([], |row| row.get(0).map(CaseId::from_bytes)).expect("a readable database");
        let cases: Vec<CaseId> = rows.map(|row| row.expect("an id")).collect();
        (!cases.is_empty()).then(|| *self.dice.pick(&cases))
    }
}

fn named(step: &Step) -> &'static str {
    match step {
        Step::Edit(_) => "edit",
        Step::Attach(_) => "photo",
        Step::Detach(_) => "detach",
        Step::Submit => "submit",
        Step::Request { verb, .. } => verb.code(),
    }
}

pub(super) fn broken(error: StoreError) -> Broken {
    Broken { invariant: "a phone's database works", found: error.to_string() }
}
