//! `verify`: recounts everything from the ledger and checks every hash. Changes nothing.

use std::process::ExitCode;

use super::Data;
use super::error::{CliError, said};
use super::output::Output;
use crate::blobs::Blobs;
use crate::datadir::DataDir;
use crate::domain::verify::{Report, verify};

pub(crate) fn run(data: &Data, output: &Output) -> Result<ExitCode, CliError> {
    let dir = DataDir::open(&data.data)?;
    let store = data.store()?;
    let failed = |error: &dyn std::error::Error| {
        let words = said(format!("校验未能完成:{error}"), format!("verification could not be finished: {error}"));
        let hint = said("请确认数据目录完整且可读。", "Check that the data folder is whole and readable.");
        CliError::failed("verify_failed", data.data.display().to_string(), words, hint)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))?;
    let report = runtime.block_on(async {
        let blobs = Blobs::in_folder(dir.root()).map_err(|error| failed(&error))?;
        verify(&store, &blobs).await.map_err(|error| failed(&error))
    })?;
    output.result(&report, || text(&report));
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn text(report: &Report) -> String {
    let mut lines: String = report.checked.iter().map(|(what, n)| format!("{what}\t{n}\n")).collect();
    for found in &report.differences {
        lines += &format!("!! {}\t{}\t应为 {}\t实为 {}\n", found.kind, found.subject, found.expected, found.found);
    }
    lines += if report.ok { "校验通过\n" } else { "校验未通过\n" };
    lines
}
