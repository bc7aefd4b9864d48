//! What the offices do about a case, and when.

use xunge_client_core::model::{CategoryRef, Millis, OrgCode};
use xunge_client_core::workflow::{Level, Verdict, VoidReason};

use super::acts::{Act, Step};
use super::calendar::Calendar;
use super::cast::Cast;
use super::error::PlanError;
use super::fate::{Fate, Reach};
use super::rng::Rng;
use super::text::Words;

const HOUR: i64 = 3_600_000;

/// The case as far as the offices need to know it.
pub(super) struct Subject<'a> {
    pub(super) unit: &'a OrgCode,
    pub(super) grid: &'a OrgCode,
    pub(super) category: &'a CategoryRef,
    /// Log-in of the inspector who reported, and who is sent to recheck.
    pub(super) reporter: &'a str,
    pub(super) round: usize,
    pub(super) words: &'a Words,
}

/// Void reasons with the words a reviewer adds; `other` needs some.
const VOID_REASONS: [(VoidReason, Option<&str>); 7] = [
    (VoidReason::Duplicate, Some("同一点位当日已有上报，内容重复")),
    (VoidReason::InsufficientEvidence, Some("照片无法看清问题，未能补充")),
    (VoidReason::NotInScope, Some("不属于城市管理事项，已告知反映渠道")),
    (VoidReason::WrongArea, Some("点位不在本辖区内")),
    (VoidReason::FalseReport, None),
    (VoidReason::Test, None),
    (VoidReason::Other, Some("上报人误操作，现场无此问题")),
];

/// A script of acts with the number of rounds since the act before.
struct Script {
    acts: Vec<(usize, String, Act)>,
}

impl Script {
    fn then(&mut self, rounds: usize, user: &str, act: Act) {
        self.acts.push((rounds, user.to_owned(), act));
    }

    /// Places the acts on the calendar; what would pass the end of the month is pressed into what is left of it.
    fn place(self, calendar: &Calendar, received: usize) -> Vec<Step> {
        let wanted: usize = self.acts.iter().map(|(rounds, ..)| rounds).sum();
        let room = (calendar.last() - received).min(wanted);
        let mut passed = 0;
        self.acts
            .into_iter()
            .enumerate()
            .map(|(nth, (rounds, user, mut act))| {
                passed += rounds;
                let at = calendar.act_at(received + passed * room / wanted.max(1), nth);
                if let Act::Dispatch { due_at, .. } = &mut act {
                    *due_at = at.plus_ms(due_at.0);
                }
                Step { at, user, act }
            })
            .collect()
    }
}

/// The acts of all offices on one case.
pub(super) fn steps(
    rng: &mut Rng,
    calendar: &Calendar,
    cast: &Cast<'_>,
    subject: &Subject<'_>,
    fate: Fate,
) -> Result<Vec<Step>, PlanError> {
    let reviewer = cast.reviewer(rng, subject.unit, subject.grid)?;
    let mut script = Script { acts: Vec::new() };
    match fate {
        Fate::SelfHandled => script.then(rng.between(0, 5), &reviewer, Act::ApproveSelfHandled),
        Fate::Void(_) => {
            let (reason, text) = VOID_REASONS[rng.weighted(&[30, 25, 15, 10, 8, 5, 7])];
            let act = Act::Void { reason, text: text.map(str::to_owned) };
            script.then(rng.between(1, 6), &reviewer, act);
        }
        Fate::Pending { sent_back: false, .. } => {}
        Fate::Pending { sent_back: true, .. } => {
            let missing = rng.pick(&["请补拍带参照物的全景照片", "请补充具体楼号和门牌", "请补充处置后照片"]);
            script.then(1, &reviewer, Act::SendBack { missing: (*missing).to_owned() });
        }
        Fate::Forwarded(reach) => forward(rng, cast, subject, &reviewer, reach, &mut script)?,
    }
    Ok(script.place(calendar, subject.round))
}

/// 立案, 派遣, 签收, 反馈, 核查, 结案, as far as the case gets.
fn forward(
    rng: &mut Rng,
    cast: &Cast<'_>,
    subject: &Subject<'_>,
    reviewer: &str,
    reach: Reach,
    script: &mut Script,
) -> Result<(), PlanError> {
    let (handler, handling_user) = cast.handler(rng, subject.category)?;
    let file = Act::File { category: subject.category.clone(), handler: handler.clone() };
    script.then(rng.between(1, 4), reviewer, file);
    if reach == Reach::Filed {
        return Ok(());
    }
    let due_at = Millis([24, 48, 72, 120][rng.weighted(&[30, 35, 25, 10])] * HOUR);
    let dispatch = Act::Dispatch { handler, due_at, level: if rng.percent(5) { Level::Urgent } else { Level::Normal } };
    script.then(rng.between(0, 3), &cast.dispatcher(rng), dispatch);
    if reach == Reach::Dispatched {
        return Ok(());
    }
    script.then(rng.between(1, 4), &handling_user, Act::Sign);
    if reach == Reach::Handling {
        return Ok(());
    }
    script.then(rng.between(4, 60), &handling_user, feedback(rng, subject));
    if reach == Reach::Handled {
        return Ok(());
    }
    // One in three is looked at again by the inspector who reported; the leader closes the rest without a recheck.
    if !rng.percent(34) {
        let note = "已核对反馈照片，免予现场核查，同意结案".to_owned();
        script.then(rng.between(1, 6), &cast.leader(rng), Act::Close { note });
        return Ok(());
    }
    if rng.percent(8) {
        recheck(rng, subject, reviewer, Verdict::Fail, script);
        let reason = "核查照片显示问题未彻底解决，请重新处置".to_owned();
        script.then(1, reviewer, Act::Rework { reason });
        script.then(rng.between(4, 30), &handling_user, feedback(rng, subject));
    }
    recheck(rng, subject, reviewer, Verdict::Pass, script);
    script.then(rng.between(0, 3), reviewer, Act::Close { note: "核查通过，同意结案".to_owned() });
    Ok(())
}

fn recheck(rng: &mut Rng, subject: &Subject<'_>, reviewer: &str, verdict: Verdict, script: &mut Script) {
    script.then(rng.between(0, 4), reviewer, Act::CheckSend { assignee: subject.reporter.to_owned() });
    let text = if verdict == Verdict::Pass {
        "现场已恢复正常，问题已解决"
    } else {
        "现场仍有残留，未处置到位"
    };
    let reply = Act::CheckReply { verdict, text: text.to_owned(), photo: rng.next() };
    script.then(rng.between(2, 16), subject.reporter, reply);
}

fn feedback(rng: &mut Rng, subject: &Subject<'_>) -> Act {
    Act::Feedback { note: format!("已安排人员到场，{}", subject.words.act), photo: rng.next() }
}
