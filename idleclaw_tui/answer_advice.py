"""What helps after an answer that was cut or never came: the keys, and how long to wait."""

from math import ceil

from idleclaw_tui import words
from idleclaw_tui.answer import Answer
from idleclaw_tui.failed_asking import Failure


def advice(answer: Answer, now: float) -> str:
    """Return the keys that help with an answer that has ended, as short as they can be said."""
    if answer.failure is not None:
        return _after(answer.failure, now)
    return "^g continue · ^r again" if answer.can_go_on else "^r again · ^e edit"


def _after(failure: Failure, now: float) -> str:
    left = None if failure.retry_at is None else failure.retry_at - now
    match failure.kind:
        case "unreachable" if left is not None:
            return f"{words.retrying(left).rstrip('.').lower()} · esc gives up"
        case "no_model":
            return "^t another model, then ^r again"
        case "unreachable":
            return "^r again"
        case _ if left is not None and left > 0:
            return f"again in {words.whole_seconds(ceil(left))}"
        case "limited":
            return "^r again now" if left is not None else "^r again"
    return "^e edit · ^r again"
