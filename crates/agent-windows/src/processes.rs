//! Processes: the file that each runs, and who started it.

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

/// The longest path that Windows gives.
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
        // SAFETY: takes no pointers; the handle is closed by its owner.
        unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, false, pid) }
            .ok()
            .map(Self)
    }
}

/// The file that a process runs; nothing if it is gone, or not to be asked.
#[must_use]
pub fn executable(pid: u32) -> Option<PathBuf> {
    let process = Owned::process(pid)?;
    let mut path = vec![0_u16; PATH_MAX];
    let mut length = u32::try_from(path.len()).ok()?;
    let to = PWSTR(path.as_mut_ptr());
    // SAFETY: `to` has room for `length` characters, and lives until the call is over.
    unsafe { QueryFullProcessImageNameW(process.0, PROCESS_NAME_WIN32, to, &raw mut length) }
        .ok()?;
    let path = path.get(..usize::try_from(length).ok()?)?;
    Some(String::from_utf16_lossy(path).into())
}

/// The family name of the package that a process belongs to, if it belongs to one.
#[must_use]
pub fn package_family(pid: u32) -> Option<String> {
    let process = Owned::process(pid)?;
    // One more for the zero at its end.
    let mut name = vec![0_u16; PACKAGE_FAMILY_NAME_MAX_LENGTH as usize + 1];
    let mut length = u32::try_from(name.len()).ok()?;
    let to = PWSTR(name.as_mut_ptr());
    // SAFETY: `to` has room for `length` characters, and lives until the call is over.
    let found = unsafe { GetPackageFamilyName(process.0, &raw mut length, Some(to)) };
    if found != ERROR_SUCCESS {
        return None;
    }
    // The length counts the zero too.
    let name = name.get(..usize::try_from(length).ok()?.checked_sub(1)?)?;
    Some(String::from_utf16_lossy(name))
}

/// Every process and who started it.
#[must_use]
pub fn parents() -> Vec<(u32, u32)> {
    let mut all = Vec::new();
    // SAFETY: takes no pointers; the handle is closed by its owner.
    let Ok(list) = (unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) }) else {
        return all;
    };
    let list = Owned(list);
    let mut entry = PROCESSENTRY32W {
        dwSize: size_of::<PROCESSENTRY32W>() as u32,
        ..PROCESSENTRY32W::default()
    };
    // SAFETY: the entry says how large it is, and lives until the call is over.
    let mut more = unsafe { Process32FirstW(list.0, &raw mut entry) };
    while more.is_ok() {
        all.push((entry.th32ProcessID, entry.th32ParentProcessID));
        // SAFETY: as above.
        more = unsafe { Process32NextW(list.0, &raw mut entry) };
    }
    all
}
