"""The garbage collector during a session."""

import gc

from idleclaw_tui.screen.garbage_pauses import THRESHOLDS, shorten_pauses


def test_what_is_there_at_the_start_is_not_looked_at_again() -> None:
    before = gc.get_threshold()
    try:
        shorten_pauses()
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
