//! Whether somebody is at the computer: the last touch of keyboard or mouse, and whether the screen is locked.

use std::time::Duration;

use windows::{
    Win32::{
        System::{
            RemoteDesktop::{
                WTS_CURRENT_SESSION, WTSFreeMemory, WTSINFOEXW, WTSQuerySessionInformationW,
                WTSSessionInfoEx,
            },
            SystemInformation::GetTickCount,
        },
        UI::Input::KeyboardAndMouse::{GetLastInputInfo, LASTINPUTINFO},
    },
    core::PWSTR,
};

/// What `SessionFlags` says of a locked screen since Windows 8 (WTSINFOEX_LEVEL1_W).
const LOCKED: i32 = 0;
/// What it says of an unlocked one.
const UNLOCKED: i32 = 1;

/// For how long nobody has touched keyboard or mouse of this session; nothing if Windows does not tell.
#[must_use]
pub fn idle_for() -> Option<Duration> {
    let mut last = LASTINPUTINFO {
        cbSize: size_of::<LASTINPUTINFO>() as u32,
        dwTime: 0,
    };
    // SAFETY: it says how large it is, and lives until the call is over.
    let is_told = unsafe { GetLastInputInfo(&raw mut last) }.as_bool();
    // SAFETY: takes no pointers.
    let now = unsafe { GetTickCount() };
    // Both begin anew after 49 days.
    is_told.then(|| Duration::from_millis(now.wrapping_sub(last.dwTime).into()))
}

/// Whether the screen of this session is locked; nothing if Windows does not tell.
#[must_use]
pub fn is_locked() -> Option<bool> {
    let mut answer = PWSTR::null();
    let mut size = 0;
    // SAFETY: both live until the call is over.
    unsafe {
        WTSQuerySessionInformationW(
            None,
            WTS_CURRENT_SESSION,
            WTSSessionInfoEx,
            &raw mut answer,
            &raw mut size,
        )
    }
    .ok()?;
    if answer.is_null() {
        return None;
    }
    let is_whole = size as usize >= size_of::<WTSINFOEXW>();
    // SAFETY: Windows answered with so many bytes, aligned as memory of its heap is; it is copied before it is freed.
    let info = is_whole.then(|| unsafe { answer.as_ptr().cast::<WTSINFOEXW>().read_unaligned() });
    // SAFETY: Windows allocated it; it is freed once.
    unsafe { WTSFreeMemory(answer.as_ptr().cast()) };
    let info = info.filter(|info| info.Level == 1)?;
    // SAFETY: of level 1, as was checked.
    match unsafe { info.Data.WTSInfoExLevel1.SessionFlags } {
        LOCKED => Some(true),
        UNLOCKED => Some(false),
        _ => None,
    }
}
