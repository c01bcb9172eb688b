"""Word lists of the starter models' small world: people, days, services, places, things that break."""

FIRST_NAMES = """James Mary Robert Linda John Susan Michael Karen David Lisa William Nancy Richard Betty Thomas Sandra Mark
Ashley Steven Emily Paul Donna Andrew Carol Joshua Amanda Kevin Laura Brian Helen Edward Anna Ronald Maria Anthony Julia Ryan
Grace Jacob Diane Gary Rose Peter Alice Henry Diana Frank Sara Daniel Olivia Sam Emma Carlos Sophia Ben Kelly Tom Jenny Oscar
Wendy""".split()

LAST_NAMES = """Smith Johnson Williams Brown Jones Garcia Miller Davis Wilson Anderson Taylor Thomas Moore Jackson Martin Lee
Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Torres Hill Green Adams Baker Nelson Carter
Mitchell Roberts Turner Phillips Campbell Parker Evans Edwards Collins Stewart Morris Murphy Cook Rogers Cooper Reed Bailey Bell
Howard Ward Cox Brooks Gray Price Bennett Wood Foster Hughes""".split()

# Names are also put together from these pieces, so that the language model learns to copy a name instead of knowing it.
NAME_HEADS = "Ba Be Bra Ca Che Cor Da De Dra Fa Fe Ga Gre Ha Hol Is Ja Jo Ka Ke Kra La Le Lin Ma Me Mor Na Ni Nor O Pa Pe Po Ra Re Ro Sa She So Sta Ta Ti Tra U Va Ve Wa Wi Ya Za".split()
NAME_MIDDLES = "ba bi da de di fi ga go la le li lo ma mi na ne ni no ra re ri ro sa se si ta ti va ve vi".split()
NAME_TAILS = "b ck d der don el en er ert ez field ford ger ham in ine ka ke kin kov ley lin ly man mer n na nd ner ni no r ra rez ro s sen ski son sta t ta ton tt vez well y zer".split()

WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
ORDINALS = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth twenty-fifth
twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first""".split()
DIGITS = "zero one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()

# What can be booked: the slot value, and how callers say it.
SERVICES = {
    "viewing": ["a viewing", "an apartment tour", "a tour"],
    "haircut": ["a haircut"],
    "color": ["a hair color", "hair coloring"],
    "massage": ["a massage"],
    "manicure": ["a manicure"],
    "checkup": ["a checkup", "a check up"],
    "teeth cleaning": ["a teeth cleaning", "a dental cleaning"],
    "filling": ["a filling"],
    "eye exam": ["an eye exam", "an eye test"],
    "oil change": ["an oil change"],
    "tire rotation": ["a tire rotation"],
    "brake inspection": ["a brake inspection", "a brake check"],
    "drain cleaning": ["a drain cleaning", "drain cleaning"],
    "leak repair": ["a leak repair", "a pipe repair"],
    "water heater": ["a water heater repair", "a new water heater"],
    "furnace repair": ["a furnace repair", "a heating repair"],
    "ac repair": ["an air conditioner repair", "an air conditioning service"],
    "boiler service": ["a boiler service"],
    "house cleaning": ["a house cleaning", "home cleaning"],
    "carpet cleaning": ["a carpet cleaning", "carpet cleaning"],
    "lawn mowing": ["lawn mowing", "a lawn service"],
    "estimate": ["an estimate", "a free estimate", "a quote"],
    "consultation": ["a consultation"],
    "inspection": ["an inspection", "a home inspection"],
    "vaccination": ["a vaccination", "a flu shot"],
    "grooming": ["dog grooming", "a grooming"],
    "pest control": ["pest control"],
    "lock change": ["a lock change"],
}

CITIES = """Springfield Riverside Oakland Fairview Greenville Franklin Clinton Salem Madison Georgetown Arlington Bristol Milton
Newport Ashland Burlington Manchester Dayton Lexington Hudson""".split()
STREETS = "Main Oak Maple Park Cedar Lake Hill Washington Pine River Church Elm Spring Center".split()
STREET_KINDS = "Street Avenue Road Drive Lane".split()
ROOMS = ["kitchen", "bathroom", "bedroom", "basement", "hallway", "living room", "garage", "laundry room"]

# What breaks in a home, and how.
FAULTS = {
    "sink": ["is leaking", "is clogged", "is backed up", "is dripping"],
    "toilet": ["is overflowing", "is clogged", "won't flush", "is leaking"],
    "faucet": ["is leaking", "is dripping", "won't turn off"],
    "heater": ["is not working", "is broken", "stopped working", "is making a noise"],
    "air conditioner": ["is not working", "is broken", "stopped working", "is leaking", "is making a noise"],
    "refrigerator": ["is not working", "is broken", "stopped working", "is making a noise"],
    "dishwasher": ["is leaking", "is broken", "won't start", "is not working"],
    "oven": ["is broken", "won't start", "is not working"],
    "light": ["is broken", "is flickering", "won't turn on"],
    "door": ["won't close", "won't lock", "is broken"],
    "window": ["is broken", "won't close", "won't open"],
    "lock": ["is broken", "is stuck"],
    "ceiling": ["is leaking", "is dripping"],
    "smoke alarm": ["is beeping", "won't stop beeping"],
    "washing machine": ["is broken", "is leaking", "won't start"],
    "shower": ["is leaking", "has no hot water", "is clogged"],
    "elevator": ["is stuck", "is broken", "is not working"],
}

# Things and faults beyond the recogniser's words, for the language model to copy.
ODD_THINGS = [
    "garbage disposal", "radiator", "mailbox", "carpet", "stove", "microwave", "fan", "thermostat", "dryer", "doorbell", "balcony door",
    "gutter", "stair rail", "fence", "gate", "toilet seat", "bathtub", "drain", "water tank", "intercom", "outlet", "light switch",
    "closet door", "cabinet", "blinds", "screen", "roof", "wall", "floor", "garage door", "parking gate", "key fob", "freezer",
    "washer", "chimney", "skylight", "patio", "sprinkler",
]
ODD_FAULTS = [
    "is cracked", "fell off", "doesn't work", "is rattling", "keeps tripping", "is too hot", "is blocked", "is loose", "came off",
    "is humming", "smells bad", "is moldy", "is not closing", "won't come on", "has a hole", "is rusty", "is wet", "is dead",
    "is acting up", "is frozen", "does not open", "keeps beeping", "is torn", "was stolen",
]

UTILITIES = {
    "power": ["power", "electricity"],
    "internet": ["internet", "wifi", "connection"],
    "water": ["water"],
    "gas": ["gas"],
    "phone": ["phone line", "phone"],
    "heat": ["heat", "heating"],
    "cable": ["cable", "television"],
}

# What "question" is about: the slot value, and phrases that name it. A phrase must read well after "about" and after "the".
TOPICS = {
    "pets": ["pets", "dogs", "cats", "pet policy", "pet fee", "pet deposit", "pet rent"],
    "parking": ["parking", "parking spaces", "parking space", "garage", "guest parking"],
    "laundry": ["laundry", "laundry room", "washer and dryer"],
    "deposit": ["deposit", "security deposit"],
    "lease": ["lease", "lease terms", "short leases"],
    "application": ["application", "application fee"],
    "pool": ["pool", "swimming pool"],
    "gym": ["gym", "fitness room"],
    "utilities": ["utilities"],
    "rent payment": ["rent payment", "late fee"],
    "quiet hours": ["quiet hours", "noise policy"],
    "guests": ["guests", "visitors", "guest policy"],
    "package": ["package", "packages", "mail"],
    "trash": ["trash", "recycling", "trash pickup"],
    "smoking": ["smoking", "smoking policy"],
    "storage": ["storage"],
    "insurance": ["insurance", "renters insurance"],
    "specials": ["specials", "discounts"],
}

# Topics that nobody prepared for: copied into the slot as they were said.
ODD_TOPICS = [
    "bicycles", "the playground", "a balcony", "an elevator", "a dishwasher", "air conditioning", "a fireplace", "the school bus",
    "schools", "shopping", "restaurants", "cable television", "furniture", "roommates", "children", "painting", "a grill", "a garden",
    "security cameras", "spare keys", "a key card", "the mailbox", "the move in fee", "a background check", "a credit check",
    "references", "the website", "gift cards", "a warranty", "a refund", "an invoice", "a receipt", "delivery", "wheelchair access",
    "electric cars", "holidays", "a sauna", "a tennis court", "the carpet", "the bus stop", "the train station", "the attic",
    "the water bill", "a sublet", "the windows", "curtains", "a ceiling fan", "a window box", "solar panels", "the roof",
    "the newsletter", "an exchange", "a membership", "tickets", "a catering menu", "wine", "breakfast", "a shuttle",
]

BUSINESSES = [
    "Lakeside Apartments", "Oak Street Dental", "Bright Smile Dental", "Main Street Salon", "Quick Fix Plumbing", "Green Lawn Service",
    "Park View Apartments", "Hill Auto Repair", "River Heating and Air", "Happy Paws Grooming", "Lake Property Management",
    "Cedar Medical Clinic", "Clean House Cleaners", "Sunrise Pest Control", "Harbor Realty", "Valley Electric",
]
