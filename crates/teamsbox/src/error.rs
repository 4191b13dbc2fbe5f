//! Errors of the control plane: each names the field, the value and the remedy.

/// The kind of a [`ControlError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlErrorKind {
    /// The request is invalid.
    Invalid,
    /// The path does not take this method.
    Method,
    /// The named thing does not exist.
    NotFound,
    /// The request conflicts with the present state.
    Conflict,
    /// The caller has no access to the control plane.
    Forbidden,
}

/// An error of the control plane.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {value:?} {problem}: {remedy}")]
pub struct ControlError {
    /// Kind of the error.
    pub kind: ControlErrorKind,
    /// The invalid field, part of the path, or header.
    pub field: &'static str,
    /// Its value, shortened.
    pub value: String,
    /// The problem, as the rest of a sentence that begins with field and value.
    pub problem: String,
    /// The remedy.
    pub remedy: String,
}

impl ControlError {
    /// The most characters of a value: enough to recognise it, few enough for a log.
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
