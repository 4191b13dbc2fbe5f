//! The core of Offhook.

mod line;

pub use line::LineState;
