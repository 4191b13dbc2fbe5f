//! Errors of the control plane: each names the field, the value and the remedy.

/// What kind of trouble a [`ControlError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlErrorKind {
    /// The request cannot be understood as it stands.
    Invalid,
    /// The path does not take this method.
    Method,
    /// The thing named does not exist.
    NotFound,
    /// The request contradicts what already is.
    Conflict,
    /// The caller may not ask here.
    Forbidden,
}

/// A request to the control plane that could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {value:?} {problem}: {remedy}")]
pub struct ControlError {
    /// What kind of trouble.
    pub kind: ControlErrorKind,
    /// The field, path part or header at fault.
    pub field: &'static str,
    /// Its value, shortened.
    pub value: String,
    /// What is wrong with it, as the rest of a sentence that starts with field and value.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl ControlError {
    /// Values are quoted up to this many characters: enough to recognise, not enough to flood a log.
    const VALUE_MAX: usize = 100;

    pub(crate) fn new(
        kind: ControlErrorKind,
        field: &'static str,
        value: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let value = value.chars().take(Self::VALUE_MAX).collect();
        Self {
            kind,
            field,
            value,
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn invalid(field: &'static str, value: &str, problem: &str, remedy: &str) -> Self {
        Self::new(ControlErrorKind::Invalid, field, value, problem, remedy)
    }

    pub(crate) fn unknown_user(value: &str) -> Self {
        Self::new(
            ControlErrorKind::NotFound,
            "id",
            value,
            "is not the id or user principal name of a user",
            "take one from GET /box/v1/users, or create the user with POST /box/v1/users",
        )
    }
}
