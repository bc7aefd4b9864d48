//! Which language a page speaks, and its words.
//!
//! Every word of the console is in `i18n/zh.toml` and `i18n/en.toml`. A key that is missing shows as itself: an odd
//! word is better than a page that does not open, and a test finds it before anybody sees it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A language of the console; Chinese comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lang {
    /// 简体中文.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// As HTML's `lang` wants it.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// As cookies and addresses say it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The one to switch to.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Zh => Self::En,
            Self::En => Self::Zh,
        }
    }

    /// The language with this code.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        [Self::Zh, Self::En].into_iter().find(|lang| lang.code() == code)
    }

    /// What a browser prefers (`Accept-Language`); Chinese if it names neither.
    pub(crate) fn preferred(accept: &str) -> Self {
        let mut best = (Self::Zh, 0);
        for entry in accept.split(',') {
            let mut parts = entry.split(';');
            let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=").map(thousandths)).unwrap_or(1_000);
            let spoken = [Self::Zh, Self::En].into_iter().find(|lang| {
                name.strip_prefix(lang.code()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            });
            if let Some(lang) = spoken.filter(|_| weight > best.1) {
                best = (lang, weight);
            }
        }
        best.0
    }

    /// The words for a key.
    pub(crate) fn say(self, key: &str) -> &'static str {
        let words = self.words();
        words.get(key).map_or_else(|| unknown(key), String::as_str)
    }

    /// The words for `group.code`, or the code itself where nobody wrote any: codes may come from newer programs.
    pub(crate) fn word(self, group: &str, code: &str) -> String {
        let words = self.words();
        words
            .get(&format!("{group}.{code}"))
            .cloned()
            .unwrap_or_else(|| self.fill("case.unknown_code", &[("code", code)]))
    }

    /// The words for a key with its `{names}` filled in.
    pub(crate) fn fill(self, key: &str, values: &[(&str, &str)]) -> String {
        let mut rest = self.say(key);
        let mut text = String::with_capacity(rest.len() + 16);
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, tail)) = after.split_once('}') else { break };
            text.push_str(before);
            match values.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => text.push_str(value),
                None => text.push_str(name),
            }
            rest = tail;
        }
        text.push_str(rest);
        text
    }

    fn words(self) -> &'static BTreeMap<String, String> {
        static ZH: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| flatten(include_str!("i18n/zh.toml")));
        static EN: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| flatten(include_str!("i18n/en.toml")));
        match self {
            Self::Zh => &ZH,
            Self::En => &EN,
        }
    }
}

/// `q=0.8` as 800; nonsense counts as 0.
fn thousandths(q: &str) -> u32 {
    let (whole, part) = q.trim().split_once('.').unwrap_or((q.trim(), ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    format!("{whole}{part}").parse().unwrap_or(0)
}

/// Keys are asked for by literals; a wrong one is a mistake that a test reports, not a reason to leak per request.
fn unknown(key: &str) -> &'static str {
    tracing::error!(key, "the console has no words for this key");
    "?"
}

fn flatten(toml: &str) -> BTreeMap<String, String> {
    let groups: BTreeMap<String, BTreeMap<String, String>> =
        toml::from_str(toml).expect("a test reads both files of words");
    let in_group = |(group, words): (String, BTreeMap<String, String>)| {
        words.into_iter().map(move |(key, text)| (format!("{group}.{key}"), text))
    };
    groups.into_iter().flat_map(in_group).collect()
}

#[cfg(test)]
#[path = "tests/lang.rs"]
mod tests;
