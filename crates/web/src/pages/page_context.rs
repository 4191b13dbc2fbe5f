//! A request for a page: caller, language, time zone, parameters and the entered form.

use std::collections::HashMap;

use api::{
    ApiParts, EventStreams,
    caller::Caller,
    cookies,
    problem::{Problem, ProblemCode},
};
use axum::{
    RequestPartsExt,
    body::Bytes,
    extract::{
        Form, FromRef, FromRequest, FromRequestParts, Multipart, Query, RawPathParams, Request,
    },
    http::{HeaderMap, header, request::Parts},
};
use jiff::tz::TimeZone;
use presence::PersonId;
use runtime::{context::Context, people_index::Person};

use super::client::{Api, Refusal, Routes};
use crate::{layout::Layout, texts::Texts, web_state::WebState};

/// Cookie in which the script stores the browser's time zone.
const ZONE_COOKIE: &str = "offhook_zone";
/// Largest number of people that a refusal lists for an ambiguous text.
const CANDIDATES_MAX: usize = 8;

/// A request for a page.
#[derive(Clone, Debug)]
pub(crate) struct PageContext {
    pub layout: Layout,
    pub words: Texts,
    pub caller: Caller,
    /// Store, clock, people, organisation and events.
    pub context: Context,
    state: WebState,
    pub api: Api,
    /// Time zone of the viewer.
    pub(crate) zone: TimeZone,
    /// Whether the request only reads.
    pub(crate) is_get: bool,
    path: HashMap<String, String>,
    query: HashMap<String, String>,
}

impl FromRequestParts<WebState> for PageContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let mut layout = match Layout::from_request_parts(parts, state).await {
            Ok(layout) => layout,
            Err(never) => match never {},
        };
        let context: Context = FromRef::from_ref(state);
        if caller.is_admin() {
            layout.problems = context.health.parts().values().flatten().count();
        }
        let routes = parts.extensions.get::<Routes>().cloned();
        let routes = routes.ok_or_else(|| Problem::unavailable("the API is not there"))?;
        let path = parts.extract::<RawPathParams>().await.ok();
        let path = path.iter().flat_map(|path| path.iter());
        let path = path.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let query = parts.extract::<Query<HashMap<String, String>>>().await;
        Ok(Self {
            words: layout.words,
            api: Api::new(routes, caller.clone(), parts.extensions.get().copied()),
            zone: zone(&parts.headers),
            is_get: parts.method == axum::http::Method::GET,
            path: path.collect(),
            query: query.map(|Query(query)| query).unwrap_or_default(),
            layout,
            caller,
            context,
            state: state.clone(),
        })
    }
}

/// The viewer's time zone by the cookie, else UTC. Some browsers encode the slash of its name.
pub(crate) fn zone(headers: &HeaderMap) -> TimeZone {
    let name = cookies::cookie(headers, ZONE_COOKIE);
    let zone = name.and_then(|name| TimeZone::get(&name.replace("%2F", "/")).ok());
    zone.unwrap_or(TimeZone::UTC)
}

impl PageContext {
    /// The parts of the API's state.
    pub fn parts(&self) -> &ApiParts {
        self.state.api.parts()
    }

    /// The present revision, from which a page's script follows the event stream.
    pub(crate) fn revision(&self) -> String {
        let (revision, _) = self.context.events.all();
        EventStreams::from_ref(&self.state).tokens.seal(revision)
    }

    /// A parameter of the path.
    pub fn path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        let value = self.query.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    /// Refuses callers who are not system administrators.
    pub(crate) fn require_system_administrator(&self) -> Result<(), Refusal> {
        if self.caller.is_admin() {
            return Ok(());
        }
        Err(Refusal::forbidden("system-administrators-only"))
    }

    /// The message of a key.
    pub fn say(&self, key: &str) -> String {
        self.words.text(key)
    }

    /// The person of the caller.
    pub fn me(&self) -> Result<std::sync::Arc<Person>, Refusal> {
        let person = self.caller.person;
        let person = person.and_then(|person| self.context.people.person(person));
        person.ok_or_else(|| Refusal::forbidden("people-only"))
    }

    /// Path of the caller's person in the API.
    pub fn mine(&self, rest: &str) -> Result<String, Refusal> {
        Ok(format!("/people/{}/{rest}", self.me()?.id))
    }

    /// The name of the person with this id.
    pub(crate) fn name_of(&self, id: &str) -> String {
        let person = id.parse().ok().map(PersonId);
        let person = person.and_then(|person| self.context.people.person(person));
        person.map_or_else(|| id.to_owned(), |person| person.name.clone())
    }

    /// The person named by a text: by extension, mail address, sign-in name or id, else by a part of the name if only one
    /// person has it. A complete name has no precedence, because more administrators may change names than may decide this
    /// text's meaning.
    pub fn person_named(&self, field: &str, text: &str) -> Result<PersonId, Refusal> {
        let directory = &self.context.people;
        let found = match identifier(text) {
            Some(identifier) => directory.identified(identifier),
            None => {
                let identified = directory.identified(text);
                let wanted = text.trim().to_lowercase();
                let has = |person: &Person| person.name.to_lowercase().contains(&wanted);
                match identified.is_empty() && !wanted.is_empty() {
                    true => directory.people(has),
                    false => identified,
                }
            }
        };
        match found.as_slice() {
            [only] => Ok(only.id),
            [] => {
                let code = ProblemCode::new("person-unknown").with("value", text);
                Err(Refusal::of_code(field, code))
            }
            several => {
                let names: Vec<String> = several
                    .iter()
                    .take(CANDIDATES_MAX)
                    .map(|person| candidate(person))
                    .collect();
                let code = ProblemCode::new("person-ambiguous")
                    .with("value", text)
                    .with("count", several.len())
                    .with("name", names.join("; "));
                Err(Refusal::of_code(field, code))
            }
        }
    }

    /// The people named in a text, separated by lines or commas.
    pub fn people_named(&self, field: &str, text: &str) -> Result<Vec<String>, Refusal> {
        let names = text.split([',', ';', '\n']).map(str::trim);
        let names = names.filter(|name| !name.is_empty());
        names
            .map(|name| Ok(self.person_named(field, name)?.to_string()))
            .collect()
    }

    /// People as a text that [`Self::people_named`] resolves to the same people, even after changes of names: name and
    /// identifier.
    pub fn as_text<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> String {
        let people = ids
            .into_iter()
            .filter_map(|id| Some(PersonId(id.parse().ok()?)));
        let people = people.map(|person| self.person_as_text(person));
        people.collect::<Vec<_>>().join("\n")
    }

    /// A person as a text that [`Self::person_named`] resolves to the same person.
    pub(crate) fn person_as_text(&self, person: PersonId) -> String {
        let Some(person) = self.context.people.person(person) else {
            return String::new();
        };
        let identifier = self.context.people.identifier(&person);
        match person.name.contains([',', ';', '<', '>']) {
            // The name would be read as several people, or as an identifier.
            true => identifier,
            false => format!("{} <{identifier}>", person.name),
        }
    }
}

/// The identifier in `name <identifier>`.
fn identifier(text: &str) -> Option<&str> {
    let (_, identifier) = text.trim().strip_suffix('>')?.rsplit_once('<')?;
    Some(identifier)
}

/// A person in the list of an ambiguous text.
fn candidate(person: &Person) -> String {
    let lines = person.lines.iter().map(|(_, extension)| &**extension);
    let parts = std::iter::once(&*person.mail).chain(lines);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    match parts.is_empty() {
        true => format!("{} (id:{})", person.name, person.id),
        false => format!("{} ({})", person.name, parts.join(", ")),
    }
}

/// An entered form.
#[derive(Clone, Debug, Default)]
pub struct EnteredForm {
    pairs: Vec<(String, String)>,
    /// Contents of files, by field.
    files: Vec<(String, Bytes)>,
}

impl<S: Send + Sync> FromRequest<S> for EnteredForm {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let (pairs, files) = match kind {
            Some(kind) if kind.as_bytes().starts_with(b"multipart/form-data") => {
                with_files(Multipart::from_request(request, state).await)
                    .await
                    .map_err(Problem::malformed)?
            }
            Some(_) | None => {
                let form = Form::<Vec<(String, String)>>::from_request(request, state).await;
                let form = form.map_err(|rejection| Problem::malformed(rejection.body_text()))?;
                (form.0, Vec::new())
            }
        };
        // Browsers send CRLF line ends.
        let pairs = pairs
            .into_iter()
            .map(|(name, value)| (name, value.replace("\r\n", "\n")));
        let pairs = pairs.collect();
        Ok(Self { pairs, files })
    }
}

type Fields = Vec<(String, String)>;
type Files = Vec<(String, Bytes)>;

/// Fields and files of a form (RFC 7578).
async fn with_files(
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<(Fields, Files), String> {
    let mut form = form.map_err(|rejection| rejection.body_text())?;
    let (mut fields, mut files) = (Fields::new(), Files::new());
    while let Some(field) = form.next_field().await.map_err(|error| error.body_text())? {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let value = field.bytes().await.map_err(|error| error.body_text())?;
        if let Some(file_name) = file_name {
            // Browsers send a file field without a file as an empty file without a name.
            if !(file_name.is_empty() && value.is_empty()) {
                files.push((name, value));
            }
        } else {
            let value = String::from_utf8(value.into());
            let value = value.map_err(|_| format!("the field {name:?} is not UTF-8"))?;
            fields.push((name, value));
        }
    }
    Ok((fields, files))
}

impl EnteredForm {
    #[cfg(test)]
    pub fn of<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            pairs: pairs.collect(),
            files: Vec::new(),
        }
    }

    /// The contents of the file in a field; may be empty.
    pub fn file(&self, name: &str) -> Option<&Bytes> {
        let mut files = self.files.iter();
        let found = files.find(|(field, _)| field == name);
        found.map(|(_, bytes)| bytes)
    }

    /// The value of a field; empty if absent.
    pub fn one(&self, name: &str) -> &str {
        let found = self.pairs.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The value of a field, unless it is empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.one(name).trim()).filter(|value| !value.is_empty())
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> Vec<String> {
        let of_field = self.pairs.iter().filter(|(field, _)| field == name);
        of_field.map(|(_, value)| value.clone()).collect()
    }

    /// All fields.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a check box is ticked.
    pub(crate) fn ticked(&self, name: &str) -> bool {
        self.pairs.iter().any(|(field, _)| field == name)
    }
}
