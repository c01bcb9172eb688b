"""The recogniser file through whisper.cpp: transcripts, word errors by voice group, which words it knows, which it confuses."""

import collections
import difflib
import json
import random
import re
import time

import numpy as np

import grammar
import telephone
import templates
import voices

SAMPLES_A_POSITION = 320


def label(text: str) -> str:
    """What the recogniser is to write for a sentence: no commas, "a.m." and "p.m."."""
    return re.sub(r"\b([ap]) m\b\.?", r"\1.m.", text.replace(",", ""))


def words(text: str) -> list[str]:
    """Words for counting errors: lower case, no punctuation."""
    return re.findall(r"[a-z0-9']+", text.lower().replace("a.m.", "am").replace("p.m.", "pm").replace("-", " "))


def distance(a: list[str], b: list[str]) -> int:
    """Edit distance in words."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        new = [i + 1]
        for j, y in enumerate(b):
            new.append(min(row[j + 1] + 1, new[-1] + 1, row[j] + (x != y)))
        row = new
    return row[-1]


class Recogniser:
    """whisper.cpp as the product runs it: greedy, one segment, no timestamps, audio context cut in multiples of 256 positions."""

    def __init__(self, model: str):
        from pywhispercpp.model import Model
        self.model = Model(model, n_threads=1, redirect_whispercpp_logs_to="/dev/null", single_segment=True, no_timestamps=True,
                           no_context=True, language="en", print_progress=False, print_realtime=False, temperature_inc=0.0,
                           suppress_blank=True)
        self.processor_s = 0.0
        self.audio_s = 0.0

    def hear(self, x: np.ndarray) -> str:
        """The transcript of float 16 kHz audio."""
        context = min(1500, -(-(len(x) // SAMPLES_A_POSITION + 2) // 256) * 256)
        x = np.pad(x, (0, max(0, telephone.RATE * 11 // 10 - len(x)))).astype(np.float32)
        begun = time.process_time()
        text = " ".join(s.text for s in self.model.transcribe(x, audio_ctx=context))
        self.processor_s += time.process_time() - begun
        self.audio_s += len(x) / telephone.RATE
        return text.strip()


def any_sentence(rng: random.Random, split: str) -> str:
    """A sentence of the grammar: said at any moment, or as a bare answer."""
    anywhere, answers = templates.pools()
    speaker = grammar.Speaker(rng)
    if rng.random() < 0.2:
        options = [t for q in answers.values() for _, s, t in q if s == split]
    else:
        intent = rng.choices(list(anywhere), [templates.WEIGHTS.get(i, 1) for i in anywhere])[0]
        options = anywhere[intent][split]
    return grammar.plain(grammar.expand(rng.choice(options), speaker)[0])


def clip(rng: random.Random, np_rng: np.random.Generator, group: str, split: str, longest_s: float = 7.0):
    """(audio, sentence, voice): a sentence of the grammar on the telephone, by a voice of the group."""
    while True:
        text = any_sentence(rng, split)
        samples, rate, voice = voices.say(text, group, rng)
        if 800 <= len(samples) <= longest_s * rate and np.abs(samples).max() > 0.01:
            return telephone.call(samples, rate, rng, np_rng, clean=group != "train" and rng.random() < 0.5), text, voice


def word_errors(model: str, clips_a_group: int, seed: int = 7, shown: int = 20) -> dict:
    """Word error rates by voice group and by trained or held-out pattern, in percent, printed and returned."""
    recogniser, total, wrong = Recogniser(model), collections.Counter(), collections.Counter()
    for group in voices.GROUPS:
        rng, np_rng = random.Random(f"{seed} {group}"), np.random.default_rng(seed)
        for _ in range(clips_a_group):
            split = rng.choice(["train", "held"])
            audio, text, voice = clip(rng, np_rng, group, split)
            heard = recogniser.hear(audio)
            said, got = words(label(text)), words(heard)
            errors = distance(said, got)
            for key in ("all", group, f"{group}/{split}", split):
                total[key] += len(said)
                wrong[key] += errors
            total["sentences"] += 1
            wrong["sentences"] += errors > 0
            if errors and shown:
                shown -= 1
                print(f"  {voice}: {label(text)} | {heard}")
    rates = {key: 100 * wrong[key] / total[key] for key in total}
    for key in sorted(total):
        print(f"{key:24s} {rates[key]:5.1f} % of {total[key]}")
    print(f"processor time: {recogniser.processor_s / recogniser.audio_s:.3f} of the audio's length")
    return rates


def confusions(model: str, clips: int, out: str, seed: int = 11) -> None:
    """Writes what the recogniser makes of each word of trained voices and patterns: {word: {heard: count}}, "" for dropped."""
    recogniser, table = Recogniser(model), collections.defaultdict(collections.Counter)
    rng, np_rng = random.Random(seed), np.random.default_rng(seed)
    for _ in range(clips):
        audio, text, _ = clip(rng, np_rng, "train", "train")
        said, heard = words(label(text)), words(recogniser.hear(audio))
        for what, a0, a1, b0, b1 in difflib.SequenceMatcher(None, said, heard, autojunk=False).get_opcodes():
            if what == "equal":
                for word in said[a0:a1]:
                    table[word][word] += 1
            elif what == "delete":
                for word in said[a0:a1]:
                    table[word][""] += 1
            elif what == "replace":
                for i, word in enumerate(said[a0:a1]):
                    inside = heard[b0 + i:b0 + i + 1] if i < a1 - a0 - 1 else heard[b0 + i:b1]
                    table[word][" ".join(inside[:3])] += 1
    with open(out, "w") as f:
        json.dump({w: dict(c.most_common()) for w, c in sorted(table.items())}, f, indent=0, sort_keys=True)
    kept = sum(c[w] for w, c in table.items())
    print(f"{len(table)} words, {kept} of {sum(sum(c.values()) for c in table.values())} heard as said")
