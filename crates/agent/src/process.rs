//! Names of a process: that of its executable file, as the kernel reports it, and never one that the process claims. A
//! helper of a larger program has the names of that program too.

#[cfg(target_os = "linux")]
use std::fs;
use std::path::{Path, PathBuf};

use agent_protocol::same_program;

/// Helper processes that other programs use, such as web views: the program is the process that started them.
const HELPERS: [&str; 4] = [
    "msedgewebview2",
    "QtWebEngineProcess",
    "WebKitWebProcess",
    "plugin-container",
];
/// Maximum number of ancestors to follow.
const DEPTH_MAX: usize = 16;

/// Processes of the system.
pub trait Processes {
    /// Executable file of a process.
    fn executable(&self, pid: u32) -> Option<PathBuf>;
    /// Parent of a process.
    fn parent(&self, pid: u32) -> Option<u32>;
}

/// Names of a process, its own first, then those of its parents: as long as they are installed in the same folder, or the
/// process is a helper that other programs use.
pub fn names(processes: &impl Processes, pid: u32) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut at = pid;
    let Some(mut executable) = processes.executable(at) else {
        return names;
    };
    for _ in 0..DEPTH_MAX {
        let name = file_name(&executable);
        let is_helper = HELPERS.iter().any(|helper| same_program(helper, &name));
        for name in [Some(name), bundle(&executable)].into_iter().flatten() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let Some(parent) = processes
            .parent(at)
            .filter(|parent| *parent > 1 && *parent != at)
        else {
            break;
        };
        let Some(other) = processes.executable(parent) else {
            break;
        };
        let is_near = other.parent() == executable.parent() && !is_shared(&other);
        if !is_helper && !is_near && other != executable {
            break;
        }
        (at, executable) = (parent, other);
    }
    names
}

/// On macOS the helpers of a program are bundles inside of its own bundle: the program is the outermost one.
fn bundle(executable: &Path) -> Option<String> {
    let mut folders = executable.parent()?.iter();
    folders.find_map(|folder| Some(folder.to_string_lossy().strip_suffix(".app")?.to_owned()))
}

/// True for folders with files of unrelated programs.
fn is_shared(executable: &Path) -> bool {
    let folder = executable.parent().and_then(|folder| folder.file_name());
    folder.is_none_or(|folder| {
        ["bin", "sbin", "System32"]
            .iter()
            .any(|shared| folder == *shared)
    })
}

fn file_name(executable: &Path) -> String {
    let name = executable.file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    // Linux appends this to the file of a program that was updated while it runs.
    name.strip_suffix(" (deleted)").unwrap_or(&name).to_owned()
}

/// Processes of Linux.
#[cfg(target_os = "linux")]
#[derive(Clone, Debug)]
pub struct Proc(pub PathBuf);

#[cfg(target_os = "linux")]
impl Default for Proc {
    fn default() -> Self {
        Self("/proc".into())
    }
}

#[cfg(target_os = "linux")]
impl Proc {
    /// Name of a process (proc(5), `comm`), cut at 15 bytes.
    pub fn comm(&self, pid: u32) -> Option<String> {
        let comm = fs::read(self.0.join(pid.to_string()).join("comm")).ok()?;
        let comm = comm.strip_suffix(b"\n").unwrap_or(&comm);
        Some(String::from_utf8_lossy(comm).into_owned())
    }

    /// Number of a process in its own PID namespace (proc(5), `NSpid`); `None` without such a namespace. Readable for
    /// processes of other users too, in contrast to `ns/pid`.
    pub fn inner_number(&self, pid: u32) -> Option<u32> {
        let status = fs::read(self.0.join(pid.to_string()).join("status")).ok()?;
        let status = String::from_utf8_lossy(&status);
        let numbers = status
            .lines()
            .find_map(|line| line.strip_prefix("NSpid:"))?;
        let inner = numbers.split_whitespace().skip(1).last()?;
        inner.parse().ok()
    }

    /// Processes with this number in their own PID namespace.
    pub fn with_inner_number(&self, number: u32) -> Vec<u32> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| self.inner_number(*pid) == Some(number))
            .collect()
    }
}

#[cfg(target_os = "linux")]
impl Processes for Proc {
    fn executable(&self, pid: u32) -> Option<PathBuf> {
        fs::read_link(self.0.join(pid.to_string()).join("exe")).ok()
    }

    fn parent(&self, pid: u32) -> Option<u32> {
        // The name may contain any bytes, also brackets and spaces: the fields follow the last bracket.
        let stat = fs::read(self.0.join(pid.to_string()).join("stat")).ok()?;
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = String::from_utf8_lossy(stat.get(end + 1..)?);
        rest.split_whitespace().nth(1)?.parse().ok()
    }
}

/// Processes of macOS.
#[cfg(target_os = "macos")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Mac;

#[cfg(target_os = "macos")]
impl Processes for Mac {
    fn executable(&self, pid: u32) -> Option<PathBuf> {
        agent_macos::processes::executable(pid)
    }

    fn parent(&self, pid: u32) -> Option<u32> {
        agent_macos::processes::parent(pid)
    }
}

/// Snapshot of the processes of Windows.
#[cfg(windows)]
#[derive(Clone, Debug)]
pub struct ToolHelp {
    parents: std::collections::HashMap<u32, u32>,
}

#[cfg(windows)]
impl ToolHelp {
    /// Takes a snapshot.
    pub fn now() -> Self {
        Self {
            parents: agent_windows::processes::parents().into_iter().collect(),
        }
    }

    /// A process of the program in an entry of the consent store.
    pub fn running(&self, entry: &agent_windows::ConsentEntry) -> Option<u32> {
        let runs = |pid: &&u32| {
            let of = match entry.is_packaged {
                true => agent_windows::processes::package_family(**pid),
                false => self
                    .executable(**pid)
                    .map(|file| file.to_string_lossy().into_owned()),
            };
            of.is_some_and(|of| of.eq_ignore_ascii_case(&entry.name))
        };
        self.parents.keys().find(runs).copied()
    }
}

#[cfg(windows)]
impl Processes for ToolHelp {
    fn executable(&self, pid: u32) -> Option<PathBuf> {
        agent_windows::processes::executable(pid)
    }

    fn parent(&self, pid: u32) -> Option<u32> {
        self.parents.get(&pid).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    struct Made(HashMap<u32, (u32, &'static str)>);

    impl Processes for Made {
        fn executable(&self, pid: u32) -> Option<PathBuf> {
            Some(PathBuf::from(self.0.get(&pid)?.1))
        }

        fn parent(&self, pid: u32) -> Option<u32> {
            Some(self.0.get(&pid)?.0)
        }
    }

    fn names_of(processes: &[(u32, u32, &'static str)], pid: u32) -> Vec<String> {
        let made = processes
            .iter()
            .map(|(pid, parent, file)| (*pid, (*parent, *file)));
        names(&Made(made.collect()), pid)
    }

    #[test]
    fn a_helper_of_the_same_program_is_the_program() {
        let chrome = "/opt/google/chrome/chrome";
        let tree = [(9, 1, "/usr/bin/bash"), (10, 9, chrome), (11, 10, chrome)];
        assert_eq!(names_of(&tree, 11), ["chrome"]);
        let tree = [
            (9, 1, "/usr/bin/gnome-shell"),
            (10, 9, "/opt/zoom/zoom"),
            (11, 10, "/opt/zoom/aomhost"),
        ];
        assert_eq!(names_of(&tree, 11), ["aomhost", "zoom"]);
    }

    #[test]
    fn a_web_view_belongs_to_the_program_that_started_it() {
        let tree = [
            (8, 2, "/x/explorer.exe"),
            (9, 8, "/apps/MSTeams/ms-teams.exe"),
            (10, 9, "/edge/msedgewebview2.exe"),
            (11, 10, "/edge/msedgewebview2.exe"),
        ];
        assert_eq!(names_of(&tree, 11), ["msedgewebview2.exe", "ms-teams.exe"]);
    }

    #[test]
    fn a_helper_inside_a_bundle_is_the_bundle() {
        let helper = "/Applications/Google Chrome.app/Contents/Frameworks/Google Chrome Helper.app/Contents/MacOS/Google Chrome Helper";
        let tree = [
            (11, 1, helper),
            (12, 1, "/Applications/zoom.us.app/Contents/MacOS/zoom.us"),
        ];
        assert_eq!(
            names_of(&tree, 11),
            ["Google Chrome Helper", "Google Chrome"]
        );
        assert_eq!(names_of(&tree, 12), ["zoom.us"]);
    }

    #[test]
    fn a_launcher_is_not_the_program() {
        let tree = [
            (9, 1, "/usr/lib/slack/slack"),
            (10, 9, "/usr/lib/firefox/firefox"),
            (12, 1, "/usr/bin/zoom"),
            (13, 12, "/usr/bin/pacat"),
        ];
        assert_eq!(names_of(&tree, 10), ["firefox"]);
        assert_eq!(
            names_of(&tree, 13),
            ["pacat"],
            "a shared folder proves nothing"
        );
        assert!(names_of(&tree, 99).is_empty());
    }

    #[test]
    fn a_circle_ends() {
        let tree = [(10, 11, "/a/a"), (11, 10, "/a/b")];
        assert!(names_of(&tree, 10).len() <= DEPTH_MAX);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_found_on_linux() {
        let here = Proc::default();
        let mine = std::process::id();
        let executable = std::env::current_exe().unwrap();
        assert_eq!(here.executable(mine).unwrap(), executable);
        assert_eq!(here.parent(mine), Some(std::os::unix::process::parent_id()));
        let expected = executable.file_name().unwrap().to_str().unwrap();
        assert_eq!(names(&here, mine)[0], expected);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_of_any_bytes_does_not_hide_the_parent() {
        let folder = tempfile::tempdir().unwrap();
        let of = |pid: &str, stat: &[u8]| {
            fs::create_dir(folder.path().join(pid)).unwrap();
            fs::write(folder.path().join(pid).join("stat"), stat).unwrap();
        };
        of("7", b"7 (a) b) \xff(c) S 42 7 7 0");
        of("8", b"nonsense");
        let made = Proc(folder.path().into());
        assert_eq!(made.parent(7), Some(42));
        assert_eq!(made.parent(8), None);
        assert_eq!(made.parent(9), None);
    }
}
