//! `restore`: puts a backup back.

use std::path::PathBuf;

use super::Data;
use super::error::CliError;
use super::output::Output;
use crate::backup;

/// Put a backup back, in a new epoch: phones offer again what it lacks.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: Data,
    /// The folder `backup` wrote.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), CliError> {
    let restored = backup::restore(&args.data.data, &args.from)?;
    output.result(&restored, || {
        let aside = restored.put_aside.as_ref().map(|path| format!("；原数据库移至 {}", path.display()));
        format!(
            "已恢复到 {}：新纪元 {}，照片 {} 张{}",
            restored.data.display(),
            restored.epoch,
            restored.photos,
            aside.unwrap_or_default()
        )
    });
    Ok(())
}
