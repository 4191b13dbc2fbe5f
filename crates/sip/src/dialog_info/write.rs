//! Writing dialog-info documents.

use std::fmt::Write as _;

use super::{Completeness, Dialog, DialogInfo, Direction, Participant};
use crate::xml::escape;

impl DialogInfo {
    /// The document as XML.
    pub fn to_xml(&self) -> String {
        let mut out = Xml(String::with_capacity(300 + 300 * self.dialogs.len()));
        out.0
            .push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        out.0
            .push_str("<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\"");
        let version = self.version.map(|version| version.to_string());
        out.attribute("version", version.as_deref());
        out.attribute(
            "state",
            Some(match self.completeness {
                Completeness::Full => "full",
                Completeness::Partial => "partial",
            }),
        );
        out.attribute("entity", Some(&self.entity));
        out.0.push_str(">\n");
        for dialog in &self.dialogs {
            out.dialog(dialog);
        }
        out.0.push_str("</dialog-info>\n");
        out.0
    }
}

struct Xml(String);

impl Xml {
    fn dialog(&mut self, dialog: &Dialog) {
        self.0.push_str("  <dialog");
        self.attribute("id", Some(&dialog.id));
        self.attribute("call-id", dialog.call_id.as_deref());
        self.attribute("local-tag", dialog.local_tag.as_deref());
        self.attribute("remote-tag", dialog.remote_tag.as_deref());
        self.attribute(
            "direction",
            dialog.direction.map(|d| match d {
                Direction::Initiator => "initiator",
                Direction::Recipient => "recipient",
            }),
        );
        self.0.push_str(">\n    <state>");
        self.0.push_str(dialog.state.as_str());
        self.0.push_str("</state>\n");
        self.participant("local", dialog.local.as_ref());
        self.participant("remote", dialog.remote.as_ref());
        self.0.push_str("  </dialog>\n");
    }

    fn participant(&mut self, name: &str, participant: Option<&Participant>) {
        let Some(participant) = participant else {
            return;
        };
        // Writing to a String cannot fail.
        let _ = write!(self.0, "    <{name}>");
        if participant.identity.is_some() || participant.display.is_some() {
            self.0.push_str("<identity");
            self.attribute("display", participant.display.as_deref());
            self.0.push('>');
            self.escaped(participant.identity.as_deref().unwrap_or_default());
            self.0.push_str("</identity>");
        }
        if participant.target.is_some() || participant.rendering.is_some() {
            self.0.push_str("<target");
            self.attribute("uri", participant.target.as_deref());
            match participant.rendering {
                Some(renders) => {
                    let value = if renders { "yes" } else { "no" };
                    let _ = write!(
                        self.0,
                        "><param pname=\"+sip.rendering\" pval=\"{value}\"/></target>"
                    );
                }
                None => self.0.push_str("/>"),
            }
        }
        let _ = writeln!(self.0, "</{name}>");
    }

    fn attribute(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        let _ = write!(self.0, " {name}=\"");
        self.escaped(value);
        self.0.push('"');
    }

    fn escaped(&mut self, text: &str) {
        escape(text, &mut self.0);
    }
}
