//! A real Orthanc on loopback, with its storage in a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::clock::wait_for;
use crate::http;
use crate::port::free_port;
use crate::process::Running;

/// An archive to deliver to.
#[derive(Debug)]
pub struct Orthanc {
    /// Its DICOM port; its AE title is `ORTHANC`.
    pub dicom_port: u16,
    http_port: u16,
    config: PathBuf,
    log: PathBuf,
    variables: Vec<(&'static str, &'static str)>,
    running: Option<Running>,
}

impl Orthanc {
    /// Starts an empty Orthanc that keeps everything below `dir`.
    ///
    /// # Errors
    /// When it cannot be started or does not answer within 30 s.
    pub fn start(dir: &Path) -> Result<Self> {
        Self::start_with(dir, &json!({}), &[])
    }

    /// The same with more keys of its configuration, or other values for them, and more variables in its environment.
    ///
    /// # Errors
    /// As [`Orthanc::start`].
    pub fn start_with(
        dir: &Path,
        more: &Value,
        variables: &[(&'static str, &'static str)],
    ) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        let (dicom_port, http_port) = (free_port()?, free_port()?);
        let config = dir.join("orthanc.json");
        let mut settings = json!({
            "Name": "ORTHANC", "DicomAet": "ORTHANC",
            "StorageDirectory": dir.join("storage"), "IndexDirectory": dir.join("storage"),
            "DicomPort": dicom_port, "HttpPort": http_port,
            "RemoteAccessAllowed": false, "AuthenticationEnabled": false,
            "DicomCheckCalledAet": false, "DicomAlwaysAllowStore": true,
            "UnknownSopClassAccepted": true, "Plugins": [], "StableAge": 1,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            settings[key] = value.clone();
        }
        let text = serde_json::to_vec_pretty(&settings).context("writing JSON")?;
        fs::write(&config, text).with_context(|| format!("writing {}", config.display()))?;
        let log = dir.join("orthanc.log");
        let mut orthanc = Self {
            dicom_port,
            http_port,
            config,
            log,
            variables: variables.to_vec(),
            running: None,
        };
        orthanc.resume()?;
        Ok(orthanc)
    }

    /// Starts it again where it was stopped.
    ///
    /// # Errors
    /// As [`Orthanc::start`].
    pub fn resume(&mut self) -> Result<()> {
        let program = ["/usr/sbin/Orthanc", "/usr/bin/Orthanc"];
        let program =
            program.into_iter().find(|path| Path::new(path).is_file()).unwrap_or("Orthanc");
        let mut command = Command::new(program);
        command.arg(&self.config).envs(self.variables.iter().copied());
        let mut running = Running::start("Orthanc", &mut command, &self.log)?;
        wait_for("Orthanc to answer", Duration::from_secs(30), || {
            running.must_run()?;
            Ok(http::get(self.http_port, "/system").ok())
        })?;
        self.running = Some(running);
        Ok(())
    }

    /// The process.
    ///
    /// # Errors
    /// When it was stopped.
    pub fn running(&mut self) -> Result<&mut Running> {
        self.running.as_mut().context("Orthanc was stopped")
    }

    /// Stops it; what it holds stays on disk.
    ///
    /// # Errors
    /// When it does not end within 30 s.
    pub fn stop(&mut self) -> Result<()> {
        match self.running.take() {
            Some(mut running) => running.stop(Duration::from_secs(30)).map(drop),
            None => Ok(()),
        }
    }

    /// SOP Instance UIDs of everything it holds, sorted.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn sop_instances(&self) -> Result<Vec<String>> {
        let listed = http::get(self.http_port, "/instances?expand")?;
        let listed: Value = serde_json::from_slice(&listed).context("Orthanc's JSON")?;
        let uid = |instance: &Value| {
            instance["MainDicomTags"]["SOPInstanceUID"].as_str().map(str::to_owned)
        };
        let mut uids: Vec<String> =
            listed.as_array().into_iter().flatten().filter_map(uid).collect();
        uids.sort();
        Ok(uids)
    }

    /// The file that holds an instance.
    ///
    /// # Errors
    /// When it does not answer or has no such instance.
    pub fn file(&self, sop_instance: &str) -> Result<Vec<u8>> {
        let listed = http::get(self.http_port, "/instances?expand")?;
        let listed: Value = serde_json::from_slice(&listed).context("Orthanc's JSON")?;
        let is_it = |instance: &&Value| instance["MainDicomTags"]["SOPInstanceUID"] == sop_instance;
        let found = listed.as_array().into_iter().flatten().find(is_it);
        let id = found.and_then(|instance| instance["ID"].as_str()).context("no such instance")?;
        http::get(self.http_port, &format!("/instances/{id}/file"))
    }

    /// Tells it under which AE title and port of loopback a modality is.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn add_modality(&self, title: &str, port: u16) -> Result<()> {
        let modality = json!({ "AET": title, "Host": "127.0.0.1", "Port": port }).to_string();
        http::send(self.http_port, "PUT", &format!("/modalities/{title}"), &modality).map(drop)
    }

    /// Lets it ask a modality to commit to instances, given by SOP Class and SOP Instance UID; gives the name of the
    /// transaction.
    ///
    /// # Errors
    /// When it does not answer, or the modality does not take the request.
    pub fn ask_commitment(&self, title: &str, instances: &[(&str, &str)]) -> Result<String> {
        let reference = |(class, instance): &(&str, &str)| json!({ "SOPClassUID": class, "SOPInstanceUID": instance });
        let references: Vec<Value> = instances.iter().map(reference).collect();
        let body = json!({ "DicomInstances": references }).to_string();
        let path = format!("/modalities/{title}/storage-commitment");
        let answer = http::send(self.http_port, "POST", &path, &body)?;
        let answer: Value = serde_json::from_slice(&answer).context("Orthanc's JSON")?;
        answer["ID"].as_str().map(str::to_owned).context("no ID of a transaction")
    }

    /// What it knows of a transaction that it asked for.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn commitment(&self, transaction: &str) -> Result<Value> {
        let answer = http::get(self.http_port, &format!("/storage-commitment/{transaction}"))?;
        serde_json::from_slice(&answer).context("Orthanc's JSON")
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Removes everything it holds.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn clear(&self) -> Result<()> {
        let listed = http::get(self.http_port, "/patients")?;
        let patients: Vec<String> = serde_json::from_slice(&listed).context("Orthanc's JSON")?;
        for patient in patients {
            http::delete(self.http_port, &format!("/patients/{patient}"))?;
        }
        Ok(())
    }
}
