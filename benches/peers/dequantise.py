#!/usr/bin/env python3
"""Writes the weights of a GGUF file as a Hugging Face folder in f32: what the Python peers load in the comparison.

Needs: pip install torch transformers gguf safetensors
Use:   python dequantise.py FILE.gguf FOLDER
"""

import json
import os
import sys
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

import torch
from gguf import GGUFReader
from safetensors.torch import save_file
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(file, out):
    """Weights, config, tokenizer and chat template. transformers reads the file but cannot save it again."""
    out.mkdir(parents=True)
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        state.pop("lm_head.weight", None)
    save_file(state, out / "model.safetensors", metadata={"format": "pt"})
    model.config.architectures = [type(model).__name__]
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.config.save_pretrained(out)
    model.generation_config.save_pretrained(out)
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    pre = GGUFReader(file).fields["tokenizer.ggml.pre"].contents()
    if pre == "smollm":
        # transformers' reader of the file leaves out that digits stand alone, which moves the spaces before them.
        tokenizer.backend_tokenizer.pre_tokenizer = Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])
    tokenizer.save_pretrained(out)
    written = json.loads((out / "tokenizer.json").read_text())["pre_tokenizer"]
    print(f"{len(state)} tensors; pre-tokenizer of the file: {pre}; written: {json.dumps(written)}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
