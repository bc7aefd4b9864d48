//! Which working calendar and time limits are in force: the server's files, or the newest edition an administrator
//! put over them.
//!
//! Editions are only added. Going back to the file is an edition without a table. Everybody reads one copy in memory,
//! exchanged as a whole, so a case's clocks are never read by half of two tables.

use std::sync::{Arc, PoisonError, RwLock};

use xunge_client_core::model::{Millis, Sha256};

use super::audit;
use crate::params;
use crate::reference::timetable::{self, Timetable, TimetableError};
use crate::store::{StoreError, Tx};

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Holidays, and weekend days that are worked.
    Calendar,
    /// Time limits.
    Limits,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Calendar, Self::Limits];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Limits => "limits",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A table as text, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Name of the file it was read from or uploaded as.
    pub name: String,
    /// The CSV.
    pub text: String,
    /// Number, time and author of the edition; none for the server's file.
    pub edition: Option<(i64, Millis, String)>,
}

impl Source {
    /// A file of the server's.
    pub fn file(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), edition: None }
    }
}

/// What is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// As clocks are read by it.
    pub timetable: Timetable,
    /// Where the calendar is from.
    pub calendar: Source,
    /// Where the limits are from.
    pub limits: Source,
    /// Spans of a working day as the server's settings have them; empty for the built-in ones.
    pub hours: Vec<String>,
}

impl Default for InForce {
    /// The built-in ones.
    fn default() -> Self {
        let [calendar, limits] = [timetable::CALENDAR, timetable::LIMITS].map(|(name, text)| Source::file(name, text));
        Self::of(&[], calendar, limits).expect("a test reads the built-in tables")
    }
}

impl InForce {
    /// Reads both tables.
    ///
    /// # Errors
    /// [`TimetableError`], naming the table, the line and the reason.
    pub fn of(hours: &[String], calendar: Source, limits: Source) -> Result<Self, TimetableError> {
        let timetable =
            Timetable::of(hours, Some((&calendar.name, &calendar.text)), Some((&limits.name, &limits.text)))?;
        Ok(Self { timetable, calendar, limits, hours: hours.to_vec() })
    }

    /// The source of one table.
    pub fn source(&self, kind: Kind) -> &Source {
        match kind {
            Kind::Calendar => &self.calendar,
            Kind::Limits => &self.limits,
        }
    }

    /// The same with one table exchanged.
    ///
    /// # Errors
    /// As for [`InForce::of`].
    pub fn with(&self, kind: Kind, source: Source) -> Result<Self, TimetableError> {
        match kind {
            Kind::Calendar => Self::of(&self.hours, source, self.limits.clone()),
            Kind::Limits => Self::of(&self.hours, self.calendar.clone(), source),
        }
    }
}

/// What is in force, as everybody shares it.
#[derive(Clone, Debug)]
pub struct Timetables {
    /// The server's own files, to go back to.
    files: Arc<InForce>,
    current: Arc<RwLock<Arc<InForce>>>,
}

impl Timetables {
    /// The server's files, nothing over them yet.
    pub fn new(files: InForce) -> Self {
        let files = Arc::new(files);
        Self { current: Arc::new(RwLock::new(Arc::clone(&files))), files }
    }

    /// What is in force now.
    pub fn now(&self) -> Arc<InForce> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The server's own file.
    pub fn file(&self, kind: Kind) -> &Source {
        self.files.source(kind)
    }

    /// Exchanges what is in force.
    fn put(&self, next: InForce) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }

    /// Puts the newest editions over the files, at the start of the server and after a new one. One that can not be read
    /// any more is left out and said in the log: a server that does not start helps nobody.
    pub async fn load(&self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        for kind in Kind::ALL {
            let source = newest(tx, kind).await?.unwrap_or_else(|| self.file(kind).clone());
            let name = source.name.clone();
            match self.now().with(kind, source) {
                Ok(next) => self.put(next),
                Err(error) => {
                    tracing::error!(table = kind.code(), name, %error, "an edition is not used");
                }
            }
        }
        Ok(())
    }
}

/// The newest edition of a table; none if the server's file is in force.
async fn newest(tx: &mut dyn Tx, kind: Kind) -> Result<Option<Source>, StoreError> {
    let sql = "SELECT number, at, by_user, name, body FROM timetable_edition WHERE kind = ?1
        ORDER BY number DESC LIMIT 1";
    let Some(row) = tx.query_opt(sql, params![kind.code()]).await? else { return Ok(None) };
    let Some(text) = row.opt_text(4)? else { return Ok(None) };
    let edition = Some((row.int(0)?, Millis(row.int(1)?), row.text(2)?.to_owned()));
    Ok(Some(Source { name: row.text(3)?.to_owned(), text: text.to_owned(), edition }))
}

/// Writes an edition: a table, or none to go back to the server's file; who calls has checked that the table can be read.
pub async fn publish(
    tx: &mut dyn Tx,
    by: &str,
    kind: Kind,
    table: Option<&Source>,
    now: Millis,
) -> Result<(), StoreError> {
    let sql = "SELECT COALESCE(MAX(number), 0) FROM timetable_edition WHERE kind = ?1";
    let number = tx.query_one(sql, params![kind.code()]).await?.int(0)? + 1;
    tx.execute(
        "INSERT INTO timetable_edition (kind, number, name, body, by_user, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            kind.code(),
            number,
            table.map_or("", |table| table.name.as_str()),
            table.map(|table| table.text.as_str()),
            by,
            now.0
        ],
    )
    .await?;
    let detail = serde_json::json!({
        "number": number,
        "name": table.map(|table| &table.name),
        "sha256": table.map(|table| Sha256::of(table.text.as_bytes()).to_string()),
    });
    let (subject, detail) = (kind.code(), detail.to_string());
    audit::append(tx, &audit::Entry { at: now, actor: by, action: "timetable.published", subject, detail: &detail })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::District;

    fn limits(minutes: u32) -> Source {
        Source::file("limits.csv", &format!("clock,category,level,org,value,unit\nreview,,,,{minutes},minute\n"))
    }

    #[tokio::test]
    async fn an_edition_stays_in_force_over_a_restart_and_can_be_taken_back() {
        let district = District::new().await;
        let services = &district.desk.services;
        let publish = async |table: Option<Source>| {
            let write = services.store.write::<_, StoreError, _>(move |tx| {
                let table = table.clone();
                Box::pin(async move { publish(tx, "admin", Kind::Limits, table.as_ref(), Millis(3)).await })
            });
            write.await.unwrap()
        };
        let restarted = async || {
            let fresh = Timetables::new((*services.timetable.now()).clone());
            let loaded = fresh.clone();
            let read =
                services.store.read::<_, StoreError, _>(move |tx| Box::pin(async move { loaded.load(tx).await }));
            read.await.unwrap();
            fresh.now()
        };
        let before = restarted().await;
        assert_eq!(before.limits.edition, None);
        publish(Some(limits(10))).await;
        let after = restarted().await;
        assert_eq!(after.limits.edition, Some((1, Millis(3), "admin".to_owned())));
        assert_eq!(after.timetable.limits.rules().len(), 1);
        publish(Some(Source::file("broken.csv", "clock\nx"))).await;
        assert_eq!(restarted().await.limits, before.limits, "what can not be read is left out");
        publish(None).await;
        assert_eq!(restarted().await.timetable, before.timetable);
        let noted = district.rows("SELECT subject FROM audit WHERE action = 'timetable.published'").await;
        assert_eq!(noted.len(), 3);
    }
}
