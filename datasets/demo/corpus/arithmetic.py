"""Word problems with worked answers in GSM8K's form: a line a step with `<<sum=value>>`, then `#### result`.

Every family draws small numbers, so that a small model can learn the sums by heart where it cannot learn to reckon.
"""

from .words import (ANIMALS, DAYS, FOODS, HOLDERS, NUMBER_WORDS, PLACES, THINGS, capitalized, person, singular,
                    two_names)

ROUND = [10, 15, 20, 25, 30, 40, 50]


def step(left, sign, right, dollars=False):
    """One sum as GSM8K writes it, and its value."""
    value = {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right,
             "/": lambda: left // right}[sign]()
    unit = "$" if dollars else ""
    shown_right = f"${right}" if dollars and sign in "+-*" else f"{right}"
    shown_left = f"${left}" if dollars and sign in "+-/" else f"{left}"
    return f"{shown_left} {sign} {shown_right} = {unit}<<{left}{sign}{right}={value}>>{value}", value


def small(rng, low=2, high=12):
    """A small number."""
    return rng.randint(low, high)


def factor(rng):
    """A number that is easily multiplied."""
    return rng.choice(ROUND) if rng.random() < 0.45 else rng.randint(2, 12)


def drill(rng):
    """A bare sum."""
    sign = rng.choice("+-**/")
    if sign == "*":
        left, right = small(rng), factor(rng)
        left, right = rng.choice([(left, right), (right, left)])
    elif sign == "/":
        right = small(rng)
        left = right * factor(rng)
    else:
        left, right = rng.randint(1, 60), rng.randint(1, 40)
    text, value = step(left, sign, right)
    ask = rng.choice(["What is {}?", "How much is {}?", "Compute {}.", "Find {}."]).format(f"{left} {sign} {right}")
    return ask, f"{text}.", value


def ages(rng):
    """Two ages, one of them told by way of another year."""
    x, y = two_names(rng)
    older, years, then = small(rng, 1, 9), small(rng, 1, 6), small(rng, 8, 20)
    first, now = step(then, "-", years)
    lead = rng.choice(["In {b} years {y} will be {c} years old.", "In {b} years {y} is going to be {c}.",
                       "{y} will be {c} in {b} years."]).format(b=years, y=y, c=then)
    sign, word = rng.choice([("+", "older"), ("-", "younger")])
    second, result = step(now, sign, older)
    if result < 1:
        return ages(rng)
    ask = rng.choice(["How old is {x}?", "How old is {x} today?", "What is the age of {x} now?", "How old is {x} now?"])
    question = f"{x} is {older} years {word} than {y}. {lead} {ask.format(x=x)}"
    if rng.random() < 0.4:
        question = f"{lead} {x} is {older} years {word} than {y}. {ask.format(x=x)}"
    return question, f"{y} is {first} years old now.\n{x} is {second} years old.", result


def portions(rng):
    """What one takes, then what many take."""
    people, one, many, food = small(rng, 2, 6), rng.choice(ROUND + [75]), small(rng, 3, 12), rng.choice(FOODS)
    first, _ = step(people * one, "/", people)
    second, result = step(many, "*", one)
    dish = rng.choice(["A soup", "A cake", "A pie", "A salad", "A stew", "A recipe", "A meal"])
    question = rng.choice([
        f"{dish} for {people} people needs {people * one} grams of {food}. How many grams of {food} are needed for {many} people?",
        f"For {people} people a cook takes {people * one} grams of {food}. How many grams does the cook take for {many} people?",
        f"{dish} for {people} guests takes {people * one} grams of {food}. How many grams does it take for {many} guests?",
    ])
    who = {6: "Six", 7: "Seven", 10: "Ten"}.get(many, capitalized(NUMBER_WORDS[many]))
    return question, f"One person needs {first} grams.\n{who} people need {second} grams.", result


def tiles(rng):
    """An area, and how many packs cover it."""
    half = rng.random() < 0.4
    pack = rng.choice([1.5, 2.5]) if half else small(rng, 2, 5)
    length, packs = small(rng, 2, 8), small(rng, 2, 12)
    width = packs * pack / length
    if width != int(width) or not 2 <= width <= 12:
        return tiles(rng)
    first, area = step(length, "*", int(width))
    thing, ground, verb = rng.choice([("sack of seed", "lawn", "covers"), ("can of paint", "wall", "covers"),
                                      ("pack of boards", "hall floor", "covers"), ("roll of carpet", "room", "covers"),
                                      ("box of stones", "yard", "is enough for"), ("box of tiles", "bath", "is enough for")])
    plural = thing.replace("sack", "sacks").replace("can ", "cans ").replace("pack", "packs").replace("roll", "rolls").replace("box", "boxes")
    question = (f"A {thing} {verb} {pack} square metres. A {ground} is {length} metres long and {int(width)} metres "
                f"wide. How many {plural.split()[0]} are needed?")
    return question, (f"The {ground} has {first} square metres.\n"
                      f"That needs {area} / {pack} = <<{area}/{pack}={packs}>>{packs} {plural.split()[0]}."), packs


def laps(rng):
    """A length a day, a week, some weeks."""
    name, pronoun, _ = person(rng)
    verb, unit, part = rng.choice([("runs", "rounds", "metres"), ("swims", "lanes", "metres"), ("rows", "laps", "metres"),
                                   ("reads", "chapters", "pages"), ("writes", "letters", "lines"), ("walks", "paths", "metres")])
    count, size, days = factor(rng), factor(rng), small(rng, 2, 5)
    first, day = step(count, "*", size)
    second, week = step(days, "*", day)
    base = verb[:-1]
    if rng.random() < 0.5:
        question = (f"{name} {verb} {count} {unit} of {size} {part} each on {days} days a week. How many {part} does "
                    f"{pronoun} {base} in a week?")
        return question, f"A day {pronoun} {verb} {first} {part}.\nA week that is {second} {part}.", week
    weeks = small(rng, 2, 5)
    third, result = step(weeks, "*", week)
    question = (f"{name} {verb} {count} {unit} of {size} {part} on {days} days of each week. How many {part} is that in "
                f"{weeks} weeks?")
    return question, (f"A day {pronoun} {verb} {first} {part}.\nA week that is {second} {part}.\n"
                      f"In {weeks} weeks {pronoun} {verb} {third} {part}."), result


def gain(rng):
    """Goods bought at one price and sold at two."""
    thing = rng.choice(THINGS)
    count = rng.choice([10, 12, 20, 30])
    cost, high, low = small(rng, 2, 6), small(rng, 7, 15), small(rng, 3, 10)
    sold = rng.randint(2, count - 2)
    a, paid = step(count, "*", cost, True)
    b, firsts = step(sold, "*", high, True)
    c, rest = step(count, "-", sold)
    d, seconds = step(rest, "*", low, True)
    result = firsts + seconds - paid
    if result < 0:
        return gain(rng)
    question = (f"A {rng.choice(['trader', 'stall', 'market stand', 'dealer', 'shop'])} buys {count} {thing} for ${cost} "
                f"each, sells {sold} of them for ${high} each and the others for ${low} each. "
                f"{rng.choice(['What is the gain in dollars?', 'How many dollars are gained?', 'How many dollars does it gain?'])}")
    return question, (f"The {thing} cost {a}.\nThe first ones bring {b}.\nThe rest are {c} {thing}, which bring {d}.\n"
                      f"The gain is ${firsts} + ${seconds} - ${paid} = $<<{firsts}+{seconds}-{paid}={result}>>{result}."), result


def degrees(rng):
    """A temperature that rises and falls, often below zero."""
    start, up, down = rng.randint(-5, 15), rng.randint(2, 14), rng.randint(2, 28)
    first, noon = step(start, "+", up)
    second, night = step(noon, "-", down)
    question = rng.choice([
        f"At dawn it is {start} degrees. It gets warmer by {up} degrees until noon and colder by {down} degrees until midnight. How many degrees is it at midnight?",
        f"In the morning the air has {start} degrees. Until noon it warms by {up} degrees, then it cools by {down} degrees until midnight. What does the thermometer show at midnight?",
        f"It is {start} degrees in the morning. It warms by {up} degrees until noon and cools by {down} degrees by midnight. What is the temperature then?",
    ])
    return question, f"At noon it is {first} degrees.\nAt midnight it is {second} degrees.", night


def stacks(rng):
    """Rows in holders, less what is gone."""
    holder, thing = rng.choice(HOLDERS), rng.choice(THINGS)
    count, rows, each, gone = small(rng, 2, 6), small(rng, 2, 5), small(rng, 4, 12), rng.randint(3, 20)
    first, one = step(rows, "*", each)
    second, all_of = step(count, "*", one)
    if gone >= all_of:
        return stacks(rng)
    third, result = step(all_of, "-", gone)
    verb, past = rng.choice([("are sold", "sold"), ("are taken away", "taken away"), ("are given away", "given away"),
                             ("are lent out", "lent out")])
    question = rng.choice([
        f"Each of {count} {holder} has {rows} rows of {each} {thing}. {gone} {thing} {verb}. How many {thing} are left?",
        f"There are {count} {holder} with {rows} rows of {each} {thing} on each. Then {gone} {verb}. How many {thing} stay on the {holder}?",
    ])
    return question, (f"A {singular(holder)} holds {first} {thing}.\nAll {holder} hold {second} {thing}.\n"
                      f"Without those {past} there are {third} {thing}."), result


def buses(rng):
    """How many vehicles, and their price."""
    seats, number, price = rng.choice([12, 15, 20, 25, 30, 40, 45, 50]), small(rng, 2, 9), rng.choice([20, 30, 50, 100, 150, 200, 250, 300])
    vehicle = rng.choice(["buses", "boats", "vans", "coaches"])
    people, place = rng.choice(["pupils", "guests", "workers", "members", "visitors"]), rng.choice(PLACES)
    first, _ = step(seats * number, "/", seats)
    value = number * price
    question = rng.choice([
        f"A {place} takes {seats * number} {people} out in {vehicle} with {seats} seats. Each one costs ${price}. How many dollars do the {vehicle} cost together?",
        f"{seats * number} {people} of a {place} travel in {vehicle} of {seats} seats, and each of the {vehicle} costs ${price}. How many dollars does the {place} pay?",
    ])
    shown = f"{value:,}" if rng.random() < 0.5 else f"{value}"
    return question, (f"The {place} needs {first} {vehicle}.\n"
                      f"They cost {number} * ${price} = $<<{number}*{price}={value}>>{shown}."), shown


def discount(rng):
    """A share off, then an amount off."""
    price, percent, more = rng.choice([50, 100, 200, 300, 400, 500, 600, 800]), rng.choice([10, 20, 25, 50]), rng.choice([5, 10, 20, 30, 40])
    thing = rng.choice(["bicycle", "camera", "coat", "table", "guitar", "lamp", "radio", "tent", "phone"])
    off = price * percent // 100
    if off + more >= price:
        return discount(rng)
    result = price - off - more
    question = rng.choice([
        f"A {thing} at ${price} becomes {percent}% cheaper and later ${more} cheaper. What does it cost then, in dollars?",
        f"The price of a {thing} is ${price}. A shop takes {percent}% off and then another ${more}. How many dollars does the {thing} cost now?",
        f"A {thing} costs ${price}. First its price falls by {percent}%, then by another ${more}. How many dollars does it cost in the end?",
    ])
    return question, (f"The first step takes off {price} * {percent} / 100 = $<<{price}*{percent}/100={off}>>{off}.\n"
                      f"In the end it costs ${price} - ${off} - ${more} = $<<{price}-{off}-{more}={result}>>{result}."), result


def unit_price(rng):
    """The price of one, from the price of many with others."""
    many, few = rng.sample(THINGS, 2)
    count, others, each, price = small(rng, 2, 6), small(rng, 2, 5), small(rng, 1, 6), small(rng, 2, 9)
    a, paid = step(others, "*", price, True)
    b, left = step(paid + count * each, "-", paid, True)
    c, one = step(left, "/", count)
    c = f"${left} / {count} = $<<{left}/{count}={one}>>{one}"
    first, second = capitalized(NUMBER_WORDS[count]), NUMBER_WORDS[others]
    facts = (f"{first} {many} and {second} {few} cost ${paid + count * each} together. "
             f"{'A' if singular(few)[0] not in 'aeiou' else 'An'} {singular(few)} costs ${price}.")
    answer = f"The {few} cost {a}.\nThe {many} cost {b}.\nOne of the {many} costs {c}."
    if rng.random() < 0.5:
        return f"{facts} How many dollars is the price of one of the {many}?", answer, one
    return (f"{facts} How many cents is the price of one of the {many}?",
            f"{answer}\nThat is {one} * 100 = <<{one}*100={one * 100}>>{one * 100} cents.", one * 100)


def ride(rng):
    """Two stretches at two speeds."""
    name, pronoun, _ = person(rng)
    verb, unit = rng.choice([("drives", "kilometres"), ("cycles", "kilometres"), ("walks", "kilometres"), ("rides", "kilometres"),
                             ("sails", "miles")])
    fast, hours, slow, more = rng.choice([10, 12, 15, 18, 20, 30, 40]), small(rng, 2, 5), rng.choice([4, 5, 6, 8, 10, 12]), small(rng, 2, 5)
    first, a = step(fast, "*", hours)
    second, b = step(slow, "*", more)
    third, result = step(a, "+", b)
    question = rng.choice([
        f"{name} {verb} for {hours} hours at {fast} {unit} an hour, then for {more} hours at {slow} {unit} an hour. How many {unit} is that?",
        f"{name} {verb} {fast} {unit} an hour. After {hours} hours {pronoun} goes on for {more} hours at {slow} {unit} an hour. How far does {name} get, in {unit}?",
        f"For {hours} hours {name} {verb} {fast} {unit} an hour, and for {more} more hours {slow} {unit} an hour. How many {unit} are covered in all?",
    ])
    return question, f"First {pronoun} {verb} {first} {unit}.\nThen {pronoun} {verb} {second} {unit}.\nIn all {pronoun} {verb} {third} {unit}.", result


def flock(rng):
    """Two kinds in a ratio and a third one."""
    many, few, other = rng.sample(ANIMALS, 3)
    times, base, extra = small(rng, 2, 5), small(rng, 2, 16), small(rng, 2, 20)
    total = base * (times + 1) + extra
    a, both = step(total, "-", extra)
    b, share = step(1, "+", times)
    c, result = step(both, "/", share)
    place = rng.choice(["A farm", "A park", "A meadow", "A zoo"])
    question = rng.choice([
        f"{place} has {total} animals. There are {times} times as many {many} as {few}, and {extra} {other}. How many {few} are there?",
        f"{place} keeps {extra} {other} and {times} times as many {many} as {few}. All in all there are {total} animals. How many {few} does it keep?",
    ])
    return question, (f"{capitalized(many)} and {few} together are {a} animals.\n"
                      f"For each of the {few} there are {b} of them.\nThere are {c} {few}."), result


def kept(rng):
    """Full holders given away."""
    name, pronoun, her = person(rng)
    thing, count, each = rng.choice(THINGS), small(rng, 4, 12), factor(rng)
    gone = rng.randint(1, count - 1)
    first, left = step(count, "-", gone)
    second, result = step(left, "*", each)
    holder = rng.choice(["bags", "boxes", "baskets", "jars"])
    question = (f"{name} has {count} {holder} with {each} {thing} each. {capitalized(pronoun)} gives {gone} of the {holder} to {her} "
                f"{rng.choice(['brother', 'sister', 'friend', 'neighbour'])}. How many {thing} does {pronoun} keep?")
    return question, f"{name} has {first} {holder} left.\nThey hold {second} {thing}.", result


def takings(rng):
    """Two goods sold."""
    one, two = rng.sample(THINGS, 2)
    a, b, c, d = factor(rng), small(rng), factor(rng), small(rng)
    first, x = step(a, "*", b, True)
    second, y = step(c, "*", d, True)
    question = (f"A {rng.choice(['shop', 'stall', 'bakery', 'market'])} sells {a} {one} at ${b} each and {c} {two} at ${d} each. "
                f"How many dollars does it take in?")
    return question, (f"The {one} bring {first}.\nThe {two} bring {second}.\n"
                      f"Together that is {step(x, '+', y, True)[0]}."), x + y


def fill(rng):
    """A vessel that is partly full."""
    rate, minutes, held = rng.choice([5, 6, 8, 10, 12, 15, 20]), small(rng, 3, 20), rng.choice([20, 30, 40, 50, 60])
    vessel = rng.choice(["tank", "pool", "barrel", "pond"])
    full = rate * minutes + held
    first, lack = step(full, "-", held)
    second, _ = step(lack, "/", rate)
    question = (f"A {vessel} holds {full} litres. There are {held} litres in it, and a pipe adds {rate} litres a minute. How many minutes "
                f"does it take until the {vessel} is full?")
    return question, f"It lacks {first} litres.\nThat takes {second} minutes.", minutes


def sums(rng):
    """Three people, each compared with one before."""
    x, y = two_names(rng)
    thing, first_count, more = rng.choice(THINGS), rng.randint(3, 40), rng.randint(2, 20)
    sign, word = rng.choice([("+", "more"), ("-", "fewer")])
    if sign == "-" and more >= first_count:
        return sums(rng)
    first, other = step(first_count, sign, more)
    second, result = step(first_count, "+", other)
    day = rng.choice(DAYS)
    question = f"On {day} {x} finds {first_count} {thing} and {y} finds {more} {word} than {x}. How many {thing} do they find together?"
    return question, f"{y} finds {first} {thing}.\nTogether they find {second} {thing}.", result


FAMILIES = [ages, portions, tiles, laps, gain, degrees, stacks, buses, discount, unit_price, ride, flock, kept, takings, fill, sums]


def problem(rng, bare=False):
    """The prompt of a problem as mini_gsm8k puts it, and what is to follow; a `bare` one is a sum without a story."""
    question, work, result = (drill if bare else rng.choice(FAMILIES))(rng)
    return f"Question: {question}\nAnswer:", f" {work}\n#### {result}"
