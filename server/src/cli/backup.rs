//! `backup`: writes a copy of an installation to a new folder.

use std::path::PathBuf;

use super::Data;
use super::error::{CliError, said};
use super::output::Output;
use crate::backup::{self, BackupError};
use crate::datadir::DataDir;

/// Write a backup to a new folder; the server may run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: Data,
    /// The new or empty folder the backup is written to.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), CliError> {
    let made = backup::make(&DataDir::open(&args.data.data)?, &args.to)?;
    output.result(&made, || {
        format!("已备份到 {}：数据库 {} 字节，照片 {} 张", made.backup.display(), made.database_bytes, made.photos)
    });
    Ok(())
}

impl From<BackupError> for CliError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Folder(error) => error.into(),
            BackupError::Store(error) => error.into(),
            BackupError::Damaged { path, found } => Self::failed(
                "backup_damaged",
                path.display().to_string(),
                said(
                    format!("备份中的数据库已损坏：{found}。没有改动任何内容。"),
                    format!("The database of the backup is damaged: {found}. Nothing was changed."),
                ),
                said("请换用另一份备份。", "Take another backup."),
            ),
        }
    }
}
