//! Writing presence documents.

use super::PresenceInfo;
use crate::xml::escape;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" \
    xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"";

impl PresenceInfo {
    /// The document as XML.
    pub fn to_xml(&self) -> String {
        let mut out = String::with_capacity(640);
        out.push_str(HEAD);
        escape(&self.entity, &mut out);
        out.push_str("\">\n  <tuple id=\"offhook\"><status><basic>");
        out.push_str(if self.open { "open" } else { "closed" });
        out.push_str("</basic></status><contact>");
        escape(&self.entity, &mut out);
        out.push_str("</contact>");
        self.note("note", &mut out);
        out.push_str("</tuple>\n  <dm:person id=\"person\"><rpid:activities>");
        for activity in &self.activities {
            out.push_str("<rpid:");
            out.push_str(activity.name());
            out.push_str("/>");
        }
        out.push_str("</rpid:activities>");
        self.note("dm:note", &mut out);
        out.push_str("</dm:person>\n</presence>\n");
        out
    }

    fn note(&self, element: &str, out: &mut String) {
        let Some(note) = &self.note else { return };
        for (open, text) in [("<", None), ("</", Some(note))] {
            if let Some(text) = text {
                escape(text, out);
            }
            out.push_str(open);
            out.push_str(element);
            out.push('>');
        }
    }
}
