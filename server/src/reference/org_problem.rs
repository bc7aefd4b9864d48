//! What can be wrong with an org file: the thing, the reason, and the way out, in both languages.

use thiserror::Error;

use super::problem::Problem;

/// One problem of an org file. `subject` is the code or log-in of the entry it is about.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OrgProblem {
    /// The text is not JSON of the documented shape.
    #[error("line {line}, column {column}: {reason}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser expected.
        reason: String,
    },
    /// The file says it has another format.
    #[error("the format is `{found}`, not `xunge-org/1`")]
    Format {
        /// The value found.
        found: String,
    },
    /// A code or log-in does not have the form its kind needs.
    #[error("`{subject}` is not {expected}")]
    Code {
        /// The code as written.
        subject: String,
        /// The form expected, English.
        expected: &'static str,
        /// The form expected, Chinese.
        expected_zh: &'static str,
    },
    /// A code or log-in occurs twice.
    #[error("`{subject}` occurs more than once")]
    Duplicate {
        /// The code or log-in.
        subject: String,
    },
    /// An entry has no name.
    #[error("`{subject}` has no name")]
    NameMissing {
        /// The entry.
        subject: String,
    },
    /// An entry refers to something the file does not have.
    #[error("`{subject}` refers to {field} `{value}`, which the file does not have")]
    Unknown {
        /// The entry.
        subject: String,
        /// The member that refers.
        field: &'static str,
        /// What it says.
        value: String,
    },
    /// A member has a word outside its list.
    #[error("`{subject}` has {field} `{value}`; known are {allowed}")]
    Word {
        /// The entry.
        subject: String,
        /// The member.
        field: &'static str,
        /// What it says.
        value: String,
        /// The words known.
        allowed: String,
    },
    /// The parent is not the place the code lies in.
    #[error("`{subject}` names `{parent}` as its parent, its digits say {expected}")]
    WrongParent {
        /// The place.
        subject: String,
        /// The parent as written, or `none`.
        parent: String,
        /// What the code implies.
        expected: String,
    },
    /// A grid without an outline.
    #[error("grid `{subject}` has no polygon")]
    PolygonMissing {
        /// The grid.
        subject: String,
    },
    /// The ring does not end where it begins.
    #[error("the polygon of `{subject}` is not closed: its last position differs from its first")]
    PolygonOpen {
        /// The place.
        subject: String,
    },
    /// The ring is no area on the globe.
    #[error("the polygon of `{subject}` {reason}")]
    PolygonBad {
        /// The place.
        subject: String,
        /// Why, English.
        reason: &'static str,
        /// Why, Chinese.
        reason_zh: &'static str,
    },
    /// A town office without its street.
    #[error("town office `{subject}` has no street")]
    UnitWithoutStreet {
        /// The unit.
        subject: String,
    },
    /// A role that needs a unit has none, or one of the wrong kind.
    #[error("`{subject}` needs a unit of kind {expected}")]
    UserUnit {
        /// The user.
        subject: String,
        /// The kinds that fit.
        expected: &'static str,
    },
    /// An inspector who patrols nothing.
    #[error("inspector `{subject}` has no grid")]
    InspectorWithoutGrid {
        /// The user.
        subject: String,
    },
    /// A grid the user's scope does not reach.
    #[error("grid `{grid}` of `{subject}` lies outside the scope `{scope}`")]
    GridOutsideScope {
        /// The user.
        subject: String,
        /// The grid.
        grid: String,
        /// The scope.
        scope: String,
    },
    /// Nobody could add users later.
    #[error("no user has the role admin")]
    NoAdmin,
}

impl Problem for OrgProblem {
    fn code(&self) -> &'static str {
        match self {
            Self::Json { .. } => "org_json",
            Self::Format { .. } => "org_format",
            Self::Code { .. } => "org_code",
            Self::Duplicate { .. } => "org_duplicate",
            Self::NameMissing { .. } => "org_name_missing",
            Self::Unknown { .. } => "org_unknown",
            Self::Word { .. } => "org_word",
            Self::WrongParent { .. } => "org_wrong_parent",
            Self::PolygonMissing { .. } => "org_polygon_missing",
            Self::PolygonOpen { .. } => "org_polygon_open",
            Self::PolygonBad { .. } => "org_polygon_bad",
            Self::UnitWithoutStreet { .. } => "org_unit_without_street",
            Self::UserUnit { .. } => "org_user_unit",
            Self::InspectorWithoutGrid { .. } => "org_inspector_without_grid",
            Self::GridOutsideScope { .. } => "org_grid_outside_scope",
            Self::NoAdmin => "org_no_admin",
        }
    }

    fn subject(&self) -> String {
        match self {
            Self::Json { .. } => String::new(),
            Self::Format { .. } => "format".to_owned(),
            Self::NoAdmin => "users".to_owned(),
            Self::Code { subject, .. }
            | Self::Duplicate { subject }
            | Self::NameMissing { subject }
            | Self::Unknown { subject, .. }
            | Self::Word { subject, .. }
            | Self::WrongParent { subject, .. }
            | Self::PolygonMissing { subject }
            | Self::PolygonOpen { subject }
            | Self::PolygonBad { subject, .. }
            | Self::UnitWithoutStreet { subject }
            | Self::UserUnit { subject, .. }
            | Self::InspectorWithoutGrid { subject }
            | Self::GridOutsideScope { subject, .. } => subject.clone(),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::Json { line, column, reason } => format!("第 {line} 行第 {column} 列：{reason}"),
            Self::Format { found } => format!("格式为“{found}”，应为“xunge-org/1”"),
            Self::Code { subject, expected_zh, .. } => format!("“{subject}”不是{expected_zh}"),
            Self::Duplicate { subject } => format!("“{subject}”重复出现"),
            Self::NameMissing { subject } => format!("“{subject}”没有名称"),
            Self::Unknown { subject, field, value } => format!("“{subject}”的 {field}“{value}”在文件中不存在"),
            Self::Word { subject, field, value, allowed } => {
                format!("“{subject}”的 {field}“{value}”无法识别，可用：{allowed}")
            }
            Self::WrongParent { subject, parent, expected } => {
                format!("“{subject}”的上级写为“{parent}”，按编码应为 {expected}")
            }
            Self::PolygonMissing { subject } => format!("网格“{subject}”没有边界"),
            Self::PolygonOpen { subject } => format!("“{subject}”的边界未闭合，首尾坐标不一致"),
            Self::PolygonBad { subject, reason_zh, .. } => format!("“{subject}”的边界{reason_zh}"),
            Self::UnitWithoutStreet { subject } => format!("镇街单位“{subject}”没有对应的街道"),
            Self::UserUnit { subject, expected } => format!("用户“{subject}”需要类型为 {expected} 的单位"),
            Self::InspectorWithoutGrid { subject } => format!("网格员“{subject}”没有网格"),
            Self::GridOutsideScope { subject, grid, scope } => {
                format!("“{subject}”的网格“{grid}”不在其范围“{scope}”之内")
            }
            Self::NoAdmin => "没有管理员用户".to_owned(),
        }
    }

    fn way_out(&self) -> (&'static str, &'static str) {
        match self {
            Self::Json { .. } => ("compare with docs/examples/org.json", "请对照 docs/examples/org.json 修改"),
            Self::Format { .. } => ("write \"format\": \"xunge-org/1\"", "请写 \"format\": \"xunge-org/1\""),
            Self::Code { .. } => ("correct the code", "请更正编码"),
            Self::Duplicate { .. } => ("remove one entry or give it its own code", "请删除一条或另给编码"),
            Self::NameMissing { .. } => ("add the name", "请补充名称"),
            Self::Unknown { .. } => ("add the missing entry or correct the code", "请补充缺少的条目或更正编码"),
            Self::Word { .. } => ("use one of the known words", "请使用可用的取值"),
            Self::WrongParent { .. } => ("correct the parent or the code", "请更正上级或编码"),
            Self::PolygonMissing { .. } => ("add the outline of the grid", "请补充网格边界"),
            Self::PolygonOpen { .. } => ("repeat the first position at the end", "请在末尾重复第一个坐标"),
            Self::PolygonBad { .. } => {
                ("give at least three corners as [longitude, latitude] in degrees", "请按[经度，纬度]给出至少三个顶点")
            }
            Self::UnitWithoutStreet { .. } => {
                ("add \"street\", or use kind \"department\"", "请补充 street,或改用 department 类型")
            }
            Self::UserUnit { .. } => ("set \"unit\" to a unit of that kind", "请把 unit 设为该类型的单位"),
            Self::InspectorWithoutGrid { .. } => ("list at least one grid", "请至少列出一个网格"),
            Self::GridOutsideScope { .. } => ("widen the scope or remove the grid", "请扩大范围或去掉该网格"),
            Self::NoAdmin => ("add a user with the role admin", "请添加一个角色为 admin 的用户"),
        }
    }
}
