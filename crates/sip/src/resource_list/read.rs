//! Reading lists.

use quick_xml::events::BytesStart;

use super::{DOCUMENT_BYTES_MAX, Instance, ListError, ListedResource, RESOURCES_MAX, ResourceList};
use crate::xml::{self, Fault};

/// Longest name: it is shown on a telephone.
const NAME_BYTES_MAX: usize = 256;

impl ResourceList {
    /// Reads a document.
    ///
    /// # Errors
    /// [`ListError`] names what is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, ListError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(ListError::TooLong(bytes.len()));
        }
        let mut parser = Parser::default();
        xml::walk(bytes, &mut parser)?;
        match (parser.depth, parser.list) {
            (0, Some(list)) => Ok(list),
            (0, None) => Err(ListError::Root(String::new())),
            _ => Err(ListError::Xml("it ends in the middle".into())),
        }
    }
}

#[derive(Default)]
struct Parser {
    depth: usize,
    /// The name of the resource is being read.
    in_name: bool,
    list: Option<ResourceList>,
}

impl xml::Parser for Parser {
    type Error = ListError;

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), ListError> {
        let name = start.local_name();
        let name: &str = name.as_ref();
        self.in_name = false;
        match (self.depth, &mut self.list) {
            (0, None) if name == "list" => {
                self.list = Some(ResourceList {
                    uri: xml::attribute(start, "uri").unwrap_or_default(),
                    version: xml::attribute(start, "version")
                        .and_then(|version| version.trim().parse().ok())
                        .unwrap_or(0),
                    full: xml::attribute(start, "fullState")
                        .is_some_and(|full| matches!(full.trim(), "true" | "1")),
                    resources: Vec::new(),
                });
            }
            (0, _) => return Err(ListError::Root(name.chars().take(60).collect())),
            (1, Some(list)) if name == "resource" => {
                if list.resources.len() == RESOURCES_MAX {
                    return Err(ListError::TooMany);
                }
                list.resources.push(ListedResource {
                    uri: xml::attribute(start, "uri").unwrap_or_default(),
                    ..ListedResource::default()
                });
            }
            (2, Some(list)) => {
                let resource = list.resources.last_mut();
                if let Some(resource) = resource.filter(|_| name == "instance") {
                    let state = xml::attribute(start, "state").unwrap_or_default();
                    // Of several the last one: a virtual subscription that was made anew.
                    resource.instance = Some(Instance {
                        id: xml::attribute(start, "id").unwrap_or_default(),
                        active: !state.trim().eq_ignore_ascii_case("terminated"),
                        content_id: xml::attribute(start, "cid"),
                    });
                }
                self.in_name = name == "name";
            }
            _ => {}
        }
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), ListError> {
        self.depth = self.depth.saturating_sub(1);
        self.in_name = false;
        Ok(())
    }

    fn text(&mut self, part: &str) -> Result<(), ListError> {
        let list = self.list.as_mut().filter(|_| self.in_name);
        if let Some(resource) = list.and_then(|list| list.resources.last_mut()) {
            let name = resource.name.get_or_insert_default();
            if name.len() + part.len() <= NAME_BYTES_MAX {
                name.push_str(part);
            }
        }
        Ok(())
    }
}

impl From<Fault> for ListError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Xml(what) => Self::Xml(what),
            Fault::Doctype => Self::Doctype,
        }
    }
}
