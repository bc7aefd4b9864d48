//! Signing in with a password, from the address it comes from to the account it is for.
//!
//! Right, wrong and unknown take the same path: one try of the address, one seat at the bench, one argon2 run, one
//! write with an audit row. What differs is only the answer, and of "wrong" and "unknown" not even that.

use std::net::IpAddr;

use xunge_client_core::model::Millis;

use super::account::{self, Account};
use super::password::Bench;
use super::throttle::{self, Throttle};
use crate::domain::audit;
use crate::store::{Store, StoreError};

/// Most bytes of a log-in name that is looked up.
const MAX_USER_BYTES: usize = 64;

/// Why nobody was signed in.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LoginError {
    /// Name or password is wrong, or the account is closed or has no password.
    #[error("name or password is wrong")]
    WrongCredentials,
    /// Too many wrong passwords for this name, or tries from this address.
    #[error("too many tries, wait {retry_after_s} s")]
    Locked {
        /// Seconds until the next try is looked at.
        retry_after_s: u32,
    },
    /// Too many passwords are being verified right now.
    #[error("too many sign-ins at once")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where people sign in.
#[derive(Debug, Clone)]
pub struct Desk {
    store: Store,
    bench: Bench,
    throttle: std::sync::Arc<Throttle>,
}

impl Desk {
    /// A desk for the accounts of this store.
    pub fn new(store: Store) -> Self {
        Self { store, bench: Bench::default(), throttle: std::sync::Arc::default() }
    }

    /// Takes one try of an address, for everything a stranger can guess at.
    pub fn take_try(&self, from: IpAddr, now: Millis) -> Result<(), LoginError> {
        self.throttle.take(from, now).map_err(|retry_after_s| LoginError::Locked { retry_after_s })
    }

    /// Gives a try back that turned out to be no guess.
    pub fn give_back(&self, from: IpAddr) {
        self.throttle.give_back(from);
    }

    /// Verifies a password and gives the account; `now` is the security clock.
    pub async fn sign_in(
        &self,
        user: &str,
        password: String,
        from: IpAddr,
        now: Millis,
    ) -> Result<Account, LoginError> {
        self.take_try(from, now)?;
        // The lock is read only when the seat is taken: of many tries at once, two at most are ahead of their count.
        let seat = self.bench.seat().await.ok_or(LoginError::Busy)?;
        let found = self.find(user).await?;
        let locked_until = match &found {
            Some(account) => account.locked_until,
            None => self.throttle.stranger_locked_until(user),
        };
        if locked_until > now {
            return Err(LoginError::Locked { retry_after_s: throttle::retry_after_s(locked_until, now) });
        }
        let stored = found.as_ref().and_then(|account| account.password_hash.clone());
        let right = self.bench.verify(&seat, password, stored).await;
        match found {
            Some(account) if right && account.disabled_at.is_none() => {
                self.throttle.give_back(from);
                self.note(user, "login.done", 0, Millis(0), now).await?;
                Ok(account)
            }
            known => {
                let failed = known.as_ref().map_or(0, |account| account.failed_count.saturating_add(1));
                if known.is_none() {
                    self.throttle.stranger_failed(user, now);
                }
                self.note(user, "login.failed", failed, throttle::locked_until(failed, now), now).await?;
                Err(LoginError::WrongCredentials)
            }
        }
    }

    async fn find(&self, user: &str) -> Result<Option<Account>, StoreError> {
        if user.len() > MAX_USER_BYTES {
            return Ok(None);
        }
        let user = user.to_owned();
        self.store.read(move |tx| Box::pin(async move { account::find(tx, &user).await })).await
    }

    /// Writes down what came of a try; for a name without account only the audit row has an effect.
    async fn note(
        &self,
        user: &str,
        action: &'static str,
        failed: i64,
        locked_until: Millis,
        now: Millis,
    ) -> Result<(), StoreError> {
        let user = user.to_owned();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    account::set_failures(tx, &user, failed, locked_until).await?;
                    // Only names that exist are written: people type their password into the name field.
                    let known = account::find(tx, &user).await?.is_some();
                    let actor = if known { user.as_str() } else { "-" };
                    audit::append(tx, &audit::Entry { at: now, actor, action, subject: actor, detail: "{}" }).await
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, NOW};
    use super::*;
    use crate::auth::account::NewAccount;
    use crate::auth::{password, throttle::FREE_TRIES};

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const RIGHT: &str = "贺兰山下的蓝马鸡叫了";

    async fn desk() -> Desk {
        let store = testing::store().await;
        let new = NewAccount { password_hash: Some(password::hash(RIGHT)), ..testing::inspector("wang") };
        testing::write(&store, |tx| Box::pin(async move { account::add(tx, &new, NOW).await })).await.unwrap();
        Desk::new(store)
    }

    async fn try_in(desk: &Desk, user: &str, password: &str, now: Millis) -> Result<String, LoginError> {
        desk.sign_in(user, password.to_owned(), HOME, now).await.map(|account| account.id)
    }

    #[tokio::test]
    async fn the_right_password_signs_in_and_wrong_ones_are_one_answer() {
        let desk = desk().await;
        assert_eq!(try_in(&desk, "wang", RIGHT, NOW).await.as_deref(), Ok("wang"));
        // `li` has no password, `nobody` does not exist.
        for (user, password) in [("wang", "wrong"), ("li", RIGHT), ("nobody", RIGHT), ("", ""), (&"x".repeat(99), "")] {
            assert_eq!(try_in(&desk, user, password, NOW).await, Err(LoginError::WrongCredentials), "{user}");
        }
    }

    #[tokio::test]
    async fn an_account_locks_and_an_unknown_name_locks_just_so() {
        let desk = desk().await;
        for user in ["wang", "nobody"] {
            for _ in 0..FREE_TRIES {
                assert_eq!(try_in(&desk, user, "wrong", NOW).await, Err(LoginError::WrongCredentials));
            }
            let locked = Err(LoginError::Locked { retry_after_s: 61 });
            assert_eq!(try_in(&desk, user, "wrong", NOW).await, locked);
            assert_eq!(try_in(&desk, user, RIGHT, NOW).await, locked, "not even the right one is looked at");
        }
        let later = NOW.plus_ms(60_001);
        assert_eq!(try_in(&desk, "wang", RIGHT, later).await.as_deref(), Ok("wang"));
        assert_eq!(try_in(&desk, "wang", "wrong", later).await, Err(LoginError::WrongCredentials));
        assert_eq!(try_in(&desk, "wang", RIGHT, later).await.as_deref(), Ok("wang"), "the count began anew");
    }

    #[tokio::test]
    async fn a_closed_account_is_told_nothing() {
        let desk = desk().await;
        testing::write(&desk.store, |tx| Box::pin(account::set_disabled(tx, "wang", Some(NOW)))).await.unwrap();
        assert_eq!(try_in(&desk, "wang", RIGHT, NOW).await, Err(LoginError::WrongCredentials));
    }

    #[tokio::test]
    async fn what_was_typed_as_an_unknown_name_is_written_nowhere() {
        let desk = desk().await;
        let _ = try_in(&desk, RIGHT, "", NOW).await;
        let subjects = desk
            .store
            .read::<_, StoreError, _>(|tx| {
                Box::pin(async move { tx.query("SELECT subject, actor FROM audit", crate::params![]).await })
            })
            .await
            .unwrap();
        assert_eq!(subjects.len(), 1);
        assert_eq!((subjects[0].text(0), subjects[0].text(1)), (Ok("-"), Ok("-")));
    }
}
