//! Presence of a person at the computer: time of the last input, and the lock of the screen.

use std::{ffi::c_void, time::Duration};

use objc2_core_foundation::{CFBoolean, CFString, CFType};
use objc2_core_graphics::{
    CGEventSource, CGEventSourceStateID, CGEventType, CGSessionCopyCurrentDictionary,
};

/// Any event of keyboard, mouse or pen (`kCGAnyInputEventType`, a macro in C).
const ANY_INPUT: CGEventType = CGEventType(u32::MAX);

/// Time since the last input by keyboard or mouse in this session; `None` if macOS does not report it.
#[must_use]
pub fn idle_for() -> Option<Duration> {
    let state = CGEventSourceStateID::CombinedSessionState;
    let seconds = CGEventSource::seconds_since_last_event_type(state, ANY_INPUT);
    Duration::try_from_secs_f64(seconds).ok()
}

/// True if the screen of this session is locked; `None` without a screen.
#[must_use]
pub fn is_locked() -> Option<bool> {
    let session = CGSessionCopyCurrentDictionary()?;
    let key = CFString::from_static_str("CGSSessionScreenIsLocked");
    let key: *const CFString = &raw const *key;
    // SAFETY: the keys of this dictionary are strings, and the key lives until the end of the call.
    let value = unsafe { session.value(key.cast::<c_void>()) };
    // SAFETY: values of the dictionary are objects of Core Foundation or null, and live as long as the dictionary.
    let value = unsafe { value.cast::<CFType>().as_ref() };
    // The key exists only while the screen is locked.
    let is_locked = value
        .and_then(|value| value.downcast_ref::<CFBoolean>())
        .is_some_and(CFBoolean::value);
    Some(is_locked)
}
