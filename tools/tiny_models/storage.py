"""One checkpoint in the ways that checkpoints are stored."""

import json
import shutil

import torch
from safetensors.torch import load_file, save_file

PLAIN = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]


def companions(source, target):
    target.mkdir(parents=True, exist_ok=True)
    for name in PLAIN:
        if (source / name).exists():
            shutil.copy(source / name, target / name)


def rounded(source, target, dtype):
    """All weights in a half type, and a config that says so."""
    companions(source, target)
    tensors = load_file(source / "model.safetensors")
    save_file({name: tensor.to(getattr(torch, dtype)) for name, tensor in tensors.items()}, target / "model.safetensors",
              metadata={"format": "pt"})
    config = json.loads((target / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config | {"dtype": dtype}, indent=2) + "\n")


def shards(source, target, files, as_bin):
    """Safetensors or PyTorch files with an index, the tensors dealt out in turn; one file has no index."""
    companions(source, target)
    tensors = load_file(source / "model.safetensors")
    base, ending = ("pytorch_model", "bin") if as_bin else ("model", "safetensors")
    parts = [{name: tensor for i, (name, tensor) in enumerate(tensors.items()) if i % files == at} for at in range(files)]
    index = {}
    for at, part in enumerate(parts):
        name = f"{base}.{ending}" if files == 1 else f"{base}-{at + 1:05}-of-{files:05}.{ending}"
        index |= dict.fromkeys(part, name)
        if as_bin:
            torch.save(part, target / name)
        else:
            save_file(part, target / name, metadata={"format": "pt"})
    if files > 1:
        size = sum(tensor.nbytes for tensor in tensors.values())
        text = json.dumps({"metadata": {"total_size": size}, "weight_map": index}, indent=2)
        (target / f"{base}.{ending}.index.json").write_text(text + "\n")


def quantised(source, target, dtype="float32", **settings):
    """What transformers saves after it has loaded the checkpoint through bitsandbytes."""
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig
    companions(source, target)
    model = AutoModelForCausalLM.from_pretrained(source, quantization_config=BitsAndBytesConfig(**settings),
                                                 dtype=getattr(torch, dtype), device_map="cpu")
    model.save_pretrained(target)
