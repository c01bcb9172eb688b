"""Makes the starter models: `python make.py COMMAND`. Works in ./build, writes the model files one folder up.

Without a command it prints the commands in their order. Everything is drawn from fixed seeds.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

# One thread each, so that a run repeats to the bit and several can share a machine; more with THREADS=n.
THREADS = os.environ.get("THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", THREADS)

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
ASR = HERE.parent / "starter-whisper.en-q5_0.bin"
LLM = HERE.parent / "starter-llm-q8_0.gguf"
VOICE = HERE.parent / "starter-slt.onnx"


def _torch() -> None:
    import torch
    torch.set_num_threads(int(THREADS))


def assets(a) -> None:
    """fetches Whisper's token table and mel filters out of the openai-whisper source package"""
    import subprocess
    import tarfile
    subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "-d", BUILD,
                    "openai-whisper==20250625"], check=True)
    with tarfile.open(next(BUILD.glob("openai*whisper-*.tar.gz"))) as package:
        for member in package.getmembers():
            if member.name.endswith(("assets/gpt2.tiktoken", "assets/mel_filters.npz")):
                with open(BUILD / Path(member.name).name, "wb") as out:
                    shutil.copyfileobj(package.extractfile(member), out)


def sentences(a) -> None:
    """prints labelled turns, as the language model meets them: --count"""
    import random
    import turns
    rng = random.Random(a.seed)
    for i in range(a.count or 40):
        turn = turns.turn(rng, "held" if i % 4 == 3 else "train")
        print(f"{turn.asked:9s} | {turn.utterance} | {turn.reply()}")


def confusions(a) -> None:
    """writes what the recogniser makes of each word (confusions.json), which is the noise that the language model trains under"""
    import recogniser
    recogniser.confusions(str(ASR), a.count or 1800, str(HERE / "confusions.json"))


def tokenizer(a) -> None:
    """trains the language model's tokenizer"""
    import tokenizer as module
    module.train(str(BUILD / "tokenizer.json"))


def train_llm(a) -> None:
    """trains the language model: --steps, --from CHECKPOINT to go on, --hold share of steps at the full rate"""
    _torch()
    import language_model
    language_model.train(str(BUILD / "tokenizer.json"), str(BUILD / "llm.pt"), a.steps or 2600, hold=a.hold, earlier=a.earlier,
                         seed=a.seed)


def export_llm(a) -> None:
    """writes the GGUF file"""
    import export_llm as module
    module.export(str(BUILD / "llm.pt"), str(BUILD / "tokenizer.json"), str(LLM))


def eval_llm(a) -> None:
    """measures the GGUF file through llama.cpp under a grammar, without and with misheard words: --count turns of each kind"""
    import eval_llm as module
    for noise in (0.0, 0.06):
        print(f"share of words misheard: {noise}")
        module.measure(str(LLM), a.count or 600, noise, shown=a.shown)


def words(a) -> None:
    """lists the recogniser's tokens, words and phones"""
    import vocabulary
    vocabulary.build(str(BUILD), str(BUILD / "vocabulary.json"))


def synth(a) -> None:
    """speaks training clips for the recogniser: --count thousands, from number --first"""
    import clips
    (BUILD / "clips").mkdir(exist_ok=True)
    for number in range(a.first, a.first + (a.count or 90)):
        print(clips.shard(number, 1000, str(BUILD / "clips"), str(BUILD)), flush=True)


def train_asr(a) -> None:
    """trains the recogniser: --steps clips to present, --from CHECKPOINT to go on, --rate"""
    _torch()
    import train_asr as module
    module.train(str(BUILD / "clips"), str(BUILD / "vocabulary.json"), str(BUILD), str(BUILD / "asr.pt"), a.steps or 450_000,
                 rate=a.rate, earlier=a.earlier, seed=a.seed)


def export_asr(a) -> None:
    """writes the whisper.cpp file"""
    import export_asr as module
    module.export(str(BUILD / "asr.pt"), str(BUILD), str(ASR))


def wer(a) -> None:
    """word error rate of the whisper.cpp file by voice group and pattern: --count clips of each group"""
    import recogniser
    recogniser.word_errors(str(ASR), a.count or 100)


def units(a) -> None:
    """cuts the voice's diphones"""
    import voice_units
    voice_units.build(str(BUILD / "units.npz"))


def voice(a) -> None:
    """writes the voice's ONNX file"""
    import voice_graph
    voice_graph.build(str(BUILD / "units.npz"), str(VOICE))


def hear_voice(a) -> None:
    """lets the recogniser hear the voice: --count sentences"""
    import voice as module
    module.measure(str(VOICE), str(ASR), a.count or 150)


COMMANDS = dict((f.__name__.replace("_", "-"), f) for f in (
    assets, sentences, words, synth, train_asr, export_asr, wer, confusions, tokenizer, train_llm, export_llm, eval_llm, units, voice,
    hear_voice))


def main() -> None:
    """Parses the command line and runs one command."""
    listed = "\n".join(f"  {name:11s} {f.__doc__}" for name, f in COMMANDS.items())
    parser = argparse.ArgumentParser(description=__doc__ + "\n" + listed, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", choices=COMMANDS)
    for name, kind, default in (("count", int, 0), ("first", int, 0), ("steps", int, 0), ("seed", int, 123), ("shown", int, 0), ("rate", float, 1.5e-3),
                                ("hold", float, 0.25)):
        parser.add_argument(f"--{name}", type=kind, default=default)
    parser.add_argument("--from", dest="earlier")
    given = parser.parse_args()
    if not given.command:
        parser.print_help()
        return
    BUILD.mkdir(exist_ok=True)
    COMMANDS[given.command](given)


if __name__ == "__main__":
    main()
