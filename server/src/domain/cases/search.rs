//! Finding words (查找): an index of pairs of characters, so that 垃圾 is found wherever it stands.
//!
//! Chinese has no blanks between words, so what is indexed is every pair of neighbouring letters or digits of a case's
//! text, and the last letter of each run alone. A word is looked for by the case lists of its pairs; what they have in
//! common is a candidate, and the text itself decides. Latin words and numbers are cut the same way, in lower case.
//!
//! Any two digits stand in a tenth of all case numbers, so numbers have pieces of four digits beside their pairs, and case
//! numbers have nothing else: a word of four digits and more is looked for by its pieces, in text and number; a shorter one
//! only in the text.
//!
//! The rows say which case by its ordinal (序号): a number that grows with the time of receipt, so that the cases of a
//! pair lie in the order of the list. The rows follow `case_row.text` and `case_no` in the same transaction; `verify`
//! recounts them.

use std::collections::BTreeSet;

use xunge_client_core::model::Millis;

use crate::params;
use crate::store::{StoreError, Tx};

/// Ordinals to one millisecond of receipt.
pub(super) const PER_MS: i64 = 256;
/// 2020-01-01: ordinals stay below 2^47, which SQLite keeps in six bytes, until 2037.
const EPOCH_MS: i64 = 1_577_836_800_000;
/// How far an ordinal may lie behind its case's time of receipt: more cases in one instant take later places.
const SLACK_MS: i64 = 3_600_000;
/// Digits of a piece.
const PIECE: usize = 4;
/// Before a piece: no letter and no digit, so that no pair is like it and no search by a letter meets it.
const MARK: &str = "#";

/// The first ordinal of an instant.
pub(super) fn first_at(at: i64) -> i64 {
    at.saturating_sub(EPOCH_MS).saturating_mul(PER_MS)
}

/// Where cases received from `from` to before `to` (milliseconds) have their ordinals, the end not included. Some that
/// were received just outside may lie there too.
pub(super) fn ordinals(from: i64, to: i64) -> (i64, i64) {
    (first_at(from), first_at(to.saturating_add(SLACK_MS)))
}

/// True if a case received then may have this ordinal.
pub(crate) fn fits(ordinal: i64, received_at: i64) -> bool {
    (first_at(received_at)..first_at(received_at + SLACK_MS)).contains(&ordinal)
}

/// A free ordinal for a case that is received now.
pub(crate) async fn next_ordinal(tx: &mut dyn Tx, received_at: Millis) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT MAX(ordinal) FROM case_row WHERE ordinal >= ?1 AND ordinal < ?2";
    let first = first_at(received_at.0);
    let last = tx.query_one(SQL, params![first, first + PER_MS]).await?.opt_int(0)?;
    match last {
        None => Ok(first),
        Some(last) if last + 1 < first + PER_MS => Ok(last + 1),
        // A full instant, as when a standing clock dates a thousand reports: behind the last one after it.
        Some(_) => {
            let behind = first_at(received_at.0 + SLACK_MS);
            Ok(tx.query_one(SQL, params![first, behind]).await?.int(0)? + 1)
        }
    }
}

/// The pairs of a text that is in lower case, and the last letter of each run.
pub(crate) fn grams(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut pair = String::with_capacity(8);
    let mut previous: Option<char> = None;
    for c in text.chars().map(Some).chain([None]) {
        let c = c.filter(|c| c.is_alphanumeric());
        if let Some(first) = previous {
            pair.clear();
            pair.push(first);
            pair.extend(c);
            if !found.contains(pair.as_str()) {
                found.insert(pair.clone());
            }
        }
        previous = c;
    }
    found
}

/// The pieces of four digits of each run of digits, in their order.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.flat_map(|run| (PIECE..=run.len()).map(move |end| format!("{MARK}{}", &run[end - PIECE..end])))
}

/// What a case is found by: the pairs of its text, the pieces of the numbers in it and of its own.
pub(crate) fn of_case(text: &str, case_no: Option<&str>) -> BTreeSet<String> {
    let mut all = grams(text);
    all.extend(pieces(text));
    all.extend(pieces(case_no.unwrap_or_default()));
    all
}

/// Moves the rows of a case from what it said to what it says.
pub(crate) async fn replace(
    tx: &mut dyn Tx,
    ordinal: i64,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
) -> Result<(), StoreError> {
    for gone in before.difference(after) {
        tx.execute("DELETE FROM case_gram WHERE gram = ?1 AND ordinal = ?2", params![gone, ordinal]).await?;
    }
    // Row by row: one statement for several rows has to be able to take back the first when the last fails, and what
    // SQLite keeps for that is walked through from the beginning of the transaction after every such statement.
    const SQL: &str = "INSERT INTO case_gram (gram, ordinal) VALUES (?1, ?2) ON CONFLICT (gram, ordinal) DO NOTHING";
    for new in after.difference(before) {
        tx.execute(SQL, params![new, ordinal]).await?;
    }
    Ok(())
}

/// Most letters of a search, and most words: every word is looked for in every row that may fit.
const MAX_CHARS: usize = 100;
const MAX_WORDS: usize = 16;
/// What a search may be, for the refusal.
pub const SEARCHABLE: &str = "at most 100 characters and 16 words";

/// True of what can be searched for.
pub fn is_searchable(typed: &str) -> bool {
    typed.chars().count() <= MAX_CHARS && typed.split_whitespace().count() <= MAX_WORDS
}

/// What somebody looks for: words that must all stand in the text, or in the number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// As they must stand there, in lower case.
    pub(super) words: Vec<String>,
    /// Their pieces, the last first because it tells most, and their pairs.
    pub(super) pairs: Vec<String>,
    /// Their letters that stand alone: any pair beginning with one will do.
    pub(super) letters: Vec<String>,
}

impl Words {
    /// Reads what was typed.
    pub(super) fn read(typed: &str) -> Self {
        let words: Vec<String> = typed.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let (mut found, mut pairs, mut letters) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let (numbers, others): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| may_be_number(word));
        for word in numbers {
            found.extend(pieces(word));
        }
        found.reverse();
        for run in others.into_iter().flat_map(|word| word.split(|c: char| !c.is_alphanumeric())) {
            match run.chars().count() {
                0 => {}
                1 => drop(letters.insert(run.to_owned())),
                // The last letter alone is only there where a text ends; a word may go on.
                _ => pairs.extend(grams(run).into_iter().filter(|gram| gram.chars().nth(1).is_some())),
            }
        }
        found.extend(pairs);
        let mut seen = BTreeSet::new();
        found.retain(|one| seen.insert(one.clone()));
        Self { words, pairs: found, letters: letters.into_iter().collect() }
    }

    /// The words as patterns in which their own wildcards mean themselves, each with whether it may stand in a number.
    pub(super) fn patterns(&self) -> impl Iterator<Item = (String, bool)> {
        self.words.iter().map(|word| {
            let mut pattern = String::from("%");
            for c in word.chars() {
                if matches!(c, '%' | '_' | '\\') {
                    pattern.push('\\');
                }
                pattern.push(c);
            }
            pattern.push('%');
            (pattern, may_be_number(word))
        })
    }
}

/// A word that is looked for in case numbers too.
fn may_be_number(word: &str) -> bool {
    word.len() >= PIECE && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The range of grams that begin with a letter: from it to before the second.
pub(super) fn beginning_with(letter: &str) -> (String, String) {
    (letter.to_owned(), format!("{letter}{}", char::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        grams(text).into_iter().collect()
    }

    #[test]
    fn a_text_is_cut_into_pairs_and_the_last_letter_of_each_run() {
        assert_eq!(list("垃圾，桶"), ["圾", "垃圾", "桶"]);
        assert_eq!(list("ktv 3号"), ["3号", "kt", "tv", "v", "号"]);
        assert_eq!(list(""), Vec::<String>::new());
        assert_eq!(list("……"), Vec::<String>::new());
        assert_eq!(list("𠮷野家"), ["家", "野家", "𠮷野"], "also beyond the sixteen bits");
    }

    #[test]
    fn every_word_of_a_text_has_only_pairs_that_the_text_has() {
        let text = "西夏区文昌路3号楼东侧暴露垃圾abc约2平方米";
        let all = grams(text);
        let chars: Vec<char> = text.chars().collect();
        for from in 0..chars.len() {
            for to in from + 1..=chars.len() {
                let words = Words::read(&chars[from..to].iter().collect::<String>());
                assert!(words.pairs.iter().all(|pair| all.contains(pair)), "{words:?}");
                for letter in &words.letters {
                    let (low, high) = beginning_with(letter);
                    assert!(all.range(low..high).next().is_some(), "{letter}");
                }
            }
        }
    }

    #[test]
    fn words_are_parted_by_blanks_and_their_wildcards_mean_themselves() {
        let words = Words::read("  100%_ 垃圾\u{3000}A ");
        assert_eq!(words.words, ["100%_", "垃圾", "a"]);
        assert_eq!(
            (words.pairs, words.letters.clone()),
            (vec!["00".into(), "10".into(), "垃圾".into()], vec!["a".into()])
        );
        let patterns: Vec<(String, bool)> = Words::read("100%_").patterns().collect();
        assert_eq!(patterns, [("%100\\%\\_%".to_owned(), false)]);
    }

    #[test]
    fn every_piece_of_a_number_is_looked_for_by_pieces_that_the_number_has() {
        let (text, number) = ("2号楼 电话13995001234", "64010520231105000123");
        let all = of_case(text, Some(number));
        for run in [number, "13995001234"] {
            for from in 0..run.len() - PIECE {
                for to in from + PIECE..=run.len() {
                    let words = Words::read(&run[from..to]);
                    assert!(words.pairs.iter().all(|piece| all.contains(piece)), "{words:?}");
                    assert!(!words.pairs.is_empty() && words.letters.is_empty() && words.patterns().all(|it| it.1));
                }
            }
        }
        assert_eq!(Words::read("000123").pairs, ["#0123", "#0012", "#0001"], "what tells most comes first");
        assert_eq!(Words::read("123").pairs, ["12", "23"], "three digits are words of the text");
        assert!(all.contains("13") && !all.contains("64") && !of_case("", Some(number)).contains("12"));
    }

    #[tokio::test]
    async fn more_cases_than_an_instant_has_places_take_the_next_ones() {
        let store = crate::store::Store::in_memory().unwrap();
        let found = store
            .write::<_, StoreError, _>(|tx| {
                Box::pin(async move {
                    let mut found = Vec::new();
                    for n in 0..700_i64 {
                        let ordinal = next_ordinal(tx, Millis(EPOCH_MS + n % 2)).await?;
                        let mut id = [0; 16];
                        id[8..].copy_from_slice(&n.to_be_bytes());
                        tx.execute(
                            "INSERT INTO case_row (id, district, state, version, mode_claim, category, category_claim,
                             unit, office, street, community, grid, reporter, source, received_at, received_day, heads,
                             text, updated_at, event_hash, ledger, ordinal) VALUES (?1, '', '', 1, 'forwarded', '', '', '',
                             '', '', '', '', '', '', ?2, '', x'', '', 0, zeroblob(32), '', ?3)",
                            params![id, EPOCH_MS + n % 2, ordinal],
                        )
                        .await?;
                        found.push(ordinal);
                    }
                    Ok(found)
                })
            })
            .await
            .unwrap();
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 700);
        assert!(found.iter().all(|ordinal| fits(*ordinal, EPOCH_MS)));
        assert!(!fits(-1, EPOCH_MS) && !fits(0, EPOCH_MS + 1));
    }
}
