//! chromedriver as a process: on a port of its own choice, ended by its own shutdown.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::process::wait;

/// A running chromedriver; it and its browsers end when this is dropped.
#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    port: u16,
    // Kept open: a driver that writes into a closed pipe dies of it.
    _said: BufReader<ChildStdout>,
}

impl Driver {
    /// Starts on a free port.
    ///
    /// # Panics
    /// If it is not installed: a tier that promises browser stories does not skip them.
    pub(super) fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .args(["--port=0", "--log-level=WARNING"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts (Debian package: chromium-driver; tests/run installs it)");
        let mut said = BufReader::new(child.stdout.take().expect("piped above"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            let read = said.read_line(&mut line).expect("chromedriver says its port");
            assert!(read > 0, "chromedriver ended without naming its port");
            let named = line.split("on port ").nth(1).and_then(|rest| rest.trim().trim_end_matches('.').parse().ok());
            // Its first line names the port it was asked for: 0.
            if let Some(port) = named.filter(|port| *port != 0) {
                break port;
            }
        };
        Self { child, port, _said: said }
    }

    /// Where it listens.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn ask_to_end(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", self.port)?;
        stream.read_to_end(&mut Vec::new()).map(|_| ())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Its own shutdown takes the browsers with it; killing it would leave them.
        let asked = self.ask_to_end();
        if asked.is_err() || wait(&mut self.child, Duration::from_secs(10)).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
