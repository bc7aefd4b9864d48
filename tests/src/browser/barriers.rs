//! Barriers on a page: contrast, labels, landmarks, order of headings, and the rest of what a machine can find.
//!
//! axe-core looks (tests/vendor/axe-core). What it can not see, such as whether an alternative text is a good one,
//! stays with people.

use serde_json::Value;

use super::Browser;

/// axe-core, unchanged.
const AXE: &str = include_str!("../../vendor/axe-core/axe.min.js");
/// WCAG 2.2 level AA and the rules of good practice.
const RUN: &str = "const done = arguments[arguments.length - 1];
    axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
        .then(found => done(found.violations.flatMap(rule => rule.nodes.map(node =>
            `${rule.impact} ${rule.id}: ${node.target} ${node.failureSummary}`))), failed => done([String(failed)]))";

impl Browser {
    /// What axe-core finds on this page, a line each, with its weight.
    pub async fn barriers(&self) -> Vec<String> {
        self.look(AXE).await;
        match self.look_async(RUN).await {
            Value::Array(found) => found.iter().map(|it| it.as_str().unwrap_or_default().to_owned()).collect(),
            other => panic!("axe-core did not answer: {other}"),
        }
    }
}
