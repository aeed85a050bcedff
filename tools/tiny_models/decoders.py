"""Every setting of the decoder families that changes the output, a line each: name, family, settings, prompt length."""

from dataclasses import dataclass, field


@dataclass
class Case:
    """A checkpoint to be made. `adapters` are keys of `adapters.TABLE`."""
    name: str
    family: str
    settings: dict
    length: int = 16
    kind: str = "causal"
    adapters: list = field(default_factory=lambda: ["all"])
    new_tokens: int = 16


BASE = {"vocab_size": 160, "hidden_size": 48, "intermediate_size": 72, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 128, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
GPT2 = {"vocab_size": 160, "n_embd": 48, "n_layer": 3, "n_head": 4, "n_positions": 64, "bos_token_id": 1, "eos_token_id": 2,
        "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
GPTJ = {**GPT2, "rotary_dim": 8}
NO_KV_HEADS = {name: value for name, value in BASE.items() if name != "num_key_value_heads"}
LONG = {"short_factor": [1.0, 1.1, 1.25, 1.4, 1.8, 2.2], "long_factor": [1.0, 1.7, 2.9, 4.1, 6.3, 9.7]}
ALL_FULL = ["full_attention"] * 3


def rope(kind, theta=10000.0, **settings):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **settings}}


def llama(name, length=16, **settings):
    return Case(f"llama_{name}", "llama", BASE | settings, length)


def of(family, name, length=16, adapters=("all",), **settings):
    return Case(f"{family}_{name}", family, BASE | settings, length, adapters=list(adapters))


YARN = {"factor": 4.0, "original_max_position_embeddings": 16}
DECODERS = [
    # Rotary scaling, with prompts longer than the model was trained for.
    llama("linear", 40, **rope("linear", factor=4.0)),
    llama("dynamic", 40, max_position_embeddings=24, **rope("dynamic", factor=4.0)),
    llama("dynamic_crossing", 16, max_position_embeddings=24, **rope("dynamic", factor=4.0)),
    llama("yarn", 40, **rope("yarn", **YARN)),
    llama("yarn_mscale", 40, **rope("yarn", **YARN, mscale=0.8, mscale_all_dim=0.5, beta_fast=16.0, beta_slow=2.0)),
    llama("yarn_factor", 40, **rope("yarn", **YARN, attention_factor=1.3, truncate=False)),
    llama("llama3", 48, **rope("llama3", 500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                               original_max_position_embeddings=16)),
    llama("longrope", 40, max_position_embeddings=64, **rope("longrope", **LONG, factor=4.0,
                                                             original_max_position_embeddings=16)),
    llama("theta", 40, **rope("default", 321.0)),
    # Shapes and biases.
    llama("bias", attention_bias=True, mlp_bias=True),
    llama("head_dim", head_dim=20, num_key_value_heads=1),
    llama("tied", tie_word_embeddings=True, num_key_value_heads=4),
    llama("gelu", hidden_act="gelu", rms_norm_eps=1e-2),
    llama("relu", hidden_act="relu", num_hidden_layers=1),
    of("mistral", "window", 24, sliding_window=5),
    of("mistral", "full", sliding_window=None, tie_word_embeddings=True),
    of("mistral", "head_dim", 24, sliding_window=7, head_dim=16),
    of("mixtral", "top1", num_local_experts=4, num_experts_per_tok=1, adapters=["attention"]),
    of("mixtral", "top3_window", 24, num_local_experts=5, num_experts_per_tok=3, sliding_window=6, head_dim=16, adapters=["attention"]),
    of("mixtral", "top2_tied", num_local_experts=4, num_experts_per_tok=2, tie_word_embeddings=True,
       adapters=["attention", "experts"]),
    of("qwen2", "window", 24, use_sliding_window=True, sliding_window=5, max_window_layers=1),
    of("qwen2", "yarn", 40, tie_word_embeddings=True, **rope("yarn", 1000000.0, **YARN)),
    of("qwen3", "window", 24, head_dim=16, use_sliding_window=True, sliding_window=5, max_window_layers=2),
    of("qwen3", "bias", head_dim=20, attention_bias=True, tie_word_embeddings=True),
    of("qwen3", "yarn", 40, head_dim=12, **rope("yarn", 1000000.0, **YARN)),
    of("gemma", "bias", head_dim=20, num_key_value_heads=4, attention_bias=True),
    of("gemma", "mqa", head_dim=16, num_key_value_heads=1, tie_word_embeddings=True),
    of("gemma2", "window", 24, head_dim=16, sliding_window=4, query_pre_attn_scalar=24, attn_logit_softcapping=2.0,
       final_logit_softcapping=3.0),
    of("gemma2", "no_caps", 24, head_dim=12, sliding_window=5, query_pre_attn_scalar=12, attn_logit_softcapping=None,
       final_logit_softcapping=None, num_key_value_heads=1, attention_bias=True),
    of("gemma2", "layers", 24, head_dim=16, sliding_window=5,
       layer_types=["full_attention", "full_attention", "sliding_attention"]),
    Case("gemma3_text_linear", "gemma3_text", BASE | {
        "head_dim": 16, "sliding_window": 5, "num_hidden_layers": 4, "query_pre_attn_scalar": 20,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
        "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
                            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}}, 40),
    Case("gemma3_text_caps", "gemma3_text", BASE | {
        "head_dim": 12, "sliding_window": 5, "num_hidden_layers": 7, "num_key_value_heads": 1, "attention_bias": True,
        "final_logit_softcapping": 4.0, "tie_word_embeddings": True}, 24),
    of("phi", "qk_norm", qk_layernorm=True, **rope("default", partial_rotary_factor=0.5)),
    of("phi", "full_rotary", tie_word_embeddings=False, num_key_value_heads=4, **rope("default", partial_rotary_factor=1.0)),
    of("phi", "linear", 40, num_key_value_heads=1, **rope("linear", partial_rotary_factor=0.34, factor=3.0)),
    of("phi3", "long", 40, max_position_embeddings=128, original_max_position_embeddings=16, sliding_window=None,
       **rope("longrope", **LONG, original_max_position_embeddings=16)),
    of("phi3", "short", 12, max_position_embeddings=256, original_max_position_embeddings=64, sliding_window=None,
       **rope("longrope", **LONG, original_max_position_embeddings=64)),
    of("phi3", "crossing", 12, max_position_embeddings=256, original_max_position_embeddings=20, sliding_window=None,
       **rope("longrope", **LONG, original_max_position_embeddings=20)),
    of("phi3", "window", 24, sliding_window=5, tie_word_embeddings=True),
    of("phi3", "partial", 40, max_position_embeddings=128, original_max_position_embeddings=16, sliding_window=None,
       **rope("longrope", short_factor=LONG["short_factor"][:4], long_factor=LONG["long_factor"][:4],
              partial_rotary_factor=0.67, original_max_position_embeddings=16)),
    of("stablelm", "parallel", use_parallel_residual=True, num_key_value_heads=4, **rope("default", partial_rotary_factor=0.34)),
    of("stablelm", "qk_norm", qk_layernorm=True, **rope("default", partial_rotary_factor=0.5)),
    of("stablelm", "qkv_bias", use_qkv_bias=True, tie_word_embeddings=True, **rope("default", partial_rotary_factor=0.5)),
    of("stablelm", "everything", use_parallel_residual=True, qk_layernorm=True, use_qkv_bias=True,
       **rope("default", partial_rotary_factor=1.0)),
    Case("gptj_full_rotary", "gptj", GPTJ | {"rotary_dim": 12, "n_inner": None}),
    Case("gptj_tied", "gptj", GPTJ | {"rotary_dim": 4, "n_inner": 80, "tie_word_embeddings": True}),
    Case("gpt_neox_serial", "gpt_neox", NO_KV_HEADS | {"use_parallel_residual": False}
         | rope("default", partial_rotary_factor=0.34)),
    Case("gpt_neox_full_rotary", "gpt_neox", NO_KV_HEADS | {"attention_bias": False, "tie_word_embeddings": True}
         | rope("default", partial_rotary_factor=1.0)),
    Case("gpt_neox_linear", "gpt_neox", NO_KV_HEADS | {"hidden_act": "gelu_fast"}
         | rope("linear", 5000.0, partial_rotary_factor=0.5, factor=4.0), 40),
    Case("gpt2_inverse_layer", "gpt2", GPT2 | {"scale_attn_by_inverse_layer_idx": True, "n_inner": None}),
    Case("gpt2_reorder", "gpt2", GPT2 | {"reorder_and_upcast_attn": True, "scale_attn_by_inverse_layer_idx": True}),
    Case("gpt2_unscaled", "gpt2", GPT2 | {"scale_attn_weights": False, "activation_function": "relu", "n_inner": 72}),
    Case("gpt2_untied", "gpt2", GPT2 | {"tie_word_embeddings": False, "activation_function": "gelu"}),
    of("olmo", "clip", clip_qkv=0.7),
    of("olmo", "bias", attention_bias=True, tie_word_embeddings=True, num_key_value_heads=1),
    of("olmo2", "gqa", tie_word_embeddings=True),
    of("olmo2", "bias", 40, attention_bias=True, num_key_value_heads=1, **rope("yarn", **YARN)),
    # A head that classifies in place of the one over the vocabulary.
    Case("llama_seqcls", "llama", BASE | {"num_labels": 3}, kind="seqcls", adapters=[]),
    Case("gpt2_seqcls", "gpt2", GPT2 | {"num_labels": 2, "pad_token_id": 0}, kind="seqcls", adapters=[]),
    # Image models, of which the language model is evaluated.
    Case("llava", "llava", {
        "text_config": {**BASE, "model_type": "llama"}, "image_token_index": 3, "image_seq_length": 4,
        "vision_config": {"model_type": "clip_vision_model", "hidden_size": 16, "intermediate_size": 24,
                          "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 8, "patch_size": 4,
                          "projection_dim": 16}}, adapters=["language_model"]),
    Case("gemma3_images", "gemma3", {
        "text_config": {**BASE, "model_type": "gemma3_text", "head_dim": 16, "sliding_window": 5}, "mm_tokens_per_image": 4,
        "boi_token_index": 3, "eoi_token_index": 4, "image_token_index": 5,
        "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 16, "intermediate_size": 24,
                          "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 8, "patch_size": 4}},
         24, adapters=["language_model"]),
]
