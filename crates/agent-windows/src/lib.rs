//! Windows APIs for the desktop agent, without decisions: processes, recording sessions (Core Audio), the consent store,
//! attention, and a thread for the tray icon. Contains all unsafe code of the agent for Windows. On other systems only the
//! plain types exist, so that the decisions based on them are tested everywhere.

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

/// Entry of a program in the consent store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentEntry {
    /// Path of the executable file, or family name of the package.
    pub name: String,
    /// True for a package.
    pub is_packaged: bool,
    /// Start of the last use in units of 100 nanoseconds since 1601; 0 without any use.
    pub start: u64,
    /// End of the last use; 0 while it lasts. Windows writes it after `start`.
    pub stop: Option<u64>,
}

/// Text in UTF-16 with a terminator.
#[cfg(windows)]
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain(Some(0)).collect()
}
