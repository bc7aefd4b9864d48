//! The binary `xunge-server`. Everything it does lives in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // No command is built yet, and 2 is what a command that is not built answers.
    ExitCode::from(2)
}
