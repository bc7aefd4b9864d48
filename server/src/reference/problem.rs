//! What is wrong with a file that somebody gave: all of it at once, each with its way out, in both languages.

use std::fmt::Display;

/// One thing that is wrong; its `Display` says it in English.
pub trait Problem: Display {
    /// The stable code.
    fn code(&self) -> &'static str;

    /// What it is about.
    fn subject(&self) -> String;

    /// The problem in Chinese.
    fn zh(&self) -> String;

    /// What to change, English and Chinese.
    fn way_out(&self) -> (&'static str, &'static str);
}
