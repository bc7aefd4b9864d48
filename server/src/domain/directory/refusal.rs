//! Why a change of the org tree is refused: the reason and the way out, in both languages.

use serde::Serialize;

use super::changes::What;
use crate::domain::exchange::{self, Objection};

/// What names a place, a unit or a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// An account, open or closed: its scope, its unit or its grids. Its phones go with it.
    Users,
    /// A dispatch rule.
    Rules,
    /// A counter, or a published report.
    Figures,
    /// A time limit.
    Limits,
    /// A case, also an old one.
    Cases,
}

impl By {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Users => ("accounts", "账号"),
            Self::Rules => ("dispatch rules", "派遣规则"),
            Self::Figures => ("figures", "统计"),
            Self::Limits => ("time limits", "时限表"),
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
pub type Refusal = exchange::Refusal<What, Reason>;

/// What names a thing, as a sentence in English and Chinese.
pub(super) fn still_named(by: &[By]) -> (String, String) {
    let (en, zh): (Vec<_>, Vec<_>) = by.iter().map(|by| by.words()).unzip();
    (format!("still named by {}", en.join(", ")), format!("仍被{}使用", zh.join("、")))
}

impl Objection<What> for Reason {
    fn zh(&self) -> String {
        match self {
            Self::District => "区编码与本系统的区不一致".to_owned(),
            Self::Moved => "编码已表明所在位置，不能改到别处".to_owned(),
            Self::Named(by) => still_named(by).1,
        }
    }

    fn en(&self) -> String {
        match self {
            Self::District => "the district is not the one of this installation".to_owned(),
            Self::Moved => "its code says where it lies, it can not move elsewhere".to_owned(),
            Self::Named(by) => still_named(by).0,
        }
    }

    fn way_out(&self, what: What) -> (&'static str, &'static str) {
        match (self, what) {
            (Self::District, _) => (
                "correct the code of the district; another district needs an installation of its own",
                "请更正区编码；另一个区须另装一套系统",
            ),
            (Self::Moved, _) => (
                "leave it where it is and give the one at the new place a code of its own",
                "请保留原条目，在新位置另用新编码",
            ),
            (Self::Named(_), What::Removed) => (
                "keep it in the file; rename it, for example with (撤销), to show that it is no longer used",
                "请保留在文件中，可改名注明（如“（撤销）”）",
            ),
            (Self::Named(_), _) => {
                ("leave it as it is and add a unit with a code of its own", "请保持不变，另用新编码增加单位")
            }
        }
    }
}
