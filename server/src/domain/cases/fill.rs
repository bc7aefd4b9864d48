//! Databases from before a column or an index row was kept get them once, when they are opened.
//!
//! The migration that adds them can not fill them: the words of a case are in its field document. It leaves a mark where
//! there are cases; this goes through them in small transactions, notes how far it came, and takes the mark away. Killed
//! in between, it goes on at the next start. Open appeals have a mark of their own: they are few, and looking for them
//! leaves the index of words alone.

use xunge_client_core::model::{CaseId, Millis};

use super::search;
use crate::domain::ledger::row::{self, Facts};
use crate::domain::{clocks, facts};
use crate::params;
use crate::store::{Store, StoreError, Tx};

/// The mark in `meta`: the id up to which cases are done, in hex.
const MARK: &str = "search_filled_to";
/// The mark in `meta` while open appeals are to be looked for.
const APPEALS: &str = "appeals_to_fill";
/// Cases of one transaction: well under a second.
const CASES: i64 = 200;

/// Fills what is missing; returns at once where nothing is. Blocks for the time it takes.
pub fn fill_blocking(store: &Store) -> Result<(), StoreError> {
    while store.write_blocking::<_, StoreError, _>(|tx| Box::pin(some(tx)))? {}
    while store.write_blocking::<_, StoreError, _>(|tx| Box::pin(some_appeals(tx)))? {}
    Ok(())
}

/// Fills some open appeals; false if there was nothing to do.
async fn some_appeals(tx: &mut dyn Tx) -> Result<bool, StoreError> {
    if tx.query_opt("SELECT value FROM meta WHERE key = ?1", params![APPEALS]).await?.is_none() {
        return Ok(false);
    }
    // Quotes inside words are escaped in JSON, so no words anybody typed look like this.
    let sql = "SELECT id, ledger FROM case_row WHERE appealed_at IS NULL AND ledger LIKE '%\"appeal\":{%' LIMIT ?1";
    let rows = tx.query(sql, params![CASES]).await?;
    for row in &rows {
        let appeal = row::ledger(row.text(1)?)?.appeal;
        let missing = || StoreError::Check { what: "case_row.ledger: no appeal".to_owned() };
        let at = appeal.ok_or_else(missing)?.at.0;
        let sql = "UPDATE case_row SET appealed_at = ?2 WHERE id = ?1";
        tx.execute(sql, params![row.blob(0)?, at]).await?;
    }
    if rows.len() < CASES as usize {
        tx.execute("DELETE FROM meta WHERE key = ?1", params![APPEALS]).await?;
    }
    Ok(true)
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
    async fn open_appeals_from_before_are_found_once_and_others_are_not() {
        let district = District::new().await;
        let user = district.inspectors().await.remove(0);
        let mut phone = district.phone(&user).await;
        let cases: Vec<CaseId> =
            (0..3).map(|number| phone.report(&facts(number, Mode::Forwarded, district.now()))).collect();
        phone.drain(&district).await;
        let reviewer = district.reviewer_of(cases[0]).await;
        for (case, words) in cases.iter().zip(["重复", "误报", "写着 \"appeal\":{ 的一件"]) {
            let void = Payload { reason: Some("other".into()), text: Some(words.to_owned()), ..Payload::default() };
            district.act(&reviewer, *case, Verb::Void, void).await.unwrap();
        }
        district.desk.services.business.advance(1_000);
        let object = Payload { text: Some("照片已补拍".into()), ..Payload::default() };
        district.act(&user, cases[1], Verb::Appeal, object).await.unwrap();
        let sql = "SELECT id, appealed_at FROM case_row WHERE appealed_at IS NOT NULL";
        let before = district.rows(sql).await;
        assert_eq!(before.len(), 1);
        for sql in
            ["UPDATE case_row SET appealed_at = NULL", "INSERT INTO meta (key, value) VALUES ('appeals_to_fill', '')"]
        {
            district.run(sql, Vec::new()).await;
        }
        fill_blocking(&district.desk.services.store.clone()).unwrap();
        assert_eq!(district.rows(sql).await, before);
        assert_eq!(district.rows("SELECT 1 FROM meta WHERE key = 'appeals_to_fill'").await.len(), 0);
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
