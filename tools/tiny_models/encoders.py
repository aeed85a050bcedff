"""Settings of the encoder families, a line each."""

from .decoders import Case

ENCODER = {"vocab_size": 160, "hidden_size": 48, "intermediate_size": 72, "num_hidden_layers": 3, "num_attention_heads": 4,
           "max_position_embeddings": 64, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
# RoBERTa counts places from the padding's on.
ROBERTA = ENCODER | {"pad_token_id": 1, "type_vocab_size": 1}
DEBERTA = ENCODER | {"max_position_embeddings": 40, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0,
                     "norm_rel_ebd": "layer_norm", "position_buckets": 8, "share_att_key": True, "position_biased_input": False,
                     "pooler_dropout": 0.0}
ENCODERS = [
    Case("adapters_bert", "bert", ENCODER | {"num_labels": 3}, kind="seqcls", adapters=[]),
    Case("adapters_roberta", "roberta", ENCODER | {"num_labels": 2, "pad_token_id": 0}, kind="seqcls", adapters=[]),
    Case("bert_mlm", "bert", ENCODER | {"hidden_act": "gelu_new"}, kind="masked"),
    Case("bert_mlm_untied", "bert", ENCODER | {"tie_word_embeddings": False, "hidden_act": "relu"}, kind="masked"),
    Case("bert_regression", "bert", ENCODER | {"num_labels": 1}, kind="seqcls"),
    Case("bert_many_labels", "bert", ENCODER | {"num_labels": 5, "problem_type": "multi_label_classification", "hidden_act": "silu"},
         kind="seqcls"),
    Case("roberta_masked", "roberta", ROBERTA, kind="masked"),
    Case("roberta_labels", "roberta", ROBERTA | {"num_labels": 3}, kind="seqcls"),
    Case("camembert", "camembert", ROBERTA | {"num_labels": 3}, kind="seqcls"),
    Case("xlm_roberta", "xlm-roberta", ROBERTA, kind="masked"),
    Case("deberta_mlm_legacy", "deberta-v2", DEBERTA | {"legacy": True}, kind="masked"),
    Case("deberta_mlm", "deberta-v2", DEBERTA | {"legacy": False}, kind="masked"),
    Case("deberta_conv", "deberta-v2", DEBERTA | {"conv_kernel_size": 3, "conv_act": "gelu", "num_labels": 3}, kind="seqcls"),
    Case("deberta_conv_groups", "deberta-v2", DEBERTA | {"conv_kernel_size": 5, "conv_groups": 4, "num_hidden_layers": 1}, kind="seqcls"),
    Case("deberta_own_keys", "deberta-v2", DEBERTA | {"share_att_key": False, "num_labels": 3}, kind="seqcls"),
    Case("deberta_c2p", "deberta-v2", DEBERTA | {"share_att_key": False, "pos_att_type": "c2p", "norm_rel_ebd": "none"}, kind="seqcls"),
    Case("deberta_p2c", "deberta-v2", DEBERTA | {"pos_att_type": ["p2c"], "position_buckets": -1, "max_relative_positions": 6},
         kind="seqcls"),
    Case("deberta_absolute", "deberta-v2", DEBERTA | {"position_biased_input": True, "type_vocab_size": 2, "embedding_size": 32,
                                                      "position_buckets": -1}, kind="seqcls"),
    Case("deberta_plain", "deberta-v2", DEBERTA | {"relative_attention": False, "position_biased_input": True}, kind="seqcls"),
    Case("deberta_plain_reduced", "deberta-v2", DEBERTA | {"relative_attention": False, "position_biased_input": True,
                                                           "pos_att_type": None, "embedding_size": 32}, kind="masked"),
]
