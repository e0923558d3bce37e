# ruff: noqa: E501, RUF001  text in many scripts
"""Sentences from which witnesses of instruction tasks are built: plain, without commas and digits.

`{w}` is a word of the subject. A witness only has to be a true reply in form; nobody is shown it.
"""

from __future__ import annotations

BANK = tuple(
    """
    Many people think about {w} every week.
    There is much to say about {w} in plain words.
    Our town has learned a lot from {w} over time.
    My friend told me a short tale about {w} yesterday.
    We often see {w} where nobody expects it.
    A good teacher can explain {w} to a child.
    Some visitors come from far away because of {w}.
    The first thing we notice is how {w} fits into daily life.
    It helps to look at {w} from more than one side.
    Nobody forgets the moment when {w} came up.
    Old books describe {w} with care and respect.
    You may ask why {w} still matters so much.
    Most of us grew up with some idea of {w}.
    In the evening we sit together and speak about {w}.
    Every season brings another view of {w}.
    Careful planning makes {w} easier for everybody.
    Young readers enjoy a lively picture of {w}.
    An honest report on {w} needs facts and patience.
    The market near the station is full of talk about {w}.
    Small steps can change how we deal with {w}.
    Experts agree that {w} deserves more attention.
    Her grandmother kept a notebook with remarks on {w}.
    On quiet mornings the whole street seems to dream of {w}.
    Without warning the conversation turned to {w}.
    This year the museum shows pictures of {w}.
    Children draw {w} with bright colours and big smiles.
    Several letters in the newspaper were about {w}.
    What began as a hobby soon became a study of {w}.
    Even critics admit that {w} has a certain charm.
    He walked home through the rain and thought of {w}.
    Our neighbours invited us to a long talk on {w}.
    Good ideas about {w} are welcome at any hour.
    They built a small workshop for people who love {w}.
    Late at night the radio played a piece on {w}.
    A clear plan for {w} saves money and nerves.
    Perhaps {w} will look very different in the future.
    Her answer about {w} was short and friendly.
    If you listen closely you can hear how {w} moves people.
    The library offers a warm corner for fans of {w}.
    Behind the hill lies a garden that reminds me of {w}.
    Fresh bread and strong coffee go well with stories of {w}.
    Travellers describe {w} as a pleasant surprise.
    No map shows the way to {w} as well as a local guide.
    His speech on {w} made the crowd laugh and clap.
    Hard work and luck both play a part in {w}.
    Bright lamps light the path that leads to {w}.
    She painted {w} on the wall of her kitchen.
    Two brothers argued about {w} until dawn.
    Each village has its own name for {w}.
    Simple tools are enough to begin with {w}.
    Winter evenings are perfect for learning about {w}.
    A wise captain never laughs about {w}.
    Doctors and farmers share an interest in {w}.
    The song that I like best is about {w}.
    By noon everyone in the office had heard of {w}.
    Students who understand {w} find the rest much simpler.
    Please remember that {w} takes time.
    With a little help {w} becomes a joy for all.
    Strange as it sounds {w} can bring strangers together.
    From the window one can almost touch {w}.
    Long before the railway people knew {w}.
    Sunny days and {w} belong together.
    Several sailors carved {w} into the mast.
    That afternoon we finally understood {w}.
    Good manners matter when guests bring up {w}.
    """.strip().split("\n")
)
BANK = tuple(line.strip() for line in BANK)

# No word has more than five letters besides the subject.
SHORT = (
    "We see {w} and it is a joy to us.",
    "It is {w} that we like most.",
    "You can look at {w} all day.",
    "I told him why {w} is good.",
    "Some of us know {w} well.",
    "She has a book on {w} at home.",
    "In the end {w} is what we keep.",
    "They met near {w} and had tea.",
    "A walk to {w} does us good.",
    "He went by and saw {w} too.",
)
# Few letters that are hard to avoid; one of them has no e, one no t, and so on.
SPARSE = (
    "A big dog ran to {w} and sat.",
    "I find {w} now and I nod.",
    "Jim will pick {w} if his kid is ill.",
    "Her eyes see {w} where she hums.",
    "You should look for {w} now.",
    "My old pal saw {w} on a walk.",
    "We help her feel {w} here.",
    "Sally and Gary may clap as {w} falls.",
    "Come here where {w} meets the sea.",
    "Ben felt her help when he met {w}.",
    "The men felt they knew best where {w} went.",
    "Look up when you put {w} on the shelf.",
    "His clumsy fish did slip by {w} till dusk.",
    "A man has had {w} at hand and walks back.",
    "They see the better shelf where {w} belongs.",
)
# Content words only, so that the share of function words stays low.
DENSE = (
    "Old river towns still celebrate {w} proudly.",
    "Curious children discover {w} every summer.",
    "Local artists paint {w} using bright colours.",
    "Busy markets sell fresh bread near {w}.",
    "Famous writers praised {w} long ago.",
    "Gentle winds carry stories about {w}.",
    "Many visitors photograph {w} daily.",
    "Patient gardeners admire {w} most evenings.",
    "Young musicians sing songs praising {w}.",
    "Clever engineers improved {w} last winter.",
)
# Mostly long words.
LONG = (
    "Remarkable traditions surrounding {w} continue inspiring countless generations everywhere.",
    "Experienced researchers frequently investigate {w} throughout neighbouring districts.",
    "Enthusiastic communities regularly celebrate {w} throughout springtime.",
    "Professional photographers captured wonderful impressions showing {w} yesterday.",
    "Different newspapers published surprising information concerning {w} recently.",
)
QUESTIONS = (
    "What do you think about {w}?",
    "Who would not like to know more about {w}?",
    "Where did you first hear of {w}?",
    "Why do so many people care for {w}?",
    "When will we talk about {w} again?",
    "How could anyone live without {w}?",
    "Which part of {w} do you like best?",
    "Is there a better way to explain {w}?",
)
# A sentence with many of a letter that ordinary sentences lack.
RARE = {
    "q": ("A quiet queen quickly asked quite unique questions while squads of quails squeaked.",),
    "c": (
        "Classic circus acrobats can collect chic ceramic cactus cups.",
        "Cyclic economic concepts accelerate scientific success.",
        "Critics circle occult chronicles concerning archaic cuckoo clocks.",
        "Chocolate cookies can conceal crisp coconut chunks.",
        "Comic characters crack codes concerning cosmic circles.",
        "Concise academic accounts can occasionally confuse critics.",
    ),
    "j": (
        "Jolly judges enjoy juggling jade jars just as Jack and Jill jump for joy in June.",
        "Major projects inject joy just as jazz jams rejoice.",
    ),
    "z": ("Dozens of lazy lizards gaze at puzzled zebras in a hazy and dizzy plaza.",),
    "x": ("Six foxes next to exact boxes mix extra wax and relax.",),
    "!": ("Look here! And here! And there! And again! What a day! Hooray!",),
    "#": ("Find it under #plan and #idea and #team and #work and #news and #more.",),
}
CONJUNCTIONS = (
    "It is small but strong and it can stay or go so we wait yet we hope for more nor do we tire."
)
# Begins with each letter; what follows is "we talk about {w}".
OPENERS = {
    "a": "Again", "b": "Briefly", "c": "Certainly", "d": "Daily", "e": "Every day", "f": "Finally",
    "g": "Gladly", "h": "Happily", "i": "Indeed", "j": "Joyfully", "k": "Kindly", "l": "Later",
    "m": "Maybe", "n": "Now", "o": "Often", "p": "Perhaps", "q": "Quietly", "r": "Really",
    "s": "Sometimes", "t": "Today", "u": "Usually", "v": "Very often", "w": "Warmly",
    "x": "Xylophones play while", "y": "Yesterday", "z": "Zealously",
}  # fmt: skip
TAILS = (
    "with old friends", "near the green hill", "after a long walk", "in the small kitchen",
    "under the tall trees", "by the open window", "before the last train", "for a good reason",
    "at the quiet lake", "on a sunny bench", "along the narrow street", "over warm bread",
)  # fmt: skip
ONE_WORD_TAILS = ("today", "together", "gladly", "often")

# Text in other languages, the first article of the Universal Declaration of Human Rights (1948) and
# plain sentences; `{w}` marks where a given word of that language can stand.
FOREIGN = {
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Wir sprechen heute über "
    "das Wort {w} und wir finden es schön. Das ist nicht schwer und es ist gut für uns alle.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos. Hoy hablamos de "
    "la palabra {w} y nos parece muy bonita. No es difícil y es bueno para todos.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Nous parlons du "
    "mot {w} et il est très beau. Ce n'est pas difficile et c'est bon pour nous.",
    "it": "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Oggi parliamo della "
    "parola {w} e ci piace molto. Non è difficile ed è una cosa buona per noi.",
    "pt": "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Hoje falamos da "
    "palavra {w} e ela é muito bonita. Não é difícil e é bom para todos nós.",
    "fi": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Tänään "
    "puhumme sanasta {w} ja se on meistä kaunis. Se ei ole vaikeaa ja se on hyvä kaikille.",
    "pl": "Wszyscy ludzie rodzą się wolni i równi w swojej godności i w swoich prawach. Dzisiaj "
    "mówimy o słowie {w} i jest ono dla nas ważne. To nie jest trudne i to jest dobre.",
    "ru": "Все люди рождаются свободными и равными в своём достоинстве и правах. Сегодня мы "
    "говорим о слове {w} и оно нам нравится. Это не трудно и это хорошо для всех.",
    "bg": "Всички хора се раждат свободни и равни по достойнство и права. Днес ние говорим за "
    "думата {w} и тя е много красива. Това не е трудно и е добре за всички.",
    "vi": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi. Hôm nay "
    "chúng tôi nói về từ {w} và nó rất đẹp. Việc này không khó và tốt cho mọi người.",
    "sw": "Watu wote wamezaliwa huru na hadhi na haki zao ni sawa. Leo tunazungumza kuhusu neno {w} "
    "na ni zuri sana kwa sisi wote. Hii ni kazi ya watu wote katika nchi hii.",
    "ar": "يولد جميع الناس أحرارا ومتساوين في الكرامة والحقوق. نحن نتحدث اليوم عن كلمة {w} وهي كلمة "
    "جميلة في هذا الكتاب الذي قرأنا. هذا من أجل كل الناس ولا خوف على أحد.",
    "fa": "تمام افراد بشر آزاد زاده می شوند و از لحاظ حیثیت و کرامت و حقوق با هم برابرند. امروز ما "
    "در این باره با هم سخن می گوییم که {w} برای ما خوب است و این را همه می دانند.",
    "ur": "تمام انسان آزاد اور حقوق و عزت کے اعتبار سے برابر پیدا ہوئے ہیں۔ آج ہم {w} کے بارے میں بات کر "
    "رہے ہیں اور یہ سب کے لیے اچھا ہے۔ اس میں کوئی مشکل نہیں ہے۔",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। आज हम {w} के "
    "बारे में बात कर रहे हैं और यह सभी के लिए अच्छा है। इस में कोई कठिनाई नहीं है।",
    "mr": "सर्व मानवी व्यक्ती जन्मतःच स्वतंत्र आहेत व त्यांना समान प्रतिष्ठा व समान अधिकार आहेत. आज आपण {w} "
    "बद्दल बोलत आहोत आणि हे सर्व लोकांसाठी चांगले आहे. हे काही अवघड नाही.",
    "ne": "सबै मानिसहरू जन्मजात स्वतन्त्र हुन् र ती सबैको समान अधिकार र महत्व छ। आज हामी {w} को बारेमा कुरा "
    "गर्दै छौं र यो सबै मानिसको लागि राम्रो हो। यो काम गाह्रो छैन।",
    "bn": "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে। আজ আমরা {w} নিয়ে কথা বলি এবং এটি সবার জন্য ভালো।",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ วันนี้เราพูดถึง {w} และทุกคนชอบเรื่องนี้มาก",
    "ta": "மனிதப் பிறவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர். இன்று நாம் {w} பற்றி பேசுகிறோம். அது அனைவருக்கும் நல்லது.",
    "te": "ప్రతిపత్తిస్వత్వముల విషయమున మానవులెల్లరును జన్మతః స్వతంత్రులును సమానులును. ఈ రోజు మనం {w} గురించి మాట్లాడుతున్నాము.",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 오늘 우리는 {w} 이야기를 합니다. 모두에게 좋은 일입니다.",
    "kn": "ಎಲ್ಲಾ ಮಾನವರೂ ಸ್ವತಂತ್ರರಾಗಿಯೇ ಜನಿಸಿದ್ದಾರೆ ಹಾಗೂ ಘನತೆ ಮತ್ತು ಹಕ್ಕುಗಳಲ್ಲಿ ಸಮಾನರಾಗಿದ್ದಾರೆ. ಇಂದು ನಾವು {w} ಬಗ್ಗೆ ಮಾತನಾಡುತ್ತೇವೆ.",
    "gu": "પ્રતિષ્ઠા અને અધિકારોની દૃષ્ટિએ સર્વ માનવો જન્મથી સ્વતંત્ર અને સમાન હોય છે. આજે આપણે {w} વિશે વાત કરીએ છીએ.",
    "pa": "ਸਾਰਾ ਮਨੁੱਖੀ ਪਰਿਵਾਰ ਆਪਣੀ ਮਹਿਮਾ ਸ਼ਾਨ ਅਤੇ ਹੱਕਾਂ ਦੇ ਪੱਖੋਂ ਜਨਮ ਤੋਂ ਹੀ ਆਜ਼ਾਦ ਹੈ ਅਤੇ ਬਰਾਬਰ ਹੈ। ਅੱਜ ਅਸੀਂ {w} ਬਾਰੇ ਗੱਲ ਕਰਦੇ ਹਾਂ।",
    "ml": "മനുഷ്യരെല്ലാവരും തുല്യാവകാശങ്ങളോടും അന്തസ്സോടും സ്വാതന്ത്ര്യത്തോടുംകൂടി ജനിച്ചിട്ടുള്ളവരാണ്. ഇന്ന് നാം {w} പറയുന്നു.",
    "uk": "Всі люди народжуються вільними і рівними у своїй гідності та правах. Сьогодні ми говоримо "
    "про слово {w} і воно нам подобається. Це не важко і це добре для всіх.",
    "ja": "すべての人間は生まれながらにして自由であり、かつ尊厳と権利とについて平等である。今日は{w}について話します。",
    "he": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. היום אנחנו מדברים על {w} וזה טוב לכולם.",
}
