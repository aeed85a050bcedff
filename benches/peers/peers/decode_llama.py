"""Child: the time that llama.cpp takes for a token after a prompt, one sequence.

Use: python decode_llama.py JOB.json OUT.json
"""

import json
import random
import sys
import time


def main(job):
    """Seconds of a token in each repetition, after one repetition that is not counted."""
    import llama_cpp

    model = llama_cpp.Llama(
        model_path=job["model"],
        n_ctx=job["prompt_tokens"] + job["new_tokens"] + 8,
        n_threads=job["threads"],
        n_threads_batch=job["threads"],
        n_gpu_layers=0,
        verbose=False,
    )
    draw = random.Random(1)
    ids = [draw.randrange(model.n_vocab()) for _ in range(job["prompt_tokens"] + job["new_tokens"])]
    prompt, following = ids[: job["prompt_tokens"]], ids[job["prompt_tokens"] :]
    seconds, cpu, prefill = [], [], []
    for _ in range(job["passes"] + 1):
        model.reset()
        began = time.perf_counter()
        model.eval(prompt)
        prefill.append(time.perf_counter() - began)
        began, used = time.perf_counter(), time.process_time()
        for token in following:
            model.eval([token])
        seconds.append((time.perf_counter() - began) / len(following))
        cpu.append((time.process_time() - used) / len(following))
    return {
        "version": llama_cpp.__version__,
        "system": llama_cpp.llama_print_system_info().decode(),
        "seconds": seconds[1:],
        "cpu": cpu[1:],
        "prefill": prefill[1:],
    }


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(main(job), file)
