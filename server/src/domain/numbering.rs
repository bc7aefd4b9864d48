//! Case numbers (案卷号): division, day, and a serial number that starts again every day.

use xunge_client_core::model::LocalDay;

use crate::params;
use crate::store::{StoreError, Tx};

/// Gives out the next case number of a district on a business day: `64010520231101000001`.
///
/// Moved inside the event's transaction, so a decision that is undone leaves no gap and no two cases share a number.
pub async fn next(tx: &mut dyn Tx, district: &str, day: LocalDay) -> Result<String, StoreError> {
    let (year, month, day) = day.civil();
    let prefix = format!("{district}{year:04}{month:02}{day:02}");
    let name = format!("case_no:{prefix}");
    let row = tx
        .query_one(
            "INSERT INTO series (name, last) VALUES (?1, 1)
             ON CONFLICT (name) DO UPDATE SET last = series.last + 1 RETURNING last",
            params![&name],
        )
        .await?;
    Ok(format!("{prefix}{:06}", row.int(0)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn numbers_follow_each_other_and_start_again_with_the_day() {
        let store = Store::in_memory().unwrap();
        let numbers = store.write_blocking(|tx| {
            Box::pin(async move {
                let day = LocalDay::new(2023, 11, 1).expect("a day");
                let mut numbers = Vec::new();
                for day in [day, day, day.plus_days(1)] {
                    numbers.push(next(tx, "640105", day).await?);
                }
                Ok::<_, StoreError>(numbers)
            })
        });
        assert_eq!(numbers.unwrap(), ["64010520231101000001", "64010520231101000002", "64010520231102000001"]);
    }
}
