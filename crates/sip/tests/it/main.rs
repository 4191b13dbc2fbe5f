//! Whole messages of real telephone systems, read with the public interface.

#[cfg(test)]
mod traces;
