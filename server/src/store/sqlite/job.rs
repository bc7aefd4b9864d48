//! A transaction body on its way to the thread that runs it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll, Waker},
};

use tokio::sync::oneshot;

use crate::store::{BoxFuture, StoreError, Tx};

use super::connection::SqliteTx;

/// A body with its types hidden, so that bodies of all kinds wait in one queue.
pub(crate) trait Job: Send {
    /// Runs the body once and tells whether its writes are to be kept.
    fn run(&mut self, tx: &mut SqliteTx<'_>) -> bool;

    /// Sends the answer: what the body said, or the failure of the commit it shared.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Typed<F, T, E> {
    body: Option<F>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

/// Wraps a body; the receiver hears the answer, and nobody minds if it is gone by then.
pub(crate) fn job<T, E, F>(body: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Typed { body: Some(body), result: None, reply }), answer)
}

impl<F, T, E> Job for Typed<F, T, E>
where
    F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn run(&mut self, tx: &mut SqliteTx<'_>) -> bool {
        let body = self.body.take().expect("a job runs once");
        // Unwind safety: what the panic leaves half done is undone by the rollback.
        let result = catch_unwind(AssertUnwindSafe(|| ready(body(tx))))
            .unwrap_or_else(|panic| Err(StoreError::Panicked { message: panic_message(panic.as_ref()) }.into()));
        self.result.insert(result).is_ok()
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (committed, self.result) {
            (Err(failure), _) => Err(failure.into()),
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::Closed.into()),
        };
        // The caller may have gone away (its request was cancelled); the write stands all the same.
        let _ = self.reply.send(result);
    }
}

/// Polls a body's future once: on SQLite nothing in it has anything to wait for.
fn ready<T>(mut future: BoxFuture<'_, T>) -> T {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a transaction body awaited something other than its transaction"),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
