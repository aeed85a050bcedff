"""What Python's `re` finds, for expressions in which it and Rust's crates could differ."""

import re

PATTERNS = [
    r"#### (\-?[0-9\.\,]+)", r"(-?[$0-9.,]{2,})|(-?[0-9]+)", r"The answer is (\-?[0-9\.\,]+).", r"[0-9]+$", r"(?m)[a-z]+$",
    r"^\w+", r"(?m)^\w+", r"\s+", r"\S+", r"[\s,]+", r"[^\s,]+", r"[^\S\n]+", r"[]a]+", r"[^]a]+", r"[[]b", r"[a&&b]+", r"[a~~]+",
    r"[+--]+", r"a{2}", r"a{,2}", r"a{2,}", r"a{,}b", r"a{x}", r"a{}", r"x{1", r"}", r"]", r"\.", r"\-\,\<\>\ ", r"(a)|(b)",
    r"(a)?(b)?c", r"(?P<n>[a-z])(?P=n)", r"([a-z])\1", r"(?:a|b)+?c", r"(?i)HELLO", r"(?i:he)llo", r"(?s)h.*o", r"(?s:h.*)o", r"h.*o",
    r"(?<=a)b", r"(?<!a)b", r"a(?=b)", r"a(?!b)", r"\bcat\b", r"\Bat", r"\Ah", r"o\Z", r"\d+", r"[\d.]+", r"\x41", r"\u00e9+", r"[\x41-\x43]+",
    r"\t|\n", r"[\b]", r"(?#comment)a", r"a*", r"b*?", r"x?", r"(a+)(?(1)b|c)", r"(?>a+)b", r"a++b", r"\0", r"é", r"\w+", r"(?u)\w", r"[\w-]+",
    r"answer is \(?([ABCD])\)?", r"(?i)answer:\s*(.*)", r"\\boxed\{(.*?)\}", r"(?:The|the) (\w+)\.?$", "\\s*([A-D])", r"[A-Z]{1,2}(?=\.)",
]
TEXTS = [
    "", "a", "ab aab aaab", "hello\nHello\no", "5\n#### 1,000.\n", "The answer is $1,234.56.", "cat scatter bat", "a\u00a0b\u001cc\td\n",
    "[b] {x} a{x} a{} }] <-,>", "x-+y.z", "a&b~a&&b", "ABC abc ÉéÀ é", "aa bb cab abc ac", "Answer: (B) or A.\n", "\\boxed{4} \\boxed{x}",
    "the end.\n", "1.5 -2 $3 ,4", "a\u2003b\u0085c\u2028d", "日本 ４２ ₂ ²", "\x00\x08",
]


def table():
    """For each expression what `findall` gives for each text, each match as the list of its groups."""
    found = []
    for pattern in PATTERNS:
        regex = re.compile(pattern)
        rows = []
        for text in TEXTS:
            matches = regex.findall(text)
            rows.append([list(match) if isinstance(match, tuple) else [match] for match in matches])
        found.append({"pattern": pattern, "found": rows, "removed": [regex.sub("", text) for text in TEXTS]})
    return {"texts": TEXTS, "patterns": found}
