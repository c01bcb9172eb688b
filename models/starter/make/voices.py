"""The synthetic voices: espeak-ng variants and accents, flite's diphone and clunits voices, festival's HTS voice (held out)."""

import os
import random
import subprocess
import tempfile

import numpy as np
import soundfile

ESPEAK_TRAINED = """f1 f2 f3 f5 m1 m2 m3 m4 m6 m7 m8 Alex Alicia Andrea Denis Diogo Gene Henrique Hugo Jacky Lee Marco Mario Michael
Mike Nguyen adam anika antonio belinda benjamin boris caleb david ed edward grandma iven iven3 john linda max michel miguel norbert
pablo paul pedro quincy rob robert sandro shelby steph steph3 travis victor zac klatt klatt2 klatt4 Tweaky""".split()
ESPEAK_HELD = "f4 m5 Annie Andy steph2 klatt3".split()
ACCENTS = """en-us en-us en-us en-us en-gb en-gb en-gb-x-rp en-gb-scotland en-029 en-gb-x-gbclan en-gb-x-gbcwmd en-us-nyc""".split()
FLITE_TRAINED = ["slt", "awb", "kal16"]
FLITE_PITCH = {"slt": 170, "rms": 100, "awb": 120, "kal16": 105}
GROUPS = ["seen", "espeak_held", "rms_held", "festival_held"]


def _run(command: list[str], text: str | None = None) -> None:
    subprocess.run(command, input=text, text=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _espeak(text: str, wav: str, variant: str, rng: random.Random) -> None:
    accent = rng.choice(ACCENTS)
    voice = f"{accent}+{variant}" if variant in ESPEAK_HELD or rng.random() < 0.93 else accent
    _run(["espeak-ng", "-v", voice, "-s", str(int(rng.gauss(160, 16))), "-p", str(rng.randint(25, 75)), "-w", wav, text])


def _flite(text: str, wav: str, voice: str, rng: random.Random) -> None:
    stretch, pitch = rng.uniform(0.85, 1.2), FLITE_PITCH[voice] * rng.uniform(0.85, 1.2)
    _run(["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}", "--setf", f"int_f0_target_mean={pitch:.0f}",
          "-t", text, "-o", wav])


def _festival(text: str, wav: str) -> None:
    said = text.replace('"', "")
    _run(["festival", "--pipe"],
         f'(voice_cmu_us_slt_arctic_hts) (utt.save.wave (utt.synth (Utterance Text "{said}")) "{wav}" (quote riff))')


def say(text: str, group: str, rng: random.Random) -> tuple[np.ndarray, int, str]:
    """(samples, rate, voice name) of a voice drawn from a group: "train" or one of `GROUPS`."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        wav = os.path.join(folder, "a.wav")
        if group in ("train", "seen"):
            if rng.random() < 0.55:
                name = rng.choice(ESPEAK_TRAINED)
                _espeak(text, wav, name, rng)
            else:
                name = rng.choices(FLITE_TRAINED, [22, 12, 11])[0]
                _flite(text, wav, name, rng)
        elif group == "espeak_held":
            name = rng.choice(ESPEAK_HELD)
            _espeak(text, wav, name, rng)
        elif group == "rms_held":
            name = "rms"
            _flite(text, wav, name, rng)
        else:
            name = "festival"
            _festival(text, wav)
        samples, rate = soundfile.read(wav)
    return samples, rate, name
