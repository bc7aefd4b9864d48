use xunge_client_core::model::Millis;

use super::*;
use crate::domain::scope::{Branch, Column};
use crate::store::Store;

const DISTRICT: &str = "640105";
const KEYS: [&str; 4] = ["t:event:A1", "t:event:A2", "t:event:B1", ""];

/// Ninety cases over thirty days, of every state, four categories, three units of two streets.
async fn store() -> Store {
    let store = Store::in_memory().unwrap();
    store
        .write::<_, StoreError, _>(|tx| {
            Box::pin(async move {
                for n in 0..90_u8 {
                    let pick = |of: usize| usize::from(n) % of;
                    let state = State::ALL[pick(State::ALL.len())].code();
                    let unit = ["U1", "U2", "U3"][pick(3)];
                    let street = ["640105001", "640105002"][pick(2)];
                    // Three at each instant, so that paging has to tell them apart by id.
                    let received = Millis(i64::from(n / 3) * 86_400_000);
                    tx.execute(
                        "INSERT INTO case_row (id, district, state, version, mode_claim, category, category_claim, unit,
                         office, street, community, grid, reporter, source, received_at, received_day, heads, text,
                         updated_at, event_hash, ledger, sent_back)
                         VALUES (?1, ?2, ?3, 1, ?4, ?5, '', ?6, ?6, ?7, '', '', 'r', 'inspector', ?8, ?9, x'', ?10, 0,
                         zeroblob(32), '{}', ?11)",
                        params![
                            [n; 16],
                            DISTRICT,
                            state,
                            ["self_handled", "forwarded"][pick(2)],
                            KEYS[pick(4)],
                            unit,
                            street,
                            received.0,
                            received.local_day().to_string(),
                            format!("第{n}件 100%_"),
                            n % 10 == 0,
                        ],
                    )
                    .await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    store
}

/// Every page of a list, end to end; says too that no page but the last is short unless words are searched.
async fn all(store: &Store, scope: &Scope, filter: &Filter) -> Vec<CaseItem> {
    let mut found = Vec::new();
    let mut filter = filter.clone();
    loop {
        let (scope, asked) = (scope.clone(), filter.clone());
        let page = store
            .read::<_, StoreError, _>(move |tx| Box::pin(async move { list(tx, &scope, DISTRICT, &asked).await }))
            .await
            .unwrap();
        found.extend(page.items);
        match page.next {
            Some(next) => filter.after = Some(next.parse().unwrap()),
            None => return found,
        }
        assert!(found.len() <= 90, "the pages go in a circle");
    }
}

fn scope(column: Column, values: &[&str]) -> Scope {
    let branches = values.iter().map(|value| Branch { column, value: (*value).to_owned() });
    branches.fold(Scope::default(), |scope, branch| scope.or(branch))
}

#[tokio::test]
async fn every_filter_gives_exactly_its_cases_in_both_orders_whatever_the_page_size() {
    let store = store().await;
    let scopes = [
        scope(Column::District, &[DISTRICT]),
        scope(Column::Office, &["U1"]),
        scope(Column::Street, &["640105001", "640105002"]),
    ];
    let open = vec![State::Reported, State::Verifying];
    let filed: Vec<State> = State::ALL.iter().copied().filter(|it| !open.contains(it) && *it != State::Void).collect();
    for scope in &scopes {
        let everything = all(&store, scope, &Filter { limit: 200, ..Filter::default() }).await;
        for states in [vec![], vec![State::Reported], vec![State::Void], open.clone(), filed.clone()] {
            for categories in [&[][..], &KEYS[..1], &KEYS[..2]] {
                for sent_back in [None, Some(true), Some(false)] {
                    let categories: Vec<CategoryRef> = categories.iter().map(|key| key.parse().unwrap()).collect();
                    let fits = |item: &&CaseItem| {
                        let state = State::from_code(&item.state).unwrap();
                        let category = item.category.as_deref().and_then(|key| key.parse().ok());
                        (states.is_empty() || states.contains(&state))
                            && (categories.is_empty() || category.is_some_and(|key| categories.contains(&key)))
                            && sent_back.is_none_or(|wanted| item.sent_back == wanted)
                    };
                    let mut expected: Vec<CaseId> = everything.iter().filter(fits).map(|item| item.id).collect();
                    for order in [Order::NewestFirst, Order::OldestFirst] {
                        for limit in [1, 4, 200] {
                            let (states, categories) = (states.clone(), categories.clone());
                            let filter = Filter { states, categories, sent_back, order, limit, ..Filter::default() };
                            let found: Vec<CaseId> = all(&store, scope, &filter).await.iter().map(|it| it.id).collect();
                            assert_eq!(found, expected, "{scope:?} {filter:?}");
                        }
                        expected.reverse();
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn days_bound_a_list_in_both_orders_and_on_every_page() {
    let store = store().await;
    let scope = scope(Column::District, &[DISTRICT]);
    let day = |n: i64| Millis(n * 86_400_000).local_day();
    for (from, to, expected) in
        [(None, None, 90), (Some(3), Some(3), 3), (Some(28), None, 6), (None, Some(1), 6), (Some(5), Some(4), 0)]
    {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            for limit in [1, 2, 200] {
                let filter = Filter { from: from.map(day), to: to.map(day), order, limit, ..Filter::default() };
                assert_eq!(all(&store, &scope, &filter).await.len(), expected, "{filter:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_list_is_led_by_the_index_it_was_written_for() {
    let store = store().await;
    let unit = Filter { unit: Some("U640105001".parse().unwrap()), ..Filter::default() };
    let categories = vec![KEYS[0].parse().unwrap()];
    let state = |state| Filter { states: vec![state], ..Filter::default() };
    for (column, filter, index) in [
        (Column::Office, state(State::Reported), "case_row_state (district=? AND state=?"),
        (Column::District, state(State::Handling), "case_row_state (district=? AND state=?"),
        (Column::District, state(State::Void), "case_row_state (district=? AND state=?"),
        (Column::Office, Filter { categories, ..Filter::default() }, "case_row_category (district=? AND category=?"),
        (Column::Office, state(State::Closed), "case_row_office (office=?"),
        (Column::Handler, Filter::default(), "case_row_handler (handler=?"),
        (Column::District, unit, "case_row_unit (unit=?"),
        (Column::District, Filter::default(), "case_row_received (district=?"),
    ] {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            for (from, after) in [(None, None), (Some(3), Some("259200000.01HF0000000000000000000000"))] {
                let from = from.map(|n: i64| Millis(n * 86_400_000).local_day());
                let after = after.map(|it| it.parse().unwrap());
                let filter = Filter { order, from, after, to: from, limit: 50, ..filter.clone() };
                let scope = scope(column, &["U640105001"]);
                for query in Query::all(&scope, DISTRICT, &filter) {
                    let (sql, params) =
                        (format!("EXPLAIN QUERY PLAN {}", query.sql(&filter, false)), query.params(&filter));
                    let plan = store
                        .read::<_, StoreError, _>(move |tx| Box::pin(async move { tx.query(&sql, &params).await }))
                        .await
                        .unwrap();
                    let plan: Vec<&str> = plan.iter().map(|row| row.text(3).unwrap()).collect();
                    assert!(plan.len() == 1 && plan[0].contains(index), "{index} for {filter:?}: {plan:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn words_are_found_as_they_are_and_wildcards_mean_themselves() {
    let store = store().await;
    let scope = scope(Column::District, &[DISTRICT]);
    for (q, expected) in [("第7件", 1), ("0%_", 90), ("0_%", 0), ("第", 90), (" 第8 ", 1 + 10)] {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let filter = Filter { q: Some(q.to_owned()), order, limit: 4, ..Filter::default() };
            assert_eq!(all(&store, &scope, &filter).await.len(), expected, "{q}");
        }
    }
}
