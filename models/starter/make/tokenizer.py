"""The language model's own byte-level BPE of 2,048 tokens, in the `tokenizers` file format."""

import random

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

import turns

SIZE = 2048
SPECIAL = ["<|endoftext|>", turns.START, turns.END]
# llama.cpp's "qwen2" pre-tokenizer: every digit on its own.
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def train(out: str, examples: int = 60_000, seed: int = 1) -> None:
    """Trains on turns of trained patterns (a held-out sentence differs in its pattern, not in its words) and writes `out`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    rng, corpus = random.Random(seed), []
    for _ in range(examples):
        turn = turns.turn(rng)
        corpus += [turn.business, f"asked: {turn.asked}", turn.utterance, turn.reply()]
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=SIZE, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.save(out)
    sample = turns.turn(random.Random(3))
    text = sample.prefix() + sample.tail() + sample.reply()
    print(f"{tokenizer.get_vocab_size()} tokens; {len(text)} letters are {len(tokenizer.encode(text).ids)} tokens")
