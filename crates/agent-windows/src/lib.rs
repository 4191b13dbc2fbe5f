//! What the desktop agent asks of Windows, without any decision of its own: which processes there are, which of them record
//! (Core Audio), what the consent store remembers, whether somebody is there, and a thread for the tray's icon. All unsafe
//! code of the agent for Windows is here. On other systems only the plain types are left, so that what is decided from them
//! is tested everywhere.

#[cfg(windows)]
pub mod attention;
#[cfg(windows)]
pub mod consent;
#[cfg(windows)]
pub mod console;
#[cfg(windows)]
mod event;
#[cfg(windows)]
pub mod processes;
#[cfg(windows)]
pub mod screen;
#[cfg(windows)]
pub mod sessions;

/// What the consent store remembers of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentEntry {
    /// The path of its file, or the family name of its package.
    pub name: String,
    /// Whether it is a package.
    pub is_packaged: bool,
    /// When it began, in 100 nanoseconds since 1601; 0: never.
    pub start: u64,
    /// When it ended; 0: not yet. Windows writes it after `start`.
    pub stop: Option<u64>,
}

/// A text as Windows takes it.
#[cfg(windows)]
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain(Some(0)).collect()
}
