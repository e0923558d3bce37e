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
_SMALL_WORDS = {
    "es": "el la los las un una de del y en que es por para con no se su lo como más pero sus le "
    "ya este esta son al muy también está hay fue era ser todo todos cuando donde sin sobre entre "
    "nuestro nos tiene puede yo tú él ella",
    "pt": "o a os as um uma de do da dos das e em no na nos nas que é por para com não se seu sua "
    "mais mas como foi ao ele ela são está também muito já ser tem você eu isso este esta quando "
    "pelo pela até sem entre nós pode",
    "fr": "le la les un une des de du et en que qui est pour dans par sur avec ne pas plus au aux "
    "ce cette il elle nous vous ils elles son sa ses leur être sont je tu on mais ou où comme tout "
    "très fait était peut aussi c'est d'un d'une l'on",
    "de": "der die das den dem des ein eine einen einem einer und in zu mit von für auf ist im "
    "nicht sich es auch als an wie er sie wir ihr ich du sind war wird haben hat aber oder wenn "
    "dass bei aus nach um am noch nur so kann sehr mein dein euch uns",
    "it": "il lo la i gli le un uno una di del della dei delle e in che è per con non si da al "
    "alla nel nella sono come più ma anche ha questo questa suo sua loro noi voi io tu lui lei "
    "essere molto quando dove tra fra ci se mi ti o",
    "pl": "i w na z do się nie jest to że o jak ale po co dla od za przez są był była było być "
    "tym tego ten ta te jego jej ich ja ty on ona my oraz lub czy już tylko może ma przy bardzo "
    "ze ku wszystkie każdy",
    "vi": "và của là có trong cho được với các một những không này đó khi đã người như ở từ tôi "
    "bạn chúng ta về cũng nhưng ra vào để đến hay hoặc mọi đều phải nhau thì sẽ rất nhiều",
    "sw": "na ya wa kwa ni katika la za cha vya kuwa hii hiyo huu huo yake wake wao sisi mimi wewe "
    "yeye kama lakini au pia sana si hakuna kila watu wote hawa hao ambao ambayo kutoka mpaka "
    "hadi bila zao lake yao pamoja",
    "fi": "ja on ei se että en hän ovat oli olla mutta myös tai kun niin kuin joka jotka tämä nämä "
    "minä sinä me te he ole sen hänen heidän mitä kanssa jos vain nyt sitä tässä kaikki heitä "
    "toisiaan hyvin ovat voi niitä siitä sekä",
    "ru": "и в не на что с я как он это но они мы вы она по из за так же от для к у о все его её "
    "был была было были быть или если когда то бы есть уже ты их до только очень может нет при "
    "друг который наш",
    "bg": "и на да се за от в е с че са не това по ще до като към или но аз ти той тя ние те един "
    "една един как при съм си бъде има няма след още само който която които със във всички трябва "
    "към помежду",
    "uk": "і та в у на що не з до за це як він вона вони ми ви я для від є але був була було були "
    "бути або якщо коли те вже ти їх його її їхній тільки дуже може немає при який яка які про всі "
    "одне один й",
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
    return {raw.strip(_MARKS) for raw in text.replace("’", "'").split()}


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
    tokens = [raw.strip(_MARKS) for raw in sample.replace("’", "'").split()]
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
