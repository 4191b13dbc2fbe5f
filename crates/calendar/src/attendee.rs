//! Detects events that the calendar's owner has declined (RFC 5545 §3.2.12, PARTSTAT).

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarParameterValue,
    ICalendarParticipationStatus, ICalendarProperty, ICalendarValue,
};

/// True if an attendee with one of the addresses has declined. The comparison ignores case.
pub(crate) fn declined(component: &ICalendarComponent, addresses: &[&str]) -> bool {
    component
        .properties(&ICalendarProperty::Attendee)
        .any(|entry| has_declined(entry) && is_one_of(entry, addresses))
}

fn has_declined(entry: &ICalendarEntry) -> bool {
    entry
        .parameters(&ICalendarParameterName::Partstat)
        .any(|value| match value {
            ICalendarParameterValue::Partstat(status) => {
                *status == ICalendarParticipationStatus::Declined
            }
            value => value
                .as_text()
                .is_some_and(|text| text.eq_ignore_ascii_case("DECLINED")),
        })
}

/// True if an attendee has one of the addresses: as the value, `mailto:anna@example.com`, or as the parameter EMAIL (RFC
/// 7986 §6.2) beside another address.
fn is_one_of(entry: &ICalendarEntry, addresses: &[&str]) -> bool {
    let value = entry.values.first().and_then(ICalendarValue::as_text);
    let by_parameter = entry.parameters(&ICalendarParameterName::Email);
    let by_parameter = by_parameter.filter_map(|value| value.as_text());
    value.into_iter().chain(by_parameter).any(|written| {
        let address = address(written);
        addresses
            .iter()
            .any(|own| own.trim().to_lowercase() == address)
    })
}

/// Address in lower case, without `mailto:`, query and percent-encoding.
fn address(written: &str) -> String {
    let written = written.trim();
    let scheme = written
        .get(..7)
        .filter(|head| head.eq_ignore_ascii_case("mailto:"));
    let Some(scheme) = scheme else {
        return written.to_lowercase();
    };
    let rest = written.get(scheme.len()..).unwrap_or_default();
    let encoded = rest.split('?').next().unwrap_or_default().trim();
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut left = encoded.as_bytes();
    while let Some((byte, rest)) = left.split_first() {
        let hex = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let code = hex.and_then(|two| u8::from_str_radix(two, 16).ok());
        match code.filter(|_| *byte == b'%') {
            Some(code) => {
                bytes.push(code);
                left = rest.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                left = rest;
            }
        }
    }
    String::from_utf8_lossy(&bytes).trim().to_lowercase()
}
