//! Linux: identifies the program behind a recording by the stream's properties. The executable file that the kernel reports
//! counts most. A process id in the properties is a claim of the program, and a program inside of a Flatpak or a container
//! claims its id in its own namespace, which is the id of another process here. Such an id counts only if nothing
//! contradicts it; else the names in the properties count.

use std::{ffi::CStr, fs, path::Path};

use super::Capture;
use crate::process::{self, Proc};

/// Programs that pass on streams of others: PipeWire names its own id for clients of PulseAudio's protocol.
const SOUND_SERVERS: [&str; 4] = ["pipewire", "pipewire-pulse", "pulseaudio", "wireplumber"];
/// Length at which Linux cuts the name of a process (`TASK_COMM_LEN`, proc(5)).
const COMM_MAX: usize = 15;

/// Identity of this computer, as sound clients claim theirs.
#[derive(Clone, Debug, Default)]
pub(super) struct Host {
    /// Host name, if known.
    pub(super) name: Option<String>,
    /// Machine id (machine-id(5)), if any.
    pub(super) machine: Option<String>,
}

impl Host {
    /// Reads the identity of this computer.
    pub(super) fn here() -> Self {
        let read = |path: &str| {
            let text = fs::read_to_string(path).ok()?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        Self {
            name: read("/proc/sys/kernel/hostname"),
            machine: read("/etc/machine-id").or_else(|| read("/var/lib/dbus/machine-id")),
        }
    }
}

/// Properties of a recording stream and its client; `None` for missing ones.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamProperties {
    /// `application.process.id`, claimed by the program.
    pid: Option<u32>,
    /// `pipewire.sec.pid`, reported by the kernel for clients of PipeWire's own protocol.
    kernel_pid: Option<u32>,
    /// `application.process.binary`.
    binary: Option<String>,
    /// `application.process.host`.
    host: Option<String>,
    /// `application.process.machine_id`.
    machine: Option<String>,
    /// `pipewire.access.portal.app_id`: the Flatpak or Snap, determined by PipeWire.
    sandbox: Option<String>,
    /// `application.id`.
    application: Option<String>,
    /// `application.name`.
    name: Option<String>,
}

impl StreamProperties {
    /// Reads the properties.
    pub(super) fn new(property: impl Fn(&CStr) -> Option<String>) -> Self {
        let text = |key: &CStr| property(key).filter(|text| !text.trim().is_empty());
        let number = |key: &CStr| text(key)?.trim().parse().ok().filter(|pid| *pid > 0);
        // For a client of PipeWire's PulseAudio server, the kernel reports the id of that server.
        let is_passed_on = text(c"pulse.server.type").is_some();
        Self {
            pid: number(c"application.process.id"),
            kernel_pid: number(c"pipewire.sec.pid").filter(|_| !is_passed_on),
            binary: text(c"application.process.binary"),
            host: text(c"application.process.host"),
            machine: text(c"application.process.machine_id"),
            sandbox: text(c"pipewire.access.portal.app_id"),
            application: text(c"application.id"),
            name: text(c"application.name"),
        }
    }

    /// Identifies the program.
    pub(super) fn capture(&self, processes: &Proc, here: &Host) -> Capture {
        let mut claimed = self.pid.filter(|_| self.is_of_here(here));
        if let Some(pid) = self.kernel_pid {
            let mut names = process::names(processes, pid);
            let is_server = |own: &String| SOUND_SERVERS.iter().any(|server| own == server);
            match names.first() {
                Some(own) if is_server(own) => {}
                Some(_) => {
                    add(&mut names, id_names(self.sandbox.as_deref()));
                    return Capture { pid, names };
                }
                // The process belongs to another user: the claimed id counts only if it is the same.
                None => claimed = claimed.filter(|claimed| *claimed == pid),
            }
        }
        if let Some(pid) = claimed.filter(|pid| processes.inner_number(*pid).is_none()) {
            let names = process::names(processes, pid);
            if self.is_confirmed(processes, pid, names.first()) {
                return Capture { pid, names };
            }
        }
        if let Some(pid) = self.in_namespace(processes) {
            let mut names = process::names(processes, pid);
            add(&mut names, id_names(self.sandbox.as_deref()));
            return Capture { pid, names };
        }
        let mut names = Vec::new();
        add(&mut names, id_names(self.sandbox.as_deref()));
        add(&mut names, self.binary_name());
        add(&mut names, id_names(self.application.as_deref()));
        add(&mut names, self.name.clone());
        Capture { pid: 0, names }
    }

    /// True if the program runs on this computer and in no known sandbox.
    fn is_of_here(&self, here: &Host) -> bool {
        let is_other = |claimed: &Option<String>, own: &Option<String>| match (claimed, own) {
            (Some(claimed), Some(own)) => claimed.trim() != own,
            (Some(_) | None, Some(_) | None) => false,
        };
        self.sandbox.is_none()
            && !is_other(&self.host, &here.name)
            && !is_other(&self.machine, &here.machine)
    }

    /// True if the file or the name of a process matches the name that the program claims.
    fn is_confirmed(&self, processes: &Proc, pid: u32, own: Option<&String>) -> bool {
        match (own, self.binary_name()) {
            (Some(_), None) => true,
            (Some(own), Some(claimed)) => *own == claimed || has_comm(processes, pid, &claimed),
            (None, Some(_) | None) => false,
        }
    }

    /// The only process with the claimed id and name in a namespace of its own; `None` for several.
    fn in_namespace(&self, processes: &Proc) -> Option<u32> {
        let claimed = self.binary_name()?;
        let mut found = processes.with_inner_number(self.pid?);
        found.retain(|pid| process::names(processes, *pid).first() == Some(&claimed));
        match found.as_slice() {
            [pid] => Some(*pid),
            _ => None,
        }
    }

    fn binary_name(&self) -> Option<String> {
        self.binary.as_deref().map(file_name)
    }
}

fn has_comm(processes: &Proc, pid: u32, claimed: &str) -> bool {
    let comm = processes.comm(pid);
    comm.is_some_and(|comm| {
        comm == claimed || (comm.len() >= COMM_MAX && claimed.starts_with(comm.as_str()))
    })
}

/// Base name of an executable file; libpulse appends " (deleted)" if the file was replaced.
fn file_name(claimed: &str) -> String {
    let name = Path::new(claimed).file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    name.strip_suffix(" (deleted)").unwrap_or(&name).to_owned()
}

/// Names of a program by its id, such as `us.zoom.Zoom`: the whole id and its last part.
fn id_names(id: Option<&str>) -> impl Iterator<Item = String> + '_ {
    let last = id.and_then(|id| id.rsplit('.').next());
    id.into_iter().chain(last).map(str::to_owned)
}

fn add(names: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    for name in more {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, os::unix::fs::symlink};

    use super::*;

    /// A `/proc` with Slack as process 12 and Zoom as process 4711, which is process 12 in its own namespace.
    fn processes() -> (tempfile::TempDir, Proc) {
        let folder = tempfile::tempdir().unwrap();
        for (pid, executable, comm, numbers) in [
            ("12", "/usr/lib/slack/slack", "slack", "12"),
            ("13", "/usr/bin/pipewire", "pipewire-pulse", "13"),
            ("4711", "/app/bin/zoom", "zoom", "4711\t12"),
            ("77", "/opt/x/AVeryLongProgramName", "AVeryLongProgra", "77"),
        ] {
            let process = folder.path().join(pid);
            fs::create_dir(&process).unwrap();
            symlink(executable, process.join("exe")).unwrap();
            fs::write(process.join("comm"), format!("{comm}\n")).unwrap();
            let status = format!("Name:\t{comm}\nNSpid:\t{numbers}\nNSpgid:\t1\n");
            fs::write(process.join("status"), status).unwrap();
        }
        let processes = Proc(folder.path().into());
        (folder, processes)
    }

    fn capture(properties: &[(&str, &str)]) -> (u32, Vec<String>) {
        let (_folder, processes) = processes();
        let here = Host {
            name: Some("desk".into()),
            machine: Some("aaaa".into()),
        };
        let properties: BTreeMap<&str, &str> = properties.iter().copied().collect();
        let claimed =
            StreamProperties::new(|key| Some((*properties.get(key.to_str().unwrap())?).to_owned()));
        let capture = claimed.capture(&processes, &here);
        (capture.pid, capture.names)
    }

    const PID: &str = "application.process.id";
    const BINARY: &str = "application.process.binary";
    const KERNEL: &str = "pipewire.sec.pid";
    const SANDBOX: &str = "pipewire.access.portal.app_id";

    #[test]
    fn a_number_that_nothing_contradicts_is_the_process() {
        let slack = (12, vec!["slack".to_owned()]);
        assert_eq!(capture(&[(PID, "12")]), slack);
        assert_eq!(capture(&[(PID, "12"), (BINARY, "slack")]), slack);
        let here = [
            ("application.process.host", "desk"),
            ("application.process.machine_id", "aaaa"),
        ];
        assert_eq!(capture(&[(PID, "12"), here[0], here[1]]), slack);
        let long = capture(&[(PID, "77"), (BINARY, "AVeryLongProgramName")]);
        assert_eq!(long.0, 77);
        // The file has another name, but the process has this one.
        assert_eq!(capture(&[(PID, "13"), (BINARY, "pipewire-pulse")]).0, 13);
    }

    #[test]
    fn a_number_of_another_namespace_is_not_the_process_of_that_number_here() {
        let zoom = [(PID, "12"), (BINARY, "zoom")];
        assert_eq!(capture(&zoom), (4711, vec!["zoom".to_owned()]));
        // A namespace that is not visible, such as one of another computer.
        assert_eq!(
            capture(&[(PID, "12"), (BINARY, "meet")]),
            (0, vec!["meet".to_owned()])
        );
        // PulseAudio does not detect the sandbox, PipeWire does.
        let (pid, names) = capture(&[zoom[0], zoom[1], (SANDBOX, "us.zoom.Zoom")]);
        assert_eq!(
            (pid, &*names),
            (
                4711,
                &["zoom".to_owned(), "us.zoom.Zoom".into(), "Zoom".into()][..]
            )
        );
        // A helper with a name of its own in a sandbox.
        let helper = [(PID, "12"), (BINARY, "slack"), (SANDBOX, "us.zoom.Zoom")];
        assert_eq!(
            capture(&helper),
            (
                0,
                vec!["us.zoom.Zoom".into(), "Zoom".into(), "slack".into()]
            )
        );
        // The id belongs to a process with another id in its own namespace, which cannot have claimed this one.
        assert_eq!(capture(&[(PID, "4711"), (BINARY, "zoom")]).0, 0);
        assert_eq!(capture(&[(PID, "4711")]), (0, vec![]));
    }

    #[test]
    fn the_kernels_number_counts_in_every_namespace() {
        let zoom = [(KERNEL, "4711"), (PID, "12"), (BINARY, "slack")];
        assert_eq!(capture(&zoom), (4711, vec!["zoom".to_owned()]));
        let (_, names) = capture(&[zoom[0], (SANDBOX, "us.zoom.Zoom")]);
        assert_eq!(names, ["zoom", "us.zoom.Zoom", "Zoom"]);
        // The id of PipeWire's PulseAudio server does not identify the program.
        let passed_on = [
            (KERNEL, "13"),
            (PID, "12"),
            (BINARY, "zoom"),
            ("pulse.server.type", "unix"),
        ];
        assert_eq!(capture(&passed_on), (4711, vec!["zoom".to_owned()]));
        assert_eq!(capture(&passed_on[..3]), (4711, vec!["zoom".to_owned()]));
    }

    #[test]
    fn a_program_of_another_computer_or_user_is_known_by_its_names() {
        for other in [
            ("application.process.host", "laptop"),
            ("application.process.machine_id", "bbbb"),
        ] {
            assert_eq!(capture(&[(PID, "12"), (BINARY, "slack"), other]).0, 0);
        }
        // The kernel reports another id, of an invisible process.
        let contradicted = [(KERNEL, "98"), (PID, "12")];
        assert_eq!(capture(&contradicted), (0, vec![]));
        // No visible process has this id.
        let unseen = [
            (PID, "99"),
            (BINARY, "/opt/zoom/zoom (deleted)"),
            ("application.name", "ZOOM"),
        ];
        assert_eq!(capture(&unseen), (0, vec!["zoom".into(), "ZOOM".into()]));
    }

    #[test]
    fn a_number_that_another_program_has_by_now_is_not_that_program() {
        assert_eq!(capture(&[(PID, "12"), (BINARY, "meet")]).1, ["meet"]);
    }

    #[test]
    fn properties_of_any_text_are_no_process() {
        for pid in ["", "0", "-1", "99999999999", "x"] {
            assert_eq!(
                capture(&[(PID, pid), (KERNEL, pid), (BINARY, "..")]),
                (0, vec![]),
                "{pid}"
            );
        }
        let (_, names) = capture(&[("application.id", "com.slack.Slack."), (SANDBOX, ".")]);
        assert_eq!(names, [".", "com.slack.Slack."]);
    }
}
