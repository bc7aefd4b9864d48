//! The invariants.

mod centre;
mod end;
mod phone;

pub(super) use end::described;
