"""NVIDIA's management library for tests: cards with figures, and calls that a driver refuses."""

from dataclasses import dataclass, field
from types import SimpleNamespace

NOT_SUPPORTED, NOT_FOUND = 3, 6


@dataclass
class Card:
    """A card; memory in bytes, `processes` the load by process id."""

    load: int = 0
    heat: int = 40
    free: int = 8 * 1024**3
    total: int = 8 * 1024**3
    processes: dict[int, int] = field(default_factory=dict)


class FakeNvml:
    """The part of `pynvml` that is used; names are that library's."""

    NVML_TEMPERATURE_GPU = 0
    NVML_ERROR_NOT_FOUND = NOT_FOUND

    class NVMLError(Exception):
        def __init__(self, value: int) -> None:
            super().__init__(value)
            self.value = value

    def __init__(self, *cards: Card) -> None:
        self.cards = list(cards)
        self.refuses: set[str] = set()
        self.asked_since: list[int] = []

    def _check(self, call: str) -> None:
        if call in self.refuses:
            raise self.NVMLError(NOT_SUPPORTED)

    def nvmlInit(self) -> None:
        self._check("init")

    def nvmlDeviceGetCount(self) -> int:
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Card:
        return self.cards[index]

    def nvmlDeviceGetUtilizationRates(self, card: Card) -> SimpleNamespace:
        self._check("load")
        return SimpleNamespace(gpu=card.load)

    def nvmlDeviceGetTemperature(self, card: Card, sensor: int) -> int:
        self._check("heat")
        return card.heat

    def nvmlDeviceGetMemoryInfo(self, card: Card) -> SimpleNamespace:
        self._check("memory")
        return SimpleNamespace(free=card.free, total=card.total)

    def nvmlDeviceGetProcessUtilization(self, card: Card, since: int) -> list[SimpleNamespace]:
        self._check("processes")
        self.asked_since.append(since)
        if not card.processes:
            raise self.NVMLError(NOT_FOUND)
        return [
            SimpleNamespace(pid=pid, smUtil=load, timeStamp=since + 100)
            for pid, load in card.processes.items()
        ]
