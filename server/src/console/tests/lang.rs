use std::collections::BTreeSet;
use std::path::Path;

use xunge_client_core::model::{CoordSys, LocationSource, Mode, PhotoRole, Role};
use xunge_client_core::workflow::deadline::{Clock, LimitUnit};
use xunge_client_core::workflow::{CloseType, Level, Member, Satisfaction, Source, State, Verb, Verdict, VoidReason};

use super::*;

#[test]
fn both_languages_have_words_for_the_same_keys_and_fill_in_the_same_names() {
    let keys = |lang: Lang| lang.words().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(Lang::Zh), keys(Lang::En));
    let names = |text: &str| {
        text.split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}'))
            .map(|(n, _)| n.to_owned())
            .collect::<BTreeSet<_>>()
    };
    for key in keys(Lang::Zh) {
        let (zh, en) = (Lang::Zh.say(&key), Lang::En.say(&key));
        assert_eq!(names(zh), names(en), "{key}");
        assert!(!zh.trim().is_empty() && !en.trim().is_empty(), "{key}");
    }
}

#[test]
fn every_key_that_pages_ask_for_has_words_and_every_word_is_asked_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console");
    let mut asked = BTreeSet::new();
    let mut folders = vec![folder];
    let mut sources = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs" || end == "html") {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    for start in ["say(\"", "fill(\"", "t(\"", "t1(\"", "t2(\""] {
        asked.extend(
            sources.split(start).skip(1).filter_map(|rest| rest.split_once('"')).map(|(key, _)| key.to_owned()),
        );
    }
    asked.retain(|key| key.split_once('.').is_some_and(|(group, _)| !group.is_empty()) && !key.contains('{'));
    let known: BTreeSet<String> = Lang::Zh.words().keys().cloned().collect();
    let missing: Vec<_> = asked.difference(&known).collect();
    assert!(missing.is_empty(), "no words for {missing:?}");
    let unused: Vec<_> = known.iter().filter(|key| !sources.contains(key.as_str()) && !is_code(key)).collect();
    assert!(unused.is_empty(), "nobody asks for {unused:?}");
}

/// Groups that are asked for by a code and not by a literal.
fn is_code(key: &str) -> bool {
    let group = key.split('.').next().unwrap();
    GROUPS.contains(&group)
        || [
            "urge",
            "flag",
            "flag_short",
            "register",
            "outcome",
            "audit_action",
            "day_kind",
            "unit_kind",
            "clock",
            "limit_unit",
            "tree",
        ]
        .contains(&group)
}

const GROUPS: [&str; 19] = [
    "role",
    "mode",
    "state",
    "verb",
    "void_reason",
    "close_type",
    "level",
    "verdict",
    "satisfaction",
    "source",
    "photo_role",
    "member",
    "coord_sys",
    "location_source",
    "figure",
    "due",
    "order",
    "level_below",
    "saved",
];

#[test]
fn codes_are_called_what_the_shared_half_calls_them() {
    macro_rules! same {
        ($($group:literal $set:ident),+) => {$(
            for value in $set::ALL {
                let key = format!("{}.{}", $group, value.code());
                assert_eq!(Lang::Zh.say(&key), value.zh(), "{key}");
                assert_ne!(Lang::En.say(&key), "?", "{key}");
            }
        )+};
    }
    same!("role" Role, "mode" Mode, "state" State, "verb" Verb, "void_reason" VoidReason, "close_type" CloseType,
        "level" Level, "verdict" Verdict, "satisfaction" Satisfaction, "source" Source, "photo_role" PhotoRole,
        "member" Member, "coord_sys" CoordSys, "location_source" LocationSource,
        "clock" Clock, "limit_unit" LimitUnit);
}

#[test]
fn the_browser_s_preference_is_followed_and_chinese_is_what_remains() {
    for (accept, expected) in [
        ("", Lang::Zh),
        ("zh-CN,zh;q=0.9,en;q=0.8", Lang::Zh),
        ("en-US,en;q=0.9", Lang::En),
        ("fr,en;q=0.2", Lang::En),
        ("fr", Lang::Zh),
        ("en;q=0.3,zh;q=0.7", Lang::Zh),
        ("eng,*", Lang::Zh),
        ("en;q=nonsense", Lang::Zh),
    ] {
        assert_eq!(Lang::preferred(accept), expected, "{accept}");
    }
}

#[test]
fn names_in_braces_are_filled_in_and_never_read_twice() {
    assert_eq!(Lang::Zh.fill("age.days", &[("n", "{n}")]), "{n} 天");
    assert_eq!(Lang::En.fill("list.for_period", &[("from", "a"), ("to", "b")]), "a to b");
}

#[test]
fn a_code_of_a_newer_program_is_shown_as_it_is() {
    assert_eq!(Lang::Zh.word("state", "teleported"), "未知（teleported）");
}
