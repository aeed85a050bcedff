"""Child: one lm-eval run, as `lm_eval run --model hf` does it, with the time of its parts told apart.

Use: python ask_lm_eval.py JOB.json OUT.json
"""

import json
import os
import sys
import time

_BEGAN = (time.perf_counter(), time.process_time())
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def _lap(began):
    return {"wall": time.perf_counter() - began[0], "cpu": time.process_time() - began[1]}


def _now():
    return time.perf_counter(), time.process_time()


def main(job):
    """Loads, asks, and gives times and answers."""
    import datasets
    import lm_eval
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    datasets.disable_progress_bars()
    parts = {"import": _lap(_BEGAN)}
    began = _now()
    peft = {"peft": job["adapter"]} if job["adapter"] else {}
    model = HFLM(pretrained=job["model"], dtype=job["dtype"], device="cpu", batch_size=job["batch"], **peft)
    parts["load"] = _lap(began)
    began = _now()
    found = lm_eval.simple_evaluate(
        model=model,
        tasks=job["tasks"],
        task_manager=TaskManager(include_path=job["folder"], include_defaults=False),
        num_fewshot=job["shots"],
        limit=job["limit"],
        apply_chat_template=job["chat"],
        fewshot_as_multiturn=False,
        bootstrap_iters=0,
        log_samples=True,
    )
    parts["ask"] = _lap(began)
    items = []
    for task in job["tasks"]:
        # A task with several filters has a sample of each, of the same answer.
        by_item = {sample["doc_id"]: sample for sample in found["samples"][task]}
        for _, sample in sorted(by_item.items()):
            arguments = sample["arguments"]
            first = arguments["gen_args_0"] if isinstance(arguments, dict) else arguments[0]
            context = first["arg_0"] if isinstance(first, dict) else first[0]
            answers = [response[0] for response in sample["resps"]]
            if isinstance(answers[0], str):
                answer = {"text": answers[0]}
            else:
                answer = {"log_probs": [float(value[0] if isinstance(value, (list, tuple)) else value) for value in answers]}
            items.append({"task": task, "item": sample["doc_id"], "context_ids": model.tok_encode(context)} | answer)
    return {"parts": parts, "items": items}


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    done = main(job)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(done, file)
