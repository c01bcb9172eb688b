//! Choosing the next token: the likeliest that the grammar permits.

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data::LlamaTokenData;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;

/// Candidates tried before the whole vocabulary is.
const NEXT_BEST: usize = 64;

/// A grammar in the middle of a text.
pub struct Grammar(LlamaSampler);

/// A token and how likely it was.
#[derive(Clone, Copy, Debug)]
pub struct Picked {
    /// The token.
    pub token: LlamaToken,
    /// Its probability, 0 to 1: among all tokens when it is the model's first choice, among those permitted otherwise.
    pub probability: f32,
}

impl Grammar {
    /// Reads GBNF whose start is `root`.
    pub fn read(model: &LlamaModel, text: &str) -> Result<Self, String> {
        LlamaSampler::grammar(model, text, "root").map(Self).map_err(|error| format!("the grammar cannot be read: {error}"))
    }

    /// Goes on behind `token`, which it permits.
    pub fn accept(&mut self, token: LlamaToken) {
        self.0.accept(token);
    }

    /// Whether the text may go on with `token` (or may end, for an end token).
    pub fn permits(&mut self, token: LlamaToken) -> bool {
        !self.permitted(vec![LlamaTokenData::new(token, 0.0, 0.0)]).is_empty()
    }

    fn permitted(&mut self, candidates: Vec<LlamaTokenData>) -> Vec<LlamaTokenData> {
        let mut array = LlamaTokenDataArray::new(candidates, false);
        self.0.apply(&mut array);
        array.data.retain(|candidate| candidate.logit().is_finite());
        array.data
    }
}

/// The likeliest token that `grammar` permits; `None` when it permits none. A grammar over a whole vocabulary is slow, and the model's first
/// choice is usually permitted: so that is asked first, then the next best, and all only when none of them fits. The choice is the same.
pub fn pick(logits: &[f32], grammar: Option<&mut Grammar>) -> Option<Picked> {
    let (best, top) = logits.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let token = LlamaToken(i32::try_from(best).ok()?);
    let probability = 1.0 / logits.iter().map(|logit| (logit - top).exp()).sum::<f32>();
    let Some(grammar) = grammar else { return Some(Picked { token, probability }) };
    if grammar.permits(token) {
        return Some(Picked { token, probability });
    }
    let mut order: Vec<LlamaTokenData> =
        (0_i32..).zip(logits).map(|(token, logit)| LlamaTokenData::new(LlamaToken(token), *logit, 0.0)).collect();
    if order.len() > NEXT_BEST {
        order.select_nth_unstable_by(NEXT_BEST, |a, b| b.logit().total_cmp(&a.logit()));
        let next_best = order.get(..NEXT_BEST).unwrap_or_default().to_vec();
        if let Some(picked) = likeliest(&grammar.permitted(next_best)) {
            return Some(picked);
        }
    }
    likeliest(&grammar.permitted(order))
}

fn likeliest(permitted: &[LlamaTokenData]) -> Option<Picked> {
    let best = permitted.iter().max_by(|a, b| a.logit().total_cmp(&b.logit()))?;
    let sum: f32 = permitted.iter().map(|candidate| (candidate.logit() - best.logit()).exp()).sum();
    Some(Picked { token: best.id(), probability: 1.0 / sum })
}
