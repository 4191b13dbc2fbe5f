//! The log on stderr: one line per event, also if the text of an event contains line breaks.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, IsTerminal, Write},
};

use server::config::LogFormat;
use tracing_subscriber::{EnvFilter, Layer, prelude::*};

use crate::trace_export::TraceExport;

/// Starts the log at the level of `OFFHOOK_LOG`, else at `level`, and hands spans to the export of traces if there is one. The log goes to
/// stderr, because stdout is for the output of commands.
pub(crate) fn start(level: &str, format: LogFormat, traces: Option<&TraceExport>) {
    let filter = EnvFilter::try_from_env("OFFHOOK_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt::layer()
        .with_writer(|| OneLine(io::stderr()))
        .with_ansi(format == LogFormat::Text && io::stderr().is_terminal());
    let log = match format {
        LogFormat::Text => log.with_filter(filter).boxed(),
        LogFormat::Json => {
            let log = log.json().flatten_event(true).with_span_list(false);
            log.with_filter(filter).boxed()
        }
    };
    let mut layers = vec![log];
    layers.extend(traces.map(|traces| traces.layer().boxed()));
    tracing_subscriber::registry().with(layers).init();
}

/// Writer that escapes line breaks and other control characters in an event, except its end. The escape character stays for
/// the subscriber's colours; the subscriber removes it from values.
pub(crate) struct OneLine<W>(pub(crate) W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(one_line(event).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn one_line(event: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(event);
    let body = text.strip_suffix('\n').unwrap_or(&text);
    let breaks = |character: char| {
        (character.is_control() && character != '\u{1b}')
            || matches!(character, '\u{2028}' | '\u{2029}')
    };
    if !body.contains(breaks) {
        return text;
    }
    let mut line = String::with_capacity(text.len() + 16);
    for character in body.chars() {
        if breaks(character) {
            // Writing to a string does not fail.
            let _ = write!(line, "{}", character.escape_default());
        } else {
            line.push(character);
        }
    }
    line.push('\n');
    Cow::Owned(line)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::OneLine;

    // Text of a peer starts no line of its own.
    #[test]
    fn an_event_is_one_line() {
        for (event, line) in [
            ("a good one\n", "a good one\n"),
            (
                "\u{1b}[2mcoloured\u{1b}[0m\n",
                "\u{1b}[2mcoloured\u{1b}[0m\n",
            ),
            (
                "bad\n2026-01-01 WARN forged\n",
                "bad\\n2026-01-01 WARN forged\n",
            ),
            ("a\r\n\u{85}\u{2028}\0\n", "a\\r\\n\\u{85}\\u{2028}\\u{0}\n"),
        ] {
            let mut written = Vec::new();
            OneLine(&mut written).write_all(event.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), line);
        }
    }
}
