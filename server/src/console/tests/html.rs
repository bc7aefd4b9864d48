//! A small reader of HTML that is strict where browsers are not, and the rules every page keeps.

use std::collections::{BTreeMap, BTreeSet};

/// An element with its place in the tree.
#[derive(Debug, Clone, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) parent: Option<usize>,
    /// Text inside it, its children's too.
    pub(super) text: String,
}

/// A page.
#[derive(Debug, Clone)]
pub(super) struct Html {
    pub(super) elements: Vec<Element>,
    pub(super) source: String,
}

const VOID: [&str; 6] = ["meta", "link", "input", "br", "img", "hr"];

impl Html {
    /// Reads a page.
    ///
    /// # Panics
    /// If a tag is not closed, an attribute not quoted or given twice, or a stray `<` or `&` is in the text.
    pub(super) fn read(source: &str) -> Self {
        let mut elements: Vec<Element> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut rest = source.strip_prefix("<!doctype html>").expect("a page begins with its doctype");
        while !rest.is_empty() {
            let (text, after) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
            let text = unescape(text);
            for index in &open {
                elements[*index].text.push_str(&text);
            }
            if after.is_empty() {
                break;
            }
            let end = end_of_tag(after);
            let tag = &after[1..end];
            rest = &after[end + 1..];
            if let Some(name) = tag.strip_prefix('/') {
                let index = open.pop().unwrap_or_else(|| panic!("</{name}> closes nothing"));
                assert_eq!(elements[index].name, name.trim(), "closed in the wrong order");
                continue;
            }
            let closed = tag.ends_with('/');
            let mut element = element(tag.trim_end_matches('/'));
            element.parent = open.last().copied();
            let void = VOID.contains(&element.name.as_str());
            elements.push(element);
            if !void && !closed {
                open.push(elements.len() - 1);
            }
        }
        assert!(open.is_empty(), "left open: {:?}", open.iter().map(|it| &elements[*it].name).collect::<Vec<_>>());
        Self { elements, source: source.to_owned() }
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |element| element.name == name)
    }

    pub(super) fn text_of(&self, name: &str) -> String {
        self.all(name).map(|element| element.text.clone()).collect::<Vec<_>>().join("\n")
    }

    /// Names and values a form would send as it stands, by the verb it carries or its action.
    pub(super) fn form(&self, verb_or_action: &str) -> Vec<(String, String)> {
        let index = self
            .elements
            .iter()
            .position(|it| {
                it.name == "form"
                    && (it.attr("action") == verb_or_action
                        || ["verb", "act"].iter().any(|name| self.sends(it, name).as_deref() == Some(verb_or_action)))
            })
            .unwrap_or_else(|| panic!("no form {verb_or_action}"));
        self.fields(index)
    }

    fn sends(&self, form: &Element, name: &str) -> Option<String> {
        let index = self.elements.iter().position(|it| std::ptr::eq(it, form))?;
        self.fields(index).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn fields(&self, form: usize) -> Vec<(String, String)> {
        let mut sent = Vec::new();
        for (index, element) in self.elements.iter().enumerate().filter(|(index, _)| self.is_in(*index, form)) {
            let name = element.attr("name").to_owned();
            match element.name.as_str() {
                "input" if element.attr("type") == "radio" && !element.has("checked") => {}
                "input" => sent.push((name, element.attr("value").to_owned())),
                "textarea" => sent.push((name, element.text.trim_start_matches('\n').to_owned())),
                "select" => {
                    let options: Vec<&Element> = self
                        .elements
                        .iter()
                        .enumerate()
                        .filter(|(it, option)| option.name == "option" && self.is_in(*it, index))
                        .map(|(_, option)| option)
                        .collect();
                    let chosen = options.iter().find(|it| it.has("selected")).or(options.first());
                    sent.push((name, chosen.map(|it| it.attr("value").to_owned()).unwrap_or_default()));
                }
                _ => {}
            }
        }
        sent
    }

    pub(super) fn is_in(&self, index: usize, ancestor: usize) -> bool {
        std::iter::successors(Some(index), |it| self.elements[*it].parent).skip(1).any(|it| it == ancestor)
    }

    /// The rules every page keeps.
    pub(super) fn check(&self, what: &str) {
        self.check_structure(what);
        self.check_policy(what);
        self.check_forms(what);
    }

    fn check_structure(&self, what: &str) {
        let one = |name: &str| assert_eq!(self.all(name).count(), 1, "{what}: one <{name}>");
        ["html", "head", "body", "main", "h1"].into_iter().for_each(one);
        assert!(["zh-CN", "en"].contains(&self.all("html").next().unwrap().attr("lang")), "{what}: language");
        assert!(self.all("title").next().is_some_and(|it| !it.text.trim().is_empty()), "{what}: title");
        assert!(self.all("a").next().is_some_and(|it| it.attr("href") == "#main"), "{what}: skip link first");
        let mut ids = BTreeSet::new();
        for id in self.elements.iter().filter(|it| it.has("id")).map(|it| it.attr("id")) {
            assert!(ids.insert(id), "{what}: two #{id}");
        }
        for element in &self.elements {
            for name in ["for", "aria-labelledby", "aria-describedby"] {
                for id in element.attr(name).split_whitespace() {
                    assert!(ids.contains(id), "{what}: {name} names #{id}, which is not there");
                }
            }
        }
        for (index, element) in self.elements.iter().enumerate() {
            let name = element.name.as_str();
            if name == "img" {
                assert!(!element.attr("alt").trim().is_empty(), "{what}: an img without alt");
            }
            if name == "th" {
                assert!(["col", "row"].contains(&element.attr("scope")), "{what}: th without scope");
            }
            if name == "table" {
                let captioned = self
                    .elements
                    .iter()
                    .enumerate()
                    .any(|(it, child)| child.name == "caption" && self.is_in(it, index));
                assert!(captioned, "{what}: a table without caption");
            }
            if ["a", "button", "summary", "option", "label", "legend", "h1", "h2", "h3", "caption"].contains(&name) {
                let image =
                    self.elements.iter().enumerate().any(|(it, child)| child.name == "img" && self.is_in(it, index));
                assert!(!element.text.trim().is_empty() || image, "{what}: an empty <{name}>: {element:?}");
            }
            if element.attr("role") == "region" {
                assert!(element.has("aria-label") || element.has("aria-labelledby"), "{what}: a region without name");
            }
        }
        let levels: Vec<u8> = self.elements.iter().filter_map(|it| heading(&it.name)).collect();
        for pair in levels.windows(2) {
            assert!(pair[1] <= pair[0] + 1, "{what}: headings jump {levels:?}");
        }
        assert!(!self.source.contains(">?<"), "{what}: a word is missing");
    }

    fn check_policy(&self, what: &str) {
        for element in &self.elements {
            if element.name == "script" {
                let own = element.attr("src").starts_with("/console/static/") && element.has("defer");
                assert!(own && element.text.is_empty(), "{what}: a script that is not ours");
            }
            assert!(
                !["style", "iframe", "object", "embed", "base"].contains(&element.name.as_str()),
                "{what}: <{}>",
                element.name
            );
            for (name, value) in &element.attributes {
                assert!(name != "style" && !name.starts_with("on"), "{what}: {name}={value}");
                if ["href", "src", "action"].contains(&name.as_str()) {
                    let own = value.starts_with('/') && !value.starts_with("//") || value.starts_with('#');
                    assert!(own, "{what}: {name} leads to {value}");
                }
            }
        }
    }

    fn check_forms(&self, what: &str) {
        for (index, form) in self.elements.iter().enumerate().filter(|(_, it)| it.name == "form") {
            let post = form.attr("method") == "post";
            assert!(post || form.attr("method") == "get", "{what}: the method of a form");
            let token = self.fields(index).into_iter().find(|(name, _)| name == "token");
            assert_eq!(
                token.is_some_and(|(_, value)| value.len() == 43),
                post,
                "{what}: token of {}",
                form.attr("action")
            );
            let button =
                self.elements.iter().enumerate().any(|(it, child)| child.name == "button" && self.is_in(it, index));
            assert!(button, "{what}: a form without button");
        }
        for (index, element) in self.elements.iter().enumerate() {
            let field = ["select", "textarea"].contains(&element.name.as_str())
                || element.name == "input" && element.attr("type") != "hidden";
            if field {
                let id = element.attr("id");
                let labelled = self.all("label").any(|label| label.attr("for") == id && !id.is_empty());
                assert!(labelled, "{what}: no label for {element:?}");
                let in_form =
                    self.elements.iter().enumerate().any(|(it, form)| form.name == "form" && self.is_in(index, it));
                assert!(in_form, "{what}: a field outside a form");
            }
        }
    }
}

fn heading(name: &str) -> Option<u8> {
    name.strip_prefix('h').and_then(|level| level.parse().ok())
}

impl Element {
    pub(super) fn attr(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }
}

/// Where a tag ends; `>` in a quoted value does not end it.
fn end_of_tag(text: &str) -> usize {
    let mut quoted = false;
    for (index, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return index,
            '<' if index > 0 => panic!("a stray <: {}", &text[..index.min(80)]),
            _ => {}
        }
    }
    panic!("a tag is not closed: {}", text.chars().take(80).collect::<String>());
}

fn element(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "a strange tag: {tag}");
    let mut element = Element { name: name.to_owned(), ..Element::default() };
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        rest = &rest[start..];
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let name = &rest[..end];
        rest = &rest[end..];
        let mut value = "";
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let close = quoted.find('"').expect("a value is quoted to its end");
            value = &quoted[..close];
            rest = &quoted[close + 1..];
        } else {
            assert!(!rest.starts_with('='), "an unquoted value in <{tag}>");
        }
        assert!(
            name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == ':'),
            "a strange attribute {name} in <{tag}>"
        );
        let twice = element.attributes.insert(name.to_owned(), unescape(value));
        assert!(twice.is_none(), "{name} twice in <{tag}>");
    }
    element
}

/// Text as a browser shows it.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, tail) = after.split_once(';').expect("a stray &");
        plain.push(match entity {
            "lt" | "#60" => '<',
            "gt" | "#62" => '>',
            "amp" | "#38" => '&',
            "quot" | "#34" => '"',
            "#39" => '\'',
            other => panic!("an unknown entity &{other};"),
        });
        rest = tail;
    }
    plain.push_str(rest);
    plain
}
