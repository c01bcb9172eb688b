//! The one file that names `indicatif`: a bar while a model arrives, nothing where no one watches.

use indicatif::{ProgressBar, ProgressStyle};

use crate::config::models::Progress;

/// One bar, for one file after the other.
#[derive(Default)]
pub(super) struct Bars(Option<ProgressBar>);

impl Bars {
    /// The file is complete, or given up.
    pub(super) fn done(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bars {
    fn at(&mut self, file: &str, done: u64, total: Option<u64>) {
        let bar = self.0.get_or_insert_with(|| {
            let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
            let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(file.to_owned());
            bar
        });
        bar.set_position(done);
    }
}
