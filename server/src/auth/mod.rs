//! Who is asking: accounts, passwords, phones, tokens, and who may use which route.
//!
//! | module | what it gives |
//! |---|---|
//! | [`keys`] | the signing and sealing keys, files beside the database |
//! | [`token`] | access tokens, EdDSA only |
//! | [`account`], [`device`] | users and phones as rows |
//! | [`login`], [`password`], [`throttle`] | signing in, and how fast passwords may be guessed |
//! | [`enrol`], [`proof`] | how a phone joins, and how it proves each request |
//! | [`permission`], [`extract`] | who may use which route, and who a request comes from |

pub mod account;
mod code;
pub mod device;
mod eddsa;
pub mod enrol;
pub mod extract;
pub mod keys;
pub mod login;
pub mod password;
pub mod permission;
pub mod proof;
pub mod throttle;
pub mod token;

#[cfg(test)]
pub(crate) mod testing;
