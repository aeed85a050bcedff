"""Settings of the encoder families, a line each."""

from .decoders import Case

ENCODER = {"vocab_size": 160, "hidden_size": 48, "intermediate_size": 72, "num_hidden_layers": 3, "num_attention_heads": 4,
           "max_position_embeddings": 64, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
ENCODERS = [
    Case("adapters_bert", "bert", ENCODER | {"num_labels": 3}, kind="seqcls", adapters=[]),
    Case("adapters_roberta", "roberta", ENCODER | {"num_labels": 2, "pad_token_id": 0}, kind="seqcls", adapters=[]),
]
