"""Small tasks of invented content: each a definition of evalh's beside lm-eval's configuration of the same."""

from . import harness

ROWS = [
    {"q": "  Which is larger? ", "a": "a mouse", "b": "a house", "label": 1, "letter": "B", "text": "a house", "hint": "size"},
    {"q": "Which floats?", "a": "a stone", "b": "a cork", "label": 1, "letter": "B", "text": "a cork", "hint": ""},
    {"q": "Was folgt auf zwei?\n", "a": "drei – 3", "b": "eins", "label": 0, "letter": "A", "text": "drei – 3", "hint": "zähle "},
    {"q": "7 is", "a": "odd", "b": "even", "label": 0, "letter": "A", "text": "odd", "hint": "digit"},
    {"q": "Which is warm? ", "a": "ice", "b": "fire", "label": 1, "letter": "B", "text": "fire", "hint": "heat\n"},
]
POOL = [
    {"q": f"Is {n} even?", "a": "yes", "b": "no", "label": n % 2, "letter": "AB"[n % 2], "text": ["yes", "no"][n % 2], "hint": f"{n} mod 2"}
    for n in range(40)
]
CHATS = [
    None,
    {"system": None, "shots_as_turns": False},
    {"system": "Be brief.", "shots_as_turns": False},
    {"system": "Be brief.\n", "shots_as_turns": True},
    {"system": None, "shots_as_turns": True},
]
LABELS = {
    "output_type": "multiple_choice",
    "test_split": "test",
    "fewshot_split": "pool",
    "doc_to_text": "{{q}}\nAnswer:",
    "doc_to_choice": ["A", "B"],
    "doc_to_target": "label",
    "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}, {"metric": "acc_bytes"}],
}
LABELS_TOML = """
context = "{{ q }}\\nAnswer:"
choices = ["A", "B"]
target = "{{ label }}"
metrics = ["acc", "acc_norm", "acc_bytes"]
"""
WRITTEN = {
    "output_type": "generate_until",
    "test_split": "test",
    "fewshot_split": "pool",
    "doc_to_text": "Q: {{q.strip()}}\nA:",
    "doc_to_target": "{{text}}",
    "generation_kwargs": {"until": ["\n", "Q:"]},
    "metric_list": [{"metric": "exact_match"}],
}
WRITTEN_TOML = """
context = "Q: {{ q.strip() }}\\nA:"
target = "{{ text }}"
generate = { max_new_tokens = 32, stops = ["\\n", "Q:"] }
metrics = ["exact_match"]
"""

# A name; lm-eval's settings; the fields of the protocol; shots; the seed.
CHOICES = [
    ("labels", LABELS, LABELS_TOML, 0, 1234),
    ("labels_random", LABELS, LABELS_TOML + 'shots = { count = 0, sampler = "random" }', 3, 1234),
    ("labels_random_seed", LABELS, LABELS_TOML + 'shots = { count = 0, sampler = "random" }', 7, 99),
    (
        "labels_first",
        LABELS | {"fewshot_config": {"sampler": "first_n"}},
        LABELS_TOML + "shots = { count = 4 }",
        4,
        1234,
    ),
    (
        "same_split",
        LABELS | {"fewshot_split": "test"},
        LABELS_TOML + 'shots = { count = 0, sampler = "random" }',
        2,
        1234,
    ),
    (
        "same_split_first",
        LABELS | {"fewshot_split": "test", "fewshot_config": {"sampler": "first_n"}},
        LABELS_TOML + "shots = { count = 2 }",
        2,
        1234,
    ),
    (
        "texts",
        LABELS
        | {
            "description": "Choose for {{hint.strip()}}.\n\n",
            "doc_to_choice": "{{[a, b]}}",
            "doc_to_target": "text",
            "target_delimiter": "\n",
            "fewshot_delimiter": "\n---\n",
        },
        """
preamble = "Choose for {{ hint.strip() }}.\\n\\n"
context = "{{ q }}\\nAnswer:"
choices = "[a, b]"
target = "{{ text }}"
delimiter = "\\n"
separator = "\\n---\\n"
metrics = ["acc_norm", "acc", "acc_bytes"]
shots = { count = 1, sampler = "random" }
""",
        1,
        1234,
    ),
    (
        "prefill",
        LABELS | {"gen_prefix": "The choice is", "doc_to_text": "{{q}}"},
        LABELS_TOML.replace("\\nAnswer:", "")
        + 'prefill = "The choice is"\nshots = { count = 0, sampler = "random" }',
        2,
        1234,
    ),
    (
        "prefill_spaced",
        LABELS | {"gen_prefix": "{{hint}} so: ", "doc_to_text": "{{q}}", "description": "Think."},
        LABELS_TOML.replace("\\nAnswer:", "")
        + 'preamble = "Think."\nprefill = "{{ hint }} so: "\nshots = { count = 0, sampler = "random" }',
        2,
        1234,
    ),
    (
        "prefill_of_row",
        LABELS | {"gen_prefix": "{{hint}}"},
        LABELS_TOML + 'prefill = "{{ hint }}"\nshots = { count = 0, sampler = "random" }',
        1,
        5,
    ),
]
GENERATED = [
    ("written", WRITTEN, WRITTEN_TOML, 0, 1234),
    ("written_shots", WRITTEN, WRITTEN_TOML + 'shots = { count = 0, sampler = "random" }', 3, 1234),
    (
        "written_prefill",
        WRITTEN | {"gen_prefix": "I say:"},
        WRITTEN_TOML + 'prefill = "I say:"\nshots = { count = 0, sampler = "random" }',
        2,
        1234,
    ),
    (
        "no_answer",
        WRITTEN | {"doc_to_target": "{{'' if a == 'yes' else text}}"},
        WRITTEN_TOML.replace("{{ text }}", "{{ '' if a == 'yes' else text }}")
        + 'shots = { count = 0, sampler = "random" }',
        2,
        1234,
    ),
    (
        "read",
        WRITTEN
        | {
            "filter_list": [
                {"name": "said", "filter": [{"function": "regex", "regex_pattern": r"[Ii] say:? (.+?)\.?$"}, {"function": "take_first"}]},
                {
                    "name": "last",
                    "filter": [
                        {"function": "regex", "regex_pattern": r"(an?\s\w+)|(\w+)", "group_select": -1, "fallback": "none"},
                        {"function": "take_first"},
                    ],
                },
            ],
            "metric_list": [
                {
                    "metric": "exact_match",
                    "regexes_to_ignore": [",", r"\.$", r"(?s).*## "],
                    "ignore_case": True,
                    "ignore_punctuation": True,
                    "ignore_numbers": True,
                }
            ],
        },
        WRITTEN_TOML
        + r"""
normalize = { remove = [',', '\.$', '(?s).*## '], ignore_case = true, ignore_punctuation = true, ignore_numbers = true }
extract = [
  { name = "said", regex = '[Ii] say:? (.+?)\.?$' },
  { name = "last", regex = '(an?\s\w+)|(\w+)', select = -1, fallback = "none" },
]
""",
        0,
        1234,
    ),
]
ANSWERS = [
    "a house", " a house", "I say a house.", "i say: A House.\n", "I say drei – 3\n", "well\n## a cork.", "", "odd!", "it is odd",
    "I say a, cork", "a house\n\n", "a\u00a0house", "7", "I say fire\nor not",
]
SCORES = [[-1.0, -2.0], [-2.0, -1.0], [-1.5, -1.5], [-3.0, -3.2], [-9.0, -8.9], [-0.1, -0.7]]


def _scores(made):
    """For each item and each pair of log-likelihoods what lm-eval makes of them."""
    found = []
    for number, doc in enumerate(made.test_docs()):
        for pair in SCORES:
            results = made.process_results(doc, [(score, False) for score in pair])
            found.append({"item": number, "log_probs": pair, "scores": {name: float(value) for name, value in results.items()}})
    return found


def _readings(made):
    """For each item and answer what each filter reads out of it, and whether that is right."""
    found = []
    filters = made._filters
    for number, doc in enumerate(made.test_docs()):
        for answer in ANSWERS:
            read = {}
            for ensemble in filters:
                texts = [[answer]]
                for function in ensemble.filters:
                    texts = function().apply(texts, [doc])
                (text,) = list(texts)
                right = made.process_results(doc, [text])["exact_match"]
                read[ensemble.name] = {"text": text, "score": float(right)}
            found.append({"item": number, "answer": answer, "filters": read})
    return found


def all_cases():
    """Each case with its prompts in plain text and as chats, and scores of invented answers."""
    found = []
    for name, settings, protocol, shots, seed in CHOICES + GENERATED:
        made = lambda: harness.task(dict(settings), {"test": ROWS, "pool": POOL}, shots, seed)
        splits = "test" if settings["fewshot_split"] == "test" else "pool"
        found.append(
            {
                "name": name,
                "protocol": protocol,
                "pool": splits,
                "shots": shots,
                "seed": seed,
                "prompts": [{"chat": chat, "items": harness.prompts(made(), chat)} for chat in CHATS],
                "scores": _scores(made()) if settings["output_type"] == "multiple_choice" else [],
                "readings": _readings(made()) if settings["output_type"] != "multiple_choice" else [],
            }
        )
    return {"rows": ROWS, "pool": POOL, "cases": found}
