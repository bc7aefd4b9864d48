//! The administration's acts: each phone that joined, was shut out or was taken for a copy has its line, each code one
//! phone, and everybody's grids are those of the last change.

use serde_json::Value;

use crate::sim::world::World;
use crate::sim::{Held, hold};

/// What may not be there, and what it is.
const NEVER: [(&str, &str); 5] = [
    (
        "a phone that joined without a line",
        "SELECT hex(id) FROM device WHERE lower(hex(id)) NOT IN (SELECT lower(hex(used_by)) FROM enrol_code
         WHERE used_by IS NOT NULL) OR NOT EXISTS (SELECT 1 FROM audit WHERE action = 'device.enrolled'
         AND actor = device.user_id AND at = device.enrolled_at)",
    ),
    (
        "a phone that was shut out without a line",
        "SELECT hex(id) FROM device WHERE revoked_at IS NOT NULL AND NOT EXISTS
         (SELECT 1 FROM audit WHERE action = 'device.revoked' AND at = device.revoked_at)",
    ),
    (
        "a copy without a line",
        "SELECT hex(id) FROM device WHERE cloned_at IS NOT NULL AND NOT EXISTS
         (SELECT 1 FROM audit WHERE action = 'device.cloned' AND actor = device.user_id)",
    ),
    (
        "a code that let two phones in",
        "SELECT hex(used_by) FROM enrol_code WHERE used_by IS NOT NULL GROUP BY used_by
         HAVING COUNT(*) > 1",
    ),
    (
        "a code of one user that let in another's phone",
        "SELECT hex(d.id) FROM enrol_code c JOIN device d ON d.id = c.used_by WHERE c.user_id <> d.user_id",
    ),
];

impl World {
    /// The trail itself is walked by `verify`.
    pub(super) fn check_administration(&self) -> Held {
        for (what, sql) in NEVER {
            let found = self.centre.rows(sql, Vec::new());
            hold(found.is_empty(), "every act of the administration has its line", || {
                format!("{what}: {}", found[0].text(0).unwrap())
            })?;
        }
        let sql = "SELECT subject, detail FROM audit WHERE action = 'user.changed' ORDER BY seq";
        let mut last = std::collections::BTreeMap::new();
        for row in self.centre.rows(sql, Vec::new()) {
            let detail: Value = serde_json::from_str(row.text(1).unwrap()).unwrap();
            if let Some(grids) = detail.get("grids") {
                last.insert(row.text(0).unwrap().to_owned(), grids["after"].clone());
            }
        }
        for (user, grids) in last {
            let walks = serde_json::json!(self.centre.viewer(&user).grids);
            hold(walks == grids, "everybody walks the grids of their last change", || {
                format!("{user}: {walks} but {grids}")
            })?;
        }
        Ok(())
    }
}
