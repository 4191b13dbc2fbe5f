//! Settings from OpenTelemetry's environment variables (OpenTelemetry Specification, "OpenTelemetry Protocol Exporter").

/// Address of the collector, headers for it, and the name of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) service: String,
}

/// Reason why the environment's settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The collector has no usable address.
    #[error(
        "OTEL_EXPORTER_OTLP_ENDPOINT: {0:?} is no address; expected for example http://127.0.0.1:4318"
    )]
    Endpoint(String),
    /// The headers are not written as expected. They may hold a secret, so that the value is not named.
    #[error("OTEL_EXPORTER_OTLP_HEADERS: expected NAME=VALUE,NAME=VALUE")]
    Headers,
}

impl Settings {
    /// Reads `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_SERVICE_NAME`. `None` without an endpoint.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, SettingsError> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let Some(endpoint) = set("OTEL_EXPORTER_OTLP_ENDPOINT") else {
            return Ok(None);
        };
        let url = format!("{}/v1/traces", endpoint.trim().trim_end_matches('/'));
        let is_http = |url: reqwest::Url| matches!(url.scheme(), "http" | "https");
        if !reqwest::Url::parse(&url).is_ok_and(is_http) {
            return Err(SettingsError::Endpoint(endpoint));
        }
        let headers = set("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
        let headers = headers
            .split(',')
            .filter(|header| !header.trim().is_empty());
        let headers = headers.map(|header| {
            let (name, value) = header.split_once('=').ok_or(SettingsError::Headers)?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        });
        Ok(Some(Self {
            url,
            headers: headers.collect::<Result<_, _>>()?,
            service: set("OTEL_SERVICE_NAME").unwrap_or_else(|| "offhook".into()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, SettingsError};

    fn read(set: &[(&str, &str)]) -> Result<Option<Settings>, SettingsError> {
        Settings::from_environment(|name| {
            let found = set.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_an_endpoint_nothing_is_exported() {
        assert_eq!(read(&[("OTEL_SERVICE_NAME", "x")]), Ok(None));
        assert_eq!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), Ok(None));
    }

    #[test]
    fn the_endpoint_is_the_base_of_the_address() {
        let settings = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=b, c = d=e"),
        ]);
        let settings = settings.unwrap().unwrap();
        assert_eq!(settings.url, "http://c:4318/v1/traces");
        assert_eq!(settings.service, "offhook");
        let headers = [("a", "b"), ("c", "d=e")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(settings.headers, headers);
    }

    #[test]
    fn a_wrong_value_is_named() {
        let error = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4318")]).unwrap_err();
        assert_eq!(error, SettingsError::Endpoint("c:4318".into()));
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c");
        let error = read(&[endpoint, ("OTEL_EXPORTER_OTLP_HEADERS", "secret")]);
        assert!(!error.unwrap_err().to_string().contains("secret"));
    }
}
