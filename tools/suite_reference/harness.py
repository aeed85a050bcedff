"""lm-eval's own tasks over local rows."""

import json
import tempfile
from pathlib import Path

import datasets
import lm_eval
import yaml
from lm_eval.api.task import ConfigurableTask

datasets.disable_progress_bars()

TASKS = Path(lm_eval.__file__).parent / "tasks"


class _Loader(yaml.SafeLoader):
    """YAML in which `!function` is left out: the caller sets those fields."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def config(path):
    """A task's configuration by its path below lm-eval's tasks, with what it includes."""
    path = TASKS / path
    own = yaml.load(path.read_text(), _Loader)
    include = own.pop("include", None)
    base = config((path.parent / include).relative_to(TASKS)) if include else {}
    return base | own


def task(settings, splits, shots=None, seed=1234):
    """A task of lm-eval over rows given by split: written as JSON Lines, for its own loader."""
    folder = Path(tempfile.mkdtemp())
    files = {}
    for split, rows in splits.items():
        files[split] = str(folder / f"{split}.jsonl")
        Path(files[split]).write_text("".join(json.dumps(row) + "\n" for row in rows))
    local = {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": files, "cache_dir": str(folder)}}
    made = ConfigurableTask(config={"task": "local"} | settings | local)
    if shots is not None:
        made.set_config("num_fewshot", shots)
    made.set_fewshot_seed(seed)
    return made


def stub_template(messages, add_generation_prompt):
    """Stands for a chat template: keeps what it is given."""
    return json.dumps({"messages": messages, "add_generation_prompt": add_generation_prompt})


def prompts(made, chat=None):
    """For each item its context, or its messages in a chat, and its continuations or generation settings."""
    made.build_all_requests(
        limit=None,
        rank=0,
        world_size=1,
        system_instruction=chat.get("system") if chat else None,
        apply_chat_template=chat is not None,
        fewshot_as_multiturn=bool(chat and chat["shots_as_turns"]),
        chat_template=stub_template if chat else None,
        tokenizer_name="stub",
    )
    items = {}
    for instance in made.instances:
        item = items.setdefault(instance.doc_id, {"context": instance.args[0], "continuations": []})
        assert item["context"] == instance.args[0]
        if made.OUTPUT_TYPE == "multiple_choice":
            item["continuations"].append(instance.args[1])
        else:
            item["until"] = instance.args[1]["until"]
    listed = [items[number] for number in range(len(items))]
    if chat:
        for item in listed:
            item |= json.loads(item.pop("context"))
    return listed


def canonical(item):
    """The bytes of a prompt that digests are taken of: each text followed by a zero byte, a begun answer by a one, the
    whole by a newline."""
    parts = []
    if "messages" in item:
        for message in item["messages"]:
            parts += [message["role"], message["content"]]
        begun = b"" if item["add_generation_prompt"] else b"\x01"
    else:
        parts.append(item["context"])
        begun = b""
    ahead = b"".join(part.encode() + b"\0" for part in parts)
    after = b"".join(text.encode() + b"\0" for text in item["continuations"])
    return ahead + begun + after + b"\n"
