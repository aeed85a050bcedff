"""Words that the other modules put into their sentences."""

WOMEN = ["Anna", "Lena", "Mira", "Ines", "Ada", "Cleo", "Noor", "Ruth", "Sara", "Olga", "Tess", "Vera", "Ida", "Maya"]
MEN = ["Tom", "Ben", "Sam", "Paul", "Omar", "Karl", "Ivan", "Leo", "Hugo", "Emil", "Max", "Otto", "Jan", "Raj"]

THINGS = [
    "apples", "books", "lamps", "pens", "rolls", "jars", "tickets", "stamps", "eggs", "cups", "plates", "boxes", "chairs",
    "candles", "shirts", "tiles", "pears", "coins", "cards", "bottles", "pencils", "flowers", "bricks", "buttons",
]
HOLDERS = ["shelves", "crates", "racks", "drawers", "carts", "boxes", "cupboards", "trays"]
ANIMALS = ["hens", "ducks", "geese", "sheep", "goats", "cows", "horses", "pigs", "rabbits", "swans"]
FOODS = ["rice", "flour", "sugar", "butter", "oats", "beans", "pasta", "lentils", "cheese", "honey"]
PLACES = ["school", "museum", "library", "farm", "club", "factory", "hotel", "bakery", "theatre", "office"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
NUMBER_WORDS = [
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
]


def person(rng):
    """A name with its pronoun."""
    if rng.random() < 0.5:
        return rng.choice(WOMEN), "she", "her"
    return rng.choice(MEN), "he", "his"


def two_names(rng):
    """Two different names."""
    return rng.sample(WOMEN + MEN, 2)


def singular(plural):
    """The singular of one of the nouns above."""
    if plural in ("geese", "sheep", "shelves", "boxes"):
        return {"geese": "goose", "sheep": "sheep", "shelves": "shelf", "boxes": "box"}[plural]
    return plural[:-1]


def capitalized(text):
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]
