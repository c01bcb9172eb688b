//! What the control socket and the status page are answered from.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::observe::{Kind, Measure};
use crate::sip::Command;
use crate::web::{Health, Look};

use super::control::{Control, Request};
use super::daemon::DRAIN_RETRY_S;
use super::house::House;
use super::outward::{Dial, Outward};
use super::roll::Roll;

/// Notices that the status shows.
const NOTICES: usize = 5;

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
    pub async fn status(&self) -> Value {
        let notices = self.house.store.read(|reader| reader.notices(NOTICES)).await;
        let notices = notices.map_or_else(|error| json!(error.to_string()), |notices| json!(notices));
        let media = self.house.hub.media_stats();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_s": self.house.clock.now().as_millis() / 1_000,
            "pack": self.pack,
            "notice": self.notice,
            "workers": self.house.engines.status(),
            "calls": self.roll.all(),
            "notices": notices,
            "trunks": self.house.trunks.status(self.house.clock.now()),
            "phones": self.house.phone_book.status(),
            "sip": self.house.doorman.status(),
            "connections": self.house.wires.counts(),
            "sound": {
                "send_deviation_p50_us": media.send_deviation.quantile_us(500),
                "send_deviation_p99_us": media.send_deviation.quantile_us(990),
                "ticks_missed": media.ticks_missed.get(),
                "listen_lost_reports": self.house.hub.listen_stats().lost_reports.get(),
                "listen_tick_p99_us": self.house.hub.listen_stats().work.quantile_us(990),
                "reports_lost": self.house.hub.lost(),
            },
        })
    }
}

impl Front {
    async fn dial(&self, dial: Dial) -> Value {
        let answer = Outward::new(Arc::clone(&self.house), self.roll.clone()).dial(dial).await;
        answer.unwrap_or_else(|refusal| json!({ "refused": refusal.code(), "why": refusal.to_string() }))
    }
}

impl Control for Front {
    async fn answer(&self, request: Request) -> Result<Value, String> {
        let told = |error: crate::store::StoreError| error.to_string();
        let value = match request {
            Request::Status => return Ok(self.status().await),
            Request::SipTrace(asked) => serde_json::to_value(self.house.trace.find(&asked)),
            Request::Drain { off } => {
                let command = if off { Command::Undrain } else { Command::Drain { retry_after_s: DRAIN_RETRY_S } };
                self.house.sip(command).await;
                Ok(json!({ "calls": self.roll.len() }))
            }
            Request::Calls { limit } => serde_json::to_value(self.house.store.calls(limit).await.map_err(told)?),
            Request::Call { id } => serde_json::to_value(self.house.store.call(id).await.map_err(told)?),
            Request::Dial(dial) => return Ok(self.dial(dial).await),
            Request::AddConsent(row) => {
                serde_json::to_value(self.house.store.write(move |ledger| ledger.add_consent(&row)).await.map_err(told)?)
            }
            Request::WithdrawConsents { number } => {
                serde_json::to_value(self.house.store.write(move |ledger| ledger.withdraw_consents(&number)).await.map_err(told)?)
            }
            Request::Consents { number } => {
                serde_json::to_value(self.house.store.read(move |reader| reader.consents(number.as_deref())).await.map_err(told)?)
            }
        };
        value.map_err(|error| error.to_string())
    }
}

impl Look for Front {
    fn health(&self) -> Health {
        if self.house.switchboard.is_closed() {
            return Health::Down("the signalling has stopped".to_owned());
        }
        if !self.house.hub.is_up() {
            return Health::Down("a sound thread has stopped".to_owned());
        }
        let down = self.house.engines.status().into_iter().find(|worker| worker.state != crate::engine::WorkerState::Ready);
        down.map_or(Health::Well, |worker| Health::Degraded(format!("{} is not ready: {}", worker.kind, worker.detail)))
    }

    async fn status(&self) -> Value {
        Self::status(self).await
    }

    async fn place(&self, body: &[u8]) -> Result<Value, Value> {
        let dial: Dial = serde_json::from_slice(body).map_err(|error| json!({ "refused": "not_understood", "why": error.to_string() }))?;
        let answer = self.dial(dial).await;
        if answer.get("refused").is_some() { Err(answer) } else { Ok(answer) }
    }

    fn measures(&self) -> Vec<Measure> {
        let media = self.house.hub.media_stats();
        let restarts: u32 = self.house.engines.status().iter().map(|worker| worker.restarts).sum();
        #[expect(clippy::cast_precision_loss, reason = "a measure for people")]
        let counted = |name, help, value: u64| Measure { name, help, kind: Kind::Counter, value: value as f64 };
        #[expect(clippy::cast_precision_loss, reason = "a measure for people")]
        let level = |name, help, value: u64| Measure { name, help, kind: Kind::Gauge, value: value as f64 };
        vec![
            level("nightbell_calls_active", "Calls in progress.", u64::try_from(self.roll.len()).unwrap_or(u64::MAX)),
            counted("nightbell_worker_restarts_total", "Times a worker was started again.", u64::from(restarts)),
            level("nightbell_rtp_send_deviation_p99_microseconds", "How late RTP is sent.", media.send_deviation.quantile_us(990)),
            counted("nightbell_media_ticks_missed_total", "Ticks of the media thread that were skipped.", media.ticks_missed.get()),
            counted("nightbell_sound_reports_lost_total", "Reports of the sound threads that no call took.", self.house.hub.lost()),
        ]
    }
}
