"""Speaks with a Piper voice file, and lets the recogniser hear it."""

import collections
import json
import random
import time

import numpy as np
import onnxruntime

import grammar
import recogniser
import telephone
import voice_units
from phonemes import Phonemiser


class Voice:
    """A Piper voice through onnxruntime on one thread."""

    def __init__(self, path: str):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session, self.phonemiser = onnxruntime.InferenceSession(path, options), Phonemiser()
        with open(path + ".json") as f:
            described = json.load(f)
        self.ids, self.rate, self.processor_s = described["phoneme_id_map"], described["audio"]["sample_rate"], 0.0

    def say(self, text: str) -> np.ndarray:
        """The samples of a text: begin, each phoneme and a pad, end."""
        ids = [1]
        for letter in self.phonemiser.with_punctuation(text):
            ids += [*self.ids[letter], 0] if letter in self.ids else []
        begun = time.process_time()
        y = self.session.run(None, {"input": np.array([ids + [2]], np.int64), "input_lengths": np.array([len(ids) + 1], np.int64),
                                    "scales": np.array([0.667, 1.0, 0.8], np.float32)})[0]
        self.processor_s += time.process_time() - begun
        return y.reshape(-1)


def measure(voice_file: str, recogniser_file: str, count: int = 150, seed: int = 3) -> float:
    """Word errors, in percent, of the recogniser on the agent's and callers' sentences spoken by the voice over a telephone."""
    voice, ear, tally = Voice(voice_file), recogniser.Recogniser(recogniser_file), collections.Counter()
    rng, np_rng = random.Random(seed), np.random.default_rng(seed)
    speaker, seconds = grammar.Speaker(rng), 0.0
    for i in range(count):
        agent = i % 2 == 0
        text = (grammar.plain(grammar.expand(rng.choice(voice_units.agent_sentences()), speaker)[0]) if agent
                else recogniser.any_sentence(rng, "train"))
        y = voice.say(text)
        if not np.isfinite(y).all() or np.abs(y).max() < 0.02:
            raise ValueError(f"no speech for {text!r}")
        seconds += len(y) / voice.rate
        said = recogniser.words(recogniser.label(text))
        errors = recogniser.distance(said, recogniser.words(ear.hear(telephone.call(y, voice.rate, rng, np_rng, clean=True))))
        who = "agent" if agent else "caller"
        tally.update({f"{who} words": len(said), f"{who} errors": errors})
    for who in ("agent", "caller"):
        print(f"{who} sentences: {100 * tally[who + ' errors'] / tally[who + ' words']:.1f} % of {tally[who + ' words']} words")
    print(f"{1000 * voice.processor_s / count:.1f} ms a sentence of {seconds / count:.1f} s")
    return 100 * tally["caller errors"] / tally["caller words"]
