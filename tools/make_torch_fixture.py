#!/usr/bin/env python3
"""Writes the PyTorch fixtures of evalh-checkpoint: what torch.save makes of every kind of tensor a state dict may hold.

Needs (any recent version): pip install torch
Use: python tools/make_torch_fixture.py crates/evalh-checkpoint/tests/data/torch

- state_dict.bin: contiguous, transposed, sliced, permuted, tied, scalar and empty tensors of several types.
- state_dict.json: shape, type and values (f32) of each, by torch; null where the type is no float.
- wrapped.pt: the same weights as trainers save them, in a dictionary beside other values.
- legacy.bin: the format of before version 1.6.
- executes.bin: a pickle that runs a command where it is unpickled.
"""

import argparse
import json
import os
from collections import OrderedDict
from pathlib import Path

import torch

SEED = 20250102


def state_dict():
    generator = torch.Generator().manual_seed(SEED)
    base = torch.randn(4, 6, generator=generator)
    cube = torch.randn(2, 3, 4, generator=generator)
    wide = torch.randn(20, 30, generator=generator).half()
    return OrderedDict(
        plain=base,
        transposed=base.t(),
        window=base[1:3, 2:5],
        column=base[:, 3],
        every_other=base[::2, ::3],
        bf16=cube.bfloat16(),
        permuted_bf16=cube.bfloat16().permute(2, 0, 1),
        parameter=torch.nn.Parameter(base.half()),
        transposed_f16=wide.t(),
        tied=base,
        scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 4),
        one_by_n=torch.arange(5.0)[None],
        special=torch.tensor([float("nan"), float("inf"), -0.0, 1e-42]),
        mask=torch.ones(3, dtype=torch.bool),
        counter=torch.tensor(7),
        int8=torch.arange(-3, 3, dtype=torch.int8),
        double=torch.tensor([0.1], dtype=torch.float64),
    )


def described(tensor):
    readable = tensor.dtype in (torch.float32, torch.float16, torch.bfloat16)
    # The bits of the values, since JSON knows no NaN.
    bits = tensor.detach().float().contiguous().flatten().view(torch.int32).tolist()
    summary = bits if len(bits) <= 64 else {"first": bits[:8], "last": bits[-8:]}
    return {
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "bits": summary if readable else None,
    }


class Command:
    def __reduce__(self):
        return os.system, ("echo a pickle ran this",)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    weights = state_dict()
    torch.save(weights, folder / "state_dict.bin")
    values = {name: described(tensor) for name, tensor in weights.items()}
    (folder / "state_dict.json").write_text(json.dumps(values, indent=1) + "\n")
    small = OrderedDict(weight=weights["plain"], bias=weights["column"])
    torch.save({"state_dict": small, "epoch": 3, "loss": 0.5, "names": ["a", "b"], "dtype": torch.float32}, folder / "wrapped.pt")
    torch.save(small, folder / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save({"weight": weights["plain"], "extra": Command()}, folder / "executes.bin")


if __name__ == "__main__":
    main()
