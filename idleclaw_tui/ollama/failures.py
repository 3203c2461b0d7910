"""What goes wrong between the node and its Ollama, in words that hold nothing Ollama said.

Ollama's own error texts may quote the prompt or the answer (a tool call that could not be parsed,
for one), so none is passed on: each known one has a sentence here, all others share one.
"""

from typing import Literal

from idleclaw_protocol.frames import NodeErrorCode
from idleclaw_tui.errors import IdleClawError, OllamaUnreachable
from idleclaw_tui.exit_codes import ExitCode

Cause = Literal["unreachable", "not_ollama", "model_gone", "busy", "refused", "failed"]


class OllamaFailure(IdleClawError):
    """Ollama did not do what it was asked.

    Attributes:
        cause: what kind of failure, for whoever decides what comes next.
        code: what the router is told.
        message: a plain sentence for the owner.
    """

    exit_code = ExitCode.OLLAMA_UNREACHABLE

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(cause, message)
        self.cause: Cause = cause
        self.message = message

    def __str__(self) -> str:
        return self.message

    @property
    def code(self) -> NodeErrorCode:
        """The word for the wire; a request that Ollama refuses is not held against the node."""
        match self.cause:
            case "unreachable" | "not_ollama" | "busy":
                return "ollama_unavailable"
            case "refused":
                return "invalid_request"
            case "model_gone" | "failed":
                return "ollama_error"


def unreachable(url: str) -> OllamaFailure:
    """Nothing answers at `url`, or not in time."""
    return OllamaFailure("unreachable", str(OllamaUnreachable(url)))


def not_ollama(url: str) -> OllamaFailure:
    """Something answers at `url`, but not as Ollama does."""
    return OllamaFailure("not_ollama", f"What answers at {url} is no Ollama. Check OLLAMA_HOST.")


def silent(seconds: float) -> OllamaFailure:
    """No token came for `seconds`."""
    return OllamaFailure("failed", f"Ollama sent nothing for {seconds:g} s.")


def refused(status: int, text: str) -> OllamaFailure:
    """Ollama answered with an HTTP `status` other than 200; `text` is its error, to be judged only.

    Source: Ollama's docs/api/errors.mdx and server/routes.go.
    """
    match status:
        case 404:
            return OllamaFailure("model_gone", "Ollama no longer has the model.")
        case 503:
            return OllamaFailure("busy", "Ollama's own queue is full.")
        case 400:
            return OllamaFailure("refused", "Ollama does not accept this request for the model.")
        case 401 | 403:
            return OllamaFailure("failed", "Ollama refuses requests from this program.")
    if "more system memory" in text:
        return OllamaFailure("failed", "The model needs more memory than is free here.")
    return OllamaFailure(
        "failed", f"Ollama answered with HTTP status {status}. Its own log says more."
    )


BROKEN_OFF = "Ollama's answer broke off before its end. Its own log says more."
ERROR_LINE = "Ollama ended the answer with an error. Its own log says more."
MALFORMED = "Ollama sent a line that is no part of an answer."
TOO_LONG = "Ollama sent a piece of an answer that is larger than 1 MiB."
