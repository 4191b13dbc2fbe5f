//! Writing lists.

use std::fmt::Write as _;

use super::{Instance, InstanceState, ResourceList};
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
            for instance in &resource.instances {
                write_instance(instance, &mut out);
            }
            out.push_str("</resource>\n");
        }
        out.push_str("</list>\n");
        out
    }
}

fn write_instance(instance: &Instance, out: &mut String) {
    let state = match instance.state {
        InstanceState::Active => "active",
        InstanceState::Pending => "pending",
        InstanceState::Terminated => "terminated",
    };
    let attributes = [
        ("id", Some(&*instance.id)),
        ("state", Some(state)),
        ("reason", instance.reason.as_deref()),
        ("cid", instance.content_id.as_deref()),
    ];
    out.push_str("<instance");
    for (name, value) in attributes {
        let Some(value) = value else { continue };
        // Writing to a String cannot fail.
        let _ = write!(out, " {name}=\"");
        escape(value, out);
        out.push('"');
    }
    out.push_str("/>");
}
