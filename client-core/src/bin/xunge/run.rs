//! One function for each command that works offline.

use serde_json::{Map, Value, json};
use xunge_client_core::client::{CaseDetail, CaseItem, Config, DataPlan, ListQuery, Phone, PhoneError, PhotoInput};
use xunge_client_core::model::{CaseId, Facts, Mode, PhotoRole};
use xunge_client_core::platform::FileError;
use xunge_client_core::workflow::{Payload, Verb, Verdict};

use super::args::{Cli, Command, DataArgs, EditArgs, ListArgs, RequestArgs, RescueArgs, TraceArgs};
use super::output::{Failure, Said};
use super::{facts, people, sync};

/// Runs the command.
pub(crate) fn run(cli: &Cli) -> Result<Said, Failure> {
    let phone = Phone::open(Config::new(&cli.store))?;
    match &cli.command {
        Command::Enrol(args) => sync::enrol(&phone, args),
        Command::Sync(args) => sync::sync(phone, args),
        Command::Draft(args) => {
            let item = phone.draft(&facts::of_report(args)?)?;
            Ok(Said::new(json!({"id": item.id, "state": "draft"}), format!("草稿已存手机:{}", item.id)))
        }
        Command::Report(args) => Ok(submitted(&phone.report(&facts::of_report(args)?)?)),
        Command::Submit(args) => Ok(submitted(&phone.submit(id(&args.id)?)?)),
        Command::Edit(args) => edit(&phone, args),
        Command::Status => status(&phone),
        Command::Data(args) => data(&phone, args),
        Command::List(args) => list(&phone, args),
        Command::Show(args) => show(&phone.case(id(&args.id)?)?),
        Command::Tasks => {
            let tasks = phone.tasks()?;
            Ok(Said::new(json!({"items": tasks}), people::tasks(&tasks)))
        }
        Command::Request(args) => request(&phone, args),
        Command::Discard(args) => {
            let case = id(&args.id)?;
            phone.discard(case)?;
            Ok(Said::new(json!({"id": case, "discarded": true}), "草稿已删除"))
        }
        Command::Rescue(args) => rescue(&phone, args),
        Command::Carry(args) => sync::carry(&phone, args),
        Command::Trace(args) => trace(&phone, args),
    }
}

fn rescue(phone: &Phone, args: &RescueArgs) -> Result<Said, Failure> {
    let done = phone.rescue(&args.out)?;
    let json = json!({
        "files": done.files,
        "cases": done.cases,
        "requests": done.requests,
        "photos": done.photos,
        "unreadable": done.unreadable,
        "bytes": done.bytes,
    });
    Ok(Said { ok: done.unreadable == 0, ..Said::new(json, people::rescued(&done)) })
}

fn trace(phone: &Phone, args: &TraceArgs) -> Result<Said, Failure> {
    let (bytes, path) = (phone.trace(), args.out.display().to_string());
    let written = std::fs::write(&args.out, &bytes);
    written.map_err(|error| PhoneError::File(FileError::Other { path: path.clone(), reason: error.to_string() }))?;
    Ok(Said::new(json!({"file": path, "bytes": bytes.len()}), format!("同步记录已写入:{path}")))
}

/// A case id as typed.
pub(crate) fn id(text: &str) -> Result<CaseId, PhoneError> {
    text.parse().map_err(|_| PhoneError::BadId(text.to_owned()))
}

fn submitted(item: &CaseItem) -> Said {
    let json = json!({"id": item.id, "state": "submitted", "saved": true});
    Said::new(json, format!("已存手机,有网络后自动上报:{}", item.id))
}

fn edit(phone: &Phone, args: &EditArgs) -> Result<Said, Failure> {
    let case = id(&args.id)?;
    phone.update(case, &facts::of_edit(args)?)?;
    if let Some(remark) = &args.remark {
        phone.remark(case, remark)?;
    }
    // The draft itself is the first.
    let edits = phone.case(case)?.edits.saturating_sub(1);
    Ok(Said::new(json!({"id": case, "edits": edits}), format!("修改已存手机({edits} 次)")))
}

fn status(phone: &Phone) -> Result<Said, Failure> {
    let status = phone.status()?;
    let known = &status.phone;
    let json = json!({
        "user": known.user.as_ref().map(|user| &user.id),
        "name": known.user.as_ref().map(|user| &user.name),
        "device_id": known.device,
        "server": known.url,
        "epoch": known.epoch,
        "cursor": known.cursor,
        "reference": known.reference,
        "last_sync_ms": known.last_sync,
        "blocked": known.blocked,
        "items": status.items,
        "unsent": status.unsent,
        "photos_held": status.photos_held,
        "data": data_json(&status.data),
    });
    Ok(Said::new(json, people::status(&status)))
}

fn data(phone: &Phone, args: &DataArgs) -> Result<Said, Failure> {
    let mut rules = phone.data_plan()?.rules;
    let before = rules;
    rules.photos_on_wifi_only = args.wifi_only.unwrap_or(rules.photos_on_wifi_only);
    rules.previews_on_mobile = args.previews.unwrap_or(rules.previews_on_mobile);
    rules.monthly_bytes = args.budget.map_or(rules.monthly_bytes, |budget| budget.bytes);
    if rules != before {
        phone.set_data_rules(&rules)?;
    }
    let plan = phone.data_plan()?;
    Ok(Said::new(data_json(&plan), people::data(&plan)))
}

fn data_json(plan: &DataPlan) -> Value {
    json!({
        "link": plan.link,
        "photos_on_wifi_only": plan.rules.photos_on_wifi_only,
        "previews_on_mobile": plan.rules.previews_on_mobile,
        "monthly_bytes": plan.rules.monthly_bytes,
        "used_bytes": plan.used,
    })
}

fn list(phone: &Phone, args: &ListArgs) -> Result<Said, Failure> {
    let query = ListQuery {
        attention: args.attention,
        drafts: args.drafts.then_some(true),
        after: args.after,
        limit: args.limit,
        ..ListQuery::default()
    };
    let (items, next) = phone.cases(&query)?;
    Ok(Said::new(json!({"items": items, "next": next}), people::list(&items)))
}

fn show(case: &CaseDetail) -> Result<Said, Failure> {
    let conflicts: Map<String, Value> =
        case.conflicts.iter().map(|conflict| (conflict.field.clone(), json!(conflict.values))).collect();
    let json = json!({
        "id": case.item.id,
        "state": case.item.state,
        "facts": facts_json(&case.facts),
        "conflicts": conflicts,
        "ledger": case.ledger,
        "photos": case.photos,
        "requests": case.requests,
        "refused": case.refused,
        "offers": case.offers,
        "unsent": case.item.unsent,
        "attention": case.item.attention,
        "attention_field": case.item.attention_field,
    });
    Ok(Said::new(json, people::case(case)))
}

/// Facts with the point in decimal degrees, as everywhere outside the wire.
fn facts_json(facts: &Facts) -> Value {
    let mut json = json!(facts);
    if let (Some(members), Some(point)) = (json.as_object_mut(), facts.point) {
        let (lon, lat) = point.degrees();
        members.remove("point");
        members.insert("lon".to_owned(), json!(lon));
        members.insert("lat".to_owned(), json!(lat));
    }
    json
}

fn request(phone: &Phone, args: &RequestArgs) -> Result<Said, Failure> {
    let case = id(&args.id)?;
    let verb = Verb::from_code(&args.verb).filter(|verb| verb.is_request()).ok_or_else(|| {
        wrong("verb", &args.verb, "withdraw, route_change, verify_reply, check_reply, handover, appeal, submit")
    })?;
    let payload = Payload {
        reason: args.reason.clone(),
        text: args.text.clone(),
        note: args.note.clone(),
        verdict: coded(
            args.verdict.as_deref(),
            Verdict::from_code,
            "verdict",
            "real, not_found, duplicate, pass, fail",
        )?,
        mode: coded(args.mode.as_deref(), Mode::from_code, "mode", "self_handled, forwarded")?,
        assignee: args.to.clone(),
        master_case_id: args.master.as_deref().map(id).transpose()?,
        ..Payload::default()
    };
    let role = if verb == Verb::CheckReply { PhotoRole::Check } else { PhotoRole::Verify };
    let photos: Vec<PhotoInput> =
        args.photo.iter().map(|path| PhotoInput { role, ..PhotoInput::before(path) }).collect();
    phone.request(case, verb, payload, &photos)?;
    let asked = phone.case(case)?.requests.pop();
    let intent = asked.map(|request| request.intent);
    let json = json!({"id": case, "verb": verb, "intent": intent, "state": "pending", "saved": true});
    Ok(Said::new(json, format!("“{}”已存手机,有网络后自动发送", verb.zh())))
}

fn coded<T>(
    text: Option<&str>,
    parse: fn(&str) -> Option<T>,
    flag: &'static str,
    codes: &'static str,
) -> Result<Option<T>, Failure> {
    text.map(|text| parse(text).ok_or_else(|| wrong(flag, text, codes))).transpose()
}

fn wrong(flag: &'static str, text: &str, hint: &'static str) -> Failure {
    Failure::Usage("invalid", format!("`{text}` is no {flag}"), hint, flag.to_owned())
}
