"""What the multiple-choice questions ask: common knowledge in tables, each fact with several ways to ask for it."""

CAPITALS = {
    "Canada": ("Ottawa", ["Toronto", "Montreal", "Vancouver", "Calgary"]),
    "France": ("Paris", ["Lyon", "Marseille", "Nice", "Lille"]),
    "Spain": ("Madrid", ["Barcelona", "Seville", "Valencia"]),
    "Italy": ("Rome", ["Milan", "Naples", "Turin"]),
    "Germany": ("Berlin", ["Hamburg", "Munich", "Cologne"]),
    "Australia": ("Canberra", ["Sydney", "Melbourne", "Perth"]),
    "Brazil": ("Brasilia", ["Rio de Janeiro", "Sao Paulo", "Salvador"]),
    "Turkey": ("Ankara", ["Istanbul", "Izmir", "Bursa"]),
    "Switzerland": ("Bern", ["Zurich", "Geneva", "Basel"]),
    "Japan": ("Tokyo", ["Osaka", "Kyoto", "Nagoya"]),
    "India": ("New Delhi", ["Mumbai", "Kolkata", "Chennai"]),
    "Egypt": ("Cairo", ["Alexandria", "Luxor", "Giza"]),
    "Morocco": ("Rabat", ["Casablanca", "Fez", "Tangier"]),
    "Poland": ("Warsaw", ["Krakow", "Gdansk", "Poznan"]),
    "Portugal": ("Lisbon", ["Porto", "Braga", "Faro"]),
    "Norway": ("Oslo", ["Bergen", "Stavanger", "Tromso"]),
    "Peru": ("Lima", ["Cusco", "Arequipa", "Trujillo"]),
    "Kenya": ("Nairobi", ["Mombasa", "Kisumu", "Nakuru"]),
    "Greece": ("Athens", ["Patras", "Corinth", "Sparta"]),
}

SOUTHERN = ["Lima", "Sydney", "Santiago", "Nairobi", "Brasilia", "Cape Town", "Perth", "Wellington", "Jakarta"]
NORTHERN = ["Madrid", "Cairo", "Mumbai", "London", "Paris", "Oslo", "Tokyo", "Rome", "Berlin", "Ottawa", "Lisbon", "Athens"]

OCEANS = [
    (("Africa", "Australia"), "The Indian Ocean"), (("India", "Australia"), "The Indian Ocean"), (("Kenya", "India"), "The Indian Ocean"),
    (("Madagascar", "Australia"), "The Indian Ocean"), (("East Africa", "West Australia"), "The Indian Ocean"),
    (("Europe", "North America"), "The Atlantic Ocean"), (("Africa", "South America"), "The Atlantic Ocean"),
    (("Portugal", "Canada"), "The Atlantic Ocean"), (("Brazil", "Morocco"), "The Atlantic Ocean"),
    (("Asia", "North America"), "The Pacific Ocean"), (("Japan", "Mexico"), "The Pacific Ocean"),
    (("Australia", "South America"), "The Pacific Ocean"), (("Peru", "Japan"), "The Pacific Ocean"),
    (("Canada", "the North Pole"), "The Arctic Ocean"), (("Norway", "the North Pole"), "The Arctic Ocean"),
]
SEAS = ["The Indian Ocean", "The Atlantic Ocean", "The Pacific Ocean", "The Arctic Ocean", "The Caribbean Sea", "The Baltic Sea"]

RANGES = [
    (("France", "Spain"), "The Pyrenees"), (("Chile", "Argentina"), "The Andes"), (("Italy", "Switzerland"), "The Alps"),
    (("Nepal", "China"), "The Himalayas"), (("Europe", "Asia"), "The Urals"), (("Russia", "Georgia"), "The Caucasus"),
    (("Poland", "Slovakia"), "The Carpathians"), (("Paris", "Madrid"), "The Pyrenees"), (("Italy", "Austria"), "The Alps"),
    (("Bologna", "Florence"), "The Apennines"), (("Tibet", "India"), "The Himalayas"),
]

KINDS = {
    "colour": ["red", "blue", "green", "yellow", "white", "black", "brown", "grey"],
    "tool": ["hammer", "saw", "spade", "drill", "axe", "rake", "file"],
    "country": ["France", "Spain", "Canada", "Peru", "Japan", "India", "Egypt", "Norway"],
    "metal": ["iron", "copper", "gold", "silver", "lead", "tin", "zinc"],
    "city": ["Paris", "Rome", "Lima", "Cairo", "Tokyo", "Berlin", "Oslo"],
    "tree": ["oak", "pine", "birch", "willow", "maple", "beech"],
    "number": ["two", "seven", "eleven", "twenty", "forty", "nine"],
    "instrument": ["violin", "piano", "flute", "drum", "cello", "harp"],
    "day": ["Monday", "Tuesday", "Friday", "Sunday"],
    "month": ["March", "April", "July", "October", "June"],
}

LAND = [
    ("land with water on three sides", "A peninsula"), ("a narrow strip of land between two larger ones", "An isthmus"),
    ("land with water on all sides", "An island"), ("a narrow water between two lands", "A strait"),
    ("a ring of coral around a lagoon", "An atoll"), ("the land where a river meets the sea in many arms", "A delta"),
    ("a group of many islands", "An archipelago"), ("a river of ice", "A glacier"), ("a mountain that gives off lava", "A volcano"),
    ("low land between hills", "A valley"), ("high flat land", "A plateau"), ("a green place with water in a desert", "An oasis"),
    ("a deep arm of the sea between steep walls", "A fjord"), ("dry land where little rain falls", "A desert"),
]
RIVERS = [("Paris", "The Seine"), ("London", "The Thames"), ("Vienna", "The Danube"), ("Cairo", "The Nile"), ("Rome", "The Tiber"),
          ("Cologne", "The Rhine"), ("Baghdad", "The Tigris"), ("Lisbon", "The Tagus"), ("Hamburg", "The Elbe")]
CONTINENTS = [("Kenya", "Africa"), ("Peru", "South America"), ("Japan", "Asia"), ("Norway", "Europe"), ("Canada", "North America"),
              ("Egypt", "Africa"), ("Brazil", "South America"), ("India", "Asia"), ("Portugal", "Europe"), ("Mexico", "North America"),
              ("Mongolia", "Asia"), ("New Zealand", "Oceania"), ("Fiji", "Oceania")]

DEVICES = [
    ("A circuit breaker", "Too much current"), ("A lightning rod", "Lightning"),
    ("A safety valve", "Too much pressure"), ("A helmet", "Blows to the head"), ("A thermostat", "Too much heat"),
    ("An umbrella", "Rain"), ("A dam", "Floods"), ("Sun cream", "Too much sun"), ("A surge filter", "Too much voltage"),
    ("The fuse of a lamp", "Too much current"), ("The fuse of a house", "Too much current"),
    ("The fuse of a radio", "Too much current"), ("Paint on iron", "Rust"),
]
GROWTH = [
    ("merge sort of n numbers", "As n log n"), ("heap sort of n numbers", "As n log n"), ("sorting n numbers well", "As n log n"),
    ("sorting n numbers by comparing and merging", "As n log n"), ("bubble sort of n numbers", "As n squared"),
    ("comparing each of n numbers with each other", "As n squared"), ("binary search among n numbers", "As log n"),
    ("finding a name in a sorted list of n by halving", "As log n"), ("adding up n numbers", "As n"),
    ("linear search among n numbers", "As n"), ("reading a list of n numbers once", "As n"),
    ("looking up one key in a hash table of n", "It does not grow"), ("reading element i of an array of n", "It does not grow"),
]
STRUCTURES = [
    ("gives back first what was put in last", "A stack"), ("gives back first what was put in first", "A queue"),
    ("finds a value by its key with a hash function", "A hash table"), ("holds every value only once", "A set"),
    ("gives back the smallest value first", "A heap"), ("holds nodes that each point to the next", "A linked list"),
    ("holds nodes with children", "A tree"), ("holds values side by side, counted by an index", "An array"),
    ("holds nodes joined by edges", "A graph"),
]

# A table and the ways to ask for its second column by its first.
DEFINITIONS = {
    "land": (LAND, ["What is {} called?", "What do we call {}?", "What is the word for {}?", "Which word means {}?"]),
    "land by name": ([(name.lower(), meaning.capitalize()) for meaning, name in LAND], ["What is {}?", "What does one call {}?"]),
    "rivers": (RIVERS, ["Which river flows through {}?", "On which river does {} lie?"]),
    "continents": (CONTINENTS, ["On which continent is {}?", "To which continent does {} belong?", "Where is {}?"]),
    "devices": (DEVICES, ["{} protects from what?", "{} is there to protect from what?", "{} is a protection from what?", "From what does it protect? {}"]),
    "insulators": ([("the best insulator of heat", "Still air"), ("the worst conductor of heat", "Still air"), ("the best for keeping heat in a wall", "Still air"),
                    ("the best conductor of heat", "Copper"), ("the best metal for a wire", "Copper"), ("clear and lets light through", "Glass"),
                    ("wet", "Water"), ("made of tree", "Wood"), ("pulled by a magnet", "Iron")],
                   ["Which of these is {}?", "Which is {}?", "Which one is {}?"]),
    "conductors": ([("keeps heat in because air is still in it", "Wool"), ("conducts heat very well", "Copper"), ("lets light through", "Glass"),
                    ("is pulled by a magnet", "Iron"), ("hardly conducts heat when it is still", "Still air"), ("burns in a stove", "Wood"), ("boils at 100 degrees", "Water")],
                   ["Which of these {}?", "What {}?"]),
    "growth": (GROWTH, ["How does the time of {} grow?", "How does the time for {} grow with n?", "How long does it take? {}"]),
    "structures": (STRUCTURES, ["Which data structure {}?", "What {}?", "What do we call a data structure that {}?"]),
    "structures by name": ([(name.lower(), f"It {what}") for what, name in STRUCTURES], ["What does {} do?", "What is true of {}?"]),
}

# Ways to ask, the right answer, wrong ones.
FACTS = {
    "geography": [
        (["Where does the sun rise?", "In which direction does one see the sunrise?"], "In the east", ["In the west", "In the north", "In the south"]),
        (["Where does the sun set?", "In which direction does one see the sunset?"], "In the west", ["In the east", "In the north", "In the south"]),
        (["To where does the needle of a compass point?", "What does a compass show?"], "To the north", ["To the sea", "To the east", "To the next town"]),
        (["Why are there seasons?", "What makes summer and winter?"], "The axis of the Earth is tilted", ["The Moon is near", "The sun gets hotter", "The wind turns"]),
        (["How long does the Earth take to turn once?", "How long is one turn of the Earth?"], "A day", ["A month", "A year", "An hour"]),
        (["What makes the tides of the sea?", "Why does the sea rise and fall twice a day?"], "The Moon", ["The wind", "The rivers", "The fish"]),
    ],
    "physics": [
        (["At what temperature does water freeze?", "When does water turn to ice?"], "0 degrees", ["100 degrees", "37 degrees", "50 degrees"]),
        (["At what temperature does water boil?", "When does water turn to steam on a stove?"], "100 degrees", ["0 degrees", "37 degrees", "50 degrees"]),
        (["Why does salt go on icy roads?", "What does salt do to ice?"], "Salt melts ice", ["Salt warms the air", "Salt is white", "Salt makes ice hard"]),
        (["What is a mirror good at?", "What does a mirror do with light?"], "It reflects light", ["It makes light", "It stores light", "It stops light"]),
        (["Why do we see lightning before we hear thunder?", "Why does thunder come late?"], "Light is faster than sound",
         ["Sound is faster than light", "Thunder is far away", "The ear is slow"]),
        (["What does wool do for a person in winter?", "Why is a wool coat warm?"], "It holds still air", ["It makes heat", "It is heavy", "It is a metal"]),
        (["What happens to water on a cold window?", "Why is a cold window wet inside?"], "Water of the air condenses", ["The glass melts", "The window makes water", "Heat turns to water"]),
    ],
    "programming": [
        (["How many bits are in a byte?", "How many bits has one byte?"], "8", ["4", "16", "256"]),
        (["What is a function that calls itself?", "What do we call it when a function calls itself?"], "Recursion", ["A loop", "A class", "A comment"]),
        (["What does a debugger do?", "What is a debugger for?"], "It helps to find bugs", ["It makes bugs", "It sorts files", "It prints money"]),
        (["What is a bug?", "What do programmers call a mistake in a program?"], "A mistake in a program", ["A fast program", "A kind of file", "A new screen"]),
        (["What repeats a piece of code?", "Which of these repeats steps?"], "A loop", ["A comment", "A name", "A number"]),
        (["What does a lock do for threads?", "Why do threads use a lock?"], "Only one at a time goes on", ["They run faster", "They are sorted", "They get names"]),
        (["What does git keep?", "What does version control keep?"], "The history of the files", ["The power of the machine", "The colours of the screen", "The names of users"]),
    ],
}
