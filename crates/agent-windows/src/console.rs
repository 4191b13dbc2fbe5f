//! Console window.

use windows::Win32::System::Console::{FreeConsole, GetConsoleProcessList};

/// Closes the console window if Windows opened it for this process alone, as for programs that start with the session. A
/// terminal also contains a shell, and stays open.
pub fn leave_if_alone() {
    let mut others = [0_u32; 2];
    // SAFETY: the list has room for as many entries as its length.
    let count = unsafe { GetConsoleProcessList(&mut others) };
    if count == 1 {
        // SAFETY: the call takes no pointers.
        let _ = unsafe { FreeConsole() };
    }
}
