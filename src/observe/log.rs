//! The log: lines of fields on standard error. `NIGHTBELL_LOG` chooses what is in it, as `nightbell=debug` or `warn,nightbell::sip=trace`.

use std::io::IsTerminal as _;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

/// What is logged when nobody says: our own events, and the troubles of the crates we build on (their lower levels may print what callers say).
const USUAL: &str = "warn,nightbell=info";

/// How a line looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people.
    Lines,
    /// One JSON object a line.
    Json,
}

/// A log that writes to `writer` what `filter` lets through.
pub fn subscriber<W>(format: Format, filter: &str, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(USUAL));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_span_events(FmtSpan::NONE).with_target(true);
    match format {
        Format::Lines => Box::new(log.with_ansi(false).finish()),
        Format::Json => Box::new(log.json().flatten_event(true).finish()),
    }
}

/// Starts the process's log on standard error, once; later calls change nothing.
pub fn start(format: Format) {
    let filter = std::env::var("NIGHTBELL_LOG").unwrap_or_else(|_| USUAL.to_owned());
    // A second start in one process (tests) keeps the first log.
    let _ = tracing::subscriber::set_global_default(subscriber(format, &filter, std::io::stderr));
    if std::io::stderr().is_terminal() {
        tracing::debug!(filter, "log started");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::base::{Pii, Secret};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_holds_fields_and_nothing_personal() {
        for format in [Format::Lines, Format::Json] {
            let kept = Kept::default();
            let writer = kept.clone();
            tracing::subscriber::with_default(subscriber(format, "nightbell=info", move || writer.clone()), || {
                let span = tracing::info_span!("call", call_id = "0199-aa");
                let _inside = span.enter();
                tracing::info!(caller = ?Pii::new("+15555550134"), key = ?Secret::new([7_u8; 4]), codec = "pcmu", "call answered");
                tracing::debug!("not wanted");
            });
            let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
            assert!(text.contains("[pii]") && text.contains("[secret]") && text.contains("0199-aa") && text.contains("pcmu"), "{text}");
            assert!(!text.contains("5555550134") && !text.contains("not wanted") && text.lines().count() == 1, "{text}");
        }
    }
}
