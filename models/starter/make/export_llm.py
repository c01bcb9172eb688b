"""Checkpoint and tokenizer to a GGUF file that llama.cpp loads: q8_0 matrices, f32 norms, ChatML template."""

import json
import os

import gguf
import numpy as np
import torch

TEMPLATE = ("{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
CONTEXT = 1024


def _header(w: gguf.GGUFWriter, sizes: dict) -> None:
    w.add_name("nightbell starter receptionist")
    w.add_context_length(CONTEXT)
    w.add_embedding_length(sizes["width"])
    w.add_block_count(sizes["layers"])
    w.add_feed_forward_length(sizes["inner"])
    w.add_head_count(sizes["heads"])
    w.add_head_count_kv(sizes["heads"])
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_dimension_count(sizes["width"] // sizes["heads"])
    w.add_rope_freq_base(10_000.0)
    w.add_vocab_size(sizes["vocabulary"])
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def _vocabulary(w: gguf.GGUFWriter, tokenizer: dict) -> None:
    ids = tokenizer["model"]["vocab"]
    tokens = sorted(ids, key=ids.get)
    special = {t["id"] for t in tokenizer["added_tokens"]}
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list(tokens)
    w.add_token_types([gguf.TokenType.CONTROL if i in special else gguf.TokenType.NORMAL for i in range(len(tokens))])
    w.add_token_merges([" ".join(m) if isinstance(m, list) else m for m in tokenizer["model"]["merges"]])
    w.add_bos_token_id(ids["<|im_start|>"])
    w.add_eos_token_id(ids["<|im_end|>"])
    w.add_eot_token_id(ids["<|im_end|>"])
    w.add_pad_token_id(ids["<|endoftext|>"])
    w.add_add_bos_token(False)
    w.add_chat_template(TEMPLATE)


def export(checkpoint: str, tokenizer_file: str, out: str) -> None:
    """Writes `out`. The checkpoint's parameter names are GGUF's."""
    kept = torch.load(checkpoint)
    with open(tokenizer_file) as f:
        tokenizer = json.load(f)
    w = gguf.GGUFWriter(out, "llama")
    _header(w, kept["sizes"])
    _vocabulary(w, tokenizer)
    for name, tensor in kept["weights"].items():
        values = tensor.float().numpy().astype(np.float32)
        if values.ndim == 1:
            w.add_tensor(name, values)
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            w.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    print(f"{out}: {os.path.getsize(out)} bytes")
