"""Everything that can go wrong for a person at the terminal, as errors that speak to them.

IdleClawError
├── UsageError
├── RouterUnreachable
├── NotARouter
│   └── NoEvents
├── RouterRefused
│   ├── RateLimited
│   ├── RouterBusy
│   └── NoNode
├── OllamaUnreachable
├── OllamaFailure           in `ollama_failures`
├── NotAChat                in `chat_export`
├── FileProblem             in `chat_files`
│   └── FileExists
├── SettingsNotSaved        in `settings_file`
└── NoEngine, LocalNetworkFailed    in `local.network`

`str(error)` is one plain line: what is, then what to do next. Data are attributes. Texts that came
from the network are cleaned before an error is made of them.
"""

from typing import ClassVar, Final, Literal
from urllib.parse import urlsplit

from idleclaw_tui.exit_codes import ExitCode

LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})

MAX_NAMES_LISTED: Final = 4

UnreachableCause = Literal["refused", "name", "timeout", "tls", "proxy", "broken"]


class IdleClawError(Exception):
    """The root; `exit_code` is the status a process ends with where nobody handles it."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED


class UsageError(IdleClawError):
    """Something the person gave is wrong; `message` says what is allowed. Nothing was sent."""

    exit_code = ExitCode.USAGE

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class RouterUnreachable(IdleClawError):
    """No usable connection to the router at the URL `server`."""

    exit_code = ExitCode.UNREACHABLE

    def __init__(self, server: str, cause: UnreachableCause) -> None:
        super().__init__(server, cause)
        self.server = server
        self.cause = cause

    def __str__(self) -> str:
        match self.cause:
            case "name":
                return (
                    f"The host of {self.server} cannot be found. "
                    "Check the address (--server) and your internet connection."
                )
            case "timeout":
                return (
                    f"The router at {self.server} does not answer in time. Try again in a moment."
                )
            case "tls":
                return (
                    f"There is no secure connection to {self.server}: its certificate is not "
                    "valid for it. Check the address (--server)."
                )
            case "proxy":
                return (
                    f"This machine's proxy does not let {self.server} through. "
                    "Check the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
                )
            case "broken":
                return f"The connection to {self.server} broke. Try again in a moment."
            case "refused":
                return f"No router answers at {self.server}. {self._refused_advice()}"

    def _refused_advice(self) -> str:
        if urlsplit(self.server).hostname in LOOPBACK_HOSTS:
            return "Is idleclaw-server running?"
        return "Check the address (--server) and your internet connection."


class NotARouter(IdleClawError):
    """Something answers at `server`, but not as a router does; `what` says how it differs."""

    exit_code = ExitCode.UNREACHABLE

    def __init__(self, server: str, what: str) -> None:
        super().__init__(server, what)
        self.server = server
        self.what = what

    def __str__(self) -> str:
        return (
            f"What answers at {self.server} is no IdleClaw router: {self.what}. "
            "Check the address (--server)."
        )


class NoEvents(NotARouter):
    """The router has no stream of the network's changes, as the original; its pages tell it."""

    def __init__(self, server: str) -> None:
        super().__init__(server, "it has no stream of changes")


class RouterRefused(IdleClawError):
    """The router answered with an HTTP `status` that is not 200.

    `detail` is its reason in one clean line, `retry_after` (seconds) when it invites to try again,
    `models` what it could serve instead.
    """

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        retry_after: int | None = None,
        models: tuple[str, ...] = (),
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
        self.models = models

    @property
    def reason(self) -> str:
        """The first sentence of the error: what is, without when to try again."""
        if self.detail is None:
            return f"The router failed with HTTP status {self.status}."
        return f"The router refused: {self.detail.rstrip('.')}."

    def __str__(self) -> str:
        told = self.detail is not None and self.retry_after is None
        return self.reason if told else f"{self.reason}{self._when()}"

    def _when(self) -> str:
        wait = f"in {self.retry_after} s" if self.retry_after else "in a moment"
        return f" Try again {wait}."


class RateLimited(RouterRefused):
    """The router counts too many requests from this address (429)."""

    exit_code = ExitCode.RATE_LIMITED

    @property
    def reason(self) -> str:
        """The first sentence of the error."""
        return "The router has had too many requests from this address."

    def __str__(self) -> str:
        return f"{self.reason}{self._when()}"


class RouterBusy(RouterRefused):
    """The router takes no more now: no place is free, or it is about to stop (503)."""

    exit_code = ExitCode.NO_NODE

    @property
    def reason(self) -> str:
        """The first sentence of the error."""
        reason = self.detail or "All nodes that could answer are busy"
        return f"{reason.rstrip('.')}."

    def __str__(self) -> str:
        return f"{self.reason}{self._when()}"


class NoNode(RouterRefused):
    """No node has `model` (503); `nearest` are the names that exist and resemble it most."""

    exit_code = ExitCode.NO_NODE

    def __init__(
        self,
        model: str,
        *,
        nearest: tuple[str, ...] = (),
        models: tuple[str, ...] = (),
        status: int = 503,
    ) -> None:
        super().__init__(status, models=models)
        self.model = model
        self.nearest = nearest

    def __str__(self) -> str:
        if self.nearest:
            advice = f"Near it: {', '.join(self.nearest)}."
        elif 0 < len(self.models) <= MAX_NAMES_LISTED:
            advice = f"Online now: {', '.join(self.models)}."
        elif self.models:
            advice = "`idleclaw-tui status` lists the models that are."
        else:
            advice = "Try again later, or share your own with `idleclaw-tui contribute`."
        return f"No node offers {self.model} now. {advice}"


class OllamaUnreachable(IdleClawError):
    """No Ollama answers at the URL `ollama_url`."""

    exit_code = ExitCode.OLLAMA_UNREACHABLE

    def __init__(self, ollama_url: str) -> None:
        super().__init__(ollama_url)
        self.ollama_url = ollama_url

    def __str__(self) -> str:
        return (
            f"No Ollama answers at {self.ollama_url}. "
            "Start it with `ollama serve`, or set OLLAMA_HOST."
        )
