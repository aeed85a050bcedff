"""Plain paragraphs: a few sentences about one place, craft, animal or machine, drawn from frames."""

from .words import DAYS, NUMBER_WORDS, capitalized

PEOPLE = ["the fisherman", "the baker", "the old gardener", "my grandmother", "the ferryman", "the clockmaker", "the engineer", "the librarian",
          "the painter", "the school teacher", "our neighbour", "the captain", "the violin maker", "the miller"]
PLACES = ["the harbour", "the old town", "the village", "the river", "the school", "the station", "the mill", "the marsh", "the library",
          "the mountain pass", "the market", "the island", "the garden", "the bridge"]
THINGS = ["a clock", "a map", "a loaf of bread", "a letter", "a boat", "a box of needles", "a knot", "a wheel", "a lamp", "a book", "a violin",
          "a stone", "a rope", "a sack of seed", "a basket", "a photograph"]
ANIMALS = ["the dog", "the cat", "a spider", "a bee", "the gulls", "the swallows", "the horse", "the herring"]
VERBS = ["kept", "carried", "found", "mended", "sold", "forgot", "painted", "hid", "admired", "gave away", "looked for", "put down"]
MATERIALS = ["salt", "wood", "water", "ice", "flour", "wool", "moss", "iron", "snow", "glass"]
QUALITIES = ["heavy", "slow", "patient", "useful", "old", "quiet", "honest", "cold", "crooked", "warm", "strange", "green", "clever", "narrow"]
SEASONS = ["in spring", "in summer", "in autumn", "in winter", "at night", "in the morning", "after the rain", "before dawn", "on rainy days",
           "in the long summer of that year"]
REASONS = ["nobody could say why", "the wind had turned", "it was cheaper", "there was no other way", "the river had moved", "the price had risen",
           "they had always done so", "it was the law", "the bridge was closed", "the children wanted to see it"]


def sentence(rng, who, place, thing):
    """One sentence about them."""
    pick = rng.choice
    it = thing.split(" ", 1)[1] if thing.startswith("a ") else thing
    number, more = pick(NUMBER_WORDS[2:]), pick(NUMBER_WORDS[2:])
    return capitalized(pick([
        f"{who} {pick(VERBS)} {thing} {pick(SEASONS)}, because {pick(REASONS)}.",
        f"{place} is {pick(QUALITIES)} {pick(SEASONS)}, and {pick(QUALITIES)} when {pick(ANIMALS)} comes back.",
        f"{pick(SEASONS)} {who} walks to {pick(PLACES)} with {thing} and comes home by {pick(PLACES)}.",
        f"of the {number} ways to use the {it}, the one that is told in the village is the worst.",
        f"the {it} had been there for {number} years when {who} {pick(VERBS)} it.",
        f"{pick(ANIMALS)} waits at the door of {place}, since {pick(REASONS)}.",
        f"on {pick(DAYS)} the {it} was on the table, and on {pick(DAYS)} it was gone.",
        f"when the {it} is too {pick(QUALITIES)}, take {pick(MATERIALS)}, wait for {number} minutes, and try once more.",
        f"everybody knows that {pick(MATERIALS)} is {pick(QUALITIES)}, but few people have asked why.",
        f"{who} said that the {it} was {pick(QUALITIES)}, and that {place} was not.",
        f"for {number} years {who} came to {place} to see {thing}, and {pick(REASONS)}.",
        f"the road to {place} is open on {pick(DAYS)} from {number} to {more}, and visitors should bring {thing}.",
        f"put {number} spoons of {pick(MATERIALS)} into the bowl, cover it, and let it stand {pick(SEASONS)}.",
        f"a person who carries {thing} does not see much of {place}.",
        f"some of it was {pick(QUALITIES)}, some of it was {pick(QUALITIES)}, and all of it was too dear.",
        f"{who} can tell by the {it} what the weather will do, and is wrong one day in {number}.",
        f"behind {place} there is a wall with {thing} on it, which {who} {pick(VERBS)} long ago.",
        f"you know the {it} by its weight, by its colour, and by the hand that made it.",
        f"the children of {place} have {number} names for {pick(MATERIALS)}, and {who} has only one.",
        f"{place} was {pick(QUALITIES)} then, and {pick(MATERIALS)} was hard to find.",
        f"whoever counts the days between the {it} and the letter finds that there were {number}.",
        f"if the answer is the same {number} times, {who} writes it down, and otherwise asks again.",
        f"the boat leaves at {number} and comes back at {more}, unless {pick(REASONS)}.",
        f"{pick(MATERIALS)} comes from {pick(PLACES)}, where it is {pick(QUALITIES)} and {pick(QUALITIES)}.",
        f"nobody in {place} looked for the {it}, which {who} {pick(VERBS)} {pick(SEASONS)}.",
        f"follow {pick(ANIMALS)} from {place} to {pick(PLACES)}, and you will find {thing}.",
    ]))


def paragraph(rng):
    """Two to five sentences."""
    who, place, thing = rng.choice(PEOPLE), rng.choice(PLACES), rng.choice(THINGS)
    return " ".join(sentence(rng, who, place, thing) for _ in range(rng.randint(2, 5)))
