"""The recogniser's words: which of Whisper's English tokens they need, and their phones for the CTC head."""

import base64
import json
import os
import random
import re
import subprocess

import tiktoken

import recogniser

END, START, NO_SPEECH, NO_TIMESTAMPS = 50256, 50257, 50361, 50362
TOKENS_OF_WHISPER = 51_864
_PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""


def token_bytes(assets: str) -> list[bytes]:
    """GPT-2's tokens in order, from the openai-whisper package."""
    with open(os.path.join(assets, "gpt2.tiktoken"), "rb") as f:
        return [base64.b64decode(line.split()[0]) for line in f if line.strip()]


def encoding(assets: str) -> tiktoken.Encoding:
    """GPT-2's byte-level BPE as whisper.cpp carries it."""
    ranks = {token: i for i, token in enumerate(token_bytes(assets))}
    return tiktoken.Encoding("gpt2-of-whisper", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens={})


def words_of(text: str) -> list[str]:
    """The words of a label, as the lexicon names them."""
    found = (w.rstrip(".").lower() for w in re.findall(r"[a-zA-Z'.-]+", text))
    return [w for w in found if w.strip("'-")]


def _phones(word: str) -> list[str]:
    said = {"a.m": "a m", "p.m": "p m"}.get(word, word)
    ipa = subprocess.run(["espeak-ng", "-q", "--ipa", "--sep=_", "-v", "en-us", said], capture_output=True, text=True, check=True).stdout
    return [p for p in re.split(r"[_\s]+", re.sub("[\u02c8\u02cc\u200d]", "", ipa).strip()) if p]


def build(assets: str, out: str, sentences: int = 60_000, seed: int = 11) -> None:
    """Writes {"tokens": used ids, "lexicon": word -> phones, "phones": the CTC alphabet, blank and word gap first}."""
    encoder, rng, used, words = encoding(assets), random.Random(seed), set(), set()
    for i in range(sentences):
        text = recogniser.label(recogniser.any_sentence(rng, "train" if i % 5 else "held"))
        used.update(encoder.encode(" " + text))
        words.update(words_of(text))
    lexicon = {w: _phones(w) for w in sorted(words)}
    phones = ["<blank>", " "] + sorted({p for said in lexicon.values() for p in said})
    with open(out, "w") as f:
        json.dump(dict(tokens=[END, START, NO_SPEECH, NO_TIMESTAMPS] + sorted(used), lexicon=lexicon, phones=phones), f)
    print(f"{len(used)} tokens, {len(lexicon)} words, {len(phones)} phones")
