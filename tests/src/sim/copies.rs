//! Copies of a phone: two that go on under one name have to be noticed once both have spoken.
//!
//! A copy knows the answers to its own requests only. Once it has heard one since the phone became two, and another
//! copy was let in after it, its next request gives both away.

use std::collections::BTreeMap;

use xunge_client_core::model::DeviceId;
use xunge_client_core::wire::{Envelope, SyncUp, codec};

use super::world::World;
use super::{Held, hold};

/// Who spoke last under the name of a phone that became two.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// The newest number a phone had used when it became two: what it heard up to it, the other one heard too.
    forks: BTreeMap<(usize, DeviceId), u64>,
    last: BTreeMap<DeviceId, usize>,
}

impl Copies {
    /// A phone became two, after it had used numbers up to `counter`.
    pub(super) fn split(&mut self, phones: [usize; 2], device: DeviceId, counter: u64) {
        self.forks.extend(phones.map(|phone| ((phone, device), counter)));
    }

    /// True if a phone is, or was, one of several of this name.
    pub(super) fn watch(&self, device: DeviceId) -> bool {
        self.forks.keys().any(|(_, known)| *known == device)
    }

    /// The centre was put back: it knows nobody who spoke since.
    pub(super) fn forget_speakers(&mut self) {
        self.last.clear();
    }

    /// The centre let a phone in that had heard the answer to its request `heard`; false if it should have noticed that
    /// another copy spoke meanwhile.
    pub(super) fn let_in(&mut self, phone: usize, device: DeviceId, heard: u64) -> bool {
        let before = self.last.insert(device, phone);
        let of_its_own = self.forks.get(&(phone, device)).is_some_and(|fork| heard > *fork);
        !of_its_own || before.is_none_or(|before| before == phone)
    }
}

impl World {
    /// The centre let a phone in: it may not be a copy of one that spoke before it.
    pub(super) fn check_let_in(&mut self, phone: usize, body: &[u8]) -> Held {
        let envelope = Envelope::read(body).expect("it was let in");
        if !self.copies.watch(envelope.device) {
            return Ok(());
        }
        let up: SyncUp = codec::unpack(&envelope.frame).expect("it was let in");
        // What a phone heard of a centre that was put back since says nothing.
        let heard = up.heard.filter(|_| up.epoch == self.centre.epoch).unwrap_or(0);
        let noticed = self.copies.let_in(phone, envelope.device, heard);
        hold(noticed, "a copy of a phone is noticed once both have spoken", || {
            format!("phone {phone} as {}, request {}", envelope.device, envelope.counter)
        })
    }

    /// At the end, when everybody has spoken several times, no two phones share a name.
    pub(super) fn check_names(&self) -> Held {
        let mut names = BTreeMap::new();
        for phone in &self.phones {
            let other = names.insert(phone.device, phone.name);
            hold(other.is_none(), "no two phones go on under one name", || {
                format!("phones {other:?} and {}: {}", phone.name, phone.device)
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: DeviceId = DeviceId::from_bytes([1; 16]);

    #[test]
    fn a_copy_has_to_be_noticed_when_it_speaks_again_after_the_other_one() {
        let mut copies = Copies::default();
        copies.split([0, 3], DEVICE, 9);
        assert!(copies.let_in(0, DEVICE, 9), "its first words may be of before");
        assert!(copies.let_in(3, DEVICE, 9), "so may the other's");
        assert!(copies.let_in(3, DEVICE, 11), "nobody spoke in between");
        assert!(copies.let_in(0, DEVICE, 9), "its answers were lost");
        assert!(!copies.let_in(3, DEVICE, 12));
        copies.forget_speakers();
        assert!(copies.let_in(3, DEVICE, 12), "the centre was put back");
    }
}
