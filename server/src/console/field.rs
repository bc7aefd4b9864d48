//! Fields of forms as templates draw them.

use std::fmt::Write as _;

/// How a value is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Not shown.
    Hidden,
    /// One line; the HTML input type.
    Line(&'static str),
    /// One line, with what a browser offers while somebody types.
    Suggested(Vec<Choice>),
    /// Several lines.
    Long,
    /// A list to choose from.
    Choice(Vec<Group>),
    /// A few choices, all in sight.
    Radio(Vec<Choice>),
    /// A table as text.
    Pasted,
    /// A single box to tick.
    Check,
    /// A file from the reader's own disk; its ending.
    File(&'static str),
    /// Photos from the reader's own disk; the value names those that were sent before.
    Photos,
}

/// One thing to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    /// As sent.
    pub(crate) value: String,
    /// As shown.
    pub(crate) label: String,
    /// It is the one chosen.
    pub(crate) chosen: bool,
    /// The digit that chooses it; empty for none.
    pub(crate) key: String,
}

impl Choice {
    /// A choice, chosen if its value is `current`.
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>, current: &str) -> Self {
        let value = value.into();
        Self { chosen: value == current, value, label: label.into(), key: String::new() }
    }
}

/// Choices under a heading; an empty heading for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// The heading.
    pub(crate) label: String,
    /// What is below it.
    pub(crate) choices: Vec<Choice>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Unique in the page.
    pub(crate) id: String,
    /// As sent.
    pub(crate) name: String,
    /// As shown.
    pub(crate) label: String,
    /// How it is given.
    pub(crate) kind: Kind,
    /// What it holds.
    pub(crate) value: String,
    /// It must be given.
    pub(crate) required: bool,
    /// The words for "optional".
    pub(crate) optional: &'static str,
    /// What helps to fill it in.
    pub(crate) hint: String,
    /// What is wrong with what it holds.
    pub(crate) problem: String,
}

impl Field {
    /// A field that may be left out, without hint.
    pub(crate) fn new(name: &str, label: &str, kind: Kind, value: &str) -> Self {
        Self {
            id: format!("f-{}", name.replace('_', "-")),
            name: name.to_owned(),
            label: label.to_owned(),
            kind,
            value: value.to_owned(),
            required: false,
            optional: "",
            hint: String::new(),
            problem: String::new(),
        }
    }

    /// The same, required.
    pub(crate) fn needed(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same with a hint.
    pub(crate) fn hinted(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// The same with what is wrong with it; nothing for an empty text.
    pub(crate) fn faulty(self, problem: &str) -> Self {
        Self { problem: problem.to_owned(), ..self }
    }

    /// Attributes that follow from the field's state.
    pub(crate) fn attributes(&self) -> String {
        let required = if self.required { " required" } else { "" };
        // So that a browser offers to keep the new one and not the old one.
        let kept = match (&self.kind, self.name.as_str()) {
            (Kind::Line("password"), "current") => " autocomplete=\"current-password\"",
            (Kind::Line("password"), _) => " autocomplete=\"new-password\"",
            _ => "",
        };
        format!("{required}{kept}{}", self.state())
    }

    /// The same for a group of choices, each of which is required by itself.
    pub(crate) fn state(&self) -> String {
        let mut text = String::new();
        let mut described = Vec::new();
        if !self.problem.is_empty() {
            text.push_str(" aria-invalid=\"true\"");
            described.push(format!("{}-problem", self.id));
        }
        if !self.hint.is_empty() {
            described.push(format!("{}-hint", self.id));
        }
        if !described.is_empty() {
            write!(text, " aria-describedby=\"{}\"", described.join(" ")).expect("writing to a String does not fail");
        }
        text
    }
}

/// A form that does something to a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct VerbForm {
    /// Where it goes.
    pub(crate) action: String,
    /// Code of the verb.
    pub(crate) verb: &'static str,
    /// The version of the case its reader saw.
    pub(crate) version: u32,
    /// Where to go on: the page the form stands on.
    pub(crate) back: String,
    /// What it is called.
    pub(crate) title: String,
    /// What its button says.
    pub(crate) button: String,
    /// Class of the button.
    pub(crate) tone: &'static str,
    /// Access key.
    pub(crate) key: &'static str,
    /// Shown unfolded.
    pub(crate) open: bool,
    /// What to know before.
    pub(crate) warning: String,
    /// Why it was refused.
    pub(crate) problem: String,
    /// The way out of that.
    pub(crate) way: String,
    /// What is to be filled in.
    pub(crate) fields: Vec<Field>,
}

impl VerbForm {
    /// One press and nothing to fill in.
    pub(crate) fn is_simple(&self) -> bool {
        self.fields.is_empty()
    }

    /// It brings photos along.
    pub(crate) fn has_photos(&self) -> bool {
        self.fields.iter().any(|field| field.kind == Kind::Photos)
    }

    /// The same form on a page with others like it: its fields are told apart by `mark`.
    pub(crate) fn marked(mut self, mark: &str) -> Self {
        for field in &mut self.fields {
            field.id = format!("{}-{mark}", field.id);
        }
        self
    }
}
