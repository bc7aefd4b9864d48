//! What the tests of this folder begin with.

use xunge_client_core::model::{Millis, Role};

use super::account::{self, NewAccount};
use crate::store::{BoxFuture, Store, StoreError, Tx};

pub(crate) const NOW: Millis = Millis(1_700_000_000_000);

/// A store in memory with one inspector `li`.
pub(crate) async fn store() -> Store {
    let store = Store::in_memory().unwrap();
    write(&store, |tx| Box::pin(async move { account::add(tx, &inspector("li"), NOW).await })).await.unwrap();
    store
}

pub(crate) fn inspector(id: &str) -> NewAccount {
    NewAccount {
        id: id.to_owned(),
        name: "李网格员".to_owned(),
        role: Role::Inspector,
        scope: "640105001".parse().unwrap(),
        unit: Some("U640105001".parse().unwrap()),
        grids: vec!["640105001001001".parse().unwrap()],
        password_hash: None,
    }
}

/// A write whose error is the store's.
pub(crate) async fn write<T, F>(store: &Store, body: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>> + Clone + Send + 'static,
{
    store.write(body).await
}
