//! Output of commands. A reader such as `head` may close its end of the pipe: the rest of the output is dropped then, and the
//! command goes on to its end. Any other error of the output, such as a full disk, is an error of the command.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
};

use anyhow::Context;

/// Prints text to standard output, without a line break after it.
///
/// # Errors
/// The output cannot be written. What the command has changed stays changed.
pub fn print(text: impl Display) -> anyhow::Result<()> {
    write(&mut io::stdout().lock(), text).context("the output cannot be written")
}

/// Prints a line to standard output.
///
/// # Errors
/// See [`print()`].
pub fn line(text: impl Display) -> anyhow::Result<()> {
    print(format_args!("{text}\n"))
}

fn write(output: &mut impl Write, text: impl Display) -> io::Result<()> {
    match write!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_error_and_others_are() {
        let (reader, mut writer) = io::pipe().unwrap();
        write(&mut writer, "first\n").unwrap();
        drop(reader);
        write(&mut writer, "second\n").unwrap();
        let mut full = &mut [0_u8; 2][..];
        assert!(write(&mut full, "third\n").is_err());
    }
}
