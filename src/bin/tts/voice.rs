//! A Piper voice: its ONNX graph on rten.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use rten::{Model, NodeId, RunOptions, ThreadPool, Value};

use super::phonemes::{Description, Inference, PhonemeIds};

/// A loaded voice. Threads share it; each run computes on the thread that asks.
pub struct Voice {
    model: Model,
    inputs: Inputs,
    output: NodeId,
    ids: PhonemeIds,
    inference: Inference,
    hertz: u32,
    phonemiser: String,
    pool: std::sync::Arc<ThreadPool>,
}

struct Inputs {
    ids: NodeId,
    lengths: NodeId,
    scales: NodeId,
    speaker: Option<NodeId>,
}

impl Voice {
    /// Loads the voice at `path` and its description beside it.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let description_path = PathBuf::from(format!("{}.json", path.display()));
        let text = std::fs::read_to_string(&description_path).with_context(|| format!("cannot read {}", description_path.display()))?;
        let description: Description =
            serde_json::from_str(&text).with_context(|| format!("{} describes no Piper voice", description_path.display()))?;
        ensure!(matches!(description.phoneme_type.as_str(), "" | "espeak"), "a voice of {} phonemes", description.phoneme_type);
        let model = Model::load_file(path).with_context(|| format!("{} cannot be loaded", path.display()))?;
        let node = |name: &str| model.node_id(name).with_context(|| format!("the voice has no input {name}"));
        let speaker = if description.num_speakers > 1 { Some(node("sid")?) } else { None };
        let inputs = Inputs { ids: node("input")?, lengths: node("input_lengths")?, scales: node("scales")?, speaker };
        let output = model.output_ids().first().copied().context("the voice has no output")?;
        Ok(Self {
            inputs,
            output,
            ids: PhonemeIds::new(&description),
            inference: description.inference,
            hertz: description.audio.sample_rate,
            phonemiser: description.espeak.voice,
            pool: std::sync::Arc::new(ThreadPool::with_num_threads(1)),
            model,
        })
    }

    /// Samples a second of [`Voice::speak`].
    pub fn hertz(&self) -> u32 {
        self.hertz
    }

    /// The espeak-ng voice that makes its phonemes.
    pub fn espeak_voice(&self) -> &str {
        &self.phonemiser
    }

    /// The sound of `phonemes`, between -1 and 1.
    pub fn speak(&self, phonemes: &str) -> anyhow::Result<Vec<f32>> {
        let ids = self.ids.ids(phonemes);
        let count = ids.len();
        let Inference { noise_scale, length_scale, noise_w } = self.inference;
        let length = vec![i32::try_from(count)?];
        let scales = vec![noise_scale, length_scale, noise_w];
        let mut inputs = vec![
            (self.inputs.ids, Value::from_shape([1, count].as_slice(), ids)?.into()),
            (self.inputs.lengths, Value::from_shape([1].as_slice(), length)?.into()),
            (self.inputs.scales, Value::from_shape([3].as_slice(), scales)?.into()),
        ];
        if let Some(speaker) = self.inputs.speaker {
            inputs.push((speaker, Value::from_shape([1].as_slice(), vec![0_i32])?.into()));
        }
        let options = RunOptions::default().with_thread_pool(Some(std::sync::Arc::clone(&self.pool)));
        let outputs: Vec<Value> = self.model.run(inputs, &[self.output], Some(options))?;
        let sound = outputs.into_iter().next().and_then(Value::into_tensor::<f32>).context("the voice said nothing")?;
        Ok(sound.into_data())
    }
}
