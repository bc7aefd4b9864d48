//! A small installation of the server in this process, for targets that reach into it.

use std::path::Path;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use tokio::runtime::Runtime;
use xunge_client_core::model::{DeviceId, Millis};
use xunge_server::app::App;
use xunge_server::auth::token::{Subject, Use};
use xunge_server::clock::Business;
use xunge_server::config::Config;
use xunge_server::datadir::DataDir;
use xunge_server::domain::directory::install::install;
use xunge_server::params;
use xunge_server::reference::taxonomy::Taxonomy;
use xunge_server::reference::xixia;
use xunge_server::store::{Options, Store, StoreError, Value};

/// The server, and a phone it knows.
pub(super) struct Office {
    _folder: tempfile::TempDir,
    pub(super) app: App,
    pub(super) runtime: Runtime,
    pub(super) key: SigningKey,
    pub(super) device: DeviceId,
    /// The phone's user, an inspector; and one who reviews.
    pub(super) inspector: String,
    pub(super) reviewer: String,
}

/// Writes key files that are the same at every run.
pub(super) fn write_keys(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for (name, byte) in [("signing.key", 11), ("sealing.key", 12)] {
        let path = folder.join(name);
        std::fs::write(&path, hex::encode([byte; 32])).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Writes the example district into a database.
pub(super) fn install_into(store: &Store) {
    let org = Arc::new(xixia::org_file().validate().expect("the example is valid"));
    let write = store.write_blocking::<_, StoreError, _>(move |tx| {
        Box::pin(async move { install(tx, &org, Taxonomy::builtin(), 1, Millis(0)).await })
    });
    write.unwrap();
}

impl Office {
    pub(super) fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(&folder.path().join("data")).unwrap();
        write_keys(&data.keys());
        let store = Store::open(&data.database(), &Options::default()).unwrap();
        install_into(&store);
        let (key, device) = (SigningKey::from_bytes(&[5; 32]), DeviceId::from_bytes([7; 16]));
        let inspector = user(&store, "inspector");
        let reviewer = user(&store, "town_office");
        let (public, who) = (key.verifying_key().to_bytes(), inspector.clone());
        let join = store.write_blocking::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO device (id, user_id, public_key, counter_window, name, enrolled_at)
                    VALUES (?1, ?2, ?3, x'', 'fuzz', 0)";
                tx.execute(sql, params![device.as_bytes(), &who, public]).await
            })
        });
        join.unwrap();
        store.close_blocking().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let entered = runtime.enter();
        let clock = Business::standing(Millis(1_700_000_000_000));
        let app = App::open(data, Config::default(), clock).unwrap();
        drop(entered);
        Self { _folder: folder, app, runtime, key, device, inspector, reviewer }
    }

    /// A token of a user, good for ten minutes from now.
    pub(super) fn token(&self, user: &str) -> String {
        let subject =
            Subject { user: user.to_owned(), device: None, perm_version: self.perm_version(user), usage: Use::Api };
        self.app.tokens.issue(&subject, xunge_server::clock::Security.now())
    }

    fn perm_version(&self, user: &str) -> i64 {
        let sql = "SELECT perm_version FROM user_account WHERE id = ?1";
        self.numbers(sql, params![user].to_vec())[0]
    }

    /// The first column of the rows.
    pub(super) fn numbers(&self, sql: &'static str, values: Vec<Value>) -> Vec<i64> {
        let rows = self.runtime.block_on(
            self.app
                .services
                .store
                .read::<_, StoreError, _>(move |tx| Box::pin(async move { tx.query(sql, &values).await })),
        );
        rows.unwrap().iter().map(|row| row.int(0).unwrap()).collect()
    }
}

fn user(store: &Store, role: &'static str) -> String {
    let found = store.read_blocking::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let row = tx.query_one("SELECT MIN(id) FROM user_account WHERE role = ?1", params![role]).await?;
            Ok(row.text(0)?.to_owned())
        })
    });
    found.unwrap()
}
