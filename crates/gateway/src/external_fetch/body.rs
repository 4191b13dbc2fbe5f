//! The body of an answer: its encoding and its packing.

use std::io::Read;

use flate2::bufread::GzDecoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

use super::OutsideError;

/// Longest name of an encoding.
const CHARSET_MAX: usize = 40;

/// Encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
}

/// The encoding of the body. `None`: an encoding that was not requested.
pub(super) fn packing(headers: &HeaderMap) -> Option<Packing> {
    let Some(value) = headers.get(CONTENT_ENCODING) else {
        return Some(Packing::None);
    };
    match value.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Some(Packing::None),
        "gzip" | "x-gzip" => Some(Packing::Gzip),
        _ => None,
    }
}

/// The parameter `charset` of Content-Type (RFC 9110 §8.3.2).
pub(super) fn charset(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let mut parameters = value.split(';').skip(1);
    parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"').trim();
        let fits = name.trim().eq_ignore_ascii_case("charset") && value.len() <= CHARSET_MAX;
        (fits && !value.is_empty()).then(|| value.to_owned())
    })
}

/// Unpacks at most `most` bytes: a small body can unpack to a thousand times its size.
pub(super) fn unpack(
    bytes: Vec<u8>,
    packing: Packing,
    most: usize,
) -> Result<Vec<u8>, OutsideError> {
    match packing {
        Packing::None => Ok(bytes),
        Packing::Gzip => {
            let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
            let mut unpacked = Vec::new();
            let mut rest = bytes.as_slice();
            loop {
                let left = limit.saturating_sub(u64::try_from(unpacked.len()).unwrap_or(u64::MAX));
                let mut member = GzDecoder::new(rest);
                let read = (&mut member).take(left).read_to_end(&mut unpacked);
                read.map_err(|_| OutsideError::Packing)?;
                if unpacked.len() > most {
                    return Err(OutsideError::TooLarge);
                }
                rest = member.into_inner();
                // Some servers fill the last block with zeros, as tar does.
                if rest.iter().all(|byte| *byte == 0) {
                    return Ok(unpacked);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};

    use super::{OutsideError, Packing, charset, packing, unpack};

    fn headers(name: reqwest::header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn packed_bodies_are_bounded_after_unpacking() {
        let packed = |text: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        let unpacked = |bytes: &[u8]| unpack(bytes.to_vec(), Packing::Gzip, 1000);
        assert_eq!(unpacked(&packed(b"calendar")), Ok(b"calendar".to_vec()));
        assert_eq!(unpacked(&packed(&[0; 1000])), Ok(vec![0; 1000]));
        assert_eq!(unpacked(&packed(&[0; 1001])), Err(OutsideError::TooLarge));
        let bomb = packed(&vec![0; 50_000_000]);
        assert!(bomb.len() < 100_000);
        assert_eq!(unpacked(&bomb), Err(OutsideError::TooLarge));
        let short = packed(b"calendar");
        let short = &short[..short.len() - 4];
        for broken in [b"plain".as_slice(), short] {
            assert_eq!(unpacked(broken), Err(OutsideError::Packing));
        }
        let whole = packed(b"calendar");
        let filled = [&whole[..], &[0; 512]].concat();
        assert_eq!(unpacked(&filled), Ok(b"calendar".to_vec()));
        let two = [&whole[..], &whole[..], &[0]].concat();
        assert_eq!(unpacked(&two), Ok(b"calendarcalendar".to_vec()));
        let followed = [&whole[..], b"more"].concat();
        assert_eq!(unpacked(&followed), Err(OutsideError::Packing));
    }

    #[test]
    fn encoding_and_packing_are_read_from_the_headers() {
        for (value, expected) in [
            ("gzip", Some(Packing::Gzip)),
            ("X-GZIP", Some(Packing::Gzip)),
            ("identity", Some(Packing::None)),
            ("br", None),
            ("gzip, br", None),
        ] {
            let headers = headers(CONTENT_ENCODING, value);
            assert_eq!(packing(&headers), expected, "{value}");
        }
        assert_eq!(packing(&HeaderMap::new()), Some(Packing::None));
        for (value, expected) in [
            ("text/calendar; charset=ISO-8859-1", Some("ISO-8859-1")),
            (
                "text/calendar;method=PUBLISH;CharSet=\"utf-8\"",
                Some("utf-8"),
            ),
            ("text/calendar; charset=", None),
            ("text/calendar", None),
        ] {
            let headers = headers(CONTENT_TYPE, value);
            assert_eq!(charset(&headers).as_deref(), expected, "{value}");
        }
    }
}
