//! Reading lists.

use super::{
    DOCUMENT_BYTES_MAX, INSTANCES_MAX, Instance, InstanceState, ListError, ListedResource,
    NAMESPACE, RESOURCES_MAX, ResourceList,
};
use crate::{
    remark::{Remark, excerpt},
    xml::{self, Element, Fault, Space},
};

/// Longest name in bytes, for the display of a phone.
const NAME_BYTES_MAX: usize = 256;

impl ResourceList {
    /// Reads a document: everything readable counts. A document that is cut off is not full.
    ///
    /// # Errors
    /// [`ListError`]: the bytes are no resource list, or a hostile one.
    pub fn parse(bytes: &[u8]) -> Result<Self, ListError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(ListError::TooLong(bytes.len()));
        }
        let mut parser = Parser::default();
        xml::walk(bytes, &mut parser)?;
        match parser.has_root {
            true => Ok(parser.list),
            false => Err(ListError::Root(String::new())),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Resource,
    Instance,
    Name,
    Other,
}

#[derive(Default)]
struct Parser {
    path: Vec<Kind>,
    has_root: bool,
    list: ResourceList,
}

impl xml::Parser for Parser {
    type Error = ListError;

    fn open(&mut self, element: &Element<'_>) -> Result<(), ListError> {
        use Kind::{Instance as N, List, Resource};
        if self.path.is_empty() {
            self.root(element)?;
        }
        let mut kind = self.kind(element);
        if let ([List], Resource) = (&self.path[..], kind) {
            if self.list.resources.len() == RESOURCES_MAX {
                self.list.full = false;
                self.remark(Remark::TooMany {
                    what: "resources",
                    kept: RESOURCES_MAX,
                });
                kind = Kind::Other;
            } else {
                self.list.resources.push(ListedResource {
                    uri: element.attribute("uri").unwrap_or_default(),
                    ..ListedResource::default()
                });
            }
        } else if let ([List, Resource], N) = (&self.path[..], kind) {
            self.instance(element);
        }
        self.path.push(kind);
        Ok(())
    }

    fn close(&mut self) {
        self.path.pop();
    }

    fn text(&mut self, part: &str) {
        if !matches!(self.path[..], [Kind::List, Kind::Resource, Kind::Name]) {
            return;
        }
        if let Some(resource) = self.list.resources.last_mut() {
            let name = resource.name.get_or_insert_default();
            if name.len() + part.len() <= NAME_BYTES_MAX {
                name.push_str(part);
            }
        }
    }

    fn cut(&mut self) {
        self.list.full = false;
    }

    fn remark(&mut self, remark: Remark) {
        self.list.remarks.push(remark);
    }
}

impl Parser {
    fn root(&mut self, element: &Element<'_>) -> Result<(), ListError> {
        if !element.name.eq_ignore_ascii_case("list") {
            return Err(ListError::Root(excerpt(element.name)));
        }
        match element.space {
            Space::Bound(space) if !space.eq_ignore_ascii_case(NAMESPACE) => {
                return Err(ListError::Namespace(excerpt(space)));
            }
            Space::Bound(_) | Space::None | Space::Undeclared(_) => {}
        }
        self.has_root = true;
        self.list.uri = element.attribute("uri").unwrap_or_default();
        let version = element.attribute("version");
        self.list.version = version
            .and_then(|version| version.trim().parse().ok())
            .unwrap_or(0);
        let full = element.attribute("fullState").unwrap_or_default();
        self.list.full = full.trim().eq_ignore_ascii_case("true") || full.trim() == "1";
        Ok(())
    }

    /// The kind of an element: by its namespace, or by its name alone if it has none.
    fn kind(&mut self, element: &Element<'_>) -> Kind {
        let is = |name: &str| element.name.eq_ignore_ascii_case(name);
        let kind = if is("list") {
            Kind::List
        } else if is("resource") {
            Kind::Resource
        } else if is("instance") {
            Kind::Instance
        } else if is("name") {
            Kind::Name
        } else {
            Kind::Other
        };
        match element.space {
            Space::None => kind,
            Space::Bound(space) if space.eq_ignore_ascii_case(NAMESPACE) => kind,
            Space::Bound(space) => {
                let namespace = excerpt(space);
                let element = match kind {
                    Kind::Resource => "resource",
                    Kind::Instance => "instance",
                    Kind::List | Kind::Name | Kind::Other => return Kind::Other,
                };
                self.remark(Remark::Foreign { element, namespace });
                Kind::Other
            }
            Space::Undeclared(prefix) => {
                if kind != Kind::Other {
                    self.remark(Remark::Undeclared(excerpt(prefix)));
                }
                kind
            }
        }
    }

    fn instance(&mut self, element: &Element<'_>) {
        let state = element.attribute("state").unwrap_or_default();
        let is = |word: &str| state.trim().eq_ignore_ascii_case(word);
        let instance = Instance {
            id: element.attribute("id").unwrap_or_default(),
            state: if is("terminated") {
                InstanceState::Terminated
            } else if is("pending") {
                InstanceState::Pending
            } else {
                InstanceState::Active
            },
            reason: element.attribute("reason"),
            content_id: element.attribute("cid"),
        };
        let Some(resource) = self.list.resources.last_mut() else {
            return;
        };
        if resource.instances.len() < INSTANCES_MAX {
            resource.instances.push(instance);
        } else {
            self.remark(Remark::TooMany {
                what: "instances of a resource",
                kept: INSTANCES_MAX,
            });
        }
    }

    fn remark(&mut self, remark: Remark) {
        xml::Parser::remark(self, remark);
    }
}

impl From<Fault> for ListError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Xml(what) => Self::Xml(what),
            Fault::Doctype => Self::Doctype,
            Fault::TooDeep => Self::Xml("elements are nested too deep".into()),
        }
    }
}
