//! The consent store: the registry's record of which programs used the microphone, and when, which the settings of Windows
//! show. The entry of a program that crashed remains in use.

use windows::{
    Win32::{
        Foundation::ERROR_SUCCESS,
        System::Registry::{
            HKEY, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, KEY_NOTIFY, KEY_READ,
            REG_NOTIFY_CHANGE_LAST_SET, REG_NOTIFY_CHANGE_NAME, REG_SAM_FLAGS, RRF_RT_REG_QWORD,
            RegCloseKey, RegEnumKeyExW, RegGetValueW, RegNotifyChangeKeyValue, RegOpenKeyExW,
        },
    },
    core::{PCWSTR, PWSTR},
};

use crate::{ConsentEntry, event::Event, wide};

const STORE: &str =
    r"Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore\microphone";
/// Subkey for programs that are not packages; their keys are paths.
const NOT_PACKAGED: &str = "NonPackaged";
/// Maximum length of a key's name with its terminator.
const NAME_MAX: usize = 256;

/// An open registry key, closed when it is dropped.
struct Key(HKEY);

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the key was opened here and is closed once.
        let _ = unsafe { RegCloseKey(self.0) };
    }
}

impl Key {
    fn open(parent: HKEY, path: &str, access: REG_SAM_FLAGS) -> Option<Self> {
        let mut key = HKEY::default();
        let path = wide(path);
        // SAFETY: the path ends with a zero and lives until the end of the call.
        let opened =
            unsafe { RegOpenKeyExW(parent, PCWSTR(path.as_ptr()), None, access, &raw mut key) };
        (opened == ERROR_SUCCESS).then_some(Self(key))
    }

    fn children(&self) -> Vec<String> {
        let mut names = Vec::new();
        for index in 0.. {
            let mut name = [0_u16; NAME_MAX];
            let mut length = NAME_MAX as u32;
            let to = PWSTR(name.as_mut_ptr());
            // SAFETY: `to` has room for `length` characters, and lives until the end of the call.
            let found = unsafe {
                RegEnumKeyExW(
                    self.0,
                    index,
                    Some(to),
                    &raw mut length,
                    None,
                    None,
                    None,
                    None,
                )
            };
            if found != ERROR_SUCCESS {
                break;
            }
            let name = name.get(..length as usize).unwrap_or_default();
            names.push(String::from_utf16_lossy(name));
        }
        names
    }

    fn number(&self, name: &str) -> Option<u64> {
        let name = wide(name);
        let mut value = 0_u64;
        let mut size = size_of::<u64>() as u32;
        let to: *mut u64 = &raw mut value;
        // SAFETY: the name ends with a zero; `to` has room for `size` bytes; both live until the end of the call.
        let found = unsafe {
            RegGetValueW(
                self.0,
                PCWSTR::null(),
                PCWSTR(name.as_ptr()),
                RRF_RT_REG_QWORD,
                None,
                Some(to.cast()),
                Some(&raw mut size),
            )
        };
        (found == ERROR_SUCCESS).then_some(value)
    }
}

/// All entries of this user and of the services.
#[must_use]
pub fn entries() -> Vec<ConsentEntry> {
    let mut entries = Vec::new();
    for root in [HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE] {
        for is_packaged in [true, false] {
            let path = match is_packaged {
                true => STORE.to_owned(),
                false => format!(r"{STORE}\{NOT_PACKAGED}"),
            };
            let Some(list) = Key::open(root, &path, KEY_READ) else {
                continue;
            };
            for name in list.children() {
                if name == NOT_PACKAGED {
                    continue;
                }
                let Some(program) = Key::open(list.0, &name, KEY_READ) else {
                    continue;
                };
                entries.push(ConsentEntry {
                    name: name.replace('#', r"\"),
                    is_packaged,
                    start: program.number("LastUsedTimeStart").unwrap_or_default(),
                    stop: program.number("LastUsedTimeStop"),
                });
            }
        }
    }
    entries
}

/// Calls `changed` after each change in this user's part of the store, until it returns false or Windows reports no more
/// changes. Blocks the thread.
pub fn watch(changed: impl Fn() -> bool) {
    // A new user profile does not have this key yet, but one of its parents.
    let parents = STORE
        .char_indices()
        .rev()
        .filter(|(_, letter)| *letter == '\\');
    let paths = std::iter::once(STORE).chain(parents.filter_map(|(end, _)| STORE.get(..end)));
    let mut keys =
        paths.filter_map(|path| Key::open(HKEY_CURRENT_USER, path, KEY_READ | KEY_NOTIFY));
    let Some(key) = keys.next() else {
        return;
    };
    let Ok(event) = Event::new() else {
        return;
    };
    loop {
        let what = REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_LAST_SET;
        // SAFETY: key and event are open until the end of the loop.
        let armed =
            unsafe { RegNotifyChangeKeyValue(key.0, true, what, Some(event.handle()), true) };
        // The store is read after the notification is armed, so that later changes wake again.
        if armed != ERROR_SUCCESS || !changed() || !event.wait() {
            break;
        }
    }
}
