//! The way from a phone to the server: real TCP that breaks now and then, in the middle of whatever it carries.
//!
//! Every connection may move a number of bytes, drawn from the seed; the byte after that fails with a reset, in
//! either direction. So requests, answers and photos are cut at places nobody chose, and the same seed cuts each
//! phone's connections after the same numbers of bytes.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower::Service;

use super::rng::Rng;

/// Bytes most connections may move. At 6 kB a photo a phone sends some 2 MB in the month, so this breaks it a handful
/// of times.
const USUAL_BYTES: (usize, usize) = (60_000, 900_000);
/// One connection in eight breaks early: inside a first request or its answer.
const EARLY_BYTES: (usize, usize) = (300, 20_000);

/// A connector whose connections break; clones share the draws and the count.
#[derive(Clone)]
pub(super) struct Link<C> {
    connector: C,
    breaks: Arc<Breaks>,
}

/// How one phone's connections break, and how often they did.
pub(super) struct Breaks {
    rng: Mutex<Rng>,
    cuts: AtomicU64,
}

impl Breaks {
    /// The breaks of phone number `phone`.
    pub(super) fn new(seed: u64, phone: usize) -> Arc<Self> {
        let rng = Mutex::new(Rng::new(seed, &format!("link {phone}")));
        Arc::new(Self { rng, cuts: AtomicU64::new(0) })
    }

    /// Connections cut so far.
    pub(super) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }

    fn draw(&self) -> u64 {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, to) = if rng.below(8) == 0 { EARLY_BYTES } else { USUAL_BYTES };
        rng.between(from, to) as u64
    }
}

impl<C> Link<C> {
    /// Breaks what `connector` connects.
    pub(super) fn new(connector: C, breaks: Arc<Breaks>) -> Self {
        Self { connector, breaks }
    }
}

impl<C, T> Service<Uri> for Link<C>
where
    C: Service<Uri, Response = TokioIo<T>>,
    C::Future: Send + 'static,
{
    type Response = TokioIo<Fragile<T>>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let connecting = self.connector.call(server);
        let (left, breaks) = (self.breaks.draw(), self.breaks.clone());
        Box::pin(async move {
            let io = connecting.await?.into_inner();
            Ok(TokioIo::new(Fragile { io, left, is_cut: false, breaks }))
        })
    }
}

/// A connection that breaks after a number of bytes.
pub(super) struct Fragile<T> {
    io: T,
    left: u64,
    is_cut: bool,
    breaks: Arc<Breaks>,
}

impl<T> Fragile<T> {
    fn cut(&mut self) -> io::Error {
        if !std::mem::replace(&mut self.is_cut, true) {
            self.breaks.cuts.fetch_add(1, Ordering::Relaxed);
        }
        io::ErrorKind::ConnectionReset.into()
    }

    fn room(&self) -> usize {
        usize::try_from(self.left).unwrap_or(usize::MAX)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Fragile<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = self.room().min(buffer.remaining());
        if room == 0 && buffer.remaining() > 0 {
            return Poll::Ready(Err(self.cut()));
        }
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.io).poll_read(context, &mut part))?;
        let read = part.filled().len();
        buffer.advance(read);
        self.left -= read as u64;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Fragile<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let room = self.room().min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            return Poll::Ready(Err(self.cut()));
        }
        let written = ready!(Pin::new(&mut self.io).poll_write(context, &bytes[..room]))?;
        self.left -= written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn fragile<T>(io: T, left: u64) -> (Fragile<T>, Arc<Breaks>) {
        let breaks = Breaks::new(1, 0);
        (Fragile { io, left, is_cut: false, breaks: breaks.clone() }, breaks)
    }

    #[tokio::test]
    async fn what_was_written_before_the_cut_arrives_and_nothing_after_it() {
        let (near, mut far) = duplex(4_096);
        let (mut near, breaks) = fragile(near, 1_000);
        let error = near.write_all(&[7; 1_500]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        drop(near);
        let mut arrived = Vec::new();
        far.read_to_end(&mut arrived).await.unwrap();
        assert_eq!(arrived, [7; 1_000]);
        assert_eq!(breaks.cuts(), 1);
    }

    #[tokio::test]
    async fn an_answer_is_cut_in_the_middle_and_counted_once() {
        let (near, mut far) = duplex(4_096);
        far.write_all(&[9; 500]).await.unwrap();
        let (mut near, breaks) = fragile(near, 300);
        let mut answer = Vec::new();
        let error = near.read_to_end(&mut answer).await.unwrap_err();
        assert_eq!((error.kind(), answer), (io::ErrorKind::ConnectionReset, vec![9; 300]));
        assert!(near.write_all(b"again").await.is_err() && near.read(&mut [0; 10]).await.is_err());
        assert_eq!(breaks.cuts(), 1, "one connection, one cut");
    }

    #[tokio::test]
    async fn bytes_of_both_directions_count_together() {
        let (near, mut far) = duplex(4_096);
        far.write_all(&[1; 600]).await.unwrap();
        let (mut near, breaks) = fragile(near, 1_000);
        near.write_all(&[2; 400]).await.unwrap();
        near.read_exact(&mut [0; 600]).await.unwrap();
        assert_eq!(breaks.cuts(), 0, "it broke before its time");
        assert!(near.write_all(&[2]).await.is_err());
    }

    #[test]
    fn a_seed_cuts_a_phones_connections_after_the_same_bytes_again() {
        let draws = |seed, phone| {
            let breaks = Breaks::new(seed, phone);
            (0..200).map(|_| breaks.draw()).collect::<Vec<_>>()
        };
        assert_eq!(draws(1, 0), draws(1, 0));
        assert_ne!(draws(1, 0), draws(1, 1));
        assert_ne!(draws(1, 0), draws(2, 0));
        let early = draws(1, 0).into_iter().filter(|bytes| *bytes <= EARLY_BYTES.1 as u64).count();
        assert!((10..45).contains(&early), "{early} of 200");
    }
}
