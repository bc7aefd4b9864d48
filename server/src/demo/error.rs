//! Why no plan can be made for an org tree.

use thiserror::Error;
use xunge_client_core::model::Role;

/// What the org tree or the number of phones lacks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// Every reporting unit needs a phone.
    #[error("{asked} phones are too few: {needed} units report")]
    TooFewPhones {
        /// Phones asked for.
        asked: usize,
        /// Units that report.
        needed: usize,
    },
    /// A unit of the published table is not in the tree, or has no inspector.
    #[error("the published unit `{unit}` has no inspector in this org tree")]
    UnitMissing {
        /// Its full name.
        unit: String,
    },
    /// With so few or so many other units, the published six can not be the lowest.
    #[error("{units} further units can not share {cases} cases above the published six")]
    OtherUnits {
        /// Units beside the published ones.
        units: usize,
        /// Cases they share.
        cases: u64,
    },
    /// Nobody has a role the story needs.
    #[error("no user can act as {role} for `{subject}`")]
    NobodyActs {
        /// The role.
        role: Role,
        /// The unit or category it is for; the district's name where it is for all.
        subject: String,
    },
    /// No point was found inside a grid.
    #[error("no point found inside grid `{grid}`")]
    GridTooThin {
        /// Its code.
        grid: String,
    },
}

impl PlanError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooFewPhones { .. } => "demo_too_few_phones",
            Self::UnitMissing { .. } => "demo_unit_missing",
            Self::OtherUnits { .. } => "demo_other_units",
            Self::NobodyActs { .. } => "demo_nobody_acts",
            Self::GridTooThin { .. } => "demo_grid_too_thin",
        }
    }

    /// The reason in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::TooFewPhones { asked, needed } => format!("手机数 {asked} 不足，共有 {needed} 个上报单位"),
            Self::UnitMissing { unit } => format!("已公布的单位“{unit}”在组织树中没有网格员"),
            Self::OtherUnits { units, cases } => {
                format!("其余 {units} 个单位无法分担 {cases} 件并保持六个单位最低")
            }
            Self::NobodyActs { role, subject } => format!("“{subject}”没有{}", role.zh()),
            Self::GridTooThin { grid } => format!("网格“{grid}”内找不到可用的点"),
        }
    }

    /// The way out, English and Chinese.
    pub const fn way_out(&self) -> (&'static str, &'static str) {
        match self {
            Self::TooFewPhones { .. } => {
                ("ask for at least one phone per reporting unit", "请为每个上报单位至少配一部手机")
            }
            Self::UnitMissing { .. } => ("use the example district", "请使用示例区"),
            Self::OtherUnits { .. } => ("use the example district", "请使用示例区"),
            Self::NobodyActs { .. } => ("add such a user to the org file", "请在组织文件中添加该用户"),
            Self::GridTooThin { .. } => ("correct the polygon of the grid", "请更正该网格的边界"),
        }
    }
}
