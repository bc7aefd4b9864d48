//! Category trees as CSV: `scheme,kind,code,parent,name_zh,name_en,maps_to,self_handling,retired`, docs/CATEGORY-FILE.md.
//!
//! Columns are known by their headers, in any order. The table that is built in is read by the same rules.

use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::model::{CategoryRef, Kind};

pub use super::category_problem::{CategoryProblem, Fault};
use super::taxonomy::Category;

/// Columns of a file, in the order in which they are written; the last may be missing.
pub const COLUMNS: [&str; 9] =
    ["scheme", "kind", "code", "parent", "name_zh", "name_en", "maps_to", "self_handling", "retired"];
/// Columns of the built-in table that say where a row is from; they are not looked at.
const IGNORED: [&str; 3] = ["level", "source", "code_origin"];
/// Most bytes of a file: ten times all the trees that are built in.
pub const MAX_BYTES: usize = 1 << 20;
/// Most rows.
const MAX_ROWS: usize = 5_000;
/// Most characters of a scheme or code.
const MAX_CODE: usize = 48;
/// Most characters of a Chinese and of an English name.
const MAX_NAMES: [usize; 2] = [64, 128];

/// Reads a file: every category in its order.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Vec<Category>, Vec<CategoryProblem>> {
    let whole = |fault| vec![CategoryProblem::whole(fault)];
    if bytes.len() > MAX_BYTES {
        return Err(whole(Fault::TooLarge));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| whole(Fault::Csv))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| whole(Fault::Csv))?.clone();
    let columns = columns(&header)?;
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record {
            // Spreadsheets leave such rows at the end.
            Ok(record) if record.iter().all(str::is_empty) => {}
            Ok(record) => rows.push(row(&record, &columns, &mut problems)),
            Err(error) => {
                let line = error.position().map(csv::Position::line);
                problems.push(CategoryProblem { line, ..CategoryProblem::whole(Fault::Width) });
            }
        }
        if rows.len() > MAX_ROWS {
            return Err(whole(Fault::TooLarge));
        }
    }
    if rows.is_empty() && problems.is_empty() {
        return Err(whole(Fault::Empty));
    }
    // Rows that can not be read have no key; what they miss would be told a second time.
    if problems.is_empty() {
        check(&rows, &mut problems);
    }
    if problems.is_empty() { Ok(rows.into_iter().map(|(_, category)| category).collect()) } else { Err(problems) }
}

/// Writes a file that [`read`] takes and a spreadsheet shows without computing anything: no value begins as a formula does.
pub fn write<'a>(categories: impl Iterator<Item = &'a Category>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let yes = |it: bool| if it { "yes" } else { "no" };
    let mut record = |values: [&str; COLUMNS.len()]| writer.write_record(values).expect("memory takes every record");
    record(COLUMNS);
    for it in categories {
        let (parent, maps_to) = (it.parent.as_deref().unwrap_or_default(), it.maps_to.join(";"));
        let CategoryRef { scheme, kind, code } = &it.key;
        let (own, retired) = (yes(it.self_handling), yes(it.retired));
        record([scheme, kind.code(), code, parent, &it.name_zh, &it.name_en, &maps_to, own, retired]);
    }
    String::from_utf8(writer.into_inner().expect("memory is always written")).expect("texts stay texts")
}

/// Where each of [`COLUMNS`] stands.
fn columns(header: &csv::StringRecord) -> Result<[Option<usize>; COLUMNS.len()], Vec<CategoryProblem>> {
    let mut problems = Vec::new();
    let mut found = [None; COLUMNS.len()];
    let mut seen = BTreeSet::new();
    for (at, name) in header.iter().enumerate() {
        if !seen.insert(name) {
            problems.push(CategoryProblem::at(1, name, "", Fault::ColumnTwice));
        }
        match COLUMNS.iter().position(|known| *known == name) {
            Some(index) => found[index] = Some(at),
            None if IGNORED.contains(&name) => {}
            None => problems.push(CategoryProblem::at(1, name, "", Fault::Column)),
        }
    }
    for (name, at) in COLUMNS.iter().zip(found) {
        if at.is_none() && *name != "retired" {
            problems.push(CategoryProblem::at(1, name, "", Fault::ColumnMissing));
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// One row with its line; what can not be read is a problem, and then empty or no.
fn row(
    record: &csv::StringRecord,
    columns: &[Option<usize>; COLUMNS.len()],
    problems: &mut Vec<CategoryProblem>,
) -> (u64, Category) {
    let line = record.position().map_or(0, csv::Position::line);
    let values = columns.map(|at| at.and_then(|at| record.get(at)).unwrap_or_default());
    let mut wrong =
        |index: usize, fault| problems.push(CategoryProblem::at(line, COLUMNS[index], values[index], fault));
    let [scheme, kind, code, parent, name_zh, name_en, maps_to, self_handling, retired] = values;
    for (index, value) in [(0, scheme), (2, code), (3, parent)] {
        let left_out = value.is_empty() && COLUMNS[index] == "parent";
        if !left_out && !is_code(value) {
            wrong(index, Fault::Code);
        }
    }
    if maps_to.split(';').any(|code| !code.is_empty() && !is_code(code)) {
        wrong(6, Fault::Code);
    }
    for (index, (value, most)) in (4..).zip([name_zh, name_en].into_iter().zip(MAX_NAMES)) {
        let empty = value.is_empty() && COLUMNS[index] == "name_zh";
        if empty || value.chars().count() > most || value.chars().any(char::is_control) || computes(value) {
            wrong(index, Fault::Name);
        }
    }
    let known = Kind::from_code(kind);
    if known.is_none() {
        wrong(1, Fault::Kind);
    }
    let mut yes = |index, value| match value {
        "yes" => true,
        "no" => false,
        "" if index == 8 => false,
        _ => {
            wrong(index, Fault::YesNo);
            false
        }
    };
    let (self_handling, retired) = (yes(7, self_handling), yes(8, retired));
    let key = CategoryRef { scheme: scheme.to_owned(), kind: known.unwrap_or(Kind::Event), code: code.to_owned() };
    let category = Category {
        key,
        parent: (!parent.is_empty()).then(|| parent.to_owned()),
        name_zh: name_zh.to_owned(),
        name_en: name_en.to_owned(),
        maps_to: maps_to.split(';').filter(|code| !code.is_empty()).map(str::to_owned).collect(),
        self_handling,
        retired,
    };
    (line, category)
}

/// Letters, digits, dots and dashes, the first neither dot nor dash: what files, addresses and spreadsheets leave alone.
fn is_code(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    begins && text.len() <= MAX_CODE && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// True for what a spreadsheet takes for a formula.
fn computes(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@'])
}

/// What rows say of each other.
fn check(rows: &[(u64, Category)], problems: &mut Vec<CategoryProblem>) {
    let mut by_key: BTreeMap<&CategoryRef, &Category> = BTreeMap::new();
    for (line, category) in rows {
        let key = &category.key;
        // Written it has to fit into a case.
        if key.to_string().parse::<CategoryRef>().is_err() {
            problems.push(CategoryProblem::at(*line, "code", &key.to_string(), Fault::Code));
        }
        if by_key.insert(key, category).is_some() {
            problems.push(CategoryProblem::at(*line, "code", &key.to_string(), Fault::Duplicate));
        }
    }
    let in_use: BTreeSet<CategoryRef> =
        rows.iter().filter(|(_, it)| !it.retired).filter_map(|(_, it)| major(it)).collect();
    for (line, category) in rows {
        match &category.parent {
            None => {
                if category.self_handling {
                    problems.push(CategoryProblem::at(*line, "self_handling", "yes", Fault::MajorSelfHandled));
                }
                if category.retired && in_use.contains(&category.key) {
                    problems.push(CategoryProblem::at(*line, "retired", "yes", Fault::MajorRetired));
                }
            }
            Some(parent) => {
                let above = |kind| CategoryRef { code: parent.clone(), kind, ..category.key.clone() };
                let other = Kind::ALL.iter().any(|kind| by_key.get(&above(*kind)).is_some_and(|it| it.is_major()));
                match by_key.get(&above(category.key.kind)) {
                    Some(above) if above.is_major() => {}
                    Some(_) => problems.push(CategoryProblem::at(*line, "parent", parent, Fault::ParentMinor)),
                    None if other => problems.push(CategoryProblem::at(*line, "parent", parent, Fault::ParentKind)),
                    None => problems.push(CategoryProblem::at(*line, "parent", parent, Fault::Parent)),
                }
            }
        }
    }
}

/// The key of the major above a minor.
fn major(category: &Category) -> Option<CategoryRef> {
    Some(CategoryRef { code: category.parent.clone()?, ..category.key.clone() })
}

#[cfg(test)]
#[path = "category_file_tests.rs"]
mod tests;
