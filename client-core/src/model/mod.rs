//! Plain data of the trade, shared by phones and server.

mod category;
mod facts;
mod geo;
mod ids;
mod org;
mod role;
mod time;
mod worktime;

pub use category::{CategoryRef, Kind};
pub use facts::{Conflict, Facts, PhotoFact, PhotoRole, Remark};
pub use geo::{CoordSys, LocationSource, Point, Polygon};
pub use ids::{ActorId, CaseId, ChangeHash, DeviceId, IdError, IntentId, PhotoHash, Sha256, Ulid};
pub use org::{OrgCode, OrgError, OrgLevel};
pub(crate) use role::coded;
pub use role::{Mode, Role};
pub use time::{LocalDay, LocalMonth, Millis, TimeError};
pub use worktime::{CalendarError, WorkCalendar};
