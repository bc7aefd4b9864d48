//! What was put aside, as administrators see it: refused changes, and bundles of phones that may not speak any more.
//!
//! A refused change is kept for [`KEPT_DAYS`]: its words stay in the phone that wrote it, whose inspector was told why. Two
//! things are kept for as long as it takes, because nobody else may have them: what a case came with of which nothing
//! could be read (a stub), until that case is decided to the end; and a bundle, until an administrator lets it in or drops
//! it.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use xunge_client_core::model::{CaseId, DeviceId, Millis, OrgCode, Ulid};

use super::accounts;
use super::audit;
use super::directory::Directory;
use crate::auth::account;
use crate::params;
use crate::store::{Row, StoreError, Tx, Value};

/// How long a refused change is kept, in days of business time.
pub const KEPT_DAYS: i32 = 90;
/// Changes removed in one transaction.
const STEP: i64 = 200;

/// One thing that was put aside. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Its name.
    #[serde(serialize_with = "as_text")]
    pub id: Ulid,
    /// `change` (a change the gate refused) or `bundle` (a sealed rescue bundle).
    pub kind: &'static str,
    /// The phone it came from.
    pub device: DeviceId,
    /// The phone's user then.
    pub user: String,
    /// The case, of a change.
    pub case: Option<CaseId>,
    /// Why it was not taken.
    pub code: String,
    /// The register at fault, of a change.
    pub field: Option<String>,
    /// Its size.
    pub bytes: i64,
    /// When.
    pub at: Millis,
}

const COLUMNS: &str = "id, device, user_id, case_id, code, field, LENGTH(bytes), at";

/// What is put aside, oldest first; of one phone, or of all.
pub async fn list(tx: &mut dyn Tx, device: Option<DeviceId>) -> Result<Vec<Kept>, StoreError> {
    let filter = if device.is_some() { " WHERE device = ?1" } else { "" };
    let params: Vec<Value> = device.iter().map(|device| Value::from(device.as_bytes())).collect();
    let sql = format!("SELECT {COLUMNS} FROM quarantine{filter} ORDER BY at, id");
    tx.query(&sql, &params).await?.iter().map(read).collect()
}

/// Where a page of [`page`] ends: when something was put aside, and what.
pub type Place = (Millis, Ulid);

/// A page of what is put aside from people that `keeper` answers for, oldest first, behind a place; and whether there is
/// more. What is of nobody any more is for those who answer for everybody.
pub async fn page(
    tx: &mut dyn Tx,
    directory: &Directory,
    keeper: &OrgCode,
    behind: Option<Place>,
    limit: usize,
) -> Result<(Vec<Kept>, bool), StoreError> {
    /// Rows looked at with one statement.
    const CHUNK: usize = 200;
    let sql =
        format!("SELECT {COLUMNS} FROM quarantine WHERE at > ?1 OR (at = ?1 AND id > ?2) ORDER BY at, id LIMIT ?3");
    let (mut at, mut id) = behind.unwrap_or((Millis(-1), Ulid::from_bytes([0; 16])));
    let (mut found, mut known) = (Vec::new(), BTreeMap::new());
    loop {
        let rows = tx.query(&sql, params![at.0, id.as_bytes(), CHUNK as i64]).await?;
        for row in &rows {
            let kept = read(row)?;
            (at, id) = (kept.at, kept.id);
            let mine = match known.get(&kept.user) {
                Some(mine) => *mine,
                None => is_kept_by(tx, directory, keeper, &kept.user).await?,
            };
            known.insert(kept.user.clone(), mine);
            if mine && found.len() == limit {
                return Ok((found, true));
            }
            found.extend(mine.then_some(kept));
        }
        if rows.len() < CHUNK {
            return Ok((found, false));
        }
    }
}

/// True if `keeper` answers for somebody whose phone something was put aside of.
pub async fn is_kept_by(
    tx: &mut dyn Tx,
    directory: &Directory,
    keeper: &OrgCode,
    user: &str,
) -> Result<bool, StoreError> {
    Ok(match account::find(tx, user).await? {
        Some(account) => accounts::answers_for(keeper, &account.scope, directory),
        None => directory.districts().all(|code| keeper.contains(code)),
    })
}

/// One of them with its bytes.
pub async fn find(tx: &mut dyn Tx, id: Ulid) -> Result<Option<(Kept, Vec<u8>)>, StoreError> {
    let sql = format!("SELECT {COLUMNS}, bytes FROM quarantine WHERE id = ?1");
    let row = tx.query_opt(&sql, params![id.as_bytes()]).await?;
    row.map(|row| Ok((read(&row)?, row.blob(8)?.to_vec()))).transpose()
}

/// Takes one out, and notes who did and why. False if there is no such one.
pub async fn remove(
    tx: &mut dyn Tx,
    by: &str,
    id: Ulid,
    action: &str,
    why: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    let Some((kept, _)) = find(tx, id).await? else { return Ok(false) };
    take_out(tx, &kept, why, audit::Entry { at: now, actor: by, action, subject: "", detail: "" }).await?;
    Ok(true)
}

/// Takes out the first changes that have been here for longer than [`KEPT_DAYS`], and notes each; gives how many that were.
/// To be called again until it gives 0. `business` dates what is put aside, `now` the log.
pub async fn expire(tx: &mut dyn Tx, business: Millis, now: Millis) -> Result<usize, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM quarantine WHERE at < ?1 AND case_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM case_row c
         WHERE c.id = quarantine.case_id AND c.state NOT IN ('closed', 'void') AND LENGTH(c.heads) = 0)
         ORDER BY at, id LIMIT ?2"
    );
    let before = business.plus_ms(-i64::from(KEPT_DAYS) * 86_400_000);
    let rows = tx.query(&sql, params![before.0, STEP]).await?;
    for row in &rows {
        let entry =
            audit::Entry { at: now, actor: audit::SERVER, action: "quarantine.expired", subject: "", detail: "" };
        take_out(tx, &read(row)?, "", entry).await?;
    }
    Ok(rows.len())
}

/// Removes a row and notes it; `entry` says who, when and what for.
async fn take_out(tx: &mut dyn Tx, kept: &Kept, why: &str, entry: audit::Entry<'_>) -> Result<(), StoreError> {
    tx.execute("DELETE FROM quarantine WHERE id = ?1", params![kept.id.as_bytes()]).await?;
    let mut detail = serde_json::json!({"kind": kept.kind, "device": kept.device, "code": kept.code, "why": why});
    if let Some(case) = kept.case {
        detail["case"] = case.to_string().into();
    }
    let (subject, detail) = (kept.id.to_string(), detail.to_string());
    audit::append(tx, &audit::Entry { subject: &subject, detail: &detail, ..entry }).await
}

fn as_text<S: Serializer>(id: &Ulid, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

fn read(row: &Row) -> Result<Kept, StoreError> {
    let case = row.opt_array(3)?.map(CaseId::from_bytes);
    Ok(Kept {
        id: Ulid::from_bytes(row.array(0)?),
        kind: if case.is_none() && row.opt_text(5)? == Some("bundle") { "bundle" } else { "change" },
        device: DeviceId::from_bytes(row.array(1)?),
        user: row.text(2)?.to_owned(),
        case,
        code: row.text(4)?.to_owned(),
        field: row.opt_text(5)?.map(str::to_owned),
        bytes: row.int(6)?,
        at: Millis(row.int(7)?),
    })
}

#[cfg(test)]
mod tests {
    use xunge_client_core::model::Mode;
    use xunge_client_core::workflow::{Payload, Verb};

    use super::*;
    use crate::domain::intake::{IntakeError, keep_sealed};
    use crate::testing::{District, Phone, facts};

    /// What is put aside: kind and case.
    async fn kept(district: &District) -> Vec<(&'static str, Option<CaseId>)> {
        let store = &district.desk.services.store;
        let kept = store.read::<_, StoreError, _>(|tx| Box::pin(async move { list(tx, None).await })).await.unwrap();
        kept.into_iter().map(|it| (it.kind, it.case)).collect()
    }

    async fn expired(district: &District) -> usize {
        let services = &district.desk.services;
        let (business, now) = (services.business.now(), services.security.now());
        let step = services
            .store
            .write::<_, StoreError, _>(move |tx| Box::pin(async move { expire(tx, business, now).await }));
        step.await.unwrap()
    }

    /// Sends something that is no change.
    async fn send_rubbish(district: &District, phone: &mut Phone) {
        let mut up = phone.up(district.now());
        up.frames[0].changes = vec![b"not a change at all".to_vec().into()];
        assert_eq!(phone.send(district, &up).await.unwrap().rejected.len(), 1);
    }

    async fn noted(district: &District, action: &str) -> Vec<(String, String, String)> {
        let sql = "SELECT actor, subject, detail FROM audit WHERE action = ?1 ORDER BY seq";
        let rows = district.rows_with(sql, params![action].to_vec()).await;
        let text = |row: &Row, at| row.text(at).unwrap().to_owned();
        rows.iter().map(|row| (text(row, 0), text(row, 1), text(row, 2))).collect()
    }

    #[tokio::test]
    async fn a_refused_change_is_kept_for_ninety_days_and_both_ends_are_in_the_log() {
        let district = District::new().await;
        let user = district.inspectors().await.remove(0);
        let mut phone = district.phone(&user).await;
        let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
        phone.drain(&district).await;
        phone.edit(case, &[xunge_client_core::doc::Edit::Description("改".into())]);
        send_rubbish(&district, &mut phone).await;
        assert_eq!(kept(&district).await, [("change", Some(case))]);
        let came = noted(&district, "quarantine.kept").await;
        assert_eq!((came[0].0.as_str(), came[0].1.as_str()), (user.as_str(), case.to_string().as_str()));
        assert!(came[0].2.contains("malformed") && came.len() == 1, "{came:?}");
        send_rubbish(&district, &mut phone).await;
        assert_eq!(noted(&district, "quarantine.kept").await.len(), 1, "what is kept already is not noted again");
        district.advance_days(i64::from(KEPT_DAYS));
        assert_eq!(expired(&district).await, 0);
        district.advance_days(1);
        assert_eq!((expired(&district).await, expired(&district).await), (1, 0));
        assert_eq!(kept(&district).await, []);
        let gone = noted(&district, "quarantine.expired").await;
        assert_eq!(gone[0].0, audit::SERVER);
        assert!(gone[0].2.contains(&case.to_string()) && gone[0].2.contains("malformed"), "{gone:?}");
        assert!(district.verify().await.ok);
    }

    #[tokio::test]
    async fn what_a_report_came_with_that_could_not_be_read_is_kept_until_it_is_decided() {
        let district = District::new().await;
        let user = district.inspectors().await.remove(0);
        let mut phone = district.phone(&user).await;
        let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
        send_rubbish(&district, &mut phone).await;
        district.advance_days(400);
        assert_eq!(expired(&district).await, 0, "nobody else may have it");
        let because = Payload { reason: Some("false_report".into()), ..Payload::default() };
        let reviewer = district.reviewer_of(case).await;
        district.act(&reviewer, case, Verb::Void, because).await.unwrap();
        assert_eq!(expired(&district).await, 1);
    }

    #[tokio::test]
    async fn a_bundle_waits_for_an_administrator_however_long() {
        let district = District::new().await;
        let user = district.inspectors().await.remove(0);
        let device = district.phone(&user).await.id;
        let now = district.now();
        for _ in 0..2 {
            let put = district.desk.services.store.write::<_, IntakeError, _>(move |tx| {
                Box::pin(async move { keep_sealed(tx, device, b"sealed", "device_revoked", now).await })
            });
            put.await.unwrap();
        }
        assert_eq!(noted(&district, "quarantine.kept").await.len(), 1);
        district.advance_days(1_000);
        assert_eq!(expired(&district).await, 0);
        assert_eq!(kept(&district).await, [("bundle", None)]);
    }

    #[tokio::test]
    async fn a_full_quarantine_is_cleared_step_by_step() {
        let district = District::new().await;
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)
            INSERT INTO quarantine (id, device, user_id, case_id, hash, code, field, bytes, at)
            SELECT randomblob(16), zeroblob(16), 'x', zeroblob(16), randomblob(32), 'malformed', NULL, x'00', i FROM n";
        district.run(sql, Vec::new()).await;
        let mut steps = Vec::new();
        while let more @ 1.. = expired(&district).await {
            steps.push(more);
        }
        assert_eq!(steps, [200, 200, 50]);
    }
}
