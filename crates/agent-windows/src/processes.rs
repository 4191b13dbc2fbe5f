//! Processes: executable file and parent.

use std::path::PathBuf;

use windows::{
    Win32::{
        Foundation::{CloseHandle, ERROR_SUCCESS, HANDLE},
        Storage::Packaging::Appx::{GetPackageFamilyName, PACKAGE_FAMILY_NAME_MAX_LENGTH},
        System::{
            Diagnostics::ToolHelp::{
                CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW,
                TH32CS_SNAPPROCESS,
            },
            Threading::{
                OpenProcess, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION,
                QueryFullProcessImageNameW,
            },
        },
    },
    core::PWSTR,
};

/// Maximum length of a path.
const PATH_MAX: usize = 32_768;

/// A handle that is closed when it is dropped.
struct Owned(HANDLE);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle was opened here and is closed once.
        let _ = unsafe { CloseHandle(self.0) };
    }
}

impl Owned {
    fn process(pid: u32) -> Option<Self> {
        // SAFETY: the call takes no pointers; the owner closes the handle.
        unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, false, pid) }
            .ok()
            .map(Self)
    }
}

/// Executable file of a process; `None` if the process has ended or denies access.
#[must_use]
pub fn executable(pid: u32) -> Option<PathBuf> {
    let process = Owned::process(pid)?;
    let mut path = vec![0_u16; PATH_MAX];
    let mut length = u32::try_from(path.len()).ok()?;
    let to = PWSTR(path.as_mut_ptr());
    // SAFETY: `to` has room for `length` characters, and lives until the end of the call.
    unsafe { QueryFullProcessImageNameW(process.0, PROCESS_NAME_WIN32, to, &raw mut length) }
        .ok()?;
    let path = path.get(..usize::try_from(length).ok()?)?;
    Some(String::from_utf16_lossy(path).into())
}

/// Family name of a process's package; `None` without a package.
#[must_use]
pub fn package_family(pid: u32) -> Option<String> {
    let process = Owned::process(pid)?;
    // One more for the terminator.
    let mut name = vec![0_u16; PACKAGE_FAMILY_NAME_MAX_LENGTH as usize + 1];
    let mut length = u32::try_from(name.len()).ok()?;
    let to = PWSTR(name.as_mut_ptr());
    // SAFETY: `to` has room for `length` characters, and lives until the end of the call.
    let found = unsafe { GetPackageFamilyName(process.0, &raw mut length, Some(to)) };
    if found != ERROR_SUCCESS {
        return None;
    }
    // The length includes the terminator.
    let name = name.get(..usize::try_from(length).ok()?.checked_sub(1)?)?;
    Some(String::from_utf16_lossy(name))
}

/// All processes with their parents.
#[must_use]
pub fn parents() -> Vec<(u32, u32)> {
    let mut all = Vec::new();
    // SAFETY: the call takes no pointers; the owner closes the handle.
    let Ok(list) = (unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) }) else {
        return all;
    };
    let list = Owned(list);
    let mut entry = PROCESSENTRY32W {
        dwSize: size_of::<PROCESSENTRY32W>() as u32,
        ..PROCESSENTRY32W::default()
    };
    // SAFETY: the entry contains its own size, and lives until the end of the call.
    let mut more = unsafe { Process32FirstW(list.0, &raw mut entry) };
    while more.is_ok() {
        all.push((entry.th32ProcessID, entry.th32ParentProcessID));
        // SAFETY: as above.
        more = unsafe { Process32NextW(list.0, &raw mut entry) };
    }
    all
}
