//! A district with as many cases as one likes: rows written in bulk through the product's own functions, so that lists,
//! search and counters are what they would be had every case been reported; no documents, events or feed behind them.
//!
//! The same cases every time. Three years up to [`NOW`], however many cases there are; folders are kept and used again.

mod filters;
mod texts;

use std::path::{Path, PathBuf};

use xunge_client_core::model::{CaseId, CategoryRef, Facts, LocalDay, Millis, Mode, OrgCode, Role, Ulid};
use xunge_client_core::workflow::{Event, Ledger, Level, Payload, Source, State, Verb, VoidReason, apply};
use xunge_server::domain::counts::Standing;
use xunge_server::domain::directory::Directory;
use xunge_server::domain::ledger::row;
use xunge_server::domain::work::Work;
use xunge_server::reference::xixia::DISTRICT;
use xunge_server::store::{Options, Store, StoreError};

pub use self::filters::{Asked, filters};

/// Changes when the cases made here do; folders of another generation are left alone.
const GENERATION: u32 = 2;
/// Six in the evening of the last day of 2023: every figure is taken at this moment.
pub const NOW: Millis = Millis(1_704_016_800_000);
/// How long back the first case lies.
const SPAN_MS: i64 = 3 * 365 * 86_400_000;
/// Cases of one transaction.
const BATCH: u64 = 2_000;
const DAY_MS: i64 = 86_400_000;

/// A district's data folder.
#[derive(Debug)]
pub struct BigOffice {
    /// The data folder of a server.
    pub data: PathBuf,
    /// What `init` said: users and passwords.
    pub init: serde_json::Value,
    /// Cases in it.
    pub cases: u64,
}

impl BigOffice {
    /// Opens the folder with so many cases below `keep`, or makes it.
    pub fn open(keep: &Path, cases: u64) -> Self {
        let folder = keep.join(format!("office-{GENERATION}-{cases}"));
        let (data, told) = (folder.join("data"), folder.join("init.json"));
        if let Ok(text) = std::fs::read_to_string(&told) {
            return Self { data, init: serde_json::from_str(&text).unwrap(), cases };
        }
        // Without the file beside it the folder was not finished.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let args = ["init", "--data", data.to_str().unwrap(), "--example", "xixia", "--json"];
        let init = crate::process::run_json("xunge-server", &args);
        fill(&data.join("xunge.db"), cases).unwrap();
        std::fs::write(&told, init.to_string()).unwrap();
        Self { data, init, cases }
    }
}

/// What cases are made of.
struct District {
    /// Grids with the office of their street.
    grids: Vec<(OrgCode, OrgCode)>,
    /// Reporting units that are no office.
    departments: Vec<OrgCode>,
    handlers: Vec<OrgCode>,
    categories: Vec<CategoryRef>,
    inspectors: Vec<String>,
}

fn fill(database: &Path, cases: u64) -> Result<(), StoreError> {
    let store = Store::open(database, &Options { create: false, inline: true, ..Options::default() })?;
    let district: District = store.read_blocking::<_, StoreError, _>(|tx| {
        Box::pin(async move {
            let directory = xunge_server::domain::directory::Shared::default().get(tx).await?;
            let sql = "SELECT id FROM user_account WHERE role = 'inspector' ORDER BY id";
            let rows = tx.query(sql, &[]).await?;
            let inspectors = rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<_, _>>()?;
            Ok(District::of(&directory, inspectors))
        })
    })?;
    let district = std::sync::Arc::new(district);
    let mut done = 0;
    while done < cases {
        let (until, district) = ((done + BATCH).min(cases), district.clone());
        store.write_blocking::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let mut work = Work::new(DISTRICT, NOW);
                for n in done..until {
                    let made = district.case(n, cases);
                    let words =
                        row::Facts { photos_expected: 2, photos_present: 2, ..row::Facts::of(vec![], &made.facts) };
                    row::insert(tx, &work, made.id, &made.ledger, &words, &[0; 32]).await?;
                    work.moved(None, &Standing::of(&made.ledger));
                }
                work.finish(tx).await
            })
        })?;
        done = until;
    }
    store.close_blocking()
}

/// One case.
struct Made {
    id: CaseId,
    ledger: Ledger,
    facts: Facts,
}

impl District {
    fn of(directory: &Directory, inspectors: Vec<String>) -> Self {
        let mut grids = Vec::new();
        for (code, _) in directory.places().filter(|(code, _)| code.as_str().len() == 15) {
            let street: OrgCode = code.as_str()[..9].parse().unwrap();
            grids.push((code.clone(), directory.street_office(&street).unwrap().clone()));
        }
        let units = |of: fn(&xunge_server::domain::directory::Unit) -> bool| {
            directory.units().filter(move |(_, unit)| of(unit)).map(|(code, _)| code.clone()).collect()
        };
        use xunge_server::reference::org::UnitKind;
        let of_tree = |key: &CategoryRef| key.scheme == xunge_server::reference::taxonomy::XIXIA;
        let minors = directory.categories().filter(|(key, category)| of_tree(key) && category.parent.is_some());
        Self {
            grids,
            departments: units(|unit| unit.kind == UnitKind::Department),
            handlers: units(|unit| unit.kind == UnitKind::Handling),
            categories: minors.map(|(key, _)| key.clone()).collect(),
            inspectors,
        }
    }

    fn case(&self, n: u64, of: u64) -> Made {
        let mut dice = Dice(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995);
        let at = Millis(NOW.0 - SPAN_MS + (n as i128 * SPAN_MS as i128 / of as i128) as i64);
        let (grid, office) = self.grids[dice.skewed(self.grids.len())].clone();
        let unit = if dice.of(100) < 88 { office.clone() } else { self.departments[dice.below(3)].clone() };
        let (category, mode) = (self.categories[dice.skewed(self.categories.len())].clone(), dice.mode());
        let random: [u8; 10] = std::array::from_fn(|_| dice.of(256) as u8);
        let payload = Payload {
            source: Some(Source::Inspector),
            mode_claim: Some(mode),
            category_claim: Some(category.clone()),
            reporter: Some(self.inspectors[dice.below(self.inspectors.len())].clone()),
            grid: Some(grid.clone()),
            unit: Some(unit),
            office: Some(office),
            discovered_at: Some(at.plus_ms(-600_000)),
            ..Payload::default()
        };
        let submit = Event {
            version: 1,
            verb: Verb::Submit,
            actor: payload.reporter.clone().unwrap_or_default(),
            role: Role::Inspector,
            device: None,
            at,
            from: None,
            to: State::Reported,
            payload,
            heads: vec![],
        };
        let mut ledger = apply(None, &submit).unwrap();
        self.decide(&mut dice, &mut ledger, n);
        let place = self.grids.iter().position(|(code, _)| *code == grid).unwrap_or_default();
        let point = xunge_client_core::model::Point {
            lon_e6: 106_000_000 + (place as i32 % 12) * 16_600 + dice.of(16_000) as i32,
            lat_e6: 38_400_000 + (place as i32 / 12) * 20_800 + dice.of(20_000) as i32,
        };
        let facts = Facts {
            description: texts::description(&mut dice),
            location_text: texts::place(&mut dice),
            category_claim: Some(category),
            mode_claim: Some(mode),
            point: Some(point),
            ..Facts::default()
        };
        Made { id: CaseId::from_bytes(*Ulid::from_parts(at, random).as_bytes()), ledger, facts }
    }

    /// What an office did since: nearly everything old is done, of the newest a part is on its way.
    fn decide(&self, dice: &mut Dice, ledger: &mut Ledger, n: u64) {
        let received = ledger.received_at;
        let old = NOW.0 - received.0 > 10 * DAY_MS;
        let open = dice.of(1_000) < if old { 2 } else { 300 };
        let fate = dice.of(100);
        if open && fate < 40 {
            return;
        }
        if !open && fate < 2 {
            ledger.state = State::Void;
            ledger.void_reason = Some(VoidReason::Duplicate);
            ledger.void_at = Some(received.plus_ms(3_600_000));
            ledger.version = 2;
            return;
        }
        let day = received.local_day();
        let (year, month, number) = day.civil();
        ledger.case_no = Some(format!("{DISTRICT}{year:04}{month:02}{number:02}{:06}", n % 1_000_000));
        ledger.filed_at = Some(received.plus_ms(1_800_000));
        ledger.mode = Some(ledger.mode_claim);
        ledger.category = ledger.category_claim.clone();
        ledger.version = 2;
        ledger.state = State::Filed;
        if ledger.mode_claim == Mode::SelfHandled && !open {
            ledger.state = State::Closed;
            ledger.closed_at = ledger.filed_at;
            return;
        }
        if open && fate < 55 {
            return;
        }
        ledger.handler = Some(self.handlers[dice.skewed(self.handlers.len())].clone());
        ledger.level = Level::Normal;
        ledger.dispatched_at = Some(received.plus_ms(3_600_000));
        // Around now for what is open: some late, some nearly.
        let due = if open { NOW.0 + (dice.of(120) as i64 - 30) * 3_600_000 } else { received.0 + 3 * DAY_MS };
        (ledger.due_at, ledger.due_at_original) = (Some(Millis(due)), Some(Millis(due)));
        (ledger.state, ledger.version) = (State::Dispatched, 3);
        if !open || fate >= 75 {
            ledger.signed_at = Some(received.plus_ms(2 * 3_600_000));
            (ledger.state, ledger.version) = (State::Handling, 4);
        }
        if !open || fate >= 92 {
            ledger.handled_at = Some(received.plus_ms(DAY_MS));
            (ledger.state, ledger.version) = (State::Handled, 5);
        }
        if !open {
            ledger.closed_at = Some(received.plus_ms(DAY_MS + 3_600_000));
            (ledger.state, ledger.version) = (State::Closed, 6);
        }
    }
}

/// Numbers by the dice, the same every time.
struct Dice(u64);

impl Dice {
    fn of(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn below(&mut self, count: usize) -> usize {
        self.of(count as u64) as usize
    }

    /// The first a hundred times as often as the last, as streets and categories are.
    fn skewed(&mut self, count: usize) -> usize {
        let x = self.of(1_000_000) as f64 / 1e6;
        ((x * x * count as f64) as usize).min(count - 1)
    }

    fn mode(&mut self) -> Mode {
        if self.of(100) < 91 { Mode::SelfHandled } else { Mode::Forwarded }
    }
}

/// The days of the newest whole month before [`NOW`]'s end, as filters of figures name them.
pub fn month() -> (LocalDay, LocalDay) {
    let month = NOW.local_day().month();
    (month.first(), month.last())
}
