//! One phone: what it showed as saved is there, what it shows as sent is at the centre, nothing goes back in time.

use rusqlite::{Connection, OptionalExtension};
use xunge_client_core::model::CaseId;
use xunge_server::params;

use crate::sim::world::World;
use crate::sim::{Held, hold};

impl World {
    /// Everything that can be said of a phone at any moment.
    pub(in crate::sim) fn check_phone(&mut self, name: usize) -> Held {
        let look = self.phones[name].look();
        self.check_saved(name, &look)?;
        self.check_photos(name, &look)?;
        self.check_versions(name, &look)?;
        let epoch: u64 = look.query_row("SELECT epoch FROM phone", [], |row| row.get::<_, i64>(0)).unwrap() as u64;
        if epoch == self.centre.epoch {
            self.check_shown_as_sent(name, &look)?;
            self.check_photos_sent(name, &look)?;
        }
        Ok(())
    }

    /// Every act that was answered with "saved" is an intent of the phone, or the case has left it for the centre.
    fn check_saved(&mut self, name: usize, look: &Connection) -> Held {
        let acts: Vec<(CaseId, u32)> = self
            .promises
            .acts
            .range((name, CaseId::from_bytes([0; 16]))..=(name, CaseId::from_bytes([255; 16])))
            .map(|((_, case), acts)| (*case, *acts))
            .collect();
        let mut intents = look.prepare_cached("SELECT COUNT(*) FROM intent WHERE case_id = ?1").unwrap();
        let mut own = look.prepare_cached("SELECT own FROM case_local WHERE id = ?1").unwrap();
        for (case, acts) in acts {
            let own: Option<bool> = own.query_row([case.as_bytes()], |row| row.get(0)).optional().unwrap();
            let kept: u32 = intents.query_row([case.as_bytes()], |row| row.get(0)).unwrap();
            // A colleague's case may have left and come back, without what was done here and is at the centre.
            if own.is_some_and(|own| own || kept >= acts) {
                hold(kept >= acts, "what was saved stays on the phone", || {
                    format!("phone {name} case {case}: {kept} of {acts} acts")
                })?;
            } else {
                let sql = "SELECT 1 FROM case_row WHERE id = ?1";
                let known = self.centre.has(sql, params![case.as_bytes()].to_vec());
                hold(known, "a case leaves a phone only for the centre", || format!("phone {name} case {case}"))?;
                self.promises.acts.remove(&(name, case));
            }
        }
        Ok(())
    }

    /// Within an epoch a phone never sees a lower version after a higher one.
    fn check_versions(&mut self, name: usize, look: &Connection) -> Held {
        let sql = "SELECT id, ledger_epoch, json_extract(ledger, '$.version') FROM case_local WHERE ledger IS NOT NULL";
        let mut statement = look.prepare_cached(sql).unwrap();
        let rows = statement
            .query_map([], |row| Ok((CaseId::from_bytes(row.get(0)?), row.get::<_, i64>(1)? as u64, row.get(2)?)))
            .unwrap();
        for row in rows {
            let (case, epoch, version): (CaseId, u64, u32) = row.unwrap();
            let before = self.promises.seen.insert((name, case), (epoch, version));
            let back = before.is_some_and(|before| before.0 == epoch && before.1 > version);
            hold(!back, "versions never go back", || {
                format!("phone {name} case {case}: {version} after {before:?} of epoch {epoch}")
            })?;
        }
        Ok(())
    }

    /// What the phone takes for acknowledged is at the centre.
    fn check_shown_as_sent(&mut self, name: usize, look: &Connection) -> Held {
        let mut changes = look.prepare_cached("SELECT case_id, hash FROM change_out WHERE acked = 1").unwrap();
        let rows = changes.query_map([], |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, [u8; 32]>(1)?))).unwrap();
        for row in rows {
            let (case, hash) = row.unwrap();
            if self.sent.changes.contains(&(case, hash)) {
                continue;
            }
            let sql = "SELECT 1 FROM change_row WHERE case_id = ?1 AND hash = ?2";
            let held = self.centre.has(sql, params![&case, &hash].to_vec());
            hold(held, "what is shown as sent is at the centre", || {
                format!("phone {name} case {} change {}", CaseId::from_bytes(case), hex::encode(&hash[..4]))
            })?;
            self.sent.changes.insert((case, hash));
        }
        let sql = "SELECT id FROM case_local WHERE own = 1 AND state = 'submitted' AND dirty = 0";
        let mut cases = look.prepare_cached(sql).unwrap();
        let rows = cases.query_map([], |row| row.get::<_, [u8; 16]>(0)).unwrap();
        for row in rows {
            let case = row.unwrap();
            if self.sent.cases.contains(&case) {
                continue;
            }
            let held = self.centre.has("SELECT 1 FROM case_row WHERE id = ?1", params![&case].to_vec());
            hold(held, "a report shown as sent is at the centre", || {
                format!("phone {name} case {}", CaseId::from_bytes(case))
            })?;
            self.sent.cases.insert(case);
        }
        let sql = "SELECT intent, version FROM request WHERE state = 'accepted'";
        let mut requests = look.prepare_cached(sql).unwrap();
        let rows = requests.query_map([], |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, i64>(1)?))).unwrap();
        for row in rows {
            let (intent, version) = row.unwrap();
            if self.sent.requests.contains(&(intent, version)) {
                continue;
            }
            let sql = "SELECT 1 FROM request_log r JOIN case_event e ON e.case_id = r.case_id AND e.version = r.version
                 WHERE r.intent_id = ?1 AND r.version = ?2 AND e.verb = r.verb";
            let held = self.centre.has(sql, params![&intent, version].to_vec());
            hold(held, "a request shown as granted is in the ledger", || format!("phone {name} intent {intent:02x?}"))?;
            self.sent.requests.insert((intent, version));
        }
        Ok(())
    }
}
