//! A loopback proxy that behaves like a bad radio link.
//!
//! There is no kernel help: bytes are paced and connections are cut here. A [`Link`] counts what it carried, so
//! that figures are bytes on the wire with headers.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// How bad the link is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// Bits per second from phone to server; `None` for no limit.
    pub up_bps: Option<u64>,
    /// Bits per second from server to phone.
    pub down_bps: Option<u64>,
    /// One-way delay of every byte; a new connection costs one round trip more.
    pub delay: Duration,
    /// Every connection is reset when it is this old.
    pub cut_after: Option<Duration>,
    /// Every connection is reset when it carried this many bytes up.
    pub cut_after_up: Option<u64>,
    /// Every connection is reset when it carried this many bytes down: the request arrives, the answer does not.
    pub cut_after_down: Option<u64>,
}

impl Weather {
    /// 64 kbit/s up, 128 kbit/s down, 250 ms each way: the link all sync figures are stated for.
    pub const WEAK: Self = Self {
        up_bps: Some(64_000),
        down_bps: Some(128_000),
        delay: Duration::from_millis(250),
        cut_after: None,
        cut_after_up: None,
        cut_after_down: None,
    };
}

/// What a link carried.
#[derive(Debug, Default)]
pub struct Carried {
    /// Bytes from phone to server.
    pub up: AtomicU64,
    /// Bytes from server to phone.
    pub down: AtomicU64,
    /// Connections opened.
    pub connections: AtomicU64,
    /// Connections cut.
    pub cuts: AtomicU64,
}

/// A running proxy; ends with its runtime.
#[derive(Debug)]
pub struct Link {
    /// Where phones connect.
    pub address: SocketAddr,
    /// Counters.
    pub carried: Arc<Carried>,
    weather: Arc<Mutex<Weather>>,
}

impl Link {
    /// Listens on a free port and forwards to `server`.
    pub async fn open(server: SocketAddr, weather: Weather) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let carried = Arc::new(Carried::default());
        let weather = Arc::new(Mutex::new(weather));
        let (counters, forecast) = (carried.clone(), weather.clone());
        tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                counters.connections.fetch_add(1, Ordering::Relaxed);
                let weather = *forecast.lock().unwrap();
                tokio::spawn(connection(phone, server, weather, counters.clone()));
            }
        });
        Self { address, carried, weather }
    }

    /// Changes the weather for connections opened from now on.
    pub fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap() = weather;
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn connection(phone: TcpStream, server: SocketAddr, weather: Weather, carried: Arc<Carried>) {
    // The handshake of a real link takes a round trip before the first byte moves.
    sleep_until(Instant::now() + weather.delay * 2).await;
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (phone.set_nodelay(true), server.set_nodelay(true));
    let (phone_in, phone_out) = phone.into_split();
    let (server_in, server_out) = server.into_split();
    let cut = Arc::new(Notify::new());
    let up = Lane { bps: weather.up_bps, delay: weather.delay, cut_after: weather.cut_after_up, cut: cut.clone() };
    let down =
        Lane { bps: weather.down_bps, delay: weather.delay, cut_after: weather.cut_after_down, cut: cut.clone() };
    let both = async {
        tokio::join!(up.carry(phone_in, server_out, &carried.up), down.carry(server_in, phone_out, &carried.down))
    };
    let aged = async {
        match weather.cut_after {
            Some(age) => sleep_until(Instant::now() + age).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = both => {}
        () = aged => { carried.cuts.fetch_add(1, Ordering::Relaxed); }
        () = cut.notified() => { carried.cuts.fetch_add(1, Ordering::Relaxed); }
    }
}

/// One direction of a connection.
struct Lane {
    bps: Option<u64>,
    delay: Duration,
    cut_after: Option<u64>,
    cut: Arc<Notify>,
}

impl Lane {
    async fn carry(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, carried: &AtomicU64) {
        // What is in flight: bytes and the instant they arrive. The channel keeps delay apart from rate.
        let (sender, mut receiver) = tokio::sync::mpsc::channel::<(Instant, Vec<u8>)>(1_024);
        let reading = async move {
            let mut buffer = vec![0; 1_400];
            let mut line_free = Instant::now();
            let mut total = 0;
            loop {
                let read = match from.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => read,
                };
                line_free = line_free.max(Instant::now());
                if let Some(bps) = self.bps {
                    line_free += Duration::from_secs_f64(read as f64 * 8.0 / bps as f64);
                    sleep_until(line_free).await;
                }
                let allowed = self.cut_after.map_or(read, |limit| (limit.saturating_sub(total) as usize).min(read));
                total += read as u64;
                carried.fetch_add(allowed as u64, Ordering::Relaxed);
                if sender.send((line_free + self.delay, buffer[..allowed].to_vec())).await.is_err() {
                    break;
                }
                if allowed < read {
                    drop(sender);
                    return true;
                }
            }
            false
        };
        let writing = async move {
            while let Some((due, bytes)) = receiver.recv().await {
                sleep_until(due).await;
                if to.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            let _ = to.shutdown().await;
        };
        let (cut, ()) = tokio::join!(reading, writing);
        if cut {
            self.cut.notify_one();
            // The other lane ends with the connection.
            std::future::pending::<()>().await;
        }
    }
}
