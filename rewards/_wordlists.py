"""Closed word classes and short lists of everyday words, for `corgi_gym.rewards.lexicon`.

A part-of-speech lexicon says what a word can be; it does not say that "music" needs no article,
that "put" needs an object, or that "basket" is hardly ever a verb. These lists do, for the words of
everyday scenes. They are judgements, tuned on the sentences in `tests/rewards/`.
"""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Determiners by what they go with: one thing, several things, either.
DET_ONE = _set("a an each every another this that one either neither")
DET_MANY = _set(
    "these those many several few both all most two three four five six seven eight nine ten "
    "eleven twelve twenty thirty forty fifty hundred dozen countless various numerous couple"
)
DET_ANY = _set(
    "the my your his her its our their some any no enough more less much plenty whose which what "
    "all most other such"
)
POSSESSIVE = _set("my your his her its our their")
NUMBERS = _set("one two three four five six seven eight nine ten eleven twelve twenty")

SUBJECT_ONE = _set(
    "he she it this that everyone everybody someone somebody anyone anybody nobody everything "
    "something anything nothing one"
)
SUBJECT_MANY = _set("we they you these those some many most several both others all few")
OBJECT = _set(
    "me him her us them you it this that these those himself herself itself themselves myself "
    "yourself ourselves everyone everybody someone somebody anyone anybody nobody everything "
    "something anything nothing one ones others all some more most many both hers his mine yours "
    "ours theirs two three four five six seven eight nine ten twelve another"
)

PREPOSITIONS = _set(
    "in on at by for with from to of into onto over under above below beneath beside besides "
    "between behind near across along around through throughout during before after until till "
    "since about against among amid toward towards inside outside within without upon off past "
    "down up like as than despite except opposite underneath beyond via atop alongside amidst "
    "aboard out next because instead ahead away due according minus plus"
)
# Of these, the ones that need a second preposition ("next to", "because of").
COMPOUND_PREPOSITIONS = {
    "next": _set("to"), "because": _set("of"), "instead": _set("of"), "ahead": _set("of"),
    "away": _set("from"), "due": _set("to"), "according": _set("to"), "out": _set("of from in on"),
    "such": _set("as"), "close": _set("to"), "together": _set("with"), "along": _set("with"),
    "up": _set("to from in on"), "down": _set("to from in on"), "from": _set(
        "under behind inside above beneath across outside around between beyond over"),
    "off": _set("of to in"), "inside": _set("of"), "outside": _set("of"), "over": _set("to at in"),
    "back": _set("to from in on into"), "as": _set("of"), "except": _set("for"),
}  # fmt: skip
CONJUNCTIONS = _set("and or but nor yet so")
SUBORDINATORS = _set(
    "when while as because after before since until till if although though once where whenever "
    "unless whereas so wherever"
)
RELATIVES = _set("who that which whom whose where when")
QUESTION_WORDS = _set("what how where why who when which if whether whatever that")

MODALS = _set("can could will would shall should may might must cannot ca wo 'll 'd")
BE = {"am": "i", "'m": "i", "is": "s", "was": "is", "are": "p", "'re": "p", "were": "p", "'s": "s"}
HAVE = {"has": "s", "have": "pi", "had": "spi", "'ve": "pi", "'d": "spi", "'s": "s"}
DO = {"does": "s", "do": "pi", "did": "spi"}
NEGATION = _set("not n't never")

ADVERBS = _set(
    "not never n't very too so also just only even still then there here now again soon always "
    "often usually sometimes rarely already almost nearly quite really rather together apart away "
    "back up down out off in on over around along by through past across outside inside upstairs "
    "downstairs indoors outdoors nearby home forward backward forth aside ahead everywhere "
    "somewhere anywhere nowhere today yesterday tomorrow tonight later early late fast hard high "
    "low well far long straight right once twice yet instead maybe perhaps all both each most "
    "more much alone aloud afterwards afterward overhead upside below above behind before better "
    "best however underneath underwater overnight meanwhile finally suddenly first last next ago "
    "else anyway overseas abroad onward onwards upward upwards downward downwards side-by-side "
    "deep close tight"
)
# Adverbs that may stand before an adjective, an adverb or a preposition.
INTENSIFIERS = _set(
    "very too so quite really rather almost nearly just right still all more most less even only "
    "extremely incredibly particularly surprisingly pretty fully freshly brightly newly slightly "
    "perfectly beautifully completely far deep high straight halfway back up down out over "
    "together"
)
TIME_NOUNS = _set(
    "day night morning afternoon evening week weekend month year hour minute time moment summer "
    "winter spring autumn fall season monday tuesday wednesday thursday friday saturday sunday "
    "christmas holiday second mile way "
)

# Verbs that stand between a subject and an adjective ("looks happy").
COPULAR = _set(
    "be feel look seem become get turn stay keep make find sound taste smell grow leave paint go "
    "remain appear hold come stand lie sit fall run dye cut push set consider call like prefer "
    "serve drink arrive return eat want wear lay shine burn hang break open close swing blow glow"
)
# Verbs that take two objects, or an object and a noun ("gave the dog a bone").
DITRANSITIVE = _set(
    "give show tell teach send bring buy read hand offer make cook pass throw ask cost lend pay "
    "call name feed sell write get find save bake pour toss serve sing promise wish order fix "
    "leave build knit draw play win grant owe earn deal fetch elect crown"
)
# Verbs before an object and a bare infinitive ("watched the dog run").
PERCEPTION = _set("see watch hear let make help feel notice observe have")
# Verbs before a clause without "that" ("she says the soup is hot").
CLAUSE_VERBS = _set(
    "say think know hope believe see feel tell wish find hear realize notice remember show guess "
    "understand decide learn imagine make ensure explain mean forget discover pretend suppose"
)
# Verbs that, like "be", say that one thing is another.
EQUATING = _set("become remain seem appear represent symbolize mean equal resemble constitute")
# Verbs that only say that something is an event.
HAPPENING = _set("happen occur")
# Verbs that never take a thing as object.
INTRANSITIVE = _set(
    "sleep arrive laugh smile go come fall lie cry wait listen look bark happen exist appear "
    "disappear graze sparkle shine glow rise sneeze giggle chat snore chirp crow sit live depart "
    "belong consist occur vanish meow shiver yawn twinkle blossom wander stroll chatter kneel nap "
    "rest bloom drizzle gallop hesitate stare gaze glance"
)
# Verbs that want an object unless passive, relative or infinitive.
TRANSITIVE = _set(
    "put bring take hold carry throw catch make give buy use chase wear hit get have fetch place "
    "want need like love lift raise lay build cut peel slice chop fix repair wrap fill pour kick "
    "find keep set see hang collect gather pick grab tie spread enjoy feed share follow toss pack "
    "hand drop fold choose own bake deliver pull offer visit push sell"
)
# Verbs that may end without their object after all ("the rope pulled", "the glass dropped").
TRANSITIVE_NOT_STRICT = _set(
    "pull push drop bake visit share fold set gather collect spread hit lift open close tie grab "
    "get follow build feed hang sell"
)

# Singular nouns that stand without an article.
MASS = _set(
    "service danger trouble support damage harm quality value care attention effort use storage "
    "delivery packaging assembly performance protection permission comfort control interest "
    "difficulty pleasure surprise order touch "
    "water snow ice rain sand mud dirt dust smoke fire air sunlight sunshine light darkness wind "
    "fog mist frost hail heat weather thunder lightning steam moonlight shade grass wood hay "
    "straw soil clay metal gold silver iron steel glass plastic paper cardboard cloth leather "
    "cotton wool silk string rope tape glue paint ink chalk wax soap shampoo toothpaste laundry "
    "garbage trash rubbish litter furniture equipment luggage baggage gear clothing jewelry "
    "makeup hair fur skin food bread butter cheese milk cream yogurt juice tea coffee cocoa "
    "lemonade soda beer wine alcohol sugar salt pepper flour rice pasta spaghetti pizza soup stew "
    "salad sauce ketchup mustard mayonnaise oil vinegar honey jam jelly chocolate candy cake pie "
    "ice-cream cereal oatmeal toast bacon ham beef pork chicken fish meat turkey steak fruit corn "
    "lettuce cabbage gum charcoal rock recess spinach broccoli garlic ginger cinnamon basil mint "
    "seasoning dough batter breakfast lunch dinner supper brunch dessert popcorn bait seaweed "
    "foam seafood salmon tuna shrimp feed fodder music jazz rap art dance ballet theater poetry "
    "literature drama homework schoolwork housework yardwork research math mathematics science "
    "history geography english spanish french biology chemistry physics reading writing spelling "
    "help advice news information knowledge evidence work business traffic transportation money "
    "cash change time fun joy happiness love laughter peace quiet silence comfort excitement "
    "pride anger fear courage patience care kindness friendship energy strength health sleep "
    "exercise practice training play soccer football basketball baseball tennis hockey volleyball "
    "golf rugby cricket chess yoga karate badminton softball lacrosse gymnastics track "
    "hide-and-seek tag school home church college university kindergarten town bed class spring "
    "summer autumn winter fall night day noon midnight dawn dusk sunrise sunset daylight morning "
    "evening afternoon bedtime lunchtime dinnertime nighttime breakfast-time mom mum dad grandma "
    "grandpa mommy daddy santa nature space earth heaven electricity power gas fuel gasoline coal "
    "firewood lumber timber concrete cement brick stone marble sawdust compost manure fertilizer "
    "wildlife livestock poultry vegetation greenery foliage moss ivy lavender wheat barley "
    "pollen nectar bark blood sweat medicine deodorant sunscreen lotion perfume internet tv "
    "television radio social media software data video audio mail christmas easter halloween "
    "thanksgiving hanukkah january february march april may june july august september october "
    "november december monday tuesday wednesday thursday friday saturday sunday spring-cleaning "
    "applause praise progress success victory safety shelter gravel rubble asphalt grain seed "
    "fresh-air denim fabric lace yarn thread velvet garland tinsel everything confidence skill "
    "grace balance speed rhythm harmony fashion style shape incense syrup fishing camping hiking beauty hope "
    "freedom technology possibility hesitation pursuit dedication life death society culture "
    "chaos gratitude wonder mystery magic nostalgia elegance innocence curiosity imagination "
    "creativity inspiration opportunity adventure luxury warmth hunger pain relief shame guilt "
    "grief sorrow delight pleasure satisfaction trust respect honor duty justice crime war "
    "religion education language conversation communication hatred anticipation serenity "
    "tranquility solitude intensity color detail scenery humor luck faith effort concentration "
    "attention growth movement motion thought memory experience action nothingness crimson "
    "turquoise red blue green yellow white black pink orange purple brown gray grey"
)
# Of these, the ones that never have "a".
NEVER_A = _set(
    "music rice furniture homework housework luggage baggage equipment money traffic information "
    "advice news weather mud sand dirt butter flour hay straw garbage trash laundry jewelry "
    "clothing wildlife livestock thunder lightning sunshine sunlight electricity knowledge "
    "progress luck bread"
)
# Singular nouns without an article only after these prepositions ("by bus", "on foot").
BARE_AFTER_PREPOSITION = _set(
    "bus train car bike bicycle boat plane foot hand night side top front place line order case "
    "stage court board shore land sea sight turn tow mind time fire vacation holiday duty sale "
    "display schedule hospital camp prison jail street campus deck table heart accident mistake "
    "surprise ease delight candlelight moonlight lamplight starlight dark horseback tiptoe tune "
    "bloom shape season progress motion circle pairs row rows ship truck ferry subway taxi van "
    "mail phone end college market memory chance luck return exchange addition free short general "
    "particular fact example life death nightfall middle control care charge search step point "
    "preparation"
)

# Everyday verbs whose form is also a noun: their verb reading is always considered.
EVERYDAY_VERBS = _set(
    "walk run play jump cook stir bake chop slice peel cut wash dry clean sweep mop dust iron "
    "fold hang paint draw color sketch write read study learn teach talk chat whisper shout cry "
    "laugh smile wave hug kiss hold carry lift push pull drag roll throw toss catch kick hit "
    "bounce pass score race sprint jog hike climb swim dive surf sail row float fish camp ski "
    "skate sled slide swing ride drive park stop start wait rest sleep nap dream wake dress wear "
    "pack travel visit tour fly land ship load unload move deliver post mail stamp sort stack "
    "shelve pile fill empty pour drink sip taste bite chew lick swallow snack feed milk herd "
    "graze plow plant water weed rake dig harvest pick gather collect hunt chase follow track "
    "watch look gaze stare glance listen hear sing hum whistle dance spin twirl clap cheer march "
    "parade perform practice rehearse film record shoot frame act help serve order pay shop trade "
    "sell buy spend save open close lock knock ring answer call phone text type print copy scan "
    "fix repair build hammer nail drill saw measure sand glue tape tie knot wrap cover decorate "
    "light burn glow shine sparkle smoke flash blow blast drift fall drop rain snow hail melt "
    "freeze crack break crash splash soak drip flow stream flood leak spray hose rinse scrub "
    "brush comb shave trim braid style groom pet stroke pat scratch bark growl chirp buzz hiss "
    "crow roar howl purr meow nest perch peck flap swoop circle hop crawl creep sneak hide seek "
    "search find show point signal direct guide lead train coach treat nurse check test exam "
    "weigh examine bandage heal rescue guard protect patrol greet host celebrate toast share lend "
    "borrow return exchange stretch bend lean balance tumble flip juggle twist turn step stomp "
    "tap work plan pitch bat strike dribble dunk block tackle punch battle wrestle box compete "
    "win lose cross board arrive leave depart stroll wander roam rush hurry dash gallop trot knit "
    "sew stitch weave mend mold shape carve whittle polish wipe stain mix whisk blend beat knead "
    "spread butter grill fry roast boil steam simmer grate mash season sprinkle scoop stuff top "
    "drain heat warm cool chill store grind brew squeeze shake frost ice rise set sink shelter "
    "bloom grow sprout ripen blossom bud picnic lounge relax sunbathe tan shuffle deal bet bid "
    "tick tock sound echo blare honk beep idle steer brake skip leap vault hurdle cast reel hook "
    "net bait trap paddle anchor dock moor cruise haul hoist heave shovel scatter sow mow edge "
    "prune flutter twinkle flicker crackle glide soar hover dart whirl wobble chatter giggle grin "
    "frown nod wink sneeze cough snore yawn shiver sweat pant bag label price change aim finish "
    "end like love need want hope use name view review report interview sample star-gaze gossip "
    "discuss debate argue vote email upload download photograph wail hoot croak rumble tune "
    "charcoal swirl settle gleam broadcast strum pluck drum bow strap buckle zip button lace trip "
    "stumble slip skid dodge steal bunt putt tee spike volley smash coast pedal lap snap rip pop "
    "burst puff hatch dip coat glaze garnish pair match mark grade guess curl vacuum surround "
    "face border line loom rock cuddle tuck dry-clean attend"
)
# Of these, the ones whose noun is rare or technical: "a chop", "the stir", "a bake".
VERB_FIRST = _set(
    "stir bake chop slice peel fold hang carry lift toss hear sing chase follow fetch gather "
    "collect knead whisk mash simmer fry boil grate sprinkle squeeze melt soak rinse scrub rake "
    "dig pick feed plow herd graze build wear eat go come make give take get put see find sell "
    "buy bring throw catch sit stand wait listen sleep learn teach write read drive deliver mow "
    "prune sew knit weave mend wipe climb dive swim skate ski surf wrap tie pour spread chew "
    "swallow lick hop crawl creep sneak hide seek meow bark purr beep blow buzz chat clap croak "
    "drag draw drip fill flicker flip grab hail hit hold honk hoot mix pop print pull push raise "
    "rush save scan serve shake share shave shine shiver skip spin spray stretch tick trim try "
    "wail yell chirp growl hover soar stroll wander pack hurry run steer decorate celebrate "
    "repair fix load unload stack shelve sort"
)
# Verbs that are good nouns as well ("a walk", "a nap"), whatever the training text says.
NOUN_TOO = _set(
    "run walk ride nap hug kiss drink rest break look smile wave dance play swim drive hike show "
    "race score catch seat picnic tour trip visit wash view talk laugh sleep work game park water "
    "light stand fish bus store plant stop slide swing ski skate kick call cry tie sled sail saw "
    "iron nail hammer drill hose rake shovel box pet guide coach model hook net trap bat drum "
    "routine current present novel scout chief liquid crow photograph record slice climb fold "
    "spread plain dive back adult native secret square round sweet human animal official "
    "right left whistle ring toast roast grill steam snow rain camp row train bow"
)
ZERO_PLURAL = _set("fish sheep deer people police cattle folk crew team aircraft salmon tuna")
ONLY_PLURAL = _set(
    "overalls binoculars goggles groceries people police cattle scissors clothes pants jeans trousers "
    "shorts stairs folk"
)
# Everyday nouns that the lexicon lacks.
EXTRA_NOUNS = _set(
    "solo overalls top log pan bar lab tab dam vet cop lounge tin trunk tattoo gallery pub fridge trunk rep tan "
    "frisbee tv selfie smartphone laptop website online emoji smoothie latte barista snowboard "
    "snowboarder skatepark playdate sippy popsicle jeep lego barbecue bbq wifi app apps dvd cd "
    "warmup goalpost sandbox waitstaff treehouse binoculars goggles sudoku sushi taco burrito "
    "tofu hummus granola pita salsa cafe ukulele kayak trampoline"
)
# First names that are also words, or common enough that a capital first word should not be a riddle.
NAMES = _set(
    "jack mark rose lily will grace bill bob tom tim sam max may june amy anna emma john james "
    "mary sarah ben dan david daniel peter paul mike michael kate lisa lucy mia leo noah liam "
    "olivia ava sophia ella zoe chloe hannah jane jim joe josh luke adam alex eric kevin brian "
    "linda susan nancy maria carlos juan jenny julia laura rachel emily molly ruby daisy violet "
    "hazel ivy iris faith hope joy dawn april frank grant dean drew chase rob ray rex buddy bella "
    "charlie oliver henry george harry william robert thomas alice clara nora nina tina tony ted "
    "ned fred mr mrs ms dr ken lee maya leah ryan matt nick rick steve scott jason jessica ashley "
    "megan lauren"
)
# Before a name, and words that are often written with a capital although they are no names.
TITLES = frozenset(("Mr", "Mrs", "Ms", "Dr"))
CAPITALS = _set(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may "
    "june july august september october november december spring summer autumn winter mom mum dad mommy "
    "daddy grandma grandpa aunt uncle mother father doctor professor captain king queen prince "
    "princess president coach santa god earth moon sun internet english christmas easter halloween "
    "north south east west turkey china tv ok"
)

# Words of the grammar's idioms and adverbials.
SIMPLE_TOO = _set("out up down off inside outside over along from as except")
BEFORE_A = _set("such what quite half rather just only almost about not")
PLACE_ADVERBS = _set(
    "here there home inside outside upstairs downstairs afar above below behind now then today "
    "yesterday tomorrow tonight abroad school once everywhere nearby far indoors outdoors least "
    "first last long"
)
AFTER_NOUN = _set(
    "outside inside nearby upstairs there here alone together else both all himself herself "
    "themselves"
)
PLACE_VERBS = _set("stand sit lie be come hang live go lurk rest")
TIMES = TIME_NOUNS | {time + "s" for time in TIME_NOUNS}
TIME_DETERMINERS = DET_ONE | DET_MANY | {"next", "last", "all", "some", "most"}
AFTER_A = _set("few couple dozen hundred thousand million")
# After "be" and its complement only adverbials follow, as after this verb.
ONLY_ADVERBIALS = "exist"
# Closed-class words that are nouns, verbs or adjectives as well; as a noun "which" would make "dog
# which" a compound.
ALSO_OPEN = _set(
    "can will like past back down up home right close light well spring fall next last few second "
    "minute time early late fast hard high low long straight deep tight first best better may "
    "might must more plus opposite outside inside dozen hundred couple due ahead away "
    "have has had having do does did doing being side top still even other sink"
)
ALL_THINGS = _set("all everything something anything nothing")
# Adjectives that the lexicon knows as verbs or nouns only.
ADJECTIVES_TOO = _set(
    "complete responsible visible feasible compatible northern regrettable goofy challenging "
    "devastating frustrating annoying confusing terrifying relaxing comforting distracting "
    "insulting inspiring welcoming caring troubling alarming shocking astounding gone"
)
# Adjectives that the lexicon also knows as nouns ("the brave"), which no everyday sentence needs.
ADJECTIVE_FIRST = _set(
    "happy young old tall big small tired busy hungry brave quiet nice great proud nervous careful "
    "excited cheerful relaxed playful little strong clever curious fast famous talented "
    "lost polite skilled kind friendly honest cold late calm gentle elegant shy wet creative "
    "graceful fit serious sleepy lonely thirsty quick neat bored unlucky colorful clean dirty "
    "funny lucky new good bad long short hot warm cool dark bright soft hard high low rich poor "
    "sad angry beautiful pretty ugly heavy light empty full loud free safe sick weak wild deep"
)
PRONOUN_SUBJECTS = _set("i he she it we they you everyone everybody someone somebody nobody")
# Plural nouns that stand before another noun ("sports car").
PLURAL_MODIFIERS = _set("police sports clothes goods news arts savings glasses customs")
