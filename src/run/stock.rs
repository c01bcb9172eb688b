//! Sentences that are kept as sound in memory, so that they can be said with every engine dead.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::base::clock::Clock;
use crate::base::{Rate, StreamId};
use crate::call::Stock;
use crate::engine::Speak;

use super::workers::Engines;

/// How long making one may take, the start of the engine included.
const PATIENCE: Duration = Duration::from_secs(10);

/// The phrases that are ready; clones share them.
#[derive(Clone, Default)]
pub struct Phrases(Arc<Mutex<BTreeMap<Stock, Arc<[i16]>>>>);

impl Phrases {
    /// Makes what is not ready yet. What fails now is tried again by the next call of this.
    pub async fn make(&self, engines: &Engines, clock: Clock) {
        for stock in Stock::ALL {
            if self.get(stock).is_some() {
                continue;
            }
            let work = Speak {
                stream: StreamId::default(),
                text: stock.text().to_owned(),
                fixed: true,
                rate: Rate::K8,
                deadline: clock.now() + PATIENCE,
            };
            let mut chunks = engines.speak(work);
            let mut pcm = Vec::new();
            let mut whole = false;
            while let Some(Ok(chunk)) = chunks.recv().await {
                pcm.extend_from_slice(&chunk.pcm);
                whole = chunk.last;
            }
            if whole {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(stock, pcm.into());
            }
        }
    }

    /// The sound of a phrase, 8 kHz.
    pub fn get(&self, stock: Stock) -> Option<Arc<[i16]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&stock).cloned()
    }
}
