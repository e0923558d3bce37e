# ruff: noqa: RUF001, RUF002  words in many scripts
"""Telling thirty languages apart without data files: by script, then by small words.

A text is read as the language whose script most of its letters have. Where several languages share
a script (Latin, Cyrillic, Arabic, Devanagari), the one whose function words make up the largest
share decides. That needs a handful of real words, so gibberish and symbols are no language at all;
the lists are common function words, which every text of a few sentences holds. Deterministic.

Not told apart: close relatives that are not on the list (Norwegian, Dutch, Czech, Macedonian, ...)
give "no language" or, in short texts, a listed neighbour.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import islice

from corgi_gym.rewards.dictionary import FUNCTION_WORDS

NAMES = {
    "en": "English", "es": "Spanish", "pt": "Portuguese", "ar": "Arabic", "hi": "Hindi",
    "fr": "French", "ru": "Russian", "de": "German", "ja": "Japanese", "it": "Italian",
    "bn": "Bengali", "uk": "Ukrainian", "th": "Thai", "ur": "Urdu", "ta": "Tamil", "te": "Telugu",
    "bg": "Bulgarian", "ko": "Korean", "pl": "Polish", "he": "Hebrew", "fa": "Persian",
    "vi": "Vietnamese", "ne": "Nepali", "sw": "Swahili", "kn": "Kannada", "mr": "Marathi",
    "gu": "Gujarati", "pa": "Punjabi", "ml": "Malayalam", "fi": "Finnish",
}  # fmt: skip
# Fewer letters say little; more than the second number change no answer.
MIN_LETTERS, MAX_LETTERS = 12, 6_000
# Different letters below which a text in its own script is no text.
_MIN_VARIETY = 6
# Share of all letters that one script must have, and of the words that must be function words.
_SCRIPT_SHARE, _WORD_SHARE = 0.6, 0.1
# A piece is clearly of another language with so many different small words that the asked one does
# not have, and so many times as many as of the asked one alone: names and titles have fewer.
_CLEAR_WORDS, _CLEAR_TIMES = 3, 3

_OWN_SCRIPT = {
    "BENGALI": "bn", "THAI": "th", "TAMIL": "ta", "TELUGU": "te", "HANGUL": "ko", "HEBREW": "he",
    "KANNADA": "kn", "GUJARATI": "gu", "GURMUKHI": "pa", "MALAYALAM": "ml", "HIRAGANA": "ja",
    "KATAKANA": "ja",
}  # fmt: skip
_SHARED = {
    "LATIN": ("en", "es", "pt", "fr", "de", "it", "pl", "vi", "sw", "fi"),
    "CYRILLIC": ("ru", "bg", "uk"),
    "ARABIC": ("ar", "fa", "ur"),
    "DEVANAGARI": ("hi", "mr", "ne"),
}
LATIN = _SHARED["LATIN"]
SHARED_SCRIPTS = frozenset(_SHARED)
_SMALL_WORDS = {
    "es": "el la los las un una de del y en que es por para con no se su lo como más pero sus le "
    "ya este esta son al muy también está hay fue era ser todo todos cuando donde sin sobre entre "
    "nuestro nos tiene puede yo tú él ella mi mis tus nuestra nuestras nuestros ni les te me a o "
    "nosotros eso ese esa aquí allí desde hasta hacia cada siempre nunca después antes bajo tan "
    "estaba estaban eran tienen hace porque si",
    "pt": "o a os as um uma de do da dos das e em no na nos nas que é por para com não se seu sua "
    "mais mas como foi ao ele ela são está também muito já ser tem você eu isso este esta quando "
    "pelo pela até sem entre nós pode pelos pelas aos à às meu minha meus minhas teu tua nosso "
    "nossa lhe aqui ali lá cada sempre nunca depois antes sob estava eram têm há num numa neste "
    "nesta porque ou tão ainda onde",
    "fr": "le la les un une des de du et en que qui est pour dans par sur avec ne pas plus au aux "
    "ce cette il elle nous vous ils elles son sa ses leur être sont je tu on mais ou où comme "
    "tout très fait était peut aussi c'est d'un d'une l'on mon ma mes ton ta tes notre nos votre "
    "vos leurs cet ces y a ai avons avez ont suis sommes étaient avait j' l' d' c' n' s' m' t' "
    "qu' jusqu' lorsqu' puisqu' moi toi lui eux si quand chaque toujours jamais chez vers entre "
    "près sous encore déjà ici là bien toute tous toutes car donc sans après avant depuis puis peu",
    "de": "der die das den dem des ein eine einen einem einer und in zu mit von für auf ist im "
    "nicht sich es auch als an wie er sie wir ihr ich du sind war wird haben hat aber oder wenn "
    "dass bei aus nach um am noch nur so kann sehr mein dein euch uns vom zum zur ins hier dort "
    "da dieser diese dieses jeder jede jedes jeden mir mich dir dich ihn ihm ihnen seine seinen "
    "seiner meine meinen meiner deine unser unsere ihre ihren durch gegen ohne unter über vor "
    "zwischen hinter neben immer nie schon bis dann mehr wo wer kein keine keinen hatte waren "
    "wurde werden",
    "it": "il lo la i gli le un uno una di del della dei delle e in che è per con non si da al "
    "alla nel nella sono come più ma anche ha questo questa suo sua loro noi voi io tu lui lei "
    "essere molto quando dove tra fra ci se mi ti o su sul sulla sullo sui nello nei negli nelle "
    "dai dallo dalla dal degli allo agli alle ai ogni mia mio miei mie tuo tua suoi sue nostro "
    "nostra sta stanno hanno aveva erano già poi qui lì là sotto sopra dentro dopo prima ancora "
    "sempre mai tutto tutti tutta tutte quello quella quelli ed ad oppure perché mentre senza "
    "verso fino cui chi cosa però così solo l' d' un' dell' all' nell' dall' sull' c' quell' "
    "quest'",
    "pl": "i w na z do się nie jest to że o jak ale po co dla od za przez są był była było być "
    "tym tego ten ta te jego jej ich ja ty on ona my oraz lub czy już tylko może ma przy bardzo "
    "ze ku wszystkie każdy nad przed między mój moja moje mojego mojej twój nasz nasza nasze a "
    "też więc gdy kiedy gdzie tam tu teraz nigdy zawsze we mu mnie mi ci cię nas tej tych który "
    "która które którzy kto każdego każdą każdej byli były będzie mam mamy masz mają jeszcze bez "
    "wśród obok blisko koło wszystko wszystkich",
    "vi": "và của là có trong cho được với các một những không này đó khi đã người như ở từ tôi "
    "bạn chúng ta về cũng nhưng ra vào để đến hay hoặc mọi đều phải nhau thì sẽ rất nhiều",
    "sw": "na ya wa kwa ni katika la za cha vya kuwa hii hiyo huu huo yake wake wao sisi mimi wewe "
    "yeye kama lakini au pia sana si hakuna kila watu wote hawa hao ambao ambayo kutoka mpaka "
    "hadi bila zao lake yao pamoja",
    "fi": "ja on ei se että en hän ovat oli olla mutta myös tai kun niin kuin joka jotka tämä "
    "nämä minä sinä me te he ole sen hänen heidän mitä kanssa jos vain nyt sitä tässä kaikki "
    "heitä toisiaan hyvin voi niitä siitä sekä minun sinun meidän teidän tuo tuon tämän tätä "
    "siellä täällä tuolla siinä sieltä sinne tänne aina joku kuka mikä missä milloin kuinka miksi "
    "jo vielä ennen jälkeen alla päällä vieressä luona kautta läpi yli ilman vasten kohti olen "
    "olet olemme eivät emme olivat voimme koska sillä vaikka paljon vähän usein joskus mukaan "
    "joten sitten",
    "ru": "и а в не на что с я как он это но они мы вы она по из за так же от для к у о все его её "
    "был была было были быть или если когда то бы есть уже ты их до только очень может нет при "
    "друг который наш мой моя моё мои моего моей моих моём твой наша наше наши нашей нашего свой "
    "своя своё свои своей своего этот эта эти этого этой тот та те того той там тут здесь сейчас "
    "где куда над под перед между через без около возле после во со об каждый каждое каждая "
    "каждую весь вся всех всегда никогда тоже также ещё лишь ни нам вам им ему ей меня тебя нас "
    "вас них мне себя потом снова вот которая которое которые рядом много",
    "bg": "и на да се за от в е с че са не това по ще до като към или но аз ти той тя ние те един "
    "една как при съм си бъде има няма след още само който която които със във всички трябва "
    "помежду ми му го ги ме ѝ моят моята моето моите този тази тези там тук сега където над под "
    "пред между през без около близо преди всеки всяка всяко винаги никога вече много ни им нас "
    "вас него нея мен бях беше бяха ли защото когато така също",
    "uk": "і а та в у на що не з до за це як він вона вони ми ви я для від є але був була було "
    "були бути або якщо коли те вже ти їх його її їхній тільки дуже може немає при який яка які "
    "про всі одне один й мій моя моє мої мого моєї твій наш наша наше наші свій своя своє свої "
    "цей ця ці цього той там тут зараз де над під перед між через без біля після так ще завжди "
    "ніколи також кожен кожна кожне ні нам вам їм йому їй мене тебе нас вас них мені себе потім",
    "ar": "في من على إلى أن هذا هذه التي الذي ما لا عن مع هو هي كان كانت لم لن قد كل بعد قبل ثم أو "
    "و إن أنا نحن هم كما حتى بين عند ذلك تلك بعض غير جميع يولد وقد وعليهم أن",
    "fa": "و در به از که این را با است برای آن یک هم تا من ما شما او آنها بر هر نیز بود شد می ای "
    "اما یا اگر باید کرد همه نیست های خود دیگر چه هستند دارند شود کنند",
    "ur": "کے میں ہے اور کی سے کا کو پر نے یہ ہیں کہ اس وہ تھا تھی تھے ایک بھی نہیں ہو گیا کر لیے "
    "ہم آپ ان جو اپنے تو ہی تک ساتھ انسان ہوئے گا گے لئے میرے",
    "hi": "है और के में की को से का यह पर नहीं हैं ने था थी थे भी कि एक वह इस उस हम आप मैं तो ही "
    "जो हो कर लिए अपने साथ या तक सभी उन्हें होता गया रहे मेरे हमारे",
    "mr": "आहे आणि या हे ते तो ती मी आम्ही तुम्ही नाही आहेत होते होता होती एक पण की च्या साठी मध्ये "
    "व त्या सर्व त्यांना आपण आपल्या असे असते केले करून जे जो काय खूप तर माझ्या आहोत",
    "ne": "छ र को मा ले छन् हो यो त्यो पनि गर्न थियो लागि एक हामी तपाईं म उनी हुन् भने गरेको हुन्छ "
    "सबै तर वा भएको गर्ने आफ्नो के कि छैन सँग बाट लाई हुन्छन् मेरो हाम्रो धेरै",
}  # fmt: skip
# What stands before an apostrophe in French and Italian for a small word.
_ELISIONS = "l d j c n s m t qu jusqu lorsqu puisqu un dell all nell dall sull coll quell quest gl"
_ELIDED = frozenset(_ELISIONS.split())
_MARKS = (
    ".,!?;:()[]{}\"'*_#<>`-\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u2026\u00ab\u00bb\u00a1\u00bf"
    "\u0964\u060c\u061f\u06d4"
)


@lru_cache(maxsize=1)
def small_words() -> dict[str, frozenset[str]]:
    """The function words of each language that shares its script."""
    found = {code: frozenset(text.split()) for code, text in _SMALL_WORDS.items()}
    return {"en": FUNCTION_WORDS | {"i'm", "it's", "don't"}, **found}


@lru_cache(maxsize=len(_SHARED))
def _languages_of_word(script: str) -> dict[str, tuple[str, ...]]:
    """Which languages of a script have a small word."""
    found: dict[str, tuple[str, ...]] = {}
    for code in _SHARED[script]:
        for word in small_words()[code]:
            found[word] = (*found.get(word, ()), code)
    return found


@lru_cache(maxsize=4_096)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return "CJK" if name.startswith("CJK") else name.partition(" ")[0]


def identify(text: str) -> str | None:
    """The code of the language of ``text``, None if it is none of the thirty.

    Example:
        >>> identify("Der Hund ist nicht zu Hause und wir sind es auch nicht.")
        'de'
        >>> identify("{}"), identify("blorp zint fraggle dom tunk")
        (None, None)
    """
    sample = text[: 2 * MAX_LETTERS].lower()
    if sample.isascii():  # the usual case: all letters are Latin
        enough = islice(filter(str.isalpha, sample), MIN_LETTERS - 1, None)
        script = "LATIN" if any(enough) else None
    else:
        script = _script_of_most(sample)
    if script not in _SHARED:
        return script
    return _by_small_words(sample, script)


def other_language(text: str, language: str) -> str | None:
    """The language of ``text`` if it is clearly another one than ``language``.

    Example:
        >>> other_language("We do not speak it at all, and so we wrote this.", "de")
        'en'
        >>> other_language("Das Haus von Anna ist alt.", "de") is None
        True
        >>> other_language("The Lord of the Rings: The Two Towers", "de") is None
        True
    """
    found = identify(text)
    small = small_words()
    if found in (None, language) or found not in small:
        return found if found != language else None
    own = small.get(language, frozenset())
    cased = text.lower() if text.isupper() else text  # "The Two Towers" is a name
    other = len(_different(cased) & small[found] - own)
    asked = len(_different(text.lower()) & own - small[found])
    return found if other >= max(_CLEAR_WORDS, _CLEAR_TIMES * asked) else None


def _different(text: str) -> set[str]:
    """The different words of a text, without marks."""
    return set(word_pieces(text))


def script_of(language: str) -> str:
    """The script that a language is written in, in Unicode's words.

    Example:
        >>> script_of("fi"), script_of("ko")
        ('LATIN', 'HANGUL')
    """
    for script, codes in _SHARED.items():
        if language in codes:
            return script
    return next(script for script, code in _OWN_SCRIPT.items() if code == language)


def script_share(text: str, script: str) -> bool:
    """Whether enough of the letters of ``text`` are of ``script`` (one with several languages)."""
    scripts = _scripts(_letters(text[: 2 * MAX_LETTERS].lower()))
    return 0 < _SCRIPT_SHARE * scripts.total() <= scripts[script]


def in_other_script(text: str) -> bool:
    """Whether most letters of ``text`` are of one script in which no language is told apart here.

    Example:
        >>> in_other_script("Το σπίτι είναι παλιό."), in_other_script("Дом очень старый.")
        (True, False)
    """
    scripts = _scripts(_letters(text[: 2 * MAX_LETTERS]))
    if scripts.total() < MIN_LETTERS:
        return False
    script, count = scripts.most_common(1)[0]
    told = script in _OWN_SCRIPT or script in _SHARED
    return count >= _SCRIPT_SHARE * scripts.total() and not told


def _letters(sample: str) -> Counter[str]:
    """How often each letter is among the first ones of a text."""
    return Counter(islice(filter(str.isalpha, sample), MAX_LETTERS))


def _scripts(letters: Counter[str]) -> Counter[str]:
    """How many of the letters each script has."""
    scripts: Counter[str] = Counter()
    for letter, count in letters.items():
        scripts[_script(letter)] += count
    return scripts


def _script_of_most(sample: str) -> str | None:
    """The script that several languages share, or the code of the only language of a script."""
    letters = _letters(sample)
    total = letters.total()
    if total < MIN_LETTERS:
        return None
    scripts = _scripts(letters)
    kana = scripts["HIRAGANA"] + scripts["KATAKANA"]
    if kana and kana + scripts["CJK"] >= _SCRIPT_SHARE * total:
        return "ja" if 5 * kana >= total else None
    script, count = scripts.most_common(1)[0]
    if count < _SCRIPT_SHARE * total:
        return None
    if script in _OWN_SCRIPT:
        return _OWN_SCRIPT[script] if len(letters) >= _MIN_VARIETY else None
    return script if script in _SHARED else None


def _by_small_words(sample: str, script: str) -> str | None:
    """The one of the script's languages whose small words make up the largest share."""
    tokens = word_pieces(sample)
    found = dict.fromkeys(_SHARED[script], 0)
    languages = _languages_of_word(script)
    for token in filter(languages.__contains__, tokens):
        for code in languages[token]:
            found[code] += 1
    most = max(found.values())
    best = [code for code in found if found[code] == most]
    if len(best) > 1:
        return None
    if most / len(tokens) < _WORD_SHARE:  # not counting what has no letters, it may be enough
        tokens = [token for token in tokens if any(map(str.isalpha, token))]
    return best[0] if most / len(tokens) >= _WORD_SHARE else None


def word_pieces(text: str) -> list[str]:
    """The words of a text in lower case without marks, cut after an elision.

    Example:
        >>> word_pieces("j’ai l'horloge, don't")
        ["j'", 'ai', "l'", 'horloge', "don't"]
    """
    found = [raw.strip(_MARKS) for raw in text.replace("’", "'").split()]
    if "'" not in text and "’" not in text:
        return found
    return [piece for token in found for piece in cut_elision(token)]


def cut_elision(word: str) -> list[str]:
    """A word as its elided article or pronoun, and the rest.

    Example:
        >>> cut_elision("l'isola"), cut_elision("isola")
        (["l'", 'isola'], ['isola'])
    """
    before, mark, rest = word.partition("'")
    return [before + mark, rest] if rest and before in _ELIDED else [word]
