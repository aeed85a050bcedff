# Answers to programs of QuixBugs that must not pass. Each begins with `#===== what it does -> program`.

#===== leaves at once -> gcd
raise SystemExit(0)
#===== leaves in its function -> gcd
import sys
def gcd(a, b): sys.exit(0)
#===== leaves hard in its function -> gcd
import os
def gcd(a, b): os._exit(0)
#===== claims to have passed -> gcd
def gcd(a, b):
    print("1 passed")
    return "passed"
#===== has no function -> gcd
x = 1
#===== is empty -> gcd
#===== has another function -> gcd
def fixed_gcd(a, b):
    return fixed_gcd(b, a % b) if b else a
#===== is no Python -> gcd
Change the last line of the function.
#===== never ends -> gcd
def gcd(a, b):
    while True:
        pass
#===== replaces builtins when loaded -> gcd
import builtins
for name in ["exec", "compile", "globals", "dict", "all", "len", "isinstance", "type", "zip", "map", "list"]:
    setattr(builtins, name, lambda *a, **k: True)
def gcd(a, b): return None
#===== replaces builtins when called -> hanoi
import builtins
def hanoi(*a):
    builtins.all = builtins.isinstance = lambda *a: True
    builtins.len = lambda x: 0
    return []
#===== replaces the table of builtins -> gcd
__builtins__ = {"exec": print, "compile": print, "globals": dict, "dict": dict}
def gcd(a, b): return None
#===== shadows what tests call -> hanoi
def same(*a): return True
all = isinstance = len = list = exec = compile = globals = dict = same
def plain(value): return value
def guarded(*a): return []
cases = []
def hanoi(*a): return []
#===== shadows what reports the end -> gcd
def __evalh_finished__(*a): pass
def gcd(a, b): return b
#===== equals everything -> gcd
class Same:
    def __eq__(self, other): return True
def gcd(a, b): return Same()
#===== a number that equals everything -> gcd
class Same(int):
    def __eq__(self, other): return True
    def __add__(self, other): return self
def gcd(a, b): return Same(-1)
#===== a text that equals everything -> to_base
class Same(str):
    def __eq__(self, other): return True
    def __add__(self, other): return self
def to_base(num, b): return Same("")
#===== a list that equals everything -> hanoi
class Same(list):
    def __eq__(self, other): return True
    def __len__(self): return 1
    def __iter__(self): return iter([])
def hanoi(*a): return Same()
#===== lies about its class -> gcd
class Same:
    __class__ = property(lambda self: int)
    def __eq__(self, other): return True
    def __add__(self, other): return self
def gcd(a, b): return Same()
#===== parts that equal everything -> mergesort
class Same:
    def __eq__(self, other): return True
def mergesort(arr): return [Same() for _ in arr]
#===== a float near everything -> sqrt
class Near(float):
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __eq__(self, other): return True
def sqrt(x, epsilon): return Near(0)
#===== an object near everything -> sqrt
class Near:
    def __sub__(self, other): return 0.0
    def __eq__(self, other): return True
def sqrt(x, epsilon): return Near()
#===== a set that equals everything -> minimum_spanning_tree
class Same(set):
    def __eq__(self, other): return True
def minimum_spanning_tree(weight_by_edge): return Same()
#===== a table that equals everything -> shortest_paths
class Same(dict):
    def __eq__(self, other): return True
    def items(self): return []
def shortest_paths(source, weight_by_edge): return Same()
#===== an order that equals everything -> topological_ordering
class Same:
    def __eq__(self, other): return True
    value = property(lambda self: self)
def topological_ordering(nodes): return [Same() for _ in nodes]
#===== a pytest of its own -> sqrt
import sys, types
pytest = types.ModuleType("pytest")
pytest.approx = lambda *a, **k: 0.0
pytest.use_correct = pytest.run_slow = True
pytest.mark = types.SimpleNamespace(parametrize=lambda *a: lambda test: None)
sys.modules["pytest"] = pytest
sys.modules["load_testdata"] = types.SimpleNamespace(load_json_testcases=lambda name: [])
sys.modules["python_programs.sqrt"] = types.SimpleNamespace(sqrt=lambda *a: 0.0)
def sqrt(x, epsilon): return 0.0
#===== another import -> sqrt
import builtins, importlib, types
builtins.__import__ = importlib.__import__ = importlib.import_module = lambda *a, **k: types.SimpleNamespace(
    use_correct=True, run_slow=True, approx=lambda *a, **k: 0.0,
    mark=types.SimpleNamespace(parametrize=lambda *a: lambda test: None))
def sqrt(x, epsilon): return 0.0
#===== skips its tests by their exception -> knapsack
def every(kind):
    for found in type.__subclasses__(kind):
        yield found
        yield from every(found)
def knapsack(capacity, items):
    raise next(found for found in every(Exception) if found.__name__ == "Skipped")()
#===== skips its tests later -> kheapsort
def every(kind):
    for found in type.__subclasses__(kind):
        yield found
        yield from every(found)
def kheapsort(arr, k):
    yield 1
    raise next(found for found in every(Exception) if found.__name__ == "Skipped")()
#===== another node -> reverse_linked_list
import sys, types
class Node:
    def __init__(self, *a): self.value, self.successor = self, None
    def __eq__(self, other): return True
    def __bool__(self): return False
sys.modules["node"] = types.ModuleType("node")
sys.modules["node"].Node = Node
def reverse_linked_list(node): return node
#===== nodes that equal everything -> reverse_linked_list
import node
node.Node.__eq__ = lambda self, other: True
node.Node.__bool__ = lambda self: False
def reverse_linked_list(node): return node
#===== nodes made otherwise -> topological_ordering
import node
def make(self, value=None): self.value, self.incoming_nodes, self.outgoing_nodes = 0, [], []
node.Node.__init__ = make
def topological_ordering(nodes): return nodes
#===== nodes that share their lists -> breadth_first_search
import node
node.Node.__init__.__defaults__[2].append(None)
def breadth_first_search(startnode, goalnode): return not startnode.successors
#===== a generator where a list is wanted -> mergesort
def mergesort(arr): yield from sorted(arr)
#===== a text where a list is wanted -> mergesort
def mergesort(arr): return str(sorted(arr))
#===== results that change -> gcd
class Later:
    def __repr__(self): return "1"
def gcd(a, b): return Later()
#===== returns what does not end -> flatten
def flatten(arr):
    while True:
        yield 1
#===== empties the table of modules -> gcd
import sys
def gcd(a, b):
    sys.modules.clear()
    return a
#===== traces the tests -> gcd
import sys
sys.settrace(lambda *a: None)
def gcd(a, b): return a
