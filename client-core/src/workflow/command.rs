//! What goes into a decision and what comes out.

use serde::{Deserialize, Deserializer, Serialize};

use super::member::Member;
use super::payload::Payload;
use super::state::{State, Verb};
use crate::model::{CaseId, CategoryRef, ChangeHash, DeviceId, Millis, OrgCode, Role};

/// Someone wants something done to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// What.
    pub verb: Verb,
    /// The ledger version the actor saw; `None` decides on whatever is there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u32>,
    /// With what.
    #[serde(default)]
    pub payload: Payload,
}

impl Command {
    /// A command on whatever version is there.
    pub fn new(verb: Verb, payload: Payload) -> Self {
        Self { verb, expected_version: None, payload }
    }

    /// The same command, only if the ledger is still at `version`.
    pub fn at_version(self, version: u32) -> Self {
        Self { expected_version: Some(version), ..self }
    }
}

/// Who wants it, as authenticated by the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User name; stable for ever, because separation of duties compares it.
    pub user: String,
    /// The role the user acts in.
    pub role: Role,
    /// The unit the user belongs to.
    pub unit: Option<OrgCode>,
}

/// What the caller knows and a pure function can not look up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The server's business clock.
    pub now: Millis,
    /// Heads of the field document the actor judged; kept in the event as evidence.
    pub heads: Vec<ChangeHash>,
    /// The phone a request came from.
    pub device: Option<DeviceId>,
    /// The case; a case can not be merged into itself.
    pub case_id: Option<CaseId>,
    /// Whether the bytes of an after photo of the field document are on the server.
    pub after_photo_present: bool,
    /// `category_claim` as it stands in the field document; the default of a final category.
    pub claimed_category: Option<CategoryRef>,
    /// A fresh case number the caller reserved; used if the verb issues one ([`super::Rule::numbered`])
    /// and the case has none yet.
    pub case_no: Option<String>,
}

impl Context {
    /// Nothing known but the time.
    pub fn at(now: Millis) -> Self {
        Self { now, ..Self::default() }
    }
}

/// One entry of a case's ledger: what was decided, by whom, on what evidence. Never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The case's version after this event: 1, 2, 3 without a gap.
    pub version: u32,
    /// What was done.
    pub verb: Verb,
    /// User name of who did it.
    pub actor: String,
    /// In which role.
    pub role: Role,
    /// From which phone, if from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// When, by the server's business clock.
    pub at: Millis,
    /// State before; `None` for the event that creates the case.
    pub from: Option<State>,
    /// State after.
    pub to: State,
    /// What was decided, with defaults filled in.
    #[serde(default, deserialize_with = "known_members")]
    pub payload: Payload,
    /// Heads of the field document that was judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<ChangeHash>,
}

/// Reads a payload without the members this version does not know.
///
/// A phone two versions behind must still see where its case stands. Commands stay strict: there an unknown member is
/// a mistake of whoever sent it.
fn known_members<'de, D: Deserializer<'de>>(from: D) -> Result<Payload, D::Error> {
    let mut members = serde_json::Map::deserialize(from)?;
    members.retain(|name, _| Member::from_code(name).is_some());
    Payload::deserialize(serde_json::Value::Object(members)).map_err(serde::de::Error::custom)
}
