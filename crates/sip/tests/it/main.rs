//! Complete messages of real PBXs and of RFC 4475, through the public interface.

#[cfg(test)]
mod any_input;
#[cfg(test)]
mod torture;
#[cfg(test)]
mod traces;
