//! Linux without a sound server: the kernel lists the processes with open recording devices. There are no events, so the
//! list is polled every two seconds; only without a sound server, which would own all devices.

use std::{fs, path::Path};

/// Processes that record, read below `/proc`.
pub fn recording(proc: &Path) -> Vec<u32> {
    let mut owners: Vec<u32> = Vec::new();
    for card in entries(&proc.join("asound"), "card") {
        for device in entries(&card, "pcm")
            .into_iter()
            .filter(|path| is_capture(path))
        {
            for stream in entries(&device, "sub") {
                let status = fs::read_to_string(stream.join("status")).unwrap_or_default();
                owners.extend(owner(&status));
            }
        }
    }
    owners.sort_unstable();
    owners.dedup();
    owners
}

/// True if there are sound cards.
pub fn has_cards(proc: &Path) -> bool {
    !entries(&proc.join("asound"), "card").is_empty()
}

fn entries(folder: &Path, beginning: &str) -> Vec<std::path::PathBuf> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    let found = found.filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning));
    let found = found.map(|entry| entry.path()).filter(|path| path.is_dir());
    found.collect()
}

/// Names of recording devices end with `c`, such as `pcm0c`.
fn is_capture(device: &Path) -> bool {
    device
        .file_name()
        .is_some_and(|name| name.to_string_lossy().ends_with('c'))
}

fn owner(status: &str) -> Option<u32> {
    let value = |key: &str| {
        let line = status.lines().find(|line| {
            line.split(':')
                .next()
                .is_some_and(|name| name.trim() == key)
        })?;
        line.split(':').nth(1).map(str::trim)
    };
    if value("state")? != "RUNNING" {
        return None;
    }
    value("owner_pid")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_running_recordings_count() {
        let proc = tempfile::tempdir().unwrap();
        let status = |path: &str, text: &str| {
            let folder = proc.path().join("asound").join(path);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("status"), text).unwrap();
        };
        assert!(!has_cards(proc.path()));
        status(
            "card0/pcm0c/sub0",
            "state: RUNNING\nowner_pid   : 4711\ntrigger_time: 1.2\n",
        );
        status("card0/pcm0c/sub1", "closed\n");
        status("card0/pcm0p/sub0", "state: RUNNING\nowner_pid   : 12\n");
        status("card1/pcm2c/sub0", "state: PREPARED\nowner_pid   : 13\n");
        status("card1/pcm3c/sub0", "state: RUNNING\nowner_pid   : \n");
        assert_eq!(recording(proc.path()), [4711]);
        assert!(has_cards(proc.path()));
    }
}
