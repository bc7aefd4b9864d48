//! Why a change of the category trees is refused: the reason and the way out, in both languages.

use serde::Serialize;

use super::What;
use crate::domain::directory::refusal::{By, still_named};
use crate::domain::exchange::{self, Objection};

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason", content = "by")]
pub enum Reason {
    /// Codes and names of the national tree are those of the standard.
    Standard,
    /// Codes that are no events of the national standard.
    Unknown(Vec<String>),
    /// Somebody or something names it, or has been counted by it.
    Named(Vec<By>),
}

/// One thing that can not be done.
pub type Refusal = exchange::Refusal<What, Reason>;

impl Objection<What> for Reason {
    fn zh(&self) -> String {
        match self {
            Self::Standard => "国家标准的代码、名称和大类不能改".to_owned(),
            Self::Unknown(codes) => format!("国标事件中没有代码 {}", codes.join("、")),
            Self::Named(by) => still_named(by).1,
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Standard => "codes, names and majors of the national tree are those of the standard".to_owned(),
            Self::Unknown(codes) => format!("the national standard has no event {}", codes.join(", ")),
            Self::Named(by) => still_named(by).0,
        }
    }

    fn way_out(&self, what: What) -> (&'static str, &'static str) {
        match (self, what) {
            (Self::Standard, _) => (
                "leave it; only self_handling and retired may differ. Add a tree of your own that maps to it",
                "请保持不变，只能改“可自处”和“停用”；可另建本地类别表并对应到国标",
            ),
            (Self::Unknown(_), _) => {
                ("correct the code in maps_to, or leave it empty", "请更正 maps_to 的代码，或留空")
            }
            (Self::Named(_), What::Removed) => {
                ("keep it in the file and retire it: retired = yes", "请保留在文件中并停用：retired 写 yes")
            }
            (Self::Named(_), _) => (
                "leave it, retire it, and add one with a code of its own below the other major: what was counted stays",
                "请保持不变并停用，在另一大类下另用新代码增加：已有统计不变",
            ),
        }
    }
}
