//! What the desktop agent asks of Windows, without any decision of its own: which processes there are, which of them record
//! (Core Audio), and what the consent store remembers. All unsafe code of the agent is here. Elsewhere it is empty.
#![cfg(windows)]

pub mod consent;
pub mod processes;
pub mod sessions;

/// A text as Windows takes it.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain(Some(0)).collect()
}
