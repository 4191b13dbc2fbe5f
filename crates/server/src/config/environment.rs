//! Settings from the environment: `OFFHOOK__SECTION__KEY` overrides `key` of `[section]`, `OFFHOOK__PBX__0__KEY` that of
//! the first `[[pbx]]`, and `OFFHOOK_DATA` the data folder.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use toml::{Table, Value};

use super::{ConfigError, raw::Raw};

/// The environment variables that begin with `OFFHOOK`. `Debug` shows their names only, because any of them may be a secret.
#[derive(Clone, Debug, Default)]
pub struct Environment(Vec<(String, SecretString)>);

impl Environment {
    /// Selects Offhook's variables from `variables`.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut kept: Vec<_> = variables
            .into_iter()
            .filter(|(name, _)| name.starts_with("OFFHOOK_"))
            .map(|(name, value)| (name, SecretString::from(value)))
            .collect();
        kept.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self(kept)
    }

    pub(super) fn data(&self) -> Option<PathBuf> {
        self.0
            .iter()
            .find(|(name, _)| name == "OFFHOOK_DATA")
            .map(|(_, value)| value.expose_secret().into())
    }

    /// Name of the variable that overrides a key of the file, if one does.
    pub(super) fn overriding(&self, key: &str) -> Option<String> {
        let key = key
            .split(' ')
            .next()
            .unwrap_or(key)
            .to_uppercase()
            .replace('.', "__");
        let name = format!("OFFHOOK__{key}");
        let (set, _) = self
            .0
            .iter()
            .find(|(set, _)| set.eq_ignore_ascii_case(&name))?;
        Some(set.clone())
    }

    /// Applies the environment to the file, one variable at a time, so that an error names the variable.
    pub(super) fn apply_to(&self, path: &Path, text: &str) -> Result<Raw, ConfigError> {
        let unusable = |problem: String| ConfigError::Key {
            path: path.into(),
            key: "file".into(),
            problem,
        };
        let mut table: Table =
            toml::from_str(text).map_err(|error| unusable(error.message().into()))?;
        let mut raw: Raw = table
            .clone()
            .try_into()
            .map_err(|error: toml::de::Error| unusable(error.message().into()))?;
        for (name, value) in &self.0 {
            let Some(keys) = name.strip_prefix("OFFHOOK__") else {
                continue;
            };
            let keys: Vec<String> = keys.split("__").map(str::to_lowercase).collect();
            let wrong = |problem: &str| ConfigError::Environment {
                name: name.clone(),
                problem: problem.into(),
            };
            // Text comes first: a password may consist of digits.
            let mut tried = Vec::new();
            for value in readings(value.expose_secret()) {
                let mut table = table.clone();
                set(&mut table, &keys, value)
                    .ok_or_else(|| wrong("names no setting; expected OFFHOOK__SECTION__KEY"))?;
                match Raw::try_from_table(table.clone()) {
                    Ok(read) => tried.push((table, read)),
                    Err(message) if tried.is_empty() && !message.contains("invalid type") => {
                        return Err(wrong(&message));
                    }
                    Err(_) => {}
                }
            }
            let Some(first) = tried.into_iter().next() else {
                return Err(wrong("has a value of the wrong kind for this setting"));
            };
            (table, raw) = first;
        }
        Ok(raw)
    }
}

impl Raw {
    fn try_from_table(table: Table) -> Result<Self, String> {
        table
            .try_into()
            .map_err(|error: toml::de::Error| error.message().to_owned())
    }
}

fn readings(value: &str) -> Vec<Value> {
    let mut readings = vec![Value::String(value.into())];
    readings.extend(value.parse().ok().map(Value::Integer));
    let list = format!("list = {value}").parse::<Table>().ok();
    let list = list.and_then(|mut table| table.remove("list"));
    readings.extend(list.filter(Value::is_array));
    readings
}

/// Sets a value at a path of keys; `None` if a key on the path holds no table.
fn set(table: &mut Table, keys: &[String], value: Value) -> Option<()> {
    let (first, rest) = keys.split_first()?;
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return Some(());
    }
    let (index, below) = match rest.split_first() {
        Some((index, below)) if index.parse::<usize>().is_ok() => (index.parse().ok(), below),
        _ => (None, rest),
    };
    match index {
        None => {
            let entry = table
                .entry(first.clone())
                .or_insert_with(|| Value::Table(Table::new()));
            set(entry.as_table_mut()?, below, value)
        }
        Some(index) => {
            let entry = table
                .entry(first.clone())
                .or_insert_with(|| Value::Array(Vec::new()));
            let list = entry.as_array_mut()?;
            if index == list.len() {
                list.push(Value::Table(Table::new()));
            }
            set(list.get_mut::<usize>(index)?.as_table_mut()?, below, value)
        }
    }
}
