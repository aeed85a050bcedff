#!/usr/bin/env python3
"""Writes what bitsandbytes makes of weights that are quantised at load, for evalh-checkpoint's tests.

Needs: pip install torch bitsandbytes==0.50.2 (its CPU backend; other releases round block scales in other ways)
Use: python tools/quant_reference.py > crates/evalh-checkpoint/tests/data/quantization.json

The weights are drawn by a generator that the tests have too, so that only hashes are kept:

- cases: sha256 of the f32 values (little-endian) after bitsandbytes' quantisation and dequantisation by its definition
  (flat blocks; its CPU kernel restarts blocks at every row, which is compared where that is the same).
- means: bits of torch.mean in one thread, which double quantisation subtracts from the block scales.
- dynamic_map: sha256 of the map that block scales are quantised with.
"""

import hashlib
import json
import sys

import bitsandbytes
import bitsandbytes.functional as F
import numpy as np
import torch

SHAPES = [(1, 1), (7, 33), (40, 96), (3, 64), (33, 520), (300, 448)]
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
MEANS = [1, 7, 8, 31, 33, 100, 1000, 4097, 20000, 70001, 300000]


def uniform(count, seed):
    """Steps of a linear congruential generator as f32 from -1/2 to 1/2."""
    state, values = seed, np.empty(count, np.float32)
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        values[i] = np.float32(state >> 8) * np.float32(2**-24) - np.float32(0.5)
    return values


def weight(rows, columns):
    """Sums of four uniform values, each row 1/2 to 2 times as large; a row of zeros, one of tiny values, an outlier."""
    draws = uniform(4 * rows * columns, rows * 1000 + columns).reshape(-1, 4)
    values = (((draws[:, 0] + draws[:, 1]) + draws[:, 2]) + draws[:, 3]).reshape(rows, columns)
    scales = np.array([2.0 ** (row % 3 - 1) for row in range(rows)], np.float32) * np.float32(0.0625)
    values = values * scales[:, None]
    if rows > 4:
        values[2] = 0
        values[3] = values[3] * np.float32(2.0**-120)
        values[4, columns // 2] = 64
    return torch.from_numpy(values)


def four_bit(values, kind, double):
    packed, state = F.quantize_4bit(values, blocksize=64, quant_type=kind, compress_statistics=double)
    absmax = state.absmax
    if double:
        absmax = F.dequantize_blockwise(state.absmax, state.state2) + state.offset
    packed = packed.flatten().to(torch.int64)
    codes = torch.stack([packed >> 4, packed & 15], dim=1).flatten()[: values.numel()]
    flat = state.code[codes] * absmax.repeat_interleave(64)[: values.numel()]
    result = flat.to(values.dtype).reshape(values.shape)
    if values.shape[1] % 64 == 0:
        theirs = F.dequantize_4bit(packed.to(torch.uint8)[:, None], state)
        # The processor's own conversion to bfloat16, which their kernel uses, makes subnormal values zero.
        subnormal = result.float().abs() < 2.0**-126
        assert torch.equal(result.masked_fill(subnormal, 0), theirs.masked_fill(subnormal, 0))
    return result


def int8(values):
    codes, scales, _ = F.int8_vectorwise_quant(values.half())
    result = codes.float() * scales[:, None] / 127
    theirs = F.int8_vectorwise_dequant(codes, scales)
    apart = (result.view(torch.int32) - theirs.view(torch.int32)).abs().max().item()
    assert apart <= 1, f"{apart} units in the last place"
    return result


def sha256(values):
    # Zeros lose their sign.
    return hashlib.sha256((values.float() + 0.0).numpy().astype("<f4").tobytes()).hexdigest()


def main():
    torch.set_num_threads(1)
    cases = []
    for rows, columns in SHAPES:
        for dtype_name, dtype in DTYPES.items():
            values = weight(rows, columns).to(dtype)
            for name, result in [
                ("nf4", four_bit(values, "nf4", False)),
                ("nf4-double", four_bit(values, "nf4", True)),
                ("fp4", four_bit(values, "fp4", False)),
                ("int8", int8(values)),
            ]:
                first = result.float().flatten()[:4].tolist()
                cases.append(
                    {"rows": rows, "columns": columns, "dtype": dtype_name, "quantization": name, "first": first, "sha256": sha256(result)}
                )
    means = {}
    for count in MEANS:
        mean = torch.from_numpy(np.abs(uniform(count, count))).mean()
        means[str(count)] = mean.view(torch.int32).item()
    report = {
        "versions": {"torch": torch.__version__, "bitsandbytes": bitsandbytes.__version__},
        "weights": {f"{rows}x{columns}": sha256(weight(rows, columns)) for rows, columns in SHAPES},
        "means": means,
        "dynamic_map": hashlib.sha256(F.create_dynamic_map().numpy().astype("<f4").tobytes()).hexdigest(),
        "cases": cases,
    }
    json.dump(report, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
