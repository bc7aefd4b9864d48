//! Plain data across the border. Times are Unix milliseconds, coordinates decimal degrees, ids text.

use xunge_client_core::client::{
    self, CaseDetail, CaseItem, MyCounts, PhoneStatus, PhotoInput, Place, ReportInput, Rescued, Stop, SyncReport,
    UserInfo,
};
use xunge_client_core::model;

/// How a problem is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Mode {
    /// Fixed on the spot (自发自处).
    SelfHandled,
    /// Forwarded through the platform (平台流转).
    Forwarded,
}

/// Where a point came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PointSource {
    /// A satellite fix.
    Gps,
    /// Cell towers or Wi-Fi.
    Network,
    /// The last fix the phone had; say how old it is.
    LastFix,
    /// A pin set by hand.
    Manual,
}

/// A point on the map, in WGS-84 unless `gcj02` says that a Chinese map SDK gave it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct GeoPoint {
    /// Longitude, decimal degrees.
    pub lon: f64,
    /// Latitude, decimal degrees.
    pub lat: f64,
    /// Radius of the fix in metres.
    pub accuracy_m: Option<u32>,
    /// True for GCJ-02. Stored raw with this label; never convert before handing it over.
    pub gcj02: bool,
    /// Where it came from; none counts as a pin set by hand.
    #[uniffi(default = None)]
    pub source: Option<PointSource>,
    /// Age of the fix in seconds.
    #[uniffi(default = None)]
    pub fix_age_s: Option<u32>,
}

/// A report as typed; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, uniffi::Record)]
pub struct Report {
    /// Name, code, or `scheme:code`.
    pub category: Option<String>,
    /// What is wrong, at most 2,000 characters.
    pub text: Option<String>,
    /// Where.
    pub point: Option<GeoPoint>,
    /// Fixed or forwarded.
    pub mode: Option<Mode>,
    /// How it was fixed.
    pub handle_note: Option<String>,
    /// Paths of photos of the problem.
    pub photos_before: Vec<String>,
    /// Paths of photos after handling.
    pub photos_after: Vec<String>,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CaseLine {
    /// ULID, 26 characters.
    pub id: String,
    /// `draft`, `submitted`, or the state the office gave it.
    pub state: String,
    /// Decided mode, until then the claimed one.
    pub mode: Option<Mode>,
    /// The description.
    pub text: String,
    /// Name of the category, if the phone knows it.
    pub category_name: Option<String>,
    /// Number the office gave it (案卷号).
    pub case_no: Option<String>,
    /// Why the office voided it.
    pub void_reason: Option<String>,
    /// Photos its facts name.
    pub photos: u32,
    /// True while something of it is only on this phone.
    pub unsent: bool,
    /// The tick "saved on this phone": always true, a call that failed answers no line.
    pub on_phone: bool,
    /// The tick "on the server": true after an answer whose digest covers everything of it but photos.
    pub on_server: bool,
    /// The tick "reviewed": true once the office decided on it.
    pub reviewed: bool,
    /// Photos this phone sends.
    pub photos_total: u32,
    /// Those of them that are on the server.
    pub photos_sent: u32,
    /// Code of what the inspector has to look at.
    pub attention: Option<String>,
}

/// A case with what the field saw and what the office decided.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CaseCard {
    /// Its line.
    pub line: CaseLine,
    /// The facts as JSON, names as in docs/DOMAIN.md.
    pub facts_json: String,
    /// The ledger's projection as JSON; none before the server confirmed the case.
    pub ledger_json: Option<String>,
    /// What was written here and not taken, oldest first.
    pub refused: Vec<RefusedText>,
}

/// Something written on this phone that the server did not take.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RefusedText {
    /// What was written.
    pub text: String,
    /// When, milliseconds since 1970 by the phone's clock.
    pub at_ms: i64,
    /// Why it was not taken.
    pub code: String,
}

/// What one sync did.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SyncSummary {
    /// HTTP requests.
    pub requests: u32,
    /// Bytes sent, headers included.
    pub bytes_up: u64,
    /// Bytes received.
    pub bytes_down: u64,
    /// Cases the server confirmed.
    pub cases_sent: u32,
    /// Photos the server confirmed.
    pub photos_sent: u32,
    /// Cases still only here.
    pub cases_waiting: u32,
    /// Photos still only here.
    pub photos_waiting: u32,
    /// True if nothing waits any more.
    pub drained: bool,
    /// Why it ended before that; none if it is drained.
    pub ended: Option<Ended>,
}

/// Why a sync ended before everything was sent. Nothing is lost then; what waits stays on the phone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Ended {
    /// Stable code: `offline`, `server_busy`, `wait_for_wifi`, `storage_full`, …; of a phone the server takes nothing
    /// from, the server's.
    pub code: String,
    /// What happened.
    pub words_zh: String,
    /// What happened.
    pub words_en: String,
    /// What to do.
    pub hint_zh: String,
    /// What to do.
    pub hint_en: String,
}

/// What is only on this phone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Waiting {
    /// Cases.
    pub cases: u32,
    /// Photos.
    pub photos: u32,
    /// Why photos wait although there may be a network: `wait_for_wifi`, `budget_used` or `no_network`.
    pub photos_held: Option<String>,
}

/// The signed-in user.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SignedIn {
    /// Log-in name.
    pub id: String,
    /// Name shown to people.
    pub name: String,
}

/// The user's own figures over a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Figures {
    /// Reports, void included.
    pub reported: u32,
    /// Fixed on the spot.
    pub self_handled: u32,
    /// Forwarded.
    pub forwarded: u32,
    /// Void.
    pub void_count: u32,
    /// Filed.
    pub filed: u32,
    /// Not decided yet.
    pub pending: u32,
}

/// What a rescue wrote.
#[derive(uniffi::Record)]
pub struct RescueSummary {
    /// Paths of the files; empty if nothing waits.
    pub files: Vec<String>,
    /// Cases in them.
    pub cases: u32,
    /// Requests in them.
    pub requests: u32,
    /// Photos in them.
    pub photos: u32,
    /// Photos whose file is gone or damaged.
    pub unreadable: u32,
}

/// The link, as the system describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Link {
    /// No network.
    Offline,
    /// Wi-Fi, or anything that is not paid by the byte.
    Unmetered,
    /// Mobile data in the own network.
    Metered,
    /// Mobile data in a foreign network.
    Roaming,
}

/// What photos may use of mobile data.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DataPlan {
    /// Photos wait for Wi-Fi.
    pub photos_on_wifi_only: bool,
    /// Previews go over mobile data.
    pub previews_on_mobile: bool,
    /// Most bytes a month; none for no limit.
    pub monthly_bytes: Option<u64>,
    /// Bytes this month, up and down.
    pub used_bytes: u64,
}

impl From<Link> for client::Link {
    fn from(link: Link) -> Self {
        match link {
            Link::Offline => Self::None,
            Link::Unmetered => Self::Unmetered,
            Link::Metered => Self::Metered,
            Link::Roaming => Self::Roaming,
        }
    }
}

impl From<client::DataPlan> for DataPlan {
    fn from(plan: client::DataPlan) -> Self {
        Self {
            photos_on_wifi_only: plan.rules.photos_on_wifi_only,
            previews_on_mobile: plan.rules.previews_on_mobile,
            monthly_bytes: plan.rules.monthly_bytes,
            used_bytes: plan.used,
        }
    }
}

impl From<Mode> for model::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::SelfHandled => Self::SelfHandled,
            Mode::Forwarded => Self::Forwarded,
        }
    }
}

impl From<model::Mode> for Mode {
    fn from(mode: model::Mode) -> Self {
        match mode {
            model::Mode::SelfHandled => Self::SelfHandled,
            model::Mode::Forwarded => Self::Forwarded,
        }
    }
}

impl From<PointSource> for model::LocationSource {
    fn from(source: PointSource) -> Self {
        match source {
            PointSource::Gps => Self::Gps,
            PointSource::Network => Self::Network,
            PointSource::LastFix => Self::LastFix,
            PointSource::Manual => Self::Manual,
        }
    }
}

impl From<GeoPoint> for Place {
    fn from(point: GeoPoint) -> Self {
        let system = if point.gcj02 { model::CoordSys::Gcj02 } else { model::CoordSys::Wgs84 };
        let pin = Self::pin(point.lon, point.lat);
        let source = point.source.map_or(pin.source, model::LocationSource::from);
        Self { system, source, accuracy_m: point.accuracy_m, fix_age_s: point.fix_age_s, ..pin }
    }
}

impl From<Report> for ReportInput {
    fn from(report: Report) -> Self {
        let before = report.photos_before.into_iter().map(PhotoInput::before);
        let after = report.photos_after.into_iter().map(PhotoInput::after);
        Self {
            category: report.category,
            text: report.text,
            place: report.point.map(Place::from),
            mode: report.mode.map(model::Mode::from),
            handle_note: report.handle_note,
            photos: before.chain(after).collect(),
            ..Self::default()
        }
    }
}

impl From<CaseItem> for CaseLine {
    fn from(item: CaseItem) -> Self {
        Self {
            id: item.id.to_string(),
            state: item.state,
            mode: item.mode.map(Mode::from),
            text: item.text,
            category_name: item.category_name,
            case_no: item.case_no,
            void_reason: item.void_reason,
            photos: item.photos as u32,
            unsent: item.unsent,
            on_phone: true,
            on_server: item.on_server,
            reviewed: item.reviewed,
            photos_total: item.own_photos.total,
            photos_sent: item.own_photos.sent,
            attention: item.attention,
        }
    }
}

impl From<CaseDetail> for CaseCard {
    fn from(detail: CaseDetail) -> Self {
        let json = |value: serde_json::Result<String>| value.expect("plain data has a JSON form");
        Self {
            facts_json: json(serde_json::to_string(&detail.facts)),
            ledger_json: detail.ledger.as_ref().map(|ledger| json(serde_json::to_string(ledger))),
            refused: detail
                .refused
                .into_iter()
                .map(|one| RefusedText { text: one.text, at_ms: one.at.0, code: one.code })
                .collect(),
            line: detail.item.into(),
        }
    }
}

impl From<SyncReport> for SyncSummary {
    fn from(report: SyncReport) -> Self {
        Self {
            requests: report.requests,
            bytes_up: report.bytes_up,
            bytes_down: report.bytes_down,
            cases_sent: report.cases_sent,
            photos_sent: report.photos_sent,
            cases_waiting: report.cases_waiting,
            photos_waiting: report.photos_waiting,
            drained: report.drained,
            ended: report.stop.as_ref().map(Ended::from),
        }
    }
}

impl From<&Stop> for Ended {
    fn from(stop: &Stop) -> Self {
        Self {
            code: stop.code().to_owned(),
            words_zh: stop.zh(),
            words_en: stop.en(),
            hint_zh: stop.hint_zh().to_owned(),
            hint_en: stop.hint_en().to_owned(),
        }
    }
}

impl From<Rescued> for RescueSummary {
    fn from(done: Rescued) -> Self {
        Self {
            files: done.files.iter().map(|file| file.display().to_string()).collect(),
            cases: done.cases,
            requests: done.requests,
            photos: done.photos,
            unreadable: done.unreadable,
        }
    }
}

impl From<&PhoneStatus> for Waiting {
    fn from(status: &PhoneStatus) -> Self {
        let held = status.photos_held.map(|leave| leave.code().to_owned());
        Self { cases: status.unsent.cases, photos: status.unsent.photos, photos_held: held }
    }
}

impl From<UserInfo> for SignedIn {
    fn from(user: UserInfo) -> Self {
        Self { id: user.id, name: user.name }
    }
}

impl From<MyCounts> for Figures {
    fn from(counts: MyCounts) -> Self {
        Self {
            reported: counts.reported,
            self_handled: counts.self_handled,
            forwarded: counts.forwarded,
            void_count: counts.void,
            filed: counts.filed,
            pending: counts.pending,
        }
    }
}
