//! What offices, and inspectors on a task, do to the demo's cases.

use xunge_client_core::model::{CategoryRef, Millis, Mode, OrgCode, PhotoHash};
use xunge_client_core::workflow::{Command, Level, Payload, Verb, Verdict, VoidReason};

/// One act on a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When, by the server's business clock; later than the step before and than the receipt.
    pub at: Millis,
    /// Log-in of who acts.
    pub user: String,
    /// What.
    pub act: Act,
}

/// What is done, with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// 立案, always as forwarded, whatever the reporter claimed.
    File {
        /// Final category; may correct the claim.
        category: CategoryRef,
        /// The unit suggested.
        handler: OrgCode,
    },
    /// 自处审核通过.
    ApproveSelfHandled,
    /// 作废.
    Void {
        /// Why.
        reason: VoidReason,
        /// The reviewer's words.
        text: Option<String>,
    },
    /// 退回补充.
    SendBack {
        /// What is missing.
        missing: String,
    },
    /// 派遣.
    Dispatch {
        /// The unit.
        handler: OrgCode,
        /// Deadline.
        due_at: Millis,
        /// Normal, or 急要件.
        level: Level,
    },
    /// 签收.
    Sign,
    /// 反馈.
    Feedback {
        /// How it was handled.
        note: String,
        /// Seed of the photo of the scene.
        photo: u64,
    },
    /// 核查派发.
    CheckSend {
        /// Log-in of the inspector.
        assignee: String,
    },
    /// 核查回复, from the inspector's phone.
    CheckReply {
        /// Pass or fail.
        verdict: Verdict,
        /// What the inspector saw.
        text: String,
        /// Seed of the photo of the scene.
        photo: u64,
    },
    /// 返工.
    Rework {
        /// Why.
        reason: String,
    },
    /// 结案: by a reviewer after a passed recheck, by a leader without one.
    Close {
        /// Closing note.
        note: String,
    },
}

impl Act {
    /// Its verb.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::File { .. } => Verb::File,
            Self::ApproveSelfHandled => Verb::ApproveSelfHandled,
            Self::Void { .. } => Verb::Void,
            Self::SendBack { .. } => Verb::SendBack,
            Self::Dispatch { .. } => Verb::Dispatch,
            Self::Sign => Verb::Sign,
            Self::Feedback { .. } => Verb::Feedback,
            Self::CheckSend { .. } => Verb::CheckSend,
            Self::CheckReply { .. } => Verb::CheckReply,
            Self::Rework { .. } => Verb::Rework,
            Self::Close { .. } => Verb::Close,
        }
    }

    /// The seed of the photo that goes with it.
    pub const fn photo(&self) -> Option<u64> {
        match self {
            Self::Feedback { photo, .. } | Self::CheckReply { photo, .. } => Some(*photo),
            _ => None,
        }
    }

    /// The command to send; `photos` are the hashes of what [`Act::photo`] asks for.
    pub fn command(&self, photos: Vec<PhotoHash>) -> Command {
        let mut payload = Payload { photos, ..Payload::default() };
        match self.clone() {
            Self::File { category, handler } => {
                payload.category = Some(category);
                payload.mode = Some(Mode::Forwarded);
                payload.handler = Some(handler);
            }
            Self::ApproveSelfHandled | Self::Sign => {}
            Self::Void { reason, text } => {
                payload.reason = Some(reason.code().to_owned());
                payload.text = text;
            }
            Self::SendBack { missing } => payload.missing = Some(missing),
            Self::Dispatch { handler, due_at, level } => {
                payload.handler = Some(handler);
                payload.due_at = Some(due_at);
                payload.level = Some(level);
            }
            Self::Feedback { note, .. } | Self::Close { note } => payload.note = Some(note),
            Self::CheckSend { assignee } => payload.assignee = Some(assignee),
            Self::CheckReply { verdict, text, .. } => {
                payload.verdict = Some(verdict);
                payload.text = Some(text);
            }
            Self::Rework { reason } => payload.reason = Some(reason),
        }
        Command::new(self.verb(), payload)
    }
}
