"""Whether the sides computed the same: speed of another computation is worth nothing."""


def prompts(asked, items):
    """Compares the token ids of prompts: what evalh would ask beside what lm-eval asked."""
    same = sum(line["context_ids"] == item["context_ids"] for line, item in zip(asked, items, strict=True))
    return f"prompts of the same token ids: {same} of {len(items)}"


def choices(ours, theirs):
    """Compares the log-probabilities of choices, a list an item, and which of them is the most likely."""
    worst, same = 0.0, 0
    for own, other in zip(ours, theirs, strict=True):
        worst = max(worst, *(abs(a - b) for a, b in zip(own, other, strict=True)))
        same += own.index(max(own)) == other.index(max(other))
    return f"the same choice: {same} of {len(ours)}; log-probabilities at most {worst:.1e} apart"


def texts(ours, theirs):
    """Compares written answers."""
    same = sum(own == other for own, other in zip(ours, theirs, strict=True))
    return f"the same text: {same} of {len(ours)}; characters {sum(map(len, ours))} beside {sum(map(len, theirs))}"
