//! The loop that runs a core on tokio.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::core::{Core, Outside};
use super::dial::AnyTransport;
use super::traces::Traces;
use crate::failpoint::{self, At};
use crate::platform::{Clock, Files};
use crate::sync::{Event, Outbound, OutboundKind, Reason, Refused, Response, Stop, Summary, Upload, UploadEnd};
use crate::transport::{Answer, Outgoing, Traffic, TransportError};
use crate::wire::{MEDIA_TYPE, limits};

/// Most bytes of a photo in one PATCH: what one phone holds in memory for it.
const PATCH_BYTES: usize = 512 << 10;
const TOKEN_ANSWER: usize = 16 << 10;
const REFERENCE_ANSWER: usize = 8 << 20;

/// What a run did, as seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncReport {
    /// HTTP requests made, photos included.
    pub requests: u32,
    /// Bytes sent, headers and TLS included.
    pub bytes_up: u64,
    /// Bytes received.
    pub bytes_down: u64,
    /// Cases the server confirmed by digest.
    pub cases_sent: u32,
    /// Photos the server confirmed.
    pub photos_sent: u32,
    /// Cases still only on this phone.
    pub cases_waiting: u32,
    /// Photos still on this phone.
    pub photos_waiting: u32,
    /// Events and changes of others that arrived.
    pub received: u32,
    /// What was refused.
    pub refused: Vec<Refused>,
    /// True if nothing waits any more.
    pub drained: bool,
    /// Why it ended earlier.
    pub stop: Option<Stop>,
}

/// A handle to a running loop; dropping the last one ends it.
#[derive(Debug, Clone)]
pub struct Worker {
    commands: mpsc::UnboundedSender<Command>,
}

#[derive(Debug)]
enum Command {
    Event(Event),
    Run(oneshot::Sender<SyncReport>),
}

impl Worker {
    /// Starts the loop on `runtime`; its flight recorder writes to the file `trace`.
    pub fn start(
        runtime: &Handle,
        core: Core,
        transport: Arc<dyn AnyTransport>,
        files: Arc<dyn Files>,
        clock: Arc<dyn Clock>,
        trace: PathBuf,
    ) -> Self {
        let (commands, inbox) = mpsc::unbounded_channel();
        let (ended, ends) = mpsc::unbounded_channel();
        let running = Running {
            core: Some(core),
            outside: World { transport, files, ended },
            clock,
            tasks: JoinSet::new(),
            due: None,
            waiting: Vec::new(),
            requests: 0,
            before: Traffic::default(),
            counted: Traffic::default(),
            traces: Traces::at(trace),
        };
        runtime.spawn(running.run(inbox, ends));
        Self { commands }
    }

    /// Runs until nothing waits or no progress is made; `None` if the loop has died.
    pub async fn run_once(&self) -> Option<SyncReport> {
        let (answer, report) = oneshot::channel();
        self.commands.send(Command::Run(answer)).ok()?;
        report.await.ok()
    }

    /// False once the loop has died.
    pub fn is_alive(&self) -> bool {
        !self.commands.is_closed()
    }

    /// Tells the engine something; false if the loop has died.
    pub fn tell(&self, event: Event) -> bool {
        self.commands.send(Command::Event(event)).is_ok()
    }
}

/// What the loop needs to reach the world.
struct World {
    transport: Arc<dyn AnyTransport>,
    files: Arc<dyn Files>,
    ended: mpsc::UnboundedSender<Event>,
}

struct Running {
    /// Away while it works on a blocking thread.
    core: Option<Core>,
    outside: World,
    clock: Arc<dyn Clock>,
    /// Requests in the air; dropped with the loop.
    tasks: JoinSet<()>,
    due: Option<Instant>,
    waiting: Vec<oneshot::Sender<SyncReport>>,
    requests: u32,
    before: Traffic,
    /// What was counted against the month's budget.
    counted: Traffic,
    traces: Traces,
}

impl Running {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>, mut ends: mpsc::UnboundedReceiver<Event>) {
        loop {
            let event = tokio::select! {
                command = inbox.recv() => match command {
                    None => return,
                    Some(Command::Event(event)) => event,
                    Some(Command::Run(answer)) => {
                        if self.waiting.is_empty() {
                            self.requests = 0;
                            self.before = self.outside.transport.traffic();
                        }
                        self.waiting.push(answer);
                        Event::Wake(Reason::Asked)
                    }
                },
                Some(event) = ends.recv() => event,
                () = until(self.due) => {
                    self.due = None;
                    Event::Tick
                }
            };
            let Some(outside) = self.step(event).await else { return };
            outside.into_iter().for_each(|left| self.perform(left));
            while self.tasks.try_join_next().is_some() {}
        }
    }

    /// One step on a blocking thread; `None` if it panicked, which ends the loop: the next run starts from the store.
    async fn step(&mut self, event: Event) -> Option<Vec<Outside>> {
        let mut core = self.core.take()?;
        let traffic = self.outside.transport.traffic();
        let spent = traffic.since(std::mem::replace(&mut self.counted, traffic));
        core.spent(spent.up + spent.down);
        let stepped = tokio::task::spawn_blocking(move || {
            let outside = core.step(event);
            (core, outside)
        });
        let (core, outside) = stepped.await.ok()?;
        self.core = Some(core);
        Some(outside)
    }

    fn perform(&mut self, outside: Outside) {
        match outside {
            Outside::Send(outbound) => {
                failpoint::reach(At::PhoneSyncPersisted);
                self.requests += 1;
                let (transport, ended) = (self.outside.transport.clone(), self.outside.ended.clone());
                self.tasks.spawn(async move {
                    let exchange = outbound.exchange;
                    let event = match transport.send(request(outbound)).await {
                        Ok(answer) => {
                            failpoint::reach(At::PhoneSyncAnswered);
                            Event::Answered { exchange, response: response(answer) }
                        }
                        Err(_) => Event::Unanswered { exchange },
                    };
                    let _ = ended.send(event);
                });
            }
            Outside::Upload { upload, preview } => {
                self.requests += 1;
                let World { transport, files, ended } = &self.outside;
                let (transport, files, ended) = (transport.clone(), files.clone(), ended.clone());
                self.tasks.spawn(async move {
                    let item = upload.item;
                    let end = send_photo(transport.as_ref(), files, upload, preview).await;
                    let _ = ended.send(Event::Uploaded { item, end });
                });
            }
            Outside::Sleep { until_ms } => {
                let wait = until_ms.saturating_sub(self.clock.now().mono_ms);
                self.due = Some(Instant::now() + Duration::from_millis(wait));
                if let Some(core) = &mut self.core {
                    self.traces.write_hourly(core, self.clock.now().mono_ms);
                }
            }
            Outside::Finish(summary) => {
                if let Some(core) = &mut self.core {
                    self.traces.write(core, self.clock.now().mono_ms);
                }
                let report = self.report(*summary);
                for answer in self.waiting.drain(..) {
                    let _ = answer.send(report.clone());
                }
            }
        }
    }

    fn report(&self, summary: Summary) -> SyncReport {
        let traffic = self.outside.transport.traffic().since(self.before);
        SyncReport {
            requests: self.requests,
            bytes_up: traffic.up,
            bytes_down: traffic.down,
            cases_sent: summary.cases_sent,
            photos_sent: summary.photos_sent,
            cases_waiting: summary.waiting.cases,
            photos_waiting: summary.waiting.photos,
            received: summary.received,
            refused: summary.refused,
            drained: summary.drained,
            stop: summary.stop,
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn request(outbound: Outbound) -> Outgoing {
    let Outbound { kind, body, bearer, .. } = outbound;
    let mut headers = Vec::new();
    if let Some(token) = bearer {
        headers.push(("authorization", format!("Bearer {token}")));
    }
    let (method, path, answer_limit) = match kind {
        OutboundKind::Sync => {
            headers.push(("content-type", MEDIA_TYPE.to_owned()));
            ("POST", "/v1/sync", limits::DECOMPRESSED + limits::ENVELOPE)
        }
        OutboundKind::Token => {
            headers.push(("content-type", "application/json".to_owned()));
            ("POST", "/v1/auth/token", TOKEN_ANSWER)
        }
        OutboundKind::Reference => {
            headers.push(("accept", "application/zstd".to_owned()));
            ("GET", "/v1/reference/bundle", REFERENCE_ANSWER)
        }
    };
    Outgoing { method, path: path.to_owned(), headers, body: Bytes::from(body), answer_limit }
}

async fn send_photo(
    transport: &dyn AnyTransport,
    files: Arc<dyn Files>,
    upload: Upload,
    preview: Option<Vec<u8>>,
) -> UploadEnd {
    let Upload { item, offset, bytes, location, token } = upload;
    let body = match preview {
        Some(whole) => whole.get(offset as usize..).map(<[u8]>::to_vec),
        None => {
            let read = tokio::task::spawn_blocking(move || files.read_at(&item.photo(), offset, PATCH_BYTES));
            match read.await {
                Ok(Ok(body)) => Some(body),
                Ok(Err(error)) => return UploadEnd::unread(&error),
                Err(_) => return UploadEnd::Unreadable,
            }
        }
    };
    // A file shorter than its row says is no photo any more.
    let Some(body) = body.filter(|body| !body.is_empty() || offset == bytes) else { return UploadEnd::NoBytes };
    let headers = vec![
        ("authorization", format!("Bearer {token}")),
        ("content-type", "application/offset+octet-stream".to_owned()),
        ("tus-resumable", "1.0.0".to_owned()),
        ("upload-offset", offset.to_string()),
    ];
    let body = Bytes::from(body);
    let request = Outgoing { method: "PATCH", path: location, headers, body, answer_limit: TOKEN_ANSWER };
    match transport.send(request).await {
        Ok(answer) => {
            failpoint::reach(At::PhonePhotoAnswered);
            UploadEnd::Answered { offset: answer.upload_offset, response: response(answer) }
        }
        Err(TransportError::Request(_)) => UploadEnd::Answered {
            offset: None,
            // A location nobody can send to: ask for another one.
            response: Response { status: 404, retry_after_ms: None, body: Vec::new() },
        },
        Err(_) => UploadEnd::Unanswered,
    }
}

fn response(answer: Answer) -> Response {
    Response { status: answer.status, retry_after_ms: answer.retry_after_ms, body: answer.body }
}
