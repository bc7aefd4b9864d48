//! Writes an org tree and the category trees into a fresh database.

use xunge_client_core::model::{Millis, Point};

use crate::params;
use crate::reference::org::{Org, Place, Unit};
use crate::reference::taxonomy::{Category, Taxonomy};
use crate::store::{StoreError, Tx};

/// Writes places, units, users (without passwords) and categories, and starts the counters of the database.
///
/// `epoch` is the server epoch phones compare; random, so that a restored copy is never taken for the original.
pub async fn install(
    tx: &mut dyn Tx,
    org: &Org,
    taxonomy: &Taxonomy,
    epoch: u64,
    now: Millis,
) -> Result<(), StoreError> {
    for place in &org.places {
        add_place(tx, place).await?;
    }
    for unit in &org.units {
        add_unit(tx, unit).await?;
    }
    for unit in &org.units {
        add_rules(tx, unit, now).await?;
    }
    for category in taxonomy.categories() {
        put_category(tx, category).await?;
    }
    users(tx, org, now).await?;
    let district = org.districts().map(|place| place.code.as_str()).next().unwrap_or_default();
    for (key, value) in [
        ("district", district.to_owned()),
        ("map_note", org.map_note.clone()),
        ("reference_version", "1".to_owned()),
        ("server_epoch", epoch.to_string()),
    ] {
        put_meta(tx, key, &value).await?;
    }
    Ok(())
}

/// Writes a place that is not there yet.
pub(super) async fn add_place(tx: &mut dyn Tx, place: &Place) -> Result<(), StoreError> {
    let parent = place.parent.as_ref().map(|code| code.as_str());
    tx.execute(
        "INSERT INTO org_node (code, parent, level, name, polygon) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![place.code.as_str(), parent, place.level.code(), &place.name, outline(place)],
    )
    .await?;
    Ok(())
}

/// The outline of a place as the database keeps it.
pub(super) fn outline(place: &Place) -> Option<String> {
    place.polygon.as_ref().map(|polygon| ring_to_json(&polygon.0))
}

/// Writes a category, in place of the one with its key.
pub(super) async fn put_category(tx: &mut dyn Tx, category: &Category) -> Result<(), StoreError> {
    let key = &category.key;
    let maps_to = (!category.maps_to.is_empty()).then(|| category.maps_to.join(";"));
    tx.execute(
        "INSERT INTO taxonomy (scheme, kind, code, parent, name, name_en, selfable, maps_to, retired)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (scheme, kind, code) DO UPDATE SET parent = excluded.parent, name = excluded.name,
         name_en = excluded.name_en, selfable = excluded.selfable, maps_to = excluded.maps_to, retired = excluded.retired",
        params![
            &key.scheme,
            key.kind.code(),
            &key.code,
            category.parent.clone(),
            &category.name_zh,
            &category.name_en,
            category.self_handling,
            maps_to,
            category.retired
        ],
    )
    .await?;
    Ok(())
}

/// Writes a unit that is not there yet.
pub(super) async fn add_unit(tx: &mut dyn Tx, unit: &Unit) -> Result<(), StoreError> {
    let street = unit.street.as_ref().map(|code| code.as_str());
    tx.execute(
        "INSERT INTO unit (code, name, kind, street, district) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![unit.code.as_str(), &unit.name, unit.kind.code(), street, unit.district.as_str()],
    )
    .await?;
    Ok(())
}

/// Makes what a unit usually handles the dispatch rules where none stands; answers how many were made. Of two units that
/// name the same the first has it.
pub(super) async fn add_rules(tx: &mut dyn Tx, unit: &Unit, now: Millis) -> Result<u64, StoreError> {
    let mut made = 0;
    for category in &unit.handles {
        made += tx
            .execute(
                "INSERT INTO dispatch_rule (district, category, grid, unit, at) VALUES (?1, ?2, '', ?3, ?4)
                 ON CONFLICT (district, category, grid) DO NOTHING",
                params![unit.district.as_str(), category.to_string(), unit.code.as_str(), now.0],
            )
            .await?;
    }
    Ok(made)
}

/// Writes a fact about the database itself.
pub(super) async fn put_meta(tx: &mut dyn Tx, key: &str, value: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    tx.execute(sql, params![key, value]).await?;
    Ok(())
}

async fn users(tx: &mut dyn Tx, org: &Org, now: Millis) -> Result<(), StoreError> {
    for user in &org.users {
        let unit = user.unit.as_ref().map(|code| code.as_str());
        tx.execute(
            "INSERT INTO user_account (id, name, role, scope, unit, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![&user.user, &user.name, user.role.code(), user.scope.as_str(), unit, now.0],
        )
        .await?;
        for grid in &user.grids {
            tx.execute("INSERT INTO user_grid (user_id, grid) VALUES (?1, ?2)", params![&user.user, grid.as_str()])
                .await?;
        }
    }
    Ok(())
}

fn ring_to_json(ring: &[Point]) -> String {
    let ring: Vec<[i32; 2]> = ring.iter().map(|point| [point.lon_e6, point.lat_e6]).collect();
    serde_json::to_string(&ring).expect("integers are always JSON")
}
