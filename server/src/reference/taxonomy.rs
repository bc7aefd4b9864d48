//! Category trees (大类/小类): the national standard beside the trees cities run on their own.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use xunge_client_core::model::{CategoryRef, Kind};

use super::category_file;

/// The tree the district's published report uses.
pub const XIXIA: &str = "xixia-2023";

/// The tree of the national standard, which the others map to.
pub const NATIONAL: &str = "gb47678.5-2026";

/// One category of one tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// The key: scheme, kind, code.
    pub key: CategoryRef,
    /// Code of the major (大类) above; `None` for a major.
    pub parent: Option<String>,
    /// Chinese name, as printed.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Nearest events or majors of `gb47678.5-2026`, by code; the project's judgement.
    pub maps_to: Vec<String>,
    /// An inspector may fix it on the spot (自发自处). Majors are never reported, so `false`.
    pub self_handling: bool,
    /// Nothing new gets it (停用).
    pub retired: bool,
}

impl Category {
    /// True for a major (大类), which groups and is not reported itself.
    pub fn is_major(&self) -> bool {
        self.parent.is_none()
    }
}

/// All category trees, in the order of the table.
#[derive(Debug, Clone)]
pub struct Taxonomy {
    categories: Vec<Category>,
    by_key: BTreeMap<CategoryRef, usize>,
}

impl Taxonomy {
    /// The trees compiled in from `server/data/taxonomy.csv`.
    pub fn builtin() -> &'static Taxonomy {
        static BUILTIN: LazyLock<Taxonomy> = LazyLock::new(|| {
            let rows = category_file::read(include_str!("../../data/taxonomy.csv").as_bytes());
            Taxonomy::new(rows.expect("a test reads every row"))
        });
        &BUILTIN
    }

    fn new(categories: Vec<Category>) -> Self {
        let by_key = categories.iter().enumerate().map(|(index, entry)| (entry.key.clone(), index)).collect();
        Self { categories, by_key }
    }

    /// Every category, majors before their minors.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// The category with this key.
    pub fn get(&self, key: &CategoryRef) -> Option<&Category> {
        self.by_key.get(key).map(|index| &self.categories[*index])
    }

    /// The categories of one tree.
    pub fn scheme(&self, scheme: &str) -> impl Iterator<Item = &Category> {
        self.categories.iter().filter(move |entry| entry.key.scheme == scheme)
    }

    /// The minors (小类) below a major.
    pub fn minors(&self, major: &CategoryRef) -> impl Iterator<Item = &Category> {
        self.scheme(&major.scheme)
            .filter(|entry| entry.key.kind == major.kind && entry.parent.as_ref() == Some(&major.code))
    }

    /// The major above a minor; a major is its own.
    pub fn major_of(&self, key: &CategoryRef) -> Option<&Category> {
        let entry = self.get(key)?;
        match &entry.parent {
            None => Some(entry),
            Some(code) => self.get(&CategoryRef { code: code.clone(), ..key.clone() }),
        }
    }

    /// Finds what a person typed: a Chinese name, a code, `scheme:code` or the full key.
    ///
    /// Looks in `scheme` first, then in all trees; majors never match a bare name that a minor has too.
    pub fn find(&self, text: &str, scheme: &str) -> Option<&Category> {
        if let Ok(key) = text.parse::<CategoryRef>() {
            return self.get(&key);
        }
        if let Some((scheme, code)) = text.split_once(':') {
            return self.first(|entry| entry.key.scheme == scheme && entry.key.code == code);
        }
        let named = |entry: &Category| entry.name_zh == text || entry.key.code == text;
        self.first(|entry| entry.key.scheme == scheme && named(entry)).or_else(|| self.first(named))
    }

    /// The first match, minors before majors and events before parts: reports are about minor events.
    fn first(&self, matches: impl Fn(&Category) -> bool) -> Option<&Category> {
        self.categories
            .iter()
            .filter(|entry| matches(entry))
            .min_by_key(|entry| (entry.is_major(), entry.key.kind != Kind::Event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_own_key_and_a_parent_that_exists() {
        let taxonomy = Taxonomy::builtin();
        assert_eq!(taxonomy.categories().len(), 504);
        assert_eq!(taxonomy.by_key.len(), 504, "a key occurs twice");
        for entry in taxonomy.categories() {
            let major = taxonomy.major_of(&entry.key);
            assert!(major.is_some_and(Category::is_major), "{} has no major", entry.key);
            assert!(!(entry.is_major() && entry.self_handling), "{}", entry.key);
        }
    }

    #[test]
    fn local_categories_map_to_events_that_exist() {
        let taxonomy = Taxonomy::builtin();
        for entry in taxonomy.categories() {
            for code in &entry.maps_to {
                let key = CategoryRef { scheme: "gb47678.5-2026".into(), kind: Kind::Event, code: code.clone() };
                let part = CategoryRef { kind: Kind::Part, ..key.clone() };
                assert!(taxonomy.get(&key).or(taxonomy.get(&part)).is_some(), "{} -> {code}", entry.key);
            }
        }
    }

    #[test]
    fn the_district_tree_has_the_published_majors_and_a_place_for_the_rest() {
        let taxonomy = Taxonomy::builtin();
        let minors = |name: &str| taxonomy.minors(&taxonomy.find(name, XIXIA).unwrap().key).count();
        assert_eq!([minors("小区管理"), minors("市容环卫"), minors("街面秩序"), minors("XX99")], [7, 5, 4, 6]);
    }

    #[test]
    fn a_category_is_found_by_name_code_or_key() {
        let taxonomy = Taxonomy::builtin();
        let found = |text: &str| taxonomy.find(text, XIXIA).map(|entry| entry.key.to_string());
        assert_eq!(found("暴露垃圾").as_deref(), Some("xixia-2023:event:XX0201"));
        assert_eq!(found("XX0201").as_deref(), Some("xixia-2023:event:XX0201"));
        assert_eq!(found("gb47678.5-2026:06010").as_deref(), Some("gb47678.5-2026:event:06010"));
        assert_eq!(found("gb47678.5-2026:part:01001").as_deref(), Some("gb47678.5-2026:part:01001"));
        assert_eq!(found("01001").as_deref(), Some("gb47678.5-2026:event:01001"));
        assert_eq!(found("油烟污染").as_deref(), Some("gb47678.5-2026:event:06027"));
        assert_eq!(found("没有这一类"), None);
    }
}
