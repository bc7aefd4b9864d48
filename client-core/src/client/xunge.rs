//! One phone for an app: blocking calls from any thread.

use std::future::Future;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, mpsc};

use tokio::runtime::{Builder, Handle, Runtime};

use super::{Config, Parts, Phone, PhoneError, PhoneRow, SyncReport};
use crate::transport::SpkiPin;

/// A phone with a small runtime of its own.
///
/// Everything of [`Phone`] that works offline is here by dereference; the calls that talk to the server block until
/// they have an answer. Calls may be made from any thread, also from one that runs async code.
pub struct Xunge {
    phone: Arc<Phone>,
    handle: Handle,
    /// None if the phone runs on somebody else's runtime.
    runtime: Option<Runtime>,
}

impl Xunge {
    /// Opens a phone.
    ///
    /// `key` is reserved for builds that encrypt their database.
    ///
    /// # Errors
    /// As [`Phone::open`]; [`PhoneError::NotEncrypted`] if a key is given to a build that can not use it.
    pub fn open(config: Config, key: Option<&[u8]>) -> Result<Self, PhoneError> {
        if key.is_some() {
            return Err(PhoneError::NotEncrypted);
        }
        // One thread serves the network, two the database and the photos: a phone has no more to do at once.
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(2)
            .thread_name("xunge")
            .enable_all()
            .build()
            .map_err(|error| PhoneError::Invalid { field: "runtime", why: error.to_string() })?;
        let phone = Phone::with_parts(config, Parts::default())?;
        Ok(Self { phone: Arc::new(phone), handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Wraps a phone that runs on an existing runtime, which has to outlive it.
    pub fn on(handle: Handle, phone: Arc<Phone>) -> Self {
        Self { phone, handle, runtime: None }
    }

    /// The phone inside, for async callers.
    pub fn phone(&self) -> &Arc<Phone> {
        &self.phone
    }

    /// [`Phone::enrol`], blocking.
    ///
    /// # Errors
    /// As there.
    pub fn enrol(&self, url: &str, code: &str, pin: Option<SpkiPin>) -> Result<PhoneRow, PhoneError> {
        let (phone, url, code) = (self.phone.clone(), url.to_owned(), code.to_owned());
        self.wait(async move { phone.enrol(&url, &code, pin).await })
    }

    /// [`Phone::sync`], blocking.
    ///
    /// # Errors
    /// As there.
    pub fn sync_now(&self) -> Result<SyncReport, PhoneError> {
        let phone = self.phone.clone();
        self.wait(async move { phone.sync().await })
    }

    /// [`Phone::carry`], blocking.
    ///
    /// # Errors
    /// As there.
    pub fn carry(&self, url: &str, pin: Option<SpkiPin>, file: &Path) -> Result<(), PhoneError> {
        let (phone, url, file) = (self.phone.clone(), url.to_owned(), file.to_owned());
        self.wait(async move { phone.carry(&url, pin, &file).await })
    }

    /// [`Phone::start_background`] on this object's runtime.
    ///
    /// # Errors
    /// As there.
    pub fn start_background(&self) -> Result<(), PhoneError> {
        let _inside = self.handle.enter();
        self.phone.start_background()
    }

    /// Runs on the runtime while this thread waits; blocking on a runtime's own thread would stop it.
    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, PhoneError>> + Send + 'static,
    ) -> Result<T, PhoneError> {
        let (answer, result) = mpsc::sync_channel(1);
        self.handle.spawn(async move {
            let _ = answer.send(work.await);
        });
        result.recv().unwrap_or(Err(PhoneError::Ended))
    }
}

impl Deref for Xunge {
    type Target = Phone;

    fn deref(&self) -> &Phone {
        &self.phone
    }
}

impl Drop for Xunge {
    fn drop(&mut self) {
        // Dropping a runtime waits for it, which is forbidden on async threads.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Xunge {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Xunge").field("phone", &self.phone).finish_non_exhaustive()
    }
}
