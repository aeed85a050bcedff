"""Checks one program inside the sandbox, in a namespace of its own: nothing that the program defined shadows a name here.

Given in the namespace: `program` (the program's namespace), `name` (its function's), `cases` (lists of arguments and
result, or None), `as_list` (whether the tests take the result through `list`), `module` (text of upstream's test module,
or None), `node` (text of upstream's `node.py`, or None). Ends without an exception only where every test passed.
"""

find_module = __builtins__["__import__"]
magnitude = abs


class Skipped(Exception):
    pass


class Namespace:
    """What a test module imports."""

    def __init__(self, **members):
        vars(self).update(members)


def executed(text, **names):
    """The namespace that a module's text leaves."""
    names["__builtins__"] = {**__builtins__, "__import__": imported}
    exec(compile(text, "<tests>", "exec"), names)
    return names


def imported(wanted, globals=None, locals=None, fromlist=(), level=0):
    """The test module's `import`: stand-ins for pytest and for upstream's own modules."""
    if wanted == "pytest":
        return pytest
    if wanted == "node" and node is not None:
        return Namespace(Node=Node)
    if wanted == "load_testdata":
        return Namespace(load_json_testcases=lambda algorithm: cases)
    if wanted == "python_programs." + name:
        return Namespace(**{name: guarded})
    return find_module(wanted, globals, locals, fromlist, level)


def node_class():
    """The class that the program can import, so that it knows the nodes it is given; another where it was changed."""
    ours = executed(node)["Node"]
    theirs = getattr(find_module("node"), "Node", None)
    kept = ("__code__", "__defaults__", "__kwdefaults__")

    def content(owner):
        return {key: [getattr(value, part, None) for part in kept] for key, value in vars(owner).items()}

    is_kept = type(theirs) is type and theirs.__bases__ == (object,) and content(theirs) == content(ours)
    return theirs if is_kept else ours


def plain(value):
    """A result rebuilt of built-in values, so that no class of the program's own decides whether it is right."""
    for scalar in (bool, int, float, str):
        if type(value) is scalar:
            return value
    for scalar in (int, float, str):
        if isinstance(value, scalar):
            return scalar.__add__(value, scalar())
    if value is None or Node is not None and type(value) is Node:
        return value
    if isinstance(value, list):
        return [plain(item) for item in list.__iter__(value)]
    if isinstance(value, tuple):
        return tuple([plain(item) for item in tuple.__iter__(value)])
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in dict.items(value)}
    for kind in (set, frozenset, type({}.keys())):
        if isinstance(value, kind):
            return {plain(item) for item in kind.__iter__(value)}
    raise AssertionError(f"the result holds a {type(value).__qualname__}")


def guarded(*arguments, **named):
    """The program's function as the tests see it."""
    try:
        found = candidate(*arguments, **named)
        return plain(list(found) if as_list else found)
    except Skipped:
        raise AssertionError("the program skipped its own test") from None


guarded.__name__ = name


def same(found, expected):
    """Whether a result is the expected one. JSON has no tuples, so tuples and lists are equal."""
    if isinstance(expected, list):
        is_sequence = isinstance(found, (list, tuple)) and len(found) == len(expected)
        return is_sequence and all(map(same, found, expected))
    return found == expected


class Approx:
    """`pytest.approx` of a number."""

    def __init__(self, expected, rel=None, abs=None):
        self.expected = expected
        if rel is None and abs is not None:
            self.tolerance = abs
        else:
            self.tolerance = max((1e-6 if rel is None else rel) * magnitude(expected), 1e-12 if abs is None else abs)

    def __eq__(self, found):
        return found == self.expected or magnitude(found - self.expected) <= self.tolerance

    __hash__ = None


def skip(reason=""):
    raise Skipped(reason)


def parametrize(names, rows):
    """A test that runs once for every row of arguments."""
    names = [part.strip() for part in names.split(",")]

    def decorate(test):
        def run():
            for number, row in enumerate(rows, 1):
                row = row if len(names) > 1 else [row]
                one_test(f"case {number} of {len(rows)}", lambda: test(**dict(zip(names, row, strict=True))))

        return run

    return decorate


def one_test(title, test):
    global ran
    try:
        test()
        ran += 1
    except Skipped:
        pass
    except AssertionError as error:
        raise error if error.args else AssertionError(title) from None


if name not in program:
    raise NameError(f"name {name!r} is not defined")
candidate = program[name]
pytest = Namespace(
    approx=Approx,
    mark=Namespace(parametrize=parametrize),
    run_slow=False,
    skip=skip,
    use_correct=False,
)
ran = 0
Node = None if node is None else node_class()

if module is not None:
    for title, test in list(executed(module).items()):
        if title.startswith("test") and callable(test):
            one_test(title, test)
else:
    for number, (arguments, expected) in enumerate(cases, 1):
        found = guarded(*arguments)
        assert same(found, expected), f"case {number} of {len(cases)}: {found!r} is not {expected!r}"
        ran += 1
if not ran:
    raise RuntimeError("no test ran")
