//! Writing lists.

use std::fmt::Write as _;

use super::ResourceList;
use crate::xml::escape;

impl ResourceList {
    /// The document as XML.
    pub fn to_xml(&self) -> String {
        let mut out = String::with_capacity(200 + 160 * self.resources.len());
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<list xmlns=\"urn:ietf:params:xml:ns:rlmi\" uri=\"");
        escape(&self.uri, &mut out);
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "\" version=\"{}\" fullState=\"{}\">",
            self.version, self.full
        );
        for resource in &self.resources {
            out.push_str("  <resource uri=\"");
            escape(&resource.uri, &mut out);
            out.push_str("\">");
            if let Some(name) = &resource.name {
                out.push_str("<name>");
                escape(name, &mut out);
                out.push_str("</name>");
            }
            if let Some(instance) = &resource.instance {
                out.push_str("<instance id=\"");
                escape(&instance.id, &mut out);
                out.push_str(match instance.active {
                    true => "\" state=\"active\"",
                    false => "\" state=\"terminated\" reason=\"noresource\"",
                });
                if let Some(id) = &instance.content_id {
                    out.push_str(" cid=\"");
                    escape(id, &mut out);
                    out.push('"');
                }
                out.push_str("/>");
            }
            out.push_str("</resource>\n");
        }
        out.push_str("</list>\n");
        out
    }
}
