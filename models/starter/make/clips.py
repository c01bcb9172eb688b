"""Training clips for the recogniser: sentences, halves of sentences and word salad, spoken and sent through a telephone."""

import os
import pickle
import random
import re
from functools import lru_cache

import numpy as np

import recogniser
import telephone
import voices

LONGEST_S = 7.0


@lru_cache
def all_words() -> list[str]:
    """Every word of the trained sentences, proper names with their capital."""
    rng, found = random.Random(5), set()
    for _ in range(20_000):
        text = recogniser.any_sentence(rng, "train").replace(",", "").rstrip(".?")
        found.update(re.sub(r"[.?] ", " ", text).split())
    return sorted(w for w in found if w == w.lower() or w.lower() not in found)


def sentence(rng: random.Random) -> str:
    """A sentence to speak. Two in five are broken on purpose, so that sounds are learnt rather than templates."""
    text, u = recogniser.any_sentence(rng, "train"), rng.random()
    if u < 0.14 and len(text) < 45:
        more = recogniser.any_sentence(rng, "train")
        return f"{text} {more}" if len(more) < 50 else text
    if u < 0.34:
        a, b = text.rstrip(".?").split(), recogniser.any_sentence(rng, "train").split()
        if len(a) > 2 and len(b) > 2:
            return " ".join(a[:rng.randint(1, len(a) - 1)] + b[rng.randint(1, len(b) - 1):])
    elif u < 0.58:
        salad = " ".join(rng.choice(all_words()) for _ in range(rng.randint(2, 6)))
        return salad[0].upper() + salad[1:] + "."
    return text


def shard(number: int, count: int, folder: str, assets: str) -> str:
    """Writes `count` clips, [(log-mel float16 [80, frames], padding value, label)], and returns the file. One in fifty is silence."""
    rng, np_rng, out = random.Random(1000 + number), np.random.default_rng(1000 + number), []
    filters = telephone.mel_filters(assets)
    while len(out) < count:
        if rng.random() < 0.02:
            mel, padding = telephone.log_mel(telephone.silence(rng, np_rng), filters)
            out.append((mel.astype(np.float16), padding, ""))
            continue
        text = sentence(rng)
        samples, rate, _ = voices.say(text, "train", rng)
        if not 800 <= len(samples) <= LONGEST_S * rate or np.abs(samples).max() < 0.01:
            continue
        mel, padding = telephone.log_mel(telephone.call(samples, rate, rng, np_rng), filters)
        out.append((mel.astype(np.float16), padding, recogniser.label(text)))
    path = os.path.join(folder, f"clips{number:04d}.pickle")
    with open(path + ".part", "wb") as f:
        pickle.dump(out, f, protocol=4)
    os.replace(path + ".part", path)
    return path
