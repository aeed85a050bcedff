"""Functions that count, keep or drop drawn letters: the same code with other letters each time."""


def counting(rng):
    """An entry for the bank over a drawn set of letters."""
    letters = sorted(rng.sample("abcdefghijklmnoprstuwy", rng.randint(3, 5)))
    joined, listed = "".join(letters), ", ".join(letters)
    if joined == "aeiou":
        return counting(rng)
    some = "".join(rng.choice(joined + "xyz") for _ in range(6))
    words = [rng.choice(["Evening", "Window", "banana", "Letter", "Summer", "garden", "Orange", "rhythm"]), some, "", some.upper()]
    kind = rng.choice(["count", "count", "drop", "keep", "any"])
    verb = {"count": "count", "drop": "drop", "keep": "keep", "any": "has_any"}[kind]
    docs = {"count": [f"Count the letters of $0 that are {listed}, in either case.", f"How many letters of $0 are one of {listed}, small or large?"],
            "drop": [f"Return $0 without the letters {listed}, in either case."],
            "keep": [f"Return only the letters of $0 that are one of {listed}, in either case."],
            "any": [f"Tell whether $0 has one of the letters {listed}, in either case."]}[kind]
    body = {"count": f'    return sum(1 for letter in $0.lower() if letter in "{joined}")\n',
            "drop": f'    return "".join(letter for letter in $0 if letter.lower() not in "{joined}")\n',
            "keep": f'    return "".join(letter for letter in $0 if letter.lower() in "{joined}")\n',
            "any": f'    return any(letter in "{joined}" for letter in $0.lower())\n'}[kind]
    return {"names": [f"{verb}_letters", f"{verb}_{joined}", f"{verb}_some", f"{verb}_of_set"], "arguments": ["text", "text", "word", "line"],
            "types": ["str"], "returns": {"count": "int", "any": "bool"}.get(kind, "str"), "docs": docs, "bodies": [body],
            "examples": [(word,) for word in words], "inputs": ["A string"], "bugs": []}
