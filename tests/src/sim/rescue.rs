//! Rescue bundles: what waits on a phone, carried to the centre in files, once or several times, today or days later.

use xunge_client_core::client::{Config, Phone, PhoneError};
use xunge_client_core::model::{CaseId, PhotoHash};
use xunge_client_core::store::StoreError;
use xunge_server::params;
use xunge_server::sync::rescue::Received;

use super::net::Parcel;
use super::world::World;
use super::{Broken, Held, hold};

const HOUR: i64 = 3_600_000;

impl World {
    /// Somebody's phone can not sync; what waits on it is sealed into files beside the app, and a colleague takes them.
    pub(super) fn rescue_phone(&mut self) -> Held {
        let name = self.any_phone();
        if self.phones[name].process.is_none() {
            self.start(name)?;
        }
        if self.phones[name].short.is_some() {
            return Ok(());
        }
        let bundles = self.seal(name)?;
        self.note(format!("phone {name} is rescued into {} files", bundles.len()));
        if self.dice.chance(300) {
            let mut all = true;
            for bundle in bundles {
                all &= self.take_bundle(name, bundle);
            }
            return if all { self.check_rescued(name) } else { Ok(()) };
        }
        let now = self.time.now();
        for bundle in bundles {
            for _ in 0..1 + self.dice.below(2) {
                let way = if self.dice.chance(500) { 1 } else { self.dice.below(4 * 24) as i64 * HOUR };
                self.net.send(now.plus_ms(way), Parcel::Bundle { phone: name, bytes: bundle.clone() });
            }
        }
        self.check_phone(name)
    }

    /// A program beside the app seals everything that waits.
    pub(super) fn seal(&mut self, name: usize) -> Result<Vec<Vec<u8>>, Broken> {
        let phone = &self.phones[name];
        let out = phone.folder.join("rescue");
        let (config, parts) = (Config::new(&phone.folder), phone.parts());
        let failed = |error: PhoneError| super::field::broken(StoreError::Damaged(error.to_string()));
        let rescued = Phone::with_parts(config, parts).and_then(|beside| beside.rescue(&out)).map_err(failed)?;
        hold(rescued.unreadable == 0, "a saved photo stays on the phone", || format!("phone {name}: {rescued:?}"))?;
        Ok(rescued.files.iter().map(|file| std::fs::read(file).expect("it was written")).collect())
    }

    /// A bundle reaches the centre; false if it could not be taken as it is.
    pub(super) fn take_bundle(&mut self, phone: usize, bytes: Vec<u8>) -> bool {
        let received = self.centre.carried(bytes);
        let found = match &received {
            Ok(Received::Applied { cases, photos }) => format!("{cases} cases and {photos} photos"),
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        };
        self.note(format!("a bundle of phone {phone} reaches the centre: {found}"));
        let taken = matches!(received, Ok(Received::Applied { .. }));
        self.counted.bundles += u64::from(taken);
        taken
    }

    /// All bundles of a phone were taken: what waited on it is at the centre, whatever becomes of the phone.
    pub(super) fn check_rescued(&self, name: usize) -> Held {
        let look = self.phones[name].look();
        let sql = "SELECT id FROM case_local WHERE own = 1 AND state = 'submitted' AND dirty = 1";
        let mut cases = look.prepare(sql).unwrap();
        for case in cases.query_map([], |row| row.get(0).map(CaseId::from_bytes)).unwrap().map(Result::unwrap) {
            let there = self.centre.has("SELECT 1 FROM case_row WHERE id = ?1", params![case.as_bytes()].to_vec());
            hold(there, "a rescued report is at the centre", || format!("phone {name} case {case}"))?;
        }
        let sql = "SELECT sha256 FROM photo WHERE state = 'waiting'
             AND case_id IN (SELECT id FROM case_local WHERE state = 'submitted')";
        let mut photos = look.prepare(sql).unwrap();
        for photo in photos.query_map([], |row| row.get(0).map(PhotoHash::from_bytes)).unwrap().map(Result::unwrap) {
            let kept = self.centre.keeps(&photo, &self.phones[name].user.user);
            hold(kept, "a rescued photo is at the centre", || format!("phone {name} photo {photo}"))?;
        }
        Ok(())
    }
}
