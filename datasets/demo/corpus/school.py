"""More of what school teaches, for multiple choice: tables of two columns, with the ways to ask for one column by the other.

The wrong answers to a question are other entries of the same column, so that an answer is never told by its kind.
"""

CITIES = [
    ("Austria", "Vienna"), ("Belgium", "Brussels"), ("Bolivia", "La Paz"), ("Chile", "Santiago"), ("China", "Beijing"), ("Cuba", "Havana"),
    ("Denmark", "Copenhagen"), ("Finland", "Helsinki"), ("Hungary", "Budapest"), ("Iceland", "Reykjavik"), ("Indonesia", "Jakarta"),
    ("Iran", "Tehran"), ("Iraq", "Baghdad"), ("Ireland", "Dublin"), ("Mexico", "Mexico City"), ("Nepal", "Kathmandu"),
    ("New Zealand", "Wellington"), ("Nigeria", "Abuja"), ("Pakistan", "Islamabad"), ("Russia", "Moscow"), ("South Korea", "Seoul"),
    ("Sweden", "Stockholm"), ("Thailand", "Bangkok"), ("Ukraine", "Kyiv"), ("Vietnam", "Hanoi"), ("the United Kingdom", "London"),
    ("the United States", "Washington"), ("Argentina", "Buenos Aires"),
]
LANGUAGES = [
    ("Brazil", "Portuguese"), ("Mexico", "Spanish"), ("Egypt", "Arabic"), ("Austria", "German"), ("Iran", "Persian"), ("Turkey", "Turkish"),
    ("Greece", "Greek"), ("China", "Chinese"), ("Japan", "Japanese"), ("Sweden", "Swedish"), ("Poland", "Polish"), ("Italy", "Italian"),
]
INLAND = ["Bolivia", "Nepal", "Switzerland", "Austria", "Chad", "Zambia", "Mongolia", "Laos", "Hungary", "Mali"]
COASTAL = ["Spain", "Japan", "Norway", "Chile", "India", "Portugal", "Vietnam", "Kenya", "Italy", "Peru", "Greece", "Egypt", "Brazil", "Cuba"]
LINES = [
    ("halfway between the two poles", "The Equator"), ("the longest circle of latitude", "The Equator"), ("at latitude 0", "The Equator"),
    ("the border of the northern and the southern hemisphere", "The Equator"), ("at longitude 0, through Greenwich", "The Prime Meridian"),
    ("where the sun does not set in midsummer of the north", "The Arctic Circle"), ("the circle around the South Pole", "The Antarctic Circle"),
    ("where the sun stands overhead in June", "The Tropic of Cancer"), ("where the sun stands overhead in December", "The Tropic of Capricorn"),
    ("where a new day begins, in the Pacific", "The Date Line"),
]
MAP_LINES = [
    ("contour line", "Points of equal height"), ("contour", "Points of equal height"), ("height line of a map", "Points of equal height"),
    ("isobar", "Points of equal pressure"), ("isotherm", "Points of equal temperature"), ("parallel", "Points of equal latitude"),
    ("meridian", "Points of equal longitude"), ("depth line of a chart", "Points of equal depth"),
]
TRAVELS = [
    ("Khartoum", "The Nile"), ("Luxor", "The Nile"), ("Budapest", "The Danube"), ("Belgrade", "The Danube"), ("Kinshasa", "The Congo"),
    ("Bonn", "The Rhine"), ("Basel", "The Rhine"), ("Manaus", "The Amazon"), ("New Orleans", "The Mississippi"), ("Varanasi", "The Ganges"),
    ("Timbuktu", "The Niger"), ("Florence", "The Arno"), ("Dresden", "The Elbe"), ("Shanghai", "The Yangtze"), ("Lyon", "The Rhone"),
]
ELEMENTS = [
    ("hydrogen", "H"), ("helium", "He"), ("carbon", "C"), ("nitrogen", "N"), ("oxygen", "O"), ("sodium", "Na"), ("iron", "Fe"), ("copper", "Cu"),
    ("silver", "Ag"), ("gold", "Au"), ("lead", "Pb"), ("tin", "Sn"), ("sulphur", "S"), ("potassium", "K"), ("calcium", "Ca"), ("mercury", "Hg"),
]
MATTER = [
    ("ice that turns to water", "Melting"), ("water that turns to ice", "Freezing"), ("water that turns to steam", "Boiling"),
    ("steam that turns to water", "Condensing"), ("sugar that goes into tea", "Dissolving"), ("iron that turns brown in rain", "Rusting"),
    ("wood that turns to ash and smoke", "Burning"), ("a puddle that goes away in the sun", "Evaporating"),
]
METERS = [
    ("temperature", "A thermometer"), ("air pressure", "A barometer"), ("mass", "A balance"), ("time", "A clock"), ("speed of a car", "A speedometer"),
    ("current", "An ammeter"), ("voltage", "A voltmeter"), ("earthquakes", "A seismograph"), ("direction", "A compass"), ("length", "A ruler"),
    ("force", "A spring scale"),
]
UNITS = [
    ("force", "Newton"), ("energy", "Joule"), ("power", "Watt"), ("current", "Ampere"), ("voltage", "Volt"), ("resistance", "Ohm"),
    ("pressure", "Pascal"), ("frequency", "Hertz"), ("mass", "Kilogram"), ("length", "Metre"), ("time", "Second"), ("temperature", "Kelvin"),
]
WARM = [
    ("a rail on a summer day", "It expands"), ("a bridge in the heat of summer", "It expands"), ("the air in a balloon over a fire", "It expands"),
    ("a wire that gets hot", "It expands"), ("mercury in a warm thermometer", "It expands"), ("a metal ring over a flame", "It expands"),
    ("a wire that gets cold", "It shrinks"), ("a rail in a frosty night", "It shrinks"), ("butter in a hot pan", "It melts"), ("ice in a warm room", "It melts"),
    ("water at 100 degrees", "It boils"), ("water at minus 5 degrees", "It freezes"), ("paper in a flame", "It burns"), ("iron in damp air", "It rusts"),
]
CAUSES = [
    ("a tiled floor feel colder to bare feet than a carpet", "Tiles conduct heat away faster"), ("a steel rail feel colder than a wooden bench", "Steel conducts heat away faster"),
    ("a coin feel colder than a cork", "The coin conducts heat away faster"), ("a pan have a wooden handle", "Wood conducts heat badly"),
    ("a double window keep a room warm", "Still air conducts heat badly"), ("a long spanner turn a nut easily", "The lever arm is longer"),
    ("a long oar or crowbar need little force", "The lever arm is longer"), ("a door handle sit far from the hinges", "The lever arm is longer"),
    ("a seesaw tip when one child moves outwards", "The lever arm is longer"), ("ice make a road slippery", "Friction is small"),
    ("oil go on a squeaking hinge", "Oil lessens friction"), ("a stone fall down", "The Earth pulls it"), ("we hear an echo", "Sound is thrown back"),
    ("a straw look bent in water", "Water bends light"), ("a boat of steel swim", "It pushes water aside"), ("we see the lightning first", "Light is faster than sound"),
]
PLACES_OF = [
    ("the flame first heat in a pan of soup", "The bottom"), ("a hotplate warm a pot of milk first", "The bottom"), ("a stone in a pond come to rest", "The bottom"),
    ("cream gather in milk", "The top"), ("the warm air of a room gather", "The top"), ("oil swim in water", "The top"), ("a pencil balance on a finger", "The middle"),
    ("one hold a hot pan", "The handle"), ("a seesaw turn", "The middle"), ("a lamp get its current from", "The socket"),
]
PRESSURES = [
    ("moves the piston of a steam engine", "The pressure of the steam"), ("makes a kettle whistle", "The pressure of the steam"),
    ("drives the turbine of a coal power station", "The pressure of the steam"), ("opens the valve of a pressure cooker", "The pressure of the steam"),
    ("lifts a hot-air balloon", "The lift of warm air"), ("holds a nail on a magnet", "Magnetism"), ("holds a water strider on a pond", "Surface tension"),
    ("makes a drop of water round", "Surface tension"), ("turns the needle of a compass", "Magnetism"), ("pulls an apple to the ground", "Its weight"),
    ("makes a sledge slow down", "Friction"), ("holds a suction cup on glass", "The pressure of the air"), ("lets one drink through a straw", "The pressure of the air"),
]
BODY = [
    ("pumps the blood", "The heart"), ("takes in air", "The lungs"), ("digests food", "The stomach"), ("cleans the blood", "The kidneys"), ("thinks", "The brain"),
    ("sees", "The eyes"), ("hears", "The ears"), ("smells", "The nose"), ("tastes", "The tongue"), ("chews", "The teeth"), ("makes bile", "The liver"),
]
CLASSES = [
    ("frog", "An amphibian"), ("newt", "An amphibian"), ("eagle", "A bird"), ("penguin", "A bird"), ("salmon", "A fish"), ("shark", "A fish"),
    ("whale", "A mammal"), ("bat", "A mammal"), ("snake", "A reptile"), ("turtle", "A reptile"), ("ant", "An insect"), ("bee", "An insect"),
]
YOUNG = [
    ("cow", "Calf"), ("horse", "Foal"), ("sheep", "Lamb"), ("dog", "Puppy"), ("cat", "Kitten"), ("hen", "Chick"), ("goat", "Kid"), ("duck", "Duckling"),
    ("bear", "Cub"), ("swan", "Cygnet"), ("frog", "Tadpole"),
]
PLANETS = [
    ("nearest to the sun", "Mercury"), ("the red planet", "Mars"), ("the largest planet", "Jupiter"), ("known for its rings", "Saturn"),
    ("farthest from the sun", "Neptune"), ("our own planet", "The Earth"), ("the hottest planet", "Venus"), ("tilted on its side", "Uranus"),
]
DATES = [
    ("Columbus reach America", "1492"), ("the French Revolution begin", "1789"), ("the First World War begin", "1914"), ("the Second World War end", "1945"),
    ("people first walk on the Moon", "1969"), ("the Berlin Wall fall", "1989"), ("the Battle of Hastings take place", "1066"), ("the Great Fire of London burn", "1666"),
]
OPPOSITES = [
    ("hot", "Cold"), ("big", "Small"), ("early", "Late"), ("fast", "Slow"), ("old", "New"), ("loud", "Quiet"), ("dark", "Light"), ("wet", "Dry"), ("empty", "Full"),
    ("open", "Closed"), ("rich", "Poor"), ("weak", "Strong"), ("high", "Low"), ("near", "Far"),
]
PASTS = [
    ("go", "Went"), ("see", "Saw"), ("take", "Took"), ("write", "Wrote"), ("sing", "Sang"), ("buy", "Bought"), ("run", "Ran"), ("eat", "Ate"), ("find", "Found"),
    ("know", "Knew"), ("come", "Came"), ("think", "Thought"),
]
SHAPES = [
    ("three sides", "A triangle"), ("four equal sides and right angles", "A square"), ("five sides", "A pentagon"), ("six sides", "A hexagon"),
    ("eight sides", "An octagon"), ("no corners", "A circle"), ("seven sides", "A heptagon"),
]
POWERS = [
    ("2 bits", "4"), ("3 bits", "8"), ("4 bits", "16"), ("5 bits", "32"), ("6 bits", "64"), ("7 bits", "128"), ("8 bits", "256"), ("9 bits", "512"), ("10 bits", "1024"),
    ("a nibble", "16"), ("an octet", "256"), ("one unsigned byte", "256"), ("a single bit", "2"),
]
TOOLS = [
    ("a compiler", "It translates a program"), ("a translator of source code to machine code", "It translates a program"), ("an assembler", "It translates a program"),
    ("an editor", "It changes text"), ("a debugger", "It helps to find bugs"), ("a database", "It stores records"), ("a browser", "It shows web pages"),
    ("a formatter", "It lays out code"), ("a linker", "It joins object files"), ("a scheduler", "It shares out the processor"), ("a fan", "It cools the processor"),
    ("a backup", "It keeps a copy of files"), ("a window manager", "It draws windows"), ("a router", "It sends packets on"), ("a profiler", "It measures time"),
]
SEARCHES = [
    ("compares with the middle and drops one half each time", "Binary search"), ("finds a word in a sorted list by halving", "Binary search"),
    ("is used to open a dictionary in the middle, then in the middle of a half", "Binary search"), ("looks at every entry one after another", "Linear search"),
    ("follows one path of a graph to its end first", "Depth-first search"), ("visits all neighbours of a node first", "Breadth-first search"),
    ("goes straight to a place computed from the key", "Hashing"),
]
PILES = [
    ("a pile of plates", "A stack"), ("the undo steps of an editor", "A stack"), ("calls of functions that wait for each other", "A stack"),
    ("last in, first out", "A stack"), ("first in, first out", "A queue"), ("people who wait at a till", "A queue"), ("jobs of a printer", "A queue"),
    ("folders in folders", "A tree"), ("a family with its descendants", "A tree"), ("towns and roads", "A graph"), ("unique names without order", "A set"),
    ("words with their meanings", "A dictionary"),
]
FAULTS = [
    ("two threads change one counter without a lock", "An update is lost"), ("two people save the same file at once", "An update is lost"),
    ("two programs read, add and write one number together", "An addition is lost"), ("threads count together and nobody locks the sum", "An addition is lost"),
    ("a loop never reaches its end", "The program hangs"), ("two threads wait for each other's lock", "The program hangs"), ("a function calls itself for ever", "The stack overflows"),
    ("a number is divided by zero", "An error is raised"), ("an index is beyond the list", "An error is raised"), ("memory is never given back", "Memory runs out"),
]
KEYS = [
    ("a hash table compute from a key", "The place of its entry"), ("a hash function turn a key into", "A place in the table"), ("a dictionary of Python use to find a key", "A hash function"),
    ("a hash map need for its keys", "A hash function"), ("binary search need", "A sorted list"), ("recursion need to end", "A base case"),
    ("a loop need to end", "A condition that gets false"), ("a server need to be reached", "A network address"), ("a test need to be of use", "A way to fail"),
]

# Subject: (table, ways to ask for the second column by the first, how many shares of the subject's rows).
TABLES = {
    "geography": [
        (CITIES, ["What is the capital of {}?", "Which of these is the capital city of {}?", "Which city is the capital of {}?"], 3),
        (LANGUAGES, ["Which language do people speak in {}?", "What is the language of {}?"], 1),
        (LINES, ["Which line is {}?", "What is {}?", "Which of these lines is {}?"], 2),
        (MAP_LINES, ["What does a {} join?", "What does each {} join?", "A {} on a map joins what?", "What lies on a {}?"], 2),
        (TRAVELS, ["Which river flows through {}?", "Which river goes through {}?", "On which river is {}?"], 2),
        (PLANETS, ["Which planet is {}?", "Which of these is {}?"], 1),
    ],
    "household physics": [
        (METERS, ["What measures {}?", "With what does one measure {}?"], 1), (UNITS, ["What is the unit of {}?", "In which unit is {} given?"], 1),
        (MATTER, ["What is this? {}", "What do we call {}?"], 1), (WARM, ["What happens to {}?", "What becomes of {}?"], 2),
        (CAUSES, ["Why does {}?", "Why is it that {}?"], 3), (PLACES_OF, ["Where does {}?", "In which place does {}?"], 2),
        (PRESSURES, ["What {}?", "Which of these {}?"], 2),
    ],
    "programming": [
        (POWERS, ["How many values can {} hold?", "How many different values have {}?", "How many different numbers fit in {}?"], 3),
        (TOOLS, ["What does {} do?", "What is {} for?"], 3), (SEARCHES, ["Which search {}?", "What {}?", "Which of these {}?"], 2),
        (PILES, ["Which data structure is like {}?", "Which data structure fits {}?"], 2), (FAULTS, ["What happens when {}?", "What can go wrong when {}?"], 2),
        (KEYS, ["What does {}?", "What must {}?"], 2),
    ],
    "chemistry": [(ELEMENTS, ["What is the symbol of {}?", "Which symbol stands for {}?"], 1)],
    "biology": [
        (BODY, ["Which part of the body {}?", "What {}?"], 1), (CLASSES, ["What kind of animal is a {}?", "What is a {}?"], 1),
        (YOUNG, ["What is a young {} called?", "What do we call the young of a {}?"], 1),
    ],
    "history": [(DATES, ["When did {}?", "In which year did {}?"], 1)],
    "grammar": [(OPPOSITES, ["What is the opposite of {}?", "Which word means the opposite of {}?"], 1), (PASTS, ["What is the past of {}?", "What is the past tense of {}?"], 1)],
    "mathematics": [(SHAPES, ["Which shape has {}?", "What has {}?"], 1)],
}
