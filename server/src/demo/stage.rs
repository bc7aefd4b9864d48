//! The stage: a fresh data folder, made as `init` makes it, and the server over it, as `serve` runs it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use xunge_client_core::model::Millis;

use super::plan::DemoPlan;
use super::taken_over;
use super::trouble::DemoError;
use crate::app::App;
use crate::cli::init::{InitReport, init};
use crate::clock::{Business, Security};
use crate::config::Config;
use crate::datadir::{DataDir, Lock};
use crate::reference::org::Org;
use crate::store::StoreError;
use crate::{api, jobs, serve};

/// The data folder of a demo, removed at the end unless somebody named it.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    _removed_with_it: Option<TempDir>,
}

impl Folder {
    /// The folder asked for, or a new one among the system's temporary files.
    ///
    /// # Errors
    /// [`DemoError::Io`] if no temporary folder can be made.
    pub fn new(asked: Option<&Path>) -> Result<Self, DemoError> {
        if let Some(root) = asked {
            return Ok(Self { root: root.to_owned(), _removed_with_it: None });
        }
        let made = TempDir::with_prefix("xunge-demo-")
            .map_err(|cause| DemoError::Io { what: "temporary folder".to_owned(), cause })?;
        Ok(Self { root: made.path().to_owned(), _removed_with_it: Some(made) })
    }

    /// Where the phones keep their stores.
    pub(super) fn phones(&self) -> PathBuf {
        self.root.join("phones")
    }
}

/// The running server.
pub(super) struct Stage {
    pub(super) app: App,
    pub(super) listen: SocketAddr,
    /// Everybody's first credentials.
    pub(super) people: InitReport,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    _lock: Lock,
}

impl Stage {
    /// Makes the installation and starts the server, its business clock standing where the plan begins.
    pub(super) async fn open(
        folder: &Folder,
        org: Org,
        plan: &DemoPlan,
        listener: TcpListener,
    ) -> Result<Self, DemoError> {
        let root = folder.root.clone();
        let begins = plan.round_begins.first().copied().unwrap_or(Millis(0));
        let listen = listener.local_addr().map_err(|cause| io("127.0.0.1", cause))?;
        // Hashing the offices' passwords keeps the cores busy for a second.
        let opened = tokio::task::spawn_blocking(move || {
            let people = init(&root, &org, Security.now()).map_err(setup)?;
            let data = DataDir::open(&root).map_err(setup)?;
            let lock = data.lock().map_err(setup)?;
            let config = Config { listen, ..Config::default() };
            let app = App::open(data, config, Business::standing(begins)).map_err(setup)?;
            Ok::<_, DemoError>((people, app, lock))
        });
        let (people, app, lock) = opened.await.map_err(setup)??;
        let (previous, external) = (plan.previous.clone(), plan.external.clone());
        app.services
            .store
            .write::<(), StoreError, _>(move |tx| {
                Box::pin(async move {
                    taken_over::publish(tx, &previous).await?;
                    taken_over::enter(tx, previous.template, &external).await
                })
            })
            .await
            .map_err(setup)?;
        let stop = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(jobs::run(app.clone(), stop.clone())),
            tokio::spawn({
                let (app, stop) = (app.clone(), stop.clone());
                async move { serve::serve(&app, listener, api::router(app.clone()), stop).await }
            }),
        ];
        Ok(Self { app, listen, people, stop, tasks, _lock: lock })
    }

    /// Where phones and browsers find the server.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Ends as `serve` ends on SIGTERM: requests under way, then the jobs, then the database.
    pub(super) async fn close(self) -> Result<(), DemoError> {
        self.stop.cancel();
        for task in self.tasks {
            task.await.map_err(setup)?;
        }
        self.app.close().await.map_err(setup)
    }
}

/// Takes the address, which has to be of this machine only.
pub(super) async fn listener(asked: SocketAddr) -> Result<TcpListener, DemoError> {
    if !asked.ip().is_loopback() {
        return Err(DemoError::NotLoopback { asked: asked.to_string() });
    }
    TcpListener::bind(asked).await.map_err(|cause| io(&asked.to_string(), cause))
}

fn io(what: &str, cause: std::io::Error) -> DemoError {
    DemoError::Io { what: what.to_owned(), cause }
}

fn setup(error: impl std::fmt::Display) -> DemoError {
    DemoError::Setup(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn demo_accounts_are_not_offered_to_others() {
        for asked in ["0.0.0.0:0", "[::]:0", "192.168.1.7:8080", "[::ffff:10.0.0.1]:0"] {
            let refused = listener(asked.parse().unwrap()).await.unwrap_err();
            assert!(matches!(refused, DemoError::NotLoopback { .. }), "{asked}");
            assert!(refused.is_usage());
        }
        for asked in ["127.0.0.1:0", "127.0.0.9:0"] {
            assert!(listener(asked.parse().unwrap()).await.unwrap().local_addr().unwrap().ip().is_loopback());
        }
    }

    #[test]
    fn a_folder_nobody_named_is_gone_afterwards() {
        let folder = Folder::new(None).unwrap();
        let root = folder.root.clone();
        std::fs::write(root.join("file"), "x").unwrap();
        drop(folder);
        assert!(!root.exists());
        let named = tempfile::tempdir().unwrap();
        drop(Folder::new(Some(named.path())).unwrap());
        assert!(named.path().exists());
    }
}
