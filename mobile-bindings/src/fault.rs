//! Why a call did not do what it was asked.

use thiserror::Error;
use xunge_client_core::client::PhoneError;

/// Everything a screen needs to tell the inspector. What was saved before is never lost by a failed call.
///
/// Not called `Error`: Kotlin renames that.
#[derive(Debug, Clone, PartialEq, Eq, Error, uniffi::Error)]
pub enum PhoneFault {
    /// The phone could not do it.
    #[error("{code}: {words_en}")]
    Refused {
        /// Stable, for programs.
        code: String,
        /// What happened, in Chinese.
        words_zh: String,
        /// What happened, in English.
        words_en: String,
        /// What to do, in Chinese.
        hint_zh: String,
        /// What to do, in English.
        hint_en: String,
        /// The case, field or file it is about.
        subject: Option<String>,
    },
}

impl From<PhoneError> for PhoneFault {
    fn from(error: PhoneError) -> Self {
        Self::Refused {
            code: error.code().to_owned(),
            words_zh: error.zh(),
            words_en: error.en(),
            hint_zh: error.hint_zh().to_owned(),
            hint_en: error.hint_en().to_owned(),
            subject: error.subject(),
        }
    }
}
