"""For each kind: its values, replies that follow it and replies that do not (strict mode)."""

_LESS, _LEAST = "less than", "at least"
_RIVER = "The river is wide and slow."
_DE = "Der Fluss ist breit und die Brücke ist alt."

# kind: (values, [follow], [do not])
PAIRS = {
    "keywords:existence": (
        {"keywords": ["cat", "river bank"]},
        ["The cat sat on the river bank.", "RIVER BANK! Cat?", "river\nbank, a cat's home"],
        [
            "The cat sat.",
            "Education on the river bank.",
            "The cats sat on the river banks.",
            "cat_river bank"[:8],
        ],
    ),
    "keywords:frequency": (
        {"keyword": "war", "frequency": 2, "relation": _LEAST},
        ["War and war.", "war-war", "The war? No war, no WAR."],
        ["War.", "Warm wars, warning.", "award award"],
    ),
    "keywords:forbidden_words": (
        {"forbidden_words": ["rock", "no"]},
        ["The rocket is nowhere.", "Knock, knots.", "Rocks and notes."],
        ["A rock.", "NO!", "rock_solid", "no-one"],
    ),
    "keywords:letter_frequency": (
        {"letter": "#", "let_frequency": 2, "let_relation": _LEAST},
        ["#a #b", "##", "one # two # three #"],
        ["#a", "none", "number signs"],
    ),
    "language:response_language": (
        {"language": "de"},
        [
            _DE,
            "Ich bin heute nicht zu Hause und das ist gut so.",
            "Wir haben es nicht gewusst, aber wir sind froh.",
        ],
        ["{}", _RIVER, "123 456", "El perro está en la casa y no es mío.", "blorp zint fraggle"],
    ),
    "length_constraints:number_words": (
        {"num_words": 4, "relation": _LESS},
        ["One two three.", "Don't stop now", "well-known old river"],
        ["one two three four", "a b c d", "One, two, three, four!"],
    ),
    "length_constraints:number_sentences": (
        {"num_sentences": 2, "relation": _LEAST},
        ["It rains. We stay.", "Why? Because!", "- one thing\n- another thing"],
        ["It rains.", "1. 2. 3.", "Dr. Lee met Mr. Fox at 5 p.m. today.", "..."],
    ),
    "length_constraints:number_paragraphs": (
        {"num_paragraphs": 2},
        ["one here\n***\ntwo here", "***\none\n***\ntwo", "a b\n\n ***\n\nc d"],
        ["one", "one *** two", "one\n***\none", "one\n***\n***\ntwo", "a\n****\nb"],
    ),
    "length_constraints:nth_paragraph_first_word": (
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Rain"},
        ["Sun.\n\nRain falls.", "Sun.\n\n\n\n**Rain** falls.", "Sun\n\nrain, rain"],
        ["Rain.\n\nSun.", "Rain", "a\n\nb\n\nrain", "a\n\nRainy days"],
    ),
    "detectable_content:number_placeholders": (
        {"num_placeholders": 2},
        ["[name] and [address]", "Dear [your name],\n[date of birth]", "[aa][bb][cc]"],
        ["[] []", "[1] [2]", "[name]", "[a link](http://x.y) [name]", "[[[["],
    ),
    "detectable_content:postscript": (
        {"postscript_marker": "P.S."},
        ["Hello.\nP.S. More.", "Hi\n\np.s. bye now", "Hi\n**P.S.** see you"],
        ["Hello. P.S. more", "stop.s. here", "Hi\nP.S.", "P.S. only this"],
    ),
    "detectable_format:number_bullet_lists": (
        {"num_bullets": 2},
        ["* one\n* two", "- one\n- two\n---", "intro\n  * one\n  • two"],
        ["* one", "* one\n* two\n* three", "*one\n*two", "---\n---", "* one\n* *"],
    ),
    "detectable_format:constrained_response": (
        {},
        ["My answer is yes.", "After some thought. My answer is no.", " My answer is\nmaybe. "],
        [
            "yes",
            "My answer is yes. My answer is no.",
            "My answer is perhaps.",
            "My answer is yes. My answer is yes.",
        ],
    ),
    "detectable_format:number_highlighted_sections": (
        {"num_highlights": 2},
        ["*one* and *two*", "**one** *two*", "a *first part* b ***second part***"],
        ["*one*", "*one* *one*", "2*3*4 5*6*7", "* one\n* two", "** ** * *"],
    ),
    "detectable_format:multiple_sections": (
        {"section_spliter": "Section", "num_sections": 2},
        [
            "Section 1\nhere\nSection 2\nthere",
            "# Section 1\na\n# Section 2: b",
            "SECTION 1 a\nSection 2 b",
        ],
        [
            "Section 1\na",
            "Section 1 Section 2",
            "Section 2\na\nSection 1\nb",
            "Section 1\na\nSection 2\nb\nSection 3\nc",
            "Section 1\nSection 2\n",
        ],
    ),
    "detectable_format:json_format": (
        {},
        ['{"a": "words here"}', '```json\n["one", "two"]\n```', '```\n{"key": 1}\n```'],
        ["3", '"text"', "{}", "[NaN]", '{"a": 1, "a": 2}', '{"a": "b"} and more', "[" * 5000],
    ),
    "detectable_format:title": (
        {},
        ["<<a calm day>>", "Hello\n<<Title>> there", "<<One>> <<Two>>"],
        ["<<>>", "<< >>", "<<***>>", "<title>", "<<a\nb>>"],
    ),
    "combination:two_responses": (
        {},
        [
            "It is a red house.\n******\nNobody lives there now.",
            "one two three\n ****** \nfour five six",
            "a b c d\n******\nw x y z",
        ],
        [
            "one",
            "It is a house.\n******\nit is a House!",
            "a******b",
            "a b c\n******\nd e f\n******\ng h i",
        ],
    ),
    "combination:repeat_prompt": (
        {"prompt_to_repeat": "Who wrote it?"},
        [
            "Who wrote it? A young poet did.",
            "Who  wrote it?\n\nNobody knows that yet.",
            "who wrote it? an old poet did.",
        ],
        [
            "Who wrote it?",
            "A young poet wrote it.",
            "Sure. Who wrote it? A poet did.",
            "Who wrote it? Yes.",
        ],
    ),
    "startend:end_checker": (
        {"end_phrase": "in India."},
        ["They live in India.", "We met IN INDIA.", '"It was in\nIndia."', "It was **in India.**"],
        ["in India", "In India. Really.", "They live within India.", "He came from India."],
    ),
    "startend:quotation": (
        {},
        ['"All of it."', "\u201cAll of it.\u201d", ' "He said "yes" today." '],
        ['""', ' "One" and "two" ', '"', 'He said "yes" today', "'single'", '"open'],
    ),
    "change_case:capital_word_frequency": (
        {"capital_frequency": 2, "capital_relation": _LEAST},
        ["GO NOW", "The NASA and ESA teams", "STOP! It is HOT."],
        ["I A I A", "GO", "DON't GO", "no"],
    ),
    "change_case:english_capital": (
        {},
        [
            "ALL IS WELL WITH THE RIVER AND THE TOWN TODAY.",
            "GO ON 5 TIMES!",
            "NOBODY IS HERE, AND THAT IS WHY WE ARE GLAD.",
        ],
        ["ALL IS Well.", "123", "EL PERRO ESTÁ EN LA CASA Y NO ES MÍO NI DE LOS NIÑOS."],
    ),
    "change_case:english_lowercase": (
        {},
        [
            "all is well with the river and the town today.",
            "go on 5 times!",
            "nobody is here, and that is why we are glad.",
        ],
        ["All is well.", "123", "der fluss ist breit und die alte brücke ist sehr schmal."],
    ),
    "punctuation:no_comma": (
        {},
        ["One and two", "1.000", "a; b: c"],
        ["One, two", "1,000", "你好，世界", "a\u060c b"],
    ),
    "count:word_range": (
        {"low": 3, "high": 4},
        ["one two three", "one two three four", "well-known don't stop"],
        ["one two", "one two three four five", "..."],
    ),
    "count:unique_words": (
        {"number": 3},
        ["one two three", "The the dog cat", "a b c a b c"],
        ["one two", "one one one", "Two two TWO tWo"],
    ),
    "count:numbers": (
        {"number": 2},
        ["3 and 4", "1,000.50 or -7", "In 1999 we had 12 dogs."],
        ["3", "three four", "1 2 3"],
    ),
    "count:questions": (
        {"number": 1},
        ["Why?", "It rains. Does it stop? No.", 'She asked "why?"'],
        ["It rains.", "Why? How?", "? no"],
    ),
    "count:keyword_exact": (
        {"keyword": "gold", "times": 2},
        ["Gold and gold.", "gold-gold", "No GOLD, no gold!"],
        ["gold", "golden golds", "gold gold gold"],
    ),
    "count:lines": (
        {"number": 2},
        ["a\nb", "a\n\n\nb\n", "  a\n  b"],
        ["a", "a\nb\nc", "a b"],
    ),
    "count:conjunctions": (
        {"number": 3},
        [
            "and but or",
            "It is small, yet old, so we go and stay.",
            "For us or for you, but not now.",
        ],
        ["and and and", "and but", "android button order"],
    ),
    "count:marks": (
        {"marks": ["?", ";"]},
        ["Why; what?", "?;", "One; two. Three?"],
        ["Why?", "One; two", "none"],
    ),
    "ratio:stop_words": (
        {"percent": 25},
        ["Old rivers flow slowly", "The river flows slowly", "Dogs bark loudly, cats sleep"],
        ["It is what it is.", "The river is wide.", "of the and"],
    ),
    "ratio:long_words": (
        {"percent": 50, "letters": 7},
        ["Remarkable rivers", "Wonderful stories matter greatly", "extraordinary"],
        ["It is so.", "The remarkable old river", "..."],
    ),
    "ratio:questions": (
        {"statements": 2, "questions": 1},
        ["It rains. We stay. Why?", "Why? How? A b. C d. E f. G h.", "Who? It is so. Yes it is."],
        ["It rains. We stay.", "Why?", "It rains. Why?", "A b. C d. E f. Why?"],
    ),
    "position:nth_word": (
        {"n": 2, "word": "river"},
        ["The river flows.", "A River, a bridge", "(Old) river!"],
        ["River the", "The old river", "One", "The rivers flow"],
    ),
    "position:last_word": (
        {"word": "home"},
        ["We go home.", "HOME", 'He said: "home!"'],
        ["Home is far.", "homes", "We go home now."],
    ),
    "position:keyword_in_sentence": (
        {"n": 2, "word": "river"},
        ["It rains. The river rises.", "Why? River! No.", "- one thing\n- a river"],
        ["The river rises. It rains.", "river", "It rains. Rivers rise."],
    ),
    "position:acrostic": (
        {"letters": "sun"},
        ["Snow falls. Under it we sleep. Nobody wakes.", "So? Us! No.", "- see\n- use\n- nap"],
        ["Snow falls. Nobody wakes.", "sun", "Snow. Under. Night. Dawn."],
    ),
    "position:paragraph_ring": (
        {"number": 1},
        ["Rivers run to other rivers.", "Home is where you feel at home", "Now, or never? Now!"],
        ["Rivers run.", "now now", "Home is home\n\nRain is rain"],
    ),
    "words:max_letters": (
        {"letters": 5},
        ["We see a river.", "don't stop", "1 2 3 plain words"],
        ["We see rivers.", "wonderful", "a bridges b"],
    ),
    "words:chain": (
        {"sentences": 2},
        [
            "We love rain. Rain is wet.",
            "I see dogs. Dogs see cats! Cats sleep.",
            "It is so. So it is.",
        ],
        ["We love rain.", "We love rain. Snow is cold.", "Rain. Rain. Snow."],
    ),
    "sentence:increment": (
        {"sentences": 2, "step": 2},
        ["Go on. We go on now.", "Rain. It rains today. We all stay at home.", "No! Why is that?"],
        ["Go on.", "Go on. We go.", "One two three. One."],
    ),
    "copy:span": (
        {"source": "one two three four five", "start": 2, "end": 4},
        ["two three four", "two  three four\nand more", "  two three four\n\nx"],
        ["one two three four", "Two three four", "two three", "and more\ntwo three four"],
    ),
    "copy:sentence_times": (
        {"sentence": "The door is open.", "times": 2},
        [
            "The door is open. We wait. The door is open.",
            "The door is open!\nThe door is open.",
            "the door is open. THE DOOR IS OPEN. yes.",
        ],
        ["The door is open.", "The door is open. " * 3, "The door was open. The door is open."],
    ),
    "format:numbered_list": (
        {"number": 2},
        ["1. one\n2. two", "Intro:\n1) one\n2) two\nend", "  1. a b\n\n  2. c d"],
        ["1. one", "2. two\n1. one", "1. one\n2. two\n3. three", "1.\n2.", "one\ntwo"],
    ),
    "format:sub_bullets": (
        {"number": 1},
        ["* one\n  - two", "* one\n- two\n- three", "text\n* one\n    - two"],
        ["* one", "- one\n- two", "* one\n* two\n  - three", "* one\n  -"],
    ),
    "format:table": (
        {"rows": 1, "columns": 2},
        [
            "| a | b |\n|---|---|\n| c | d |",
            "a|b\n-|-\nc|d",
            "See:\n| a | b |\n| :-- | --: |\n| c | d |\nend",
        ],
        [
            "| a | b |\n| c | d |",
            "| a | b |\n|---|---|",
            "| a | b |\n|---|---|\n| c | |",
            "no table",
        ],
    ),
    "format:separator": (
        {"mark": "+++", "parts": 2},
        ["a b\n+++\nc d", "a\n\n+++\n\nb", "a\n +++ \nb"],
        ["a b", "a\n+++\na", "a +++ b", "a\n+++\nb\n+++\nc", "+++\nb"],
    ),
}
