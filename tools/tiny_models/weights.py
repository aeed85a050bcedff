"""Random weights in which every tensor matters: norms away from 1, biases away from 0, logits of a real model's spread."""

import torch

NORM_WORDS = ("norm", "ln_", "layrnorm")


def randomise(model, seed):
    """Fills all parameters in the order of their names, so that a seed means the same checkpoint everywhere."""
    generator = torch.Generator().manual_seed(seed)
    offset_norms = "gemma" in model.config.model_type
    tied = model.get_output_embeddings() is not None and (
        model.get_output_embeddings().weight is model.get_input_embeddings().weight)
    hidden = model.get_input_embeddings().weight.shape[1]
    for name, parameter in sorted(model.named_parameters()):
        parameter.data = values(name, parameter, generator, offset_norms, 2.5 / hidden**0.5 if tied else 0.8)


def values(name, parameter, generator, offset_norms, embedding_spread):
    shape = parameter.shape
    if parameter.ndim == 1 and name.endswith("weight"):
        if not any(word in name.lower() for word in NORM_WORDS):
            raise ValueError(f"{name}: a vector that is no norm")
        return torch.rand(shape, generator=generator) + (-0.5 if offset_norms else 0.5)
    if parameter.ndim == 1:
        return torch.randn(shape, generator=generator) * 0.3
    if "embed" in name or name.endswith(("wte.weight", "wpe.weight")):
        return torch.randn(shape, generator=generator) * embedding_spread
    fan_in = shape[0] if ".c_" in name and parameter.ndim == 2 else shape[1:].numel() if parameter.ndim == 4 else shape[-1]
    head = ("lm_head.weight", "score.weight", "embed_out.weight", "classifier.weight", "classifier.out_proj.weight")
    spread = 2.5 if name.endswith(head) else 1.1
    return torch.randn(shape, generator=generator) * spread / fan_in**0.5
