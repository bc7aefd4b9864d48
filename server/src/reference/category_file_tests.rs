//! What a file may say, and what is said of one that says it wrong.

use super::*;
use crate::reference::problem::Problem;
use crate::reference::taxonomy::Taxonomy;

const HEAD: &str = "scheme,kind,code,parent,name_zh,name_en,maps_to,self_handling,retired\n";
const TREE: &str = "local,event,A,,市容,appearance,,no,no\nlocal,event,A1,A,垃圾,litter,06010;06011,yes,no\n";

fn of(rows: &str) -> Result<Vec<Category>, Vec<CategoryProblem>> {
    read(format!("{HEAD}{rows}").as_bytes())
}

/// Line, column and fault of everything that is wrong; each has words and a way out in both languages.
fn faults(rows: &str) -> Vec<(Option<u64>, String, Fault)> {
    let problems = of(rows).unwrap_err();
    for problem in &problems {
        let (en, zh) = problem.way_out();
        assert!(en.is_ascii() && !en.is_empty() && zh.chars().any(|c| c > '\u{4e00}'), "{problem}");
        assert!(problem.zh().chars().any(|c| c > '\u{4e00}') && problem.code().starts_with("category_"), "{problem}");
    }
    problems.into_iter().map(|it| (it.line, it.column, it.fault)).collect()
}

#[test]
fn what_is_written_is_read_again_and_the_table_that_is_built_in_too() {
    let builtin = Taxonomy::builtin().categories();
    assert_eq!(read(write(builtin.iter()).as_bytes()).unwrap(), builtin);
    let rows = of(TREE).unwrap();
    assert_eq!((rows[1].maps_to.len(), rows[1].self_handling, rows[1].retired), (2, true, false));
    assert_eq!(write(rows.iter()), format!("{HEAD}{TREE}"));
}

#[test]
fn columns_go_by_their_headers_the_last_may_be_missing_and_marks_and_blank_rows_do_no_harm() {
    let text = "\u{feff}code,kind,source,scheme,level,parent,self_handling,name_en,name_zh,maps_to,code_origin\r\n\
                A,event,somebody,local,1,,no,appearance,市容,,project\r\n,,,,,,,,,,\r\n";
    let rows = read(text.as_bytes()).unwrap();
    assert_eq!((rows.len(), rows[0].key.to_string(), rows[0].retired), (1, "local:event:A".to_owned(), false));
    assert_eq!((rows[0].name_zh.as_str(), rows[0].name_en.as_str()), ("市容", "appearance"));
}

#[test]
fn a_header_that_is_misspelt_or_missing_is_named() {
    let text = "scheme,kind,code,parent,name_zh,name_en,maps_to,selfhandling,code\n";
    let problems = read(text.as_bytes()).unwrap_err();
    let told: Vec<_> = problems.iter().map(|it| (it.column.as_str(), it.fault)).collect();
    assert_eq!(
        told,
        [("selfhandling", Fault::Column), ("code", Fault::ColumnTwice), ("self_handling", Fault::ColumnMissing)]
    );
    assert_eq!(problems[0].to_string(), "line 1, column selfhandling is a column that is not known");
    assert_eq!(problems[0].zh(), "第 1 行 selfhandling 列是不认识的列");
}

#[test]
fn every_value_that_can_not_be_is_named_with_line_and_column() {
    let at = |line, column: &str, fault| (Some(line), column.to_owned(), fault);
    let wrong = "lo cal,event,A,,市容,,,no,no\nlocal,thing,A:1,A,=1+1,,06 010,ja,maybe\n,event,A2,A,,,,no,\n";
    assert_eq!(
        faults(wrong),
        [
            at(2, "scheme", Fault::Code),
            at(3, "code", Fault::Code),
            at(3, "maps_to", Fault::Code),
            at(3, "name_zh", Fault::Name),
            at(3, "kind", Fault::Kind),
            at(3, "self_handling", Fault::YesNo),
            at(3, "retired", Fault::YesNo),
            at(4, "scheme", Fault::Code),
            at(4, "name_zh", Fault::Name),
        ]
    );
    assert_eq!(faults("local,event,A\n"), [(Some(2), String::new(), Fault::Width)]);
    let long = format!("local,event,A,,{},,,no,no\n", "名".repeat(65));
    assert_eq!(faults(&long), [at(2, "name_zh", Fault::Name)]);
    for formula in ["+1", "-1", "@x"] {
        assert_eq!(faults(&format!("local,event,A,,市容,{formula},,no,no\n")), [at(2, "name_en", Fault::Name)]);
    }
}

#[test]
fn rows_that_contradict_each_other_are_named() {
    let at = |line, column: &str, fault| vec![(Some(line), column.to_owned(), fault)];
    assert_eq!(faults(&format!("{TREE}local,event,A1,A,垃圾,,,no,no\n")), at(4, "code", Fault::Duplicate));
    assert_eq!(faults(&format!("{TREE}local,event,B1,B,垃圾,,,no,no\n")), at(4, "parent", Fault::Parent));
    assert_eq!(faults(&format!("{TREE}other,event,B1,A,垃圾,,,no,no\n")), at(4, "parent", Fault::Parent));
    assert_eq!(faults(&format!("{TREE}local,part,B1,A,井盖,,,no,no\n")), at(4, "parent", Fault::ParentKind));
    assert_eq!(faults(&format!("{TREE}local,event,A11,A1,垃圾,,,no,no\n")), at(4, "parent", Fault::ParentMinor));
    assert_eq!(faults("local,event,A,,市容,,,yes,no\n"), at(2, "self_handling", Fault::MajorSelfHandled));
    let retired = "local,event,A,,市容,,,no,yes\nlocal,event,A1,A,垃圾,,,no,";
    assert_eq!(faults(&format!("{retired}no\n")), at(2, "retired", Fault::MajorRetired));
    assert!(of(&format!("{retired}yes\n")).is_ok(), "with all of its minors");
}

#[test]
fn what_is_no_table_or_too_much_of_one_is_refused_as_a_whole() {
    let fault = |bytes: &[u8]| read(bytes).unwrap_err()[0].fault;
    assert_eq!(fault(b""), Fault::ColumnMissing);
    assert_eq!(fault(HEAD.as_bytes()), Fault::Empty);
    assert_eq!(fault(b"scheme,\xd6\xd0"), Fault::Csv, "the encoding of a spreadsheet that was not asked for another");
    assert_eq!(fault(&vec![b' '; MAX_BYTES + 1]), Fault::TooLarge);
    let rows: String = (0..=MAX_ROWS).map(|n| format!("local,event,A{n},,市容,,,no,no\n")).collect();
    assert_eq!(of(&rows).unwrap_err()[0].fault, Fault::TooLarge);
}
