//! The category trees (类别表), one at a time; below them another category file is checked.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{CategoryRef, Kind as PartOrEvent};

use super::category_file::PAGE;
use super::exchanged;
use super::sheet::{Cell, Sheet, Table};
use crate::console::field::{Choice, Field, Kind};
use crate::console::sent::Sent;
use crate::console::visit::Visit;
use crate::console::{choices, link};
use crate::domain::directory::Category;
use crate::reference::taxonomy::XIXIA;

/// `GET /admin/categories`.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = super::keeper(&visit).map(|()| sheet(&visit, &query).show(StatusCode::OK));
    visit.answer(answer)
}

fn sheet(visit: &Visit, query: &Sent) -> Sheet {
    let lang = visit.lang;
    let mut trees: BTreeMap<(&str, PartOrEvent), usize> = BTreeMap::new();
    for (key, _) in visit.directory.categories() {
        *trees.entry((&key.scheme, key.kind)).or_default() += 1;
    }
    let tree = query.given("tree").map_or_else(|| format!("{XIXIA}:{}", PartOrEvent::Event), str::to_owned);
    let choice = |((scheme, kind), n): (&(&str, PartOrEvent), &usize)| {
        let label = format!("{scheme} · {}（{n}）", lang.word("tree", kind.code()));
        Choice::new(format!("{scheme}:{kind}"), label, &tree)
    };
    let of_tree = |key: &CategoryRef| format!("{}:{}", key.scheme, key.kind) == tree;
    // A major, then what is below it.
    let mut listed: Vec<(&CategoryRef, &Category)> =
        visit.directory.categories().filter(|(key, _)| of_tree(key)).collect();
    listed.sort_by_key(|(key, category)| {
        let major = category.parent.as_deref().unwrap_or(&key.code);
        (major.to_owned(), category.parent.is_some(), key.code.clone())
    });
    let title = lang.say("admin.categories").to_owned();
    let scheme = tree.split(':').next().unwrap_or_default();
    let page = Sheet::new(visit, title.clone())
        .intro(lang.say("category.intro"))
        .button(link::with("/admin/categories.csv", [("scheme", scheme)]), lang.say("category.download"))
        .button("/admin/categories.csv", lang.say("category.download_all"))
        .filters(
            "/admin/categories",
            vec![Field::new(
                "tree",
                lang.say("category.tree"),
                Kind::Choice(vec![choices::ungrouped(trees.iter().map(choice).collect())]),
                "",
            )],
        )
        .table(Table {
            id: "categories",
            title,
            heads: [
                "list.category",
                "category.major",
                "category.code",
                "category.self",
                "category.maps_to",
                "reason.state",
            ]
            .map(|key| lang.say(key))
            .into(),
            rows: listed.into_iter().map(|(key, category)| row(visit, key, category)).collect(),
            empty: lang.say("category.none"),
            ..Table::default()
        });
    if exchanged::may(visit) { page.form(PAGE.upload(visit)) } else { page }
}

fn row(visit: &Visit, key: &CategoryRef, category: &Category) -> Vec<Cell> {
    let lang = visit.lang;
    let major = category.parent.as_ref().map(|code| CategoryRef { code: code.clone(), ..key.clone() });
    let above = match &major {
        Some(major) => Cell::of(choices::name(&visit.directory, &major.to_string())),
        None => Cell::tagged(lang.say("category.is_major"), "-"),
    };
    let maps: Vec<String> = category.maps_to.iter().map(|key| key.code.clone()).collect();
    vec![
        Cell::of(&*category.name),
        above,
        Cell { code: true, ..Cell::of(&*key.code) },
        Cell::of(if category.self_handling { lang.say("category.yes") } else { "" }),
        Cell { code: true, ..Cell::of(maps.join(" ")) },
        match category.retired {
            true => Cell::tagged(lang.say("reason.retired"), "warn"),
            false => Cell::of(lang.say("reason.in_use")),
        },
    ]
}
