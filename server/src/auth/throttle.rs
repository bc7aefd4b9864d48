//! How fast passwords and codes may be guessed: by account and by address.
//!
//! An account locks after [`FREE_TRIES`] wrong passwords in a row, first for a minute, then twice as long each time up
//! to [`LONGEST_LOCK_MS`]. A name that does not exist locks in exactly the same way, else the lock would tell which
//! names exist; those live in memory only, bounded, because they protect nothing but that secret.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use xunge_client_core::model::Millis;

/// Wrong passwords in a row before the first lock.
pub const FREE_TRIES: i64 = 5;
const FIRST_LOCK_MS: i64 = 60_000;
/// The longest lock. Longer ones would hand an attacker a way to keep an office out for a day.
pub const LONGEST_LOCK_MS: i64 = 15 * 60_000;
/// Names and addresses remembered; beyond it the oldest are forgotten.
const REMEMBERED: usize = 4_096;
/// Tries an address has at once, and how long it takes to earn one back. An office shares one address.
const ADDRESS_BURST: i64 = 60;
const ADDRESS_REFILL_MS: i64 = 2_000;

/// Until when an account is locked after its `failed`-th wrong password in a row.
pub(crate) fn locked_until(failed: i64, now: Millis) -> Millis {
    if failed < FREE_TRIES {
        return Millis(0);
    }
    let doublings = u32::try_from(failed - FREE_TRIES).unwrap_or(u32::MAX).min(10);
    now.plus_ms((FIRST_LOCK_MS << doublings).min(LONGEST_LOCK_MS))
}

/// Seconds until `until`, at least 1.
pub(crate) fn retry_after_s(until: Millis, now: Millis) -> u32 {
    u32::try_from((until.0.saturating_sub(now.0)).div_euclid(1_000) + 1).unwrap_or(1).max(1)
}

/// What is remembered between requests.
#[derive(Debug, Default)]
pub struct Throttle {
    names: Mutex<BTreeMap<[u8; 32], Failures>>,
    addresses: Mutex<BTreeMap<IpAddr, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: i64,
    locked_until: Millis,
    at: Millis,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: i64,
    at: Millis,
}

impl Throttle {
    /// Takes one try from an address; gives the seconds to wait if it has none left.
    pub(crate) fn take(&self, address: IpAddr, now: Millis) -> Result<(), u32> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bucket = addresses.get(&address).copied().unwrap_or(Bucket { left: ADDRESS_BURST, at: now });
        let earned = (now.0 - bucket.at.0).max(0) / ADDRESS_REFILL_MS;
        bucket.left = (bucket.left + earned).min(ADDRESS_BURST);
        bucket.at = bucket.at.plus_ms(earned * ADDRESS_REFILL_MS).min(now);
        if bucket.left == 0 {
            return Err(retry_after_s(bucket.at.plus_ms(ADDRESS_REFILL_MS), now));
        }
        bucket.left -= 1;
        if addresses.len() >= REMEMBERED && !addresses.contains_key(&address) {
            forget_oldest(&mut addresses, |bucket| bucket.at);
        }
        addresses.insert(address, bucket);
        Ok(())
    }

    /// Gives a try back that did not turn out to be a guess: an office or a training room shares one address.
    pub(crate) fn give_back(&self, address: IpAddr) {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = addresses.get_mut(&address) {
            bucket.left = (bucket.left + 1).min(ADDRESS_BURST);
        }
    }

    /// Until when a name without account is locked.
    pub(crate) fn stranger_locked_until(&self, name: &str) -> Millis {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(&key(name)).map_or(Millis(0), |known| known.locked_until)
    }

    /// Notes a wrong password for a name without account.
    pub(crate) fn stranger_failed(&self, name: &str, now: Millis) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let count = names.get(&key(name)).map_or(0, |known| known.count) + 1;
        if names.len() >= REMEMBERED {
            forget_oldest(&mut names, |known| known.at);
        }
        names.insert(key(name), Failures { count, locked_until: locked_until(count, now), at: now });
    }
}

/// Names are kept as hashes: people type their password into the name field.
fn key(name: &str) -> [u8; 32] {
    Sha256::digest(name).into()
}

/// Forgets half of the entries, the older ones.
fn forget_oldest<K: Ord, V>(known: &mut BTreeMap<K, V>, at: impl Fn(&V) -> Millis) {
    let mut times: Vec<Millis> = known.values().map(&at).collect();
    times.sort_unstable();
    if let Some(middle) = times.get(times.len() / 2).copied() {
        known.retain(|_, entry| at(entry) > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_begin_after_five_tries_double_and_end_at_a_quarter_of_an_hour() {
        let now = Millis(1_000_000);
        let minutes: Vec<i64> = (1..=12).map(|failed| (locked_until(failed, now).0 - now.0).max(0) / 60_000).collect();
        assert_eq!(minutes, [0, 0, 0, 0, 1, 2, 4, 8, 15, 15, 15, 15]);
        assert_eq!(locked_until(i64::MAX, now), now.plus_ms(LONGEST_LOCK_MS));
    }

    #[test]
    fn a_name_without_account_locks_like_one_with() {
        let throttle = Throttle::default();
        let now = Millis(1_000_000);
        for failed in 1..=8 {
            throttle.stranger_failed("nobody", now);
            assert_eq!(throttle.stranger_locked_until("nobody"), locked_until(failed, now));
        }
        assert_eq!(throttle.stranger_locked_until("somebody"), Millis(0));
    }

    #[test]
    fn an_address_has_a_burst_and_earns_tries_back() {
        let throttle = Throttle::default();
        let here = IpAddr::from([10, 0, 0, 1]);
        let now = Millis(1_000_000);
        for _ in 0..ADDRESS_BURST {
            assert_eq!(throttle.take(here, now), Ok(()));
        }
        assert_eq!(throttle.take(here, now), Err(3));
        assert_eq!(throttle.take(IpAddr::from([10, 0, 0, 2]), now), Ok(()));
        throttle.give_back(here);
        assert_eq!(throttle.take(here, now), Ok(()), "a try that was no guess");
        assert!(throttle.take(here, now).is_err());
        assert_eq!(throttle.take(here, now.plus_ms(ADDRESS_REFILL_MS)), Ok(()));
        assert!(throttle.take(here, now.plus_ms(ADDRESS_REFILL_MS)).is_err());
    }

    #[test]
    fn memory_is_bounded_whatever_names_and_addresses_are_tried() {
        let throttle = Throttle::default();
        for n in 0..3 * REMEMBERED {
            let now = Millis(n as i64);
            throttle.stranger_failed(&n.to_string(), now);
            let _ = throttle.take(IpAddr::from((n as u32).to_be_bytes()), now);
        }
        assert!(throttle.names.lock().unwrap().len() <= REMEMBERED);
        assert!(throttle.addresses.lock().unwrap().len() <= REMEMBERED);
    }
}
