//! What another calendar or another table of limits would change (时限表比较): what an administrator sees before it is
//! put in force.

use std::collections::BTreeMap;

use xunge_client_core::model::LocalDay;
use xunge_client_core::workflow::deadline::{Limit, LimitRule};

use super::timetables::{InForce, Kind, Source};
use crate::reference::timetable::{Timetable, TimetableError};

/// One difference: what it is about, how it is now, how it would be; none for not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<T> {
    /// The day, or the rule.
    pub about: T,
    /// Now.
    pub now: Option<String>,
    /// Then.
    pub then: Option<String>,
}

/// What would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// Days, `holiday` or `makeup`.
    Days(Vec<Change<LocalDay>>),
    /// Limits, by rule, `4 work_hour`.
    Rules(Vec<Change<LimitRule>>),
}

impl Changes {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Days(changes) => changes.len(),
            Self::Rules(changes) => changes.len(),
        }
    }
}

/// Compares what is in force with a table that is to come.
///
/// # Errors
/// [`TimetableError`], naming the line and the reason, if the table can not be used.
pub fn changes(now: &InForce, kind: Kind, source: &Source) -> Result<Changes, TimetableError> {
    let then = now.with(kind, source.clone())?;
    if kind == Kind::Calendar {
        let days = |source: &Source| -> Result<BTreeMap<LocalDay, String>, TimetableError> {
            let days = Timetable::days(&source.name, &source.text)?;
            Ok(days.into_iter().map(|(day, kind)| (day, kind.to_owned())).collect())
        };
        return Ok(Changes::Days(differences(&days(&now.calendar)?, &days(source)?)));
    }
    let [now, then] = [now, &then].map(|it| keyed(it.timetable.limits.rules()));
    let limits = |rules: &BTreeMap<Key, LimitRule>| {
        rules.iter().map(|(key, rule)| (key.clone(), limit(rule.limit))).collect::<BTreeMap<_, _>>()
    };
    let rule = |key: &Key| then.get(key).or_else(|| now.get(key)).cloned();
    let told = |it: Change<Key>| Some(Change { about: rule(&it.about)?, now: it.now, then: it.then });
    Ok(Changes::Rules(differences(&limits(&now), &limits(&then)).into_iter().filter_map(told).collect()))
}

/// What a rule is for, in words that sort.
type Key = [String; 4];

/// Rules by what they are for; of two for the same the later one counts, as it does for the clocks.
fn keyed(rules: &[LimitRule]) -> BTreeMap<Key, LimitRule> {
    let key = |rule: &LimitRule| {
        [
            rule.clock.to_string(),
            rule.category.as_ref().map(ToString::to_string).unwrap_or_default(),
            rule.level.map(|level| level.to_string()).unwrap_or_default(),
            rule.org.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]
    };
    rules.iter().map(|rule| (key(rule), rule.clone())).collect()
}

/// `4 work_hour`.
fn limit(limit: Limit) -> String {
    format!("{} {}", limit.value, limit.unit)
}

fn differences<K: Ord + Clone>(now: &BTreeMap<K, String>, then: &BTreeMap<K, String>) -> Vec<Change<K>> {
    let gone = now.keys().filter(|key| !then.contains_key(*key));
    let differ = then.keys().chain(gone).filter(|key| now.get(*key) != then.get(*key));
    let change = |key: &K| Change { about: key.clone(), now: now.get(key).cloned(), then: then.get(key).cloned() };
    let mut changes: Vec<Change<K>> = differ.map(change).collect();
    changes.sort_by(|a, b| a.about.cmp(&b.about));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &str) -> Source {
        Source::file("t.csv", &format!("clock,category,level,org,value,unit\n{rows}"))
    }

    #[test]
    fn added_removed_and_changed_limits_are_told_apart() {
        let now = InForce::default()
            .with(Kind::Limits, table("review,,,,60,minute\nsign,,,,1,work_hour\nhandle,,urgent,,4,hour\n"))
            .unwrap();
        let next = table("review,,,,90,minute\nhandle,,urgent,,4,hour\ncheck,,,,1,work_day\n");
        let Changes::Rules(found) = changes(&now, Kind::Limits, &next).unwrap() else { panic!("rules") };
        let told: Vec<_> =
            found.iter().map(|it| (it.about.clock.code(), it.now.as_deref(), it.then.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("check", None, Some("1 work_day")),
                ("review", Some("60 minute"), Some("90 minute")),
                ("sign", Some("1 work_hour"), None),
            ]
        );
        assert_eq!(changes(&now, Kind::Limits, &now.limits).unwrap().count(), 0);
    }

    #[test]
    fn days_that_change_are_named_and_a_broken_table_with_its_line() {
        let days = |rows: &str| Source::file("d.csv", &format!("date,kind,name\n{rows}"));
        let now = InForce::default().with(Kind::Calendar, days("2026-10-01,holiday,a\n2026-10-10,makeup,b\n")).unwrap();
        let next = days("2026-10-01,holiday,a\n2026-10-10,holiday,b\n2026-10-02,holiday,c\n");
        let Changes::Days(found) = changes(&now, Kind::Calendar, &next).unwrap() else { panic!("days") };
        let told: Vec<_> =
            found.iter().map(|it| (it.about.to_string(), it.now.as_deref(), it.then.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("2026-10-02".to_owned(), None, Some("holiday")),
                ("2026-10-10".to_owned(), Some("makeup"), Some("holiday"))
            ]
        );
        let broken = changes(&now, Kind::Calendar, &days("2026-02-30,holiday,x\n")).unwrap_err().to_string();
        assert!(broken.contains("d.csv") && broken.contains("line: 2"), "{broken}");
    }
}
