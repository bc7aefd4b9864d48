//! The console at a million cases beside ten thousand: counts, lists, pages, and how each grows.
//!
//! The folders are kept in `$XUNGE_FIGURES` (by default below the system's temporary folder), so a second run does not
//! make them again. Times are of the server's own work, without a network.

use std::path::PathBuf;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode, header};
use tower::ServiceExt;
use xunge_client_core::model::LocalDay;
use xunge_server::app::App;
use xunge_server::clock::Business;
use xunge_server::config::Config;
use xunge_server::console;
use xunge_server::datadir::DataDir;
use xunge_server::domain::cases::{self, EXAMINED, Filter};
use xunge_server::domain::counts::query::{Ask, By, table};
use xunge_server::domain::people::Viewer;
use xunge_server::domain::scope::Scope;
use xunge_server::store::StoreError;
use xunge_tests::office::{Asked, BigOffice, NOW, filters};

use super::Tier;
use super::figure::{Figure, grouped};

/// Times each thing is done; the median counts, so that a neighbour's compiler does not.
const TIMES: usize = 5;
/// Pages of each list.
const PAGES: usize = 3;
/// Pages of the console and whoever looks at them.
const LOOKS: [(&str, &str); 12] = [
    ("audit-1", "/"),
    ("audit-1", "/?month=2023-11"),
    ("audit-1", "/?month=2023-11&unit=U640105005"),
    ("review-xihuayuan-1", "/?month=2023-11"),
    ("audit-1", "/map?month=2023-11"),
    ("audit-1", "/map?month=2023-11&place=640105001001"),
    ("audit-1", "/cases"),
    ("audit-1", "/cases?q=%E4%BA%95%E7%9B%96%E7%BC%BA%E5%A4%B1&mode=forwarded"),
    ("audit-1", "/cases?due=overdue&order=deadline"),
    ("handle-huanwei", "/cases"),
    ("review-xihuayuan-1", "/review"),
    ("review-xihuayuan-1", "/phones"),
];

/// What one store gave, in milliseconds.
struct Taken {
    cases: u64,
    months: Vec<(f64, String)>,
    dates: Vec<(f64, String)>,
    /// Each page of each question: milliseconds and rows looked at.
    lists: Vec<(f64, u64, String)>,
    pages: Vec<(f64, String)>,
    bytes: u64,
    gram_rows: i64,
    gram_bytes: Option<i64>,
}

pub(crate) async fn measure(tier: Tier) -> Vec<Figure> {
    let small = take(10_000).await;
    let large = take(tier.pick(20_000, 100_000, 1_000_000)).await;
    let of = format!("{} cases beside {}", grouped(large.cases), grouped(small.cases));
    let mut figures = vec![Figure::note("office: store", of)];
    let mut line = |name: &str, large: &[f64], small: &[f64], share: f64, limit: f64| {
        let (value, before) = (percentile(large, share), percentile(small, share));
        figures.push(Figure::at_most(name, value, limit, "ms"));
        figures.push(Figure::note(
            format!("{name}: ratio to 10,000 cases"),
            format!("{:.1} x", value / before.max(0.001)),
        ));
    };
    let times = |taken: &Taken| taken.lists.iter().map(|(ms, ..)| *ms).collect::<Vec<f64>>();
    let only = |named: &[(f64, String)]| named.iter().map(|(ms, _)| *ms).collect::<Vec<f64>>();
    line("counts of whole months, longest", &only(&large.months), &only(&small.months), 1.0, 5.0);
    line("counts of any dates, longest", &only(&large.dates), &only(&small.dates), 1.0, 30.0);
    line("a page of a list, p95 over the committed questions", &times(&large), &times(&small), 0.95, 20.0);
    line("a page of a list, longest", &times(&large), &times(&small), 1.0, 100.0);
    line("a page of the console, longest", &only(&large.pages), &only(&small.pages), 1.0, 100.0);
    let most = large.lists.iter().map(|(_, rows, _)| *rows).max().unwrap_or_default();
    figures.push(Figure::at_most("rows looked at for a page, most", most as f64, EXAMINED as f64 * 1.2, "rows"));
    let rows = large.lists.iter().map(|(_, rows, _)| *rows as f64).collect::<Vec<f64>>();
    figures.push(Figure::note("rows looked at for a page, median", format!("{:.0}", percentile(&rows, 0.5))));
    let per_case = |n: i64| n as f64 / large.cases as f64;
    figures.push(Figure::note("search index: rows per case", format!("{:.1}", per_case(large.gram_rows))));
    if let Some(bytes) = large.gram_bytes {
        figures.push(Figure::note("search index: bytes per case", format!("{:.0}", per_case(bytes))));
    }
    figures.push(Figure::note("database: bytes per case", format!("{:.0}", large.bytes as f64 / large.cases as f64)));
    let mut slow: Vec<&(f64, u64, String)> = large.lists.iter().collect();
    slow.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (ms, rows, name) in slow.into_iter().take(8) {
        figures.push(Figure::note(format!("  {name}"), format!("{ms:.1} ms, {rows} rows")));
    }
    for named in [&large.months, &large.dates, &large.pages] {
        let mut slow: Vec<&(f64, String)> = named.iter().collect();
        slow.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (ms, name) in slow.into_iter().take(6) {
            figures.push(Figure::note(format!("  {name}"), format!("{ms:.1} ms")));
        }
    }
    figures
}

/// The value below which `share` of the values lie.
fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(index).copied().unwrap_or_default()
}

/// The median time of some tries, in milliseconds, and what the last gave.
async fn median<T>(run: impl AsyncFn() -> T) -> (f64, T) {
    let mut times = Vec::with_capacity(TIMES);
    let mut last = None;
    for _ in 0..TIMES {
        let begun = Instant::now();
        last = Some(run().await);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    (percentile(&times, 0.5), last.expect("tried at least once"))
}

async fn take(cases: u64) -> Taken {
    let keep = std::env::var_os("XUNGE_FIGURES").map_or_else(std::env::temp_dir, PathBuf::from);
    let office = tokio::task::spawn_blocking(move || BigOffice::open(&keep, cases)).await.unwrap();
    let data = DataDir::open(&office.data).unwrap();
    let bytes = std::fs::metadata(data.database()).unwrap().len();
    let open = move || App::open(data, Config::default(), Business::standing(NOW)).unwrap();
    let app = tokio::task::spawn_blocking(open).await.unwrap();
    let (months, dates) = counts(&app).await;
    let lists = lists(&app).await;
    let pages = pages(&app, &office).await;
    let (gram_rows, gram_bytes) = index(&app).await;
    app.close().await.unwrap();
    Taken { cases, months, dates, lists, pages, bytes, gram_rows, gram_bytes }
}

/// Every split of places and units, over whole months and over dates that begin and end anywhere.
async fn counts(app: &App) -> (Vec<(f64, String)>, Vec<(f64, String)>) {
    let day = |y, m, d| LocalDay::new(y, m, d).unwrap();
    let whole = [(day(2023, 11, 1), day(2023, 11, 30)), (day(2023, 1, 1), day(2023, 12, 31))];
    let any = [
        (day(2023, 11, 3), day(2023, 11, 19)),
        (day(2022, 12, 17), day(2023, 12, 14)),
        (day(2021, 2, 16), day(2023, 10, 15)),
    ];
    let (mut months, mut dates) = (vec![], vec![]);
    for scope in ["640105", "640105001", "640105001002", "640105001002003", "U640105005"] {
        for by in [None, Some(By::Unit), Some(By::Category), Some(By::Mode), Some(By::Grid), Some(By::Day)] {
            for (times, periods) in [(&mut months, &whole[..]), (&mut dates, &any[..])] {
                for (from, to) in periods {
                    // Days of three years are no question anybody asks.
                    if by == Some(By::Day) && to.number() - from.number() > 31 {
                        continue;
                    }
                    let ask = Ask { scope: scope.parse().unwrap(), from: *from, to: *to, by };
                    let (ms, _) = median(async || counted(app, ask.clone()).await).await;
                    let by = by.map_or("nothing", By::code);
                    times.push((ms, format!("counts of {scope} by {by}, {from} to {to}")));
                }
            }
        }
    }
    (months, dates)
}

async fn counted(app: &App, ask: Ask) -> i64 {
    let shared = app.services.directory.clone();
    let read = app.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let directory = shared.get(tx).await?;
            table(tx, &directory, &ask).await
        })
    });
    read.await.unwrap().total.reported
}

/// The first pages of every committed question.
async fn lists(app: &App) -> Vec<(f64, u64, String)> {
    let shared = app.services.directory.clone();
    let read = app.services.store.read::<_, StoreError, _>(move |tx| Box::pin(async move { shared.get(tx).await }));
    let directory = read.await.unwrap();
    let mut taken = vec![];
    for Asked { user, query, filter } in filters(&directory) {
        let viewer = app.services.store.read::<_, StoreError, _>(move |tx| Box::pin(Viewer::load(tx, user)));
        let scope = Scope::of(&viewer.await.unwrap().expect("the example has this user"), &directory);
        let mut filter = filter;
        for number in 1..=PAGES {
            let (ms, page) = median(async || listed(app, &scope, &filter).await).await;
            taken.push((ms, page.examined, format!("{user} {query} page {number}: {} found", page.items.len())));
            let Some(next) = page.next else { break };
            filter.after = Some(next.parse().unwrap());
        }
    }
    taken
}

async fn listed(app: &App, scope: &Scope, filter: &Filter) -> cases::Page {
    let (scope, filter) = (scope.clone(), filter.clone());
    let read = app
        .services
        .store
        .read::<_, StoreError, _>(move |tx| Box::pin(async move { cases::list(tx, &scope, "640105", &filter).await }));
    read.await.unwrap()
}

/// Pages of the console through its router, with a session.
async fn pages(app: &App, office: &BigOffice) -> Vec<(f64, String)> {
    let router = console::router(app.clone());
    let mut sessions: Vec<(&str, String)> = vec![];
    let mut taken = vec![];
    for (user, path) in LOOKS {
        if !sessions.iter().any(|(known, _)| *known == user) {
            sessions.push((user, sign_in(&router, office, user).await));
        }
        let session = &sessions.iter().find(|(known, _)| *known == user).unwrap().1;
        let (ms, status) = median(async || {
            let request = Request::get(path).header("cookie", session).header("accept", "text/html");
            let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let status = answer.status();
            to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            status
        })
        .await;
        assert_eq!(status, StatusCode::OK, "{user} {path}");
        taken.push((ms, format!("{user} {path}")));
    }
    taken
}

/// The session's cookie, by the log-in form.
async fn sign_in(router: &Router, office: &BigOffice, user: &str) -> String {
    let password = office.init["users"].as_array().unwrap().iter().find(|it| it["user"] == user).unwrap();
    let form = router.clone().oneshot(Request::get("/login").body(Body::empty()).unwrap()).await.unwrap();
    let visitor = form.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let token = visitor.split_once('=').unwrap().1;
    let body = format!("token={token}&back=&user={user}&password={}", password["password"].as_str().unwrap());
    let request = Request::post("/login")
        .header("host", "127.0.0.1:8080")
        .header("origin", "http://127.0.0.1:8080")
        .header("sec-fetch-site", "same-origin")
        .header("cookie", &visitor)
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{user} signs in");
    let cookies = answer.headers().get_all(header::SET_COOKIE).iter().map(|it| it.to_str().unwrap());
    let session = cookies.map(|it| it.split(';').next().unwrap()).find(|it| it.starts_with("__Host-xunge="));
    session.unwrap().to_owned()
}

/// Rows of the search index and, where the engine tells, its bytes.
async fn index(app: &App) -> (i64, Option<i64>) {
    let count = |sql: &'static str| {
        app.services
            .store
            .read::<_, StoreError, _>(move |tx| Box::pin(async move { tx.query_one(sql, &[]).await?.int(0) }))
    };
    let rows = count("SELECT COUNT(*) FROM case_gram").await.unwrap();
    (rows, count("SELECT SUM(pgsize) FROM dbstat WHERE name = 'case_gram'").await.ok())
}
