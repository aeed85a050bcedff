"""config.json as transformers before version 5 wrote it, which most published checkpoints still have."""

import copy

# What v4 called the share of a head that is rotated, where it had a name of its own.
ROTARY_SHARE = {"gpt_neox": "rotary_pct", "phi": "partial_rotary_factor", "phi3": "partial_rotary_factor",
                "stablelm": "partial_rotary_factor"}


def to_v4(config):
    """The same settings under their older names."""
    old = copy.deepcopy(config)
    for part in [old, old.get("text_config") or {}, old.get("vision_config") or {}]:
        if "dtype" in part:
            part["torch_dtype"] = part.pop("dtype")
        rope = part.pop("rope_parameters", None)
        if rope:
            rotary(part, rope)
    old["transformers_version"] = "4.51.3"
    return old


def rotary(config, rope):
    if "full_attention" in rope:
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        rope = rope["full_attention"]
    family = config.get("model_type")
    config["rotary_emb_base" if family == "gpt_neox" else "rope_theta"] = rope.pop("rope_theta")
    share = rope.pop("partial_rotary_factor", None)
    if share is not None:
        config[ROTARY_SHARE[family]] = share
    kind = rope.pop("rope_type")
    if kind == "default":
        config["rope_scaling"] = None
    else:
        # Phi-3 keeps the trained length beside the scaling, not in it.
        if family == "phi3":
            config["original_max_position_embeddings"] = rope.pop("original_max_position_embeddings")
        config["rope_scaling"] = {"type" if family == "phi3" else "rope_type": kind, **rope}
