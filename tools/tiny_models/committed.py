"""The checkpoints that are part of the repository: small ones, so that parity is checked wherever the tests run."""

from . import adapters
from .decoders import LONG, Case, rope
from .encoders import ENCODER

SMALL = {"vocab_size": 112, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "max_position_embeddings": 64, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
GPT2 = {"vocab_size": 112, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 48, "bos_token_id": 1, "eos_token_id": 2,
        "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
TINY_ENCODER = ENCODER | {"vocab_size": 112, "hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 48,
                          "max_position_embeddings": 40}
TINY_DEBERTA = TINY_ENCODER | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm",
                               "position_buckets": 8, "type_vocab_size": 0, "position_biased_input": False, "pooler_dropout": 0.0}
RSLORA = {**adapters.ALL, "use_rslora": True, "lora_alpha": 4}

# Checkpoint, adapters, mixes, storage.
CASES = [
    (Case("llama", "llama", SMALL | rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                         original_max_position_embeddings=8), 12),
     {"dora": {**adapters.LLAMA["dora"], "modules_to_save": ["lm_head"]},
      "rslora": {**RSLORA, "target_modules": ["q_proj", "down_proj"]}, "plain": adapters.LLAMA["plain"]},
     {"mix": "rslora:0.7+plain:0.3"}, None),
    (Case("gemma2", "gemma2", SMALL | {"head_dim": 12, "sliding_window": 5, "query_pre_attn_scalar": 20,
                                       "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0}),
     {"all": adapters.ALL}, {}, None),
    (Case("gpt2", "gpt2", GPT2), {"dora": adapters.GPT_2["dora"]}, {}, None),
    (Case("mixtral", "mixtral", SMALL | {"num_local_experts": 4, "num_experts_per_tok": 2, "intermediate_size": 20}),
     {"attention": adapters.TABLE["attention"]}, {}, None),
    (Case("phi3", "phi3", SMALL | {"original_max_position_embeddings": 12, "sliding_window": None} |
          rope("longrope", short_factor=LONG["short_factor"][:4], long_factor=LONG["long_factor"][:4],
               original_max_position_embeddings=12)),
     {"all": adapters.ALL}, {}, None),
    (Case("bert", "bert", ENCODER | {"vocab_size": 112, "hidden_size": 32, "num_hidden_layers": 2, "num_labels": 3,
                                     "intermediate_size": 48, "max_position_embeddings": 32}, kind="seqcls"),
     {"head": adapters.BERT["head"]}, {}, None),
    (Case("roberta_mlm", "roberta", TINY_ENCODER | {"pad_token_id": 1, "type_vocab_size": 1}, kind="masked"),
     {"dora": {**adapters.ENCODER, "use_dora": True}}, {}, None),
    (Case("deberta_v2", "deberta-v2", TINY_DEBERTA | {"share_att_key": False, "conv_kernel_size": 3, "conv_act": "gelu",
                                                      "embedding_size": 24, "position_biased_input": True, "type_vocab_size": 2,
                                                      "num_labels": 1}, kind="seqcls"),
     {"head": {**adapters.ENCODER, "target_modules": ["query_proj", "pos_key_proj", "output.dense"], "task_type": "SEQ_CLS"}},
     {}, None),
    (Case("deberta_v2_mlm", "deberta-v2", TINY_DEBERTA | {"share_att_key": True, "legacy": False}, kind="masked"),
     {"all": {**adapters.ENCODER, "target_modules": ["query_proj", "key_proj", "value_proj"], "bias": "lora_only"}}, {}, None),
    (Case("llama_nf4", "llama", SMALL | {"hidden_size": 40}), {"rslora": RSLORA}, {}, "llama_nf4"),
]
