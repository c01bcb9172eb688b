"""Trains the recogniser: attention loss plus phone CTC, which is what makes a model this small converge."""

import glob
import json
import math
import os
import pickle
import random
import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

import vocabulary
from whisper_model import Whisper

FRAMES_A_BATCH = 14_000
WARPS = np.linspace(0.86, 1.16, 13)


@dataclass
class Clip:
    """One clip, ready to train on."""

    mel: np.ndarray
    padding: float
    tokens: list[int]
    phones: list[int]


class Words:
    """The vocabulary file: labels to token rows and phones."""

    def __init__(self, path: str, assets: str):
        with open(path) as f:
            kept = json.load(f)
        self.tokens, self.phones, self.lexicon = kept["tokens"], kept["phones"], kept["lexicon"]
        self.row = {t: i for i, t in enumerate(self.tokens)}
        self.phone = {p: i for i, p in enumerate(self.phones)}
        self.encoding = vocabulary.encoding(assets)

    def encode(self, text: str) -> tuple[list[int], list[int]]:
        """(token rows, phones with word gaps). KeyError for a word outside the vocabulary."""
        rows = [self.row[t] for t in self.encoding.encode(" " + text)] if text else []
        phones = []
        for word in vocabulary.words_of(text):
            phones += ([1] if phones else []) + [self.phone[p] for p in self.lexicon[word]]
        return rows, phones


def load(folder: str, words: Words) -> list[Clip]:
    """All clips of a folder whose labels the vocabulary can write and whose phones fit their frames."""
    out = []
    for path in sorted(glob.glob(os.path.join(folder, "clips*.pickle"))):
        with open(path, "rb") as f:
            for mel, padding, text in pickle.load(f):
                try:
                    rows, phones = words.encode(text)
                except KeyError:
                    continue
                if len(phones) <= mel.shape[1] / 2:
                    out.append(Clip(mel, padding, rows, phones))
    return out


def _warp_tables() -> list[tuple[np.ndarray, np.ndarray]]:
    """For each vocal tract length: where each mel band reads from when the frequency axis is stretched."""
    to_mel = lambda f: np.where(f < 1000, 3 * f / 200, 15 + 27 * np.log(np.maximum(f, 1e-3) / 1000) / np.log(6.4))
    to_hz = lambda m: np.where(m < 15, 200 * m / 3, 1000 * 6.4 ** ((m - 15) / 27))
    centres, out = np.linspace(to_mel(np.float64(0)), to_mel(np.float64(8000)), 82)[1:-1], []
    for factor in WARPS:
        at = np.clip((to_mel(to_hz(centres) * factor) - centres[0]) / (centres[1] - centres[0]), 0, 79)
        low = np.minimum(at.astype(int), 78)
        out.append((low, (at - low).astype(np.float32)[:, None]))
    return out


_TABLES = _warp_tables()


def _augmented(clip: Clip, frames: int, rng: random.Random) -> np.ndarray:
    """The clip's mel [80, frames]: warped in frequency, with stretches of time and bands masked."""
    n = min(clip.mel.shape[1], frames)
    out, mel = np.full((80, frames), clip.padding, np.float32), clip.mel[:, :n].astype(np.float32)
    if rng.random() < 0.6:
        low, part = rng.choice(_TABLES)
        mel = mel[low] * (1 - part) + mel[low + 1] * part
    out[:, :n] = mel
    for _ in range(rng.randint(0, 2)):
        wide = rng.randint(1, 14)
        at = rng.randint(0, max(1, n - wide))
        out[:, at:at + wide] = clip.padding
    for _ in range(rng.randint(0, 2)):
        wide = rng.randint(1, 9)
        at = rng.randint(0, 80 - wide)
        out[at:at + wide, :n] = clip.padding
    return out


def _loss(model: Whisper, batch: list[Clip], words: Words, frames: int, zero_keys: int, rng: random.Random):
    """(loss, share of tokens right). 12 % of the decoder's input tokens are random, so that it listens."""
    end, start, no_speech, plain = (words.row[t] for t in
                                    (vocabulary.END, vocabulary.START, vocabulary.NO_SPEECH, vocabulary.NO_TIMESTAMPS))
    mel = torch.from_numpy(np.stack([_augmented(c, frames, rng) for c in batch]))
    longest = max(len(c.tokens) for c in batch) + 2
    given, target = torch.zeros(len(batch), longest, dtype=torch.long), torch.full((len(batch), longest), -100)
    for i, c in enumerate(batch):
        given[i, :len(c.tokens) + 2] = torch.tensor([start, plain, *c.tokens])
        target[i, :len(c.tokens) + 2] = torch.tensor([plain, *c.tokens, end if c.tokens else no_speech])
    lost = torch.rand(given.shape) < 0.12
    lost[:, :2] = False
    given = torch.where(lost, torch.randint(0, len(words.tokens), given.shape), given)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = model.encoder(mel, zero_keys=zero_keys)
        logits, phones = model.decoder(given, states, zero_keys=zero_keys).float(), model.ctc(states).float()
    unused = len(words.tokens)
    spread = torch.zeros(unused + 1)
    spread[unused] = math.log(vocabulary.TOKENS_OF_WHISPER - unused)
    logits = logits + spread
    attention = F.cross_entropy(logits.view(-1, unused + 1), target.view(-1), ignore_index=-100, label_smoothing=0.05)
    lengths = torch.tensor([min((c.mel.shape[1] + 1) // 2 + 2, phones.shape[1]) for c in batch])
    ctc = F.ctc_loss(phones.log_softmax(-1).transpose(0, 1), torch.tensor([p for c in batch for p in c.phones]), lengths,
                     torch.tensor([len(c.phones) for c in batch]), zero_infinity=True)
    right = ((logits.argmax(-1) == target) & (target >= 0)).sum() / (target >= 0).sum()
    return attention + 0.5 * ctc, right.item()


def _batches(clips: list[Clip], rng: random.Random):
    """Endless batches of clips of like length."""
    while True:
        order, batch, longest, out = sorted(clips, key=lambda c: c.mel.shape[1] + rng.uniform(-25, 25)), [], 0, []
        for clip in order:
            longest = max(longest, clip.mel.shape[1])
            if batch and longest * (len(batch) + 1) > FRAMES_A_BATCH:
                out.append(batch)
                batch, longest = [], clip.mel.shape[1]
            batch.append(clip)
        out.append(batch)
        rng.shuffle(out)
        yield from out


def start_from(model: Whisper, words: Words, path: str) -> None:
    """Fills the model from an earlier checkpoint; tokens and phones that are new to it start from its spare row."""
    kept = torch.load(path)
    weights = {k: v.float() for k, v in kept["weights"].items()}
    for key, ours, theirs in (("decoder.token_embedding.weight", words.tokens + [None], kept["tokens"] + [None]),
                              ("ctc.weight", words.phones, kept["phones"]), ("ctc.bias", words.phones, kept["phones"])):
        at, old, new = {t: i for i, t in enumerate(theirs)}, weights[key], model.state_dict()[key].clone()
        for i, t in enumerate(ours):
            if t in at:
                new[i] = old[at[t]]
            elif key.startswith("decoder"):
                new[i] = old[:-1].mean(0) + torch.randn(old.shape[1]) * old.std() * 0.5
        weights[key] = new
    model.load_state_dict(weights)


def _shape(batch: list[Clip], done: float, rng: random.Random) -> tuple[list[Clip], int, int]:
    """(clips, frames, zero keys): late in training some batches have the long, padded contexts that inference has."""
    longest, u = max(c.mel.shape[1] for c in batch), rng.random()
    if done > 0.75 and u < 0.04:
        batch, frames = batch[:4], 3000
    elif done > 0.4 and u < 0.25:
        batch, frames = batch[:max(4, len(batch) * 2 // 3)], (longest + 511) // 512 * 512
    else:
        frames = longest + rng.randint(0, 24)
    frames += frames % 2
    return batch, frames, 0 if rng.random() < 0.6 else -(frames // 2) % 256


def train(folder: str, vocabulary_file: str, assets: str, out: str, presentations: int, rate: float = 1.5e-3,
          earlier: str | None = None, seed: int = 77) -> None:
    """Trains on about `presentations` clips (each may come several times); writes the average of the last weights to `out`."""
    torch.manual_seed(seed)
    rng, words = random.Random(seed), Words(vocabulary_file, assets)
    clips = load(folder, words)
    model = Whisper(vocabulary=len(words.tokens) + 1, phones=len(words.phones))
    if earlier:
        start_from(model, words, earlier)
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(clips)} clips", flush=True)
    wide, flat = [p for p in model.parameters() if p.ndim >= 2], [p for p in model.parameters() if p.ndim < 2]
    optimiser = torch.optim.AdamW([dict(params=wide, weight_decay=0.02), dict(params=flat, weight_decay=0)], lr=rate,
                                  betas=(0.9, 0.98), fused=True)
    warm, begun, seen, step, recent, average = (40 if earlier else 250), time.time(), 0, 0, [], None
    for batch in _batches(clips, rng):
        done = seen / presentations
        if done >= 1:
            break
        scale = min(1, (step + 1) / warm) * (0.49 * (1 + math.cos(math.pi * done)) + 0.02)
        for group in optimiser.param_groups:
            group["lr"] = rate * scale
        batch, frames, zero_keys = _shape(batch, done, rng)
        loss, right = _loss(model, batch, words, frames, zero_keys, rng)
        optimiser.zero_grad(set_to_none=False)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        seen, step = seen + len(batch), step + 1
        recent = [*recent[-49:], (loss.item(), right)]
        if done > 0.85 and step % 5 == 0:
            average = _averaged(average, model)
        if step % 50 == 0:
            mean = np.mean(recent, 0)
            print(f"{time.time() - begun:.0f} s step {step} clips {seen} loss {mean[0]:.3f} right {mean[1]:.3f}", flush=True)
        if step % 200 == 0:
            save(model, model.state_dict(), words, out)
    save(model, average or model.state_dict(), words, out)


def _averaged(average: dict | None, model: Whisper) -> dict:
    if average is None:
        return {k: v.clone() for k, v in model.state_dict().items()}
    return {k: 0.96 * average[k] + 0.04 * v for k, v in model.state_dict().items()}


def save(model: Whisper, weights: dict, words: Words, out: str) -> None:
    """Writes sizes, weights and the vocabulary that the rows stand for."""
    torch.save(dict(sizes=model.sizes, weights=weights, tokens=words.tokens, phones=words.phones), out)
