//! Whole messages of real telephone systems and of RFC 4475, read with the public interface.

#[cfg(test)]
mod any_input;
#[cfg(test)]
mod torture;
#[cfg(test)]
mod traces;
