"""Everyday English sentences from a grammar of scenes, for `num_planning`.

A scene keeps together what fits together: actions, places, reasons, what else was going on. People
and times fit everywhere. All is simple past, so subject and verb agree without more rules.

Notation: ``{cake}`` draws from a list of the scene or of the general ones; an action starts with
``base:past``, for example ``bake:baked a cake``, or ``!lose:lost`` for what nobody plans to do.
"""

from __future__ import annotations

import re

import numpy as np

# What fits every scene.
_EVERYWHERE = """
role: old farmer; young teacher; friendly doctor; quiet librarian; retired captain; tall waiter
role: shy student; kind nurse; clever engineer; busy baker; cheerful postman; famous painter
role: tired driver; lonely widow; curious tourist; patient gardener; careful pilot; new manager
role: little boy; brave girl; young couple; old man; old woman; strict professor; proud father
role: village priest; local journalist; hungry traveller; grumpy landlord; honest lawyer
relative: grandmother; grandfather; younger brother; older sister; little cousin; uncle; aunt
relative: best friend; mother; father; two sisters; parents; neighbours; new neighbour
relative: whole family; old classmates; twin brothers
name: Anna; Ben; Carla; David; Elena; Farid; Grace; Hugo; Ines; Jonas; Kemal; Laura; Marta; Noah
name: Olga; Peter; Rosa; Samuel; Tara; Victor; Wendy; Yusuf; Zoe; Amir; Clara; Daniel; Emily
name: Felix; Hannah; Ivan
titled: Mr. Baker; Mrs. Lopez; Dr. Chen; Mr. Young; Mrs. Brown; Dr. Silva; Mr. Novak; Mrs. Green
friend: a friend; an old friend; the children; two neighbours; some friends; a close friend
friend: two cousins; a colleague; a favourite uncle; the new neighbour
guests: the guests; the whole family; eight people; a birthday party; some old friends
guests: the neighbours; the children; a large wedding
modal: wanted to; decided to; had to; started to; promised to; planned to; agreed to
end: yesterday; last weekend; last Tuesday; early in the morning; late in the afternoon
end: one evening; after breakfast; before lunch; after lunch; before dinner; on Monday morning
end: on Sunday afternoon; on Friday evening; last Saturday; last month; for the first time
end: before sunset; two days later; during the holidays; on the last day of the month
end: at the end of the week; once again; at noon; on Thursday; a few hours later
end: for the second time; after a short break; on a public holiday; that same day; one Wednesday
end: the next morning; on the first day of the week; one week earlier
front: Yesterday,; Last weekend,; One fine morning,; One quiet evening,; On Monday morning,
front: Last Friday,; Late in the afternoon,; Before lunch,; Two weeks ago,; During the holidays,
front: A few days later,; On a cloudy Saturday,; At the end of the day,; Without any hurry,
front: To everybody's surprise,; Early in the morning,; That same evening,; After breakfast,
front: Shortly after noon,; One day,
"""

# One block a scene: "does" actions, "where" places, "why" reasons, "while" backgrounds, "after"
# what came before; any other line is a list for its ``{slot}``. Every place, reason and background
# must fit every action of its block.
_SCENES = """
sweet: a chocolate cake; an apple pie; fresh bread; some lemon cookies; a dozen muffins; pancakes
dish: vegetable soup; a pot of rice; fried fish; a simple stew; roast chicken; pasta with mushrooms
crop: the carrots; three onions; the tomatoes; some garlic; the potatoes; a bunch of parsley
does: bake:baked {sweet} for {guests}; cook:cooked {dish} for {guests}; chop:chopped {crop}
does: wash:washed the plates with {friend}; prepare:prepared {dish}; !burn:burned {dish}
does: taste:tasted {dish}; share:shared {sweet} with {friend}; set:set the table for {guests}
does: peel:peeled {crop} with {friend}; serve:served {dish} to {guests}; !drop:dropped {sweet}
where: in the kitchen; at home; in the small restaurant; in a tiny apartment; at the hotel
why: everybody was hungry; the guests arrived early; it was a special birthday; time was short
why: nobody else had time; the cook was ill; the day was important
while: the radio played soft music; the kettle was boiling; the baby slept in the next room
while: the guests talked about politics; the oven became warm
after: a visit to the market; a short nap; a long walk; a phone call from an old friend

flower: red roses; yellow tulips; a row of sunflowers; some wild herbs; a young apple tree; lavender
fruit: ripe cherries; a basket of plums; sweet strawberries; green apples; some raspberries
does: plant:planted {flower}; water:watered {flower}; pick:picked {fruit}; cut:cut the grass
does: pick:picked {fruit} with {friend}; dig:dug a deep hole; paint:painted the wooden fence
does: build:built a small pond; plant:planted {flower} with {friend}; sweep:swept the dry leaves
does: pull:pulled out the weeds; wash:washed {fruit}; move:moved the heavy stones with {friend}
where: in the garden; behind the house; near the old wall; beside the gate; under the tall oak
why: the weather was finally warm; the day was dry; a party was planned; guests were expected
why: there was nothing else to do; the summer was almost over; fresh air is healthy
while: the birds sang in the trees; the cat slept in the shade; the sun was shining
while: a neighbour watched from the window; the children played on the swing
after: a week of rain; a cup of tea; a morning at the market; a long winter

ride: the early train; the last bus; a taxi; the old ferry; the express train; the slow bus
bag: two heavy suitcases; a small backpack; a broken umbrella; an old leather bag; a huge parcel
does: !miss:missed {ride}; take:took {ride}; wait:waited for {ride}; carry:carried {bag}
does: !lose:lost {bag}; !find:found {bag}; wait:waited with {friend} for {ride}
does: !forget:forgot {bag}; ask:asked a stranger about {ride}; look:looked for {bag}
does: meet:met {friend}; say:said goodbye to {friend}; help:helped {friend} with {bag}
where: at the station; near the harbour; outside the airport; at the main entrance; in the city
why: the clock was wrong; the road was blocked; the storm was close; the day was busy
why: the plans changed at the last minute; the signs were confusing
while: the rain fell on the roof; a crowd gathered on the platform; the driver read a newspaper
while: a dog barked at the pigeons; the lights went out
after: a sleepless night; an argument about money; a quick breakfast; a long meeting

goods: a warm coat; a bottle of olive oil; a pair of boots; a blue scarf; an old clock; fresh eggs
goods: a wooden toy; a silver necklace; a map of the city
does: buy:bought {goods}; sell:sold {goods}; choose:chose {goods} for {friend}
does: return:returned {goods}
does: buy:bought {goods} with {friend}; !pay:paid too much for {goods}; look:looked for {goods}
does: compare:compared the prices; fill:filled a basket with {fruit2}; !find:found {goods}
does: ask:asked about {goods}; buy:bought {fruit2} for {guests}
fruit2: oranges; fresh vegetables; cheap books; cheese and bread; bananas; candles and soap
where: at the market; in the small shop; on the main street; in the old town; at the corner store
why: the prices were low; the holidays were near; the other shops were closed; money was short
why: the weather was bad; the owner was very polite; it was the season of gifts
while: a musician played the violin; the crowd moved slowly; the owner talked to a customer
while: the bells rang in the tower; the traffic stood still
after: a long day at work; a coffee with {friend}; a walk through the park; the first snow

treasure: colourful shells; flat stones; a silver ring; a message in a bottle; pieces of driftwood
does: photograph:photographed {treasure}; !find:found {treasure}; build:built a castle of sand
does: swim:swam with {friend}; search:searched for {treasure} with {friend}; watch:watched the waves
does: eat:ate ice cream; fly:flew a red kite; rest:rested with {friend}; clean:cleaned {treasure}
does: fly:flew a kite with {friend}; eat:ate sandwiches with {friend}
where: on the beach; near the lighthouse; by the sea; on the island; beside the rocky cliff
why: the water was calm; the day was hot; the tide was low; the holiday was almost over
why: the city was far away; the forecast was good
while: the seagulls circled above; the sun went down; the waves rolled onto the shore
while: a ship passed in the distance; the wind grew stronger
after: a picnic on the grass; a storm; a swim in the cold water; a long drive

animal: a red fox; two young deer; an owl; a brown bear; a family of ducks; a rare butterfly
does: !see:saw {animal}; follow:followed {animal}; draw:drew {animal}
does: photograph:photographed {animal}
does: watch:watched {animal} with {friend}; build:built a wooden shelter; light:lit a small fire
does: gather:gathered dry wood; !lose:lost the map; pitch:pitched a green tent with {friend}
does: look:looked for {animal}; walk:walked with {friend}; !hear:heard {animal}
where: in the forest; near the river; on the narrow path; at the foot of the mountain; by the lake
why: the place was so quiet; the air was cool; the summer was short; the area was safe
why: the old maps were wrong; the weekend was long
while: the wind moved the branches; the stars appeared one by one; the dog chased a squirrel
while: a woodpecker worked on a tree; the fog became thicker
after: three hours of walking; a rest by the stream; a heavy rain; a lesson about nature

paper: the report; a long letter; the monthly budget; a difficult email; the new contract; the plan
does: write:wrote {paper}; finish:finished {paper}; print:printed {paper}; discuss:discussed {paper}
does: discuss:discussed {paper} with {friend}; sign:signed {paper}; check:checked {paper} twice
does: answer:answered every phone call; repair:repaired the printer; clean:cleaned the messy desk
does: explain:explained {paper} to {friend}; !lose:lost {paper}; translate:translated {paper}
where: at the office; in the meeting room; on the second floor; at the town hall; in the basement
why: the deadline was close; the boss was worried; the director was away; a colleague was sick
why: the inspection was near; the week was almost over
while: the phone rang again and again; the lights flickered; the others ate lunch
while: workers painted the hall; a storm raged outside
after: a meeting with the director; a strong coffee; a week of vacation; a talk with {friend}

piece: a sad song; an old melody; a piano concert; a folk dance; the second act; a slow waltz
does: play:played {piece} for {guests}; practise:practised {piece}; perform:performed {piece}
does: sing:sang with {friend}; practise:practised {piece} with {friend}; tune:tuned the guitar
does: listen:listened to {piece}; record:recorded {piece}; applaud:applauded the young singer
does: listen:listened to {piece} with {friend}; dance:danced with {friend}
where: on the stage; in the concert hall; at the local theatre; in the music room; at the festival
why: the audience was patient; the event was special; music was a comfort; the hall was warm
why: the famous singer was late; the mayor was a guest
while: the audience waited quietly; the curtain was still closed; the drummer kept the rhythm
while: the technicians moved the lights; a child ran between the chairs
after: years of practice; a short speech; a moment of silence; a lesson with {friend}

book: a thick novel; an old atlas; a book about whales; three comics; the history of Rome; a diary
does: read:read {book}; borrow:borrowed {book}; return:returned {book}; study:studied for the exam
does: read:read {book} to {guests2}; search:searched for {book}; explain:explained the homework
does: write:wrote a poem about {theme}; study:studied with {friend}; learn:learned about {theme}
does: draw:drew a picture of {theme}; !forget:forgot {book}; talk:talked to {guests2} about {theme}
theme: the moon; autumn; ancient Egypt; wild horses; friendship; the ocean; a lost city
guests2: the class; a small child; the other students; the youngest pupils; a blind neighbour
where: in the library; at school; in the empty classroom; by the window; at the university
why: the test was near; the rain kept falling; the teacher was ill; knowledge is important
why: the year was almost over; the lesson was boring
while: the rain tapped on the window; the other students whispered; the clock ticked loudly
while: a fly landed on the desk; the teacher cleaned the board
after: a lesson in geography; a visit to the museum; the end of the holidays; a bad grade

thing: the old bicycle; a broken chair; the kitchen table; the grey boat; a rusty lamp; the radio
does: repair:repaired {thing}; paint:painted {thing}; repair:repaired {thing} with {friend}
does: build:built a bird house; measure:measured {thing}; sharpen:sharpened every tool
does: clean:cleaned the dirty window; sell:sold {thing} to {friend}; fix:fixed {thing} with a hammer
does: !break:broke {thing}; polish:polished {thing}; show:showed {thing} to {friend}
where: in the garage; in the workshop; behind the barn; at the farm; in the cellar
why: help was too expensive; space was needed; the spring sale was close; the rain kept falling
why: old things are beautiful; visitors were expected
while: the dog barked at a stranger; the machine made a terrible noise; sparks flew everywhere
while: the rain ran down the walls; the chickens looked for food
after: a trip to the hardware store; a good night of sleep; a storm in April; two failed attempts

game: the final match; a game of chess; the long race; a friendly game; the school tournament
does: !win:won {game}; !lose:lost {game}; watch:watched {game} with {friend}; !miss:missed {game}
does: train:trained for {game}; !score:scored the first goal; organise:organised {game} for {friend}
does: cheer:cheered for the losing team; run:ran five miles with {friend}; !enjoy:enjoyed {game}
does: film:filmed {game}; talk:talked about {game} with {friend}; leave:left {game}
where: in the stadium; on the football field; in the park; at the sports club; near the school
why: the team was tired; the weather was perfect; the season was almost over
why: the captain was injured; the crowd was loud; the heat was terrible
while: the parents cheered; the referee looked away; the trainer shouted advice
while: a dog ran across the grass; the clouds grew darker
after: months of training; an unlucky start; a cold shower; a serious injury

snow: a tall snowman; a snow castle; an igloo; a wooden sled; a wall of snow
does: build:built {snow}; build:built {snow} with {friend}; clear:cleared the icy path
does: drink:drank hot chocolate; skate:skated with {friend}; feed:fed the hungry birds
does: photograph:photographed {snow}; wear:wore three pairs of socks; !lose:lost a warm glove
does: drink:drank hot tea with {friend}; paint:painted {snow}; throw:threw snowballs at {friend}
where: in the snow; in front of the house; on the frozen lake; outside the cabin; on the hill
why: the school was closed; the air was freezing; the snow was deep; the winter was beautiful
why: the roads were closed; the holidays were long
while: the snow fell silently; the fire burned in the stove; the icicles glittered in the sun
while: the wolves howled far away; the snow covered the roofs
after: the first snowstorm; a bowl of hot soup; a cold night; a trip to the mountains
"""

Scene = dict[str, tuple[str, ...]]
_SLOT = re.compile(r"\{(\w+)\}")


def _read(text: str) -> tuple[Scene, ...]:
    scenes = []
    for block in text.strip().split("\n\n"):
        scene: dict[str, list[str]] = {}
        for line in block.split("\n"):
            name, _, items = line.partition(": ")
            scene.setdefault(name, []).extend(items.split("; "))
        scenes.append({name: tuple(items) for name, items in scene.items()})
    return tuple(scenes)


SCENES = _read(_SCENES)
_GENERAL = _read(_EVERYWHERE)[0]


class _Writer:
    """Draws the parts of one sentence from one scene."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.scene = SCENES[self.below(len(SCENES))]

    def below(self, n: int) -> int:
        return int(self.rng.integers(n))

    def pick(self, items: tuple[str, ...] | list[str]) -> str:
        text = items[self.below(len(items))]
        return _SLOT.sub(lambda m: self.pick(self.scene.get(m[1]) or _GENERAL[m[1]]), text)

    def subject(self) -> str:
        """Who, as inside a sentence."""
        kind, names = self.below(6), _GENERAL["name"]
        if kind == 0:
            first, second = self.rng.choice(len(names), size=2, replace=False)
            return f"{names[first]} and {names[second]}"
        if kind == 1:
            return self.pick(names)
        if kind == 2:
            return self.pick(_GENERAL["titled"])
        if kind == 3:
            return f"{('my', 'our')[self.below(2)]} {self.pick(_GENERAL['relative'])}"
        return f"the {self.pick(_GENERAL['role'])}"

    def action(self) -> str:
        """A verb phrase in the past, sometimes with "wanted to" or the like."""
        verb, _, rest = self.pick(self.scene["does"]).partition(" ")
        base, _, past = verb.partition(":")
        planned = not base.startswith("!") and self.below(3) == 0
        return f"{self.pick(_GENERAL['modal'])} {base} {rest}" if planned else f"{past} {rest}"

    def sentence(self) -> str:
        scene, subject, action = self.scene, self.subject(), self.action()
        where = f" {self.pick(scene['where'])}"
        frame = self.below(8)
        if frame == 0:
            return f"{subject} {action}{where} {self.pick(_GENERAL['end'])}"
        if frame == 1:
            return f"{self.pick(_GENERAL['front'])} {subject} {action}{where}"
        if frame == 2:
            return f"{subject} {action}{where} because {self.pick(scene['why'])}"
        if frame == 3:
            return f"{subject} {action}{where} while {self.pick(scene['while'])}"
        if frame == 4:
            return f"after {self.pick(scene['after'])}, {subject} {action}{where}"
        if frame == 5:
            return f"while {self.pick(scene['while'])}, {subject} {action}{where}"
        if frame == 6:
            return f"{self.pick(_GENERAL['front'])} {subject} {action}"
        return f"{subject} {action} {self.pick(_GENERAL['end'])} because {self.pick(scene['why'])}"


def make_sentence(rng: np.random.Generator) -> str:
    """One sentence with a capital letter and a full stop.

    Example:
        >>> make_sentence(np.random.default_rng(3)).endswith(".")
        True
    """
    text = _Writer(rng).sentence()
    return f"{text[0].upper()}{text[1:]}."
