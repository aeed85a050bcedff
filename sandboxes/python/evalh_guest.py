"""The Python side of the sandbox, run once while the component is built and then frozen into its snapshot.

The host calls `load` with the program, `seal`, and `test` with the tests. All three are C functions bound to
their arguments, so no Python frame of the guest lies under a program: there is no runner whose locals, globals
or code a program could reach through `sys._getframe`, a traceback or a closure. They are held by an object that
only the native runtime refers to. A call that returns means success, an exception makes the runtime trap.
"""

import builtins
import collections
import functools
import gc
import importlib
import operator
import pkgutil
import sys
import types
import warnings

import componentize_py_runtime
import wit_world.imports.verdict  # noqa: F401  (makes the host's functions part of the world)

# A module that is not imported here does not exist for a program: the component has no file system.
MODULES = """
__future__ _strptime abc annotationlib argparse array ast asyncio atexit base64 bdb binascii bisect builtins
cProfile calendar cmath cmd code codecs codeop collections colorsys compression concurrent configparser contextlib
contextvars copy copyreg csv dataclasses datetime dbm decimal difflib dis doctest email encodings enum errno
faulthandler filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib
gzip hashlib heapq hmac html http imaplib importlib inspect io ipaddress itertools json keyword linecache locale
logging mailbox marshal math mimetypes modulefinder multiprocessing netrc ntpath numbers opcode operator optparse os
pathlib pdb pickle pickletools pkgutil platform plistlib poplib posix posixpath pprint profile pstats py_compile
pyclbr pydoc pyexpat queue quopri random re reprlib rlcompleter runpy sched secrets select selectors shelve shlex
shutil signal site smtplib socket socketserver sqlite3 stat statistics string stringprep struct subprocess symtable
sys sysconfig tabnanny tarfile tempfile textwrap threading time timeit token tokenize tomllib trace traceback
tracemalloc types typing unicodedata unittest urllib uuid warnings wave weakref webbrowser wsgiref xml xmlrpc zipapp
zipfile zipimport zlib zoneinfo
_pydatetime _pydecimal _pyio _pylong
"""

# Events of `sys.audit` that open a way around the verdict. A program that raises one gets an exception.
# Line tracing can jump over an assertion; hand-made byte code can read and write all guest memory; the garbage
# collector's lists lead to the objects that the runtime calls; a program's own audit hook would run inside the tests.
REFUSED_EVENTS = frozenset({
    "code.__new__",
    "cpython.PyInterpreterState_New",
    "gc.get_objects",
    "gc.get_referents",
    "gc.get_referrers",
    "marshal.load",
    "marshal.loads",
    "sys._setprofileallthreads",
    "sys._settraceallthreads",
    "sys.addaudithook",
    "sys.monitoring.register_callback",
    "sys.setprofile",
    "sys.settrace",
})

MESSAGE_LIMIT = 4000


def import_everything():
    """Imports the modules of `MODULES` and what lies inside their packages."""
    warnings.simplefilter("ignore")
    for name in MODULES.split():
        module = importlib.import_module(name)
        for found in pkgutil.walk_packages(getattr(module, "__path__", ()), name + ".", lambda _: None):
            if "__main__" in found.name or ".test" in found.name:
                continue
            try:
                importlib.import_module(found.name)
            except (ImportError, AttributeError, OSError):
                pass  # needs something that CPython for WASI is built without, as a program that imports it is told
    warnings.resetwarnings()


def let_asyncio_run():
    """Takes from `asyncio` the socket by which other threads wake its loop: there are no threads and no sockets."""
    from asyncio import selector_events

    loop = selector_events.BaseSelectorEventLoop
    loop._make_self_pipe = loop._close_self_pipe = loop._write_to_self = lambda self: None


def refuse_events(event, args, /, refused=REFUSED_EVENTS, error=PermissionError):
    """The audit hook. It looks nothing up outside its own arguments and constants, which no program can change."""
    if event in refused:
        raise error(f"{event} is refused by the sandbox")


def report_exception(kind, value, trace, /, report=None, limit=MESSAGE_LIMIT, render=sys.__excepthook__):
    """`sys.excepthook`: tells the host what ended a program, then prints the traceback as usual."""
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        text = str(value)
    except BaseException:
        text = "the exception's text could not be made"
    report((name[:limit], text[:limit].encode("utf-8", "replace").decode()))
    render(kind, value, trace)


def hide_the_runtime():
    """Takes away what leads to the native runtime's functions: its modules and the way to make them again."""
    import _imp

    # The runtime still looks for this module and member after `WitWorld`, and never calls the member: the world
    # has no resources.
    stand_in = types.ModuleType("componentize_py_runtime")
    stand_in.drop_resource = None
    sys.modules["componentize_py_runtime"] = stand_in
    for name in [name for name in sys.modules if name.split(".")[0] in ("evalh_guest", "wit_world")]:
        del sys.modules[name]
    # Everything that is built in is imported already; a second copy of `sys` or of the runtime would undo the guards.
    _imp.is_builtin = frozenset().__contains__
    del _imp.create_builtin, _imp.create_dynamic
    # No module is read from files.
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()


def WitWorld():
    """Makes the object whose members, named as in `world.wit`, the runtime will call. It asks once for each member."""
    import_everything()
    let_asyncio_run()
    bind = functools.partial
    call_import = componentize_py_runtime.call_import
    # `call_import` numbers the functions of `world.wit` in their order there.
    report_exception.__defaults__ = (bind(call_import, 0), *report_exception.__defaults__[1:])
    namespace, script_namespace, kept_alive = {}, {"__name__": "__main__"}, []
    hide_the_runtime()

    saved_builtins = dict(vars(builtins), __evalh_finished__=bind(call_import, 1))
    steps = (
        # A value that a test's own definition replaces must not die of it: its `__del__` would run inside the tests.
        bind(kept_alive.extend, namespace.values()),
        bind(vars(builtins).update, saved_builtins),
        bind(namespace.__setitem__, "__builtins__", vars(builtins)),
        bind(vars(sys).__setitem__, "excepthook", report_exception),
    )
    source = functools.Placeholder
    exports = types.SimpleNamespace(
        load=bind(exec, source, namespace),
        load_script=bind(exec, source, script_namespace),
        seal=bind(collections.deque, map(operator.call, steps), 0),
        test=bind(exec, source, namespace),
    )
    members = len(vars(exports))
    # Used up steps are freed; what they keep alive must not be.
    exports.kept_alive = kept_alive
    sys.excepthook = report_exception
    sys.addaudithook(refuse_events)
    gc.collect()
    # What is here now is never garbage: keep the collector from walking, and so from copying, the snapshot.
    gc.freeze()
    # A program can reach these globals through the exception hook, which needs none. What the runtime still asks
    # for is gone from them when it has asked for the last member.
    globals().clear()
    globals()["WitWorld"] = ([exports] * (members - 1)).pop
    return exports
