//! What a person may see: the one predicate of visibility, composed into every statement that reads cases.
//!
//! A scope is a list of *branches*, each an equality on an indexed column of `case_row`; a case is visible if any of
//! them holds. Equalities, because then each branch is served by an index however many cases there are: a list is
//! the merged head of a few index ranges and never a scan.
//!
//! Outside the scope a case does not exist (404); inside it a role may still lack a verb (403).

use xunge_client_core::model::{OrgCode, OrgLevel, Role};

use super::directory::Directory;
use super::people::Viewer;
use crate::store::{Row, StoreError};

/// A column of `case_row` a branch looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The district.
    District,
    /// The street the case lies in.
    Street,
    /// The community the case lies in.
    Community,
    /// The cell grid the case lies in.
    Grid,
    /// The reporting unit.
    Unit,
    /// The reviewing office.
    Office,
    /// The handling unit.
    Handler,
    /// The user who reported it.
    Reporter,
    /// The user with the open task.
    Task,
    /// The user it was handed to.
    Holder,
}

impl Column {
    /// Every column, in the order [`Keys`] reads them.
    pub const ALL: [Self; 10] = [
        Self::District,
        Self::Street,
        Self::Community,
        Self::Grid,
        Self::Unit,
        Self::Office,
        Self::Handler,
        Self::Reporter,
        Self::Task,
        Self::Holder,
    ];

    /// The column's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::District => "district",
            Self::Street => "street",
            Self::Community => "community",
            Self::Grid => "grid",
            Self::Unit => "unit",
            Self::Office => "office",
            Self::Handler => "handler",
            Self::Reporter => "reporter",
            Self::Task => "task_user",
            Self::Holder => "holder",
        }
    }
}

/// One reason to see a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Branch {
    /// Where to look.
    pub column: Column,
    /// What must be there.
    pub value: String,
}

/// What a person may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(Vec<Branch>);

impl Scope {
    /// What this person may see.
    ///
    /// Inspectors see their own reports, what they hold or have a task on, and their grids; offices what they review
    /// and their street; handling units what was sent to them; everyone else the part of the tree they are set to.
    pub fn of(viewer: &Viewer, directory: &Directory) -> Self {
        let mut branches = Vec::new();
        let mut see = |column, value: &str| branches.push(Branch { column, value: value.to_owned() });
        match viewer.role {
            Role::Inspector => {
                see(Column::Reporter, &viewer.user);
                see(Column::Task, &viewer.user);
                see(Column::Holder, &viewer.user);
                viewer.grids.iter().for_each(|grid| see(Column::Grid, grid.as_str()));
            }
            Role::TownOffice => {
                if let Some(unit) = &viewer.unit {
                    see(Column::Office, unit.as_str());
                }
                if viewer.scope.level() == Some(OrgLevel::Street) {
                    see(Column::Street, viewer.scope.as_str());
                }
            }
            Role::HandlingUnit => {
                if let Some(unit) = &viewer.unit {
                    see(Column::Handler, unit.as_str());
                }
            }
            Role::Dispatcher | Role::DutyLeader | Role::Hotline | Role::Auditor | Role::Admin => {
                return Self::below(&viewer.scope, directory);
            }
        }
        Self(branches)
    }

    /// Everything below a place, or everything a unit reports, reviews or handles.
    pub fn below(code: &OrgCode, directory: &Directory) -> Self {
        let see = |column, value: &str| Branch { column, value: value.to_owned() };
        let one = |column| vec![see(column, code.as_str())];
        Self(match code.level() {
            None => [Column::Unit, Column::Office, Column::Handler].map(|column| see(column, code.as_str())).into(),
            Some(OrgLevel::City) => directory
                .districts()
                .filter(|it| code.contains(it))
                .map(|it| see(Column::District, it.as_str()))
                .collect(),
            Some(OrgLevel::District) => one(Column::District),
            Some(OrgLevel::Street) => one(Column::Street),
            Some(OrgLevel::Community) => one(Column::Community),
            Some(OrgLevel::Grid) => one(Column::Grid),
        })
    }

    /// What an office has to review.
    pub fn office(unit: &OrgCode) -> Self {
        Self::default().or(Branch { column: Column::Office, value: unit.to_string() })
    }

    /// This scope and one branch more.
    pub fn or(mut self, branch: Branch) -> Self {
        self.0.push(branch);
        self
    }

    /// The branches; a case is visible if any of them holds.
    pub fn branches(&self) -> &[Branch] {
        &self.0
    }

    /// True if a case with these keys is visible.
    pub fn covers(&self, keys: &Keys) -> bool {
        self.0.iter().any(|branch| keys.get(branch.column) == Some(branch.value.as_str()))
    }
}

/// What the scope looks at in one case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys([Option<String>; Column::ALL.len()]);

impl Keys {
    /// The columns to select for [`Keys::read`].
    pub const COLUMNS: &'static str =
        "district, street, community, grid, unit, office, handler, reporter, task_user, holder";

    /// Reads the keys from a row that selects [`Keys::COLUMNS`] from column `first` on.
    pub fn read(row: &Row, first: usize) -> Result<Self, StoreError> {
        let mut keys = Self::default();
        for (index, key) in keys.0.iter_mut().enumerate() {
            *key = row.opt_text(first + index)?.map(str::to_owned);
        }
        Ok(keys)
    }

    /// The value of a column; none if the case has none.
    pub fn get(&self, column: Column) -> Option<&str> {
        self.0[column as usize].as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_selected_in_the_order_they_are_read() {
        let names: Vec<&str> = Column::ALL.iter().map(|column| column.name()).collect();
        assert_eq!(names.join(", "), Keys::COLUMNS);
        assert!(Column::ALL.iter().enumerate().all(|(index, column)| *column as usize == index));
    }
}
