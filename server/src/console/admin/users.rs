//! The list of users.

use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{OrgCode, Role};

use super::sheet::{Cell, Sheet, Table};
use crate::console::fault::Fault;
use crate::console::field::{Choice, Field, Group, Kind};
use crate::console::sent::Sent;
use crate::console::visit::Visit;
use crate::console::{choices, link, words};
use crate::domain::accounts::{self, Filter, Listed};

/// Users on a page.
const PAGE: usize = 50;

/// `GET /admin/users`.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = page(&visit, &query).await;
    visit.answer(answer)
}

async fn page(visit: &Visit, query: &Sent) -> Result<Response, Fault> {
    super::keeper(visit)?;
    let lang = visit.lang;
    let filter = Filter {
        name: query.get("name").to_owned(),
        role: Role::from_code(query.get("role")),
        unit: query.org("unit"),
        after: query.get("after").to_owned(),
        limit: PAGE,
    };
    let (asked, keeper, directory) = (filter.clone(), visit.viewer.scope.clone(), visit.directory.clone());
    let store = &visit.app.services.store;
    let (users, more) = store
        .read::<_, Fault, _>(move |tx| {
            Box::pin(async move { Ok(accounts::list(tx, &directory, &keeper, &asked).await?) })
        })
        .await?;
    let kept = |after: &str| {
        let given = ["name", "role", "unit"].map(|name| (name, query.get(name)));
        link::with("/admin/users", given.into_iter().chain([("after", after)]))
    };
    let next = more.then(|| users.last().map(|last| kept(&last.account.id))).flatten();
    let title = lang.say("admin.users").to_owned();
    let table = Table {
        id: "users",
        title: title.clone(),
        heads: ["user.name", "user.role", "user.unit", "user.last_login", "user.state"].map(|key| lang.say(key)).into(),
        rows: users.iter().map(|user| row(visit, user)).collect(),
        empty: lang.say("user.none"),
        ..Table::default()
    };
    let page = Sheet::new(visit, title)
        .button("/admin/users/new", lang.say("user.add"))
        .filters("/admin/users", filters(visit, query))
        .table(table)
        .pages((!filter.after.is_empty()).then(|| kept("")), next);
    Ok(page.show(StatusCode::OK))
}

fn filters(visit: &Visit, query: &Sent) -> Vec<Field> {
    let lang = visit.lang;
    let unit = query.get("unit");
    let all = |current: &str| Choice::new("", lang.say("list.all"), current);
    let units = choices::units(&visit.directory, |_| true, all(unit), unit);
    vec![
        Field::new("name", lang.say("user.name_part"), Kind::Line("text"), query.get("name")),
        Field::new(
            "role",
            lang.say("user.role"),
            Kind::Choice(roles(visit, all(query.get("role")), query.get("role"))),
            "",
        ),
        Field::new("unit", lang.say("user.unit"), Kind::Choice(units), ""),
    ]
}

/// All roles, after `first`.
pub(super) fn roles(visit: &Visit, first: Choice, current: &str) -> Vec<Group> {
    let role = |role: &Role| Choice::new(role.code(), visit.lang.word("role", role.code()), current);
    vec![choices::ungrouped(std::iter::once(first).chain(Role::ALL.iter().map(role)).collect())]
}

fn row(visit: &Visit, user: &Listed) -> Vec<Cell> {
    let (lang, account, now) = (visit.lang, &user.account, visit.app.services.security.now());
    let place = |code: &OrgCode| choices::place(&visit.directory, code.as_str());
    let unit = account.unit.as_ref().map_or_else(|| place(&account.scope), place);
    let seen =
        user.last_login.map_or_else(Cell::default, |at| Cell::of(words::when(at, now)).and(words::ago(lang, at, now)));
    vec![
        Cell::link(&*account.name, format!("/admin/users/{}", account.id)).and(&*account.id),
        Cell::of(lang.word("role", account.role.code())),
        Cell::of(unit),
        seen,
        state(visit, account, now),
    ]
}

/// Whether somebody can log in.
pub(super) fn state(
    visit: &Visit,
    account: &crate::auth::account::Account,
    now: xunge_client_core::model::Millis,
) -> Cell {
    let lang = visit.lang;
    if account.disabled_at.is_some() {
        return Cell::tagged(lang.say("user.disabled"), "bad");
    }
    if account.locked_until > now {
        return Cell::tagged(lang.say("user.locked"), "warn");
    }
    if account.password_once {
        return Cell::tagged(lang.say("user.once"), "warn");
    }
    Cell::of(lang.say("user.open"))
}
