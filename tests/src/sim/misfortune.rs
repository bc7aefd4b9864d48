//! Misfortunes that change what may be expected: backups put back, copies, lost rights, power cuts in mid-write.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use xunge_client_core::driver::core::Advance;
use xunge_client_core::model::CaseId;

use super::machine::PhotoBox;
use super::phone::copy_database;
use super::world::{Sent, World};
use super::{Held, centre};
use crate::workload::Dice;

/// A copy of everything on a phone, as it was.
#[derive(Debug)]
pub(super) struct Snapshot {
    phone: usize,
    folder: PathBuf,
    files: PhotoBox,
    device: xunge_client_core::model::DeviceId,
    /// Which owner of the phone it is of; an older owner's is not put back.
    owner: String,
}

impl World {
    /// A phone's backup is made.
    pub(super) fn back_up_phone(&mut self) -> Held {
        let name = self.any_phone();
        let folder = self.folder.join(format!("backup-{}", self.snapshots.len()));
        let phone = &self.phones[name];
        copy_database(&phone.folder, &folder);
        let (files, device, owner) = (phone.files.copy(), phone.device, phone.user.user.clone());
        self.snapshots.push(Snapshot { phone: name, folder, files, device, owner });
        self.note(format!("phone {name} is backed up"));
        Ok(())
    }

    /// A phone is put back to what a backup has of it.
    pub(super) fn restore_phone(&mut self) -> Held {
        if self.snapshots.is_empty() {
            return self.back_up_phone();
        }
        let index = self.dice.below(self.snapshots.len() as u64) as usize;
        let Snapshot { phone: name, folder, files, device, owner } = &self.snapshots[index];
        let name = *name;
        if *owner != self.phones[name].user.user {
            return Ok(());
        }
        let phone = &mut self.phones[name];
        phone.mend();
        phone.die();
        copy_database(folder, &phone.folder);
        phone.files = Arc::new(files.copy());
        phone.device = *device;
        self.counted.misfortunes += 1;
        self.note(format!("phone {name} is restored from backup {index}"));
        self.forget_what_is_not_on(name);
        self.start(name)
    }

    /// A phone is copied; both go on.
    pub(super) fn clone_phone(&mut self) -> Held {
        if self.phones.len() >= self.scale.phones + 4 {
            return Ok(());
        }
        let name = self.any_phone();
        let (copy, seed) = (self.phones.len(), self.dice.roll());
        let folder = self.folder.join(format!("phone-{copy}"));
        let original = &self.phones[name];
        let (device, used) = (original.device, original.counter());
        let phone = original.copy(copy, folder, self.time.clone(), seed, &original.folder.clone());
        self.phones.push(phone);
        self.promises.copied(name, copy);
        self.copies.split([name, copy], device, used);
        self.counted.misfortunes += 1;
        self.note(format!("phone {name} is cloned as phone {copy}"));
        self.start(copy)
    }

    /// An administrator shuts a phone out.
    pub(super) fn revoke_phone(&mut self) -> Held {
        let name = self.any_phone();
        let known = self.centre.revoke(self.phones[name].device);
        self.counted.misfortunes += 1;
        self.note(format!("phone {name} is revoked, {}", if known { "and known" } else { "but unknown" }));
        Ok(())
    }

    /// The administration gives somebody other grids: a colleague's, or one less. Their phones hear of what they lose with
    /// the next contact, and of what they gain by the count.
    pub(super) fn move_inspector(&mut self) -> Held {
        let name = self.any_phone();
        let user = self.phones[name].user.user.clone();
        let colleague = self.colleague(name);
        let mut of = self.centre.viewer(&user);
        let mut grids = of.grids.clone();
        if grids.len() > 1 && self.dice.chance(500) {
            grids.pop();
        } else {
            of = self.centre.viewer(&colleague);
            grids.clone_from(&of.grids);
        }
        self.centre.move_to(&user, &of, grids);
        let now = self.centre.viewer(&user);
        self.counted.misfortunes += 1;
        self.note(format!("{user} walks {} grids from now on, in {}", now.grids.len(), now.scope));
        for phone in self.phones.iter_mut().filter(|phone| phone.user.user == user) {
            phone.user.grids.clone_from(&now.grids);
        }
        Ok(())
    }

    /// A phone with nothing unsent on it goes to a colleague.
    pub(super) fn switch_user(&mut self) -> Held {
        let name = self.any_phone();
        if self.phones[name].process.is_none() {
            self.start(name)?;
        }
        let unsent = self.phones[name].store().unsent().map_err(super::field::broken)?;
        if unsent.cases + unsent.photos > 0 {
            return Ok(());
        }
        // What it says it sent is asked of the centre once more.
        self.check_phone(name)?;
        self.phones[name].mend();
        self.phones[name].store().wipe().map_err(super::field::broken)?;
        let user = self.colleague(name);
        let found = centre::org().users.iter().find(|known| known.user == user);
        self.phones[name].user = found.expect("a colleague is known").clone();
        self.phones[name].files = Arc::default();
        self.counted.misfortunes += 1;
        self.note(format!("phone {name} is wiped and goes to {user}"));
        self.forget_what_is_not_on(name);
        let code = format!("code {} for {user}", self.phones[name].life);
        let (phone, centre) = (&mut self.phones[name], &self.centre);
        phone.enrol(centre, &code);
        Ok(())
    }

    /// The centre makes a backup, or puts one back.
    pub(super) fn back_up_or_restore_centre(&mut self) -> Held {
        if self.backups.is_empty() || self.dice.chance(600) {
            let path = self.centre.back_up(self.backups.len());
            self.note("the centre is backed up");
            self.backups.push((path, self.centre.photos()));
            return Ok(());
        }
        let index = self.dice.below(self.backups.len() as u64) as usize;
        let path = self.backups[index].0.clone();
        let (phones, centre) = (&self.phones, &self.centre);
        let lost =
            self.promises.left_to_centre(|phone, text| phones[phone].holds(text), |case, text| centre.says(case, text));
        super::hold(lost.is_empty(), "no saved remark is lost", || lost.join(", "))?;
        let lost = self.promises.photos_left_to_centre(
            |phone, case, photo| phones[phone].holds_photo(case, photo),
            |case, photo| centre.photo_of(case, photo) == Some(true),
        );
        super::hold(lost.is_empty(), "no saved photo is lost", || lost.join(", "))?;
        // And what left a phone for this centre is asked of this centre, not of the one it becomes.
        for name in 0..self.phones.len() {
            self.check_phone(name)?;
        }
        self.centre.restore(&path);
        self.centre.put_back(&self.backups[index].1);
        self.counted.misfortunes += 1;
        self.sent = Sent::default();
        self.heard.clear();
        self.copies.forget_speakers();
        self.note(format!("the centre is restored from backup {index}, epoch {}", self.centre.epoch));
        // Only what some phone still holds can come back.
        let known: BTreeSet<CaseId> = self.centre.cases().into_iter().collect();
        let centre = &self.centre;
        self.promises.lost_at_centre(&known, |case, text| centre.says(case, text));
        self.promises.photos_lost_at_centre(|case, photo| centre.photo_of(case, photo) == Some(true));
        self.check_centre()
    }

    /// The power of a phone fails while it writes: some of the bytes of a commit are on the disk, in order.
    pub(super) fn power_fails(&mut self, name: usize) -> Held {
        let before = self.phones[name].disk();
        let phone = &mut self.phones[name];
        if let Some(process) = &mut phone.process {
            while process.core.advance() == Advance::Done {}
        }
        self.tear(name, before)
    }

    /// Leaves of what was written since `before` as much as the dice say, and starts the phone on that.
    pub(super) fn tear(&mut self, name: usize, before: Disk) -> Held {
        let phone = &mut self.phones[name];
        phone.die();
        let log = torn(&before, &phone.disk(), &mut self.dice);
        let left = log.as_ref().map_or(0, Vec::len);
        if let Some(log) = log {
            std::fs::write(phone.folder.join("phone.db-wal"), log).unwrap();
            let _ = std::fs::remove_file(phone.folder.join("phone.db-shm"));
        }
        let saved = self.phones[name].named_photos();
        self.phones[name].files.tear(&saved, || self.dice.roll());
        self.counted.crashes += 1;
        self.note(format!("the power of phone {name} fails; {left} bytes of its log are left"));
        self.start(name)?;
        let look = self.phones[name].look();
        let sound: String = look.query_row("PRAGMA quick_check", [], |row| row.get(0)).unwrap();
        super::hold(sound == "ok", "a power cut leaves a sound database", || format!("phone {name}: {sound}"))
    }

    /// Something a phone holds and the centre has as well is lost or spoilt: a bad page of its storage, a mistake of the app.
    pub(super) fn rot(&mut self) -> Held {
        let name = self.any_phone();
        if self.phones[name].short.is_some() {
            return Ok(());
        }
        let path = self.phones[name].database();
        let spoilt = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        spoilt.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        const HELD: &str = "SELECT id FROM case_local WHERE state = 'submitted' AND dirty = 0 AND gone = 0
             AND attention IS NULL AND ledger IS NOT NULL AND own <= ?1
             AND NOT EXISTS (SELECT 1 FROM photo WHERE case_id = case_local.id AND photo.state = 'waiting')
             AND NOT EXISTS (SELECT 1 FROM intent WHERE case_id = case_local.id AND refused IS NOT NULL)
             ORDER BY id LIMIT 1 OFFSET ?2";
        let (what, own, sql) = *self.dice.pick(&[
            ("a case is lost", 0, "DELETE FROM case_local WHERE id = ?1"),
            ("an event is lost", 1, "DELETE FROM event WHERE case_id = ?1 AND version = 1"),
            ("the document is spoilt", 1, "UPDATE case_local SET base = substr(base, 1, 40) WHERE id = ?1"),
        ]);
        let skipped = self.dice.below(8) as i64;
        let mut found = spoilt.prepare(HELD).unwrap();
        let case: Option<[u8; 16]> = found.query_row((own, skipped), |row| row.get(0)).ok();
        let Some(case) = case else { return Ok(()) };
        spoilt.execute(sql, [case]).unwrap();
        self.counted.misfortunes += 1;
        self.note(format!("phone {name} rots: {what} of case {}", CaseId::from_bytes(case)));
        Ok(())
    }

    /// After a phone went back in time: what only it held is gone, and nobody may expect it.
    fn forget_what_is_not_on(&mut self, name: usize) {
        let path = self.phones[name].database();
        let look = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        let mut cases = look.prepare("SELECT 1 FROM case_local WHERE id = ?1 AND state = 'submitted'").unwrap();
        let mut words = look.prepare("SELECT 1 FROM intent WHERE instr(body, ?1) > 0").unwrap();
        let mut acts = look.prepare("SELECT COUNT(*) FROM intent WHERE case_id = ?1").unwrap();
        let known: BTreeSet<CaseId> = self.centre.cases().into_iter().collect();
        let centre = &self.centre;
        self.promises.forget(
            name,
            |case| cases.exists([case.as_bytes()]).unwrap(),
            |text| words.exists([text]).unwrap(),
            |case| acts.query_row([case.as_bytes()], |row| row.get(0)).unwrap(),
            |case| known.contains(&case),
            |case, text| centre.says(case, text),
        );
        let mut photos = look.prepare("SELECT 1 FROM photo WHERE case_id = ?1 AND sha256 = ?2").unwrap();
        self.promises.forget_photos(
            name,
            |case, photo| photos.exists((case.as_bytes(), photo.as_bytes())).unwrap(),
            |case, photo| centre.photo_of(case, photo) == Some(true),
        );
    }
}

/// A database and its log, byte by byte.
pub(super) type Disk = (Vec<u8>, Vec<u8>);

/// Reads a database that nobody writes to.
pub(super) fn read(database: &Path) -> Disk {
    let bytes = |path: &Path| std::fs::read(path).unwrap_or_default();
    (bytes(database), bytes(&log_of(database)))
}

/// Where the log of a database lies.
pub(super) fn log_of(database: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", database.display()))
}

/// What is left of a log when the power fails while it is written: the new bytes up to some place, and behind them
/// whatever was there before. None if nothing was written, or it moved into the database meanwhile.
pub(super) fn torn(before: &Disk, after: &Disk, dice: &mut Dice) -> Option<Vec<u8>> {
    let (old, new) = (&before.1, &after.1);
    let same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    if before.0 != after.0 || same == new.len() {
        return None;
    }
    // A log that was begun anew is written over.
    let over = old.iter().zip(new).rposition(|(old, new)| old != new).map_or(0, |last| last + 1);
    let end = if new.len() > old.len() { new.len() } else { over };
    let cut = same + dice.below((end - same) as u64) as usize;
    Some([&new[..cut], old.get(cut..).unwrap_or_default()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn torn_log(before: (&str, &str), after: (&str, &str)) -> BTreeSet<Option<String>> {
        let disk = |(database, log): (&str, &str)| (database.into(), log.into());
        let text = |log: Vec<u8>| String::from_utf8(log).unwrap();
        (0..200).map(|seed| torn(&disk(before), &disk(after), &mut Dice::new(seed)).map(text)).collect()
    }

    fn logs(logs: &[&str]) -> BTreeSet<Option<String>> {
        logs.iter().map(|log| Some((*log).to_owned())).collect()
    }

    #[test]
    fn a_power_cut_leaves_a_part_of_what_was_written_and_what_was_there_before() {
        assert_eq!(torn_log(("d", "ab"), ("d", "abxyz")), logs(&["ab", "abx", "abxy"]), "behind the log");
        assert_eq!(torn_log(("d", "abcde"), ("d", "xyzde")), logs(&["abcde", "xbcde", "xycde"]), "a log begun anew");
        assert_eq!(torn_log(("d", "ab"), ("d", "xyz")), logs(&["ab", "xb", "xy"]), "anew, and longer");
        assert_eq!(torn_log(("d", "ab"), ("d", "ab")), [None].into(), "nothing was written");
        assert_eq!(torn_log(("d", "ab"), ("e", "")), [None].into(), "the log moved into the database");
    }
}
