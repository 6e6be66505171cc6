//! As written → resolved: every check that needs no model and no port.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{AeTitle, Backoff, Destination, Durability, Limits, RoutingTable, Wishes};

use crate::commitment::commitment;
use crate::resolved::{
    Config, DeliverConfig, DeviceConfig, InferenceConfig, LogConfig, ModelConfig, NodeConfig,
    ReceiveConfig,
};
use crate::security::{OFF, security};
use crate::wishes::wishes;
use crate::written::{self, Written};
use crate::{Faults, log_level, rules};

/// The names of the models that are built into the program; they need no folder.
const BUILT_IN_MODELS: [&str; 2] = ["tissue-ct", "organs-ct-mr"];
/// A series that is quiet for a day is complete.
const QUIET_MAX: Duration = Duration::from_secs(86_400);
const PROVIDERS: [&str; 5] = ["cpu", "cuda", "tensorrt", "openvino", "coreml"];
/// PS3.8 leaves the length open; below this, negotiation itself does not fit, above it buffers grow for nothing.
const PDU_LENGTH_BYTES: std::ops::RangeInclusive<u32> = 4_096..=16_777_216;

/// More associations than a machine has ports; beyond some large number the places for them cannot even be counted.
pub(crate) const ASSOCIATIONS_MAX: usize = 65_536;
/// More threads than a machine has processors: each of them takes memory.
const THREADS_MAX: usize = 1_024;

pub(crate) fn resolve(written: Written, folder: &Path) -> Result<Config, Faults> {
    let mut faults = Faults::none();
    check_numbers(&written, &mut faults);
    check_words(&written, &mut faults);
    let title = faults.take("node.ae_title", AeTitle::parse(&written.node.ae_title));
    // With another in its place the rest has its faults found, too.
    let Some(ae_title) = title.or_else(|| AeTitle::parse("UNTITLED").ok()) else {
        return Err(faults);
    };
    let receive = receive(&written.receive, &ae_title, &mut faults);
    let models = models(&written.model, folder, &mut faults);
    let destinations = destinations(&written.destination, &ae_title, &mut faults);
    let commitment = commitment(&written, &ae_title, &destinations, &mut faults);
    let routing = routing(&written, &mut faults);
    let security = security(&written, folder, &mut faults);
    let config = Config {
        limits: limits(&written),
        keep: Duration::from_secs(written.spool.keep_days.saturating_mul(86_400)),
        backoff: backoff(&written.deliver),
        deliver: DeliverConfig {
            connect_timeout: seconds(written.deliver.connect_timeout_s),
            timeout: seconds(written.deliver.timeout_s),
        },
        inference: InferenceConfig {
            onnxruntime: written.inference.onnxruntime.map(|path| folder.join(path)),
            provider: written.inference.provider,
            threads: written.inference.threads,
            workers: written.inference.workers,
            ahead_bytes_max: written.inference.ahead_bytes_max,
        },
        log: LogConfig { format: written.log.format, level: written.log.level },
        device: DeviceConfig {
            manufacturer: written.device.manufacturer,
            serial_number: written.device.serial_number,
            station_name: written.device.station_name,
        },
        node: NodeConfig {
            ae_title,
            listen: Some(written.node.listen).filter(|listen| listen != OFF),
            http: written.node.http,
            data: folder.join(written.node.data),
        },
        receive,
        security,
        models,
        wishes: wishes_of(&written.destination, &mut faults),
        destinations,
        commitment,
        routing,
    };
    faults.or(config)
}

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn check_numbers(written: &Written, faults: &mut Faults) {
    let receive = &written.receive;
    let mut positive = |key: &str, sound: bool| {
        if !sound {
            faults.add(key, "must be above 0");
        }
    };
    positive("receive.associations_max", receive.associations_max > 0);
    positive("receive.instance_bytes_max", receive.instance_bytes_max > 0);
    positive("receive.series_instances_max", receive.series_instances_max > 0);
    positive("receive.idle_timeout_s", receive.idle_timeout_s > 0);
    positive("receive.artim_timeout_s", receive.artim_timeout_s > 0);
    positive("spool.bytes_max", written.spool.bytes_max > 0);
    positive("deliver.first_pause_s", written.deliver.first_pause_s > 0);
    positive("deliver.attempts_max", written.deliver.attempts_max > 0);
    positive("deliver.connect_timeout_s", written.deliver.connect_timeout_s > 0);
    positive("deliver.timeout_s", written.deliver.timeout_s > 0);
    positive("inference.workers", written.inference.workers > 0);
    let inference = &written.inference;
    at_most("receive.associations_max", receive.associations_max, ASSOCIATIONS_MAX, faults);
    at_most("inference.workers", inference.workers, THREADS_MAX, faults);
    at_most("inference.threads", inference.threads, THREADS_MAX, faults);
    if !PDU_LENGTH_BYTES.contains(&receive.pdu_length_bytes_max) {
        let (least, most) = (PDU_LENGTH_BYTES.start(), PDU_LENGTH_BYTES.end());
        faults.add("receive.pdu_length_bytes_max", format!("must lie between {least} and {most}"));
    }
    if written.deliver.longest_pause_s < written.deliver.first_pause_s {
        faults.add("deliver.longest_pause_s", "must not be below first_pause_s");
    }
}

pub(crate) fn at_most(key: &str, count: usize, most: usize, faults: &mut Faults) {
    if count > most {
        faults.add(key, format!("must not be above {most}"));
    }
}

fn check_words(written: &Written, faults: &mut Faults) {
    if !PROVIDERS.contains(&written.inference.provider.as_str()) {
        faults.add("inference.provider", format!("must be one of {}", PROVIDERS.join(", ")));
    }
    if !["text", "json"].contains(&written.log.format.as_str()) {
        faults.add("log.format", "must be text or json");
    }
    faults.take("log.level", log_level(&written.log.level));
    if let Some(http) = &written.node.http {
        check_address("node.http", http, faults);
    }
    // Type 1 attributes of the results (PS3.3 §C.7.5.2); VR LO holds 64 characters.
    let device = &written.device;
    for (key, text) in
        [("manufacturer", &device.manufacturer), ("serial_number", &device.serial_number)]
    {
        if text.trim().is_empty() || text.len() > 64 || !text.is_ascii() || text.contains('\\') {
            let key = format!("device.{key}");
            faults.add(&key, "must have 1 to 64 ASCII characters, no backslash");
        }
    }
}

pub(crate) fn check_address(key: &str, text: &str, faults: &mut Faults) {
    let port = text
        .rsplit_once(':')
        .and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>().ok()).flatten());
    if port.is_none() {
        faults.add(key, format!("{text:?} is not of the form host:port"));
    }
}

fn limits(written: &Written) -> Limits {
    let receive = &written.receive;
    Limits {
        associations_max: receive.associations_max,
        pdu_length_max: receive.pdu_length_bytes_max,
        instance_bytes_max: receive.instance_bytes_max,
        series_instances_max: receive.series_instances_max,
        spool_bytes_max: written.spool.bytes_max,
        disk_free_bytes_min: written.spool.disk_free_bytes_min,
        artim_timeout: seconds(receive.artim_timeout_s),
        idle_timeout: seconds(receive.idle_timeout_s),
        association_wait: seconds(receive.association_wait_s),
        shutdown_grace: seconds(written.node.shutdown_grace_s),
        ..Limits::default()
    }
}

fn backoff(deliver: &written::Deliver) -> Backoff {
    Backoff {
        first: seconds(deliver.first_pause_s),
        longest: seconds(deliver.longest_pause_s),
        attempts_max: deliver.attempts_max,
    }
}

/// `called = ["*"]` accepts any title; no `called` accepts our own.
fn receive(written: &written::Receive, own: &AeTitle, faults: &mut Faults) -> ReceiveConfig {
    let called = match written.called.as_slice() {
        [] => vec![own.clone()],
        [any] if any == "*" => vec![],
        titles => ae_titles("receive.called", titles, faults),
    };
    let calling = ae_titles("receive.calling", &written.calling, faults);
    let series_quiet = quiet("receive.series_quiet_s", written.series_quiet_s, QUIET_MAX, faults);
    let release_quiet = written.release_quiet_s.map_or(series_quiet, |seconds| {
        quiet("receive.release_quiet_s", seconds, series_quiet, faults)
    });
    let durability = match written.durability {
        written::Durability::Disk => Durability::Disk,
        written::Durability::Cache => Durability::Cache,
    };
    ReceiveConfig { calling, called, durability, series_quiet, release_quiet }
}

/// A quiet time; decimals of a second count.
fn quiet(key: &str, seconds: f64, most: Duration, faults: &mut Faults) -> Duration {
    let quiet = Duration::try_from_secs_f64(seconds).ok().filter(|quiet| *quiet <= most);
    quiet.unwrap_or_else(|| {
        faults.add(key, format!("must lie between 0 and {}", most.as_secs_f64()));
        Duration::ZERO
    })
}

pub(crate) fn ae_titles(key: &str, titles: &[String], faults: &mut Faults) -> Vec<AeTitle> {
    let parse =
        |title: &String| AeTitle::parse(title).map_err(|error| format!("{title:?}: {error}"));
    titles.iter().filter_map(|title| faults.take(key, parse(title))).collect()
}

pub(crate) fn check_unique<'a>(
    list: &str,
    names: impl Iterator<Item = &'a str>,
    faults: &mut Faults,
) {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.trim().is_empty() {
            faults.add(list, "a name is empty");
        } else if !seen.insert(name) {
            faults.add(list, format!("the name {name:?} occurs twice"));
        }
    }
}

fn models(written: &[written::Model], folder: &Path, faults: &mut Faults) -> Vec<ModelConfig> {
    check_unique("model", written.iter().map(|model| model.name.as_str()), faults);
    for model in written.iter().filter(|model| model.folder.is_none()) {
        if !BUILT_IN_MODELS.contains(&model.name.as_str()) {
            let key = format!("model {:?}", model.name);
            faults.add(
                &key,
                format!(
                    "has no folder; only {} need none: they are built in",
                    BUILT_IN_MODELS.join(" and ")
                ),
            );
        }
    }
    let resolved = |path: &PathBuf| folder.join(path);
    let of = |model: &written::Model| ModelConfig {
        name: model.name.clone(),
        folder: model.folder.as_ref().map(resolved),
    };
    written.iter().map(of).collect()
}

fn destinations(
    written: &[written::Destination],
    own: &AeTitle,
    faults: &mut Faults,
) -> Vec<Destination> {
    check_unique("destination", written.iter().map(|to| to.name.as_str()), faults);
    let of = |to: &written::Destination| {
        let key = format!("destination {:?}", to.name);
        faults.take(&key, destination(to, own))
    };
    written.iter().filter_map(of).collect()
}

fn wishes_of(written: &[written::Destination], faults: &mut Faults) -> BTreeMap<String, Wishes> {
    let of = |to: &written::Destination| {
        let wishes = faults.take(&format!("destination {:?}", to.name), wishes(to))?;
        Some((to.name.clone(), wishes))
    };
    written.iter().filter_map(of).collect()
}

fn destination(written: &written::Destination, own: &AeTitle) -> Result<Destination, String> {
    let (called, host, port) = address(&written.to).map_err(|error| format!("to = {error}"))?;
    let calling = written.calling.as_deref().map_or_else(|| Ok(own.clone()), title)?;
    Ok(Destination { name: written.name.clone(), called, calling, host, port })
}

fn title(text: &str) -> Result<AeTitle, String> {
    AeTitle::parse(text).map_err(|error| format!("{text:?}: {error}"))
}

/// `AE@host:port`.
pub(crate) fn address(text: &str) -> Result<(AeTitle, String, u16), String> {
    let form = || format!("{text:?} is not of the form AE@host:port");
    let (called, address) = text.split_once('@').ok_or_else(form)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(form)?;
    let port = port.parse().ok().filter(|port: &u16| *port > 0).ok_or_else(form)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return Err(form());
    }
    Ok((title(called)?, host, port))
}

fn routing(written: &Written, faults: &mut Faults) -> RoutingTable {
    check_unique("rule", written.rule.iter().map(|rule| rule.name.as_str()), faults);
    for rule in &written.rule {
        let key = format!("rule {:?}", rule.name);
        let models = written.model.iter().map(|model| model.name.as_str());
        check_exists(&key, "model", &rule.model, models, faults);
        for name in &rule.destinations {
            let destinations = written.destination.iter().map(|to| to.name.as_str());
            check_exists(&key, "destination", name, destinations, faults);
        }
    }
    RoutingTable { rules: written.rule.iter().map(|rule| rules::rule(rule, faults)).collect() }
}

fn check_exists<'a>(
    key: &str,
    what: impl fmt::Display,
    name: &str,
    mut known: impl Iterator<Item = &'a str>,
    faults: &mut Faults,
) {
    if !known.any(|known| known == name) {
        faults.add(key, format!("there is no {what} {name:?}"));
    }
}
