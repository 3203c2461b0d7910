"""Names under which nodes are shown: stable while the router lives, leading back to nobody."""

import hashlib
import hmac
from collections.abc import Callable
from itertools import count
from typing import Final

_ADJECTIVES: Final = (
    "amber ample apt azure bold brave brief bright brisk calm civil clear cosy crisp dapper deft "
    "eager early easy fair fancy fleet fond frank fresh gentle glad golden grand green happy hardy "
    "humble ivory jolly keen kind lively lofty loyal lucid lucky merry mild mellow neat nimble "
    "noble olive patient plain plucky polite proud quick quiet ready rosy royal ruby rustic sandy "
    "serene sharp shiny silent silver sleek smart snowy solid spry steady stout sunny swift tidy "
    "tranquil true velvet violet warm wise witty young zesty"
).split()
_ANIMALS: Final = (
    "ant auk bat bear beaver bee bison boar bream carp cat civet clam cod coot crab crane cricket "
    "crow cub deer dingo dove duck eagle eel egret elk emu ermine falcon ferret finch fox frog "
    "gecko goat goose grouse gull hare hawk heron horse ibex ibis jay kite kiwi koala lamb lark "
    "lemur llama lobster loon lynx magpie marten mink mole moose moth mouse newt otter owl ox "
    "panda perch pika plover pony puffin quail rabbit ram raven robin rook seal shrew skunk sloth "
    "snail sparrow squid stoat stork swan tapir teal tern thrush toad trout vole wasp weasel wren"
).split()


class AliasBook:
    """Turns node_ids into two words and a number, by a key that only this process knows.

    The same node_id always gets the same alias from the same book; without `key` (any bytes) it
    cannot be computed, so an alias tells nothing about a node_id.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def alias(self, node_id: str, taken: Callable[[str], bool] = lambda name: False) -> str:
        """Return for example "amber-otter-417", one that is not `taken`.

        Some eight million exist: a second choice is rarely needed, but a thousand nodes have two
        that would share one about every twentieth time.
        """
        names = (self._name(node_id, choice) for choice in count())
        return next(name for name in names if not taken(name))

    def _name(self, node_id: str, choice: int) -> str:
        secret = hmac.new(self._key, node_id.encode("utf-8", "replace"), hashlib.sha256)
        secret.update(b"\0%d" % choice if choice else b"")
        number = int.from_bytes(secret.digest()[:8], "big")
        number, adjective = divmod(number, len(_ADJECTIVES))
        number, animal = divmod(number, len(_ANIMALS))
        return f"{_ADJECTIVES[adjective]}-{_ANIMALS[animal]}-{number % 900 + 100}"
