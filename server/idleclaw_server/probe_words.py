"""Plain words that every model knows, for questions made at random."""

from typing import Final

ADJECTIVES: Final = (
    "ancient angry black blue brave bright broken brown calm cheap clean clever cold cool curious "
    "dark deep dirty dry empty expensive famous fast friendly funny gentle giant gold golden green "
    "grey happy heavy hidden hot huge hungry kind large late lazy light little lonely long loud "
    "lucky modern narrow new noisy old open orange patient pink polite poor proud purple quick "
    "quiet rare red rich round rusty sad shiny short shy silent silver sleepy slow small smooth "
    "soft square strange strong sweet tall thin tiny tired ugly warm wet white wide wild wise "
    "wooden yellow young"
).split()
NOUNS: Final = (
    "actor apple artist baker basket bear bell bird blanket boat book bottle bowl box bread bridge "
    "bus butterfly button cake camel camera candle car carpet castle cat chair church clock cloud "
    "coat coin cousin cow cup dancer desk doctor dog dolphin donkey door dragon drum duck eagle "
    "elephant engine farmer fence fish flower forest fork fountain fox frog garden giraffe girl "
    "glove goat guitar hammer hat hill horse hotel house island jacket judge key king kitchen kite "
    "ladder lake lamp lawyer lemon letter library lion lobster market mirror monkey moon mountain "
    "museum nurse ocean onion owl painter parrot pencil penguin piano pilot pirate planet poet "
    "potato prince pumpkin queen rabbit river road robot rocket sailor school shark sheep ship "
    "shoe shop singer snake soldier spider spoon squirrel station stone street sword table tailor "
    "teacher tiger tower tractor train tree turtle umbrella uncle valley violin wagon waiter whale "
    "window wizard wolf zebra"
).split()
VERBS: Final = (
    "carried dropped followed forgot found greeted heard helped kept left liked lost met missed "
    "noticed painted passed remembered saw surprised visited watched"
).split()
PLACES: Final = "behind beside near outside under".split()
