"""Prompts about sentences in the form of four GLUE tasks: sense, sentiment, the same meaning, and what follows."""

from .words import DAYS, FOODS, NUMBER_WORDS, PLACES, THINGS, capitalized, person, two_names

ROLES = ["gardener", "teacher", "baker", "nurse", "driver", "clerk", "farmer", "painter", "singer", "miller", "sailor", "cook"]
OBJECTS = ["letter", "door", "window", "basket", "bicycle", "table", "coat", "picture", "kettle", "bridge", "boat", "garden",
           "roses", "soup", "clock", "map"]
VERBS = [("wash", "washed"), ("paint", "painted"), ("open", "opened"), ("close", "closed"), ("sell", "sold"), ("find", "found"),
         ("buy", "bought"), ("carry", "carried"), ("lose", "lost"), ("move", "moved"), ("clean", "cleaned"), ("water", "watered"),
         ("forget", "forgot"), ("stamp", "stamped"), ("mend", "mended")]
TIMES = ["before breakfast", "in the evening", "after the rain", "on Sunday", "last week", "at noon", "before dinner", "yesterday",
         "during the storm", "in the morning"]
ADVERBS = ["quietly", "slowly", "gladly", "quickly", "carefully", "twice"]
PLURALS = ["brothers", "sisters", "boys", "girls", "sailors", "teachers", "guests", "neighbours"]
WHERE = ["to the coast", "to the market", "in the house", "to the mountains", "in the garden", "to the city", "to the island"]
MORE = [("colder", "wind", "blew"), ("louder", "dog", "barked"), ("happier", "child", "sang"), ("sleepier", "cat", "grew"), ("longer", "road", "got"),
        ("darker", "sky", "grew"), ("warmer", "room", "got")]


def sense(rng):
    """A sentence that is well formed, or one that is broken in one place."""
    role, thing, (base, past), time = rng.choice(ROLES), rng.choice(OBJECTS), rng.choice(VERBS), rng.choice(TIMES)
    good = rng.random() < 0.5
    kind = rng.randrange(6)
    if kind == 0:
        text = f"The {role} {past} the {thing} {time}"
        if not good:
            text += rng.choice([" were", " was", " it", " are", " has", " did"])
        return f"{text}.", good
    if kind == 1:
        word, tail = rng.choice([("Which", thing), ("What", "")])
        text = f"{word} {tail} did the {role} {rng.choice(['forget to ', 'want to ', 'try to ', ''])}{base}".replace("  ", " ")
        return f"{text}{'' if good else rng.choice([' it', ' them', ' the door'])}?", good
    if kind == 2:
        people, where = rng.choice(PLURALS), rng.choice(WHERE)
        text = f"{rng.choice(['Neither', 'None', 'One', 'Each'])} of the {people} has been {where}"
        if not good:
            text = rng.choice([text.replace("has been", "have to been"), text.replace("has been", "been has"), text.replace("of the", "the of"),
                               text.replace("has been to the", "have to been the").replace("has been in the", "have in been the")])
        return f"{text}.", good
    if kind == 3:
        subject = rng.choice(["She", "He", "They", "The " + role]) if good else rng.choice(["Herself", "Himself", "Themselves", "Her", "Him", "Them"])
        return f"{subject} {past} the {thing} {rng.choice(ADVERBS)}.", good
    if kind == 4:
        (a, x, v), (b, y, w) = rng.sample(MORE, 2)
        first, second = [f"the {a}", f"the {x}", v], [f"the {b}", f"the {y}", w]
        if good:
            return f"{capitalized('the more')} {' '.join(first[1:])}, {' '.join(second)}.", True
        words = f"the {x} more {v} {b} the {w} {y}".split()
        if rng.random() < 0.5:
            rng.shuffle(words)
        words.insert(rng.randint(2, 4), "more")
        words[3] += ","
        return capitalized(" ".join(words)) + ".", False
    text = rng.choice([f'She said "come {rng.choice(["in", "here", "back"])}", and {past} the {thing}', f"When the {role} came home, the {thing} was gone",
                       f"The {role} who {past} the {thing} was tired {time}", f"It was the {role} that {past} the {thing}",
                       f'He called "who is there, and {past} the {thing}', f'They said "good night, and {past} the {thing}'])
    if not good:
        words = text.split()
        place = rng.randint(1, len(words) - 3)
        words[place:place + 3] = words[place:place + 3][::-1]
        text = " ".join(words)
    return f"{text}.", good


GOOD = ["warm", "funny", "tender", "clever", "moving", "patient", "brave", "wise", "gentle", "lovely", "fresh", "honest", "charming", "kind"]
BAD = ["dull", "wooden", "bored", "noisy", "empty", "stale", "clumsy", "cold", "cruel", "lazy", "tired", "flat", "silly", "boring"]
FILM = ["film", "story", "comedy", "drama", "picture", "movie", "tale", "hero", "cast", "dialogue", "ending", "script"]
PRAISE = ["respects those who watch it", "warms the heart", "earns its laughs", "is a delight", "is a joy to watch", "never fails", "makes you smile",
          "deserves to be seen", "knows its people", "sings", "is full of love", "has a fine sense of timing", "is worth every minute",
          "will stay with you", "touches the heart", "is a gem", "rings true"]
BLAME = ["feels like a parking ticket", "loses its own story", "is only loud", "never ends", "goes nowhere", "is a waste of time", "cannot act",
         "confuses length with depth", "feels like homework", "puts you to sleep", "fails to be funny", "bores its own hero",
         "has nothing to say", "is not even loud", "makes you look at your watch", "falls apart", "is a mess"]


def sentiment(rng):
    """A line of a film review."""
    good = rng.random() < 0.5
    words, ends, against = (GOOD, PRAISE, BAD) if good else (BAD, BLAME, GOOD)
    a, b = rng.sample(words, 2)
    film, other = rng.sample(FILM, 2)
    end = rng.choice(ends)
    text = rng.choice([
        f"a {a} , {b} {film} that {end}", f"the {film} {end}", f"{a} and {b}", f"{a} and never {rng.choice(against)}", f"the {film} is {a} , and the {other} {b}",
        f"it {end}", f"a {a} {film}", f"so {a} that it {end}", f"a long {film} that {end}", f"{a} {film} , and a {other} who {end}",
        f"quietly {a} and {b}" if good else f"neither {rng.choice(against)} nor {rng.choice(against)}",
        f"a small {film} that {end}", f"the music is {a} and the {film} {end}",
        f"not even the {film} is {rng.choice(against)}" if not good else f"even the {film} is {a}",
        f"so {rng.choice(against)} that it {end}" if not good else f"every minute is {a}",
    ])
    return f"{text} ", good


# Subject, verb in the active, verb in the passive, object, the verbs of another meaning.
EVENTS = [
    ("the council", "approved", "approved", "the new {}", ["rejected", "delayed", "sold"]),
    ("heavy rain", "closed", "closed", "the {}", ["opened", "missed", "left"]),
    ("the owner", "will rebuild", "will be rebuilt", "the {}", ["will sell", "will close", "will leave"]),
    ("the museum", "lent", "lent", "the {}", ["bought", "lost", "sold"]),
    ("firefighters", "saved", "saved", "the {}", ["lost", "left", "searched"]),
    ("the school", "opened", "opened", "a new {}", ["closed", "refused", "lost"]),
    ("the police", "found", "found", "the {}", ["lost", "sold", "hid"]),
    ("the mayor", "praised", "praised", "the {}", ["refused", "sold", "feared"]),
    ("a storm", "destroyed", "destroyed", "the {}", ["spared", "missed", "reached"]),
]
NOUNS = ["bridge", "mill", "painting", "road", "tower", "garden", "pass", "harbour", "market", "hall", "warehouse", "station", "library"]
WHEN = ["on Tuesday", "on Friday", "last week", "this month", "after two hours", "last year", "in the night", "for one year", "after a long debate"]
RISES = [("rose", "grew", "fell"), ("fell", "dropped", "rose"), ("grew", "went up", "dropped"), ("dropped", "went down", "grew")]
GOODS = ["bicycles", "helmets", "books", "wheat", "milk", "cars", "shoes", "bread", "tickets"]


def paraphrase(rng):
    """Two sentences that say the same, or not."""
    same = rng.random() < 0.5
    if rng.random() < 0.3:
        good, percent = rng.choice(GOODS), rng.randint(2, 40)
        verb, synonym, opposite = rng.choice(RISES)
        who = rng.choice(["the association", "the ministry", "the paper", "the union"])
        first = f"Sales of {good} {verb} by {percent} percent last year, {who} said."
        if same:
            second = rng.choice([f"{who} said that {good.rstrip('s')} sales {synonym} {percent} percent last year.",
                                 f"last year {good.rstrip('s')} sales {synonym} by {percent} percent, {who} said."])
        else:
            second = rng.choice([f"{who} said that sales of {good} {opposite} by {percent} percent.",
                                 f"{who} said that sales of {rng.choice([g for g in GOODS if g != good])} {opposite} by {percent} percent."])
        return first, capitalized(second), same
    who, active, passive, template, wrong = rng.choice(EVENTS)
    thing, when = template.format(rng.choice(NOUNS)), rng.choice(WHEN)
    be = "" if "will" in active else "was "
    forms = [f"{who} {active} {thing} {when}.", f"{thing} {be}{passive} by {who} {when}.", f"{when} {who} {active} {thing}.",
             f"{when}, {thing} {be}{passive} by {who}."]
    first, second = rng.sample(forms, 2)
    if not same:
        second = rng.choice([f"{who} {rng.choice(wrong)} {thing} {when}.", f"{when} {who} {rng.choice(wrong)} {thing}.",
                             f"{who} {rng.choice(wrong)} {thing} {rng.choice(WHEN)}."])
    return capitalized(first), capitalized(second), same


def entailment(rng):
    """A sentence, and a claim that follows from it or does not."""
    follows = rng.random() < 0.5
    kind = rng.randrange(6)
    if kind == 0:
        year = rng.randint(1700, 1899)
        thing, where = rng.choice(["lighthouse", "church", "tower", "school", "bridge", "mill"]), rng.choice(["on the island", "at the river", "in the village"])
        first = f"The {thing} {where} was built in {year} and was painted in {rng.randint(1950, 1999)}."
        claim = f"The {thing} is {'older' if follows else 'younger'} than a hundred years." if rng.random() < 0.6 else (
            f"The {thing} is old." if follows else rng.choice([f"A cook lives in the {thing}.", f"The {thing} is new."]))
    elif kind == 1:
        name, _, _ = person(rng)
        subject, role = rng.choice([("physics", "teacher"), ("music", "teacher"), ("history", "teacher")])
        game = rng.choice(["chess", "tennis", "card", "running"])
        first = f"{name}, who teaches {subject}, won a {game} contest on {rng.choice(DAYS)}."
        claim = rng.choice([f"A {role} won a {game} contest.", f"{name} teaches {subject}.", f"{name} is a {role}."]) if follows else rng.choice(
            [f"{name} teaches {game}.", f"{name} lost a {game} contest.", f"A cook won a {game} contest."])
    elif kind == 2:
        place, late, time = rng.choice(PLACES), rng.randint(6, 11), rng.choice(["during the summer weeks", "in winter", "in the holidays"])
        late_word = NUMBER_WORDS[late]
        first = f"The {place} stays open until {late_word} in the evening {time}."
        claim = f"{capitalized(time)} the {place} is open at {NUMBER_WORDS[late - 1]} in the evening." if follows else rng.choice(
            [f"The {place} always closes at {late_word}.", f"{capitalized(time)} the {place} is closed at {NUMBER_WORDS[late - 1]} in the evening."])
    elif kind == 3:
        count, boat = rng.randint(12, 90), rng.choice(["ferry", "boat", "ship", "bus", "train"])
        first = f"All of the {count} passengers left the {boat} before it {rng.choice(['sank', 'burned', 'stopped'])} {rng.choice(['in the harbour', 'near the coast'])}."
        claim = rng.choice([f"No passenger was on the {boat} then.", f"The {count} passengers left the {boat}."]) if follows else rng.choice(
            [f"Some passengers stayed on the {boat}.", f"The {boat} was in the mountains.", f"The {boat} had no passengers."])
    elif kind == 4:
        one, two = rng.sample(FOODS, 2)
        dish = rng.choice(["recipe", "cake", "soup", "pie"])
        first = f"The {dish} uses {rng.choice(['twice', 'three times'])} as much {one} as {two}, and no {rng.choice(['salt', 'eggs', 'milk'])}."
        claim = rng.choice([f"The {dish} uses more {one} than {two}.", f"The {dish} uses less {two} than {one}."]) if follows else rng.choice(
            [f"The {dish} uses more {two} than {one}.", f"The {dish} is for {rng.choice(['bread', 'dogs', 'ten people'])}."])
    else:
        x, y = two_names(rng)
        thing, count = rng.choice(THINGS), rng.randint(3, 30)
        first = f"{x} gave {y} {count} {thing} on {rng.choice(DAYS)}."
        claim = rng.choice([f"{y} got {thing} from {x}.", f"{y} got {count} {thing}."]) if follows else rng.choice(
            [f"{x} got {count} {thing} from {y}.", f"{y} gave {x} {thing}.", f"{y} sold the {thing}."])
    return first, claim, follows


def prompt(rng, task):
    """The prompt of a task and its answer, as glue_prompt words them."""
    if task == "cola":
        text, good = sense(rng)
        return f"{text}\nQuestion: Does this sentence make sense?\nAnswer:", "yes" if good else "no"
    if task == "sst2":
        text, good = sentiment(rng)
        return f"{text}\nQuestion: Is this sentence positive or negative?\nAnswer:", "positive" if good else "negative"
    if task == "mrpc":
        one, two, same = paraphrase(rng)
        return (f"Sentence 1: {one}\nSentence 2: {two}\nQuestion: Do both sentences mean the same thing?\nAnswer:",
                "yes" if same else "no")
    one, claim, follows = entailment(rng)
    return f"{one}\nQuestion: {claim} True or False?\nAnswer:", "True" if follows else "False"


TASKS = ["cola", "sst2", "mrpc", "rte"]
