//! Databases from before a column or an index row was kept get them once, when they are opened.
//!
//! The migration that adds them can not fill them: the words of a case are in its field document. It leaves a mark where
//! there are cases; this goes through them in small transactions, notes how far it came, and takes the mark away. Killed
//! in between, it goes on at the next start.

use xunge_client_core::model::{CaseId, Millis};

use super::search;
use crate::domain::ledger::row::{self, Facts};
use crate::domain::{clocks, facts};
use crate::params;
use crate::store::{Store, StoreError, Tx};

/// The mark in `meta`: the id up to which cases are done, in hex.
const MARK: &str = "search_filled_to";
/// Cases of one transaction: well under a second.
const CASES: i64 = 200;

/// Fills what is missing; returns at once where nothing is. Blocks for the time it takes.
pub fn fill_blocking(store: &Store) -> Result<(), StoreError> {
    while store.write_blocking::<_, StoreError, _>(|tx| Box::pin(some(tx)))? {}
    Ok(())
}

/// Fills some cases; false if there was nothing to do.
async fn some(tx: &mut dyn Tx) -> Result<bool, StoreError> {
    let Some(mark) = tx.query_opt("SELECT value FROM meta WHERE key = ?1", params![MARK]).await? else {
        return Ok(false);
    };
    let done = hex::decode(mark.text(0)?).map_err(|_| StoreError::Check { what: format!("meta.{MARK}") })?;
    let sql =
        "SELECT id, ledger, received_at, case_no, heads, ordinal FROM case_row WHERE id > ?1 ORDER BY id LIMIT ?2";
    let rows = tx.query(sql, params![done, CASES]).await?;
    let Some(last) = rows.last() else {
        tx.execute("DELETE FROM meta WHERE key = ?1", params![MARK]).await?;
        return Ok(true);
    };
    let last: [u8; 16] = last.array(0)?;
    for row in &rows {
        let id = CaseId::from_bytes(row.array(0)?);
        let ledger = row::ledger(row.text(1)?)?;
        let (shown, _) = facts::shown(tx, id, &ledger).await?;
        let Facts { text, point, .. } = Facts::of(row::heads(row.blob(4)?)?, &shown);
        // Where only the index is made anew, cases keep their places.
        let ordinal = match row.opt_int(5)? {
            Some(ordinal) => ordinal,
            None => search::next_ordinal(tx, Millis(row.int(2)?)).await?,
        };
        let deadline = clocks::running_deadline(&ledger).map(|at| at.0);
        tx.execute(
            "UPDATE case_row SET text = ?2, ordinal = ?3, deadline_at = ?4, lon_e6 = ?5, lat_e6 = ?6 WHERE id = ?1",
            params![
                id.as_bytes(),
                &text,
                ordinal,
                deadline,
                point.map(|point| point.lon_e6),
                point.map(|point| point.lat_e6),
            ],
        )
        .await?;
        let grams = search::of_case(&text, row.opt_text(3)?);
        search::replace(tx, ordinal, &Default::default(), &grams).await?;
    }
    tx.execute("UPDATE meta SET value = ?2 WHERE key = ?1", params![MARK, hex::encode(last)]).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use xunge_client_core::doc::Edit;
    use xunge_client_core::model::{Facts, Mode, Remark, Ulid};
    use xunge_client_core::workflow::{Payload, Verb};

    use super::*;
    use crate::testing::{District, facts};

    #[tokio::test]
    async fn an_index_that_is_made_anew_leaves_every_case_in_its_place() {
        let district = District::new().await;
        let user = district.inspectors().await.remove(0);
        let mut phone = district.phone(&user).await;
        for number in 0..20 {
            phone.report(&facts(number, Mode::SelfHandled, district.now()));
        }
        phone.drain(&district).await;
        let sql = "SELECT id, ordinal FROM case_row ORDER BY id";
        let before = district.rows(sql).await;
        for sql in ["DELETE FROM case_gram", "INSERT INTO meta (key, value) VALUES ('search_filled_to', '')"] {
            district.run(sql, Vec::new()).await;
        }
        fill_blocking(&district.desk.services.store.clone()).unwrap();
        assert_eq!(district.rows(sql).await, before);
        let report = district.verify().await;
        assert!(report.ok, "{:?}", report.differences);
    }

    #[tokio::test]
    async fn a_database_from_before_is_filled_once_and_then_verifies() {
        let district = District::new().await;
        let user = district.inspectors().await.remove(0);
        let mut phone = district.phone(&user).await;
        let mut cases = Vec::new();
        for number in 0..CASES as u64 + 3 {
            cases.push(phone.report(&facts(number, Mode::Forwarded, district.now())));
            if number % 90 == 89 {
                phone.drain(&district).await;
                district.advance_days(1);
            }
        }
        phone.drain(&district).await;
        let remark = Remark { text: "已联系 Property 物业".into(), at: district.now() };
        phone.edit(cases[0], &[Edit::AddRemark(Facts::remark_key(Ulid::from_parts(district.now(), [1; 10])), remark)]);
        phone.drain(&district).await;
        let reviewer = district.reviewer_of(cases[1]).await;
        let file = Payload { mode: Some(Mode::Forwarded), ..Payload::default() };
        district.act(&reviewer, cases[1], Verb::File, file).await.unwrap();
        let before = district.rows("SELECT id, text FROM case_row ORDER BY id").await;
        for sql in [
            "UPDATE case_row SET ordinal = NULL, deadline_at = NULL, text = 'only the place'",
            "DELETE FROM case_gram",
            "INSERT INTO meta (key, value) VALUES ('search_filled_to', '')",
        ] {
            district.run(sql, Vec::new()).await;
        }
        let store = district.desk.services.store.clone();
        fill_blocking(&store).unwrap();
        assert_eq!(district.rows("SELECT id, text FROM case_row ORDER BY id").await, before);
        assert!(before.iter().any(|row| row.text(1).unwrap().ends_with("已联系 property 物业")));
        assert_eq!(district.rows("SELECT 1 FROM meta WHERE key = 'search_filled_to'").await.len(), 0);
        let report = district.verify().await;
        assert!(report.ok, "{:?}", report.differences);
    }
}
