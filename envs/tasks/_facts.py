"""Common-sense questions for `rationale_generation`, each with a background that helps.

One block per kind of answer; the answers of a block are each other's wrong options. A line is
``answer | question | background``; the background says what one must know, names no answer of its
block, and is the witness. After a third bar stand answers of the block that are no wrong option of
this question: the embedded student does not tell them apart with the background, or does so as well
without it (`tests/envs/test_rationale_student.py` measures this again). An answer without a
question is a wrong option only: with its question, the student needed no background.
"""

FACTS = """
tool
umbrella
knife | What does a cook use to cut bread? | Bread is cut into slices with a sharp blade that has a handle. | hammer key ladder needle scissors clock pencil rope saw oven compass
hammer | What does a carpenter use to drive a nail into wood? | A nail goes into the wood when somebody hits it with a heavy metal head on a handle. | knife broom needle shovel mirror scissors clock bucket saw thermometer
broom | What do people use to sweep the floor? | Dust on the floor is moved with a long stick that has stiff hairs at its end.
key
ladder | What does a painter climb to reach the roof? | The roof is high, so a painter goes up two long poles with many steps between them. | broom scissors clock rope bucket saw compass
needle | What does a tailor use to sew a shirt? | To sew, a tailor pulls the thread through the cloth with a thin pointed piece of metal that has a hole. | knife hammer broom shovel mirror scissors clock rope bucket saw telescope thermometer
shovel | What does a gardener use to dig a hole? | To dig, gardeners push a broad metal blade into the earth with one foot and lift the soil. | knife hammer broom ladder needle scissors clock rope saw oven
candle | What do people light when the lamps fail at night? | When the lamps fail, people burn a stick of wax with a wick in the middle. | broom needle scissors pencil thermometer
mirror | What does a man look into when he shaves his face? | The face of a man appears in a flat piece of glass that sends back the light. | hammer broom ladder candle scissors clock pencil rope saw telescope oven compass
scissors | What does a barber use to cut hair? | Barbers cut hair with two blades that are joined in the middle and have holes for the fingers. | hammer broom ladder mirror clock rope bucket saw compass
clock | What do people look at to know the time? | The time is shown by two hands that move around a circle with twelve numbers. | umbrella ladder needle candle scissors pencil rope bucket saw telescope
pencil | What does a child use to draw a picture on paper? | Children draw lines on paper with a thin wooden stick that is filled with graphite. | rope thermometer
rope | What does a sailor use to tie a boat to the dock? | Sailors tie a boat with a long thick cord that is made of twisted fibers.
bucket | What does a farmer carry water in? | Farmers carry water in a round open container that has a handle over the top. | umbrella hammer broom ladder shovel scissors clock rope telescope oven compass
saw | What does a man use to cut a tree into boards? | Trees are cut into boards with a long metal blade that has many sharp teeth. | ladder shovel mirror scissors clock rope
telescope | What does a scientist use to look at the stars? | The stars are far away, so scientists look through a long tube with lenses that makes distant things larger. | umbrella hammer ladder needle mirror scissors clock rope bucket saw
thermometer | What does a nurse use to measure a fever? | A fever is measured with a thin glass tube that shows the temperature of the body.
oven | What does a baker bake bread in? | Bread bakes inside a hot closed box in the kitchen that is heated by gas or electricity. | candle scissors clock saw
compass | What does a hiker use to find north? | A hiker finds north with a small round device in which a magnetic pointer always turns to the pole. | hammer broom needle mirror scissors clock rope

place
library | Where do people go to borrow books? | Books are kept on many shelves in a quiet public building, and people borrow them for some weeks. | museum theater stadium garage
hospital | Where do people go when they break a leg? | Doctors and nurses treat a broken leg in a large building with many beds for sick people.
bakery | Where do people buy fresh bread in the morning? | Bread is made and sold in a shop with large ovens, and it smells of cakes and rolls. | theater
airport | Where do people go to get on a plane? | Planes need long runways, and travelers show a passport before they fly. | theater stadium hotel desert
beach | Where do children build castles of sand? | Sand lies beside the sea, where the waves reach the shore and people swim in the summer. | stadium desert
farm | Where do cows and pigs live? | Cows and pigs are kept in barns and fields in the country, where people grow crops too. | bakery stadium forest kitchen
school | Where do children learn to read and write? | Children learn from teachers, who write on a board in a room with many small desks. | library bakery theater stadium kitchen garage
bank | Where do people keep their money safe? | Money is kept in a strong vault in a building where people save and get loans. | library hospital bakery airport farm museum zoo theater stadium forest garage pharmacy hotel desert
museum
zoo | Where do families go to see lions and elephants? | Lions and elephants live in cages and enclosures in a park where visitors look at wild animals. | stadium
theater | Where do people go to watch a play? | A play is performed by actors on a stage in front of an audience.
church | Where do people go to pray on Sunday? | On Sunday, people pray and sing with a priest in a building with a tower and bells. | library hospital bakery airport school museum zoo theater stadium restaurant forest kitchen garage hotel
stadium | Where do thousands of fans watch a football match? | Thousands of fans sit in rows around a large field, where two teams play against each other. | theater
restaurant | Where do people go to eat a meal that others cook? | A waiter brings the meal to a table, and the guests pay the bill after they eat. | library bakery airport theater stadium kitchen garage hotel
forest | Where do deer and owls live among the trees? | Deer and owls hide where many trees grow close together and the ground is covered with moss. | library bakery airport beach farm museum zoo theater church stadium garage pharmacy hotel desert
kitchen | Where do people cook dinner at home? | Dinner is prepared in the room of the house with a stove, a sink and a fridge. | library bakery theater garage
garage | Where do people park the car at home? | The car stands in a small building beside the house, where people also keep tools and tires. | library bakery farm museum zoo theater church stadium forest kitchen desert
pharmacy
hotel | Where do tourists sleep when they travel? | Tourists pay for a clean bed in a large building with many rooms for guests. | airport theater stadium garage desert
desert | Where do camels live without much water? | Camels walk through a dry and hot land of sand, where it almost never rains.

animal
cow | Which animal gives us milk for cheese? | Milk comes from a large farm animal that eats grass and has horns and an udder.
bee | Which animal makes honey? | Honey is made by small insects that fly from flower to flower and live in a hive.
camel | Which animal carries people through the desert? | People ride through the desert on a tall animal with a hump that needs little water. | cow elephant kangaroo
spider | Which animal catches flies in a web? | A web is spun of silk by a small creature with eight legs that waits for flies.
hen | Which animal lays the eggs that we eat for breakfast? | Eggs come from a bird with feathers and a red comb that lives on a farm and cannot fly far. | cow bee spider penguin kangaroo owl shark sheep horse bear frog butterfly
elephant | Which animal has a long trunk? | A trunk is the very long nose of the largest animal on land, which has big ears and tusks. | kangaroo bear
penguin | Which animal swims well, wears black and white, and cannot fly? | This bird cannot fly, but it swims in the icy sea of Antarctica and walks upright on the ice.
kangaroo | Which animal carries its baby in a pouch? | In Australia, a pouch on the belly holds the baby of an animal that jumps on strong legs.
owl | Which animal hunts mice at night and flies without a sound? | At night, a bird with large round eyes flies silently and hunts mice in the dark. | bee spider elephant penguin kangaroo bear frog
shark
snake | Which animal moves over the ground without legs? | A long reptile with scales has no legs and slides over the ground on its belly. | kangaroo frog
sheep | Which animal gives us wool? | Wool is the thick curly coat of a farm animal that lives in flocks and is shorn in the spring. | cow hen owl
horse | Which animal do people ride with a saddle? | A saddle is put on the back of a strong animal with hooves and a mane that gallops and neighs. | cow bee sheep bear
monkey | Which animal swings from tree to tree? | An animal with long arms and clever hands swings through the jungle and eats bananas. | cow elephant kangaroo snake bear frog
bear | Which animal sleeps in a cave all winter? | In winter, a large furry animal sleeps in its cave after it ate fish, berries and honey. | bee kangaroo
frog | Which animal was a tadpole when it was young? | A tadpole grows legs and becomes a small green animal that jumps and croaks near a pond. | cow bee spider elephant kangaroo owl snake sheep bear dog
dog | Which animal guards the house and barks at strangers? | Strangers are greeted with loud barks by a loyal pet that is walked on a leash. | cow elephant kangaroo sheep horse bear
cat
turtle
butterfly

job
doctor | Who do people visit when they are sick? | Sick people need somebody who examines them, finds the illness and writes a note for medicine. | lawyer plumber painter butcher nurse waiter judge
teacher | Who explains the lesson to the class? | A class of students sits at school and listens to an adult who gives them homework and grades. | lawyer plumber judge
baker | Who makes bread before the sun rises? | Bread dough is kneaded and put into the oven early in the morning by a person covered with flour. | doctor teacher pilot dentist lawyer plumber painter butcher tailor nurse waiter judge barber
pilot
farmer | Who grows wheat and keeps cows? | Wheat and cows need a person who works in the fields, drives a tractor and lives in the country. | teacher pilot dentist lawyer plumber painter nurse judge barber
firefighter | Who comes when a house burns? | When a house burns, people arrive in a red truck, climb ladders and spray water on the flames. | doctor pilot farmer dentist lawyer plumber painter butcher nurse judge barber astronaut
dentist | Who looks after our teeth? | Teeth with holes are drilled and filled by a person in a white coat who says that we must brush. | doctor teacher pilot firefighter lawyer plumber painter butcher nurse waiter judge gardener barber
lawyer | Who speaks for a person in court? | In court, a person who studied the law speaks for the accused and defends their rights. | teacher plumber
plumber | Who repairs a leaking pipe? | A leaking pipe under the sink is fixed by a person who works with water and drains. | lawyer
painter
butcher
tailor | Who makes a suit that fits? | A suit is measured, cut and sewn from cloth by a person with a needle and thread. | baker farmer plumber painter butcher nurse judge sailor barber
nurse | Who gives medicine to patients at their beds at night? | The patients in a hospital get their pills and clean beds from a kind person who cares for them day and night. | doctor teacher dentist plumber painter judge
waiter
judge | Who decides in court how long a thief goes to prison? | In court, a person in a black robe listens to both sides and decides the punishment.
sailor | Who works on a ship? | A ship on the sea needs people who raise the sails, tie knots and clean the deck. | farmer lawyer plumber painter tailor judge barber
miner | Who digs for coal under the earth? | Coal lies deep under the earth, and people with helmets and lamps dig it out of dark tunnels. | doctor firefighter painter butcher tailor nurse sailor
gardener | Who waters the roses and cuts the hedge? | Roses and hedges need a person who plants seeds, pulls weeds and cuts the grass. | lawyer plumber judge
barber | Who cuts the hair of men? | Men sit in a chair while a person cuts their hair with scissors and shaves their beards. | doctor teacher baker farmer dentist lawyer plumber painter butcher nurse waiter judge sailor gardener
astronaut | Who travels to the moon? | The moon is reached in a rocket by a person in a space suit who floats without gravity. | pilot firefighter lawyer plumber nurse judge sailor barber

food
lemon | Which food makes tea taste sour? | Tea becomes sour from the juice of a yellow fruit that grows on trees in warm countries. | honey apple carrot banana grape fish pumpkin corn coconut
honey | Which food is sweet and comes from a hive? | A hive is full of a thick golden liquid that bees make from flowers.
cheese
rice | Which food grows in flooded fields in China? | Flooded fields in China grow small white grains that are boiled and eaten with chopsticks. | honey bread onion banana potato chocolate grape fish mushroom pumpkin corn coconut pepper
bread | Which food is made from flour and baked in a loaf? | Flour, water and yeast become dough, which is baked and cut into slices for toast and sandwiches.
egg | Which food has a yolk and a shell? | A yolk lies in the white inside a thin shell, and a hen lays it. | honey rice bread onion grape fish mushroom corn
apple
carrot
onion | Which food makes a cook cry? | A cook cries because a round vegetable with many layers stings the eyes when it is cut. | cheese carrot potato grape fish mushroom corn pepper
salt
banana | Which food is yellow and is peeled before monkeys eat it? | Monkeys peel the yellow skin from a long curved tropical fruit that grows in bunches. | honey rice bread grape mushroom corn coconut pepper
potato | Which food do we cut and fry to make chips? | Chips are made from a brown root that grows under the earth and is also mashed or baked. | rice bread carrot grape fish mushroom corn
chocolate | Which food is brown, sweet and made from cocoa? | Cocoa beans are roasted and mixed with sugar to make a brown candy that melts in the mouth. | honey bread potato grape fish mushroom pumpkin corn coconut
grape | Which food is pressed to make wine? | Wine is made from small round juicy fruits that grow in bunches on a vine. | honey
fish | Which food is caught with a net in the sea? | Nets in the sea catch animals with fins and scales, which people grill and eat. | mushroom
mushroom | Which food grows in the forest after rain and has a cap? | After rain, a soft fungus with a cap and a stem grows in the forest.
pumpkin | Which food is hollowed out for Halloween? | For Halloween, children carve faces into a large round orange vegetable and put a light inside. | carrot potato grape mushroom
corn | Which food becomes popcorn when it is heated? | Popcorn is made from yellow kernels that grow on a cob in tall green fields.
coconut | Which food has a hard brown shell and white milk? | A hard shell with white flesh and sweet milk falls from palm trees on tropical islands. | honey rice banana grape fish corn pepper
pepper | Which food is ground over a meal and makes us sneeze? | A meal gets hot and spicy from small black grains that are ground in a mill. | lemon honey cheese rice bread carrot onion potato grape fish mushroom corn coconut

clothing
coat
glove | What does a person wear on the hand when it snows? | When it snows, each hand is kept warm by a piece of knitted wool with five fingers. | hat scarf sock tie ring apron pajamas watch
hat | What does a person wear on the head in the sun? | In the sun, the head is covered by a piece of straw or cloth with a brim. | glove sock tie ring helmet apron pajamas watch
boot
scarf | What does a person wear around the neck in the wind? | In the wind, people wrap a long piece of wool around the neck and throat. | glove hat boot sock tie ring apron pajamas watch raincoat
belt | What does a person wear to hold up loose trousers? | Loose trousers are held up by a leather strap with a buckle around the waist. | boot scarf ring apron pajamas raincoat
glasses | What does a person wear to read small letters? | People cannot see small print well, so they put two lenses in a frame on the nose. | apron pajamas
sock
tie
ring
helmet | What does a person wear on the head on a motorcycle? | On a motorcycle, the skull is protected by a hard shell with a strap under the chin. | glove scarf
apron
pajamas
watch | What does a person wear on the wrist to know the hour? | On the wrist, a small device with a strap shows the hour and the minutes. | hat belt glasses apron pajamas swimsuit raincoat
swimsuit
raincoat | What does a person wear to stay dry in a storm? | To stay dry, people put on a long plastic jacket with a hood that keeps the water out. | boot scarf belt glasses ring pajamas watch swimsuit
"""
