//! The command line: parse, dispatch, print the error, exit code. Everything else is the library's.

use std::process::ExitCode;

fn main() -> ExitCode {
    match anthill::cli::run(std::env::args_os()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}
