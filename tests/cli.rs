//! The command line as a user meets it: answers on stdout, talk on stderr, exit codes, files, signals.
//!
//! Every test runs the program itself, in the project's root, so that messages name short paths.

mod answers;
mod bad_input;
mod folders;
mod interrupted;
mod measured_data;

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The scenario of these tests: 40 agents, ten minutes, every kind of fault.
pub const SMALL: &str = "tests/small.toml";

/// What a command did.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    fn of(output: Output) -> Done {
        let text = |bytes| String::from_utf8(bytes).expect("the program writes text");
        let code = output.status.code().expect("the program ends by itself");
        Done { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Its stdout, if all went well.
    pub fn answer(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }

    /// Its stdout as JSON, if all went well.
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.answer()).expect("JSON and nothing else on stdout")
    }

    /// Its stderr, if it was refused: exit code 2 and not a word on stdout.
    pub fn refusal(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (2, ""), "{}", self.err);
        self.err
    }
}

/// The program with arguments, in the project's root, away from any terminal.
pub fn anthill(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anthill"));
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command.env_remove("RUST_BACKTRACE");
    command
}

/// Runs the program to its end.
pub fn run(args: &[&str]) -> Done {
    Done::of(anthill(args).output().expect("the program starts"))
}

/// A path as an argument.
pub fn arg(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// Compares with the file of this name in `tests/snapshots`.
pub fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
