//! Whether somebody is at the computer: the last touch of keyboard or mouse, and whether the screen is locked.

use std::{ffi::c_void, time::Duration};

use objc2_core_foundation::{CFBoolean, CFString, CFType};
use objc2_core_graphics::{
    CGEventSource, CGEventSourceStateID, CGEventType, CGSessionCopyCurrentDictionary,
};

/// Any event of keyboard, mouse or pen (`kCGAnyInputEventType`, which is a macro).
const ANY_INPUT: CGEventType = CGEventType(u32::MAX);

/// For how long nobody has touched keyboard or mouse of this session; nothing if macOS does not tell.
#[must_use]
pub fn idle_for() -> Option<Duration> {
    let state = CGEventSourceStateID::CombinedSessionState;
    let seconds = CGEventSource::seconds_since_last_event_type(state, ANY_INPUT);
    Duration::try_from_secs_f64(seconds).ok()
}

/// Whether the screen of this session is locked; nothing where there is no screen.
#[must_use]
pub fn is_locked() -> Option<bool> {
    let session = CGSessionCopyCurrentDictionary()?;
    let key = CFString::from_static_str("CGSSessionScreenIsLocked");
    let key: *const CFString = &raw const *key;
    // SAFETY: the keys of this dictionary are strings, and the key lives until the call is over.
    let value = unsafe { session.value(key.cast::<c_void>()) };
    // SAFETY: what the dictionary holds is an object of Core Foundation, or nothing; it lives as long as the dictionary.
    let value = unsafe { value.cast::<CFType>().as_ref() };
    // It is there only while the screen is locked.
    let is_locked = value
        .and_then(|value| value.downcast_ref::<CFBoolean>())
        .is_some_and(CFBoolean::value);
    Some(is_locked)
}
