//! What the errors of the layers below mean to a caller.

use xunge_client_core::wire::{VERSION, WireError};
use xunge_client_core::workflow::Refusal;

use super::ApiError;
use crate::auth::enrol::{self, EnrolError};
use crate::auth::login::LoginError;
use crate::auth::proof::ProofError;
use crate::auth::token::TokenError;
use crate::blobs::BlobError;
use crate::domain::commands::CommandError;
use crate::domain::intake::office::RegisterError;
use crate::domain::uploads::UploadError;
use crate::store::StoreError;
use crate::sync::SyncRefusal;
use crate::sync::rescue::RescueRefusal;

/// Seconds after which a full queue or a busy database is worth another try.
const BUSY_S: u32 = 5;
/// Seconds after which somebody may have made room on the disk.
const FULL_S: u32 = 300;

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Serialization | StoreError::Closed => Self::Busy { retry_after_s: BUSY_S },
            StoreError::Full => {
                tracing::error!("the disk is full");
                Self::DiskFull { retry_after_s: FULL_S }
            }
            StoreError::Unique { .. }
            | StoreError::ForeignKey
            | StoreError::Check { .. }
            | StoreError::AppendOnly { .. }
            | StoreError::Corrupt { .. }
            | StoreError::RowCount { .. }
            | StoreError::Column { .. }
            | StoreError::Panicked { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::MigrationChanged { .. }
            | StoreError::Missing { .. }
            | StoreError::Driver { .. } => Self::internal(&error),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ProofError> for ApiError {
    fn from(refused: ProofError) -> Self {
        Self::Proof(refused)
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::TokenInvalid,
            TokenError::Expired => Self::TokenExpired,
        }
    }
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::WrongCredentials => Self::WrongCredentials,
            LoginError::Locked { retry_after_s } => Self::TooMany { retry_after_s },
            LoginError::Busy => Self::Busy { retry_after_s: BUSY_S },
            LoginError::Store(error) => error.into(),
        }
    }
}

impl From<EnrolError> for ApiError {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::Code => Self::EnrolCode,
            EnrolError::Key => Self::Invalid {
                field: "public_key".to_owned(),
                code: "public_key_invalid",
                zh: "公钥不是可用的 Ed25519 公钥。请重新生成密钥后再注册。".to_owned(),
                en: "The public key is not a usable Ed25519 key. Make a new key pair and enrol again.".to_owned(),
            },
            EnrolError::Name => Self::Invalid {
                field: "name".to_owned(),
                code: "name_invalid",
                zh: format!("终端名称应为 1 至 {} 个可见字符。请更正后重试。", enrol::MAX_NAME_CHARS),
                en: format!("The name has to be 1 to {} printable characters. Correct it.", enrol::MAX_NAME_CHARS),
            },
            EnrolError::Store(error) => error.into(),
        }
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::NotFound => Self::NotFound,
            CommandError::KeyReused => Self::IdempotencyMismatch,
            CommandError::Refused(refusal) => Self::Refused(refusal),
            CommandError::Store(error) => error.into(),
        }
    }
}

impl From<RegisterError> for ApiError {
    fn from(error: RegisterError) -> Self {
        let invalid =
            |field: &str, code, zh: String, en: String| Self::Invalid { field: field.to_owned(), code, zh, en };
        match error {
            RegisterError::KeyReused => Self::IdempotencyMismatch,
            RegisterError::Missing { field: "office" } => invalid(
                "office",
                "missing",
                "位置不在任何街道内，无法确定审核镇街。请填写 office（镇街单位代码），或填写坐标或网格。".to_owned(),
                "The place is in no street, so no office would review it. Name the office in `office`, or give a point \
                 or a grid."
                    .to_owned(),
            ),
            RegisterError::Missing { field } => invalid(
                field,
                "missing",
                format!("缺少 {field}。登记案件须有类别、问题描述和位置（文字、坐标或网格）。请补充后重试。"),
                format!(
                    "`{field}` is missing. An order needs a category, a description and a place (words, point or grid). \
                     Add it and send again."
                ),
            ),
            RegisterError::Invalid { field } => invalid(
                &field,
                "invalid",
                format!("{field} 的取值不符合要求。请对照接口说明更正后重试。"),
                format!("`{field}` has no value that can be taken. Compare it with the API description and send again."),
            ),
            RegisterError::Retired => invalid(
                "facts.category_claim",
                "retired",
                "该类别已停用，不再用于新案件。请改用正在使用的类别（GET /v1/reference/taxonomy）。".to_owned(),
                "This category is retired and not given to new cases. Use one that is in use (GET /v1/reference/taxonomy)."
                    .to_owned(),
            ),
            RegisterError::Known { case } => invalid(
                "external.number",
                "already_registered",
                format!("该编号已登记为案件 {case}。请查看该案件，不要重复登记。"),
                format!("This number is case {case} already. Look at that case instead of registering it again."),
            ),
            RegisterError::OutsideScope => invalid(
                "facts",
                "outside_scope",
                "位置或审核镇街不在您的管辖范围内。请转交有权限的人员登记。".to_owned(),
                "The place or its office lies outside your scope. Pass it to somebody who answers for it.".to_owned(),
            ),
            RegisterError::Refused(refusal) => Self::Refused(refusal),
            RegisterError::Store(error) => error.into(),
        }
    }
}

impl From<BlobError> for ApiError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::NoSpace => Self::DiskFull { retry_after_s: FULL_S },
            BlobError::Closed => Self::Busy { retry_after_s: BUSY_S },
            // A row says the bytes are here: that is a defect and not an answer.
            BlobError::Missing | BlobError::Failed { .. } => Self::internal(&error),
        }
    }
}

impl From<SyncRefusal> for ApiError {
    fn from(refusal: SyncRefusal) -> Self {
        match refusal {
            SyncRefusal::Wire(error) => error.into(),
            SyncRefusal::Version { .. } => Self::VersionUnsupported { supported: VERSION },
            SyncRefusal::Proof(refused) => Self::Proof(refused),
            SyncRefusal::Quota { what, retry_after_s } => Self::Quota { code: what, retry_after_s },
            SyncRefusal::Busy | SyncRefusal::Conflict { .. } => Self::Busy { retry_after_s: 1 },
            SyncRefusal::Store(error) => error.into(),
        }
    }
}

impl From<RescueRefusal> for ApiError {
    fn from(refusal: RescueRefusal) -> Self {
        match refusal {
            RescueRefusal::NotOurs => Self::Invalid {
                field: "bundle".to_owned(),
                code: "rescue_not_ours",
                zh: "本服务器无法打开此救援包：它属于另一台服务器，或文件已损坏。请送往手机绑定的服务器。".to_owned(),
                en:
                    "This server can not open the bundle: it belongs to another server, or is damaged. Bring it to the \
                     server the phone is enrolled with."
                        .to_owned(),
            },
            RescueRefusal::Sync(refused) => refused.into(),
            RescueRefusal::Upload(refused) => refused.into(),
        }
    }
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Store(error) => error.into(),
            UploadError::Blob(error) => error.into(),
            UploadError::DiskFull => Self::DiskFull { retry_after_s: FULL_S },
            refused => Self::Upload(refused),
        }
    }
}

impl From<WireError> for ApiError {
    fn from(error: WireError) -> Self {
        match &error {
            WireError::TooLarge { allowed, .. } => Self::TooLarge { allowed: *allowed as u64 },
            WireError::TooMany { .. } | WireError::Frame(_) | WireError::Malformed { .. } => {
                Self::malformed(error.to_string())
            }
        }
    }
}
