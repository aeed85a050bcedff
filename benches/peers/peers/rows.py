"""The rows of the table, by name."""

from pathlib import Path

from . import checks, speeds, suites, tasks

SUBJECTS = (
    "abstract_algebra anatomy astronomy business_ethics clinical_knowledge college_biology college_chemistry "
    "college_computer_science college_mathematics college_medicine"
).split()


def _lm_eval_tasks():
    import lm_eval

    return Path(lm_eval.__file__).parent / "tasks"


def _mmlu_suite(options):
    tasks_named = ",".join(SUBJECTS[: options.mmlu_subjects])
    return ["--suite", "mmlu", "--tasks", tasks_named, "--limit", str(options.mmlu_limit)]


def _humaneval_suite(options):
    return [
        *("--suite", "humaneval", "--protocol", "chat", "--limit", str(options.humaneval_limit)),
        *("--max-new-tokens", str(options.new_tokens)),
    ]


def _mmlu(sitting, row, theirs, ours):
    options = sitting.options
    names = tasks.mmlu(sitting.folder, options.data, SUBJECTS[: options.mmlu_subjects], _lm_eval_tasks())
    job = {"batch": 8, "shots": 5, "limit": options.mmlu_limit, "chat": False}
    suites.against_lm_eval(sitting, row, _mmlu_suite(options), job, names, [(theirs, [ours])], checks.choices)


def mmlu_f32(sitting, row):
    """5-shot MMLU, f32."""
    _mmlu(sitting, row, "float32", "f32")


def mmlu_bf16(sitting, row):
    """5-shot MMLU, bf16."""
    _mmlu(sitting, row, "bfloat16", "bf16")


def humaneval(sitting, row):
    """HumanEval in chat form. evalh's time includes running the programs; lm-eval only writes them."""
    options, suite = sitting.options, _humaneval_suite(sitting.options)
    names = tasks.humaneval_chat(sitting.folder, sitting.evalh.prompts(suite), options.new_tokens)
    job = {"batch": 16, "shots": 0, "limit": options.humaneval_limit, "chat": True}
    suites.against_lm_eval(sitting, row, suite, job, names, [("bfloat16", ["f32", "bf16"])], checks.texts)


def gsm8k_cot(sitting, row):
    """GSM8K behind eight worked examples."""
    options = sitting.options
    suite = ["--suite", "gsm8k_cot", "--limit", str(options.gsm8k_limit), "--max-new-tokens", str(options.new_tokens)]
    names = tasks.gsm8k_cot(sitting.folder, options.data, _lm_eval_tasks(), options.new_tokens)
    job = {"batch": 16, "shots": 8, "limit": options.gsm8k_limit, "chat": False}
    suites.against_lm_eval(sitting, row, suite, job, names, [("bfloat16", ["f32", "bf16"])], checks.texts)


def own_mmlu(sitting, row):
    """Three variants together against the base alone: MMLU."""
    suites.together(sitting, row, _mmlu_suite(sitting.options))


def own_humaneval(sitting, row):
    """Three variants together against the base alone: HumanEval."""
    suites.together(sitting, row, _humaneval_suite(sitting.options))


ROWS = {
    "mmlu-f32": mmlu_f32,
    "mmlu-bf16": mmlu_bf16,
    "humaneval": humaneval,
    "gsm8k-cot": gsm8k_cot,
    "prefill": speeds.prefill,
    "decode": speeds.decode,
    "own-mmlu": own_mmlu,
    "own-humaneval": own_humaneval,
    "merged": speeds.merged,
}
