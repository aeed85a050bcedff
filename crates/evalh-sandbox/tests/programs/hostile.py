# Programs that must not pass, hang or touch the host. Each begins with `#===== name -> outcome` and may have tests
# after `#-----`. HOST_PORT stands for a port on which the test listens.

#===== endless loop -> timed_out
while True: pass
#===== endless loop in a test -> timed_out
def f(x):
    while True: pass
#-----
assert f(1) == 1
#===== endless loop that catches everything -> timed_out
while True:
    try:
        while True: pass
    except BaseException:
        pass
#===== endless big number -> timed_out
x = 3 ** (10 ** 9)
#===== endless power of numbers -> timed_out
9 ** 9 ** 9
#===== endless regular expression -> timed_out
import re
re.match(r"(a+)+$", "a" * 60 + "b")
#===== endless sum in C -> timed_out
sum(range(10 ** 12))
#===== endless output -> timed_out
while True: print("spam")
#===== endless generator -> timed_out
import itertools
list(zip(itertools.count(), iter(int, 1), itertools.repeat(0)))[0] if 0 else all(True for _ in itertools.count())
#===== endless garbage collection -> timed_out
import gc
while True: gc.collect()
#===== endless excepthook -> timed_out
import sys
def hook(*a):
    while True: pass
sys.excepthook = hook
raise ValueError
#===== endless destructor -> timed_out
class A:
    def __del__(self):
        while True: pass
A()
#===== endless atexit -> timed_out
import atexit, sys
@atexit.register
def forever():
    while True: pass
sys.exit(0)
#===== long sleep -> timed_out
import time
time.sleep(10 ** 6)
#===== many sleeps -> timed_out
import time
while True: time.sleep(0.5)
#===== endless naps -> timed_out
import time
while True: time.sleep(0)
#===== long wait -> timed_out
import select
select.select([], [], [], 10 ** 5)
#===== wait for a lock -> crashed
import threading
lock = threading.Lock()
lock.acquire()
lock.acquire()
#===== wait for an event -> timed_out
import asyncio
asyncio.run(asyncio.sleep(10 ** 6))
#===== memory in large pieces -> out_of_memory
a = []
while True: a.append(bytearray(1 << 20))
#===== memory in one piece -> out_of_memory
x = bytearray((1 << 31) - 1000)
#===== memory of a string -> out_of_memory
x = "a" * ((1 << 31) - 1000)
#===== memory doubling -> out_of_memory
x = [0]
while True: x += x
#===== memory in a test -> out_of_memory
def f(x): return f(bytearray(len(x) * 2))
#-----
f(b"ab")
#===== memory of a big number -> error
x = 1 << (1 << 40)
#===== recursion -> error
def f(n): return f(n + 1)
f(0)
#===== recursion with a raised limit -> crashed
import sys
sys.setrecursionlimit(10 ** 9)
class A:
    def __eq__(self, other): return A() == other
A() == 1
#===== recursion in a representation -> crashed
a = []
for _ in range(100000): a = [a]
repr(a)
#===== recursion in a parser -> crashed
import json
json.loads("[" * 100000)
#===== recursion in the compiler -> error
eval("-" * 100000 + "1")
#===== exit -> exited
import sys
sys.exit(0)
#===== exit with text -> exited
import sys
sys.exit("all tests passed")
#===== exit by exception -> exited
raise SystemExit(0)
#===== exit at once -> exited
import os
os._exit(0)
#===== exit in a test -> exited
import sys
def f(x): sys.exit(0)
#-----
assert f(1) == 1
#===== exit at once in a test -> exited
import os
def f(x): os._exit(0)
#-----
assert f(1) == 1
#===== exit in a hook -> exited
import os, sys
sys.unraisablehook = lambda *a: os._exit(0)
class A:
    def __del__(self): raise ValueError
A()
#===== exit when a generator is closed -> failed
import os
def waiting():
    try: yield
    finally: os._exit(0)
g = waiting()
next(g)
def f(x):
    global g
    del g
#-----
assert f(1) == 1
#===== exit at the end -> failed
import atexit, os
atexit.register(os._exit, 0)
def f(x): return 0
#-----
assert f(1) == 1
#===== abort -> crashed
import os
os.abort()
#===== a fault -> crashed
import faulthandler
faulthandler._sigsegv()
#===== a signal -> error
import os, signal
signal.alarm(1)
#===== read a file -> error
open("/etc/passwd").read()
#===== read by another way -> error
import pathlib
pathlib.Path("/proc/self/environ").read_bytes()
#===== read the standard library -> error
open("/python/os.py").read()
#===== write a file -> error
open("evalh_was_here", "w")
#===== write a file elsewhere -> error
open("/tmp/evalh_was_here", "w")
#===== make a folder -> error
import os
os.mkdir("evalh_was_here")
#===== temporary file -> error
import tempfile
tempfile.NamedTemporaryFile()
#===== remove files -> error
import os
os.remove("Cargo.toml")
#===== remove a tree quietly -> failed
import shutil
shutil.rmtree("/", ignore_errors=True)
shutil.rmtree(".", ignore_errors=True)
raise AssertionError
#===== list a folder -> error
import os
os.listdir("/")
#===== climb out -> error
open("../../../../../etc/hostname")
#===== open a descriptor -> error
import os
for fd in range(3, 1000):
    try: os.read(fd, 1)
    except OSError: pass
    else: break
else: raise OSError
#===== connect -> error
import socket
socket.create_connection(("127.0.0.1", HOST_PORT), 1)
#===== connect a socket -> error
import socket
socket.socket().connect(("127.0.0.1", HOST_PORT))
#===== listen -> error
import socket
socket.create_server(("127.0.0.1", 0))
#===== look up a name -> error
import socket
socket.getaddrinfo("localhost", 80)
#===== fetch -> error
import urllib.request
urllib.request.urlopen("http://127.0.0.1:HOST_PORT/")
#===== fork -> error
import os
os.fork()
#===== run a shell -> error
import os
os.system("touch evalh_was_here")
#===== run a program -> error
import subprocess
subprocess.run(["touch", "evalh_was_here"])
#===== replace the process -> error
import os
os.execv("/bin/true", ["true"])
#===== start a thread -> error
import threading
threading.Thread(target=print).start()
#===== start a process -> error
import multiprocessing
multiprocessing.Process(target=print).start()
#===== foreign functions -> error
import ctypes
#===== the network's certificates -> error
import ssl
#===== read the input -> error
input()
#===== zero bytes -> error
x = "ZERO_BYTE"
#===== patched builtins -> failed
import builtins
builtins.exec = builtins.compile = builtins.eval = lambda *a, **k: None
builtins.AssertionError = builtins.BaseException = builtins.Exception = ValueError
builtins.__build_class__ = builtins.__import__ = None
def f(x): return 0
#-----
assert f(1) == 1
#===== builtins that agree -> failed
import builtins
builtins.all = builtins.any = builtins.isinstance = lambda *a: True
builtins.abs = builtins.len = lambda x: 0
def f(x): return []
#-----
assert all(f(x) == x for x in range(3)) and isinstance(f(1), int)
#===== a namespace without builtins -> failed
__builtins__ = {"AssertionError": None, "all": lambda x: True}
def f(x): return 0
#-----
assert all([f(1) == 1])
#===== a patched assertion class -> failed
class AssertionError(Exception):
    def __new__(cls, *a): return None
def f(x): return 0
#-----
assert f(1) == 1, "wrong"
#===== a check that dies for its own replacement -> failed
import sys
class Last:
    def __del__(self):
        for frame in (sys._getframe(0), sys._getframe(1)): frame.f_globals["check"] = lambda candidate: None
check = METADATA = Last()
def f(x): return 0
#-----
METADATA = {}
def check(candidate):
    assert candidate(1) == 1
check(f)
#===== a collector that replaces the check -> failed
import gc, sys
def replace(phase, info):
    frame = sys._getframe(1)
    while frame:
        frame.f_globals["check"] = lambda candidate: None
        frame = frame.f_back
gc.callbacks.append(replace)
gc.set_threshold(1, 1, 1)
def f(x): return 0
#-----
METADATA = [{} for _ in range(5000)]
def check(candidate):
    assert candidate(1) == 1
check(f)
#===== a tracer that jumps over assertions -> error
import sys
def jump(frame, event, argument):
    if event == "line": frame.f_lineno += 1
    return jump
sys.settrace(jump)
def f(x): return 0
#-----
def check(candidate):
    assert candidate(1) == 1
    pass
check(f)
#===== a tracer for all threads -> failed
import threading
def jump(frame, event, argument):
    if event == "line": frame.f_lineno += 1
    return jump
threading.settrace_all_threads(jump)
def f(x): return 0
#-----
def check(candidate):
    assert candidate(1) == 1
    pass
check(f)
#===== a debugger -> error
import pdb
pdb.Pdb().run("pass")
#===== a profiler -> error
import sys
sys.setprofile(lambda *a: None)
#===== a line event of sys.monitoring -> error
import sys
sys.monitoring.use_tool_id(1, "jump")
sys.monitoring.register_callback(1, sys.monitoring.events.LINE, lambda code, line: None)
#===== a second sys -> error
import sys
settrace = sys.settrace
del sys.modules["sys"]
import sys
#===== a second runtime -> error
import sys
del sys.modules["componentize_py_runtime"]
import componentize_py_runtime
#===== a second runtime by its loader -> error
import _imp, importlib.machinery
spec = importlib.machinery.ModuleSpec("componentize_py_runtime", importlib.machinery.BuiltinImporter)
_imp.create_builtin(spec)
#===== a second interpreter -> error
import _interpreters
#===== the collector's objects -> error
import gc
gc.get_objects()
#===== the collector's referrers -> error
import gc
gc.get_referrers(print)
#===== the collector's referents -> error
import gc
gc.get_referents(dict.__dict__)
#===== byte code by hand -> error
def f(): return 0
f.__code__ = f.__code__.replace(co_code=b"\0" * 64)
#===== byte code from nothing -> error
type((lambda: 0).__code__)(0, 0, 0, 0, 0, 0, b"", (), (), (), "", "", "", 0, b"", b"")
#===== byte code unmarshalled -> error
import marshal
marshal.loads(marshal.dumps(0))
#===== an audit hook -> failed
import os, sys
def hook(event, arguments):
    if event in ("exec", "compile"): os._exit(0)
sys.addaudithook(hook)
def f(x): return 0
#-----
assert f(1) == 1
#===== frames below the program -> failed
import sys
def f(x):
    frame = sys._getframe()
    while frame.f_back: frame = frame.f_back
    # The lowest frame is that of the tests: there is no runner to change.
    return frame.f_code.co_name != "<module>" or "exec" in frame.f_globals
#-----
assert f(1)
#===== frames below a traceback -> failed
def f(x):
    try: raise ValueError
    except ValueError as error: frame = error.__traceback__.tb_frame
    while frame.f_back: frame = frame.f_back
    return frame.f_code.co_name != "<module>"
#-----
assert f(1)
#===== a swallowed exception hook -> crashed
import sys
def f(x):
    sys.excepthook = lambda *a: None
    return 0
#-----
assert f(1) == 1
#===== an exception hook with other code -> crashed
import sys
sys.excepthook.__code__ = (lambda kind, value, trace, report=0, limit=0, render=0: None).__code__
def f(x): return 0
#-----
assert f(1) == 1
#===== an exception hook that exits -> exited
import os, sys
def f(x):
    sys.excepthook = lambda *a: os._exit(0)
    return 0
#-----
assert f(1) == 1
#===== the host's functions called by number -> failed
import sys
call = sys.excepthook.__defaults__[0].func
call(1, [0]), call(1, [2 ** 64 - 1])
def f(x): return 0
#-----
assert f(1) == 1
#===== the host's functions called wrongly -> crashed
import sys
sys.excepthook.__defaults__[0].func(0, [])
#===== the evidence without the tests -> exited
import os, sys
def f(x):
    frame = sys._getframe(1)
    number = max(c for c in frame.f_code.co_consts if isinstance(c, int))
    __evalh_finished__([number])
    os._exit(0)
#-----
assert f(1) == 1
#===== the evidence kept back -> crashed
def __evalh_finished__(evidence): pass
def f(x): return 1
#-----
assert f(1) == 1
#===== a stream that raises no more -> failed
import sys
class Quiet:
    def write(self, text): return len(text)
    def flush(self): pass
sys.stdout = sys.stderr = sys.__stderr__ = Quiet()
def f(x): return 0
#-----
assert f(1) == 1
#===== a message that cannot be made -> error
class Odd(Exception):
    def __str__(self): raise SystemExit(0)
raise Odd
#===== a class with a false name -> error
class Passed(Exception): pass
Passed.__qualname__ = "passed"
raise Passed("passed")
#===== a printed verdict -> failed
print("passed")
print('{"outcome": "passed"}')
def f(x): return 0
#-----
assert f(1) == 1
#===== an open string that swallows the tests -> error
def f(x): return 0
"""
#-----
assert f(1) == 1
#===== a patched partial -> error
import functools
functools.partial.__call__ = lambda self, *a: None
#===== a patched deque -> error
import collections
collections.deque.__init__ = lambda self, *a: None
#===== a patched namespace -> error
import types
types.SimpleNamespace.__getattribute__ = lambda self, name: print
#===== a patched partial in its module -> failed
import functools, operator, collections, types
functools.partial = operator.call = collections.deque = types.SimpleNamespace = lambda *a, **k: None
def f(x): return 0
#-----
assert f(1) == 1
#===== no recursion for the tests -> error
import sys
def f(x): return 0
sys.setrecursionlimit(1)
#-----
assert f(1) == 1
#===== an importer that replaces the check -> failed
import sys
class Finder:
    def find_spec(self, name, path, target=None):
        frame = sys._getframe()
        while frame:
            frame.f_globals["check"] = lambda candidate: None
            frame = frame.f_back
sys.meta_path.insert(0, Finder())
def f(x): return 0
#-----
def check(candidate):
    assert candidate(1) == 1
check(f)
#===== a subclass of everything -> failed
for kind in object.__subclasses__():
    for name in ("load", "seal", "test", "__call__"):
        try: setattr(kind, name, lambda *a: None)
        except (TypeError, AttributeError): pass
def f(x): return 0
#-----
assert f(1) == 1
