"""What a contributor sees of a request: numbers that grow, at a bounded rate."""

from idleclaw_protocol.frames import Chunk, ChunkMessage
from idleclaw_tui.node.request_progress import RequestProgress

TOKEN = Chunk(message=ChunkMessage(content="x"))


def progress() -> RequestProgress:
    return RequestProgress(7, "tiny:1b", now=100.0, wall=1e9)


def test_a_request_begins_by_loading() -> None:
    event = progress().report(100.5)
    assert (event.number, event.model, event.state) == (7, "tiny:1b", "loading")
    assert (event.started_at, event.seconds) == (1e9, 0.5)
    assert (event.answer_tokens, event.tokens_per_second, event.prompt_tokens) == (0, None, None)
    assert not event.ended


def test_the_first_token_is_told_at_once_and_the_others_four_times_a_second() -> None:
    request = progress()
    first = request.chunk(TOKEN, 101.0)
    assert first is not None
    assert (first.state, first.answer_tokens) == ("streaming", 1)
    told = [request.chunk(TOKEN, 101.0 + n / 100) for n in range(1, 101)]
    events = [event for event in told if event is not None]
    assert [event.answer_tokens for event in events] == [26, 51, 76, 101]
    assert events[-1].tokens_per_second == 100


def test_empty_pieces_are_no_tokens() -> None:
    request = progress()
    assert request.chunk(Chunk(), 101.0) is None
    thought = request.chunk(Chunk(message=ChunkMessage(thinking="hm")), 101.0)
    assert thought is not None
    assert thought.answer_tokens == 1


def test_the_counts_of_ollama_win_over_those_of_the_node() -> None:
    request = progress()
    request.chunk(TOKEN, 101.0)
    last = Chunk(done=True, prompt_eval_count=9, eval_count=50, eval_duration=2_000_000_000)
    request.chunk(last, 102.0)
    event = request.end("done", 103.0)
    assert (event.prompt_tokens, event.answer_tokens, event.tokens_per_second) == (9, 50, 25)
    assert event.ended


def test_without_counts_the_tokens_seen_stand() -> None:
    request = progress()
    request.chunk(TOKEN, 101.0)
    request.chunk(Chunk(done=True), 102.0)
    event = request.end("failed", 102.0, "It broke.")
    assert (event.answer_tokens, event.prompt_tokens, event.error) == (1, None, "It broke.")


def test_a_clock_that_stands_still_gives_no_speed() -> None:
    request = progress()
    request.chunk(TOKEN, 101.0)
    request.chunk(TOKEN, 101.0)
    assert request.report(101.0).tokens_per_second is None
