//! Reference data: category trees, one published month, time limits, and the org tree of an installation.
//!
//! Everything is compiled in from `server/data/`; its README says where each number comes from. Parsing is
//! infallible at run time because a test parses every file: a broken file never leaves the repository.
//!
//! | module | what it gives |
//! |---|---|
//! | [`taxonomy`] | category trees: standard and local schemes |
//! | [`category_file`] | category trees as a file, `docs/CATEGORY-FILE.md` |
//! | [`published`] | the report of 西夏区, November 2023, as typed rows |
//! | [`timetable`] | working time with its holidays, and time limits; an example of each |
//! | [`org_file`] | the `--org` file, `docs/ORG-FILE.md` |
//! | [`org`] | the checked org tree: places, units, users |
//! | [`xixia`] | the example district of `init --example xixia` and of the demo |

pub mod category_file;
mod category_problem;
pub mod org;
mod org_check;
pub mod org_file;
mod org_problem;
pub mod problem;
pub mod published;
pub mod taxonomy;
mod tessellation;
pub mod timetable;
pub mod xixia;

/// Reads the rows of a compiled-in table.
///
/// # Panics
/// If a row does not fit `T`; the tests of each table read all of its rows.
fn rows<T: serde::de::DeserializeOwned>(table: &'static str) -> Vec<T> {
    csv::Reader::from_reader(table.as_bytes())
        .into_deserialize()
        .map(|row| row.expect("a test reads every row of every compiled-in table"))
        .collect()
}
