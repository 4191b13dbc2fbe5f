//! The console window.

use windows::Win32::System::Console::{FreeConsole, GetConsoleProcessList};

/// Closes the console's window if Windows opened it only for this process, as it does for programs that start with the
/// session. A terminal that somebody typed the command into has a shell in it, and stays.
pub fn leave_if_alone() {
    let mut others = [0_u32; 2];
    // SAFETY: the list has room for as many as its length says.
    let count = unsafe { GetConsoleProcessList(&mut others) };
    if count == 1 {
        // SAFETY: takes no pointers.
        let _ = unsafe { FreeConsole() };
    }
}
