//! Time, parcels, and phones that take steps.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use xunge_client_core::driver::core::{Advance, Outside};
use xunge_client_core::model::{LocalDay, Millis, PhotoHash};
use xunge_client_core::platform::Files;
use xunge_client_core::sync::{Event, Outbound, OutboundKind, Reason, Response, Stop, Summary, Upload, UploadEnd};
use xunge_server::clock::Security;
use xunge_server::reference::org::User;

use super::centre::{self, Centre};
use super::copies::Copies;
use super::machine::Time;
use super::misfortune::Snapshot;
use super::net::{self, Arrival, Back, Harm, Net, Parcel};
use super::phone::SimPhone;
use super::promises::Promises;
use super::trace::Trace;
use super::vault::Photos;
use super::{Broken, Held, Scale, Stats, hold};
use crate::fault::room::{Short, Shortage};
use crate::workload::Dice;

/// Apps in a pocket run rarely: over longer times an engine's timers fire at most this often.
const DOZE_MS: i64 = 3 * 3_600_000;
/// What a phone sends of a photo at once.
const PATCH_BYTES: usize = 512 << 10;

/// What was looked up at the centre and found.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Changes, by case and hash.
    pub(super) changes: BTreeSet<([u8; 16], [u8; 32])>,
    pub(super) cases: BTreeSet<[u8; 16]>,
    /// Photos, all of their bytes.
    pub(super) photos: BTreeSet<PhotoHash>,
    /// Requests that were granted, by intent, and the version they made.
    pub(super) requests: BTreeSet<([u8; 16], i64)>,
}

/// A request for a sync that was let in, and what was answered.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) asked: Vec<u8>,
    pub(super) answered: Vec<u8>,
}

/// Everything there is.
pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) time: Time,
    pub(super) centre: Centre,
    pub(super) phones: Vec<SimPhone>,
    pub(super) promises: Promises,
    pub(super) net: Net,
    /// Misfortune is on.
    pub(super) rough: bool,
    /// The power of the centre fails with the next request.
    pub(super) falls: bool,
    pub(super) step: u32,
    pub(super) scale: Scale,
    pub(super) folder: PathBuf,
    pub(super) counted: Stats,
    /// Backups of phones, oldest first.
    pub(super) snapshots: Vec<Snapshot>,
    /// Backups of the centre.
    pub(super) backups: Vec<(PathBuf, Photos)>,
    /// What phones said to the centre in this epoch and were answered, in the order of arrival.
    pub(super) heard: Vec<Heard>,
    pub(super) copies: Copies,
    /// What is known to be at the centre in this epoch, where nothing is ever deleted.
    pub(super) sent: Sent,
    pub(super) begin: Millis,
    /// The same moment by the security clock.
    pub(super) began: Millis,
    /// The last day on which the centre swept.
    pub(super) swept: i64,
    trace: Trace,
    /// Exchanges whose end the phone has not heard yet.
    open: BTreeSet<u64>,
    tickets: u64,
    dozing: bool,
}

impl World {
    pub(super) fn new(seed: u64, scale: Scale, folder: &Path, print: bool) -> Self {
        let begin = LocalDay::new(2023, 11, 1).unwrap().start().plus_ms(9 * 3_600_000);
        let time = Time::at(begin);
        let mut dice = Dice::new(seed);
        let centre = Centre::new(&folder.join("centre"), begin);
        let mut world = Self {
            time: time.clone(),
            centre,
            phones: Vec::new(),
            promises: Promises::default(),
            net: Net::default(),
            rough: true,
            falls: false,
            step: 0,
            scale,
            folder: folder.to_owned(),
            snapshots: Vec::new(),
            backups: Vec::new(),
            heard: Vec::new(),
            copies: Copies::default(),
            sent: Sent::default(),
            counted: Stats { seeds: 1, ..Stats::default() },
            begin,
            began: Security.now(),
            swept: 0,
            trace: Trace::new(begin, print),
            open: BTreeSet::new(),
            tickets: 0,
            dozing: false,
            dice: Dice::new(0),
        };
        let users = inspectors(scale.phones);
        for user in users {
            let seed = dice.roll();
            world.new_phone(user, seed);
        }
        world.dice = dice;
        world
    }

    /// A phone out of the box, enrolled.
    pub(super) fn new_phone(&mut self, user: User, seed: u64) -> usize {
        let name = self.phones.len();
        let folder = self.folder.join(format!("phone-{name}"));
        let mut phone = SimPhone::new(name, user, folder, self.time.clone(), seed);
        phone.start();
        phone.enrol(&self.centre, "the first code");
        self.phones.push(phone);
        name
    }

    pub(super) fn stats(&self) -> Stats {
        let hours = (self.time.now().0 - self.begin.0) as u64 / 3_600_000;
        Stats {
            steps: u64::from(self.step),
            phone_hours: hours * self.phones.len() as u64,
            hash: self.trace.hash(),
            ..self.counted.clone()
        }
    }

    pub(super) fn note(&mut self, line: impl AsRef<str>) {
        self.trace.note(self.time.now(), line.as_ref());
    }

    /// One of the phones.
    pub(super) fn any_phone(&mut self) -> usize {
        self.dice.below(self.phones.len() as u64) as usize
    }

    /// Lets `ms` pass, with everything that arrives meanwhile.
    pub(super) fn pass(&mut self, ms: i64) -> Held {
        self.dozing = ms > 3_600_000;
        let until = self.time.now().plus_ms(ms);
        while let Some((at, parcel)) = self.net.next(until) {
            self.reach(at);
            self.deliver(parcel)?;
        }
        self.dozing = false;
        self.reach(until);
        Ok(())
    }

    /// Lets time pass until a phone's run is over; at most an hour.
    pub(super) fn until_idle(&mut self, phone: usize) -> Held {
        let end = self.time.now().plus_ms(3_600_000);
        while self.phones[phone].asked {
            let Some(due) = self.net.due().filter(|due| due.0 <= end.0) else { break };
            let (at, parcel) = self.net.next(due).expect("one is due");
            self.reach(at);
            self.deliver(parcel)?;
        }
        Ok(())
    }

    fn reach(&mut self, at: Millis) {
        self.time.reach(at);
        self.centre.set_time(self.time.now());
    }

    /// Someone presses "sync" on a phone.
    pub(super) fn ask(&mut self, phone: usize) -> Held {
        if self.phones[phone].process.is_none() {
            self.start(phone)?;
        }
        self.phones[phone].asked = true;
        self.tell(phone, Event::Wake(Reason::Asked))
    }

    /// Starts the app again.
    pub(super) fn start(&mut self, phone: usize) -> Held {
        self.phones[phone].start();
        self.check_phone(phone)
    }

    /// Tells a phone's engine something and does what it wants, unless the process dies in between.
    pub(super) fn tell(&mut self, name: usize, event: Event) -> Held {
        let Some(process) = &mut self.phones[name].process else { return Ok(()) };
        process.core.begin(event);
        loop {
            let phone = &mut self.phones[name];
            match &mut phone.dies_after {
                Some(0) if self.dice.chance(400) => return self.power_fails(name),
                Some(0) => return self.crash(name),
                Some(left) => *left -= 1,
                None => {}
            }
            let Some(process) = &mut phone.process else { return Ok(()) };
            match process.core.advance() {
                Advance::Rest => return Ok(()),
                Advance::Done => {}
                Advance::Outside(Outside::Send(outbound)) => self.send(name, outbound),
                Advance::Outside(Outside::Upload { upload, preview }) => self.upload(name, upload, preview),
                Advance::Outside(Outside::Sleep { until_ms }) => self.sleep(name, until_ms),
                Advance::Outside(Outside::Finish(summary)) => self.finished(name, &summary)?,
            }
        }
    }

    /// The process of a phone dies.
    pub(super) fn crash(&mut self, name: usize) -> Held {
        self.phones[name].die();
        self.counted.crashes += 1;
        self.note(format!("phone {name} dies"));
        self.start(name)
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.open.insert(self.tickets);
        self.tickets
    }

    fn send(&mut self, phone: usize, outbound: Outbound) {
        let Outbound { exchange, kind, body, bearer } = outbound;
        let (fate, ticket) = (self.fate(phone), self.ticket());
        self.note(format!("phone {phone} sends {kind:?} of {} bytes: {}", body.len(), fate.name));
        let (now, life) = (self.time.now(), self.phones[phone].life);
        for Arrival { after_ms, cut, answer } in fate.arrivals {
            let (mut body, bearer) = (body.clone(), bearer.clone());
            if let Some(cut) = cut {
                body.truncate(net::cut_at(cut, body.len()));
            }
            let parcel = Parcel::Request { phone, life, ticket, exchange, kind, body, bearer, answer };
            self.net.send(now.plus_ms(after_ms), parcel);
        }
        let event = Event::Unanswered { exchange };
        self.net.send(now.plus_ms(fate.gives_up_ms), Parcel::Event { phone, life, ticket, event });
    }

    fn upload(&mut self, phone: usize, upload: Upload, preview: Option<Vec<u8>>) {
        let (fate, ticket) = (self.fate(phone), self.ticket());
        let item = upload.item;
        let (now, life) = (self.time.now(), self.phones[phone].life);
        let bytes = match preview {
            Some(whole) => whole.get(upload.offset as usize..).unwrap_or_default().to_vec(),
            None => {
                let read = self.phones[phone].files.read_at(&item.photo(), upload.offset, PATCH_BYTES);
                read.unwrap_or_default()
            }
        };
        self.note(format!("phone {phone} uploads {} bytes from {}: {}", bytes.len(), upload.offset, fate.name));
        let event = |end| Event::Uploaded { item, end };
        if bytes.is_empty() && upload.offset < upload.bytes {
            let event = event(UploadEnd::NoBytes);
            return self.net.send(now, Parcel::Event { phone, life, ticket, event });
        }
        for Arrival { after_ms, cut, answer } in fate.arrivals {
            // A link that breaks while a photo is under way lets some of it through.
            let some = match cut {
                Some(cut) => net::cut_at(cut, bytes.len()),
                None if answer.is_none() => self.dice.below(bytes.len() as u64 + 1) as usize,
                None => bytes.len(),
            };
            let cut = cut.is_some() || answer.is_none();
            let (upload, bytes) = (upload.clone(), bytes[..some].to_vec());
            self.net.send(now.plus_ms(after_ms), Parcel::Photo { phone, life, ticket, upload, bytes, cut, answer });
        }
        let event = event(UploadEnd::Unanswered);
        self.net.send(now.plus_ms(fate.gives_up_ms), Parcel::Event { phone, life, ticket, event });
    }

    fn fate(&mut self, phone: usize) -> net::Fate {
        if !self.phones[phone].online {
            return net::Fate { arrivals: Vec::new(), gives_up_ms: 20, name: "offline" };
        }
        net::weather(&mut self.dice, self.rough)
    }

    fn sleep(&mut self, phone: usize, until_ms: u64) {
        let mut at = self.phones[phone].clock.true_time(until_ms);
        if self.dozing {
            at = at.max(self.time.now().plus_ms(DOZE_MS));
        }
        self.tickets += 1;
        let number = self.tickets;
        self.phones[phone].tick = number;
        let life = self.phones[phone].life;
        self.net.send(at, Parcel::Tick { phone, life, number });
    }

    fn finished(&mut self, phone: usize, summary: &Summary) -> Held {
        self.phones[phone].asked = false;
        self.phones[phone].drained = summary.drained;
        if let Some(Stop::Store(said)) = &summary.stop {
            let fits = match self.phones[phone].short.as_ref().map(Shortage::of) {
                Some(Short::OfRoom(_)) => said == "storage_full",
                Some(Short::OfLife(_)) => said.ends_with("disk I/O error"),
                None => false,
            };
            hold(fits, "a phone's database works", || format!("phone {phone}: {said}"))?;
        }
        let Summary { exchanges, cases_sent, photos_sent, received, waiting, stop, .. } = summary;
        self.note(format!(
            "phone {phone} is done: {exchanges} exchanges, {cases_sent} cases and {photos_sent} photos sent, \
             {received} received, {} refused, {}+{} waiting, {stop:?}",
            summary.refused.len(),
            waiting.cases,
            waiting.photos
        ));
        self.check_phone(phone)
    }

    fn deliver(&mut self, parcel: Parcel) -> Held {
        match parcel {
            Parcel::Request { kind: OutboundKind::Sync, body, .. } if self.falls => {
                self.fall_in(|world| drop(world.centre.sync(&body)))
            }
            Parcel::Photo { upload, bytes, cut, .. } if self.falls => {
                self.fall_in(|world| drop(world.centre.patch(&upload, bytes, cut)))
            }
            Parcel::Request { phone, life, ticket, exchange, kind, body, bearer, answer } => {
                let response = self.serve(phone, kind, &body, bearer.as_deref())?;
                self.note(format!("centre answers {kind:?} of phone {phone}: {}", said(&response)));
                if let Some(back) = answer {
                    let event = Event::Answered { exchange, response: harmed(response, back.harm) };
                    self.go_back(phone, life, ticket, back, event);
                }
                Ok(())
            }
            Parcel::Photo { phone, life, ticket, upload, bytes, cut, answer } => {
                self.counted.requests += 1;
                let end = self.centre.patch(&upload, bytes, cut);
                let whole = matches!(end, UploadEnd::Answered { offset: Some(offset), .. } if offset == upload.bytes);
                self.counted.previews += u64::from(whole && upload.item.is_preview());
                if let UploadEnd::Answered { response, offset } = &end {
                    self.note(format!("centre answers an upload of phone {phone}: {} at {offset:?}", response.status));
                }
                if let Some(back) = answer {
                    let end = match (end, back.harm) {
                        (UploadEnd::Answered { response, .. }, Harm::Portal | Harm::Flipped(_)) => {
                            UploadEnd::Answered { response: harmed(response, Harm::Portal), offset: None }
                        }
                        (end, Harm::None) => end,
                        (end, _) => end,
                    };
                    let event = Event::Uploaded { item: upload.item, end };
                    self.go_back(phone, life, ticket, back, event);
                }
                Ok(())
            }
            Parcel::Event { phone, life, ticket, event } => {
                if !self.open.remove(&ticket) || self.phones[phone].life != life {
                    return Ok(());
                }
                self.tell(phone, event)
            }
            Parcel::Bundle { phone, bytes } => {
                self.take_bundle(phone, bytes);
                Ok(())
            }
            Parcel::Tick { phone, life, number } => {
                let newest = self.phones[phone].life == life && self.phones[phone].tick == number;
                if newest { self.tell(phone, Event::Tick) } else { Ok(()) }
            }
        }
    }

    fn go_back(&mut self, phone: usize, life: u64, ticket: u64, back: Back, event: Event) {
        let at = self.time.now().plus_ms(back.after_ms);
        self.net.send(at, Parcel::Event { phone, life, ticket, event });
    }

    fn serve(
        &mut self,
        phone: usize,
        kind: OutboundKind,
        body: &[u8],
        bearer: Option<&str>,
    ) -> Result<Response, Broken> {
        self.counted.requests += 1;
        Ok(match kind {
            OutboundKind::Sync => {
                let response = self.centre.sync(body);
                if response.status == 200 {
                    self.check_let_in(phone, body)?;
                    self.heard.push(Heard { asked: body.to_vec(), answered: response.body.clone() });
                }
                response
            }
            OutboundKind::Token => self.centre.token(body),
            OutboundKind::Reference if bearer == Some("t") => Centre::bundle(),
            OutboundKind::Reference => centre::problem(401, "unauthorized", None),
        })
    }
}

fn harmed(mut response: Response, harm: Harm) -> Response {
    match harm {
        Harm::None => response,
        Harm::Flipped(where_) => {
            let bits = response.body.len() as u64 * 8;
            if bits > 0 {
                let bit = (where_ % bits) as usize;
                response.body[bit / 8] ^= 1 << (bit % 8);
            }
            response
        }
        Harm::Cut(where_) => {
            response.body.truncate(net::cut_at(where_, response.body.len()));
            response
        }
        Harm::Portal => {
            Response { status: 200, retry_after_ms: None, body: b"<html>please sign in to the Wi-Fi</html>".to_vec() }
        }
    }
}

fn said(response: &Response) -> String {
    if response.status == 200 {
        return format!("200 with {} bytes", response.body.len());
    }
    let problem: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    format!("{} {}", response.status, problem["code"].as_str().unwrap_or_default())
}

/// Whose phones they are: some people share grids, and every third one has a second phone.
fn inspectors(phones: usize) -> Vec<User> {
    let wanted =
        ["insp-xihuayuan-1", "insp-wangge-1", "insp-xihuayuan-2", "insp-zhifa-1", "insp-wenchang-1", "insp-zhujian-1"];
    let org = centre::org();
    let find = |name: &str| org.users.iter().find(|user| user.user == name).expect("the example has them").clone();
    let people: Vec<User> = wanted.iter().map(|name| find(name)).collect();
    let others =
        org.users.iter().filter(|user| user.user.starts_with("insp-") && !wanted.contains(&user.user.as_str()));
    let second = [people[0].clone(), people[3].clone()];
    people.into_iter().chain(second).chain(others.cloned()).take(phones).collect()
}
