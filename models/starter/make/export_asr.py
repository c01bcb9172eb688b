"""Checkpoint to whisper.cpp's ggml file, quantised to q5_0. Tokens that were never used all get the learnt spare row."""

import os
import struct

import numpy as np
import torch
from gguf import GGMLQuantizationType, quants

import telephone
import vocabulary

MAGIC, POSITIONS, MELS, F16, Q5_0 = 0x67676D6C, 1500, 80, 1, 2008


def _tensor(name: str, tensor: torch.Tensor) -> tuple[tuple, int, bytes]:
    """(shape, ggml type, bytes): matrices quantised, convolutions in half precision, the rest in single."""
    values = tensor.float().numpy()
    if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        values = values.reshape(-1, 1)
    if values.ndim < 2 or name.endswith(("positional_embedding", "conv1.bias", "conv2.bias")):
        return values.shape, 0, np.ascontiguousarray(values, np.float32).tobytes()
    if values.ndim == 2 and values.shape[1] % 32 == 0:
        kind = GGMLQuantizationType.Q5_0
        rounded = values.astype(np.float16).astype(np.float32)
        return values.shape, int(kind), quants.quantize(rounded, kind).tobytes()
    return values.shape, F16, np.ascontiguousarray(values, np.float16).tobytes()


def export(checkpoint: str, assets: str, out: str) -> None:
    """Writes `out`."""
    kept = torch.load(checkpoint)
    sizes, weights = kept["sizes"], {k: v for k, v in kept["weights"].items() if not k.startswith("ctc")}
    rows = weights["decoder.token_embedding.weight"].float()
    full = rows[len(kept["tokens"])].repeat(vocabulary.TOKENS_OF_WHISPER, 1)
    full[torch.tensor(kept["tokens"])] = rows[:len(kept["tokens"])]
    weights["decoder.token_embedding.weight"] = full
    filters, tokens = telephone.mel_filters(assets), vocabulary.token_bytes(assets)
    with open(out, "wb") as f:
        f.write(struct.pack("12i", MAGIC, vocabulary.TOKENS_OF_WHISPER, POSITIONS, sizes["width"], sizes["heads"],
                            sizes["encoder_layers"], sizes["context"], sizes["width"], sizes["heads"], sizes["decoder_layers"], MELS, Q5_0))
        f.write(struct.pack("2i", *filters.shape) + filters.tobytes() + struct.pack("i", len(tokens)))
        for token in tokens:
            f.write(struct.pack("i", len(token)) + token)
        for name, tensor in weights.items():
            shape, kind, data = _tensor(name, tensor)
            f.write(struct.pack("3i", len(shape), len(name), kind) + struct.pack(f"{len(shape)}i", *shape[::-1]) + name.encode() + data)
    print(f"{out}: {os.path.getsize(out)} bytes")
