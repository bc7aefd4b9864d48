//! Who wants to hear of news.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::sync::Notice;

/// Hears of news. Called from a background thread; it may read from the phone, and should return soon.
pub trait Listener: Send + Sync {
    /// Something happened.
    fn on_notice(&self, notice: &Notice);
}

impl<F: Fn(&Notice) + Send + Sync> Listener for F {
    fn on_notice(&self, notice: &Notice) {
        self(notice);
    }
}

/// The listeners of one phone; clones share them.
#[derive(Clone, Default)]
pub struct Listeners(Arc<Mutex<Registry>>);

#[derive(Default)]
struct Registry {
    next: u64,
    all: BTreeMap<u64, Arc<dyn Listener>>,
}

/// Dropping it ends the subscription.
#[must_use = "dropping it ends the subscription"]
pub struct Subscription {
    registry: Weak<Mutex<Registry>>,
    number: u64,
}

impl Listeners {
    /// Adds a listener until the answer is dropped.
    pub fn subscribe(&self, listener: Arc<dyn Listener>) -> Subscription {
        let mut registry = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        registry.next += 1;
        let number = registry.next;
        registry.all.insert(number, listener);
        Subscription { registry: Arc::downgrade(&self.0), number }
    }

    /// Calls every listener, none under the lock; one that panics harms only itself.
    pub(super) fn tell(&self, notice: &Notice) {
        let all: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).all.values().cloned().collect();
        for listener in all {
            let _ = catch_unwind(AssertUnwindSafe(|| listener.on_notice(notice)));
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.lock().unwrap_or_else(PoisonError::into_inner).all.remove(&self.number);
        }
    }
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Listeners")
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Subscription({})", self.number)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_listener_hears_until_its_subscription_is_dropped_and_a_panic_harms_nobody_else() {
        let (listeners, heard) = (Listeners::default(), Arc::new(AtomicU32::new(0)));
        let _bad = listeners.subscribe(Arc::new(|_: &Notice| panic!("a careless app")));
        let counter = heard.clone();
        let good = listeners.subscribe(Arc::new(move |_: &Notice| {
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        listeners.tell(&Notice::Drained);
        drop(good);
        listeners.tell(&Notice::Drained);
        assert_eq!(heard.load(Ordering::Relaxed), 1);
    }
}
