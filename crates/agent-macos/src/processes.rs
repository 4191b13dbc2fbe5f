//! Processes: executable file and parent.

use std::{ffi::OsStr, mem::MaybeUninit, os::unix::ffi::OsStrExt, path::PathBuf};

use libc::{
    PROC_PIDPATHINFO_MAXSIZE, PROC_PIDTBSDINFO, c_void, proc_bsdinfo, proc_pidinfo, proc_pidpath,
};

/// Executable file of a process; `None` if the process has ended or denies access.
#[must_use]
pub fn executable(pid: u32) -> Option<PathBuf> {
    let mut path = vec![0_u8; usize::try_from(PROC_PIDPATHINFO_MAXSIZE).ok()?];
    let size = u32::try_from(path.len()).ok()?;
    let to: *mut c_void = path.as_mut_ptr().cast();
    // SAFETY: `to` has room for `size` bytes, and lives until the end of the call.
    let length = unsafe { proc_pidpath(i32::try_from(pid).ok()?, to, size) };
    let path = path.get(..usize::try_from(length).ok()?)?;
    (!path.is_empty()).then(|| OsStr::from_bytes(path).into())
}

/// Parent of a process.
#[must_use]
pub fn parent(pid: u32) -> Option<u32> {
    let mut info = MaybeUninit::<proc_bsdinfo>::uninit();
    let size = i32::try_from(size_of::<proc_bsdinfo>()).ok()?;
    let to: *mut c_void = info.as_mut_ptr().cast();
    // SAFETY: `to` has room for `size` bytes, and lives until the end of the call.
    let written = unsafe { proc_pidinfo(i32::try_from(pid).ok()?, PROC_PIDTBSDINFO, 0, to, size) };
    if written != size {
        return None;
    }
    // SAFETY: the call has written the whole structure.
    Some(unsafe { info.assume_init() }.pbi_ppid)
}
