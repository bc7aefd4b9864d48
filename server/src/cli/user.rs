//! `user`: accounts, also while the server runs; it reads them at every request.

use std::fmt::Write;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use xunge_client_core::model::{Millis, OrgCode, Role};

use super::Data;
use super::error::{CliError, said};
use super::init::InitUser;
use super::output::Output;
use crate::auth::account::{self, Account, NewAccount};
use crate::auth::{enrol, password};
use crate::clock::Security;
use crate::domain::accounts::{self, AccountProblem, AddError, Change, Profile};
use crate::store::StoreError;

/// Add, close and list users.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a user; prints the password, for an inspector the enrolment code.
    Add(Add),
    /// Close an account; its tokens, pages and phones are refused at once.
    Disable(One),
    /// Open a closed account again.
    Enable(One),
    /// Set a new password; lifts a lock and ends all sessions.
    Passwd(Passwd),
    /// Change name, unit, scope or grids; what is not given stays. The log-in name and the role can not be changed.
    Change(Edit),
    /// Give an inspector other grids, in place of all of before; phones hear of it with their next sync.
    Grids(Grids),
    /// List all users.
    List(Data),
}

#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    data: Data,
    /// Log-in name.
    user: String,
}

#[derive(Debug, clap::Args)]
struct Passwd {
    #[command(flatten)]
    one: One,
    /// Read the password from the first line of stdin instead of generating one.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, clap::Args)]
struct Edit {
    #[command(flatten)]
    one: One,
    /// Another name.
    #[arg(long)]
    name: Option<String>,
    /// Another unit.
    #[arg(long)]
    unit: Option<OrgCode>,
    /// Another part of the tree: a place or unit code.
    #[arg(long)]
    scope: Option<OrgCode>,
    /// A grid the inspector patrols, in place of all of before; may be repeated.
    #[arg(long = "grid", value_name = "GRID")]
    grids: Vec<OrgCode>,
}

#[derive(Debug, clap::Args)]
struct Grids {
    #[command(flatten)]
    one: One,
    /// Every grid the inspector patrols from now on, 15 digits each.
    #[arg(required = true, value_name = "GRID")]
    grids: Vec<OrgCode>,
}

#[derive(Debug, clap::Args)]
struct Add {
    #[command(flatten)]
    one: One,
    /// Name shown to people.
    #[arg(long)]
    name: String,
    /// Role code: inspector, town_office, dispatcher, handling_unit, duty_leader, hotline, auditor or admin.
    #[arg(long, value_parser = role)]
    role: Role,
    /// The part of the tree the user sees: a place or unit code.
    #[arg(long)]
    scope: OrgCode,
    /// The unit the user works for.
    #[arg(long)]
    unit: Option<OrgCode>,
    /// A grid the inspector patrols; may be repeated.
    #[arg(long = "grid", value_name = "GRID")]
    grids: Vec<OrgCode>,
    /// Read the password from the first line of stdin instead of generating one.
    #[arg(long)]
    password_stdin: bool,
}

fn role(code: &str) -> Result<Role, String> {
    let known = || Role::ALL.iter().map(|role| role.code()).collect::<Vec<_>>().join(", ");
    Role::from_code(code).ok_or_else(|| format!("known are {}", known()))
}

/// A user as `user list` shows it.
#[derive(Debug, Serialize)]
struct Listed {
    user: String,
    name: String,
    role: Role,
    scope: OrgCode,
    unit: Option<OrgCode>,
    disabled: bool,
    has_password: bool,
    locked: bool,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), CliError> {
    let now = Security.now();
    match &args.command {
        Command::Add(add) => self::add(add, output, now),
        Command::Disable(one) => set_disabled(one, Some(now), output, now),
        Command::Enable(one) => set_disabled(one, None, output, now),
        Command::Passwd(passwd) => set_password(passwd, output, now),
        Command::Change(edit) => change(edit, output, now),
        Command::Grids(grids) => set_grids(grids, output, now),
        Command::List(data) => list(data, output, now),
    }
}

fn add(add: &Add, output: &Output, now: Millis) -> Result<(), CliError> {
    let user = add.one.user.clone();
    let inspector = add.role == Role::Inspector;
    let mut new = NewAccount {
        id: user.clone(),
        name: add.name.clone(),
        role: add.role,
        scope: add.scope.clone(),
        unit: add.unit.clone(),
        grids: add.grids.clone(),
        password_hash: None,
    };
    // Before anybody is asked for a password.
    accounts::check(&new).map_err(|problem| refused(&user, &problem))?;
    let password = if inspector && !add.password_stdin { None } else { Some(secret(&user, add.password_stdin)?) };
    new.password_hash = password.as_deref().map(password::hash);
    let made = InitUser {
        user: user.clone(),
        role: add.role,
        scope: add.scope.to_string(),
        unit: add.unit.as_ref().map(ToString::to_string),
        enrol_code: inspector.then(enrol::new_code),
        password,
    };
    let code = made.enrol_code.clone();
    let added = add.one.data.store()?.write_blocking::<(), AddError, _>(move |tx| {
        Box::pin(async move { accounts::add(tx, "cli", &new, code.as_deref(), now).await })
    });
    added.map_err(|error| not_written(&user, error))?;
    output.result(&made, || {
        let secret = made.password.as_deref().or(made.enrol_code.as_deref()).unwrap_or_default();
        format!("{}\t{secret}", made.user)
    });
    Ok(())
}

fn set_disabled(one: &One, at: Option<Millis>, output: &Output, now: Millis) -> Result<(), CliError> {
    let action = if at.is_some() { "user.disabled" } else { "user.enabled" };
    let user = one.user.clone();
    let known = one.data.store()?.write_blocking::<bool, StoreError, _>(move |tx| {
        Box::pin(async move { accounts::set_open(tx, "cli", &user, at.is_none(), now).await })
    })?;
    if !known {
        return Err(CliError::no_such_user(&one.user));
    }
    output.result(&json!({"user": one.user, "disabled": at.is_some()}), || format!("{}\t{action}", one.user));
    Ok(())
}

fn set_password(passwd: &Passwd, output: &Output, now: Millis) -> Result<(), CliError> {
    let user = passwd.one.user.clone();
    let password = secret(&user, passwd.password_stdin)?;
    let hash = password::hash(&password);
    let known = passwd.one.data.store()?.write_blocking::<bool, StoreError, _>(move |tx| {
        Box::pin(async move { accounts::set_password(tx, "cli", &user, &hash, false, now).await })
    })?;
    if !known {
        return Err(CliError::no_such_user(&passwd.one.user));
    }
    // A password somebody typed is known to them; only a generated one has to be shown.
    let shown = (!passwd.password_stdin).then_some(&password);
    let user = &passwd.one.user;
    output
        .result(&json!({"user": user, "password": shown}), || format!("{user}\t{}", shown.map_or("", String::as_str)));
    Ok(())
}

fn change(edit: &Edit, output: &Output, now: Millis) -> Result<(), CliError> {
    let (name, unit, scope, grids) = (edit.name.clone(), edit.unit.clone(), edit.scope.clone(), edit.grids.clone());
    let with = move |was: Profile| Profile {
        name: name.unwrap_or(was.name),
        unit: unit.or(was.unit),
        scope: scope.unwrap_or(was.scope),
        grids: if grids.is_empty() { was.grids } else { grids },
    };
    let Some((before, after)) = changed(&edit.one, with, output, now)? else { return Ok(()) };
    let document = json!({"user": edit.one.user, "changed": true, "before": told(&before), "after": told(&after)});
    output.result(&document, || format!("{}\tuser.changed", edit.one.user));
    Ok(())
}

fn set_grids(given: &Grids, output: &Output, now: Millis) -> Result<(), CliError> {
    let grids = given.grids.clone();
    let Some((before, after)) = changed(&given.one, move |was| Profile { grids, ..was }, output, now)? else {
        return Ok(());
    };
    let (user, before, after) = (&given.one.user, before.grids, after.grids);
    let words = |grids: &[OrgCode]| grids.iter().map(OrgCode::as_str).collect::<Vec<_>>().join(" ");
    let document = json!({"user": user, "changed": true, "before": before, "grids": after});
    output.result(&document, || format!("{user}\t{} -> {}", words(&before), words(&after)));
    Ok(())
}

/// Changes a user; `None`, and said so, if nothing was to be changed.
fn changed(
    one: &One,
    edit: impl FnOnce(Profile) -> Profile + Clone + Send + 'static,
    output: &Output,
    now: Millis,
) -> Result<Option<(Profile, Profile)>, CliError> {
    let user = one.user.clone();
    let changed = one.data.store()?.write_blocking::<_, AddError, _>(move |tx| {
        Box::pin(async move { accounts::change(tx, "cli", &user, edit, now).await })
    });
    let user = &one.user;
    match changed.map_err(|error| not_written(user, error))? {
        Change::NoUser => Err(CliError::no_such_user(user)),
        Change::Same => {
            output.result(&json!({"user": user, "changed": false}), || format!("{user}\t没有变化 unchanged"));
            Ok(None)
        }
        Change::Done { before, after } => Ok(Some((before, after))),
    }
}

fn told(it: &Profile) -> serde_json::Value {
    json!({"name": it.name, "unit": it.unit, "scope": it.scope, "grids": it.grids})
}

fn list(data: &Data, output: &Output, now: Millis) -> Result<(), CliError> {
    let accounts = data.store()?.read_blocking::<_, StoreError, _>(|tx| Box::pin(account::list(tx)))?;
    let users: Vec<Listed> = accounts.into_iter().map(|account| listed(account, now)).collect();
    output.result(&json!({"users": users}), || {
        let mut text = String::new();
        for user in &users {
            let state = if user.disabled { "停用 disabled" } else { "" };
            let _ = writeln!(text, "{}\t{}\t{}\t{}\t{state}", user.user, user.role, user.scope, user.name);
        }
        text
    });
    Ok(())
}

fn listed(account: Account, now: Millis) -> Listed {
    Listed {
        disabled: account.disabled_at.is_some(),
        has_password: account.password_hash.is_some(),
        locked: account.locked_until > now,
        user: account.id,
        name: account.name,
        role: account.role,
        scope: account.scope,
        unit: account.unit,
    }
}

/// The password to set: the first line of stdin, or a generated one.
fn secret(user: &str, from_stdin: bool) -> Result<String, CliError> {
    if !from_stdin {
        return Ok(password::generate());
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|cause| {
        let text = cause.to_string();
        CliError::failed("io", "stdin", said(text.clone(), text), said("请从标准输入给出密码。", "Give it on stdin."))
    })?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    password::check(user, &password)?;
    Ok(password)
}

fn not_written(user: &str, error: AddError) -> CliError {
    match error {
        AddError::Problem(problem) => refused(user, &problem),
        AddError::Store(error) => error.into(),
    }
}

fn refused(user: &str, problem: &AccountProblem) -> CliError {
    let (code, subject, message) = match problem {
        AccountProblem::LoginName => (
            "user_name",
            user,
            said(
                "用户名应为 2 至 32 个小写字母、数字、点或短横。",
                "A log-in name has 2 to 32 lower-case letters, digits, dots or dashes.",
            ),
        ),
        AccountProblem::Name => ("name", user, said("请填写姓名。", "The name is empty or not printable.")),
        AccountProblem::Unit => ("unit", user, said("该岗位须有单位。", "This role needs a unit.")),
        AccountProblem::Grid => {
            ("grid", user, said("网格员须有单位和至少一个网格。", "An inspector needs a unit and at least one grid."))
        }
        AccountProblem::Unknown(code) => (
            "unknown_code",
            code.as_str(),
            said(format!("没有编码 {code}。"), format!("There is no place or unit {code}.")),
        ),
        AccountProblem::Elsewhere(code) => (
            "grid_elsewhere",
            code.as_str(),
            said(
                format!("{code} 不是该用户所在镇街的单元网格。"),
                format!("{code} is no cell grid where this user works."),
            ),
        ),
        AccountProblem::NoInspector => {
            ("no_inspector", user, said("只有网格员有责任网格。", "Only inspectors have grids."))
        }
        AccountProblem::Taken => {
            ("user_exists", user, said(format!("用户“{user}”已存在。"), format!("There is a user `{user}` already.")))
        }
    };
    CliError::failed(code, subject, message, said("请更正后重试。", "Correct it and try again."))
}
