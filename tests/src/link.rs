//! A loopback proxy that behaves like a bad radio link.
//!
//! There is no kernel help: bytes are paced and connections are cut here. A [`Link`] counts what it carried, so
//! that figures are bytes on the wire with headers.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::weather::{Line, Pace};
pub use crate::weather::{Profile, Stall, Weather};
use crate::workload::Dice;

/// What a link carried.
#[derive(Debug, Default, Serialize)]
pub struct Carried {
    /// Bytes from phone to server.
    pub up: AtomicU64,
    /// Bytes from server to phone.
    pub down: AtomicU64,
    /// Connections opened.
    pub connections: AtomicU64,
    /// Connections cut.
    pub cuts: AtomicU64,
    /// Those of them that were cut in an answer, the request having arrived whole.
    pub answers_cut: AtomicU64,
}

/// A running proxy; ends with its runtime.
#[derive(Debug)]
pub struct Link {
    /// Where phones connect.
    pub address: SocketAddr,
    /// Counters.
    pub carried: Arc<Carried>,
    weather: Arc<Mutex<Weather>>,
    renewed: watch::Sender<()>,
}

impl Link {
    /// Listens on a free port and forwards to `server`.
    pub async fn open(server: SocketAddr, weather: Weather) -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::open_on(anywhere, server, weather).await.expect("a free port")
    }

    /// Listens on a given loopback address.
    ///
    /// # Errors
    /// If nobody may listen there.
    pub async fn open_on(listen: SocketAddr, server: SocketAddr, weather: Weather) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let carried = Arc::new(Carried::default());
        let weather = Arc::new(Mutex::new(weather));
        let (counters, forecast, opened) = (carried.clone(), weather.clone(), Instant::now());
        let (renewed, old) = watch::channel(());
        let lines = [Line::default(), Line::default()];
        tokio::spawn(async move {
            let mut dice = Dice::new(u64::from(address.port()));
            while let Ok((phone, _)) = listener.accept().await {
                counters.connections.fetch_add(1, Ordering::Relaxed);
                let mut weather = forecast.lock().unwrap().clone();
                if let Some(range) = weather.cut_answers.take() {
                    weather.cut_after_down = Some(drawn(&mut dice, &range));
                }
                let (mut old, counters, lines) = (old.clone(), counters.clone(), lines.clone());
                old.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        () = connection(phone, server, weather, opened, (lines, counters)) => {}
                        _ = old.changed() => {}
                    }
                });
            }
        });
        Ok(Self { address, carried, weather, renewed })
    }

    /// Changes the weather for connections opened from now on.
    pub fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap() = weather;
    }

    /// Changes the weather and ends the connections there are, which is not counted as cuts.
    pub fn renew(&self, weather: Weather) {
        self.set(weather);
        self.renewed.send_replace(());
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn drawn(dice: &mut Dice, range: &Range<u64>) -> u64 {
    range.start + dice.roll() % (range.end - range.start).max(1)
}

async fn connection(
    phone: TcpStream,
    server: SocketAddr,
    weather: Weather,
    opened: Instant,
    ([line_up, line_down], carried): ([Line; 2], Arc<Carried>),
) {
    // The handshake of a real link takes a round trip before the first byte moves.
    sleep_until(opened + weather.release(opened.elapsed() + weather.delay * 2)).await;
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (phone.set_nodelay(true), server.set_nodelay(true));
    let (phone_in, phone_out) = phone.into_split();
    let (server_in, server_out) = server.into_split();
    let Carried { up, down, cuts, answers_cut, .. } = carried.as_ref();
    let cut = Notify::new();
    let lane = |bps, line, cut_after| Lane { pace: Pace::new(&weather, bps, line), opened, cut_after, cut: &cut };
    let (up_cuts, down_cuts) = ([cuts], [cuts, answers_cut]);
    let upwards = lane(weather.up_bps, &line_up, weather.cut_after_up).carry(phone_in, server_out, up, &up_cuts);
    let downwards =
        lane(weather.down_bps, &line_down, weather.cut_after_down).carry(server_in, phone_out, down, &down_cuts);
    let aged = async {
        match weather.cut_after {
            Some(age) => sleep_until(Instant::now() + age).await,
            None => std::future::pending().await,
        }
        // Counted before either end can notice.
        cuts.fetch_add(1, Ordering::Relaxed);
    };
    tokio::select! {
        _ = async { tokio::join!(upwards, downwards) } => {}
        () = aged => {}
        () = cut.notified() => {}
    }
}

/// One direction of a connection.
struct Lane<'c> {
    pace: Pace,
    /// When the link was opened: holes open for all its connections at once.
    opened: Instant,
    cut_after: Option<u64>,
    cut: &'c Notify,
}

impl Lane<'_> {
    async fn carry(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, carried: &AtomicU64, cuts: &[&AtomicU64]) {
        let Self { pace, opened, cut_after, cut } = self;
        // What is in flight: bytes and the instant they arrive. The channel keeps delay apart from rate.
        let (sender, mut receiver) = tokio::sync::mpsc::channel::<(Instant, Vec<u8>)>(1_024);
        let reading = async move {
            let mut buffer = vec![0; 1_400];
            let mut total = 0;
            loop {
                let read = match from.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => read,
                };
                let (line_free, arrives) = pace.carry(opened.elapsed(), read);
                wait(opened + line_free).await;
                let allowed = cut_after.map_or(read, |limit| (limit.saturating_sub(total) as usize).min(read));
                total += read as u64;
                carried.fetch_add(allowed as u64, Ordering::Relaxed);
                if sender.send((opened + arrives, buffer[..allowed].to_vec())).await.is_err() {
                    break;
                }
                if allowed < read {
                    for cuts in cuts {
                        cuts.fetch_add(1, Ordering::Relaxed);
                    }
                    drop(sender);
                    return true;
                }
            }
            false
        };
        let writing = async move {
            while let Some((due, bytes)) = receiver.recv().await {
                wait(due).await;
                if to.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            let _ = to.shutdown().await;
        };
        let (was_cut, ()) = tokio::join!(reading, writing);
        if was_cut {
            cut.notify_one();
            // The other lane ends with the connection.
            std::future::pending::<()>().await;
        }
    }
}

/// Waits if there is something to wait for: a timer rounds up to a millisecond.
async fn wait(due: Instant) {
    if due > Instant::now() {
        sleep_until(due).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A server that reads a request of ten bytes and answers a hundred, once a connection.
    async fn answering() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = [0; 10];
                    if stream.read_exact(&mut request).await.is_ok() {
                        let _ = stream.write_all(&[7; 100]).await;
                    }
                });
            }
        });
        address
    }

    /// Sends ten bytes, and says how many came back before the end.
    async fn ask(link: &Link) -> usize {
        let mut stream = TcpStream::connect(link.address).await.unwrap();
        let _ = stream.write_all(&[1; 10]).await;
        let mut answer = vec![];
        let _ = stream.read_to_end(&mut answer).await;
        answer.len()
    }

    fn counted(link: &Link) -> [u64; 5] {
        let Carried { up, down, connections, cuts, answers_cut } = link.carried.as_ref();
        [up, down, connections, cuts, answers_cut].map(|counter| counter.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_fine_link_carries_everything_and_counts_it() {
        let link = Link::open(answering().await, Weather::default()).await;
        assert_eq!((ask(&link).await, ask(&link).await), (100, 100));
        assert_eq!(counted(&link), [20, 200, 2, 0, 0]);
    }

    #[tokio::test]
    async fn two_connections_share_the_rate_of_one() {
        // 200 bytes down at 4,000 bit/s.
        let link = Link::open(answering().await, Weather { down_bps: Some(4_000), ..Weather::default() }).await;
        let began = Instant::now();
        assert_eq!(tokio::join!(ask(&link), ask(&link)), (100, 100));
        assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn an_answer_is_cut_after_its_number_of_bytes_and_the_request_arrives_whole() {
        let weather = Weather { cut_after_down: Some(33), ..Weather::default() };
        let link = Link::open(answering().await, weather).await;
        assert_eq!(ask(&link).await, 33);
        assert_eq!(counted(&link), [10, 33, 1, 1, 1]);
        link.set(Weather { cut_after_up: Some(4), ..Weather::default() });
        assert_eq!(ask(&link).await, 0);
        assert_eq!(counted(&link), [14, 33, 2, 2, 1], "a request that is cut is no answer cut");
    }

    #[tokio::test]
    async fn answers_are_cut_at_a_byte_of_their_own_each_and_short_ones_pass() {
        let weather = Weather { cut_answers: Some(0..200), ..Weather::default() };
        let link = Link::open(answering().await, weather).await;
        let mut lengths = std::collections::BTreeSet::new();
        let mut whole = 0;
        for _ in 0..40 {
            match ask(&link).await {
                100 => whole += 1,
                length => {
                    lengths.insert(length);
                }
            }
        }
        let [.., cuts, answers_cut] = counted(&link);
        assert_eq!((cuts, answers_cut), (40 - whole, 40 - whole));
        assert!(whole > 0 && lengths.len() > 5, "{whole} {lengths:?}");
    }

    #[tokio::test]
    async fn a_connection_does_not_outlive_its_age() {
        let weather = Weather { cut_after: Some(Duration::from_millis(1)), ..Weather::default() };
        // Nobody answers: the connection would stay.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let link = Link::open(silent.local_addr().unwrap(), weather).await;
        assert_eq!(ask(&link).await, 0);
        assert_eq!(counted(&link)[3..], [1, 0]);
    }
}
