"""lm-eval's own tasks over local files: its YAML files, their data sets swapped for JSON Lines in a temporary folder."""

import csv
import json
from pathlib import Path

import yaml


def _write(folder, name, settings, splits):
    files = {}
    for split, rows in splits.items():
        files[split] = str(folder / f"{name}.{split}.jsonl")
        Path(files[split]).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    local = {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": files, "cache_dir": str(folder / "cache")},
    }
    dropped = ("dataset_name", "include", "tag", "task_alias", "group")
    kept = {key: value for key, value in settings.items() if key not in dropped}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(kept | local, sort_keys=False, allow_unicode=True))
    return name


def _mmlu_rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return [{"question": q, "choices": choices, "answer": "ABCD".index(answer)} for q, *choices, answer in csv.reader(file)]


def mmlu(folder, data, subjects, lm_eval_tasks):
    """The subjects as lm-eval asks them. Gives the tasks' names, in the order of the subjects."""
    default = lm_eval_tasks / "mmlu/default"
    names = []
    for subject in subjects:
        own = yaml.safe_load((default / f"mmlu_{subject}.yaml").read_text())
        settings = yaml.safe_load((default / own["include"]).read_text()) | own
        splits = {split: _mmlu_rows(Path(data) / f"mmlu/{split}/{subject}_{split}.csv") for split in ("test", "dev")}
        names.append(_write(folder, f"local_{subject}", settings, splits))
    return names


def gsm8k_cot(folder, data, lm_eval_tasks, max_new_tokens):
    """GSM8K behind eight worked examples, as lm-eval asks it."""
    settings = yaml.safe_load((lm_eval_tasks / "gsm8k/gsm8k-cot.yaml").read_text())
    settings["generation_kwargs"]["max_gen_toks"] = max_new_tokens
    lines = (Path(data) / "gsm8k/test.jsonl").read_text(encoding="utf-8").splitlines()
    return [_write(folder, "local_gsm8k_cot", settings, {"test": [json.loads(line) for line in lines]})]


def humaneval_chat(folder, prompts, max_new_tokens):
    """HumanEval as evalh's chat protocol asks it: `prompts` are the lines of `evalh prompts`.

    Asked with `apply_chat_template`. Only the answers are taken: lm-eval runs no program here.
    """
    rows, stops = [], set()
    for line in prompts:
        (message,) = line["messages"]
        rows.append({"content": message["content"]})
        stops.update(line["stops"])
    settings = {
        "output_type": "generate_until",
        "test_split": "test",
        "doc_to_text": "{{content}}",
        "doc_to_target": "",
        "num_fewshot": 0,
        # lm-eval adds the end-of-text token; a task without stops of its own would stop at blank lines.
        "generation_kwargs": {"until": sorted(stops) or ["<|im_end|>"], "do_sample": False, "max_gen_toks": max_new_tokens},
        "metric_list": [{"metric": "bypass"}],
    }
    return [_write(folder, "local_humaneval_chat", settings, {"test": rows})]
