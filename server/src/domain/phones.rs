//! What is still on which phone (手机), as each said when it was last heard: the office sees what has not arrived yet.

use xunge_client_core::model::{CaseId, DeviceId, Millis, OrgCode, Role};
use xunge_client_core::wire::SyncUp;

use super::audit;
use super::people::Viewer;
use crate::auth::device::{self, COLUMNS, DeviceInfo, WIDTH};
use crate::auth::{account, enrol};
use crate::params;
use crate::store::{StoreError, Tx};

/// A phone with its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneRow {
    /// The phone.
    pub info: DeviceInfo,
    /// Name of its user.
    pub user_name: String,
    /// The unit its user works for.
    pub unit: Option<OrgCode>,
}

/// Notes what a phone says is still on it, and how far it has read the feed. `now` is the security clock, by which phones
/// are heard.
pub async fn heard(tx: &mut dyn Tx, id: DeviceId, up: &SyncUp, now: Millis) -> Result<(), StoreError> {
    let since = match age(up) {
        Some(ms) => Some(no_older_than_the_phone(tx, id, now.plus_ms(-ms)).await?),
        None => None,
    };
    let sql =
        "UPDATE device SET waiting_cases = ?2, waiting_photos = ?3, waiting_since = ?4, last_cursor = ?5 WHERE id = ?1";
    let cursor = (up.cursor & i64::MAX as u64) as i64;
    let since = since.map(|at| at.0);
    tx.execute(sql, params![id.as_bytes(), up.waiting.cases, up.waiting.photos, since, cursor]).await?;
    Ok(())
}

/// How old the oldest item on the phone is, in milliseconds; none if nothing waits or the phone does not say.
///
/// Both times are the phone's, whose clock may be wrong by years: their difference is right all the same. What seems to
/// come from the future, because the clock was set back since, is as old as this request.
fn age(up: &SyncUp) -> Option<i64> {
    let waits = up.waiting.cases > 0 || up.waiting.photos > 0;
    (waits && up.waiting.oldest.0 != 0).then(|| up.phone_time.0.saturating_sub(up.waiting.oldest.0).max(0))
}

/// What was saved while the clock of the phone stood in 1970, and told after it was set right, would be half a century
/// old: nothing waits for longer than its user has had a phone.
async fn no_older_than_the_phone(tx: &mut dyn Tx, id: DeviceId, since: Millis) -> Result<Millis, StoreError> {
    let sql = "SELECT MIN(enrolled_at) FROM device WHERE user_id = (SELECT user_id FROM device WHERE id = ?1)";
    let joined = tx.query_one(sql, params![id.as_bytes()]).await?.opt_int(0)?;
    Ok(joined.map_or(since, |joined| since.max(Millis(joined))))
}

/// The phones a viewer answers for: a town office for its own people's, everybody else for those whose users work in
/// their part of the tree. Those with something waiting come first.
pub async fn list(tx: &mut dyn Tx, viewer: &Viewer) -> Result<Vec<PhoneRow>, StoreError> {
    let unit = match viewer.role {
        Role::TownOffice => viewer.unit.as_ref().map(OrgCode::as_str),
        _ => None,
    };
    let sql = format!(
        "SELECT {COLUMNS}, u.name, u.unit, u.scope FROM device d JOIN user_account u ON u.id = d.user_id
         WHERE ?1 IS NULL OR u.unit = ?1"
    );
    let mut rows = Vec::new();
    for row in tx.query(&sql, params![unit]).await? {
        let scope: Option<OrgCode> = row.text(WIDTH + 2)?.parse().ok();
        let seen = match viewer.role {
            Role::TownOffice => unit.is_some(),
            _ => scope.is_some_and(|scope| viewer.scope.contains(&scope)),
        };
        if seen {
            let unit = row.opt_text(WIDTH + 1)?.and_then(|code| code.parse().ok());
            rows.push(PhoneRow { info: device::read(&row)?, user_name: row.text(WIDTH)?.to_owned(), unit });
        }
    }
    rows.sort_by_key(|row| {
        let waiting = (row.info.waiting_cases, row.info.waiting_photos);
        (std::cmp::Reverse(waiting), row.unit.clone(), row.user_name.clone(), row.info.id)
    });
    Ok(rows)
}

/// One phone of those a viewer answers for.
pub async fn one(tx: &mut dyn Tx, viewer: &Viewer, id: DeviceId) -> Result<Option<PhoneRow>, StoreError> {
    Ok(list(tx, viewer).await?.into_iter().find(|row| row.info.id == id))
}

/// Cases with photos that were announced by a phone and have not come, with how many; the oldest hundred.
///
/// Which reports wait on a phone nobody knows before it sends them; of those only their number is told.
pub async fn missing_photos(tx: &mut dyn Tx, id: DeviceId) -> Result<Vec<(CaseId, i64)>, StoreError> {
    let sql = "SELECT case_id, COUNT(*) FROM photo WHERE device = ?1 AND present = 0 GROUP BY case_id
        ORDER BY case_id LIMIT 100";
    let rows = tx.query(sql, params![id.as_bytes()]).await?;
    rows.iter().map(|row| Ok((CaseId::from_bytes(row.array(0)?), row.int(1)?))).collect()
}

/// Makes a one-time code known by which a phone of `user` may join; false if there is no such user, or a closed one.
pub async fn add_code(tx: &mut dyn Tx, by: &str, user: &str, code: &str, now: Millis) -> Result<bool, StoreError> {
    let open = account::find(tx, user).await?.is_some_and(|account| account.disabled_at.is_none());
    if open {
        enrol::add_code(tx, user, code, now).await?;
        audit::append(tx, &audit::Entry { at: now, actor: by, action: "device.code", subject: user, detail: "{}" })
            .await?;
    }
    Ok(open)
}

/// Shuts a phone out for good; false if there is none.
pub async fn revoke(tx: &mut dyn Tx, by: &str, id: DeviceId, now: Millis) -> Result<bool, StoreError> {
    let known = device::revoke(tx, id, now).await?;
    if known {
        let subject = id.to_string();
        let entry = audit::Entry { at: now, actor: by, action: "device.revoked", subject: &subject, detail: "{}" };
        audit::append(tx, &entry).await?;
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use xunge_client_core::wire::Waiting;

    use super::*;
    use crate::testing::{District, Phone};

    const DAY: i64 = 86_400_000;

    /// What is told of a phone whose clock reads `clock` and that says so much waits since `oldest`, beside when it was heard.
    async fn told(
        phone: &mut Phone,
        district: &District,
        clock: i64,
        oldest: i64,
        waits: (u32, u32),
    ) -> (Option<i64>, i64) {
        let waiting = Waiting { cases: waits.0, photos: waits.1, oldest: Millis(oldest) };
        let up = SyncUp { phone_time: Millis(clock), waiting, ..phone.up(district.now()) };
        phone.send(district, &up).await.unwrap();
        let (id, viewer) = (phone.id, district.viewer("admin").await);
        let store = &district.desk.services.store;
        let row = store.read::<_, StoreError, _>(move |tx| Box::pin(async move { one(tx, &viewer, id).await }));
        let info = row.await.unwrap().unwrap().info;
        (info.waiting_since().map(|at| at.0), info.last_seen_at.unwrap().0)
    }

    async fn phone(district: &District) -> Phone {
        let user = district.inspectors().await.remove(0);
        district.phone(&user).await
    }

    #[tokio::test]
    async fn how_old_it_is_does_not_depend_on_what_the_clock_of_the_phone_reads() {
        let district = District::new().await;
        let mut phone = phone(&district).await;
        for clock in [1_700_000_000_000, 5 * DAY, 9_000_000_000_000] {
            for waits in [(2, 3), (1, 0), (0, 1)] {
                let (since, heard) = told(&mut phone, &district, clock, clock - 3 * DAY, waits).await;
                assert_eq!(since, Some(heard - 3 * DAY), "a clock that reads {clock}");
            }
        }
    }

    #[tokio::test]
    async fn nothing_waits_since_a_time_to_come_nor_for_longer_than_its_user_has_had_a_phone() {
        let district = District::new().await;
        let mut phone = phone(&district).await;
        let (since, heard) = told(&mut phone, &district, 1_000, 1_700_000_000_000, (1, 0)).await;
        assert_eq!(since, Some(heard), "the clock was set back since");
        let (since, heard) = told(&mut phone, &district, i64::MIN, i64::MAX, (1, 0)).await;
        assert_eq!(since, Some(heard));
        let joined = heard - 9 * DAY;
        district.run("UPDATE device SET enrolled_at = ?1", params![joined].to_vec()).await;
        for oldest in [1_000, i64::MIN] {
            let (since, _) = told(&mut phone, &district, 1_700_000_000_000, oldest, (1, 0)).await;
            assert_eq!(since, Some(joined), "the clock stood in 1970 when it was saved");
        }
    }

    #[tokio::test]
    async fn a_phone_with_nothing_on_it_or_that_does_not_say_has_no_age() {
        let district = District::new().await;
        let mut phone = phone(&district).await;
        assert_eq!(told(&mut phone, &district, 9_000, 4_000, (0, 0)).await.0, None);
        assert_eq!(told(&mut phone, &district, 9_000, 0, (1, 1)).await.0, None);
        assert!(told(&mut phone, &district, 9_000, 4_000, (0, 1)).await.0.is_some());
        // Its photos arrive by their own way, and nothing waits any more.
        district.run("UPDATE device SET waiting_photos = 0", Vec::new()).await;
        let viewer = district.viewer("admin").await;
        let store = &district.desk.services.store;
        let rows = store.read::<_, StoreError, _>(move |tx| Box::pin(async move { list(tx, &viewer).await })).await;
        assert!(rows.unwrap().iter().all(|row| row.info.waiting_since().is_none()));
    }
}
