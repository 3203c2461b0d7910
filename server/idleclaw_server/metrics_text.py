"""The router's counters as Prometheus text; read when asked for, never on the hot path.

Labels are bounded: a model beyond the 50 largest is "other", a path is that of a route. How nodes
did in probes is told to operators alone.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from idleclaw_server.core import RouterCore
from idleclaw_server.model_counts import MAX_LABELS, OTHER
from idleclaw_server.probe_questions import ProbeKind

PROMETHEUS_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
ResponseCounts = Mapping[tuple[str, int], int]
"""HTTP answers by path pattern and status."""
ProbeCounts = Mapping[tuple[ProbeKind, str], int]
"""Probes by kind and outcome."""

_TEXT: Final = ("text/plain", "application/openmetrics-text")
_JSON: Final = ("application/json", "application/*", "*/*")


def wants_text(accept: str) -> bool:
    """Whether an Accept header (RFC 9110 section 12.5.1) prefers Prometheus text to JSON."""
    text = json = 0.0
    for entry in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = _weight(parameters)
        if kind in _TEXT:
            text = max(text, weight)
        elif kind in _JSON:
            json = max(json, weight if kind == _JSON[0] else weight / 2)
    return text > json


def _weight(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0


def prometheus_text(
    core: RouterCore, responses: ResponseCounts, now: float, probes: ProbeCounts | None = None
) -> bytes:
    """Return all metrics in the text format, version 0.0.4.

    Without `probes` nothing is told that would show a node which of its requests was one.
    """
    return generate_latest(_Snapshot(core, responses, now, probes))


class _Snapshot(Collector):
    def __init__(
        self,
        core: RouterCore,
        responses: ResponseCounts,
        now: float,
        probes: ProbeCounts | None,
    ) -> None:
        self._core = core
        self._probes = probes
        self._by_response = responses
        self._now = now

    def collect(self) -> Iterable[Metric]:
        core = self._core
        yield _gauge("uptime_seconds", "Age of the router.", self._now - core.started_at)
        yield _gauge("nodes", "Nodes that are connected.", len(core.registry))
        yield _gauge(
            "requests_running", "Chats that run.", len(core.life.active) - core.life.waiting
        )
        yield _gauge("requests_queued", "Chats that wait for a slot.", core.life.waiting)
        yield _counter("nodes_registered", "Registrations.", core.registry.registered_total)
        yield from self._totals()
        yield self._nodes_by_model()
        asked = CounterMetricFamily(
            "idleclaw_chats_asked", "Chats that were asked for.", labels=["model"]
        )
        _add_all(asked, core.asked_models.by_name)
        yield asked
        yield self._responses()
        if self._probes is not None:
            yield from self._trust(self._probes)

    def _totals(self) -> Iterable[Metric]:
        counters = self._core.counters
        yield _counter("requests", "Chats that ended.", counters.requests)
        yield _counter("requests_errors", "Chats that ended in an error.", counters.errors)
        yield _counter("requests_cancelled", "Chats the consumer left.", counters.cancelled)
        yield _counter("retries", "Chats given to another node.", counters.retries)
        yield _counter("declines", "Chats that nodes declined.", counters.declined)
        yield _counter("chunks", "Chunks relayed.", counters.chunks)
        yield _counter("stray_frames", "Frames for no running chat.", counters.strays)
        yield _counter("malformed_frames", "Frames of a wrong shape.", counters.malformed)
        yield _counter("consumers_cut", "Consumers that did not read.", counters.consumers_cut)

    def _nodes_by_model(self) -> Metric:
        counts = {name: len(entry.nodes) for name, entry in self._core.registry.models.items()}
        most = sorted(counts, key=lambda name: -counts[name])
        shown = {name: counts[name] for name in most[:MAX_LABELS]}
        if rest := sum(counts[name] for name in most[MAX_LABELS:]):
            shown[OTHER] = rest
        family = GaugeMetricFamily("idleclaw_model_nodes", "Nodes with a model.", labels=["model"])
        _add_all(family, shown)
        return family

    def _trust(self, probes: ProbeCounts) -> Iterable[Metric]:
        out = sum(node.standing.is_out for node in self._core.registry)
        yield _gauge("nodes_out", "Nodes that get no requests.", out)
        family = CounterMetricFamily(
            "idleclaw_probes", "Probes that ended.", labels=["kind", "outcome"]
        )
        for (kind, outcome), count in probes.items():
            family.add_metric([kind, outcome], count)
        yield family

    def _responses(self) -> Metric:
        family = CounterMetricFamily(
            "idleclaw_http_responses", "HTTP answers.", labels=["path", "status"]
        )
        for (path, status), count in self._by_response.items():
            family.add_metric([path, str(status)], count)
        return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"idleclaw_{name}", text, value=value)


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(f"idleclaw_{name}", text, value=value)


def _add_all(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, float]) -> None:
    for label, value in values.items():
        family.add_metric([label], value)
