//! What can be wrong with a category file: line, column, reason and way out, in both languages.

use std::fmt::{self, Display, Formatter};

use super::problem::Problem;

/// One problem of a category file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryProblem {
    /// Line of the file, from 1; none for the file as a whole.
    pub line: Option<u64>,
    /// The column, by its header; empty where it is none of them.
    pub column: String,
    /// What stands there; empty where that says nothing.
    pub value: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not UTF-8.
    Csv,
    /// More or fewer values than columns.
    Width,
    /// More bytes or rows than any city has.
    TooLarge,
    /// No row at all.
    Empty,
    /// A column nobody knows.
    Column,
    /// A column is missing.
    ColumnMissing,
    /// A column occurs twice.
    ColumnTwice,
    /// Not a code: letters, digits, dots, dashes, or too long.
    Code,
    /// Neither `part` nor `event`.
    Kind,
    /// Neither `yes` nor `no`.
    YesNo,
    /// No name, too long a name, or one that a spreadsheet would compute.
    Name,
    /// A category occurs twice.
    Duplicate,
    /// The parent is not in this tree.
    Parent,
    /// The parent is there, but as the other kind.
    ParentKind,
    /// The parent is no major.
    ParentMinor,
    /// A major that may be handled on the spot.
    MajorSelfHandled,
    /// A major that is retired while a minor below it is not.
    MajorRetired,
}

impl Fault {
    /// Code, English, Chinese, and the way out in both.
    const fn words(self) -> [&'static str; 5] {
        match self {
            Self::Csv => [
                "category_csv",
                "is not CSV in UTF-8",
                "不是 UTF-8 编码的 CSV",
                "save it as CSV UTF-8 (comma delimited)",
                "请另存为“CSV UTF-8（逗号分隔）”",
            ],
            Self::Width => [
                "category_width",
                "has more or fewer values than there are columns",
                "的列数与表头不同",
                "put values that hold a comma in double quotes",
                "含逗号的内容请用英文双引号括起",
            ],
            Self::TooLarge => [
                "category_too_large",
                "is larger than 1 MB or 5,000 rows",
                "超过 1 MB 或 5000 行",
                "bring the trees one by one",
                "请分成每张类别表一个文件",
            ],
            Self::Empty => {
                ["category_empty", "has no rows", "没有内容", "add a row for each category", "请每个类别写一行"]
            }
            Self::Column => [
                "category_column",
                "is a column that is not known",
                "是不认识的列",
                "remove it, or correct its header (docs/CATEGORY-FILE.md)",
                "请删除该列或更正列名（见 docs/CATEGORY-FILE.md）",
            ],
            Self::ColumnMissing => {
                ["category_column_missing", "is missing", "缺少此列", "add the column", "请补充该列"]
            }
            Self::ColumnTwice => {
                ["category_column_twice", "is there twice", "此列重复", "remove one of them", "请删除其中一列"]
            }
            Self::Code => [
                "category_code",
                "is not a code",
                "不是有效的代码",
                "use letters, digits, dots and dashes, 48 at most; a spreadsheet may have taken zeros off its beginning",
                "请使用字母、数字、点和短横，至多 48 个；若开头的 0 被表格软件去掉，请补上",
            ],
            Self::Kind => [
                "category_kind",
                "is neither part nor event",
                "不是 part 或 event",
                "write part or event",
                "请写 part（部件）或 event（事件）",
            ],
            Self::YesNo => {
                ["category_yes_no", "is neither yes nor no", "不是 yes 或 no", "write yes or no", "请写 yes 或 no"]
            }
            Self::Name => [
                "category_name",
                "is no name",
                "不能作名称",
                "give a name on one line, 64 characters at most (128 in English), that does not begin with = + - or @",
                "请写一行名称，至多 64 个字（英文 128 个字符），不以 = + - @ 开头",
            ],
            Self::Duplicate => [
                "category_duplicate",
                "occurs more than once",
                "重复出现",
                "remove one row or give it its own code",
                "请删除一行或另给代码",
            ],
            Self::Parent => [
                "category_parent",
                "is not in this tree",
                "不在这张类别表中",
                "add a row for the major, or correct the code",
                "请补充该大类的一行或更正代码",
            ],
            Self::ParentKind => [
                "category_parent_kind",
                "is a major of the other kind",
                "是另一种类（部件、事件）的大类",
                "name a major of the same kind",
                "请填写同一种类的大类",
            ],
            Self::ParentMinor => [
                "category_parent_minor",
                "is a minor itself",
                "本身是小类",
                "name a major: a tree has two levels",
                "请填写大类：类别表只有两级",
            ],
            Self::MajorSelfHandled => [
                "category_major_self_handling",
                "is set for a major",
                "用在了大类上",
                "write no: only minors are reported",
                "请写 no：上报的是小类",
            ],
            Self::MajorRetired => [
                "category_major_retired",
                "is set for a major that has minors in use",
                "用在了仍有小类的大类上",
                "retire its minors too",
                "请同时停用它的全部小类",
            ],
        }
    }
}

impl CategoryProblem {
    /// A problem of the file as a whole.
    pub(super) fn whole(fault: Fault) -> Self {
        Self { line: None, column: String::new(), value: String::new(), fault }
    }

    /// A problem of one value.
    pub(super) fn at(line: u64, column: &str, value: &str, fault: Fault) -> Self {
        // Enough to find it by.
        Self { line: Some(line), column: column.to_owned(), value: value.chars().take(60).collect(), fault }
    }
}

impl Problem for CategoryProblem {
    fn code(&self) -> &'static str {
        self.fault.words()[0]
    }

    fn subject(&self) -> String {
        let line = self.line.map(|line| line.to_string()).unwrap_or_default();
        let parts = [line.as_str(), &self.column, &self.value];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    fn zh(&self) -> String {
        let line = self.line.map(|line| format!("第 {line} 行")).unwrap_or_default();
        let column = if self.column.is_empty() { String::new() } else { format!(" {} 列", self.column) };
        let value = if self.value.is_empty() { String::new() } else { format!("“{}”", self.value) };
        let place = format!("{line}{column}");
        let place = if place.is_empty() { "文件".to_owned() } else { place };
        format!("{}{value}{}", place.trim_start(), self.fault.words()[2])
    }

    fn way_out(&self) -> (&'static str, &'static str) {
        let [.., en, zh] = self.fault.words();
        (en, zh)
    }
}

impl Display for CategoryProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}")?,
            None => f.write_str("the file")?,
        }
        if !self.column.is_empty() {
            write!(f, ", column {}", self.column)?;
        }
        if !self.value.is_empty() {
            write!(f, ": `{}`", self.value)?;
        }
        write!(f, " {}", self.fault.words()[1])
    }
}
