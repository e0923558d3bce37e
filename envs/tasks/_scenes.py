"""Everyday scenes: which agents, actions, places and circumstances go together.

One block per scene; everything inside a block fits together. A ``*star*`` marks a word that can be
given (its lemma follows a slash where the lexicon could be in doubt). The first word of an action
is its verb, which can be given too; in the ``while`` lines the last starred word is a verb. Agents
(``who``) and their traits (``how``) are single words that can all be given. ``own`` becomes his,
her or their. An indented line continues the one above.
"""

SCENES = """
kitchen
who: chef; mother; grandmother; girl; baker; father
how: hungry; busy; happy; careful; tired
does: chop the *onion* with a *knife*; stir the *soup* with a *spoon*;
  bake a *cake* in the *oven*; wash the *dishes/dish* in the *sink*; peel a *potato*;
  mix the *flour* with *butter*; fry an *egg* in the *pan*
where: in the *kitchen*; near the *stove*; at the *counter*
extra: before *dinner*; for the *family*; with a *smile*; after *school*
while: the *kettle* *whistle*; the *radio* *play*; the *water* *boil*

beach
who: child; girl; boy; man; woman; tourist
how: young; happy; cheerful; excited; relaxed
does: build a *castle* with a *bucket*; throw the *frisbee* to a *friend*;
  collect *shells* in a *bag*; carry an *umbrella*; fill the *bucket* with *sand*;
  eat a *sandwich* on the *towel*; fly a *kite*
where: on the *beach*; beside the *ocean*; near the *rocks*
extra: in the *sunshine*; during the *holiday*; before *lunch*; with a *smile*
while: the *waves* *crash*; the *seagulls* *circle*; the *surfers* *wait*

park
who: dog; puppy; boy; girl; child
how: playful; young; little; excited; happy
does: chase a *ball* around the *tree*; catch the *stick*;
  follow a *squirrel* through the *leaves/leaf*; watch a *butterfly*;
  find the *toy* under a *bench*; drop the *frisbee*
where: in the *park*; near the *fountain*; along the *path*; by the *pond*
extra: in the *afternoon*; after the *rain*; on a sunny *day*
while: the *birds* *sing*; the *owner* *rest*; the *ducks* *swim*

farm
who: farmer; woman; girl; worker; man
how: tired; strong; busy; happy; patient
does: carry a *basket* across the *field*; feed the *cows*; milk a *goat* with cold *hands*;
  drive the *tractor* along the *road*; collect the *eggs* in a *basket*;
  load the *hay* onto a *wagon*; paint the *gate*
where: near the *barn*; on the *farm*; beside the *fence*
extra: in the *morning*; before *breakfast*; with a *helper*
while: the *rooster* *crow*; the *horses* *graze*; the *sun* *rise*

classroom
who: teacher; student; boy; girl; pupil
how: quiet; nervous; clever; curious; patient
does: write the *answer* on the *board*; read a *story* from a *book*;
  ask a *question* about the *map*; draw a *picture* with a *pencil*;
  solve the *problem* on *paper*; count the *coins*; explain the *lesson*
where: in the *classroom*; at the *desk*; near the *window*
extra: before the *test*; after the *break*; for the *class*
while: the *clock* *tick*; the *principal* *watch*; the *rain* *fall*

soccer
who: player; boy; girl; captain; striker
how: fast; young; tired; nervous; proud
does: kick the *ball* into the *net*; pass the *ball* to a *teammate*; score a *goal*;
  tie own *shoes/shoe*; follow the *referee*; lift the *trophy* above own *head*
where: on the *field*; near the *goalpost*; in the *stadium*
extra: in the *rain*; during the *match*; after the *whistle*
while: the *crowd* *cheer*; the *coach* *shout*; the *fans* *clap*

concert
who: singer; musician; guitarist; girl; man
how: famous; nervous; young; proud; talented
does: play a *song* on the *guitar*; hold the *microphone* with one *hand*; tune the *violin*;
  perform a *melody* on the *piano*; sing a *tune* for a *friend*; thank the *band*
where: on the *stage*; in the *theater*; in the *hall*
extra: during the *concert*; after the *show*; with great *joy*
while: the *audience* *clap*; the *lights* *flash*; the *drummer* *count*

forest
who: hiker; hunter; boy; girl; ranger
how: brave; tired; quiet; curious; lost
does: follow a *trail* with a *map*; gather *wood* for the *fire*; climb the *tree*;
  watch a *deer* through the *branches/branch*; pick *mushrooms* with a *knife*;
  cross the *stream*; photograph an *owl*
where: in the *forest*; near the *cabin*; beside the *river*
extra: at *dawn*; in the *autumn*; with a *backpack*
while: the *leaves/leaf* *fall*; the *wolf* *howl*; the *wind* *blow*

street
who: man; woman; boy; tourist; musician
how: busy; young; polite; tall; tired
does: cross the *road* with a *dog*; ride a *bicycle* past the *shop*; hail a *taxi*;
  push a *cart* along the *sidewalk*; buy a *newspaper* from the *vendor*; carry an *umbrella*;
  sell *flowers* from a *truck*
where: in the *city*; near the *corner*; in front of the *bank*
extra: in the *evening*; before *work*; during the *storm*
while: the *cars* *honk*; the *crowd* *wait*; the *snow* *fall*

mountain
who: skier; boy; girl; man; woman
how: brave; fast; young; happy; skilled
does: ski down the *slope* with a *friend*; climb the *hill* with a *rope*; jump over a *ramp*;
  wear a *helmet* on own *head*; pull a *sled* through the *snow*;
  carry the *poles* on own *shoulder*
where: on the *mountain*; near the *lodge*; above the *valley*
extra: in the *winter*; after the *lesson*; before *sunset*
while: the *wind* *howl*; the *instructor* *watch*; the *sun* *shine*

office
who: woman; man; manager; secretary; worker
how: busy; tired; polite; young; patient
does: type a *letter* on the *computer*; answer the *phone* with a *smile*; print the *report*;
  sign the *contract* with a *pen*; drink *coffee* from a *cup*; organize the *files*;
  send an *email* to a *customer*
where: in the *office*; at the *desk*; near the *printer*
extra: before the *meeting*; in the *morning*; for the *boss*
while: the *boss* *talk*; the *rain* *fall*; the *visitor* *wait*

garden
who: gardener; woman; grandfather; girl; neighbor
how: careful; happy; busy; patient; kind
does: plant the *seeds* in the *soil*; water the *flowers* with a *hose*;
  dig a *hole* with a *shovel*; cut the *grass* with a *mower*;
  pick *tomatoes/tomato* for a *salad*; rake the *leaves/leaf*; trim the *hedge*
where: in the *garden*; beside the *fence*; behind the *house*
extra: in the *spring*; after *breakfast*; on a sunny *day*
while: the *bees* *buzz*; the *cat* *sleep*; the *birds* *sing*

harbor
who: sailor; captain; fisherman; man; boy
how: strong; brave; tired; patient; happy
does: tie the *boat* to the *dock* with a *rope*; raise the *sail*; catch a *fish* with a *net*;
  clean the *deck* with a *mop*; load the *boxes/box* onto a *ship*; repair the *engine*;
  paint the *anchor*
where: in the *harbor*; near the *lighthouse*; on the *water*
extra: at *dawn*; before the *storm*; for the *captain*
while: the *gulls/gull* *circle*; the *waves* *splash*; the *tourists* *stare*

home
who: mother; father; boy; girl; brother
how: tired; happy; sleepy; busy; kind
does: fold the *laundry* on the *bed*; watch a *movie* with a *friend*; vacuum the *carpet*;
  read a *book* to the *baby*; light a *candle* with a *match*; set the *table* with *plates*;
  hang a *picture*
where: in the *bedroom*; at *home*; near the *sofa*
extra: in the *evening*; before *bed*; after the *party*
while: the *cat* *sleep*; the *rain* *fall*; the *baby* *nap*

market
who: woman; man; farmer; vendor; cook
how: friendly; busy; young; cheerful; honest
does: sell *vegetables* from a *stall*; buy *bread* with a *coin*;
  weigh the *apples* on a *scale*; choose a *melon* from the *pile*; taste the *cheese*;
  carry the *bags* to the *car*; arrange the *oranges*
where: at the *market*; in the *square*; near the *entrance*
extra: on *Saturday/saturday*; for a *neighbor*; before *noon*
while: the *shoppers* *wait*; the *musician* *sing*; the *pigeons* *gather*

camp
who: camper; boy; girl; scout; father
how: cold; happy; hungry; excited; young
does: roast a *marshmallow* over the *fire*; pitch the *tent* under a *tree*;
  tell a *story* about a *ghost*; gather *sticks* with a *friend*; cook *beans* in a *pot*;
  light the *lantern*; unroll a *blanket*
where: in the *woods/wood*; beside the *lake*; near the *trail*
extra: at *night*; during the *summer*; after the *hike*
while: the *stars* *shine*; the *owl* *hoot*; the *flames* *flicker*

hospital
who: doctor; nurse; surgeon; woman; man
how: kind; calm; tired; gentle; busy
does: examine the *patient* with a *light*; bandage the *arm*;
  check the *heart* with an *instrument*; give a *pill* to the *child*;
  push the *wheelchair* through the *hallway*; write a *note* about the *medicine*;
  hold the *baby*
where: in the *hospital*; beside the *bed*; at the *clinic*
extra: before the *operation*; during the *night*; with *care*
while: the *visitor* *wait*; the *machine* *beep*; the *parents* *sleep*

station
who: passenger; traveler; woman; man; soldier
how: late; tired; patient; nervous; young
does: board the *train* with a *suitcase*; buy a *ticket* from the *clerk*;
  read a *newspaper* on the *bench*; hug a *friend*; drag the *luggage* along the *platform*;
  check the *schedule*; lose a *hat*
where: at the *station*; on the *platform*; near the *stairs/stair*
extra: in the *morning*; before the *trip*; during the *strike*
while: the *conductor* *shout*; the *bell* *ring*; the *children* *wave*

airport
who: pilot; traveler; woman; man; family
how: tired; excited; nervous; polite; calm
does: carry a *suitcase* to the *gate*; show the *passport* to an *officer*;
  watch a *plane* through the *window*; find the *seat*; drink *juice* from a *cup*;
  greet the *guest* with a *sign*
where: at the *airport*; in the *lounge*; near the *exit*
extra: before the *flight*; after the *holiday*; with a *smile*
while: the *engines* *roar*; the *crew* *wait*; the *baby* *cry*

restaurant
who: waiter; waitress; cook; owner; man
how: polite; busy; friendly; tired; hungry
does: serve the *soup* in a *bowl*; pour *wine* into a *glass*; carry a *tray* with one *hand*;
  eat a *steak* with a *fork*; order *dessert* from the *menu*; clean the *table* with a *cloth*;
  pay the *bill*
where: in the *restaurant*; near the *door*; on the *terrace*
extra: in the *evening*; for a *guest*; after *work*
while: the *pianist* *play*; the *candles* *burn*; the *customers* *chat*

lake
who: fisherman; boy; girl; man; woman
how: patient; quiet; happy; lucky; old
does: catch a *fish* with a *rod*; row the *boat* toward the *island*;
  throw a *stone* into the *water*; feed the *ducks* with *bread*; paddle a *canoe*;
  watch the *swans* through *binoculars*
where: on the *lake*; near the *shore*; by the *bridge*
extra: at *sunrise*; in the *summer*; with a *brother*
while: the *frogs* *croak*; the *fog* *rise*; the *dragonflies/dragonfly* *hover*

library
who: student; librarian; girl; boy; writer
how: quiet; curious; serious; young; sleepy
does: read a *book* at the *table*; borrow a *novel* for a *friend*; return the *magazine*;
  study the *map* with a *pencil*; place the *dictionary* on a *shelf*;
  copy a *page* into a *notebook*
where: in the *library*; near the *window*; in the *corner*
extra: before the *exam*; after *school*; during the *afternoon*
while: the *clock* *tick*; the *children* *whisper*; the *rain* *fall*

playground
who: child; girl; boy; toddler; brother
how: happy; little; brave; excited; shy
does: climb the *ladder* to the *slide*; push the *swing* with both *hands*;
  dig a *hole* in the *sand*; throw a *ball* over the *fence*; chase a *friend* around the *tree*;
  ride a *scooter*; share the *toy* with a *sister*
where: on the *playground*; near the *school*; in the *sandbox*
extra: after *lunch*; during *recess*; on a sunny *day*
while: the *parents* *chat*; the *teacher* *watch*; the *dog* *bark*

pool
who: swimmer; girl; boy; athlete; lifeguard
how: strong; fast; young; brave; wet
does: swim toward the *ladder* with a *friend*; throw the *ball* to a *teammate*;
  wear *goggles/goggles* over own *eyes*; dry own *hair* with a *towel*; grab the *rope*; save a *child*
where: in the *pool*; near the *board*; beside the *bench*
extra: during the *race*; in the *summer*; before the *lesson*
while: the *coach* *watch*; the *crowd* *cheer*; the *water* *splash*

snow
who: boy; girl; child; father; sister
how: cold; happy; playful; young; excited
does: build a *snowman* with a *carrot*; throw a *snowball* at a *friend*; shovel the *driveway*;
  pull a *sled* up the *hill* with a *rope*; wear a *scarf* around own *neck*;
  catch a *snowflake* with own *tongue*; drink *cocoa* from a *mug*
where: in the *yard*; near the *house*; on the *street*
extra: in the *winter*; after the *storm*; with bare *hands*
while: the *wind* *blow*; the *neighbor* *watch*; the *lights* *glow*

wedding
who: bride; groom; woman; man; guest
how: happy; proud; nervous; elegant; young
does: cut the *cake* with a *knife*; throw the *bouquet* over own *shoulder*;
  wear a *dress* with *lace*; dance with a *cousin*; raise a *glass*;
  place the *ring* on a *finger*; kiss the *baby*
where: at the *wedding*; in the *church*; in the *garden*
extra: after the *ceremony*; before the *dinner*; with *joy*
while: the *band* *play*; the *guests/guest* *clap*; the *photographer* *kneel*

birthday
who: girl; boy; child; aunt; friend
how: happy; excited; shy; young; cheerful
does: blow out the *candles* on the *cake*; open a *present* with a *bow*;
  pop a *balloon* with a *pin*; eat *ice* with a *spoon*; wear a *hat* made of *paper*;
  sing a *song*; hug the *clown*
where: at the *party*; near the *table*; in the *kitchen*
extra: on a *birthday*; with a *smile*; before the *games*
while: the *guests* *laugh*; the *music* *play*; the *camera* *flash*

zoo
who: boy; girl; keeper; visitor; woman
how: curious; excited; careful; young; brave
does: feed the *giraffe* with *leaves/leaf*; photograph a *lion* through the *glass*;
  watch the *monkeys* in the *cage*; wash the *elephant* with a *hose*;
  clean the *pen* with a *broom*; draw a *zebra* on *paper*; pet a *rabbit*
where: at the *zoo*; behind the *fence*; near the *gate*
extra: in the *afternoon*; during the *visit*; for the *class*
while: the *tiger* *sleep*; the *parrots* *scream*; the *bear* *growl*

workshop
who: carpenter; man; woman; worker; apprentice
how: careful; skilled; strong; busy; patient
does: hit the *nail* with a *hammer*; cut the *board* with a *blade*; build a *chair* from *wood*;
  measure the *table* with a *ruler*; paint the *shelf* with a *brush*; sharpen the *tool*;
  drill a *hole* into the *wall*
where: in the *workshop*; near the *bench*; in the *garage*
extra: for a *customer*; before *lunch*; with *gloves*
while: the *radio* *play*; the *dust* *settle*; the *dog* *watch*

garage
who: mechanic; man; woman; driver; father
how: dirty; skilled; busy; patient; strong
does: repair the *engine* with a *wrench*; change the *tire* of a *car*;
  wash the *truck* with a *sponge*; lift the *hood*; fill the *tank* with *oil*;
  test the *brakes*; push the *motorcycle* up a *ramp*
where: in the *garage*; at the *shop*; on the *driveway*
extra: for a *customer*; in the *morning*; after the *accident*
while: the *owner* *wait*; the *radio* *play*; the *phone* *ring*

studio
who: artist; painter; woman; student; man
how: creative; quiet; young; patient; famous
does: paint a *portrait* with a *brush*; mix the *colors* on a *plate*;
  draw a *flower* with a *pencil*; shape the *clay* into a *vase*; hang the *picture* on a *wall*;
  sketch the *model*; wash the *brushes/brush*
where: in the *studio*; near the *window*; at the *easel*
extra: for the *exhibition*; in the *afternoon*; with great *care*
while: the *music* *play*; the *light* *fade*; the *cat* *sleep*

dance
who: dancer; ballerina; girl; woman; boy
how: graceful; young; nervous; talented; proud
does: practice a *step* in front of a *mirror*; wear a *costume* with *ribbons*;
  tie own *shoes/shoe* with a *knot*; lift the *partner* above the *floor*;
  learn a *routine* from the *teacher*; wave a *scarf*
where: on the *stage*; in the *studio*; in the *hall*
extra: before the *show*; during the *class*; with a *smile*
while: the *music* *play*; the *crowd* *clap*; the *pianist* *count*

baseball
who: player; boy; girl; pitcher; catcher
how: young; fast; strong; nervous; proud
does: hit the *ball* over the *fence*; throw the *ball* to the *base*; slide into the *dirt*;
  wear a *glove* on own *hand*; chew *gum*; adjust own *cap*; swing the *bat* with *power*
where: on the *field*; at the *stadium*; near the *fence*
extra: during the *game*; in the *summer*; after the *signal*
while: the *crowd* *cheer*; the *umpire* *watch*; the *coach* *yell*

gym
who: man; woman; athlete; trainer; boxer
how: strong; tired; fit; young; serious
does: lift a *weight* above own *head*; punch the *bag* with both *fists*;
  stretch own *legs* on a *mat*; run on the *treadmill* with a *friend*;
  drink *water* from a *bottle*; jump over a *rope*; wipe own *face* with a *towel*
where: in the *gym*; near the *mirror*; on the *floor*
extra: before *work*; in the *evening*; after the *warmup*
while: the *music* *play*; the *coach* *count*; the *fan* *spin*

barbecue
who: father; uncle; man; neighbor; cook
how: hungry; cheerful; busy; happy; proud
does: grill the *meat* over the *coals*; flip the *burger* with a *spatula*;
  pour *sauce* onto the *plate*; open a *bottle* for a *friend*; cut the *melon* with a *knife*;
  light the *charcoal*; toast the *bun*
where: in the *backyard*; near the *fence*; on the *patio*
extra: on *Sunday/sunday*; for the *guests*; in the *summer*
while: the *kids* *play*; the *smoke* *rise*; the *dog* *wait*

bakery
who: baker; woman; man; boy; helper
how: busy; cheerful; sleepy; young; careful
does: knead the *dough* with both *hands*; slice the *bread* with a *knife*;
  decorate a *cake* with *cream*; sprinkle *sugar* over the *cookies*;
  fill the *basket* with *rolls*; sell a *muffin* to a *child*; open the *oven*
where: in the *bakery*; at the *counter*; near the *window*
extra: before *sunrise*; for a *customer*; in the *morning*
while: the *timer* *ring*; the *customers/customer* *wait*; the *pies* *cool*

river
who: boy; girl; fisherman; hiker; woman
how: brave; careful; wet; young; happy
does: cross the *stream* with a *stick*; paddle a *kayak* between the *rocks*;
  skip a *stone* over the *water*; fill a *bottle*; catch a *trout* with a *net*;
  wash the *shirt* with *soap*; steer the *raft*
where: on the *river*; near the *waterfall*; under the *bridge*
extra: in the *spring*; at *noon*; with a *friend*
while: the *current* *rush*; the *dog* *bark*; the *birds* *dive*

ranch
who: cowboy; rancher; woman; boy; rider
how: brave; tired; strong; young; skilled
does: ride a *horse* through the *dust*; throw a *rope* around the *bull*;
  brush the *pony* with both *hands*; lead the *cattle* to the *river*; fix the *saddle*;
  repair the *gate* with a *hammer*; load *hay* onto the *truck*
where: on the *ranch*; near the *stable*; beside the *corral*
extra: at *sunset*; before *supper*; during the *rodeo*
while: the *wind* *blow*; the *dog* *bark*; the *calves/calf* *rest*

store
who: woman; man; clerk; customer; mother
how: polite; busy; friendly; tired; young
does: push the *cart* past the *shelves/shelf*; choose a *shirt* from the *rack*;
  pay the *cashier* with *cash*; try a *jacket*; scan the *milk*;
  pack the *groceries* into a *bag*; compare the *price* of two *phones*
where: in the *store*; at the *mall*; near the *register*
extra: on *Friday/friday*; during the *sale*; before the *holiday*
while: the *baby* *cry*; the *line* *grow*; the *manager* *watch*

desert
who: traveler; man; woman; rider; guide
how: thirsty; tired; brave; patient; lonely
does: cross the *sand* with a *compass*; drink *water* from a *bottle*;
  climb the *dune* with a *stick*; cover own *face* with a *scarf*;
  pitch a *tent* beside the *road*; follow the *tracks*; draw a *map*
where: in the *desert*; near the *oasis*; under the *sun*
extra: at *noon*; during the *journey*; before the *storm*
while: the *wind* *blow*; the *snake* *sleep*; the *camels/camel* *rest*

fire
who: firefighter; man; woman; chief; volunteer
how: brave; strong; tired; calm; quick
does: spray the *flames* with a *hose*; climb the *ladder* to the *roof*;
  rescue a *cat* from the *tree*; break the *window* with an *axe*;
  carry a *child* through the *smoke*; drive the *truck*; wear a *helmet*
where: at the *station*; near the *building*; on the *street*
extra: during the *fire*; at *night*; before *dawn*
while: the *sirens* *wail*; the *neighbors/neighbor* *watch*; the *alarm* *ring*

orchard
who: farmer; girl; boy; woman; worker
how: happy; busy; hungry; young; careful
does: pick an *apple* from the *tree*; fill the *basket* with *cherries/cherry*;
  climb a *ladder* with a *bucket*; shake the *branch*; taste a *pear*;
  carry the *crate* to the *truck*; sort the *plums*
where: in the *orchard*; near the *barn*; along the *path*
extra: in the *autumn*; during the *harvest*; for a *pie*
while: the *bees* *buzz*; the *sun* *set*; the *crows* *wait*

laundry
who: woman; man; mother; student; girl
how: tired; busy; careful; neat; bored
does: wash the *shirt* with *soap*; hang the *sheets* on the *line*;
  iron a *dress* on the *board*; fold the *towel* beside a *basket*;
  fill the *machine* with *clothes/clothes*; sew a *button* onto the *coat*; dry the *socks*
where: in the *basement*; behind the *house*; near the *window*
extra: in the *morning*; on *Monday/monday*; before the *trip*
while: the *dryer* *hum*; the *kids* *play*; the *wind* *blow*

rain
who: girl; boy; man; woman; mailman
how: wet; cold; cheerful; young; unlucky
does: hold an *umbrella* over own *head*; jump over a *puddle*; wear *boots* with a *raincoat*;
  splash *mud* onto the *coat*; close the *window* of the *car*;
  deliver a *letter* to a *neighbor*; chase a *hat*
where: in the *rain*; on the *sidewalk*; near the *bus*
extra: in the *autumn*; after *school*; during the *storm*
while: the *thunder* *rumble*; the *dog* *shiver*; the *drops* *fall*

science
who: scientist; student; woman; man; teacher
how: curious; careful; young; clever; serious
does: pour the *liquid* into a *bottle*; examine a *leaf* with a *lens*;
  heat the *tube* over a *flame*; weigh the *powder* on a *scale*;
  record the *result* in a *notebook*; clean the *glass*; study an *insect* with a *microscope*
where: in the *laboratory*; at the *table*; near the *sink*
extra: during the *experiment*; for the *lecture*; before *lunch*
while: the *computer* *hum*; the *class* *watch*; the *timer* *beep*

circus
who: clown; juggler; man; woman; acrobat
how: funny; brave; skilled; young; colorful
does: juggle three *balls* with one *hand*; ride a *bicycle* across the *rope*;
  throw a *pie* at a *friend*; balance a *plate* on own *nose*;
  lead the *elephant* with a *stick*; wear a *wig*; open the *cage*
where: at the *circus*; in the *tent*; under the *lights*
extra: during the *show*; for the *children*; with a *grin*
while: the *crowd* *laugh*; the *lion* *roar*; the *band* *play*

bathroom
who: girl; boy; father; mother; child
how: sleepy; clean; tired; little; careful
does: brush own *teeth/tooth* with *toothpaste*; wash own *hands* with *soap*;
  dry own *hair* with a *towel*; wash own *face* with a *cloth*; comb own *hair*;
  fill the *tub* with *water*; scrub the *floor* with a *sponge*
where: in the *bathroom*; in front of the *mirror*; at the *sink*
extra: before *bed*; in the *morning*; after *breakfast*
while: the *faucet* *drip*; the *radio* *play*; the *brother* *wait*
"""
