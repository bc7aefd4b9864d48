//! The index of pairs: each case has exactly the rows that its text and number give, and a place that fits its time.
//!
//! There are fifty rows to a case, so they are not compared one by one: each pair has a count and a sum of its cases on
//! both sides, and only where those differ its cases are gone through and named.

use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::model::CaseId;

use super::Report;
use crate::domain::cases::search;
use crate::params;
use crate::store::{StoreError, Tx};

/// Rows read at once.
const PAGE: i64 = 10_000;

/// How many cases have a pair, and a sum that tells sets of equal size apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    cases: u64,
    sum: u64,
}

impl Tally {
    fn add(&mut self, ordinal: i64) {
        // splitmix64: neighbouring ordinals share no bits in the sum.
        let mut z = (ordinal as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.cases += 1;
        self.sum = self.sum.wrapping_add(z ^ (z >> 31));
    }
}

/// What a case is found by.
struct Searched {
    id: CaseId,
    ordinal: i64,
    grams: BTreeSet<String>,
}

pub(super) async fn check(tx: &mut dyn Tx, report: &mut Report) -> Result<(), StoreError> {
    let mut expected: BTreeMap<String, Tally> = BTreeMap::new();
    let mut after = Vec::new();
    while let Some(page) = cases(tx, report, &mut after, true).await? {
        for case in page {
            for gram in case.grams {
                expected.entry(gram).or_default().add(case.ordinal);
            }
        }
    }
    let mut wrong = BTreeSet::new();
    let found = rows(tx, report).await?;
    for gram in expected.keys().chain(found.keys()) {
        if expected.get(gram) != found.get(gram) {
            wrong.insert(gram.clone());
        }
    }
    if wrong.is_empty() { Ok(()) } else { name(tx, report, &wrong).await }
}

/// The next cases behind `after`; none at the end. With `told`, says what is wrong with their place.
async fn cases(
    tx: &mut dyn Tx,
    report: &mut Report,
    after: &mut Vec<u8>,
    told: bool,
) -> Result<Option<Vec<Searched>>, StoreError> {
    let sql = "SELECT id, ordinal, text, case_no, received_at FROM case_row WHERE id > ?1 ORDER BY id LIMIT 1000";
    let rows = tx.query(sql, params![&*after]).await?;
    let Some(last) = rows.last() else { return Ok(None) };
    *after = last.blob(0)?.to_vec();
    let mut page = Vec::with_capacity(rows.len());
    for row in &rows {
        let id = CaseId::from_bytes(row.array(0)?);
        let read = || Ok((row.opt_int(1)?, row.text(2)?, row.opt_text(3)?, row.int(4)?));
        let (ordinal, text, case_no, at) = match read() {
            Ok(read) => read,
            // Named where the row is compared with its events.
            Err(StoreError::Column { .. }) => continue,
            Err(failed) => return Err(failed),
        };
        let placed = ordinal.filter(|ordinal| search::fits(*ordinal, at));
        match placed {
            Some(ordinal) => page.push(Searched { id, ordinal, grams: search::of_case(text, case_no) }),
            None if told => {
                let found = ordinal.map_or("none".to_owned(), |ordinal| ordinal.to_string());
                report.differs("case_row", format!("case {id} ordinal"), "one of its time of receipt", found);
            }
            None => {}
        }
    }
    Ok(Some(page))
}

/// What the index says of each pair.
async fn rows(tx: &mut dyn Tx, report: &mut Report) -> Result<BTreeMap<String, Tally>, StoreError> {
    let sql = "SELECT gram, ordinal FROM case_gram WHERE (gram, ordinal) > (?1, ?2) ORDER BY gram, ordinal LIMIT ?3";
    let mut found: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut gram, mut ordinal) = (String::new(), i64::MIN);
    loop {
        let rows = tx.query(sql, params![&gram, ordinal, PAGE]).await?;
        report.counted("grams", rows.len() as u64);
        for row in &rows {
            found.entry(row.text(0)?.to_owned()).or_default().add(row.int(1)?);
        }
        let Some(last) = rows.last() else { return Ok(found) };
        (gram, ordinal) = (last.text(0)?.to_owned(), last.int(1)?);
    }
}

/// Names the cases that lack one of these pairs, and those that have one too many.
async fn name(tx: &mut dyn Tx, report: &mut Report, wrong: &BTreeSet<String>) -> Result<(), StoreError> {
    let mut surplus: BTreeSet<(String, i64)> = BTreeSet::new();
    for gram in wrong {
        for row in tx.query("SELECT ordinal FROM case_gram WHERE gram = ?1", params![gram]).await? {
            surplus.insert((gram.clone(), row.int(0)?));
        }
    }
    let mut after = Vec::new();
    while let Some(page) = cases(tx, report, &mut after, false).await? {
        for case in page {
            for gram in case.grams.into_iter().filter(|gram| wrong.contains(gram)) {
                let subject = format!("case {} {gram}", case.id);
                if !surplus.remove(&(gram, case.ordinal)) {
                    report.differs("gram", subject, "a row", "none");
                }
            }
        }
    }
    for (gram, ordinal) in surplus {
        let sql = "SELECT id FROM case_row WHERE ordinal = ?1";
        let case = tx.query_opt(sql, params![ordinal]).await?;
        let case = case.map(|row| row.array(0)).transpose()?.map(|id| CaseId::from_bytes(id).to_string());
        let subject = format!("case {} {gram}", case.unwrap_or_else(|| format!("with ordinal {ordinal}")));
        report.differs("gram", subject, "no row", "a row");
    }
    Ok(())
}
