//! The binary `xunge-server`. Everything it does lives in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    xunge_server::cli::main()
}
