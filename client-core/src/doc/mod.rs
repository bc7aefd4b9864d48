//! The Automerge field document of a case, and the gate every foreign change passes.
//!
//! A [`FieldDoc`] holds what the field saw: plain registers, and photos, remarks and supplements under
//! their own keys. Nothing else: no lists, text objects, counters, marks or authors, and no decision.
//! Concurrent values of a register are kept and shown.
//!
//! One normal run: the phone writes a draft's [`Facts`](crate::model::Facts) as one change
//! ([`first_change`]), sends its body ([`chunk`]), the server lets it through [`gate::admit`], stores the
//! snapshot the gate verified and answers with heads. Later edits are one change per send
//! ([`FieldDoc::edit`]). If a change is refused, the phone takes the accepted document and repeats what
//! the inspector did under a new actor ([`FieldDoc::rebase`]).
//!
//! Only this folder names the `automerge` crate.

pub mod chunk;
mod edit;
mod error;
mod field_doc;
pub mod gate;
mod initial;
mod read;
mod schema;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod words;

pub use edit::Edit;
pub use error::DocError;
pub use field_doc::{FieldDoc, Rebased, first_change};
