//! Presence of a person at the computer: time of the last input, and the lock of the screen.

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

/// Value of `SessionFlags` for a locked screen since Windows 8 (WTSINFOEX_LEVEL1_W).
const LOCKED: i32 = 0;
/// Value of `SessionFlags` for an unlocked screen.
const UNLOCKED: i32 = 1;

/// Time since the last input by keyboard or mouse in this session; `None` if Windows does not report it.
#[must_use]
pub fn idle_for() -> Option<Duration> {
    let mut last = LASTINPUTINFO {
        cbSize: size_of::<LASTINPUTINFO>() as u32,
        dwTime: 0,
    };
    // SAFETY: the structure contains its own size, and lives until the end of the call.
    let is_told = unsafe { GetLastInputInfo(&raw mut last) }.as_bool();
    // SAFETY: the call takes no pointers.
    let now = unsafe { GetTickCount() };
    // Both counters wrap around after 49 days.
    is_told.then(|| Duration::from_millis(now.wrapping_sub(last.dwTime).into()))
}

/// True if the screen of this session is locked; `None` if Windows does not report it.
#[must_use]
pub fn is_locked() -> Option<bool> {
    let mut answer = PWSTR::null();
    let mut size = 0;
    // SAFETY: both pointers are valid until the end of the call.
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
    // SAFETY: Windows returned `size` bytes, aligned like all memory of its heap; they are copied before they are freed.
    let info = is_whole.then(|| unsafe { answer.as_ptr().cast::<WTSINFOEXW>().read_unaligned() });
    // SAFETY: Windows allocated the memory, which is freed once.
    unsafe { WTSFreeMemory(answer.as_ptr().cast()) };
    let info = info.filter(|info| info.Level == 1)?;
    // SAFETY: the level was checked to be 1.
    match unsafe { info.Data.WTSInfoExLevel1.SessionFlags } {
        LOCKED => Some(true),
        UNLOCKED => Some(false),
        _ => None,
    }
}
