//! News for the app, and the handle that ends a subscription.

use std::sync::{Arc, Mutex, PoisonError};

use xunge_client_core::client::{Listener, Notice, Subscription};

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum News {
    /// These cases look different: read them again.
    CasesChanged {
        /// Their ids.
        ids: Vec<String>,
    },
    /// The server refused something of these cases; their `attention` tells what.
    Refused {
        /// Their ids.
        ids: Vec<String>,
    },
    /// A photo is on the server.
    PhotoSent,
    /// New categories, grids or units arrived.
    ReferenceChanged,
    /// Nothing waits any more.
    Drained,
    /// The network or the server does not answer; the phone tries again by itself.
    Waiting,
    /// The server takes nothing from this phone.
    Blocked {
        /// Why.
        code: String,
    },
}

/// A listener of the app failed; the phone goes on.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum ListenerFault {
    /// It threw.
    #[error("{reason}")]
    Threw {
        /// What it said.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ListenerFault {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Threw { reason: error.reason }
    }
}

/// Implemented by the app. Called on a background thread; return soon, and do not call back into the phone from it
/// for anything that waits.
#[uniffi::export(with_foreign)]
pub trait NewsListener: Send + Sync {
    /// Something happened.
    fn on_news(&self, news: News) -> Result<(), ListenerFault>;
}

/// Keeps a subscription alive; ends it when released, or earlier by `cancel`.
#[derive(Debug, uniffi::Object)]
pub struct SubscriptionHandle(Mutex<Option<Subscription>>);

#[uniffi::export]
impl SubscriptionHandle {
    /// Ends the subscription now. Not called `close`: Kotlin objects have one of their own.
    pub fn cancel(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl SubscriptionHandle {
    pub(crate) fn new(subscription: Subscription) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(subscription))))
    }
}

/// Turns the app's listener into the phone's. What the app's code throws stays on its side.
pub(crate) struct Bridge(pub(crate) Arc<dyn NewsListener>);

impl Listener for Bridge {
    fn on_notice(&self, notice: &Notice) {
        let _ = self.0.on_news(notice.into());
    }
}

impl From<&Notice> for News {
    fn from(notice: &Notice) -> Self {
        match notice {
            Notice::CasesChanged(cases) => Self::CasesChanged { ids: cases.iter().map(ToString::to_string).collect() },
            Notice::Refused(refused) => {
                Self::Refused { ids: refused.iter().map(|refused| refused.case.to_string()).collect() }
            }
            Notice::PhotoSent(_) => Self::PhotoSent,
            Notice::ReferenceChanged => Self::ReferenceChanged,
            Notice::Drained => Self::Drained,
            Notice::Waiting { .. } => Self::Waiting,
            Notice::Blocked { code } => Self::Blocked { code: code.clone() },
        }
    }
}
