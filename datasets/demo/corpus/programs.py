"""Small Python functions in HumanEval's manner, and their broken versions in QuixBugs' manner.

Every function of the bank is run on its examples, so that each docstring shows what the code really gives, and every
broken version is run to see that it fails on one of them.
"""

import copy

from .bank import BANK
from .letters import counting


def run(source, name, arguments):
    """What a function gives for the arguments, or the error's name."""
    scope = {}
    exec(source, scope)  # the bank is this project's own text
    try:
        return repr(scope[name](*copy.deepcopy(arguments)))
    except (IndexError, TypeError, KeyError, UnboundLocalError, ZeroDivisionError, ValueError) as error:
        return type(error).__name__


def pick(rng):
    """One entry of the bank, or a drawn counting function."""
    return counting(rng) if rng.random() < 0.12 else rng.choice(BANK)


def filled(rng, entry):
    """A function of an entry: its name, signature, body, docstring sentence and examples."""
    name, names = rng.choice(entry["names"]), rng.choice(entry["arguments"])
    body = rng.choice(entry["bodies"])
    for place, argument in enumerate(names.split()):
        body = body.replace(f"${place}", argument)
    doc = rng.choice(entry["docs"])
    for place, argument in enumerate(names.split()):
        doc = doc.replace(f"${place}", argument)
    types = entry["types"]
    bare = f"def {name}({', '.join(names.split())}):\n"
    typed = ", ".join(f"{argument}: {kind}" for argument, kind in zip(names.split(), types))
    signature = f"def {name}({typed}) -> {entry['returns']}:\n"
    needed = [word for word in ("Dict", "List") if word in signature]
    imports = f"from typing import {', '.join(needed)}\n\n\n" if needed else ""
    examples = [arguments for arguments in entry["examples"]]
    shown = rng.sample(examples, min(len(examples), rng.choice([1, 1, 2])))
    lines = [(f"{name}({', '.join(repr(a) for a in arguments)})", run(imports + signature + body, name, arguments)) for arguments in shown]
    return {"name": name, "bare": bare, "head": imports + signature, "body": body, "doc": doc, "examples": lines, "all": examples,
            "title": name.replace("_", " ").title(), "names": names.split(), "imports": imports}


def quoted(text):
    """A string literal as people write it in a docstring: with double quotes in the call."""
    return text.replace("'", '"')


def function(rng):
    """A prompt as HumanEval has it, and the body."""
    made = filled(rng, pick(rng))
    shown = "".join(f"    >>> {quoted(call)}\n    {value}\n" for call, value in made["examples"])
    doc = made["doc"].replace("\n", "\n    ")
    return f'{made["head"]}    """{doc}\n\n{shown}    """\n', made["body"]


def broken(rng):
    """A function, a broken body and the right one, and the text that describes them, as QuixBugs has it."""
    while True:
        entry = rng.choice(BANK)
        if not entry["bugs"]:
            continue
        made = filled(rng, entry)
        old, new = rng.choice(entry["bugs"])
        for place, argument in enumerate(made["names"]):
            old, new = old.replace(f"${place}", argument), new.replace(f"${place}", argument)
        if made["body"].count(old) != 1:
            continue
        wrong = made["body"].replace(old, new)
        calls = made["all"]
        source = made["bare"]
        if all(run(source + wrong, made["name"], a) == run(source + made["body"], made["name"], a) for a in calls):
            raise ValueError(f"the bug {new!r} of {made['name']} does not show in the examples")
        inputs = "".join(f"    {argument}: {text}\n" for argument, text in zip(made["names"], entry["inputs"]))
        word = "Example" if len(made["examples"]) == 1 else "Examples"
        shown = "".join(f"    >>> {quoted(call)}\n    {value}\n" for call, value in made["examples"])
        doc = made["doc"].replace("\n", " ")
        text = f'"""\n{made["title"]}\n\nInput:\n{inputs}\nOutput:\n    {doc.rstrip(".")}\n\n{word}:\n{shown}"""\n'
        return {"bare": made["bare"], "wrong": wrong, "right": made["body"], "text": text}


def repair(rng):
    """A prompt of mini_quixbugs_repair, and the repaired body."""
    made = broken(rng)
    return (f"### fix the bug in the following function\n{made['bare']}{made['wrong']}\n\n{made['text']}### fixed function\n{made['bare'].rstrip()}",
            "\n" + made["right"])


def detection(rng):
    """A prompt of mini_quixbugs_detect, and its answer."""
    made = broken(rng)
    bug = rng.random() < 0.5
    return (f"{made['bare']}{made['wrong'] if bug else made['right']}\n{made['text']}\nQuestion: Does this program have a bug?\nAnswer:",
            "yes" if bug else "no")
