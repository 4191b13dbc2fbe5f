//! Comparison of programs by their whole base name, regardless of case.

/// Name without the extension of programs on Windows.
pub fn base_name(process: &str) -> &str {
    let at = process.len().saturating_sub(4);
    match (process.get(..at), process.get(at..)) {
        (Some(base), Some(ending)) if ending.eq_ignore_ascii_case(".exe") => base,
        _ => process,
    }
}

/// Key of a program for lookups: equal for all spellings of its name.
pub fn program_key(name: &str) -> String {
    base_name(name).to_lowercase()
}

/// True if two names belong to the same program.
pub fn same_program(one: &str, other: &str) -> bool {
    program_key(one) == program_key(other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_whole_names_are_the_same_whatever_their_case() {
        assert!(same_program("Zoom", "zoom") && same_program("Zoom", "ZOOM.EXE"));
        assert!(!same_program("Zoom", "zoomshare") && !same_program("Zoom", ".exe"));
        assert!(same_program("Zoöm", "ZOÖM"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_name(name in any::<String>(), other in any::<String>()) {
            prop_assert!(same_program(&name, &name));
            let on_windows = [&name, ".exe"].concat();
            prop_assert!(same_program(&on_windows, &name));
            prop_assert_eq!(same_program(&name, &other), same_program(&other, &name));
        }
    }
}
