//! Why a change of the org tree is refused: the thing, the reason, and the way out, in both languages.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::changes::{Change, What};

/// What names a place or unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// An account, open or closed: its scope, its unit or its grids. Its phones go with it.
    Users,
    /// A dispatch rule.
    Rules,
    /// A counter, or a published report.
    Figures,
    /// A case, also an old one.
    Cases,
}

impl By {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Users => ("accounts", "账号"),
            Self::Rules => ("dispatch rules", "派遣规则"),
            Self::Figures => ("figures", "统计"),
            Self::Cases => ("cases", "案件"),
        }
    }
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason", content = "by")]
pub enum Reason {
    /// The file is of another district: counts, case numbers and what phones read belong to the one that is there.
    District,
    /// It would lie elsewhere; its code says where it lies.
    Moved,
    /// Somebody or something names it.
    Named(Vec<By>),
}

/// One thing that can not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Code of the place or unit.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What would change.
    pub what: What,
    /// Why not.
    #[serde(flatten)]
    pub reason: Reason,
}

impl Refusal {
    pub(super) fn of(change: &Change, reason: Reason) -> Self {
        Self { code: change.code.clone(), name: change.name.clone(), what: change.what, reason }
    }

    /// The reason in Chinese.
    pub fn zh(&self) -> String {
        match &self.reason {
            Reason::District => "区编码与本系统的区不一致".to_owned(),
            Reason::Moved => "编码已表明所在位置，不能改到别处".to_owned(),
            Reason::Named(by) => {
                format!("仍被{}使用", by.iter().map(|by| by.words().1).collect::<Vec<_>>().join("、"))
            }
        }
    }

    /// What to do instead, English and Chinese.
    pub const fn way_out(&self) -> (&'static str, &'static str) {
        match (&self.reason, self.what) {
            (Reason::District, _) => (
                "correct the code of the district; another district needs an installation of its own",
                "请更正区编码；另一个区须另装一套系统",
            ),
            (Reason::Moved, _) => (
                "leave it where it is and give the one at the new place a code of its own",
                "请保留原条目，在新位置另用新编码",
            ),
            (Reason::Named(_), What::Removed) => (
                "keep it in the file; rename it, for example with (撤销), to show that it is no longer used",
                "请保留在文件中，可改名注明（如“（撤销）”）",
            ),
            (Reason::Named(_), _) => {
                ("leave it as it is and add a unit with a code of its own", "请保持不变，另用新编码增加单位")
            }
        }
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::District => f.write_str("the district is not the one of this installation"),
            Reason::Moved => f.write_str("its code says where it lies, it can not move elsewhere"),
            Reason::Named(by) => {
                let names: Vec<_> = by.iter().map(|by| by.words().0).collect();
                write!(f, "still named by {}", names.join(", "))
            }
        }
    }
}
