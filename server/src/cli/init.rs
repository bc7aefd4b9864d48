//! `init`: from an empty folder to an installation people can sign in to.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use xunge_client_core::model::{Millis, Role};

use super::error::CliError;
use super::exchanged::{problem, unreadable};
use super::output::Output;
use crate::auth::keys::{KeyError, Keys};
use crate::auth::{account, enrol, password};
use crate::clock::Security;
use crate::datadir::{DataDir, DataDirError};
use crate::domain::directory::install::install;
use crate::entropy;
use crate::reference::org::Org;
use crate::reference::org_file::{OrgFile, OrgProblem};
use crate::reference::taxonomy::Taxonomy;
use crate::reference::xixia;
use crate::store::{Options, Store, StoreError};

/// Make a data folder: database, keys, org tree, users.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to make; new or empty.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    source: Source,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// The org tree, units and users (docs/ORG-FILE.md).
    #[arg(long, value_name = "FILE")]
    org: Option<PathBuf>,
    /// An example that comes with the program.
    #[arg(long, value_name = "NAME")]
    example: Option<Example>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Example {
    /// 银川市西夏区, with synthetic grids.
    Xixia,
}

/// What `init` made. The only time passwords and codes are shown.
#[derive(Debug, Clone, Serialize)]
pub struct InitReport {
    /// The data folder.
    pub data: PathBuf,
    /// The first administrator.
    pub admin: Admin,
    /// Everyone who can sign in.
    pub users: Vec<InitUser>,
}

/// The first administrator's log-in.
#[derive(Debug, Clone, Serialize)]
pub struct Admin {
    /// Log-in name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// A user as `init` made it.
#[derive(Debug, Clone, Serialize)]
pub struct InitUser {
    /// Log-in name.
    pub user: String,
    /// What the user may do.
    pub role: Role,
    /// The part of the tree the user sees.
    pub scope: String,
    /// The unit the user works for.
    pub unit: Option<String>,
    /// Password; none for inspectors, who only have a phone.
    pub password: Option<String>,
    /// One-time code for the first phone; inspectors only.
    pub enrol_code: Option<String>,
}

/// Why no installation was made. Nothing is left behind then.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The folder can not be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The keys could not be written.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The database could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The org tree has nobody who could add users later.
    #[error("no user has the role admin")]
    NoAdmin,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), CliError> {
    let file = match &args.source.org {
        Some(path) => OrgFile::from_json(&read(path)?).map_err(|found| problem(&[found]))?,
        None => {
            let Some(Example::Xixia) = args.source.example else { unreachable!("one of the two is required") };
            xixia::org_file()
        }
    };
    let org = file.validate().map_err(|problems| problem(&problems))?;
    let report = init(&args.data, &org, Security.now())?;
    output.result(&report, || told(&report));
    Ok(())
}

/// Makes an installation in `root`. Blocks for as long as hashing the passwords takes.
///
/// Inspectors get a code for their first phone, everyone else a password. Undone if it fails half-way.
pub fn init(root: &Path, org: &Org, now: Millis) -> Result<InitReport, InitError> {
    let users: Vec<InitUser> = org.users.iter().map(credentials).collect();
    let admin = users.iter().find(|user| user.role == Role::Admin).ok_or(InitError::NoAdmin)?;
    let password = admin.password.clone().ok_or(InitError::NoAdmin)?;
    let admin = Admin { user: admin.user.clone(), password };
    let data = DataDir::create(root)?;
    match fill(&data, org, &users, now) {
        Ok(()) => Ok(InitReport { data: root.to_owned(), admin, users }),
        Err(error) => {
            // Half an installation would be taken for a whole one; the folder was empty before.
            let _ = std::fs::remove_dir_all(root);
            Err(error)
        }
    }
}

fn credentials(user: &crate::reference::org::User) -> InitUser {
    let inspector = user.role == Role::Inspector;
    InitUser {
        user: user.user.clone(),
        role: user.role,
        scope: user.scope.to_string(),
        unit: user.unit.as_ref().map(ToString::to_string),
        password: (!inspector).then(password::generate),
        enrol_code: inspector.then(enrol::new_code),
    }
}

fn fill(data: &DataDir, org: &Org, users: &[InitUser], now: Millis) -> Result<(), InitError> {
    Keys::create(&data.keys())?;
    let hashes = hash_all(users);
    let store = Store::open(&data.database(), &Options { inline: true, ..Options::default() })?;
    let (org, codes) = (org.clone(), users.to_vec());
    let epoch = entropy::epoch();
    store.write_blocking::<(), StoreError, _>(move |tx| {
        Box::pin(async move {
            install(tx, &org, Taxonomy::builtin(), epoch, now).await?;
            for (user, hash) in &hashes {
                account::set_password(tx, user, hash).await?;
            }
            for user in &codes {
                if let Some(code) = &user.enrol_code {
                    enrol::add_code(tx, &user.user, code, now).await?;
                }
            }
            Ok(())
        })
    })?;
    Ok(store.close_blocking()?)
}

/// Hashes every password, on as many threads as there are cores: an office has dozens, each is slow by design.
fn hash_all(users: &[InitUser]) -> Vec<(String, String)> {
    let with: Vec<(&str, &str)> =
        users.iter().filter_map(|user| Some((user.user.as_str(), user.password.as_deref()?))).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = with.len().div_ceil(cores).max(1);
    let hash = |share: &[(&str, &str)]| -> Vec<(String, String)> {
        share.iter().map(|(user, password)| ((*user).to_owned(), password::hash(password))).collect()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = with.chunks(share).map(|share| scope.spawn(move || hash(share))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("hashing does not panic")).collect()
    })
}

/// Reads the text of an org file.
pub(super) fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|cause| unreadable("org_file", path, &cause))
}

impl From<InitError> for CliError {
    fn from(error: InitError) -> Self {
        match error {
            InitError::DataDir(error) => error.into(),
            InitError::Keys(error) => error.into(),
            InitError::Store(error) => error.into(),
            InitError::NoAdmin => problem(&[OrgProblem::NoAdmin]),
        }
    }
}

fn told(report: &InitReport) -> String {
    let mut text = format!(
        "数据目录 data: {}\n\n用户 user\t岗位 role\t范围 scope\t密码 password / 注册码 code\n",
        report.data.display()
    );
    for user in &report.users {
        let secret = user.password.as_deref().or(user.enrol_code.as_deref()).unwrap_or_default();
        let _ = writeln!(text, "{}\t{}\t{}\t{secret}", user.user, user.role, user.scope);
    }
    text.push_str("\n以上密码与注册码只显示这一次。 Passwords and codes are shown this once.\n");
    text
}
