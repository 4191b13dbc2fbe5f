//! Protobuf of `ExportTraceServiceRequest` (opentelemetry-proto, `trace/v1/trace.proto`).

use crate::span::{Span, Value};

/// Status code of a failed span.
const STATUS_ERROR: u64 = 2;

/// A message under construction (Protocol Buffers, "Encoding").
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn variable(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    fn integer(&mut self, field: u64, number: u64) {
        self.variable(field << 3);
        self.variable(number);
    }

    fn fixed(&mut self, field: u64, number: u64) {
        self.variable(field << 3 | 1);
        self.0.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.variable(field << 3 | 2);
        self.variable(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }

    fn attribute(&mut self, field: u64, key: &str, value: &Value) {
        let (mut any, mut attribute) = (Self::default(), Self::default());
        match value {
            Value::Text(text) => any.bytes(1, text.as_bytes()),
            Value::Truth(truth) => any.integer(2, (*truth).into()),
            Value::Integer(number) => any.integer(3, number.cast_unsigned()),
        }
        attribute.bytes(1, key.as_bytes());
        attribute.message(2, &any);
        self.message(field, &attribute);
    }
}

/// The body of a request with these spans of the service.
pub(crate) fn request(service: &str, spans: &[Span]) -> Vec<u8> {
    let mut resource = Message::default();
    let version = Value::Text(env!("CARGO_PKG_VERSION").into());
    resource.attribute(1, "service.name", &Value::Text(service.into()));
    resource.attribute(1, "service.version", &version);
    let (mut scope, mut of_scope) = (Message::default(), Message::default());
    scope.bytes(1, b"offhook");
    of_scope.message(1, &scope);
    for span in spans {
        of_scope.message(2, &message(span));
    }
    let (mut of_resource, mut request) = (Message::default(), Message::default());
    of_resource.message(1, &resource);
    of_resource.message(2, &of_scope);
    request.message(1, &of_resource);
    request.0
}

fn message(span: &Span) -> Message {
    let mut message = Message::default();
    message.bytes(1, &span.trace.to_be_bytes());
    message.bytes(2, &span.id.to_be_bytes());
    if let Some(parent) = span.parent {
        message.bytes(4, &parent.to_be_bytes());
    }
    message.bytes(5, span.name.as_bytes());
    message.integer(6, span.kind as u64);
    message.fixed(7, span.start);
    message.fixed(8, span.end);
    for (key, value) in &span.attributes {
        message.attribute(9, key, value);
    }
    if let Some(error) = &span.error {
        let mut status = Message::default();
        status.bytes(2, error.as_bytes());
        status.integer(3, STATUS_ERROR);
        message.message(15, &status);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::{message, request};
    use crate::span::{Kind, Span, Value};

    /// The bytes that `protoc --encode` writes for the same message.
    #[test]
    fn a_span_is_encoded_as_the_specification_says() {
        let span = Span {
            trace: 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c,
            id: 0x00f0_67aa_0ba9_02b7,
            parent: Some(0x8448_eb21_1c80_319c),
            name: "graph.write",
            kind: Kind::Client,
            start: 1,
            end: 300,
            attributes: vec![
                ("person", Value::Text("7".into())),
                ("waited_ms", Value::Integer(300)),
                ("batch", Value::Truth(true)),
            ],
            error: Some("refused".into()),
        };
        let hex: String = message(&span)
            .0
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let expected = [
            "0a100af7651916cd43dd8448eb211c80319c120800f067aa0ba902b722088448eb211c80319c2a0b",
            "67726170682e77726974653003390100000000000000412c010000000000004a0d0a06706572736f",
            "6e12030a01374a100a097761697465645f6d73120318ac024a0b0a056261746368120210017a0b12",
            "07726566757365641802",
        ];
        assert_eq!(hex, expected.concat());
    }

    #[test]
    fn a_request_names_the_service() {
        let request = request("offhook", &[]);
        let text = String::from_utf8_lossy(&request);
        assert!(text.contains("service.name") && text.contains("offhook"));
    }
}
