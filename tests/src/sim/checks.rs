//! The invariants.

mod again;
mod audit;
mod centre;
mod end;
mod phone;
mod photos;
#[cfg(test)]
mod tests;

pub(super) use end::described;
