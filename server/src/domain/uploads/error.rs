//! Why bytes of a photo were not taken.

use thiserror::Error;

use crate::blobs::BlobError;
use crate::store::StoreError;

/// A refusal or failure of an upload, with a way out.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum UploadError {
    /// There is no such upload of this owner.
    #[error("there is no such upload")]
    NotFound,
    /// The bytes do not begin where the last ones ended.
    #[error("the upload stands at {expected} bytes")]
    Offset {
        /// Where to go on, bytes from the start.
        expected: u64,
    },
    /// The announced size is nothing or too much.
    #[error("a photo has 1 to {limit} bytes")]
    Size {
        /// Most bytes of a photo.
        limit: u64,
    },
    /// More bytes came than were announced; none of this request is kept.
    #[error("more than the announced {length} bytes came")]
    TooLong {
        /// The announced size, bytes.
        length: u64,
    },
    /// The check sum of the request is another one; none of it is kept.
    #[error("the check sum does not fit the bytes")]
    Checksum,
    /// The photo has another SHA-256 than announced; all of it was thrown away.
    #[error("the SHA-256 of the photo is another one than announced")]
    Hash,
    /// The photo is stored: evidence is not taken back.
    #[error("the photo is stored already")]
    Stored,
    /// The owner has too many unfinished uploads.
    #[error("too many unfinished uploads")]
    TooMany,
    /// The disk is nearly full; reports still come in.
    #[error("the server's disk has no room for photos")]
    DiskFull,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk failed.
    #[error(transparent)]
    Blob(BlobError),
}

impl From<BlobError> for UploadError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::NoSpace => Self::DiskFull,
            other => Self::Blob(other),
        }
    }
}

impl UploadError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "upload_not_found",
            Self::Offset { .. } => "upload_offset",
            Self::Size { .. } => "photo_size",
            Self::TooLong { .. } => "upload_too_long",
            Self::Checksum => "upload_checksum",
            Self::Hash => "photo_hash",
            Self::Stored => "photo_stored",
            Self::TooMany => "quota_uploads",
            Self::DiskFull => "disk_full",
            Self::Store(_) | Self::Blob(_) => "storage_failed",
        }
    }

    /// Tells in Chinese what is wrong and what to do about it.
    pub fn zh(&self) -> String {
        match self {
            Self::NotFound => "没有这个上传任务，请重新开始上传。".into(),
            Self::Offset { expected } => format!("上传位置不符，请从第 {expected} 字节继续。"),
            Self::Size { limit } => format!("照片大小须为 1 字节至 {} MB，请压缩后重试。", limit >> 20),
            Self::TooLong { length } => format!("收到的数据超过申报的 {length} 字节，请核对后重新上传。"),
            Self::Checksum => "数据在传输中出错，请重新发送这一段。".into(),
            Self::Hash => "照片内容与申报的校验值不符，请从头重新上传。".into(),
            Self::Stored => "照片已入库，不能撤回。".into(),
            Self::TooMany => "未完成的上传过多，请先完成或取消一部分。".into(),
            Self::DiskFull => "服务器空间不足，暂不接收照片，请稍后重试；文字上报不受影响。".into(),
            Self::Store(_) | Self::Blob(_) => "服务器暂时无法保存照片，请稍后重试。".into(),
        }
    }

    /// Tells in English what is wrong and what to do about it.
    pub fn en(&self) -> String {
        match self {
            Self::NotFound => "There is no such upload; begin it again.".into(),
            Self::Offset { expected } => format!("The upload stands elsewhere; go on from byte {expected}."),
            Self::Size { limit } => format!("A photo has 1 byte to {} MB; make it smaller.", limit >> 20),
            Self::TooLong { length } => format!("More than the announced {length} bytes came; check and send again."),
            Self::Checksum => "The bytes were damaged on the way; send them again.".into(),
            Self::Hash => "The photo has another SHA-256 than announced; send it again from the start.".into(),
            Self::Stored => "The photo is stored and cannot be taken back.".into(),
            Self::TooMany => "Too many unfinished uploads; finish or end some of them first.".into(),
            Self::DiskFull => "The server has no room for photos; try later. Reports still come in.".into(),
            Self::Store(_) | Self::Blob(_) => "The server cannot store the photo just now; try later.".into(),
        }
    }
}
