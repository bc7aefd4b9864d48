//! Who may use which route: the one table, walked by the router, the tests and `docs/API.md`.
//!
//! A role here only opens the door of a route. What a role may do to a case is the workflow's to say, and which cases
//! exist for it is the scope's: outside the scope 404, inside it 403 for a verb the role does not have.

use xunge_client_core::model::Role;
use xunge_client_core::wire::limits;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody, without signing in.
    Anyone,
    /// A phone that proves itself in the request's own body.
    Device,
    /// A bearer whose role is one of these.
    Roles(&'static [Role]),
    /// Any bearer, a phone's upload token included.
    Uploader,
}

/// One route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// HTTP method in capitals.
    pub method: &'static str,
    /// Path with its parameters in braces.
    pub path: &'static str,
    /// Who may use it.
    pub who: Who,
    /// Most bytes of its body; 0 for none.
    pub max_body: usize,
}

const EVERY_ROLE: &[Role] = Role::ALL;
/// Everybody but inspectors, whose phones ask when they sync.
const OFFICES: &[Role] = &[
    Role::TownOffice,
    Role::Dispatcher,
    Role::HandlingUnit,
    Role::DutyLeader,
    Role::Hotline,
    Role::Auditor,
    Role::Admin,
];
/// Those who write down what others tell.
const CLERKS: &[Role] = &[Role::Hotline];
/// Those who answer for phones: their own unit's, their district's.
const PHONE_KEEPERS: &[Role] = &[Role::TownOffice, Role::DutyLeader, Role::Auditor, Role::Admin];

const NONE: usize = 0;
const FORM: usize = 4 * 1024;
const JSON: usize = 64 * 1024;
const PHOTO: usize = crate::domain::uploads::MAX_BYTES as usize;

const fn rule(method: &'static str, path: &'static str, who: Who, max_body: usize) -> Rule {
    Rule { method, path, who, max_body }
}

/// Every route of the JSON API.
pub const TABLE: &[Rule] = &[
    rule("GET", "/healthz", Who::Anyone, NONE),
    rule("GET", "/readyz", Who::Anyone, NONE),
    rule("GET", "/openapi.json", Who::Anyone, NONE),
    rule("POST", "/v1/auth/token", Who::Anyone, FORM),
    rule("POST", "/v1/auth/enrol", Who::Anyone, FORM),
    rule("GET", "/v1/me", Who::Roles(EVERY_ROLE), NONE),
    rule("POST", "/v1/sync", Who::Device, limits::ENVELOPE),
    rule("POST", "/v1/rescue", Who::Anyone, limits::RESCUE),
    rule("GET", "/v1/cases", Who::Roles(EVERY_ROLE), NONE),
    rule("POST", "/v1/cases", Who::Roles(CLERKS), JSON),
    rule("GET", "/v1/cases/{id}", Who::Roles(EVERY_ROLE), NONE),
    rule("GET", "/v1/cases/{id}/events", Who::Roles(EVERY_ROLE), NONE),
    rule("POST", "/v1/cases/{id}/events", Who::Roles(EVERY_ROLE), JSON),
    rule("GET", "/v1/cases/{id}/photos/{sha256}", Who::Roles(EVERY_ROLE), NONE),
    rule("OPTIONS", "/v1/photos", Who::Anyone, NONE),
    rule("POST", "/v1/photos", Who::Uploader, PHOTO),
    rule("HEAD", "/v1/photos/{upload}", Who::Uploader, NONE),
    rule("PATCH", "/v1/photos/{upload}", Who::Uploader, PHOTO),
    rule("DELETE", "/v1/photos/{upload}", Who::Uploader, NONE),
    rule("POST", "/v1/photos/{upload}", Who::Uploader, PHOTO),
    rule("GET", "/v1/events/stream", Who::Roles(OFFICES), NONE),
    rule("GET", "/v1/counts", Who::Roles(EVERY_ROLE), NONE),
    rule("GET", "/v1/phones", Who::Roles(PHONE_KEEPERS), NONE),
    rule("GET", "/v1/reference/bundle", Who::Roles(EVERY_ROLE), NONE),
    rule("GET", "/v1/reference/{kind}", Who::Roles(EVERY_ROLE), NONE),
];

/// The rule of a route.
pub fn of(method: &str, path: &str) -> Option<&'static Rule> {
    TABLE.iter().find(|rule| rule.method == method && rule.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_one_rule() {
        for (index, rule) in TABLE.iter().enumerate() {
            let first = TABLE.iter().position(|other| (other.method, other.path) == (rule.method, rule.path));
            assert_eq!(first, Some(index), "{} {}", rule.method, rule.path);
        }
    }

    #[test]
    fn nothing_about_cases_is_open_to_strangers() {
        for rule in TABLE {
            let open = ["/healthz", "/readyz", "/openapi.json", "/v1/auth/token", "/v1/auth/enrol", "/v1/rescue"];
            // What the upload server can do, which says nothing about any upload.
            let described = (rule.method, rule.path) == ("OPTIONS", "/v1/photos");
            assert_eq!(rule.who == Who::Anyone, open.contains(&rule.path) || described, "{}", rule.path);
        }
    }
}
