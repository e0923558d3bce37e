# ruff: noqa: RUF001  sentences in many scripts
"""Replies in a language that was asked for: short plain ones, and what is none."""

import time

import pytest

from corgi_gym.envs.tasks._requests import FOREIGN_OPENINGS
from corgi_gym.rewards import judge
from corgi_gym.rewards.instructions import instruction_following
from corgi_gym.rewards.instructions._asked_language import judge_language
from corgi_gym.rewards.instructions._languages import NAMES, cut_elision, word_pieces

IN_IT = [
    ("ru", "Мои старые часы стоят на полке. Каждое утро я покупаю свежий хлеб.", ("часы", "хлеб")),
    ("ru", "Река течёт быстро. Мост стоит крепко.", ("река", "мост")),
    ("ru", "Школа открыта. Зима холодная.", ("школа", "зима")),
    ("ru", "Птица поёт в саду. Окно закрыто.", ("птица", "окно")),
    ("ru", "Поезд уходит вечером. Луна светит ярко.", ("поезд", "луна")),
    ("ru", "Остров большой и зелёный. Облако закрыло солнце.", ("остров", "облако")),
    ("fi", "Joki virtaa sillan alla. Kello lyö kaksitoista.", ("joki", "kello")),
    ("fi", "Lintu lentää puutarhassa. Talvi tulee pian.", ("lintu", "talvi")),
    ("fi", "Koulu alkaa aamulla. Juna saapuu asemalle.", ("koulu", "juna")),
    ("fi", "Kuu loistaa yöllä. Leipä maistuu hyvältä.", ("kuu", "leipä")),
    ("fi", "Saari näkyy kaukaa. Pilvi peittää auringon.", ("saari", "pilvi")),
    ("fi", "Katu hiljenee illalla. Ikkuna heijastaa valoa.", ("katu", "ikkuna")),
    ("pl", "Stary most stoi nad rzeką. Babcia piecze chleb.", ("most", "chleb")),
    ("pl", "Zima nadchodzi powoli. Ptak siedzi cicho.", ("zima", "ptak")),
    ("pl", "Ogród kwitnie latem. Okno wychodzi na ulicę.", ("ogród", "okno")),
    ("pl", "Pociąg jedzie szybko. Księżyc świeci jasno.", ("pociąg", "księżyc")),
    ("it", "Abito su un'isola. Ogni strada porta al mare.", ("isola", "strada")),
    ("it", "Il treno parte presto. La luna brilla.", ("treno", "luna")),
    ("it", "L'uccello canta. Il giardino fiorisce.", ("uccello", "giardino")),
    ("it", "Una nuvola copre il ponte. Piove forte.", ("nuvola", "ponte")),
    ("fr", "J'adore mon jardin. L'horloge sonne midi.", ("jardin", "horloge")),
    ("fr", "Le jardin est calme, et l'horloge sonne midi.", ("jardin", "horloge")),
    ("fr", "Mon école ferme tôt. L'oiseau chante.", ("école", "oiseau")),
    ("es", "Mi reloj suena temprano. Compro pan fresco.", ("reloj", "pan")),
    ("es", "El tren llega tarde. Cada isla brilla.", ("tren", "isla")),
    ("es", "Nuestra escuela abre temprano. Llueve en invierno.", ("escuela", "invierno")),
    ("pt", "Meu relógio parou. Comprei pão fresco.", ("relógio", "pão")),
    ("pt", "O trem chega tarde. A lua brilha.", ("trem", "lua")),
    ("de", "Der Fluss fließt schnell. Mein Kaffee schmeckt gut.", ("Fluss", "Kaffee")),
    ("de", "Unsere Schule öffnet früh. Draußen liegt Schnee.", ("Schule", "Winter")),
    ("bg", "Часовникът на улицата показва осем. Кучето ми тича в парка.", ()),
    ("uk", "Мій собака бігає парком. Годинник показує восьму.", ()),
    ("ru", "Мой кот спит. Собака лает.", ()),
    ("ko", "집은 강에 있다. 개가 잔다.", ()),
    ("de", "Schwarzer Kaffee schmeckt morgens am besten. Es schneit.", ("Kaffee", "Winter")),
    ("en", "Dogs bark loudly. Cats sleep.", ()),
    ("ru", "Наша школа стоит рядом с мостом. Зимой там катаются на лыжах.", ("школа", "мост")),
    ("ru", "Поезд опоздал. Луна осветила вокзал.", ("поезд", "луна")),
    ("ru", "Утром улица пуста, а окно открыто настежь.", ("улица", "окно")),
    ("ru", "Облако закрыло солнце, и сад потемнел.", ("облако", "сад")),
    ("ru", "Хлеб лежит на столе. Часы показывают полдень.", ("хлеб", "часы")),
    ("ru", "Остров окружён водой. Птица вьёт гнездо.", ("остров", "птица")),
    ("fi", "Silta ylittää leveän joen. Pilvi peittää auringon.", ("silta", "pilvi")),
    ("fi", "Kello soi. Lintu herää ja laulaa.", ("kello", "lintu")),
    (
        "fi",
        "Minä rakastan puutarhaa. Puutarha kukkii kesällä ja saari on kaunis.",
        ("puutarha", "saari"),
    ),
    ("fi", "Äiti leipoo. Leipä tuoksuu hyvältä, vaikka talvi on kylmä.", ("leipä", "talvi")),
    ("fi", "Juna lähtee asemalta kello seitsemän. Kuu näkyy taivaalla.", ("juna", "kuu")),
    ("fi", "Katu on tyhjä. Ikkuna on auki.", ("katu", "ikkuna")),
    ("pl", "Szkoła jest zamknięta. Chmura zasłania słońce.", ("szkoła", "chmura")),
    ("pl", "Ta ulica prowadzi do rynku. Zegar wybija północ.", ("ulica", "zegar")),
    ("pl", "Nasza wyspa leży daleko. Rzeka płynie wolno.", ("wyspa", "rzeka")),
    ("pl", "Ptak śpiewa w ogrodzie. Ogród pachnie różami. Zima minęła.", ("ptak", "ogród")),
    ("pl", "Lubię świeży chleb. Most wygląda pięknie nocą.", ("chleb", "most")),
    ("it", "Mia nonna lavora in giardino. Il fiume scorre lento.", ("giardino", "fiume")),
    ("it", "Apro la finestra. Fuori è inverno.", ("finestra", "inverno")),
    ("it", "La scuola comincia a settembre. Il ponte resta chiuso.", ("scuola", "ponte")),
    ("it", "Guardo la luna. Passa un treno.", ("luna", "treno")),
    ("fr", "Le pont traverse le fleuve. L'hiver arrive.", ("pont", "hiver")),
    ("fr", "Un oiseau chante. La rue dort encore.", ("oiseau", "rue")),
    ("fr", "Mange du pain. Regarde l'île là-bas.", ("pain", "île")),
    ("fr", "La lune éclaire le train. Un nuage passe.", ("lune", "train")),
    ("es", "La luna brilla. Una nube pasa.", ("luna", "nube")),
    ("es", "Abro la ventana. Veo el jardín.", ("ventana", "jardín")),
    ("es", "Un pájaro canta junto al río. Hace frío.", ("pájaro", "río")),
    ("es", "Camino por la calle hasta el puente.", ("calle", "puente")),
    ("pt", "Um pássaro canta na janela. Chove muito.", ("pássaro", "janela")),
    ("pt", "O jardim floresce. A ponte balança.", ("jardim", "ponte")),
    ("pt", "Moro numa ilha. Minha rua termina no rio.", ("ilha", "rio")),
    ("pt", "Gosto de pão quente. A nuvem cobre o sol.", ("pão", "nuvem")),
    ("de", "Die Uhr tickt. Der Vogel singt.", ("Uhr", "Vogel")),
    ("de", "Das Fenster steht offen. Draußen wartet der Winter.", ("Fenster", "Winter")),
    ("de", "Unser Zug fährt über die Brücke. Die Insel liegt im Nebel.", ("Brücke", "Insel")),
    ("de", "Eine Wolke zieht vorbei. Der Mond scheint.", ("Wolke", "Mond")),
    ("de", "Meine Straße endet im Garten der Schule.", ("Garten", "Schule")),
    ("uk", "Собака біжить парком. Хлопчик сміється.", ()),
    ("bg", "Момчето чете книга. Котката спи на дивана.", ()),
    ("vi", "Con mèo ngủ trên ghế. Trời mưa rất to.", ()),
    ("sw", "Mtoto anacheza na mpira katika bustani.", ()),
    ("ar", "الولد يلعب في الحديقة. القطة نائمة على الكرسي.", ()),
    ("fa", "گربه روی صندلی خوابیده است. باران می بارد.", ()),
    ("hi", "बच्चा बगीचे में खेलता है। बिल्ली सो रही है।", ()),
]
NOT_IN_IT = [
    ("ru", "The river runs under the bridge. река мост.", ("река", "мост")),
    ("ru", "река мост ывапро лдвыап цукен фыва олдж прол", ("река", "мост")),
    ("ru", "река мост", ("река", "мост")),
    ("ru", "река мост река мост река мост", ("река", "мост")),
    ("fi", "The joki is wide. The silta is old.", ("joki", "silta")),
    ("fi", "joki silta xq zt blorp fraggle wumpus dinkle", ("joki", "silta")),
    ("fi", "Joki silta green garden window stone river house.", ("joki", "silta")),
    ("fi", "I like joki and silta very much today.", ("joki", "silta")),
    ("fi", "Joki silta linda mora tekan bilo sure paton", ("joki", "silta")),
    ("pl", "The most important thing is chleb.", ("most", "chleb")),
    ("pl", "Most people bake chleb daily. Bread smells wonderful.", ("most", "chleb")),
    ("pl", "most chleb xq zt blorp fraggle wumpus dinkle", ("most", "chleb")),
    ("pl", "most chleb czarny", ("most", "chleb")),
    ("it", "I live on an isola. Every strada leads home.", ("isola", "strada")),
    ("it", "isola strada xq zt blorp fraggle", ("isola", "strada")),
    (
        "it",
        "Vivo en una isla. Cada calle lleva al mar y el barco espera. isola strada",
        ("isola", "strada"),
    ),
    ("fr", "I love my jardin. The horloge strikes noon.", ("jardin", "horloge")),
    ("fr", "Der jardin ist schön und die horloge schlägt nicht.", ("jardin", "horloge")),
    ("es", "The reloj rings. I buy pan.", ("reloj", "pan")),
    ("pt", "I buy pão. My relógio stopped.", ("relógio", "pão")),
    ("es", "A casa fica perto do rio e nós vamos com os amigos. reloj pan", ("reloj", "pan")),
    ("de", "The Fluss is wide. My Kaffee tastes good.", ("Fluss", "Kaffee")),
    ("ru", "Мій собака бігає в парку. Місто спить. річка і мост", ("река", "мост")),
    ("uk", "Мои старые часы стоят на полке. Каждое утро я покупаю свежий хлеб.", ()),
    ("fi", "{}", ()),
    ("fi", "", ()),
    ("fi", "1 2 3", ()),
    ("de", "Dogs bark loudly. Cats sleep.", ()),
    ("ja", "漢" * 12, ()),
    ("de", "집은 강 가까이에 있고 우리는 매일 친구들과", ()),
    ("en", "xq zt blorp fraggle wumpus dinkle", ()),
    # letters of the language alone, and lists of its nouns
    ("de", "fs mzüicsi oö fzhäpizp uodämfk wzmgzl Vogel Wolke", ("Vogel", "Wolke")),
    ("es", "hcxdem dgáha xj glf ñcuvcbm tren nube.", ("tren", "nube")),
    ("pl", "szkoła ogród zima ulica pociąg księżyc wyspa", ("szkoła", "ogród")),
    ("fi", "juna silta koulu joki puutarha katu pilvi leipä.", ("juna", "silta")),
    ("ru", "хлеб окно река поезд луна зима школа", ("хлеб", "окно")),
    ("pt", "pássaro escola rua ilha pão relógio", ("rua", "ilha")),
    # English words around a small word of the language
    ("fi", "blue ribbon dog washed sunflower raincoats swept myös joki kello", ("joki", "kello")),
    ("es", "dog slowly bone tired reads yellow to knife de pájaro ventana.", ("pájaro", "ventana")),
]


def verdict(language, reply, topic):
    row = {"kind": "language:response_language", "kwargs": {"language": language}}
    target = {"instructions": [row]}
    if topic:
        prompt = FOREIGN_OPENINGS[0].format(a=topic[0], b=topic[1], language=NAMES[language])
        target |= {"topic": list(topic), "topic_least": 2, "prompt": prompt}
    return judge(instruction_following, reply, target)


@pytest.mark.parametrize(("language", "reply", "topic"), IN_IT)
def test_short_plain_sentences_are_in_their_language(language, reply, topic):
    assert judge_language(reply, language, topic) == (True, None)
    kinds = {p.kind for p in verdict(language, reply, topic).problems}
    assert "language:response_language" not in kinds
    assert language == "en" or "content" not in kinds


@pytest.mark.parametrize(("language", "reply", "topic"), NOT_IN_IT)
def test_english_neighbours_and_scraps_are_not(language, reply, topic):
    assert not judge_language(reply, language, topic).fits
    assert not verdict(language, reply, topic).success


def test_the_words_of_the_request_show_nothing():
    """ "most" is a Polish bridge, and English otherwise."""
    reply = "Stary most stoi nad drogą. Ten most jest most."
    assert judge_language(reply, "pl", ("most", "chleb")).fits
    assert judge_language("The most chleb of it.", "pl", ("most", "chleb")).other == "en"


def test_feedback_names_a_language_only_when_it_is_clear():
    said = [
        p.message
        for reply in ("The old joki is wide.", "joki silta xqz xqb xqd xqf")
        for p in verdict("fi", reply, ("joki", "silta")).problems
        if p.kind.startswith("language")
    ]
    assert said == [
        "The reply is in English. Write all of it in Finnish.",
        "The reply has too few words that are clearly Finnish. Write all of it in Finnish.",
    ]


def test_elisions_are_cut():
    assert cut_elision("l'isola") == ["l'", "isola"] and cut_elision("don't") == ["don't"]
    assert word_pieces("J’adore l’isola.".lower()) == ["j'", "adore", "l'", "isola"]


def test_unknown_languages_are_named():
    with pytest.raises(ValueError, match="'da'"):
        judge_language("Det er en dag.", "da")


@pytest.mark.alone
@pytest.mark.parametrize(
    "piece", ["a", "ы ", "ä ö ", "l'", "qu'a ", "漢", "é\n", "the of ", "jest "]
)
def test_long_texts_are_fast(piece):
    for language in ("ru", "fi", "fr", "en", "ja"):
        judge_language(piece * 20, language, ("x",))  # word lists are read once
        start = time.process_time()
        judge_language((piece * 50_000)[:50_000], language, ("x",))
        assert time.process_time() - start < 0.2
