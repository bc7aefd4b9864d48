//! An open installation: what every handler, page and job works with.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use xunge_client_core::wire::limits;

use crate::auth::keys::{KeyError, Keys};
use crate::auth::login::Desk;
use crate::auth::token::Tokens;
use crate::blobs::derive::Copies;
use crate::blobs::space::Space;
use crate::blobs::staging::Staging;
use crate::blobs::{BlobError, Blobs};
use crate::clock::Business;
use crate::config::Config;
use crate::datadir::DataDir;
use crate::domain::cases;
use crate::domain::services::Services;
use crate::domain::timetables::Timetables;
use crate::domain::uploads::Uploads;
use crate::metrics::Metrics;
use crate::params;
use crate::store::{Options, Store, StoreError, Tx};
use crate::streams::Places;
use crate::sync::SyncDesk;

/// An open installation; clones share it.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// What an open installation consists of.
#[derive(Debug)]
pub struct Parts {
    /// The database, the clocks and what the rules of the trade need.
    pub services: Services,
    /// The signing and sealing keys.
    pub keys: Keys,
    /// Issues and checks access tokens.
    pub tokens: Tokens,
    /// Where people sign in.
    pub desk: Desk,
    /// Photos by hash.
    pub blobs: Blobs,
    /// Copies of photos for looking at.
    pub copies: Copies,
    /// Photos on their way in.
    pub uploads: Uploads,
    /// What a sync request is answered with.
    pub sync: SyncDesk,
    /// How full the disk is.
    pub space: Space,
    /// What the operator set.
    pub config: Config,
    /// Where everything lies.
    pub data: DataDir,
    /// The installation as phones are told of it.
    pub identity: Identity,
    /// Room for rescue bundles that are being received, KiB: anybody may bring one, and each is in memory as a whole.
    pub rescue_room: Arc<Semaphore>,
    /// What `/metrics` tells.
    pub metrics: Metrics,
    /// Who listens for news.
    pub listeners: Places,
    /// Cancelled when the server begins to stop.
    pub stopping: CancellationToken,
}

/// The installation as phones are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Code of the district, 6 digits.
    pub district: String,
    /// Its name.
    pub name: String,
    /// The server epoch; changes when a backup is restored.
    pub epoch: u64,
}

/// Why an installation can not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The keys can not be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The database can not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The photos can not be used.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Opens an installation. Blocks while the database is brought up to date.
    pub fn open(data: DataDir, config: Config, business: Business) -> Result<Self, AppError> {
        let keys = Keys::load(&data.keys())?;
        let store = Store::open(&data.database(), &Options { create: false, ..Options::default() })?;
        cases::fill_blocking(&store)?;
        let identity = store.read_blocking(|tx| Box::pin(Identity::read(tx)))?;
        let blobs = Blobs::in_folder(data.root())?;
        let staging = Staging::in_folder(data.root())?;
        let space = Space::of_disk(data.root());
        let tokens = Tokens::new(&keys, format!("xunge:{}", identity.district));
        let uploads = Uploads::new(store.clone(), blobs.clone(), staging, space.clone(), business.clone());
        let timetable = Timetables::new(config.tables.clone());
        let loaded = timetable.clone();
        store.read_blocking::<_, StoreError, _>(move |tx| Box::pin(async move { loaded.load(tx).await }))?;
        let services = Services { timetable, ..Services::new(store.clone(), business) };
        Ok(Self(Arc::new(Parts {
            sync: SyncDesk {
                services: services.clone(),
                photos: Arc::new(uploads.clone()),
                tokens: Arc::new(tokens.clone()),
            },
            desk: Desk::new(store),
            copies: Copies::in_folder(data.root(), blobs.clone()),
            tokens,
            uploads,
            services,
            rescue_room: Arc::new(Semaphore::new(limits::RESCUE / 1024)),
            metrics: Metrics::default(),
            listeners: Places::default(),
            stopping: CancellationToken::new(),
            blobs,
            space,
            keys,
            config,
            data,
            identity,
        })))
    }

    /// Finishes what is queued, photos first, and closes the database.
    pub async fn close(&self) -> Result<(), AppError> {
        self.blobs.settle().await?;
        Ok(self.services.store.close().await?)
    }
}

impl Identity {
    /// Reads who this installation is.
    pub(crate) async fn read(tx: &mut dyn Tx) -> Result<Self, StoreError> {
        let district = meta(tx, "district").await?;
        let epoch = meta(tx, "server_epoch").await?;
        let name = tx.query_opt("SELECT name FROM org_node WHERE code = ?1", params![&district]).await?;
        Ok(Self {
            name: name.map(|row| row.text(0).map(str::to_owned)).transpose()?.unwrap_or_default(),
            epoch: epoch.parse().map_err(|_| StoreError::Check { what: "meta.server_epoch".to_owned() })?,
            district,
        })
    }
}

async fn meta(tx: &mut dyn Tx, key: &str) -> Result<String, StoreError> {
    Ok(tx.query_one("SELECT value FROM meta WHERE key = ?1", params![key]).await?.text(0)?.to_owned())
}
