//! What the control socket and the status page are answered from.

use std::sync::Arc;

use serde_json::{Value, json};

use super::control::{Control, Request};
use super::house::House;
use super::switchboard::Roll;

/// The daemon's answers about itself.
#[derive(Clone)]
pub struct Front {
    house: Arc<House>,
    roll: Roll,
    pack: String,
    notice: String,
}

impl Front {
    /// Answers for this house.
    pub fn new(house: Arc<House>, roll: Roll, pack: String, notice: String) -> Self {
        Self { house, roll, pack, notice }
    }

    /// What the daemon does now: workers, calls, models, sound.
    pub fn status(&self) -> Value {
        let media = self.house.hub.media_stats();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_s": self.house.clock.now().as_millis() / 1_000,
            "pack": self.pack,
            "notice": self.notice,
            "workers": self.house.engines.status(),
            "calls": self.roll.all(),
            "sound": {
                "send_deviation_p50_us": media.send_deviation.quantile_us(500),
                "send_deviation_p99_us": media.send_deviation.quantile_us(990),
                "ticks_missed": media.ticks_missed.get(),
                "reports_lost": self.house.hub.lost(),
            },
        })
    }
}

impl Control for Front {
    async fn answer(&self, request: Request) -> Result<Value, String> {
        let told = |error: crate::store::StoreError| error.to_string();
        let value = match request {
            Request::Status => return Ok(self.status()),
            Request::Calls { limit } => serde_json::to_value(self.house.store.calls(limit).await.map_err(told)?),
            Request::Call { id } => {
                serde_json::to_value(self.house.store.call(id).await.map_err(told)?)
            }
        };
        value.map_err(|error| error.to_string())
    }
}
