//! Passwords: argon2id, hashed on the blocking pool with few permits, one rule for what is a password.
//!
//! Hashing costs 19 MiB and tens of milliseconds by design. Two at a time is what a two-core machine can give without
//! starving reports; whoever would wait behind many others is told to come back instead of filling memory.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::code;
use crate::entropy;

/// Fewest characters of a password.
pub const MIN_CHARS: usize = 10;
/// Most characters of a password; longer ones only cost the server.
pub const MAX_CHARS: usize = 128;
/// How many may be hashed at once.
const PERMITS: usize = 2;
/// How many may wait for that.
const WAITING: usize = 64;

/// Why a text is not accepted as a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Fewer than [`MIN_CHARS`] characters.
    #[error("the password has fewer than {MIN_CHARS} characters")]
    Short,
    /// More than [`MAX_CHARS`] characters.
    #[error("the password has more than {MAX_CHARS} characters")]
    Long,
    /// Contains the log-in name.
    #[error("the password contains the log-in name")]
    ContainsUser,
    /// Known from lists of common passwords, or made of very few different characters.
    #[error("the password is one of those that are tried first")]
    Common,
}

/// Parts of what attackers try first; a password that is little more than one of them is refused.
const COMMON: &[&str] = &[
    "password",
    "passw0rd",
    "p@ssw0rd",
    "123456",
    "654321",
    "111111",
    "888888",
    "666666",
    "112233",
    "123123",
    "abc123",
    "qwerty",
    "asdfgh",
    "zxcvbn",
    "1qaz2wsx",
    "qazwsx",
    "iloveyou",
    "welcome",
    "letmein",
    "admin",
    "administrator",
    "root",
    "woaini",
    "5201314",
    "1314520",
    "woaiwojia",
    "mima",
    "yinchuan",
    "xixia",
    "ningxia",
    "wangge",
    "xunge",
    "chengguan",
    "a123456",
    "test",
];

/// Checks a new password. Length beats composition rules; what people choose under those is guessed first.
pub fn check(user: &str, password: &str) -> Result<(), Weak> {
    let chars = password.chars().count();
    let lower = password.to_lowercase();
    let distinct = lower.chars().collect::<std::collections::BTreeSet<_>>().len();
    if chars < MIN_CHARS {
        Err(Weak::Short)
    } else if chars > MAX_CHARS {
        Err(Weak::Long)
    } else if lower.contains(&user.to_lowercase()) {
        Err(Weak::ContainsUser)
    } else if distinct < 5 || is_little_more_than_common(&lower) {
        Err(Weak::Common)
    } else {
        Ok(())
    }
}

/// True if fewer than six characters are left once every common part is taken out.
fn is_little_more_than_common(password: &str) -> bool {
    COMMON.iter().fold(password.to_owned(), |left, part| left.replace(part, "")).chars().count() < 6
}

/// Draws a password people can type from paper: 80 random bits.
pub fn generate() -> String {
    code::groups(&entropy::fill::<10>()).to_lowercase()
}

/// Hashes a password for storage, as a PHC string. Takes tens of milliseconds: never on an async thread.
pub fn hash(password: &str) -> String {
    let salt = SaltString::encode_b64(&entropy::fill::<16>()).expect("16 bytes are a salt");
    hasher().hash_password(password.as_bytes(), &salt).expect("the parameters are within argon2's limits").to_string()
}

/// True if `password` is the one behind `stored`. Takes tens of milliseconds, with `None` just as long.
fn matches(password: &str, stored: Option<&str>) -> bool {
    // An account that does not exist is measured against a hash nobody knows the password of.
    static DUMMY: LazyLock<String> = LazyLock::new(|| hash(&generate()));
    let parsed = stored.and_then(|stored| PasswordHash::new(stored).ok());
    let known = parsed.is_some();
    let dummy = || PasswordHash::new(&DUMMY).expect("a hash made here is a PHC string");
    hasher().verify_password(password.as_bytes(), &parsed.unwrap_or_else(dummy)).is_ok() && known
}

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("the parameters are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Where passwords are verified, a few at a time.
#[derive(Clone, Debug)]
pub struct Bench {
    seats: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

/// The right to verify one password.
#[derive(Debug)]
pub struct Seat(#[allow(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Default for Bench {
    fn default() -> Self {
        Self { seats: Arc::new(Semaphore::new(PERMITS)), queue: Arc::new(Semaphore::new(PERMITS + WAITING)) }
    }
}

impl Bench {
    /// Waits for a seat; `None` at once if too many wait already.
    pub async fn seat(&self) -> Option<Seat> {
        let _place = self.queue.clone().try_acquire_owned().ok()?;
        self.seats.clone().acquire_owned().await.ok().map(Seat)
    }

    /// Verifies on the blocking pool. `stored` `None` stands for an unknown user and is never true.
    pub async fn verify(&self, _seat: &Seat, password: String, stored: Option<String>) -> bool {
        tokio::task::spawn_blocking(move || matches(&password, stored.as_deref())).await.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let stored = hash("北塔湖边的长椅");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(matches("北塔湖边的长椅", Some(&stored)));
        assert!(!matches("北塔湖边的长凳", Some(&stored)));
        assert!(!matches("北塔湖边的长椅", None));
        assert!(!matches("x", Some("not a hash")));
        assert_ne!(stored, hash("北塔湖边的长椅"), "each hash has its own salt");
    }

    #[test]
    fn passwords_that_are_tried_first_are_refused() {
        for (password, expected) in [
            ("short", Weak::Short),
            ("review-1-review", Weak::ContainsUser),
            ("Password123", Weak::Common),
            ("1234567890", Weak::Common),
            ("aaaaaaaaaaaa", Weak::Common),
            ("woaini5201314", Weak::Common),
            ("Xunge2024!", Weak::Common),
        ] {
            assert_eq!(check("review-1", password), Err(expected), "{password}");
        }
        assert_eq!(check("u", &"ab".repeat(100)), Err(Weak::Long));
        for password in ["贺兰山下的蓝马鸡叫了", "three blind mice", "k3vq-8m2x-wp9d-r6t1"] {
            assert_eq!(check("review-1", password), Ok(()), "{password}");
        }
    }

    #[test]
    fn generated_passwords_pass_the_rule_and_differ() {
        let (one, two) = (generate(), generate());
        assert_eq!(check("admin", &one), Ok(()));
        assert_ne!(one, two);
        assert_eq!(one.len(), 19, "{one}");
    }

    #[tokio::test]
    async fn too_many_at_once_are_sent_away_not_queued() {
        let bench = Bench::default();
        let mut seats = Vec::new();
        for _ in 0..PERMITS {
            seats.push(bench.seat().await.unwrap());
        }
        let waiting: Vec<_> = (0..WAITING + PERMITS)
            .map(|_| {
                tokio::spawn({
                    let bench = bench.clone();
                    async move { bench.seat().await.is_some() }
                })
            })
            .collect();
        while bench.queue.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(bench.seat().await.is_none());
        drop(seats);
        for one in waiting {
            assert!(one.await.unwrap());
        }
    }
}
