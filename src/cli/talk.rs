//! Talking to people: data on stdout, everything else on stderr, nothing animated off a terminal.

use std::io::{ErrorKind, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::Error;
use crate::experiment::Progress;

/// Writes data to stdout. A reader that went away (`| head`) is no error.
pub(super) fn out(text: &str) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Error::io("stdout")),
    }
}

/// Says something on stderr.
pub(super) fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // If nobody can hear it, there is nobody to tell.
    let _ = writeln!(stderr, "{text}");
}

/// A progress bar with the time left, on a terminal; silent elsewhere.
pub(super) fn progress(total: u64, quiet: bool) -> ProgressBar {
    let bar = if quiet || !std::io::stderr().is_terminal() {
        ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden())
    } else {
        ProgressBar::new(total)
    };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style)
}

/// Moves a bar to how far a command is; what there is to do may have grown.
pub(super) fn advance(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
}
