"""The standings of all node identities, over reconnects, in a bounded table."""

from collections import OrderedDict

from idleclaw_server.standing import Standing


class Standings:
    """At most `limit` records, for as long as the process lives.

    At the bound the one seen longest ago is forgotten among those that are spotless: forgetting
    such a one gains its node nothing. A bad record goes only where all are bad, so nobody sheds
    theirs by inventing identities.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: OrderedDict[bytes, Standing] = OrderedDict()
        self._bad: OrderedDict[bytes, Standing] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen) + len(self._bad)

    def of(self, identity: bytes) -> Standing:
        """Return the record of an identity, a new one where it is not known."""
        standing = self._seen.get(identity) or self._bad.get(identity) or Standing()
        self.keep(identity, standing)
        return standing

    def keep(self, identity: bytes, standing: Standing) -> None:
        """Remember a record as the one seen last."""
        self._bad.pop(identity, None)
        self._seen[identity] = standing
        self._seen.move_to_end(identity)
        while len(self) > self._limit:
            self._forget_one()

    def _forget_one(self) -> None:
        if not self._seen:
            self._bad.popitem(last=False)
            return
        identity, oldest = self._seen.popitem(last=False)
        if not oldest.is_spotless:
            self._bad[identity] = oldest
