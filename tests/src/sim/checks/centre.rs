//! The centre alone: its ledger recounted, its chains walked.

use xunge_client_core::model::{LocalDay, OrgCode};
use xunge_server::domain::counts::query::{self, Ask, By, Table};
use xunge_server::store::StoreError;

use crate::sim::world::World;
use crate::sim::{Held, hold};

impl World {
    /// Everything `verify` knows: folds, counters, chains, documents, references, photos.
    pub(in crate::sim) fn check_centre(&mut self) -> Held {
        let report = self.centre.verify();
        hold(report.ok, "the centre recounts to what it says", || {
            let first = report.differences.iter().take(3).map(|one| format!("{one:?}"));
            first.collect::<Vec<_>>().join("; ")
        })?;
        self.check_identities()
    }

    fn check_identities(&self) -> Held {
        let whole = self.counts(None);
        let total = &whole.total;
        let sums = total.reported == total.void + total.filed + total.pending
            && total.reported == total.self_handled + total.forwarded;
        hold(sums, "reported = void + filed + pending = self-handled + forwarded", || format!("{total:?}"))?;
        let cases = self.centre.cases().len() as i64;
        hold(total.reported == cases, "every case is counted once", || format!("{} of {cases}", total.reported))?;
        for by in By::ALL {
            let rows = self.counts(Some(by));
            let sum: i64 = rows.rows.iter().map(|row| row.figures.reported).sum();
            hold(sum == total.reported, "parts add up to the whole", || {
                format!("{by:?}: {sum} of {}", total.reported)
            })?;
        }
        Ok(())
    }

    fn counts(&self, by: Option<By>) -> Table {
        let scope: OrgCode = "640105".parse().expect("the district");
        let day = |month, day| LocalDay::new(2023, month, day).expect("a day");
        let ask = Ask { scope, from: day(10, 31), to: day(12, 31), by };
        let shared = self.centre.directory().clone();
        let counted = self.centre.store().read_blocking::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let directory = shared.get(tx).await?;
                query::table(tx, &directory, &ask).await
            })
        });
        counted.expect("the counters are readable")
    }
}
