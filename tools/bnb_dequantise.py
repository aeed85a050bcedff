"""bitsandbytes storage (NF4, FP4, int8) to full weights, by its definition.

bitsandbytes' own CPU kernel reads blocks row by row, which is wrong where a row is no multiple of the block; stored blocks
are flat over the whole weight. So a reference for a quantised checkpoint is computed from weights that this file restores.
"""

import json

import torch

STATE = ".quant_state.bitsandbytes__"


def dequantise_all(tensors):
    """A state dict in which every quantised weight is a full one again and its companions are gone."""
    plain = dict(tensors)
    for name in list(tensors):
        if STATE in name:
            module, kind = name.split(STATE)
            plain[module] = four_bit(tensors, module, kind)
            for companion in [c for c in plain if c.startswith(f"{module}.")]:
                del plain[companion]
        elif name.endswith(".SCB"):
            module = name.removesuffix(".SCB")
            plain[f"{module}.weight"] = tensors[f"{module}.weight"].float() * tensors[name].float()[:, None] / 127
            for companion in [name, f"{module}.weight_format"]:
                plain.pop(companion, None)
    return plain


def four_bit(tensors, name, kind):
    """Two values a byte, high nibble first, row-major; a scale per block; cast to the state's dtype."""
    state = json.loads(bytes(tensors[f"{name}{STATE}{kind}"].tolist()))
    packed = tensors[name].flatten()
    codes = torch.stack([packed >> 4, packed & 15], dim=1).flatten().long()
    shape = state["shape"]
    count = torch.Size(shape).numel()
    values = tensors[f"{name}.quant_map"].float()[codes[:count]]
    scales = block_scales(tensors, name, state).repeat_interleave(state["blocksize"])[:count]
    return (values * scales).reshape(shape).to(getattr(torch, state["dtype"])).float()


def block_scales(tensors, name, state):
    """The scale of each block, which double quantisation stores in eight bits around an offset."""
    absmax = tensors[f"{name}.absmax"]
    if "nested_blocksize" not in state:
        return absmax.float()
    values = tensors[f"{name}.nested_quant_map"].float()[absmax.long()]
    outer = tensors[f"{name}.nested_absmax"].float().repeat_interleave(state["nested_blocksize"])[: len(values)]
    return values * outer + state["nested_offset"]
