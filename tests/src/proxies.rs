//! Proxies between a desktop and the server: a real nginx before the server, with TLS as documented or with its
//! defaults, and a real forward proxy, as in a company's network.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{net::TcpStream, process::Child};

use crate::{certificate::certify, eventually, free_port, program::apart, repository};

/// Longest start of a proxy on a busy machine.
const START_MAX: Duration = Duration::from_secs(20);

async fn listens(what: &str, port: u16) {
    let listens = async || TcpStream::connect(("127.0.0.1", port)).await.is_ok();
    eventually(what, START_MAX, true, listens).await;
}

/// nginx before a server. Dropping it ends nginx.
pub struct ReverseProxy {
    folder: tempfile::TempDir,
    scheme: &'static str,
    port: u16,
    _nginx: Child,
}

impl ReverseProxy {
    /// Starts nginx with TLS for `localhost`, with the configuration of the documentation.
    ///
    /// # Panics
    /// nginx is not installed, or refuses the configuration.
    pub async fn start(server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        certify("DNS:localhost", &at("offhook.pem"), &at("offhook.key"));
        let port = free_port();
        let documented = fs::read_to_string(repository().join("docs/nginx.conf")).unwrap();
        let ours = [
            ("443 ssl", format!("127.0.0.1:{port} ssl")),
            ("offhook.example.com", "localhost".into()),
            (
                "/etc/ssl/offhook.pem",
                at("offhook.pem").display().to_string(),
            ),
            (
                "/etc/ssl/private/offhook.key",
                at("offhook.key").display().to_string(),
            ),
            ("http://127.0.0.1:8200", server.to_owned()),
        ];
        let documented = ours.iter().fold(documented, |text, (documented, ours)| {
            assert!(text.contains(documented), "{documented}");
            text.replace(documented, ours)
        });
        Self::begin(folder, "https", port, &documented).await
    }

    /// Starts nginx with its defaults and compression of all responses.
    ///
    /// # Panics
    /// nginx is not installed, or refuses the configuration.
    pub async fn start_with_defaults(server: &str) -> Self {
        let port = free_port();
        let defaults = format!(
            "server {{\nlisten 127.0.0.1:{port};\ngzip on;\ngzip_types *;\nlocation / {{ proxy_pass {server}; }}\n}}\n"
        );
        Self::begin(tempfile::tempdir().unwrap(), "http", port, &defaults).await
    }

    async fn begin(
        folder: tempfile::TempDir,
        scheme: &'static str,
        port: u16,
        servers: &str,
    ) -> Self {
        let at = |name: &str| folder.path().join(name);
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|kind| format!("{kind}_temp_path {};\n", at(kind).display()));
        let text = format!(
            "daemon off;\nmaster_process off;\npid {};\nevents {{}}\nhttp {{\naccess_log off;\n{}{servers}}}\n",
            at("pid").display(),
            temporary.concat()
        );
        fs::write(at("nginx.conf"), text).unwrap();
        let nginx = apart("nginx", folder.path())
            .arg("-e")
            .arg(at("errors"))
            .arg("-c")
            .arg(at("nginx.conf"))
            .spawn()
            .expect("apt-get install nginx-light");
        listens("nginx", port).await;
        Self {
            folder,
            scheme,
            port,
            _nginx: nginx,
        }
    }

    /// URL of the server behind nginx, by the name in the certificate.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.port)
    }

    /// File with the certificate authority.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("offhook.pem")
    }
}

/// A forward proxy for outgoing connections. Dropping it ends the proxy.
pub struct ForwardProxy {
    folder: tempfile::TempDir,
    port: u16,
    proxy: Option<Child>,
}

impl ForwardProxy {
    /// Starts a proxy.
    ///
    /// # Panics
    /// The program is not installed.
    pub async fn start() -> Self {
        let mut proxy = Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            proxy: None,
        };
        proxy.restart().await;
        proxy
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Restarts the proxy after [`Self::kill`].
    ///
    /// # Panics
    /// The proxy does not start.
    pub async fn restart(&mut self) {
        let configuration: &Path = &self.folder.path().join("configuration");
        let text = format!(
            "Port {}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\nMaxClients 20\nLogFile \"{}\"\nLogLevel Connect\n",
            self.port,
            self.log().display()
        );
        fs::write(configuration, text).unwrap();
        let proxy = apart("tinyproxy", self.folder.path())
            .arg("-d")
            .arg("-c")
            .arg(configuration)
            .spawn();
        self.proxy = Some(proxy.expect("apt-get install tinyproxy-bin"));
        listens("the proxy", self.port).await;
    }

    /// Kills the proxy, like a crash.
    ///
    /// # Panics
    /// The proxy is not running.
    pub async fn kill(&mut self) {
        self.proxy.take().unwrap().kill().await.unwrap();
    }

    /// URL of the proxy.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The proxy's log of requests.
    #[must_use]
    pub fn asked(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}
