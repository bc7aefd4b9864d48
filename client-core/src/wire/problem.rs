//! The error body of every HTTP answer (RFC 9457, `application/problem+json`).

use serde::{Deserialize, Serialize};

/// What went wrong, for programs (`code`) and for people (`detail`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI reference naming the kind of problem, `/problems/<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for all problems of this code.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable snake_case code.
    pub code: String,
    /// What, why, and the way out, in the language asked for.
    pub detail: String,
    /// The member at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Where the case stands, for `stale_version` and `wrong_state`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Current>,
}

/// State and version of a case as the server has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// State code.
    pub state: String,
    /// Ledger version.
    pub version: u32,
}
