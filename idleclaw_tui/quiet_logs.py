"""Logging of what must never happen, without what people wrote."""

import logging
import traceback


def log_unexpected(logger: logging.Logger, what: str, error: Exception) -> None:
    """Log where `what` failed and with which class of error.

    The error's own text is left out: that of a failed validation, for one, quotes its input.
    """
    place = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s failed unexpectedly: %s\n%s", what, type(error).__name__, place)
