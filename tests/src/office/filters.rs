//! The committed list of questions that figures of lists are taken over: whoever asks, and the query of `/cases`.

use xunge_client_core::model::{CategoryRef, Mode};
use xunge_client_core::workflow::State;
use xunge_server::domain::cases::{Due, Filter, Order};
use xunge_server::domain::directory::Directory;

/// The list.
const LIST: &str = include_str!("../../fixtures/office/filters.txt");

/// One question.
#[derive(Debug, Clone)]
pub struct Asked {
    /// User name of whoever asks.
    pub user: &'static str,
    /// The query as an address has it, not percent-encoded.
    pub query: &'static str,
    /// The same for the domain.
    pub filter: Filter,
}

/// Reads the list.
///
/// # Panics
/// If it has a line that is no question.
pub fn filters(directory: &Directory) -> Vec<Asked> {
    let lines = LIST.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (user, query) = line.split_once(' ').unwrap_or((line, ""));
            Asked { user, query, filter: read(directory, query) }
        })
        .collect()
}

fn read(directory: &Directory, query: &str) -> Filter {
    let mut filter = Filter { limit: 50, ..Filter::default() };
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match name {
            "state" => filter.states = value.split(',').map(|code| State::from_code(code).unwrap()).collect(),
            "mode" => filter.mode = Mode::from_code(value),
            "unit" => filter.unit = Some(value.parse().unwrap()),
            "handler" => filter.handler = Some(value.parse().unwrap()),
            "category" => {
                let key: CategoryRef = value.parse().unwrap();
                filter.categories = directory.minors(&key);
                filter.categories.retain(|minor| *minor != key);
                filter.categories.push(key);
            }
            "grid" => filter.grid = Some(value.parse().unwrap()),
            "reporter" => filter.reporter = Some(value.to_owned()),
            "from" => filter.from = Some(value.parse().unwrap()),
            "to" => filter.to = Some(value.parse().unwrap()),
            "due" => filter.due = Due::from_code(value).map(|due| due.between(super::NOW)),
            "q" => filter.q = Some(value.to_owned()),
            "order" => filter.order = Order::from_code(value).unwrap(),
            other => panic!("no filter is called {other}"),
        }
    }
    filter
}
