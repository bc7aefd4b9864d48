//! The link, the inspector's rules for photos, and what the month has used of its budget.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use rusqlite::{OptionalExtension, Transaction};

use super::{Store, StoreError, photos};
use crate::model::{LocalMonth, Millis};
use crate::sync::{DataPlan, DataRules, Leave, Link};

/// Bytes of mobile data that no transaction has written down yet, by month.
pub(super) type Uncounted = BTreeMap<LocalMonth, u64>;

impl Store {
    /// Link, rules and use of the month of `now`.
    pub fn data_plan(&self, now: Millis) -> Result<DataPlan, StoreError> {
        self.read(|tx| self.plan(tx, now))
    }

    /// Notes what the app says of the link; true if that is news.
    pub fn set_link(&self, link: Link) -> Result<bool, StoreError> {
        let known: String =
            self.read(|tx| Ok::<_, StoreError>(tx.query_row("SELECT link FROM phone", [], |row| row.get(0))?))?;
        if known == link.code() {
            return Ok(false);
        }
        self.write(|tx| Ok::<_, StoreError>(tx.execute("UPDATE phone SET link = ?1", [link.code()])?))?;
        Ok(true)
    }

    /// Notes the inspector's rules.
    pub fn set_data_rules(&self, rules: &DataRules) -> Result<(), StoreError> {
        let json = serde_json::to_string(rules)?;
        self.write(|tx| Ok(tx.execute("UPDATE phone SET data_rules = ?1", [json]).map(drop)?))
    }

    /// Counts bytes that went over a link paid by the byte. They are written with the next thing that is written
    /// anyway: a flush of its own for each request would cost more than the crash that loses a request's bytes.
    pub fn count_mobile_data(&self, now: Millis, bytes: u64) {
        *self.uncounted().entry(now.local_day().month()).or_default() += bytes;
    }

    /// Why photos of submitted cases wait, if their rules hold them back on this link.
    pub fn photos_held(&self, now: Millis) -> Result<Option<Leave>, StoreError> {
        self.read(|tx| photos::held(tx, &self.plan(tx, now)?))
    }

    pub(super) fn plan(&self, tx: &Transaction<'_>, now: Millis) -> Result<DataPlan, StoreError> {
        let mut statement = tx.prepare_cached("SELECT link, data_rules FROM phone")?;
        let (link, rules): (String, String) = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let month = now.local_day().month();
        let mut statement = tx.prepare_cached("SELECT bytes FROM mobile_data WHERE month = ?1")?;
        let written: Option<i64> = statement.query_row([month.to_string()], |row| row.get(0)).optional()?;
        let used = written.unwrap_or(0).unsigned_abs() + self.uncounted().get(&month).copied().unwrap_or(0);
        let rules: DataRules = serde_json::from_str(&rules)?;
        Ok(DataPlan { link: Link::from_code(&link).unwrap_or_default(), rules, used })
    }

    /// A transaction that also writes down what was counted since the last one; what is rolled back stays counted.
    pub(super) fn write_with_mobile_data<T>(
        &self,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut counted = Uncounted::new();
        let done = self.write(|tx| {
            counted = std::mem::take(&mut *self.uncounted());
            write_mobile_data(tx, &counted)?;
            body(tx)
        });
        if done.is_err() {
            let mut uncounted = self.uncounted();
            counted.into_iter().for_each(|(month, bytes)| *uncounted.entry(month).or_default() += bytes);
        }
        done
    }

    fn uncounted(&self) -> std::sync::MutexGuard<'_, Uncounted> {
        self.uncounted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_mobile_data(tx: &Transaction<'_>, counted: &Uncounted) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO mobile_data (month, bytes) VALUES (?1, ?2) \
                       ON CONFLICT (month) DO UPDATE SET bytes = bytes + excluded.bytes";
    for (month, bytes) in counted {
        let bytes = i64::try_from(*bytes).unwrap_or(i64::MAX);
        tx.prepare_cached(SQL)?.execute((month.to_string(), bytes))?;
    }
    Ok(())
}
