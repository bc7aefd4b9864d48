//! Why a photo was not taken in, in words an inspector can act on.

use thiserror::Error;

/// A photo that cannot become an upload copy.
///
/// Nothing is lost by any of these: the caller still has the file. `Display` is the English text for logs; a screen
/// shows [`PhotoError::zh`] or [`PhotoError::en`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PhotoError {
    /// The file holds no bytes.
    #[error("the photo file is empty")]
    Empty,
    /// The file is larger than [`Limits::max_file_bytes`](super::Limits::max_file_bytes).
    #[error("the photo file has {bytes} bytes, the limit is {limit}")]
    FileTooLarge {
        /// Size of the file, bytes.
        bytes: u64,
        /// The limit, bytes.
        limit: u64,
    },
    /// A picture in a format that is not taken in, whatever its name says.
    #[error("the file is {found}, not JPEG, PNG or WebP")]
    OtherFormat {
        /// What the content is, e.g. "HEIC".
        found: &'static str,
    },
    /// Not a picture at all, whatever its name says.
    #[error("the file is {found}, not a photo")]
    NotAPhoto {
        /// What the content is, e.g. "HTML".
        found: &'static str,
    },
    /// Content of no kind we know.
    #[error("the file is of no known kind")]
    Unrecognised,
    /// The header announces more pixels than [`Limits::max_pixels`](super::Limits::max_pixels).
    #[error("the photo has {width} x {height} pixels, the limit is {limit} in all")]
    TooManyPixels {
        /// Announced width, pixels.
        width: u32,
        /// Announced height, pixels.
        height: u32,
        /// The limit, pixels.
        limit: u64,
    },
    /// Decoding would need more memory than [`Limits::max_alloc_bytes`](super::Limits::max_alloc_bytes).
    #[error("the photo needs {needed} bytes of memory to decode, the limit is {limit}")]
    TooMuchMemory {
        /// What decoding would allocate, bytes.
        needed: u64,
        /// The limit, bytes.
        limit: u64,
    },
    /// The file ends before the picture does; half a picture is not evidence.
    #[error("the photo file ends before the picture does")]
    Truncated,
    /// The bytes contradict themselves.
    #[error("the photo file is damaged: {reason}")]
    Broken {
        /// For the log; names no person and no place.
        reason: String,
    },
}

impl PhotoError {
    /// Returns the stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "photo_empty",
            Self::FileTooLarge { .. } => "photo_file_too_large",
            Self::OtherFormat { .. } => "photo_other_format",
            Self::NotAPhoto { .. } => "photo_not_a_photo",
            Self::Unrecognised => "photo_unrecognised",
            Self::TooManyPixels { .. } => "photo_too_many_pixels",
            Self::TooMuchMemory { .. } => "photo_too_much_memory",
            Self::Truncated => "photo_truncated",
            Self::Broken { .. } => "photo_broken",
        }
    }

    /// Tells in Chinese what is wrong and what to do about it.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Empty => "照片文件是空的,请重新拍摄。".into(),
            Self::FileTooLarge { bytes, limit } => {
                format!("照片文件有 {} MB,超过 {} MB 的上限,请调低相机分辨率后重新拍摄。", mega(*bytes), mega(*limit))
            }
            Self::OtherFormat { found: found @ ("HEIC" | "AVIF") } => {
                format!("这是 {found} 格式,暂不支持。请在相机设置的“格式”中选择“兼容性最佳”(JPEG),再重新拍摄。")
            }
            Self::OtherFormat { found } => {
                format!("这是 {found} 格式的图片,只能使用 JPEG、PNG 或 WebP。请重新拍摄,或先转换格式。")
            }
            Self::NotAPhoto { found } => format!("这个文件其实是 {found},不是照片。请重新拍摄或另选一张。"),
            Self::Unrecognised => "照片无法识别,请重新拍摄或另选一张。".into(),
            Self::TooManyPixels { width, height, limit } => format!(
                "照片有 {width}×{height} 像素,超过 {} 万像素的上限,请调低相机分辨率后重新拍摄。",
                limit / 10_000
            ),
            Self::TooMuchMemory { .. } => "照片太大,手机内存不够处理,请调低相机分辨率后重新拍摄。".into(),
            Self::Truncated => "照片不完整(可能保存时中断),原文件仍保留在手机上,请重新拍摄。".into(),
            Self::Broken { .. } => "照片已损坏,原文件仍保留在手机上,请重新拍摄。".into(),
        }
    }

    /// Tells in English what is wrong and what to do about it.
    #[must_use]
    pub fn en(&self) -> String {
        let way_out = match self {
            Self::FileTooLarge { .. } | Self::TooManyPixels { .. } | Self::TooMuchMemory { .. } => {
                "Lower the camera's resolution and take it again."
            }
            Self::OtherFormat { found: "HEIC" | "AVIF" } => {
                "Set the camera to its most compatible format (JPEG) and take it again."
            }
            Self::OtherFormat { .. } => "Take a new photo or convert this one first.",
            Self::NotAPhoto { .. } | Self::Unrecognised => "Take a new photo or choose another file.",
            Self::Empty => "Take it again.",
            Self::Truncated | Self::Broken { .. } => "The file stays on the phone; take the photo again.",
        };
        let mut what = match self {
            Self::Broken { .. } => "the photo file is damaged".to_owned(),
            other => other.to_string(),
        };
        if let Some(first) = what.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        format!("{what}. {way_out}")
    }

    pub(super) fn broken(reason: impl ToString) -> Self {
        Self::Broken { reason: reason.to_string() }
    }
}

fn mega(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_own_code_and_says_what_to_do() {
        let all = [
            PhotoError::Empty,
            PhotoError::FileTooLarge { bytes: 70 << 20, limit: 64 << 20 },
            PhotoError::OtherFormat { found: "GIF" },
            PhotoError::NotAPhoto { found: "HTML" },
            PhotoError::Unrecognised,
            PhotoError::TooManyPixels { width: 30_000, height: 30_000, limit: 50 << 20 },
            PhotoError::TooMuchMemory { needed: 1 << 30, limit: 192 << 20 },
            PhotoError::Truncated,
            PhotoError::broken("x"),
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(PhotoError::code).collect();
        assert_eq!(codes.len(), all.len());
        for error in &all {
            assert!(error.zh().contains('请'), "{}", error.zh());
            assert!(error.en().contains(" again") || error.en().contains("new photo"), "{}", error.en());
            assert!(error.en().starts_with("The "), "{}", error.en());
        }
        assert!(PhotoError::OtherFormat { found: "HEIC" }.zh().contains("兼容性最佳"));
    }
}
