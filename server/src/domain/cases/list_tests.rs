use std::collections::BTreeSet;

use xunge_client_core::model::Millis;

use super::*;
use crate::domain::cases::lead::Lead;
use crate::domain::cases::search;
use crate::domain::scope::{Branch, Column};
use crate::store::{Store, Value};
use crate::testing::plan_of;

const DISTRICT: &str = "640105";
const KEYS: [&str; 4] = ["t:event:A1", "t:event:A2", "t:event:B1", ""];
const DAY: i64 = 86_400_000;
const GRIDS: [&str; 3] = ["640105001001001", "640105001002001", "640105002001001"];
/// The moment of every test: some deadlines have passed then, some are near.
const NOW: Millis = Millis(40 * DAY);

/// Case `n` of the store: what is written, and what the tests know of it.
struct Made {
    received: Millis,
    deadline: Option<i64>,
    text: String,
}

fn made(n: i64) -> Made {
    // Three at each instant, so that paging has to tell them apart by id.
    let received = Millis(n / 3 * DAY);
    let text = match n % 5 {
        0 => format!("第{n}件 100%_"),
        1 => format!("暴露垃圾第{n}件"),
        2 => format!("道路 积水\n北门ktv{n}"),
        3 => format!("井盖损坏{n}"),
        _ => "水".to_owned(),
    };
    Made { received, deadline: [3, 4].contains(&(n % 9)).then_some(NOW.0 + (n - 45) * 3_600_000), text }
}

fn is_appealed(n: i64) -> bool {
    n % 8 == 1
}

async fn insert(tx: &mut dyn Tx, n: i64) -> Result<(), StoreError> {
    let pick = |of: usize| n as usize % of;
    let made = made(n);
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    let ordinal = search::next_ordinal(tx, made.received).await?;
    let grid = GRIDS[pick(3)];
    tx.execute(
        "INSERT INTO case_row (id, district, state, version, mode_claim, category, category_claim, unit, office, street,
         community, grid, reporter, source, received_at, received_day, heads, text, updated_at, event_hash, ledger,
         sent_back, ordinal, deadline_at, handler, appealed_at) VALUES (?1, ?2, ?3, 1, ?4, ?5, '', ?6, ?6, ?7, ?8, ?9, ?10, 'inspector',
         ?11, '', x'', ?12, 0, zeroblob(32), '{}', ?13, ?14, ?15, ?16, ?17)",
        params![
            id,
            DISTRICT,
            State::ALL[pick(State::ALL.len())].code(),
            ["self_handled", "forwarded"][pick(2)],
            KEYS[pick(4)],
            ["U1", "U2", "U3"][pick(3)],
            &grid[..9],
            &grid[..12],
            grid,
            ["insp-1", "insp-2"][usize::from(n % 7 == 0)],
            made.received.0,
            &made.text,
            n % 10 == 0,
            ordinal,
            made.deadline,
            (n % 6 == 2).then_some("U7"),
            is_appealed(n).then_some(made.received.0 + 1),
        ],
    )
    .await?;
    search::replace(tx, ordinal, &Default::default(), &search::of_case(&made.text, None)).await
}

/// Ninety cases over thirty days, of every state, four categories, three units and grids of two streets.
async fn store() -> Store {
    let store = Store::in_memory().unwrap();
    store.write::<_, StoreError, _>(|tx| Box::pin(async move { fill(tx, 0..90).await })).await.unwrap();
    store
}

async fn fill(tx: &mut dyn Tx, numbers: std::ops::Range<i64>) -> Result<(), StoreError> {
    for n in numbers {
        insert(tx, n).await?;
    }
    Ok(())
}

async fn page(store: &Store, scope: &Scope, filter: &Filter) -> Page {
    let (scope, asked) = (scope.clone(), filter.clone());
    let read =
        store.read::<_, StoreError, _>(move |tx| Box::pin(async move { list(tx, &scope, DISTRICT, &asked).await }));
    read.await.unwrap()
}

/// Every page of a list, end to end.
async fn all(store: &Store, scope: &Scope, filter: &Filter) -> Vec<CaseItem> {
    let mut found: Vec<CaseItem> = Vec::new();
    let mut filter = filter.clone();
    loop {
        let page = page(store, scope, &filter).await;
        assert!(page.items.len() == filter.limit || page.next.is_none(), "so few rows leave no page short");
        found.extend(page.items);
        match page.next {
            Some(next) => filter.after = Some(next.parse().unwrap()),
            None => return found,
        }
        assert!(found.len() <= 90, "the pages go in a circle");
    }
}

async fn all_ids(store: &Store, scope: &Scope, filter: &Filter) -> BTreeSet<CaseId> {
    let (scope, filter) = (scope.clone(), filter.clone());
    let found =
        store.read::<_, StoreError, _>(move |tx| Box::pin(async move { every(tx, &scope, DISTRICT, &filter).await }));
    found.await.unwrap().into_keys().collect()
}

fn scope(column: Column, values: &[&str]) -> Scope {
    let branches = values.iter().map(|value| Branch { column, value: (*value).to_owned() });
    branches.fold(Scope::default(), |scope, branch| scope.or(branch))
}

/// True if a case belongs on a list, told one by one and without any index.
fn belongs(filter: &Filter, item: &CaseItem) -> bool {
    let state = State::from_code(&item.state).unwrap();
    let category = item.category.as_deref().and_then(|key| key.parse().ok());
    let is = |wanted: Option<&OrgCode>, found: Option<&str>| wanted.is_none_or(|it| found == Some(it.as_str()));
    let day = Millis(item.received_at).local_day();
    (filter.states.is_empty() || filter.states.contains(&state))
        && filter.mode.is_none_or(|mode| item.mode.as_deref().unwrap_or(&item.mode_claim) == mode.code())
        && is(filter.unit.as_ref(), item.unit.as_deref())
        && is(filter.handler.as_ref(), item.handler.as_deref())
        && (filter.categories.is_empty() || category.is_some_and(|key| filter.categories.contains(&key)))
        && filter.grid.as_ref().is_none_or(|place| item.grid.as_deref().unwrap().starts_with(place.as_str()))
        && filter.without.iter().all(|it| *it == Without::Category && item.category.is_none())
        && filter.reporter.as_ref().is_none_or(|user| item.reporter == *user)
        && filter.from.is_none_or(|from| day >= from)
        && filter.to.is_none_or(|to| day <= to)
        && (!filter.appealed || is_appealed(i64::from_be_bytes(item.id.as_bytes()[..8].try_into().unwrap())))
        && filter.sent_back.is_none_or(|wanted| item.sent_back == wanted)
        && filter.due.is_none_or(|(from, to)| item.deadline_at.is_some_and(|at| (from..to).contains(&at)))
        && (filter.order != Order::Deadline || item.deadline_at.is_some())
        && filter.q.iter().flat_map(|q| q.split_whitespace()).all(|word| item.text.contains(&word.to_lowercase()))
}

/// Numbers by the dice, the same every time.
struct Dice(u64);

impl Dice {
    fn of(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn sometimes<T>(&mut self, one_in: u64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.of(one_in) == 0).then(|| make(self))
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.of(list.len() as u64) as usize]
    }
}

fn filter(dice: &mut Dice) -> Filter {
    let open = [State::Reported, State::Verifying];
    let states = match dice.of(5) {
        0 => open.to_vec(),
        1 => vec![dice.pick(State::ALL)],
        2 => State::ALL.iter().copied().filter(|it| !open.contains(it) && *it != State::Void).collect(),
        _ => vec![],
    };
    let categories: Vec<CategoryRef> = KEYS[..dice.of(3) as usize].iter().map(|key| key.parse().unwrap()).collect();
    let day = |dice: &mut Dice| Millis(dice.of(30) as i64 * DAY).local_day();
    let code = |text: &str| text.parse().unwrap();
    Filter {
        appealed: dice.of(12) == 0,
        states,
        categories: if dice.of(2) == 0 { categories } else { vec![] },
        mode: dice.sometimes(4, |dice| dice.pick(Mode::ALL)),
        unit: dice.sometimes(4, |dice| code(dice.pick(&["U1", "U3", "U9"]))),
        handler: dice.sometimes(6, |_| code("U7")),
        grid: dice.sometimes(4, |dice| code(dice.pick(&[GRIDS[0], GRIDS[1], "640105001002", "640105001", "640105"]))),
        reporter: dice.sometimes(6, |dice| dice.pick(&["insp-1", "insp-2", "nobody"]).to_owned()),
        without: dice.sometimes(8, |dice| dice.pick(&Without::ALL)).into_iter().collect(),
        from: dice.sometimes(4, day),
        to: dice.sometimes(4, day),
        due: dice.sometimes(5, |dice| dice.pick(&Due::ALL).between(NOW)),
        sent_back: dice.sometimes(6, |dice| dice.of(2) == 0),
        q: dice.sometimes(3, |dice| {
            dice.pick(&[
                "垃圾",
                "件",
                "露垃",
                "100%_",
                "0_%",
                "第 0%",
                "KTV",
                "积水 北门",
                "水",
                "k",
                "%",
                "没有",
                "第4",
            ])
            .to_owned()
        }),
        order: dice.pick(&Order::ALL),
        after: None,
        limit: dice.pick(&[1, 4, 200]),
    }
}

#[tokio::test]
async fn every_combination_of_filters_gives_exactly_its_cases_in_every_order_and_page_size() {
    let store = store().await;
    let scopes = [
        scope(Column::District, &[DISTRICT]),
        scope(Column::Office, &["U1"]),
        scope(Column::Street, &["640105001", "640105002"]),
        scope(Column::Community, &["640105001002"]),
        scope(Column::Reporter, &["insp-2"]).or(Branch { column: Column::Grid, value: GRIDS[1].to_owned() }),
        Scope::default(),
    ];
    let mut dice = Dice(1);
    let mut shown = 0;
    for scope in &scopes {
        let everything = all(&store, scope, &Filter { limit: 200, ..Filter::default() }).await;
        for _ in 0..400 {
            let filter = filter(&mut dice);
            let mut expected: Vec<&CaseItem> = everything.iter().filter(|item| belongs(&filter, item)).collect();
            match filter.order {
                Order::NewestFirst => {}
                Order::OldestFirst => expected.reverse(),
                Order::Deadline => expected.sort_by_key(|item| (item.deadline_at, item.id)),
            }
            let found = all(&store, scope, &filter).await;
            // Words lead by ordinal: among cases of one instant the order is that of arrival.
            let ids = |items: &mut dyn Iterator<Item = &CaseItem>| -> Vec<(i64, CaseId)> {
                let mut ids: Vec<_> = items.map(|item| (item.received_at, item.id)).collect();
                if filter.q.is_some() {
                    ids.sort();
                }
                ids
            };
            let times = |items: &[CaseItem]| items.iter().map(|item| item.received_at).collect::<Vec<_>>();
            if filter.order == Order::NewestFirst {
                assert!(times(&found).is_sorted_by(|a, b| a >= b), "{filter:?}");
            }
            assert_eq!(ids(&mut found.iter()), ids(&mut expected.iter().copied()), "{scope:?} {filter:?}");
            let known: BTreeSet<CaseId> = found.iter().map(|item| item.id).collect();
            assert_eq!(all_ids(&store, scope, &filter).await, known, "{scope:?} {filter:?}");
            shown += found.len();
        }
    }
    assert!(shown > 3_000, "the dice made filters that find nothing: {shown}");
}

#[tokio::test]
async fn days_bound_a_list_in_both_orders_and_on_every_page() {
    let store = store().await;
    let scope = scope(Column::District, &[DISTRICT]);
    let day = |n: i64| Millis(n * DAY).local_day();
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
async fn a_page_looks_at_no_more_than_its_share_of_rows_and_goes_on_behind_it() {
    let store = Store::in_memory().unwrap();
    let many = 45_000;
    let written = store.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            fill(tx, 0..10).await?;
            // Cases of one unit only, none of which anybody asks for, between two ends that are asked for.
            tx.execute(
                "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
                 INSERT INTO case_row (id, district, state, version, mode_claim, category, category_claim, unit, office,
                 street, community, grid, reporter, source, received_at, received_day, heads, text, updated_at, event_hash,
                 ledger, ordinal) SELECT randomblob(16), '640105', 'closed', 1, 'self_handled', 't:event:A1', '', 'U1', 'U1',
                 '', '', '', 'r', 'inspector', 86400000 * 5 + n, '', x'', '', 0, zeroblob(32), '', -n FROM n",
                params![many],
            )
            .await?;
            Ok(())
        })
    });
    written.await.unwrap();
    let scope = scope(Column::District, &[DISTRICT]);
    for order in [Order::NewestFirst, Order::OldestFirst] {
        // Two wide conditions that nearly nothing meets together.
        let mut filter = Filter {
            unit: Some("U1".parse().unwrap()),
            mode: Some(Mode::Forwarded),
            order,
            limit: 50,
            ..Filter::default()
        };
        let (mut found, mut pages) = (0, 0);
        loop {
            let page = page(&store, &scope, &filter).await;
            assert!(page.examined <= EXAMINED + 2_000, "{}", page.examined);
            found += page.items.len();
            pages += 1;
            match page.next {
                Some(next) => filter.after = Some(next.parse().unwrap()),
                None => break,
            }
        }
        assert_eq!((found, pages), (2, 3), "cases 3 and 9, over 45,000 rows in steps of 20,000");
    }
}

#[tokio::test]
async fn every_list_is_led_by_the_index_it_was_written_for() {
    let store = store().await;
    let unit = || Value::from("U640105001");
    let in_district = |column| Lead::in_district(DISTRICT, column, Value::from("x"));
    let of_rows = [
        (in_district("state"), "case_row_state (district=? AND state=?"),
        (in_district("category"), "case_row_category (district=? AND category=?"),
        (Lead::column("office", unit()), "case_row_office (office=?"),
        (Lead::column("handler", unit()), "case_row_handler (handler=?"),
        (Lead::column("unit", unit()), "case_row_unit (unit=?"),
        (Lead::column("reporter", unit()), "case_row_reporter (reporter=?"),
        (Lead::place(&GRIDS[0].parse().unwrap()), "case_row_grid (grid=?"),
        (Lead::place(&"640105001001".parse().unwrap()), "case_row_street (street=?"),
        (Lead::column("district", unit()), "case_row_received (district=?"),
        (Lead::pair("垃圾"), "g USING PRIMARY KEY (gram=? AND ordinal"),
    ];
    let by_deadline = [
        (Lead::column("district", unit()), "case_row_deadline (district=?"),
        (Lead::column("office", unit()), "case_row_deadline_office (office=?"),
        (Lead::column("handler", unit()), "case_row_deadline_handler (handler=?"),
    ];
    let both = |(lead, index): (Lead, &'static str)| {
        [Order::NewestFirst, Order::OldestFirst].map(|order| (order, lead.clone(), index))
    };
    let deadline = by_deadline.into_iter().map(|(lead, index)| (Order::Deadline, lead, index));
    for (order, lead, index) in of_rows.into_iter().flat_map(both).chain(deadline) {
        for (from, after) in [(None, None), (Some(3), Some("259200000.01HF0000000000000000000000"))] {
            let from = from.map(|n: i64| Millis(n * DAY).local_day());
            let after = after.map(|it| it.parse().unwrap());
            let filter = Filter { order, from, after, to: from, limit: 50, ..Filter::default() };
            let query = Query::new(lead.clone(), vec![], &filter, None);
            let sql = query.rows(None, None, 50);
            let plan = plan_of(&store, &sql.text, sql.params).await;
            assert!(plan[0].contains(index), "{index} for {filter:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "nothing is sorted: {plan:?}");
        }
    }
}

#[tokio::test]
async fn open_appeals_are_looked_up_and_everything_else_is_left_alone() {
    let store = store().await;
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let filter = Filter { order, limit: 50, ..Filter::default() };
        let sql = Query::new(Lead::appeals(DISTRICT), vec![], &filter, None).rows(None, None, 50);
        let plan = plan_of(&store, &sql.text, sql.params).await.join("; ");
        assert!(plan.contains("SEARCH c USING INDEX sqlite_autoindex_case_row_1 (id=?)"), "{plan}");
        assert!(plan.contains("case_row_appeal (district=?") && !plan.contains("SCAN"), "{plan}");
    }
}

#[tokio::test]
async fn words_are_found_as_they_are_and_wildcards_mean_themselves() {
    let store = store().await;
    let scope = scope(Column::District, &[DISTRICT]);
    for (q, expected) in
        [("第5件", 1), ("0%_", 18), ("0_%", 0), ("第", 36), ("垃圾", 18), ("ktv", 18), (" KTV2 ", 3), ("水", 36)]
    {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let filter = Filter { q: Some(q.to_owned()), order, limit: 4, ..Filter::default() };
            assert_eq!(all(&store, &scope, &filter).await.len(), expected, "{q}");
        }
    }
}

#[tokio::test]
async fn a_case_is_found_by_any_four_digits_of_its_number_and_by_three_only_of_its_text() {
    let store = store().await;
    let written = store.write::<_, StoreError, _>(|tx| {
        Box::pin(async move {
            for row in tx.query("SELECT id, ordinal, text FROM case_row ORDER BY id", &[]).await? {
                let (id, ordinal, text) = (row.array::<16>(0)?, row.int(1)?, row.text(2)?);
                let n = i64::from(id[7]);
                let number = format!("64010520231105{:06}", n * 37);
                tx.execute("UPDATE case_row SET case_no = ?2 WHERE id = ?1", params![id, &number]).await?;
                let grams = |number| search::of_case(text, number);
                search::replace(tx, ordinal, &grams(None), &grams(Some(&number))).await?;
            }
            Ok(())
        })
    });
    written.await.unwrap();
    let scope = scope(Column::District, &[DISTRICT]);
    // Numbers run from 000000 to 003293 in steps of 37; 第37件 is no number and 井盖损坏38 is.
    for (q, expected) in [
        ("000037", 1),
        ("0037", 2),
        ("1050000", 3),
        ("05000111", 1),
        ("2023", 90),
        ("64010520231105", 90),
        ("64010520231105003293", 1),
        ("0111 2023", 2),
        ("0111 垃圾", 0),
        ("0222 垃圾", 1),
        ("3293", 1),
        ("9999", 0),
        ("037", 0),
        ("38", 1),
        ("-0037", 0),
    ] {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let filter = Filter { q: Some(q.to_owned()), order, limit: 4, ..Filter::default() };
            assert_eq!(all(&store, &scope, &filter).await.len(), expected, "{q}");
        }
    }
}
