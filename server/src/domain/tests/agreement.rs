//! Figures beside a look at the rows, phones beside the server.

use std::collections::BTreeMap;

use xunge_client_core::model::{CaseId, ChangeHash, LocalDay};
use xunge_client_core::workflow::Ledger;
use xunge_client_core::workflow::deadline::Clock;

use crate::domain::clocks;
use crate::domain::counts::query::{Ask, By};
use crate::domain::feed::audience;
use crate::domain::ledger::row;
use crate::params;
use crate::testing::{DISTRICT, District, Phone};

/// Every split of every scope adds up to the same, and to what a look at the rows gives.
pub(super) async fn figures_agree(district: &District, period: usize) {
    let day = |month, day| LocalDay::new(2023, month, day).unwrap();
    let periods = [(day(11, 1), day(11, 30)), (day(11, 3), day(12, 20)), (day(10, 1), day(12, 31))];
    let (from, to) = periods[period];
    let ask = |by| Ask { scope: DISTRICT.parse().unwrap(), from, to, by };
    let total = district.counts(ask(None)).await.total;
    assert_eq!(total.reported, total.void + total.filed + total.pending);
    assert_eq!(total.reported, total.self_handled + total.forwarded);
    for by in By::ALL {
        let table = district.counts(ask(Some(by))).await;
        assert_eq!(table.total, total, "{by:?}");
        assert_eq!(table.rows.iter().map(|row| row.figures.reported).sum::<i64>(), total.reported, "{by:?}");
        assert_eq!(table.rows.iter().map(|row| row.figures.closed).sum::<i64>(), total.closed, "{by:?}");
    }
    let sql = "SELECT COUNT(*), COUNT(*) FILTER (WHERE state = 'void'),
        COUNT(*) FILTER (WHERE filed_at IS NOT NULL AND state <> 'void') FROM case_row
        WHERE received_at >= ?1 AND received_at < ?2";
    let row = district.rows_with(sql, params![from.start().0, to.end().0].to_vec()).await.remove(0);
    let looked = [row.int(0).unwrap(), row.int(1).unwrap(), row.int(2).unwrap()];
    assert_eq!(looked, [total.reported, total.void, total.filed]);
    let streets = district.rows("SELECT code FROM org_node WHERE level = 'street'").await;
    let mut sum = 0;
    for street in &streets {
        let scope = street.text(0).unwrap().parse().unwrap();
        sum += district.counts(Ask { scope, from, to, by: Some(By::Category) }).await.total.reported;
    }
    let nowhere = district.counts(ask(Some(By::Grid))).await;
    let outside = nowhere.rows.iter().find(|row| row.key.is_empty()).map_or(0, |row| row.figures.reported);
    assert_eq!(sum + outside, total.reported);
}

/// The deadline that lists are sorted by is that of the handling clock, while it runs.
pub(super) async fn deadlines_agree(district: &District) {
    let directory = district.directory().await;
    for row in district.rows("SELECT ledger, deadline_at FROM case_row").await {
        let ledger = row::ledger(row.text(0).unwrap()).unwrap();
        let clocks = clocks::of(&district.desk.services, &directory, &ledger, district.now());
        let handling = clocks.iter().map(|clock| clock.reading).find(|reading| reading.clock == Clock::Handle);
        let running = handling.filter(|it| it.stopped_at.is_none() && !it.paused && !ledger.is_final());
        assert_eq!(row.opt_int(1).unwrap(), running.map(|it| it.due_at.0), "{ledger:?}");
    }
}

/// What a phone shows is what the server has: every open case in its view and nothing outside it, each at the same
/// version, with the same decisions and the same facts.
pub(super) async fn phone_agrees(district: &District, phone: &Phone) {
    let keys = audience::keys_of(&district.viewer(&phone.user).await);
    let mut known: BTreeMap<CaseId, (Ledger, Vec<ChangeHash>)> = BTreeMap::new();
    for row in district.rows("SELECT id, ledger, heads FROM case_row").await {
        let ledger = row::ledger(row.text(1).unwrap()).unwrap();
        let heads = row::heads(row.blob(2).unwrap()).unwrap();
        known.insert(CaseId::from_bytes(row.array(0).unwrap()), (ledger, heads));
    }
    for (case, (ledger, _)) in &known {
        let held = phone.cases.contains_key(case);
        let (seen, open) = (audience::sees(&keys, ledger), !ledger.is_final());
        assert!(held || !(seen && open), "{} lacks case {case}", phone.user);
        assert!(seen || !held, "{} still shows case {case}", phone.user);
    }
    for (case, held) in &phone.cases {
        let (ledger, heads) = &known[case];
        assert!(!held.is_dirty() && !held.gone, "case {case}");
        assert_eq!((held.version, &held.doc.heads()), (ledger.version, heads), "{} case {case}", phone.user);
        assert!(held.ledger.as_ref().is_none_or(|folded| folded == ledger), "{} case {case}", phone.user);
    }
}
