//! A request body that has to keep coming.
//!
//! Every route reads its body through this, so that nobody can hold a connection, or the room of a form with photos, by
//! sending nothing or a byte now and then. A weak link is slow for minutes and still far above the pace asked for.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// What a body has to keep to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How long it may stand still.
    pub(super) standstill: Duration,
    /// How long any body may take, however little of it comes.
    pub(super) slack: Duration,
    /// Bytes a second that have to come behind that.
    pub(super) bytes_per_s: u32,
}

impl Pace {
    /// For everybody. The reader of `/v1` waits less long for one that stands still and has better words for it; the
    /// pace is a tenth of the worst link phones are tried on.
    pub(super) const USUAL: Self =
        Self { standstill: Duration::from_secs(40), slack: Duration::from_secs(120), bytes_per_s: 128 };
}

/// The error of a body that did not keep coming.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the request body did not keep coming")]
pub(super) struct TooSlow;

/// A body with a deadline that moves on with what arrives.
pub(super) struct Paced<B> {
    inner: B,
    pace: Pace,
    received: u64,
    /// Set when somebody first waits for the body.
    clock: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> Paced<B> {
    pub(super) fn new(inner: B, pace: Pace) -> Self {
        Self { inner, pace, received: 0, clock: None }
    }
}

impl<B> Body for Paced<B>
where
    B: Body + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = B::Data;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.inner).poll_frame(context).map_err(Into::into);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            this.received += frame.data_ref().map_or(0, |data| data.remaining() as u64);
            if let Some((began, sleep)) = &mut this.clock {
                let Pace { standstill, slack, bytes_per_s } = this.pace;
                let whole = *began + slack + Duration::from_secs(this.received / u64::from(bytes_per_s));
                sleep.as_mut().reset(whole.min(Instant::now() + standstill));
            }
        }
        if polled.is_ready() {
            return polled;
        }
        let (_, sleep) = this.clock.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Box::pin(sleep_until(now + this.pace.standstill)))
        });
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::StreamExt;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    const LONG: Duration = Duration::from_secs(600);
    const SHORT: Duration = Duration::from_millis(40);

    /// So many bytes, one every so long.
    fn bytes(count: usize, every: Duration, pace: Pace) -> impl Body<Data = Bytes, Error = axum::BoxError> + Unpin {
        let stream = futures::stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(every).await;
            Ok::<_, axum::BoxError>(Frame::data(Bytes::from_static(b"x")))
        });
        Paced::new(StreamBody::new(Box::pin(stream)), pace)
    }

    #[tokio::test]
    async fn a_body_that_keeps_coming_arrives_whole() {
        let pace = Pace { standstill: LONG, slack: Duration::ZERO, bytes_per_s: 1 };
        let body = bytes(50, Duration::from_millis(1), pace).collect().await.unwrap();
        assert_eq!(body.to_bytes().len(), 50);
    }

    #[tokio::test]
    async fn a_body_that_stands_still_is_given_up() {
        let pace = Pace { standstill: SHORT, slack: LONG, bytes_per_s: 1 };
        let failed = bytes(2, LONG, pace).collect().await.unwrap_err();
        assert!(failed.is::<TooSlow>());
    }

    #[tokio::test]
    async fn a_body_of_a_byte_now_and_then_is_given_up() {
        let pace = Pace { standstill: LONG, slack: SHORT, bytes_per_s: 1_000_000 };
        let failed = bytes(usize::MAX, Duration::from_millis(2), pace).collect().await.unwrap_err();
        assert!(failed.is::<TooSlow>());
    }
}
