//! Style sheets and scripts of the pages, embedded in the binary.
//!
//! Pages load them from a folder that is named by the content of all of them (`folder`): a browser asks for each once
//! and keeps it for a year, and after an update it asks for new addresses. Scripts import each other by relative addresses
//! (`./words.js`), so that they stay in one folder. The addresses without the name of the folder stay for what others
//! remember, such as the icon and the manifest of an installed page; there browsers ask whether the file has changed.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use runtime::secrets;

/// An embedded file.
struct Asset {
    name: &'static str,
    body: &'static [u8],
}

/// Embeds files of the folder `assets`.
macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(Asset { name: $name, body: include_bytes!(concat!("../assets/", $name)) }),*]
    };
}

const ASSETS: &[Asset] = embed![
    "app.css",
    "app.webmanifest",
    "bell.js",
    "board-filter.js",
    "board-rows.js",
    "board.css",
    "board.js",
    "card.js",
    "demo.css",
    "demo.js",
    "icon-192.png",
    "icon-512.png",
    "icon-apple-180.png",
    "icon-maskable-512.png",
    "icon.svg",
    "own-status.css",
    "own-status.js",
    "page.css",
    "page.js",
    "panel.css",
    "person.js",
    "search.js",
    "status-line.js",
    "stream-worker.js",
    "stream.js",
    "time.js",
    "words.js",
    "zone.js",
];

/// Content types by the end of the name.
const KINDS: &[(&str, &str)] = &[
    (".css", "text/css; charset=utf-8"),
    (".js", "text/javascript; charset=utf-8"),
    (".png", "image/png"),
    (".svg", "image/svg+xml"),
    (".webmanifest", "application/manifest+json"),
];

/// Name of the folder: a hash of all files.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut all = Vec::new();
    for asset in ASSETS {
        all.extend_from_slice(asset.name.as_bytes());
        all.extend_from_slice(&asset.body.len().to_be_bytes());
        all.extend_from_slice(asset.body);
    }
    secrets::fingerprint(&all, 8)
});

/// The address of the folder from which pages load their files.
pub(crate) fn folder() -> String {
    format!("/assets/{}", *VERSION)
}

/// `GET /assets/{version}/{name}`: an embedded file that never changes under this address.
pub async fn serve_version(
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match find(&name) {
        Some(asset) if version == *VERSION => {
            let kept = "public, max-age=31536000, immutable";
            ([(header::CACHE_CONTROL, kept)], body(asset)).into_response()
        }
        // A page from before an update gets the present file, which nearly always fits, rather than none.
        _ => serve(Path(name), headers).await,
    }
}

/// `GET /assets/{name}`: an embedded file. Browsers ask each time whether it has changed.
pub async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = find(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}\"", secrets::fingerprint(asset.body, 8));
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    // A tag that a compressed answer or a proxy made weak names the same file.
    let is_known = known
        .filter_map(|known| known.to_str().ok())
        .any(|known| known.contains(&tag));
    let headers = [
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::ETAG, tag),
    ];
    if is_known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, body(asset)).into_response()
    }
}

fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The file with its content type.
fn body(asset: &'static Asset) -> impl IntoResponse {
    let kind = KINDS.iter().find(|(end, _)| asset.name.ends_with(end));
    let kind = kind.map_or("application/octet-stream", |(_, kind)| *kind);
    ([(header::CONTENT_TYPE, kind)], asset.body)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{ASSETS, KINDS, find, folder};

    fn files(folder: &str, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            match fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)) {
                Ok(text) => found.push((path, text)),
                // A picture or a folder.
                Err(_) if name.contains('.') => found.push((path, String::new())),
                Err(_) => files(&path, found),
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_embedded_with_its_kind() {
        let mut found = Vec::new();
        files("assets", &mut found);
        let mut found: Vec<&str> = found
            .iter()
            .map(|(path, _)| path.trim_start_matches("assets/"))
            .collect();
        found.sort_unstable();
        let mut embedded: Vec<&str> = ASSETS.iter().map(|asset| asset.name).collect();
        embedded.sort_unstable();
        assert_eq!(embedded, found);
        for name in embedded {
            assert!(KINDS.iter().any(|(end, _)| name.ends_with(end)), "{name}");
        }
    }

    #[test]
    fn pages_and_scripts_name_files_of_their_version_only() {
        assert_eq!(folder().len(), "/assets/".len() + 16);
        let mut found = Vec::new();
        files("templates", &mut found);
        files("assets", &mut found);
        for (path, text) in found {
            if path.ends_with(".webmanifest") {
                // Names its icons by addresses that stay: installed pages remember them.
                continue;
            }
            let fixed: Vec<&str> = text
                .lines()
                .filter(|line| line.contains("/assets/"))
                .collect();
            assert!(
                fixed.is_empty(),
                "{path}: write {{{{ layout.assets() }}}}/name, or ./name in a script: {fixed:#?}"
            );
        }
    }

    #[test]
    fn the_manifest_names_icons_of_their_sizes() {
        let manifest = find("app.webmanifest").unwrap().body;
        let manifest: serde_json::Value = serde_json::from_slice(manifest).unwrap();
        let icons = manifest["icons"].as_array().unwrap();
        assert!(icons.iter().any(|icon| icon["purpose"] == "maskable"));
        for icon in icons {
            let name = icon["src"].as_str().unwrap();
            let asset = find(name.strip_prefix("/assets/").unwrap()).unwrap();
            if icon["type"] == "image/png" {
                // Width and height stand at byte 16 of a PNG file, with the most significant byte first.
                let side = |at| u32::from_be_bytes(asset.body[at..at + 4].try_into().unwrap());
                assert_eq!(icon["sizes"], format!("{}x{}", side(16), side(20)));
            }
        }
    }
}
