//! What another category file would change (类别表核对): what an administrator sees before it is put in force. Compares only.

use std::collections::BTreeSet;

use serde::Serialize;
use xunge_client_core::model::CategoryRef;

use crate::domain::directory::{self, Directory};
use crate::domain::exchange::{self, Difference};
use crate::reference::taxonomy::Category;

/// In what a category differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is new.
    Added,
    /// The file no longer has it.
    Removed,
    /// The major above.
    Parent,
    /// Its Chinese name.
    NameZh,
    /// Its English name.
    NameEn,
    /// The events of the national standard it is closest to; now and then are codes with semicolons.
    MapsTo,
    /// An inspector may fix it on the spot; `yes` or `no`.
    SelfHandling,
    /// Nothing new gets it; `yes` or `no`.
    Retired,
}

impl Difference for What {
    const ADDED: Self = Self::Added;
    const REMOVED: Self = Self::Removed;

    fn zh(self) -> &'static str {
        match self {
            Self::Added => "新增",
            Self::Removed => "文件中已没有",
            Self::Parent => "大类",
            Self::NameZh => "名称",
            Self::NameEn => "英文名称",
            Self::MapsTo => "国标对应",
            Self::SelfHandling => "可自处",
            Self::Retired => "停用",
        }
    }

    fn en(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "no longer in the file",
            Self::Parent => "major",
            Self::NameZh => "name",
            Self::NameEn => "English name",
            Self::MapsTo => "national code",
            Self::SelfHandling => "self-handling",
            Self::Retired => "retired",
        }
    }
}

/// One difference of a category; its code is the whole key.
pub type Change = exchange::Change<What>;

/// Every difference in the trees the file names: in its order, then those that go.
pub(super) fn changes(now: &Directory, then: &[Category]) -> Vec<Change> {
    let mut found = Vec::new();
    for category in then {
        match now.category(&category.key) {
            None => found.push(Change::added(category.key.to_string(), &category.name_zh)),
            Some(old) => of_category(old, category, &mut found),
        }
    }
    let trees: BTreeSet<&str> = then.iter().map(|it| it.key.scheme.as_str()).collect();
    let kept: BTreeSet<&CategoryRef> = then.iter().map(|it| &it.key).collect();
    let gone = now.categories().filter(|(key, _)| trees.contains(key.scheme.as_str()) && !kept.contains(key));
    found.extend(gone.map(|(key, category)| Change::removed(key.to_string(), &category.name)));
    found
}

fn of_category(old: &directory::Category, new: &Category, found: &mut Vec<Change>) {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let yes = |it: bool| Some(if it { "yes" } else { "no" }.to_owned());
    let maps_to: Vec<&str> = old.maps_to.iter().map(|key| key.code.as_str()).collect();
    let sides = [
        (What::Parent, old.parent.clone(), new.parent.clone()),
        (What::NameZh, given(&old.name), given(&new.name_zh)),
        (What::NameEn, given(&old.name_en), given(&new.name_en)),
        (What::MapsTo, given(&maps_to.join(";")), given(&new.maps_to.join(";"))),
        (What::SelfHandling, yes(old.self_handling), yes(new.self_handling)),
        (What::Retired, yes(old.retired), yes(new.retired)),
    ];
    let differing = sides.into_iter().filter(|(_, now, then)| now != then);
    let change = |(what, now, then)| Change { code: new.key.to_string(), name: new.name_zh.clone(), what, now, then };
    found.extend(differing.map(change));
}
