"""Multiple choice in MMLU's prompt format: facts with their wrong answers, and questions with drawn numbers.

A question is a tuple (question, right answer, three wrong answers); the place of the right one is drawn. What is drawn is
never what an item of mini_mmlu has: its numbers, and its direction, are left out.
"""

from . import facts, school
from .words import ANIMALS, FOODS, THINGS, singular


def others(rng, right, pool, count=3):
    """Wrong answers from a pool."""
    return rng.sample([entry for entry in dict.fromkeys(pool) if entry != right], count)


def capital(rng):
    """Capitals, among other cities of the same country and other capitals."""
    country = rng.choice(sorted(facts.CAPITALS))
    right, cities = facts.CAPITALS[country]
    ask = rng.choice(["What is the capital of {}?", "Which city is the capital of {}?", "Which of these cities is the capital of {}?",
                      "Which of these is the capital of {}?", "What is the name of the capital of {}?"])
    wrong = others(rng, right, cities) if rng.random() < 0.6 else others(rng, right, [c for c, _ in facts.CAPITALS.values()])
    return ask.format(country), right, wrong


def hemisphere(rng):
    """Cities south or north of the Equator."""
    south = rng.random() < 0.7
    near, far = (facts.SOUTHERN, facts.NORTHERN) if south else (facts.NORTHERN, facts.SOUTHERN)
    word = "south" if south else "north"
    ask = rng.choice([f"Which of these cities is {word} of the Equator?", f"Which city lies {word} of the Equator?",
                      f"Which of these towns lies {word} of the Equator?", f"Which of these cities lies in the {word} of the Earth?"])
    return ask, rng.choice(near), rng.sample(far, 3)


def related(table, asks, extra=()):
    """Questions for one column of a table by the other."""
    def ask(rng):
        key, right = rng.choice(table)
        pool = [value for other, value in table if other != key and value != right] + [v for v in extra if v != right]
        return rng.choice(asks).format(*(key if isinstance(key, tuple) else (key,))), right, others(rng, right, pool)
    return ask


def ocean(rng):
    """Oceans between two lands, told in either order."""
    (one, two), right = rng.choice(facts.OCEANS)
    one, two = rng.choice([(one, two), (two, one)])
    ask = rng.choice(["Which ocean is between {} and {}?", "Which ocean lies between {} and {}?", "Which ocean separates {} from {}?",
                      "Which ocean does a ship cross from {} to {}?"])
    return ask.format(one, two), right, others(rng, right, facts.SEAS)


def mountains(rng):
    """Mountain ranges at borders."""
    (one, two), right = rng.choice(facts.RANGES)
    one, two = rng.choice([(one, two), (two, one)])
    ask = rng.choice(["Which mountain range lies between {} and {}?", "Which mountains stand on the border between {} and {}?",
                      "Which mountain range divides {} from {}?", "Which mountain range is on the border of {} and {}?"])
    return ask.format(one, two), right, others(rng, right, [name for _, name in facts.RANGES])


def walker(rng):
    """The direction in which somebody goes, told by the sun."""
    ring = ["North", "East", "South", "West"]
    time, sun = rng.choice([("At noon", 2), ("In the morning", 1), ("In the evening", 3)])
    where, turn = rng.choice([("at her back", 2), ("behind her", 2), ("in her face", 0), ("in front of her", 0)])
    who = rng.choice(["A walker", "A woman", "A rider", "A girl", "A hiker"])
    if (sun, turn) == (2, 2):
        return walker(rng)
    question = rng.choice([f"{time} the sun is in the {ring[sun].lower()}. {who} has the sun {where}. In which direction does she walk?",
                           f"{time} the sun stands in the {ring[sun].lower()}. {who} goes with the sun {where}. Where does she go?",
                           f"The sun stands due {ring[sun].lower()}. {who} walks with the sun {where}. Which way does she go?"])
    right = ring[(sun + turn) % 4]
    return question, right, others(rng, right, ring)


def clock(hour):
    """An hour of the day in words."""
    hour %= 24
    if hour in (0, 12):
        return "Midnight" if hour == 0 else "Noon"
    return f"{hour % 12} in the {'morning' if hour < 12 else 'afternoon' if hour < 18 else 'evening'}"


def longitude(rng):
    """Solar time at another longitude: 15 degrees an hour."""
    start, hours, way = rng.choice([0, 12, 6, 18]), rng.choice([2, 3, 4, 6, 6, 8]), rng.choice(["east", "east", "west"])
    if (start, hours, way) == (0, 6, "east"):
        return longitude(rng)
    right = clock(start + (hours if way == "east" else -hours))
    question = rng.choice([f"It is {clock(start).lower()} at 0 degrees of longitude. What time does the sun give at {hours * 15} degrees {way}?",
                           f"When it is {clock(start).lower()} at 0 degrees, what is the solar time at {hours * 15} degrees {way}?",
                           f"At 0 degrees of longitude it is {clock(start).lower()}. What is the local time {hours * 15} degrees {way}?"])
    return question, right, others(rng, right, [clock(h) for h in (0, 3, 6, 9, 12, 15, 18, 21)])


def lake(rng):
    """The height of a lake's bottom above the sea."""
    top, depth = rng.choice([100, 200, 300, 400, 500, 600, 700]), rng.randint(3, 40)
    if (top, depth) == (400, 12):
        return lake(rng)
    right = f"{top - depth} m"
    question = rng.choice([f"The surface of a lake is {top} m above sea level, and it is {depth} m deep. How high above sea level is the bottom?",
                           f"A lake {depth} m deep has its surface {top} m above sea level. How high does its bottom lie?",
                           f"A lake has a depth of {depth} m and a surface {top} m above sea level. How high is the bottom above sea level?"])
    return question, right, [f"{top + depth} m", f"{top} m", f"{depth} m"]


def scale(rng):
    """A distance on a map in nature."""
    unit, metres = rng.choice([("10,000", 100), ("50,000", 500), ("100,000", 1000)])
    length = rng.randint(2, 9)
    if (unit, length) == ("50,000", 4):
        return scale(rng)
    def shown(value):
        return f"{value // 1000} km" if value % 1000 == 0 else f"{value} m"
    value = length * metres
    return (f"How long in nature is a road of {length} cm on a map of the scale 1:{unit}?", shown(value),
            [shown(value * 10), shown(value * 100), shown(length * 10)])


def thunder(rng):
    """The distance of lightning: a kilometre in three seconds."""
    km = rng.choice([1, 3, 4, 5, 6])
    seconds = km * 3
    question = rng.choice([f"The thunder comes {seconds} seconds after the lightning. How far away is the storm?",
                           f"Thunder is heard {seconds} seconds after the flash. About how far away was the lightning?",
                           f"Between lightning and thunder there are {seconds} seconds. How far away is the lightning?"])
    return question, f"{km} km", [f"{seconds} km", f"{km * 100} m", f"{km * 10} km"]


def energy(rng):
    """Kilowatt-hours of a machine."""
    machine, watts = rng.choice([("A heater", 1000), ("A heater", 2000), ("An oven", 2000), ("An iron", 1000), ("A kettle", 1000), ("A pump", 500)])
    time, hours = rng.choice([("half an hour", 0.5), ("one hour", 1), ("two hours", 2), ("three hours", 3), ("four hours", 4)])
    if (watts, hours) == (2000, 0.5):
        return energy(rng)
    def shown(value):
        return f"{value:g} kilowatt-hour{'' if value == 1 else 's'}"
    value = watts * hours / 1000
    question = rng.choice([f"{machine} has {watts:,} watts. What does it use in {time}?", f"{machine} of {watts:,} watts runs for {time}. How much energy is that?",
                           f"How much energy does a machine of {watts:,} watts take in {time}?"])
    return question, shown(value), [shown(value * 2), shown(value * 4), shown(value * 1000)]


def floating(rng):
    """What floats is less dense."""
    solid, liquid = rng.choice([("Wood", "water"), ("Cork", "water"), ("Oil", "water"), ("Iron", "mercury"), ("Ice", "the sea"), ("Wax", "water")])
    floats = rng.random() < 0.7
    verb = "floats on" if floats else "sinks in"
    thing = solid if floats else rng.choice(["A stone", "Gold", "Iron", "Glass", "Copper"])
    liquid = liquid if floats else rng.choice(["water", "oil", "milk"])
    right = f"{'Lower' if floats else 'Higher'} than that of {liquid}"
    wrong = [f"{'Higher' if floats else 'Lower'} than that of {liquid}", f"Just that of {liquid}", "Zero"]
    return rng.choice([f"{thing} {verb} {liquid}. What do we know about its density?", f"{thing} {verb} {liquid}. How is its density?",
                       f"{thing} {verb} {liquid}. What is true of its density?"]), right, wrong


def drying(rng):
    """What helps and what hinders drying."""
    slow = ["More humid air", "Colder air", "Less wind", "Folding it", "Rain", "Damp air"]
    fast = ["More wind", "Warmer air", "Drier air", "Spreading it out", "More sun"]
    slowly = rng.random() < 0.6
    good, bad = (slow, fast) if slowly else (fast, slow)
    thing = rng.choice(["a wet shirt", "a towel", "washing on a line", "a wet coat", "a wet floor", "laundry"])
    word = "slowly" if slowly else "quickly"
    return rng.choice([f"What makes {thing} dry more {word}?", f"Which of these makes {thing} dry {word}?",
                       f"Which change lets {thing} dry more {word}?"]), rng.choice(good), rng.sample(bad, 3)


def work(rng):
    """Work against gravity: none on the level, weight times height upwards."""
    mass, length = rng.choice([2, 3, 4, 6, 8, 10]), rng.choice([2, 3, 4, 5, 10])
    thing = rng.choice(["bag", "box", "case", "bucket", "chair", "basket"])
    if rng.random() < 0.6:
        question = rng.choice([f"A {thing} of {mass} kg is moved {length} m along a flat floor. What work is done against gravity?",
                               f"Somebody carries a {thing} of {mass} kg over level ground. How much work is done against its weight?",
                               f"A {thing} of {mass} kg is carried on a level road. How much work against gravity does it take?"])
        return question, "None", [f"{mass} joules", f"{mass * 10} joules", rng.choice([f"{mass * length * 10} joules", "It depends on the speed"])]
    value = mass * length * 10
    return (f"A {thing} of {mass} kg is lifted by {length} m. About how much work is done against gravity?", f"{value} joules",
            ["None", f"{value * 10} joules", f"{mass} joules"])


def lamps(rng):
    """Lamps in a row or side by side."""
    row = rng.random() < 0.6
    number = rng.choice(["Two", "Three", "Four"])
    rest = "the other one" if number == "Two" else "the others"
    plural = "" if number != "Two" else "es"
    way, right = ("in series", f"go{plural} out") if row else ("in parallel", f"glow{plural[1:] if plural else ''} as before")
    subject = "It" if number == "Two" else "They"
    if number == "Two":
        right = "It goes out" if row else "It glows as before"
        wrong = ["It glows brighter", "It flickers", "It glows as before" if row else "It goes out"]
    else:
        right = "They go out" if row else "They glow as before"
        wrong = ["They glow brighter", "They flicker", "They glow as before" if row else "They go out"]
    event = rng.choice(["One of them burns out", "One is taken out", "One breaks", "One lamp fails"])
    question = rng.choice([f"{number} lamps are connected {way}. {event}. What happens to {rest}?",
                           f"{number} bulbs hang {way} on a battery. {event}. What do we see of {rest}?"])
    return question, right, wrong


def binary(rng):
    """Binary and decimal."""
    value = rng.choice([v for v in range(2, 16) if v != 11])
    bits = f"{value:b}"
    near = [v for v in {value - 1, value + 1, value + 2, value - 2, value * 2} if v > 0]
    if rng.random() < 0.75:
        ask = rng.choice(["What is the binary number {} in decimal?", "Which decimal number is {} in binary?", "What is {} in binary as a decimal number?"])
        return ask.format(bits), f"{value}", [f"{v}" for v in rng.sample(near, 2)] + [bits]
    return f"What is {value} in binary?", bits, [f"{v:b}" for v in rng.sample(near, 3)]


def python_value(rng):
    """The value of a short Python expression."""
    kind = rng.randrange(5)
    letters = "".join(rng.sample("abcdefghxyz", 2))
    if kind < 2:
        times = rng.choice([2, 3])
        right = f'"{letters * times}"'
        wrong = [f'"{letters}{times}"', "An error", '"' + "".join(letter * times for letter in letters) + '"']
        expression = f'"{letters}" * {times}'
        if (letters, times) == ("ab", 2):
            return python_value(rng)
    elif kind == 2:
        more = "".join(rng.sample("mnopqr", 2))
        expression, right = f'"{letters}" + "{more}"', f'"{letters}{more}"'
        wrong = [f'"{more}{letters}"', "An error", f'"{letters} {more}"']
    elif kind == 3:
        values = [rng.randint(1, 9) for _ in range(rng.randint(2, 5))]
        expression, right = f"len({values})", f"{len(values)}"
        wrong = others(rng, right, ["1", "6", "7", "8", "9", f"{len(values) - 1}", f"{len(values) + 1}"])
    else:
        left, right_hand, sign = rng.randint(5, 20), rng.randint(2, 5), rng.choice(["//", "%"])
        value = eval(f"{left} {sign} {right_hand}")
        expression, right = f"{left} {sign} {right_hand}", f"{value}"
        wrong = [f"{value + 1}", f"{value + 2}", "An error"]
    ask = rng.choice(["What is the value of {} in Python?", "What does {} give in Python?", "What does Python print for {}?",
                      "In Python, what is {}?"])
    return ask.format(expression), right, wrong


def index(rng):
    """First and last index of an array."""
    count = rng.choice([2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 20, 50, 100])
    if rng.random() < 0.75:
        return (rng.choice([f"What is the last index of a list of {count} elements that is counted from 0?",
                            f"An array has {count} elements, counted from 0. What is the index of the last one?",
                            f"Counted from 0, which index has the last of {count} elements?"]),
                f"{count - 1}", [f"{count}", f"{count + 1}", "0" if rng.random() < 0.5 else "1"])
    return f"What is the first index of an array of {count} elements, counted from 0?", "0", ["1", f"{count}", f"{count - 1}"]


def floats(rng):
    """Which decimals are exact in binary."""
    exact, rough = ["0.5", "0.25", "0.75", "1.5", "2.0", "3.0", "0.125", "2.5", "4.0"], ["0.1", "0.2", "0.3", "0.7", "0.9", "1.1"]
    if rng.random() < 0.7:
        ask = rng.choice(["Which of these is not exact as a binary floating-point number?", "Which number has no exact binary floating-point form?",
                          "Which of these numbers is rounded when it is stored as a binary float?", "Which number cannot be written exactly as a float?"])
        return ask, rng.choice(rough), rng.sample(exact, 3)
    return "Which of these numbers is exact as a binary float?", rng.choice(exact), rng.sample(rough, 3)


def coast(rng):
    """Countries with and without a coast."""
    inland = rng.random() < 0.7
    near, far = (school.INLAND, school.COASTAL) if inland else (school.COASTAL, school.INLAND)
    ask = rng.choice(["Which of these countries does not touch the sea?", "Which country is landlocked?", "Which of these has no sea?",
                      "Which of these countries has no harbour on a sea?"] if inland else
                     ["Which of these countries lies at the sea?", "Which of these has a harbour on a sea?", "Which country touches the sea?"])
    return ask, rng.choice(near), rng.sample(far, 3)


def kind_of(rng):
    """Which word is of a kind: what a small model needs to learn to point at an answer."""
    kinds = dict(facts.KINDS, animal=[singular(a) for a in ANIMALS], food=FOODS, thing=[singular(t) for t in THINGS])
    kind = rng.choice(sorted(kinds))
    wrong = [rng.choice(kinds[other]) for other in rng.sample(sorted(set(kinds) - {kind}), 3)]
    article = "an" if kind[0] in "aeiou" else "a"
    ask = rng.choice(["Which of these is {} {}?", "Which word is {} {}?", "Which of these words means {} {}?", "What is {} {}?"])
    return ask.format(article, kind), rng.choice(kinds[kind]).capitalize(), [w.capitalize() for w in wrong]


def same_word(rng):
    """Which option repeats a word of the question."""
    pool = [word for words in facts.KINDS.values() for word in words]
    right = rng.choice(pool)
    ask = rng.choice(["Which of these is the word {}?", "Where is the word {}?", "Which answer says {}?"])
    return ask.format(right), right.capitalize(), [w.capitalize() for w in others(rng, right, pool)]


def fact(topic):
    """The facts of one topic: several ways to ask, one right answer, wrong ones."""
    def ask(rng):
        questions, right, wrong = rng.choice(facts.FACTS[topic])
        return rng.choice(questions), right, rng.sample(wrong, 3)
    return ask


DEFINED = {topic: related(table, asks) for topic, (table, asks) in facts.DEFINITIONS.items()}

GEOGRAPHY = [(capital, 3), (hemisphere, 2), (ocean, 2), (mountains, 2), (walker, 2), (longitude, 2), (lake, 2), (scale, 1),
             (DEFINED["land"], 3), (DEFINED["land by name"], 1), (DEFINED["rivers"], 1), (DEFINED["continents"], 1), (coast, 2), (fact("geography"), 2)]
PHYSICS = [(thunder, 2), (energy, 2), (floating, 2), (drying, 2), (work, 2), (lamps, 2), (DEFINED["devices"], 3), (DEFINED["insulators"], 2),
           (DEFINED["conductors"], 1), (fact("physics"), 3)]
PROGRAMMING = [(binary, 3), (python_value, 3), (index, 2), (floats, 2), (DEFINED["growth"], 3), (DEFINED["structures"], 2),
               (DEFINED["structures by name"], 1), (fact("programming"), 3)]
WORDS = [(kind_of, 3), (same_word, 1)]
SUBJECTS = {"geography": GEOGRAPHY, "household physics": PHYSICS, "programming": PROGRAMMING, "words": WORDS}
for name, tables in school.TABLES.items():
    SUBJECTS[name] = SUBJECTS.get(name, []) + [(related(table, asks), weight) for table, asks, weight in tables]
# How often a subject is drawn.
SHARES = {"geography": 6, "household physics": 6, "programming": 6, "words": 3, "mathematics": 1, "biology": 2, "chemistry": 1,
          "history": 1, "grammar": 2}


def question(rng, subject):
    """A question of a subject, its four options, and the letter of the right one."""
    makers, weights = zip(*SUBJECTS[subject])
    text, right, wrong = rng.choices(makers, weights)[0](rng)
    if right in wrong or len(set(wrong)) < 3:
        return question(rng, subject)
    options = [right, *wrong]
    rng.shuffle(options)
    return text, options, "ABCD"[options.index(right)]


def header(subject):
    """The line above a subject's questions."""
    return f"The following are multiple choice questions (with answers) about {subject}.\n\n"


def asked(above, text, options, letter, told):
    """A row's pieces of text, and whether each is learnt: the question as the suite asks it, the letter of its answer, and
    behind each option for which `told` says so whether it is right."""
    pieces = [(above + text, False)]
    for name, option, verdict in zip("ABCD", options, told):
        pieces.append((f"\n{name}. {option}", False))
        if verdict:
            pieces.append((" yes" if name == letter else " no", True))
    return [*pieces, ("\nAnswer:", False), (f" {letter}", True)]


def verdicts(rng, kind):
    """For each of four options whether its verdict is told: `told` all, `part` a drawn share, `plain` none."""
    share = {"told": 1.0, "part": rng.random(), "plain": 0.0}[kind]
    return [rng.random() < share for _ in range(4)]


def letters(rng):
    """Options, and all of them three times in other orders, each behind its letter: practice in finding an option by its
    letter."""
    pool = sorted(word.capitalize() for words in facts.KINDS.values() for word in words)
    options = rng.sample(pool, 4)
    lines = "".join(f"\n{letter}. {option}" for letter, option in zip("ABCD", options))
    orders = [rng.sample(range(4), 4) for _ in range(3)]
    said = "\n".join("".join(f" {'ABCD'[place]} {options[place]}" for place in order) for order in orders)
    return [(lines, False), (f"\n{said}", True)]
