//! "The cursor moved": a stream that says when it is time to ask again, and nothing else.
//!
//! Offices and programs that show lists would otherwise ask every few seconds. A stream tells the position of the
//! feed of its listener's district: at once, and after every commit that moved it, at most four times a second. What
//! happened is read with the usual questions, by whoever may. Phones do not listen: a sync asks for news at a tenth
//! of the cost of a connection that is kept open.
//!
//! What can go wrong: a listener stops reading (only the newest position is ever kept for it, and the connection ends
//! when nothing could be written for a minute, see `serve`); its right ends (a stream lives ten minutes, then it is
//! asked for again); the server stops (every stream ends at once, so that stopping does not wait for them).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::domain::feed;
use crate::store::{Store, StoreError};

/// Streams one person may have: a few windows and a program.
pub const PER_PERSON: usize = 8;
/// Least time between two events.
const REST: Duration = Duration::from_millis(250);
/// A comment keeps proxies from closing a connection on which nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Life of a stream: that of an access token.
const LIFE: Duration = Duration::from_secs(600);

/// Who listens, counted; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Places(Arc<Mutex<BTreeMap<String, usize>>>);

/// A place that somebody has taken; given back when dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    user: String,
}

impl Places {
    /// Takes a place for `user`, unless they have enough or `most` are taken in all.
    pub fn enter(&self, user: &str, most: usize) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(user).copied().unwrap_or(0);
        if own >= PER_PERSON || taken.values().sum::<usize>() >= most {
            return None;
        }
        taken.insert(user.to_owned(), own + 1);
        Some(Place { places: self.clone(), user: user.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.user) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.remove(&self.user)),
        }
    }
}

/// The stream of one listener, as the bytes of `text/event-stream`.
pub fn moved(
    store: &Store,
    district: String,
    place: Place,
    stop: CancellationToken,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send + 'static {
    let now = Instant::now();
    let listener = Listener {
        commits: store.commits(),
        store: store.clone(),
        district,
        said: None,
        rests_until: now,
        ends: now + LIFE,
        stop,
        _place: place,
    };
    futures::stream::unfold(listener, |mut listener| async move { Some((Ok(listener.next().await?), listener)) })
}

struct Listener {
    store: Store,
    commits: watch::Receiver<u64>,
    district: String,
    /// The position told last.
    said: Option<i64>,
    rests_until: Instant,
    ends: Instant,
    stop: CancellationToken,
    _place: Place,
}

impl Listener {
    /// What is to be said next; none at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.said.is_none() {
            return self.say("retry: 5000\n").await;
        }
        loop {
            let quiet = tokio::select! {
                () = self.stop.cancelled() => return None,
                () = sleep_until(self.ends) => return None,
                quiet = news(&mut self.commits, self.rests_until) => quiet?,
            };
            // Another process may have written too: its commits are not heard, but looked for now and then.
            match self.say("").await {
                None if self.said.is_none() => return None,
                None if quiet => return Some(Bytes::from_static(b":\n\n")),
                None => {}
                said => return said,
            }
        }
    }

    /// The event, if the position is another than the one told last; forgets what was told if it can not be read.
    async fn say(&mut self, before: &str) -> Option<Bytes> {
        let district = self.district.clone();
        let read =
            self.store.read::<_, StoreError, _>(move |tx| Box::pin(async move { feed::head(tx, &district).await }));
        let position = match read.await {
            Ok(position) if self.said == Some(position) => return None,
            Ok(position) => position,
            Err(_) => {
                self.said = None;
                return None;
            }
        };
        self.said = Some(position);
        self.rests_until = Instant::now() + REST;
        Some(format!("{before}event: moved\nid: {position}\ndata: {{\"position\":{position}}}\n\n").into())
    }
}

/// Waits for a commit, or long enough for a comment (true); none when the store is gone.
async fn news(commits: &mut watch::Receiver<u64>, rests_until: Instant) -> Option<bool> {
    sleep_until(rests_until).await;
    tokio::select! {
        changed = commits.changed() => changed.ok().map(|()| false),
        () = sleep(KEEP_ALIVE) => Some(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_a_few_places_and_gives_them_back() {
        let places = Places::default();
        let taken: Vec<Place> = (0..PER_PERSON).map(|_| places.enter("li", 100).unwrap()).collect();
        assert!(places.enter("li", 100).is_none());
        assert!(places.enter("wang", 100).is_some());
        assert!(places.enter("wang", PER_PERSON).is_none(), "all are taken");
        drop(taken);
        assert!(places.enter("li", 1).is_some());
    }
}
