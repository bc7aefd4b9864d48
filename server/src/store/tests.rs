//! What the store promises, tried on files with threads and on memory without.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Barrier},
    task::Poll,
    time::Duration,
};

use futures::{FutureExt, future::join_all};

use super::*;

type Answer<T> = Result<T, StoreError>;

/// A store in a folder of its own, with one note table and batches that only the queue limits.
struct Bench {
    store: Store,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("xunge.db"), &patient()).unwrap();
        run(&store, "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)").await.unwrap();
        Self { store, folder }
    }

    /// What a program that just opened the file sees.
    fn notes_on_disk(&self) -> i64 {
        let connection = rusqlite::Connection::open(self.folder.path().join("xunge.db")).unwrap();
        connection.query_row("SELECT COUNT(*) FROM note", [], |row| row.get(0)).unwrap()
    }
}

fn patient() -> Options {
    let batch = BatchLimits { writes: 1000, work: Duration::from_secs(60) };
    Options { batch, ..Options::default() }
}

async fn run(store: &Store, sql: &'static str) -> Answer<u64> {
    store.write(move |tx| tx.execute(sql, &[])).await
}

async fn note(store: &Store, id: i64) -> Answer<u64> {
    store
        .write(move |tx| {
            Box::pin(async move { tx.execute("INSERT INTO note VALUES (?1, ?2)", params![id, "路面破损"]).await })
        })
        .await
}

async fn notes(store: &Store) -> i64 {
    count(store, "SELECT COUNT(*) FROM note").await.unwrap()
}

async fn count(store: &Store, sql: &'static str) -> Answer<i64> {
    store.read(move |tx| Box::pin(async move { tx.query_one(sql, &[]).await?.int(0) })).await
}

/// A body that keeps the writer busy until the barrier is reached from outside.
async fn hold_writer(store: &Store, gate: Arc<Barrier>) -> Answer<()> {
    store
        .write(move |_| {
            gate.wait();
            Box::pin(async { Ok(()) })
        })
        .await
}

/// Polls a future once, so that what it asks for is in the queue when this returns.
async fn start<F: Future>(future: std::pin::Pin<&mut F>) {
    let mut future = pin!(tokio::task::unconstrained(future));
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending(), "nothing can be answered yet");
        Poll::Ready(())
    })
    .await;
}

/// Queues all the futures behind a busy writer, lets it go, and gives their answers.
async fn in_one_batch<T>(store: &Store, futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let gate = Arc::new(Barrier::new(2));
    let mut holding = pin!(hold_writer(store, Arc::clone(&gate)));
    start(holding.as_mut()).await;
    let mut all = pin!(join_all(futures));
    start(all.as_mut()).await;
    gate.wait();
    let answers = all.await;
    // Shares the batch's fate, whatever that is.
    let _ = holding.await;
    answers
}

#[tokio::test]
async fn a_hundred_concurrent_writes_share_one_flush() {
    let bench = Bench::new().await;
    let before = bench.store.stats();
    let writes = (0..100).map(|id| Box::pin(note(&bench.store, id)) as BoxFuture<'_, _>).collect();
    let answers = in_one_batch(&bench.store, writes).await;
    assert_eq!(answers, vec![Ok(1_u64); 100]);
    let after = bench.store.stats();
    assert_eq!((after.flushes - before.flushes, after.batches - before.batches), (1, 1));
    assert_eq!((after.writes - before.writes, after.largest_batch), (101, 101));
    assert_eq!(bench.notes_on_disk(), 100);
}

#[tokio::test]
async fn a_batch_stops_growing_at_its_limits() {
    for limits in
        [BatchLimits { writes: 10, work: Duration::from_secs(60) }, BatchLimits { writes: 1000, work: Duration::ZERO }]
    {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("x.db"), &Options { batch: limits, ..patient() }).unwrap();
        let writes = (0..40).map(|_| Box::pin(run(&store, "DELETE FROM meta")) as BoxFuture<'_, _>).collect();
        in_one_batch(&store, writes).await;
        let expected = if limits.work.is_zero() { 41 } else { 5 };
        assert_eq!(store.stats().batches, expected);
    }
}

#[tokio::test]
async fn a_body_that_fails_or_panics_does_not_hurt_its_companions() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let fails = store.write(|tx| {
        Box::pin(async move {
            tx.execute("INSERT INTO note VALUES (2, 'undone')", &[]).await?;
            tx.execute("INSERT INTO note VALUES (1, 'twice')", &[]).await
        })
    });
    let panics = store.write::<u64, StoreError, _>(|tx| {
        Box::pin(async move {
            tx.execute("INSERT INTO note VALUES (3, 'undone')", &[]).await?;
            panic!("on purpose")
        })
    });
    let answers = in_one_batch(
        store,
        vec![Box::pin(note(store, 1)), Box::pin(fails), Box::pin(panics), Box::pin(note(store, 4))],
    )
    .await;
    assert_eq!(
        answers,
        vec![
            Ok(1),
            Err(StoreError::Unique { what: "note.id".into() }),
            Err(StoreError::Panicked { message: "on purpose".into() }),
            Ok(1),
        ]
    );
    assert_eq!(store.stats().refused, 2);
    assert_eq!(bench.notes_on_disk(), 2);
    assert_eq!(count(store, "SELECT SUM(id) FROM note").await, Ok(5));
}

#[tokio::test]
async fn a_commit_that_fails_acknowledges_nothing_and_the_next_batch_works() {
    let bench = Bench::new().await;
    let store = &bench.store;
    // A deferred foreign key is the one constraint that SQLite looks at only when it commits.
    run(store, "CREATE TABLE late (note INTEGER REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED)").await.unwrap();
    let dangling = run(store, "INSERT INTO late VALUES (999)");
    let answers =
        in_one_batch(store, vec![Box::pin(note(store, 1)), Box::pin(dangling), Box::pin(note(store, 2))]).await;
    assert_eq!(answers, vec![Err(StoreError::ForeignKey); 3]);
    assert_eq!(store.stats().failed_commits, 1);
    assert_eq!(bench.notes_on_disk(), 0);

    assert_eq!(note(store, 1).await, Ok(1));
    assert_eq!(bench.notes_on_disk(), 1);
}

#[tokio::test]
async fn a_full_disk_is_named_and_whatever_was_answered_is_kept() {
    let bench = Bench::new().await;
    let store = &bench.store;
    note(store, 1).await.unwrap();
    let pages = count(store, "PRAGMA page_count").await.unwrap();
    // The size limit of the file stands in for the disk: SQLite answers both with SQLITE_FULL.
    let limit = move |pages: i64| {
        store.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { tx.query(&format!("PRAGMA max_page_count = {pages}"), &[]).await })
        })
    };
    limit(pages + 2).await.unwrap();
    let big = run(store, "INSERT INTO note VALUES (2, hex(zeroblob(100000)))");
    let answers = in_one_batch(store, vec![Box::pin(note(store, 3)), Box::pin(big), Box::pin(note(store, 4))]).await;
    assert_eq!(answers[1], Err(StoreError::Full));
    let acknowledged = answers.iter().filter(|answer| answer.is_ok()).count() as i64;
    assert_eq!(bench.notes_on_disk(), 1 + acknowledged);

    limit(1_000_000).await.unwrap();
    assert_eq!(note(store, 2).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_of_a_write_before_it_is_committed() {
    let bench = Bench::new().await;
    let (entered, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let gate = Arc::new(Barrier::new(2));
    let store = &bench.store;
    let mut holding = pin!(hold_writer(store, Arc::clone(&gate)));
    start(holding.as_mut()).await;
    let mut first = pin!(note(store, 1));
    start(first.as_mut()).await;
    let (inside, outside) = (Arc::clone(&entered), Arc::clone(&leave));
    let mut second = pin!(store.write::<_, StoreError, _>(move |_| {
        inside.wait();
        outside.wait();
        Box::pin(async { Ok(()) })
    }));
    start(second.as_mut()).await;
    gate.wait();
    entered.wait();
    // The first body has run and the second is running: same batch, no commit yet.
    start(first.as_mut()).await;
    assert_eq!((notes(store).await, bench.notes_on_disk()), (0, 0));
    leave.wait();
    assert_eq!(first.await, Ok(1));
    assert_eq!((notes(store).await, bench.notes_on_disk()), (1, 1));
    second.await.unwrap();
    holding.await.unwrap();
}

#[tokio::test]
async fn a_write_whose_caller_went_away_is_made_all_the_same() {
    let bench = Bench::new().await;
    let gate = Arc::new(Barrier::new(2));
    let mut holding = pin!(hold_writer(&bench.store, Arc::clone(&gate)));
    start(holding.as_mut()).await;
    {
        let mut cancelled = pin!(note(&bench.store, 7));
        start(cancelled.as_mut()).await;
    }
    gate.wait();
    holding.await.unwrap();
    run(&bench.store, "DELETE FROM meta").await.unwrap();
    assert_eq!(count(&bench.store, "SELECT id FROM note").await, Ok(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_one_snapshot_from_beginning_to_end() {
    let bench = Bench::new().await;
    note(&bench.store, 1).await.unwrap();
    let (looked, written) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (look, wait) = (Arc::clone(&looked), Arc::clone(&written));
    let store = bench.store.clone();
    let reading = tokio::spawn(async move {
        store
            .read::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    let before = tx.query_one("SELECT COUNT(*) FROM note", &[]).await?.int(0)?;
                    look.wait();
                    wait.wait();
                    Ok((before, tx.query_one("SELECT COUNT(*) FROM note", &[]).await?.int(0)?))
                })
            })
            .await
    });
    looked.wait();
    note(&bench.store, 2).await.unwrap();
    written.wait();
    assert_eq!(reading.await.unwrap(), Ok((1, 1)));
    assert_eq!(notes(&bench.store).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_never_sees_half_a_write() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let writing = join_all((0..200).map(|id| {
        store.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                tx.execute("INSERT INTO note VALUES (?1, 'a')", params![2 * id]).await?;
                tx.execute("INSERT INTO note VALUES (?1, 'b')", params![2 * id + 1]).await
            })
        })
    }));
    let looking = join_all((0..200).map(|_| notes(store)));
    let (written, seen) = tokio::join!(writing, looking);
    assert!(written.iter().all(Result::is_ok));
    assert!(seen.iter().all(|n| n % 2 == 0), "{seen:?}");
    assert_eq!(notes(store).await, 400);
}

#[tokio::test]
async fn a_reading_body_cannot_write() {
    let bench = Bench::new().await;
    for store in [bench.store.clone(), Store::in_memory().unwrap()] {
        let tried = store.read::<u64, StoreError, _>(|tx| tx.execute("DELETE FROM meta", &[])).await;
        assert!(matches!(tried, Err(StoreError::Driver { .. })), "{tried:?}");
        assert_eq!(run(&store, "DELETE FROM meta").await, Ok(0));
    }
}

#[tokio::test]
async fn a_body_that_waits_for_something_else_is_a_programming_error_and_undone() {
    let store = Store::in_memory().unwrap();
    let waits = store.write::<(), StoreError, _>(|tx| {
        Box::pin(async move {
            tx.execute("INSERT INTO meta VALUES ('a', 'b')", &[]).await?;
            tokio::task::yield_now().await;
            Ok(())
        })
    });
    assert!(matches!(waits.await, Err(StoreError::Panicked { .. })));
    assert_eq!(count(&store, "SELECT COUNT(*) FROM meta").await, Ok(0));
}

#[tokio::test]
async fn a_body_that_ends_its_own_transaction_is_not_acknowledged() {
    let bench = Bench::new().await;
    assert!(matches!(run(&bench.store, "ROLLBACK").await, Err(StoreError::Driver { .. })));
    assert_eq!(note(&bench.store, 1).await, Ok(1));
}

#[test]
fn in_memory_every_call_is_done_at_its_first_poll() {
    let store = Store::in_memory().unwrap();
    assert_eq!(run(&store, "INSERT INTO meta VALUES ('a', 'b')").now_or_never(), Some(Ok(1)));
    assert_eq!(count(&store, "SELECT COUNT(*) FROM meta").now_or_never(), Some(Ok(1)));
}

#[test]
fn a_file_without_threads_works_like_one_with_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let inline = Store::open(&path, &Options { inline: true, ..Options::default() }).unwrap();
    assert_eq!(inline.write_blocking(|tx| tx.execute("INSERT INTO meta VALUES ('a', 'b')", &[])), Ok(1));
    inline.close_blocking().unwrap();

    let threads = Store::open(&path, &Options { create: false, ..Options::default() }).unwrap();
    let value = threads.read_blocking(|tx| {
        Box::pin(async move { Ok(tx.query_one("SELECT value FROM meta", &[]).await?.text(0)?.to_owned()) })
    });
    assert_eq!(value, Ok::<_, StoreError>("b".to_owned()));
}

#[tokio::test]
async fn closing_finishes_the_queue_empties_the_log_and_turns_later_calls_away() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let gate = Arc::new(Barrier::new(2));
    let mut holding = pin!(hold_writer(store, Arc::clone(&gate)));
    start(holding.as_mut()).await;
    let mut queued = pin!(note(store, 1));
    start(queued.as_mut()).await;
    gate.wait();
    assert_eq!(store.close().await, Ok(()));
    assert_eq!(queued.await, Ok(1));
    holding.await.unwrap();

    let log = bench.folder.path().join("xunge.db-wal");
    assert!(!log.exists() || log.metadata().unwrap().len() == 0);
    assert_eq!(bench.notes_on_disk(), 1);
    assert_eq!(note(store, 2).await, Err(StoreError::Closed));
    assert_eq!(count(store, "SELECT 1").await, Err(StoreError::Closed));
    assert_eq!(store.close().await, Err(StoreError::Closed));
}

#[test]
fn a_missing_file_is_only_created_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    let opened = Store::open(&path, &Options { create: false, ..Options::default() });
    assert!(matches!(opened, Err(StoreError::Missing { .. })));
    assert!(!path.exists());
}

#[tokio::test]
async fn one_row_means_exactly_one_row() {
    let store = Store::in_memory().unwrap();
    let ask = |sql: &'static str| {
        store.read::<_, StoreError, _>(move |tx| Box::pin(async move { tx.query_opt(sql, &[]).await }))
    };
    assert_eq!(ask("SELECT 1 WHERE 1 = 0").await, Ok(None));
    assert_eq!(ask("SELECT 1 UNION SELECT 2").await, Err(StoreError::RowCount { found: 2 }));
    assert_eq!(count(&store, "SELECT 1 WHERE 1 = 0").await, Err(StoreError::RowCount { found: 0 }));
    assert_eq!(count(&store, "SELECT 1 UNION SELECT 2").await, Err(StoreError::RowCount { found: 2 }));
}

#[tokio::test]
async fn each_kind_of_refusal_has_its_own_name() {
    let store = Store::in_memory().unwrap();
    run(&store, "INSERT INTO meta VALUES ('a', 'b')").await.unwrap();
    assert_eq!(
        run(&store, "INSERT INTO meta VALUES ('a', 'c')").await,
        Err(StoreError::Unique { what: "meta.key".into() })
    );
    assert_eq!(run(&store, "INSERT INTO user_grid VALUES ('nobody', 'g')").await, Err(StoreError::ForeignKey));
    for broken in [
        "INSERT INTO meta VALUES ('x', NULL)",
        "INSERT INTO series VALUES ('x', 'not a number')",
        "INSERT INTO feed_head VALUES ('640105', 1, x'00')",
    ] {
        assert!(matches!(run(&store, broken).await, Err(StoreError::Check { .. })), "{broken}");
    }
    let damaged = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(damaged.path(), [0x55; 8192]).unwrap();
    assert!(matches!(Store::open(damaged.path(), &Options::default()), Err(StoreError::Corrupt { .. })));
}

#[tokio::test]
async fn the_ledger_the_feed_and_the_audit_cannot_be_rewritten() {
    let store = Store::in_memory().unwrap();
    for (table, insert) in [
        (
            "feed",
            "INSERT INTO feed VALUES ('640105', 1, x'00', 'ledger', 1, NULL, NULL, NULL, zeroblob(32), zeroblob(32))",
        ),
        ("audit", "INSERT INTO audit VALUES (1, 0, 'a', 'login', 's', '', zeroblob(32), zeroblob(32))"),
        (
            "case_event",
            "INSERT INTO case_event VALUES (zeroblob(16), 1, '640105', 'submit', 'a', 'inspector', NULL, 0, NULL,
             'reported', '{}', x'', zeroblob(32), zeroblob(32))",
        ),
    ] {
        if table == "case_event" {
            run(
                &store,
                "INSERT INTO case_row (id, district, state, version, mode_claim, category, category_claim, unit, office,
                 street, community, grid, reporter, source, received_at, received_day, heads, text, updated_at,
                 event_hash, ledger) VALUES (zeroblob(16), '640105', 'reported', 1, 'forwarded', '', '', '', '', '', '',
                 '', '', '', 0, '', x'', '', 0, zeroblob(32), '{}')",
            )
            .await
            .unwrap();
        }
        run(&store, insert).await.unwrap();
        let replace: &'static str = insert.replacen("INSERT", "INSERT OR REPLACE", 1).leak();
        let update: &'static str = format!("UPDATE {table} SET hash = zeroblob(32)").leak();
        let delete: &'static str = format!("DELETE FROM {table}").leak();
        for forbidden in [update, delete, replace] {
            let answer = run(&store, forbidden).await;
            assert_eq!(answer, Err(StoreError::AppendOnly { what: format!("{table} is append-only") }), "{forbidden}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_during_writes_is_whole_and_opens() {
    let bench = Bench::new().await;
    let store = &bench.store;
    note(store, -1).await.unwrap();
    let to = bench.folder.path().join("copy.db");
    let (copying, path) = (store.clone(), to.clone());
    let backup = tokio::task::spawn_blocking(move || copying.backup_blocking(&path));
    let pairs = join_all((0..100).map(|id| {
        store.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                tx.execute("INSERT INTO note VALUES (?1, 'a')", params![2 * id]).await?;
                tx.execute("INSERT INTO note VALUES (?1, 'b')", params![2 * id + 1]).await
            })
        })
    }));
    let (done, written) = tokio::join!(backup, pairs);
    done.unwrap().unwrap();
    assert!(written.iter().all(Result::is_ok));

    let copy = Store::open(&to, &Options { create: false, ..Options::default() }).unwrap();
    assert_eq!(notes(&copy).await % 2, 1, "the first note and whole pairs");
    let sound = tokio::task::spawn_blocking(move || copy.integrity_blocking()).await.unwrap();
    assert_eq!(sound, Ok(vec![]));
}

#[test]
fn a_backup_never_overwrites_a_file() {
    let store = Store::in_memory().unwrap();
    let taken = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(store.backup_blocking(taken.path()), Err(StoreError::Unique { .. })));
    assert_eq!(taken.as_file().metadata().unwrap().len(), 0);
}

#[test]
fn a_backup_that_was_interrupted_is_no_backup_and_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (to, part) = (folder.path().join("copy.db"), folder.path().join("copy.db.part"));
    std::fs::write(&part, "half of an older copy").unwrap();
    Store::in_memory().unwrap().backup_blocking(&to).unwrap();
    assert!(to.exists() && !part.exists());
    Store::open(&to, &Options { create: false, inline: true, ..Options::default() }).unwrap();
}

#[test]
fn damaged_pages_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let options = Options { inline: true, ..Options::default() };
    let store = Store::open(&path, &options).unwrap();
    store
        .write_blocking::<_, StoreError, _>(|tx| {
            Box::pin(async move {
                tx.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)", &[]).await?;
                for id in 0..1000 {
                    tx.execute("INSERT INTO note VALUES (?1, '路面破损')", params![id]).await?;
                }
                Ok(())
            })
        })
        .unwrap();
    assert_eq!(store.integrity_blocking(), Ok(vec![]));
    store.close_blocking().unwrap();

    let mut bytes = std::fs::read(&path).unwrap();
    let last_page = bytes.len() - 4096;
    bytes[last_page..last_page + 64].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let damaged = Store::open(&path, &options).unwrap();
    let found = damaged.integrity_blocking();
    assert!(matches!(&found, Ok(lines) if !lines.is_empty()) || matches!(found, Err(StoreError::Corrupt { .. })));
}
