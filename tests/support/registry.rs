//! Real OCI registry, Debian's `docker-registry`, if it is installed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{self, Answer};
use crate::installed;

/// Media type of an OCI manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// User of a registry with authentication.
pub const USERNAME: &str = "reader";
/// Password of that user.
pub const PASSWORD: &str = "let-me-in";
/// User with a hash of the password, in bcrypt.
const HTPASSWD: &str = "reader:$2y$04$abcdefghijklmnopqrstuudxA/1BY5FxPYA69jUrJOJFmTyoe9T1a\n";
/// Text before the address in its log.
const LISTENING: &str = "listening on ";

/// Registry process on a port that the system picks, with its own storage. Killed when dropped.
#[derive(Debug)]
pub struct Registry {
    address: String,
    directory: PathBuf,
    child: Child,
    asks: bool,
}

impl Registry {
    /// Starts a registry without authentication; returns `None`, and prints a line, if no
    /// registry is installed.
    pub fn start() -> Option<Self> {
        Self::start_as(false)
    }

    /// Starts a registry that requires [`USERNAME`] and [`PASSWORD`].
    pub fn start_asking() -> Option<Self> {
        Self::start_as(true)
    }

    fn start_as(asks: bool) -> Option<Self> {
        let binary = installed("POINTSMAN_TEST_REGISTRY")?;
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory =
            std::env::temp_dir().join(format!("pointsman-registry-{}-{count}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory for the registry");
        let passwords = directory.join("htpasswd");
        fs::write(&passwords, HTPASSWD).expect("the passwords can be written");
        // JSON is YAML.
        let mut config = json!({
            "version": 0.1,
            "log": { "level": "info", "accesslog": { "disabled": true } },
            "storage": { "filesystem": { "rootdirectory": directory.join("store") } },
            "http": { "addr": "127.0.0.1:0", "secret": "not used" },
        });
        if asks {
            config["auth"] = json!({ "htpasswd": { "realm": "test", "path": passwords } });
        }
        let file = directory.join("config.yml");
        fs::write(&file, config.to_string()).expect("the config can be written");
        let mut child = Command::new(binary)
            .arg("serve")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the registry can be run");
        let mut log = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let listening = log.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once(LISTENING)?;
            rest.split('"').next().map(str::to_owned)
        });
        let address = listening.expect("the registry tells where it listens");
        // Read on, so that it never waits for a full pipe.
        thread::spawn(move || log.map_while(Result::ok).for_each(drop));
        Some(Self { address, directory, child, asks })
    }

    /// Returns the host and port.
    pub fn authority(&self) -> &str {
        &self.address
    }

    /// Returns the source of a policy in this registry. The version is `:TAG` or `@sha256:HEX`.
    pub fn source(&self, repository: &str, version: &str) -> String {
        format!("oci://{}/{repository}{version}", self.address)
    }

    /// Publishes a policy as `wkg oci push` does, and returns the SHA-256 of the manifest.
    pub async fn push(&self, repository: &str, tag: &str, policy: &[u8]) -> String {
        self.push_annotated(repository, tag, policy, &json!({})).await
    }

    /// Publishes a policy with annotations on the manifest.
    pub async fn push_annotated(
        &self,
        repository: &str,
        tag: &str,
        policy: &[u8],
        annotations: &Value,
    ) -> String {
        let config = json!({ "created": "2026-01-01T00:00:00Z", "architecture": "wasm", "os": "wasip2" });
        let config =
            self.blob(repository, config.to_string().as_bytes(), "application/vnd.wasm.config.v0+json").await;
        let layer = self.blob(repository, policy, "application/wasm").await;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": config, "layers": [layer], "annotations": annotations,
        });
        self.put_manifest(repository, tag, MANIFEST, &manifest).await
    }

    /// Uploads a blob, and returns its descriptor for a manifest.
    pub async fn blob(&self, repository: &str, bytes: &[u8], media_type: &str) -> Value {
        let digest = format!("sha256:{}", sha256(bytes));
        let begun = self.send(Method::POST, &self.url(repository, "blobs/uploads/"), "", Bytes::new()).await;
        assert_eq!(begun.status, 202, "an upload begins");
        let location = begun.header(LOCATION.as_str()).expect("an address for the upload");
        let to = format!("{location}&digest={digest}");
        let body = Bytes::copy_from_slice(bytes);
        let uploaded = self.send(Method::PUT, &to, "application/octet-stream", body).await;
        assert_eq!(uploaded.status, 201, "a blob is taken");
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// Uploads a manifest under a tag, and returns its SHA-256.
    pub async fn put_manifest(
        &self,
        repository: &str,
        tag: &str,
        media_type: &str,
        manifest: &Value,
    ) -> String {
        let bytes = Bytes::from(manifest.to_string());
        let to = self.url(repository, &format!("manifests/{tag}"));
        let put = self.send(Method::PUT, &to, media_type, bytes.clone()).await;
        assert_eq!(put.status, 201, "a manifest is taken: {}", String::from_utf8_lossy(&put.body));
        sha256(&bytes)
    }

    /// Stops the registry, so that nobody listens at its address.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn url(&self, repository: &str, path: &str) -> String {
        format!("http://{}/v2/{repository}/{path}", self.address)
    }

    async fn send(&self, method: Method, url: &str, content_type: &str, body: Bytes) -> Answer {
        let mut request = Request::builder().method(method).uri(url).header(CONTENT_TYPE, content_type);
        if self.asks {
            let credentials = STANDARD.encode(format!("{USERNAME}:{PASSWORD}"));
            request = request.header(AUTHORIZATION, format!("Basic {credentials}"));
        }
        client::send(request.body(Full::new(body)).expect("a valid request")).await.whole().await
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Returns a SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
