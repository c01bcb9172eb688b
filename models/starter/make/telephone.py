"""A telephone line in numpy: noise, band-pass, level, G.711 mu-law and back, up-sampling; and whisper.cpp's log-mel."""

import os
import random

import numpy as np
import scipy.fft
import scipy.signal

RATE = 16_000
_LINE = scipy.signal.butter(4, [300, 3400], "bandpass", fs=8000, output="sos")
_HIGH = scipy.signal.butter(2, 180, "highpass", fs=8000, output="sos")
_HANN = np.hanning(401)[:-1].astype(np.float32)


def mu_law(x: np.ndarray) -> np.ndarray:
    """Through G.711 mu-law and back; float in [-1, 1] on both sides, as ITU-T G.711 quantises."""
    pcm = np.clip(np.round(x * 32767), -32635, 32635).astype(np.int32)
    magnitude = np.abs(pcm) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    decoded = ((mantissa * 2 + 33) << (exponent + 2)) - 132
    return (np.sign(pcm) * decoded / 32768).astype(np.float32)


def noise(n: int, rng: random.Random, np_rng: np.random.Generator) -> np.ndarray:
    """n samples at 8 kHz of white, pink, brown or mixed noise, or mains hum."""
    kind = rng.choice(["white", "pink", "brown", "hum", "mix"])
    white = np_rng.standard_normal(n).astype(np.float32)
    if kind == "white":
        return white
    if kind == "hum":
        t, f = np.arange(n) / 8000, rng.choice([50, 60, 100, 120])
        return (np.sin(2 * np.pi * f * t) + 0.5 * np.sin(6 * np.pi * f * t) + 0.2 * white).astype(np.float32)
    spectrum = np.fft.rfft(white)
    bins = np.maximum(np.arange(len(spectrum)), 1.0)
    power = {"pink": 0.5, "brown": 1.0, "mix": 0.7}[kind]
    return np.fft.irfft(spectrum / bins**power, n).astype(np.float32)


def _resample(x: np.ndarray, m: int) -> np.ndarray:
    fast = scipy.fft.next_fast_len(len(x), real=True)
    return scipy.signal.resample(np.pad(x, (0, fast - len(x))), int(round(fast * m / len(x))))[:m]


def _up(x: np.ndarray, rng: random.Random) -> np.ndarray:
    """8 to 16 kHz in one of three ways that receivers use."""
    u = rng.random()
    if u < 0.7:
        return scipy.signal.resample_poly(x, 2, 1).astype(np.float32)
    if u < 0.9:
        return np.interp(np.arange(2 * len(x)) / 2, np.arange(len(x)), x).astype(np.float32)
    return np.repeat(x, 2).astype(np.float32)


def call(x: np.ndarray, rate: int, rng: random.Random, np_rng: np.random.Generator, clean: bool = False) -> np.ndarray:
    """Speech as a telephone delivers it: float 16 kHz, of telephone band. `clean` leaves the noise out."""
    x = x.astype(np.float32)
    loud = np.nonzero(np.abs(x) > 0.01)[0]
    if len(loud):
        x = x[max(0, loud[0] - rate // 50):loud[-1] + rate // 20]
    speed = rng.uniform(0.9, 1.12) if rng.random() < 0.6 else 1.0
    y = _resample(x, int(len(x) * 8000 / rate / speed))
    y = y / (np.abs(y).max() + 1e-6)
    y = np.pad(y, (int(rng.uniform(0.05, 0.45) * 8000), int(rng.uniform(0.1, 0.6) * 8000))).astype(np.float32)
    if not clean and rng.random() < 0.55:
        hiss = noise(len(y), rng, np_rng)
        y = y + hiss / hiss.std() * y.std() * 10 ** (-rng.uniform(10, 38) / 20)
    u = rng.random()
    if u < 0.6:
        y = scipy.signal.sosfilt(_LINE, y)
    elif u < 0.8:
        y = scipy.signal.sosfilt(_HIGH, y)
    y = y / (np.abs(y).max() + 1e-6) * 10 ** (-rng.uniform(1, 18) / 20)
    return _up(mu_law(y), rng)


def silence(rng: random.Random, np_rng: np.random.Generator) -> np.ndarray:
    """A line on which nobody speaks: hiss, sometimes a ringing tone; float 16 kHz."""
    n = int(rng.uniform(0.5, 4) * 8000)
    y = noise(n, rng, np_rng) * rng.choice([0, 0.001, 0.005, 0.02])
    if rng.random() < 0.2:
        t = np.arange(n) / 8000
        y = y + 0.1 * (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t))
    return scipy.signal.resample_poly(mu_law(np.clip(y, -1, 1)), 2, 1).astype(np.float32)


def mel_filters(assets: str) -> np.ndarray:
    """Whisper's 80 mel filters [80, 201], from the openai-whisper package."""
    return np.load(os.path.join(assets, "mel_filters.npz"))["mel_80"].astype(np.float32)


def log_mel(x: np.ndarray, filters: np.ndarray) -> tuple[np.ndarray, float]:
    """Log-mel exactly as whisper.cpp computes it, over the frames that the audio touches, [80, frames]; and the value of padding."""
    p = np.concatenate([x[1:201][::-1], x, np.zeros(560, np.float32)])
    frames = (len(x) + 200) // 160 + 1
    p = np.pad(p, (0, max(0, (frames - 1) * 160 + 400 - len(p))))
    windows = np.lib.stride_tricks.as_strided(p, (frames, 400), (p.strides[0] * 160, p.strides[0]))
    power = np.abs(scipy.fft.rfft(windows * _HANN, axis=1)) ** 2
    mel = np.log10(np.maximum(power.astype(np.float32) @ filters.T, 1e-10)).T
    floor = mel.max() - 8
    return (np.maximum(mel, floor) + 4) / 4, float((max(-10, floor) + 4) / 4)
