//! A weak link by hand: listens on loopback, forwards to a server on loopback, and is as bad as asked for.
//!
//! `weaklink --to 127.0.0.1:8080 --profile lift`, then point a phone at the address it prints. What it carried is
//! printed when it is stopped with Ctrl-C. Single values win over the profile's.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use serde_json::json;
use xunge_tests::link::{Link, Profile, Stall, Weather};

/// A loopback proxy that behaves like a bad radio link.
#[derive(Debug, Parser)]
struct Arguments {
    /// The server, on this machine.
    #[arg(long, value_parser = loopback)]
    to: SocketAddr,
    /// Where to listen; port 0 takes any free one.
    #[arg(long, value_parser = loopback, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A link people know; without one it is a fine link.
    #[arg(long, value_enum)]
    profile: Option<Profile>,
    /// Bits per second from phone to server.
    #[arg(long, value_name = "BPS")]
    up: Option<u64>,
    /// Bits per second from server to phone.
    #[arg(long, value_name = "BPS")]
    down: Option<u64>,
    /// One-way delay, milliseconds.
    #[arg(long, value_name = "MS")]
    delay: Option<u64>,
    /// A hole in which no byte moves: `AT+SECONDS` once, `AT+SECONDS/EVERY` again and again. May be repeated.
    #[arg(long, value_name = "AT+S[/EVERY]", value_parser = stall)]
    stall: Vec<Stall>,
    /// Reset every connection at this age, seconds.
    #[arg(long, value_name = "S")]
    cut_after: Option<u64>,
    /// Reset every connection when it carried so many bytes up.
    #[arg(long, value_name = "BYTES")]
    cut_up: Option<u64>,
    /// Reset every connection when it carried so many bytes of answers: requests arrive, answers do not.
    #[arg(long, value_name = "BYTES")]
    cut_down: Option<u64>,
}

/// An address on this machine: the proxy is for tests and opens nothing to the outside.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let text = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    let address: SocketAddr =
        text.parse().map_err(|_| format!("`{text}` is no address; write it like 127.0.0.1:8080"))?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(format!("{address} is not on this machine; weaklink stays on loopback, for example 127.0.0.1:8080"))
    }
}

/// Reads `10+20` or `10+20/60`, seconds.
fn stall(text: &str) -> Result<Stall, String> {
    let bad = || format!("`{text}` is no hole; write AT+SECONDS or AT+SECONDS/EVERY, for example 10+20/60");
    let seconds = |text: &str| text.trim().parse().map(Duration::from_secs).map_err(|_| bad());
    let (at, rest) = text.split_once('+').ok_or_else(bad)?;
    let (lasts, every) = rest.split_once('/').map_or((rest, None), |(lasts, every)| (lasts, Some(every)));
    let stall = Stall { at: seconds(at)?, lasts: seconds(lasts)?, every: every.map(seconds).transpose()? };
    // A hole without an end would hold everything up for ever.
    if stall.every.is_some_and(|every| every <= stall.lasts) { Err(bad()) } else { Ok(stall) }
}

impl Arguments {
    fn weather(&self) -> Weather {
        let mut weather = self.profile.map(Profile::weather).unwrap_or_default();
        weather.up_bps = self.up.or(weather.up_bps);
        weather.down_bps = self.down.or(weather.down_bps);
        weather.delay = self.delay.map_or(weather.delay, Duration::from_millis);
        weather.stalls.extend(&self.stall);
        weather.cut_after = self.cut_after.map(Duration::from_secs).or(weather.cut_after);
        weather.cut_after_up = self.cut_up.or(weather.cut_after_up);
        if self.cut_down.is_some() {
            (weather.cut_after_down, weather.cut_answers) = (self.cut_down, None);
        }
        weather
    }
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let link = match Link::open_on(arguments.listen, arguments.to, arguments.weather()).await {
        Ok(link) => link,
        Err(cause) => {
            eprintln!("{} can not be listened on: {cause}. Take another address with --listen.", arguments.listen);
            return std::process::ExitCode::FAILURE;
        }
    };
    println!("{}", json!({"listening": link.url(), "to": format!("http://{}", arguments.to)}));
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("signals");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    println!("{}", json!({"carried": link.carried.as_ref()}));
    std::process::ExitCode::SUCCESS
}
