//! The command line: parse, dispatch, print the error, exit code. Everything else is the library's.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match anthill::cli::run(std::env::args_os()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Somebody who closed stderr still gets the exit code.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::from(error.exit_code())
        }
    }
}
