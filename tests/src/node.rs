//! A parsenode that is started, asked, stopped and killed from outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::binary::{parsenode, runtime_library};
use crate::clock::wait_for;
use crate::http;
use crate::port::free_port;
use crate::process::{Running, run};

/// What a test wants of its node; everything else is as `Default` says.
#[derive(Debug, Clone)]
pub struct NodeSettings {
    /// The binary to start; found by [`parsenode`] without it.
    pub binary: Option<PathBuf>,
    /// Where results go: name and `AE@host:port`.
    pub destinations: Vec<(String, String)>,
    /// More keys of every destination.
    pub wishes: String,
    /// Quiet time after which a series is complete, in seconds.
    pub series_quiet_s: u32,
    /// More TOML: whole tables, after everything else.
    pub more: String,
    /// More keys of `[receive]`.
    pub receive: String,
    /// More keys of the rule that takes every CT.
    pub rule: String,
    /// `[[model]]` and `[[rule]]` tables instead of the built-in model and the rule that takes every CT.
    pub rules: Option<String>,
    /// More keys of `[inference]`.
    pub inference: String,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self {
            binary: None,
            destinations: vec![],
            wishes: String::new(),
            series_quiet_s: 1,
            more: String::new(),
            receive: String::new(),
            rule: String::new(),
            rules: None,
            inference: String::new(),
        }
    }
}

/// The node's folder, ports and process.
#[derive(Debug)]
pub struct Node {
    /// DICOM port; its AE title is `PARSENODE`.
    pub port: u16,
    http_port: u16,
    binary: PathBuf,
    config: PathBuf,
    log: PathBuf,
    running: Option<Running>,
}

/// What `parsenode status --json` says.
#[derive(Debug, Clone)]
pub struct Status(
    /// The whole answer.
    pub Value,
);

impl Status {
    /// The rows of a list: `series`, `jobs` or `deliveries`.
    #[must_use]
    pub fn rows(&self, list: &str) -> &[Value] {
        self.0[list].as_array().map_or(&[], Vec::as_slice)
    }

    /// How many rows of a list are in a state.
    #[must_use]
    pub fn count(&self, list: &str, state: &str) -> usize {
        self.rows(list).iter().filter(|row| row["state"] == state).count()
    }

    /// Whether every series is closed and every job has ended.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let ended = |row: &Value| {
            ["done", "quarantined", "superseded"].iter().any(|state| row["state"] == *state)
        };
        self.count("series", "open") == 0 && self.rows("jobs").iter().all(ended)
    }
}

impl Node {
    /// Writes a configuration below `dir` and starts a node with it.
    ///
    /// # Errors
    /// When it cannot be started or is not ready within 60 s.
    pub fn start(dir: &Path, settings: &NodeSettings) -> Result<Self> {
        Self::start_on(dir, settings, free_port()?)
    }

    /// Like [`Node::start`], on a port that somebody has to know before.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn start_on(dir: &Path, settings: &NodeSettings, port: u16) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        let http_port = free_port()?;
        let config = dir.join("node.toml");
        fs::write(&config, configuration(settings, port, http_port))
            .with_context(|| format!("writing {}", config.display()))?;
        let log = dir.join("node.log");
        let binary = settings.binary.clone().map_or_else(parsenode, Ok)?;
        let mut node = Self { port, http_port, binary, config, log, running: None };
        node.resume()?;
        Ok(node)
    }

    /// Starts it again where it was stopped or killed.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn resume(&mut self) -> Result<()> {
        self.resume_without_waiting()?;
        self.wait_until_ready()
    }

    /// Starts it again and does not wait for its port.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn resume_without_waiting(&mut self) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--config"]).arg(&self.config);
        self.running = Some(Running::start("parsenode serve", &mut command, &self.log)?);
        Ok(())
    }

    /// Waits for `/readyz`.
    ///
    /// # Errors
    /// When the node ends or is not ready within 60 s.
    pub fn wait_until_ready(&mut self) -> Result<()> {
        let port = self.http_port;
        let running = self.running()?;
        wait_for("the node to be ready", Duration::from_secs(60), || {
            running.must_run()?;
            Ok(http::get(port, "/readyz").ok())
        })?;
        Ok(())
    }

    /// The process.
    ///
    /// # Errors
    /// When it was stopped.
    pub fn running(&mut self) -> Result<&mut Running> {
        self.running.as_mut().context("the node was stopped")
    }

    /// `AE@host:port` of this node.
    #[must_use]
    pub fn address(&self) -> String {
        format!("PARSENODE@127.0.0.1:{}", self.port)
    }

    /// Its configuration file.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.config.with_file_name("data")
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// `/metrics` as text.
    ///
    /// # Errors
    /// When the node does not answer.
    pub fn metrics(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&http::get(self.http_port, "/metrics")?).into_owned())
    }

    /// Asks it to stop and waits for at most 60 s.
    ///
    /// # Errors
    /// When it does not end, or not with 0.
    pub fn stop(&mut self) -> Result<()> {
        let status = self.running()?.stop(Duration::from_secs(60))?;
        self.running = None;
        if status.success() {
            Ok(())
        } else {
            bail!("the node ended with {status}\n{}", self.log())
        }
    }

    /// Kills it (SIGKILL).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.running()?.kill()?;
        self.running = None;
        Ok(())
    }

    /// Asks `parsenode status`; works while the node runs and while it does not.
    ///
    /// # Errors
    /// When the command fails.
    pub fn status(&self) -> Result<Status> {
        let mut command = Command::new(&self.binary);
        command.args(["status", "--json", "--config"]).arg(&self.config);
        let output = run(&mut command)?;
        serde_json::from_slice(&output.stdout).map(Status).context("the status is no JSON")
    }

    /// Waits until `done` says so of the status.
    ///
    /// # Errors
    /// When it does not within `limit`, or the node ends meanwhile; the error holds the last status.
    pub fn wait_for_status(
        &mut self,
        what: &str,
        limit: Duration,
        mut done: impl FnMut(&Status) -> bool,
    ) -> Result<Status> {
        let mut last = None;
        let waited = wait_for(what, limit, || {
            if let Some(running) = self.running.as_mut() {
                running.must_run()?;
            }
            let status = self.status()?;
            last = Some(status.clone());
            Ok(done(&status).then_some(status))
        });
        waited.with_context(|| format!("last status: {last:?}\nlog:\n{}", end_of(&self.log(), 30)))
    }
}

fn end_of(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn configuration(settings: &NodeSettings, port: u16, http_port: u16) -> String {
    let mut text = format!(
        "[node]\nae_title = \"PARSENODE\"\nlisten = \"127.0.0.1:{port}\"\n\
         http = \"127.0.0.1:{http_port}\"\ndata = \"data\"\n\n\
         [receive]\nseries_quiet_s = {}\n{}\n\n\
         [deliver]\nfirst_pause_s = 1\nlongest_pause_s = 2\n\n",
        settings.series_quiet_s, settings.receive
    );
    add(&mut text, &format!("[inference]\n{}\n", settings.inference));
    if let Some(library) = runtime_library() {
        add(&mut text, &format!("onnxruntime = {:?}\n", library.display().to_string()));
    }
    for (name, to) in &settings.destinations {
        add(
            &mut text,
            &format!("[[destination]]\nname = {name:?}\nto = {to:?}\n{}\n", settings.wishes),
        );
    }
    add(&mut text, &settings.rules.clone().unwrap_or_else(|| every_ct(settings)));
    add(&mut text, &settings.more);
    text
}

/// The built-in model, and the rule that takes every CT.
fn every_ct(settings: &NodeSettings) -> String {
    let names: Vec<&str> = settings.destinations.iter().map(|(name, _)| name.as_str()).collect();
    format!(
        "[[model]]\nname = \"tissue-ct\"\n\n[[rule]]\nname = \"every CT\"\n\
         model = \"tissue-ct\"\ndestinations = {names:?}\n{}\
         [rule.match]\nModality = \"CT\"\n",
        settings.rule
    )
}

fn add(text: &mut String, part: &str) {
    text.push_str(part);
    text.push('\n');
}
