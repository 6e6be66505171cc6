//! The log on stderr: text or JSON. No patient attribute is ever handed to it.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::failure::{Failure, Fault, OrFail};

/// Starts the log. `RUST_LOG` is not read: what is logged is said on the command line or in the configuration.
pub(crate) fn start(form: &str, level: &str) -> Result<(), Failure> {
    let filter =
        EnvFilter::try_new(level).or_fail(Fault::Misuse, || format!("log level {level:?}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = if form == "json" {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_target(false).try_init()
    };
    started.or_fail(Fault::Internal, || "log")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::level_filters::LevelFilter;

    #[test]
    fn what_the_configuration_takes_is_understood_here() {
        for (text, most) in [
            ("off", LevelFilter::OFF),
            ("INFO", LevelFilter::INFO),
            ("warn,parsenode::http=info", LevelFilter::INFO),
            ("error,scp=trace", LevelFilter::TRACE),
        ] {
            let filter = EnvFilter::try_new(config::log_level(text).unwrap()).unwrap();
            assert_eq!(filter.max_level_hint(), Some(most), "{text}");
        }
    }
}
