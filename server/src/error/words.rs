//! The words of each problem: a title for its kind, a detail with a way out, in Chinese and English.

use super::{ApiError, Language};
use crate::auth::proof::ProofError;

impl ApiError {
    /// The same for all problems of this code.
    pub fn title(&self, language: Language) -> &'static str {
        let (zh, en) = self.titles();
        language.pick(zh, en)
    }

    /// What is wrong and what to do about it.
    pub fn detail(&self, language: Language) -> String {
        match language {
            Language::Zh => self.zh(),
            Language::En => self.en(),
        }
    }

    fn titles(&self) -> (&'static str, &'static str) {
        match self {
            Self::Malformed { .. } => ("请求格式错误", "Malformed request"),
            Self::UnknownParameter { .. } => ("未知的查询参数", "Unknown query parameter"),
            Self::BadParameter { .. } => ("参数取值错误", "Bad parameter"),
            Self::IdempotencyKey => ("缺少幂等键", "Idempotency-Key missing"),
            Self::NotSignedIn => ("未登录", "Not signed in"),
            Self::TokenInvalid => ("登录凭证无效", "Token not valid"),
            Self::TokenExpired => ("登录已过期", "Token expired"),
            Self::WrongCredentials => ("用户名或密码错误", "Wrong name or password"),
            Self::PasswordOnce => ("请先修改一次性密码", "A one-time password has to be changed first"),
            Self::EnrolCode => ("注册码无效", "Enrolment code not valid"),
            Self::Proof(refused) => match refused {
                ProofError::UnknownDevice => ("终端未注册", "Unknown device"),
                ProofError::BadProof => ("终端签名无效", "Device proof not valid"),
                ProofError::Replayed => ("请求重复", "Request repeated"),
                ProofError::Cloned => ("终端存在副本", "Device cloned"),
                ProofError::Revoked => ("终端已注销", "Device revoked"),
                ProofError::UserDisabled => ("账号已停用", "User disabled"),
            },
            Self::WrongRole => ("岗位无权限", "Role not allowed"),
            Self::NotFound => ("未找到", "Not found"),
            Self::PhotoNotHere => ("照片尚未上传", "Photo not here yet"),
            Self::NoPreview => ("照片无法预览", "No preview"),
            Self::Upload(_) => ("照片上传被拒绝", "Upload refused"),
            Self::TusVersion => ("上传协议版本不符", "Wrong upload protocol version"),
            Self::NoRoute => ("接口不存在", "No such route"),
            Self::Method => ("不支持的方法", "Method not allowed"),
            Self::Refused(_) => ("案件操作被拒绝", "Refused by the workflow"),
            Self::IdempotencyMismatch => ("幂等键冲突", "Idempotency-Key used otherwise"),
            Self::TooLarge { .. } => ("请求过大", "Request too large"),
            Self::MediaType { .. } => ("内容类型不支持", "Wrong media type"),
            Self::Invalid { .. } => ("内容校验未通过", "Not valid"),
            Self::VersionUnsupported { .. } => ("版本过低", "Version not supported"),
            Self::Quota { .. } => ("当日配额已用完", "Quota used up"),
            Self::TooMany { .. } => ("请求过于频繁", "Too many requests"),
            Self::Timeout => ("接收超时", "Timeout"),
            Self::Busy { .. } => ("服务繁忙", "Busy"),
            Self::DiskFull { .. } => ("存储空间不足", "Storage full"),
            Self::Internal { .. } => ("服务器内部错误", "Internal error"),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::Malformed { why, .. } => format!("无法读取请求内容：{why}。请对照接口说明修改后重发。"),
            Self::UnknownParameter { name } => format!("此接口没有参数“{name}”。请检查拼写或去掉该参数。"),
            Self::BadParameter { name, expected } => format!("参数“{name}”应为 {expected}。请更正后重发。"),
            Self::IdempotencyKey => {
                "请在请求头 Idempotency-Key 中给出 1 至 255 个可见 ASCII 字符；重发同一请求时保持不变。".into()
            }
            Self::NotSignedIn => "请先登录，并在请求头中携带 Authorization: Bearer。".into(),
            Self::TokenInvalid => "凭证不是本服务器为此用途签发的，或账号权限已变更。请重新登录。".into(),
            Self::TokenExpired => "凭证有效期为十分钟，请重新登录。".into(),
            Self::WrongCredentials => "请检查用户名和密码；仍不能登录请联系管理员。".into(),
            Self::PasswordOnce => "这是管理员发给的一次性密码。请先登录工作台，改成自己的密码。".into(),
            Self::EnrolCode => "注册码输入有误、已被使用或已过期（24 小时）。请向管理员索取新的注册码。".into(),
            Self::Proof(refused) => match refused {
                ProofError::UnknownDevice => {
                    "本服务器没有此终端的登记。请用新的注册码重新注册，未上传的内容仍保留在手机上。"
                }
                ProofError::BadProof => "签名与请求不符。请重试；仍失败请重新注册终端。",
                ProofError::Replayed => "服务器已收到过这个请求。请用新的序号重发。",
                ProofError::Cloned => {
                    "检测到同一终端身份在两部手机上使用。两部都须重新注册，未上传的内容仍保留在手机上。"
                }
                ProofError::Revoked => "管理员已注销此终端。请联系管理员，未上传的内容可导出救援包。",
                ProofError::UserDisabled => "账号已被管理员停用。请联系管理员，未上传的内容仍保留在手机上。",
            }
            .into(),
            Self::WrongRole => "您的岗位不能使用此功能。请由有权限的岗位办理。".into(),
            Self::NotFound => "不存在，或不在您的管辖范围内。请检查编号。".into(),
            Self::PhotoNotHere => "案件已登记这张照片，但手机尚未传完。请稍后再看。".into(),
            Self::NoPreview => "这张照片过大或不是可识别的图片，没有预览。需要时请查看原件（size=original）。".into(),
            Self::Upload(refused) => refused.zh(),
            Self::TusVersion => "请在请求头中给出 Tus-Resumable: 1.0.0。".into(),
            Self::NoRoute => "请对照 /openapi.json 检查路径。".into(),
            Self::Method => "此路径不支持该方法，请见响应头 Allow。".into(),
            Self::Refused(refusal) => format!("{}{}", refusal.zh(), refusal.hint_zh()),
            Self::IdempotencyMismatch => "同一幂等键已用于另一个请求。新的操作请使用新的幂等键。".into(),
            Self::TooLarge { allowed } => format!("请求内容最多 {allowed} 字节。请分多次发送。"),
            Self::MediaType { expected } => format!("请求头 Content-Type 应为 {expected}。"),
            Self::Invalid { zh, .. } => zh.clone(),
            Self::VersionUnsupported { supported } => {
                format!("本服务器使用协议版本 {supported}。请升级应用，已保存的内容不受影响。")
            }
            Self::Quota { retry_after_s, .. } => {
                format!(
                    "本终端今日的上报量已达上限，内容已保存在手机上，{retry_after_s} 秒后自动重试。需要提高上限请联系管理员。"
                )
            }
            Self::TooMany { retry_after_s } => format!("请在 {retry_after_s} 秒后重试。"),
            Self::Timeout => "请求内容长时间没有到达。请在网络好转后重试。".into(),
            Self::Busy { retry_after_s } => format!("服务暂时繁忙，请在 {retry_after_s} 秒后重试。"),
            Self::DiskFull { retry_after_s } => {
                format!("服务器存储空间不足，暂不能接收。请联系管理员，并在 {retry_after_s} 秒后重试。")
            }
            Self::Internal { id } => format!("请重试；仍失败请将编号 {id} 告知管理员。"),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Malformed { why, .. } => {
                format!("The request can not be read: {why}. Compare it with the API description and send it again.")
            }
            Self::UnknownParameter { name } => {
                format!("This route has no parameter `{name}`. Check its spelling or leave it out.")
            }
            Self::BadParameter { name, expected } => format!("`{name}` takes {expected}. Correct it and send again."),
            Self::IdempotencyKey => {
                "Give 1 to 255 visible ASCII characters in the header Idempotency-Key, and the same \
                                     ones when you repeat the request."
                    .into()
            }
            Self::NotSignedIn => "Sign in and send the header Authorization: Bearer.".into(),
            Self::TokenInvalid => {
                "The token was not issued by this server for this, or the account has changed. Sign in again.".into()
            }
            Self::TokenExpired => "A token lives ten minutes. Sign in again.".into(),
            Self::WrongCredentials => "Check name and password; if that does not help, ask the administrator.".into(),
            Self::PasswordOnce => {
                "An administrator gave this password. Log in to the console and choose one of your own first.".into()
            }
            Self::EnrolCode => {
                "The code is mistyped, spent or older than 24 hours. Ask the administrator for a new one.".into()
            }
            Self::Proof(refused) => match refused {
                ProofError::UnknownDevice => {
                    "This server does not know the phone. Enrol it with a new code; what was not sent stays on it."
                }
                ProofError::BadProof => "The signature does not fit the request. Try again, or enrol the phone anew.",
                ProofError::Replayed => "This very request was received before. Send it under a new number.",
                ProofError::Cloned => "Two phones use this identity. Enrol both anew; what was not sent stays on them.",
                ProofError::Revoked => {
                    "An administrator revoked the phone. Ask them; what was not sent can be saved as a rescue bundle."
                }
                ProofError::UserDisabled => {
                    "An administrator disabled the account. Ask them; what was not sent stays on the phone."
                }
            }
            .into(),
            Self::WrongRole => "Your role does not use this. Ask someone whose role does.".into(),
            Self::NotFound => "It does not exist, or not within your scope. Check the id.".into(),
            Self::PhotoNotHere => {
                "The case names the photo, the phone has not sent all of it. Look again later.".into()
            }
            Self::NoPreview => {
                "The photo is too large or no picture that can be read. If need be see the original (size=original)."
                    .into()
            }
            Self::Upload(refused) => refused.en(),
            Self::TusVersion => "Send the header Tus-Resumable: 1.0.0.".into(),
            Self::NoRoute => "Compare the path with /openapi.json.".into(),
            Self::Method => "The path does not know this method; see the header Allow.".into(),
            Self::Refused(refusal) => sentence(&refusal.en(), refusal.hint_en()),
            Self::IdempotencyMismatch => {
                "This Idempotency-Key was used with another request. Use a new one for a new act.".into()
            }
            Self::TooLarge { allowed } => format!("At most {allowed} bytes are taken. Send it in parts."),
            Self::MediaType { expected } => format!("The header Content-Type has to be {expected}."),
            Self::Invalid { en, .. } => en.clone(),
            Self::VersionUnsupported { supported } => {
                format!("This server speaks protocol version {supported}. Update the app; what is saved stays.")
            }
            Self::Quota { retry_after_s, .. } => format!(
                "The phone has sent as much as it may today; everything stays saved on it. Try again in {retry_after_s} s."
            ),
            Self::TooMany { retry_after_s } => format!("Try again in {retry_after_s} s."),
            Self::Timeout => "The body stopped arriving. Try again when the network is better.".into(),
            Self::Busy { retry_after_s } => format!("The server is busy. Try again in {retry_after_s} s."),
            Self::DiskFull { retry_after_s } => {
                format!("The server's disk is full. Tell the administrator and try again in {retry_after_s} s.")
            }
            Self::Internal { id } => format!("Try again; if it stays so, tell the administrator the number {id}."),
        }
    }
}

/// Two remarks of the workflow as two sentences.
fn sentence(what: &str, way_out: &str) -> String {
    let capital = |text: &str| {
        let mut chars = text.chars();
        chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
    };
    format!("{}. {}.", capital(what), capital(way_out))
}
