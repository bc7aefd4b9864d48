//! Several writers at once: the centre's writer thread takes what all of them want into one transaction and one flush.
//!
//! A gate makes it repeat: the first body waits inside the writer until the others are queued, so that each batch has the
//! same bodies in the same order at every run. What each one wants is one thing of several rows, two phones of an inspector
//! or more, so that a part of it would show.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{join, join_all};
use xunge_client_core::model::Sha256;
use xunge_server::params;
use xunge_server::store::{BatchLimits, Options, StoreError, Tx};

use super::check;
use super::world::{Harm, Trouble, World, broken, inspector, told};
use crate::sim::centre::Centre;

/// Names of what is written at once begin with it, and with how many rows belong together.
const MARK: &str = "at once";
/// Rows of a body that fills several pages.
const MANY: usize = 24;

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// It writes so many rows.
    Writes(usize),
    /// It writes and then refuses.
    Refuses,
    /// It writes, and a rule of the schema stops it.
    Collides,
}

/// The bodies of a batch: the first of one has its transaction to itself, so it comes in both kinds.
pub(super) const BATCHES: [&[Body]; 3] = [
    &[Body::Writes(2), Body::Refuses, Body::Writes(2), Body::Collides, Body::Writes(MANY), Body::Writes(3)],
    &[Body::Refuses, Body::Writes(2), Body::Writes(MANY), Body::Refuses],
    &[Body::Collides, Body::Writes(MANY), Body::Collides, Body::Writes(2), Body::Writes(2)],
];

/// The centre of these stories: threads as in service, and batches that only end when nothing more waits.
pub(super) fn threads() -> Options {
    let batch = BatchLimits { writes: 64, work: Duration::from_secs(3_600) };
    Options { readers: 1, batch, ..Options::default() }
}

type Gate = Arc<Mutex<Receiver<()>>>;

/// What one writer wants, under a name that tells how many rows it has.
#[derive(Clone, Debug)]
struct Wish {
    name: String,
    body: Body,
}

impl Wish {
    fn new(batch: usize, index: usize, body: Body) -> Self {
        let rows = if let Body::Writes(rows) = body { rows } else { 0 };
        Self { name: format!("{MARK} {rows} {batch}-{index}"), body }
    }

    /// The ids of its rows.
    fn ids(&self) -> Vec<[u8; 16]> {
        let rows = if let Body::Writes(rows) = self.body { rows } else { 2 };
        let id =
            |row| *Sha256::of(format!("{} {row}", self.name).as_bytes()).as_bytes().first_chunk().expect("32 bytes");
        (0..rows).map(id).collect()
    }

    async fn write(self, tx: &mut dyn Tx, user: String) -> Result<(), StoreError> {
        let sql = "INSERT INTO device (id, user_id, public_key, counter_window, name, enrolled_at)
            VALUES (?1, ?2, ?3, ?4, ?5, 0)";
        let mut ids = self.ids();
        if self.body == Body::Collides {
            ids.push(ids[0]);
        }
        for id in ids {
            let window = [7; 512];
            tx.execute(sql, params![id, &user, [0u8; 32], window, &self.name]).await?;
        }
        match self.body {
            Body::Refuses => Err(StoreError::RowCount { found: 0 }),
            _ => Ok(()),
        }
    }
}

impl World<'_> {
    /// Several offices write in the same moment; what of it is there already they do not want again.
    pub(super) fn write_at_once(&mut self, batch: usize) -> Result<(), Trouble> {
        let centre = self.centre()?;
        let there = names(centre);
        let wishes = BATCHES[batch].iter().enumerate().map(|(index, body)| Wish::new(batch, index, *body));
        let wishes: Vec<Wish> = wishes.filter(|wish| !there.contains(&wish.name)).collect();
        let before = centre.store().stats();
        let answers = at_once(centre, &wishes);
        let after = centre.store().stats();
        let written = names(centre);
        let mut failed = None;
        for (wish, answer) in wishes.iter().zip(&answers) {
            match (wish.body, answer) {
                (Body::Writes(_), Ok(())) if written.contains(&wish.name) => {}
                (Body::Writes(_), Ok(())) => return Err(broken(Harm::Lost, format!("{} was acknowledged", wish.name))),
                (_, Ok(())) => return Err(broken(Harm::Other, format!("{wish:?} was acknowledged"))),
                (Body::Refuses, Err(StoreError::RowCount { .. }))
                | (Body::Collides, Err(StoreError::Unique { .. })) => {}
                (_, Err(error)) => failed = Some(error.clone()),
            }
        }
        // Whatever was acknowledged is promised, also if others of the batch heard of a failure.
        self.hold()?;
        if let Some(error) = failed {
            return Err(told(error));
        }
        let one = (after.batches - before.batches, after.writes - before.writes) == (1, wishes.len() as u64);
        if one { Ok(()) } else { Err(broken(Harm::Other, format!("not one batch: {before:?}, then {after:?}"))) }
    }
}

/// Queues all of them while the writer is held up, then lets it go on; gives their answers.
fn at_once(centre: &Centre, wishes: &[Wish]) -> Vec<Result<(), StoreError>> {
    let (open, gate) = channel();
    let gate: Gate = Arc::new(Mutex::new(gate));
    let jobs = wishes.iter().cloned().enumerate().map(|(index, wish)| {
        let (user, gate) = (inspector().user, (index == 0).then(|| gate.clone()));
        centre.store().write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                if let Some(gate) = gate {
                    gate.lock().expect("only the first body waits").recv().expect("it is opened");
                }
                wish.write(tx, user).await
            })
        })
    });
    // Polled in order, each job is queued when the gate is opened.
    let (jobs, opens) = (join_all(jobs), async { open.send(()).expect("the gate outlives the batch") });
    centre.wait(async { join(jobs, opens).await.0 })
}

fn names(centre: &Centre) -> BTreeSet<String> {
    centre
        .rows("SELECT DISTINCT name FROM device", Vec::new())
        .iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .collect()
}

/// Nothing of what is written at once is there by a part, nor if its writer was told no.
pub(super) fn are_whole(centre: &Centre) -> Result<(), Trouble> {
    for row in centre.rows("SELECT name, COUNT(*) FROM device GROUP BY name", Vec::new()) {
        let (name, found) = (row.text(0).unwrap(), row.int(1).unwrap());
        let Some(rest) = name.strip_prefix(MARK) else { continue };
        let rows: i64 = rest.split(' ').nth(1).and_then(|rows| rows.parse().ok()).expect("a name of ours");
        check::hold(found == rows, Harm::Corrupt, || format!("`{name}`: {found} rows instead of {rows}"))?;
    }
    Ok(())
}
