"""What of this machine is shared, and when: the owner's choices, as one value."""

from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from idleclaw_protocol.limits import MAX_CONCURRENT, MAX_CONTEXT_TOKENS, MIN_CONCURRENT
from idleclaw_protocol.model_names import is_model_name
from idleclaw_tui.owner.schedule import Window

Mode = Literal["idle", "always", "schedule", "manual"]
MODES: Final[tuple[Mode, ...]] = ("idle", "always", "schedule", "manual")

MIN_CONTEXT_TOKENS: Final = 512
MAX_ANSWER_TOKENS: Final = 131_072
MAX_TOKENS_A_DAY: Final = 10**12
MAX_NAMES: Final = 200
MAX_WINDOWS: Final = 32


def _model_name(name: str) -> str:
    if not is_model_name(name):
        raise ValueError("not a name that Ollama allows")
    return name


def _window(value: object) -> object:
    return Window.parse(value) if isinstance(value, str) else value


ModelNames = Annotated[
    tuple[Annotated[str, AfterValidator(_model_name)], ...], Field(max_length=MAX_NAMES)
]
AppName = Annotated[str, Field(min_length=1, max_length=100)]
Schedule = Annotated[
    tuple[Annotated[Window, BeforeValidator(_window), PlainSerializer(str, return_type=str)], ...],
    Field(max_length=MAX_WINDOWS),
]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Celsius = Annotated[float, Field(ge=0, le=150, allow_inf_nan=False)]


class _Settings(BaseModel):
    """Unknown keys are refused: a misspelt limit must not look as if it held."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class QuietGuard(_Settings):
    """Stops below `stop_seconds` without keyboard or mouse, resumes after `resume_seconds`."""

    stop_seconds: Seconds = 30
    resume_seconds: Seconds = 300

    @model_validator(mode="after")
    def _resumes_later(self) -> Self:
        if self.resume_seconds < self.stop_seconds:
            raise ValueError("resume_seconds must not be below stop_seconds")
        return self


class LoadGuard(_Settings):
    """Stops above `stop` for `stop_seconds`, resumes below `resume` for `resume_seconds`."""

    stop: Percent
    resume: Percent
    stop_seconds: Seconds
    resume_seconds: Seconds

    @model_validator(mode="after")
    def _resumes_lower(self) -> Self:
        if self.resume > self.stop:
            raise ValueError("resume must not be above stop")
        return self


class HeatGuard(_Settings):
    """Stops at `stop` degrees Celsius and above, resumes at `resume` and below."""

    stop: Celsius = 83
    resume: Celsius = 72

    @model_validator(mode="after")
    def _resumes_lower(self) -> Self:
        if self.resume > self.stop:
            raise ValueError("resume must not be above stop")
        return self


class MemoryGuard(_Settings):
    """Stops below the larger of `least_gib` and `least_percent` of all memory.

    Resumes with half as much again for `resume_seconds`.
    """

    least_gib: Annotated[float, Field(ge=0, le=4096, allow_inf_nan=False)] = 2
    least_percent: Percent = 10
    resume_seconds: Seconds = 60


class GuardSettings(_Settings):
    """When the machine's owner comes first; a guard that is null is off."""

    battery: bool = True
    """Stop while the machine runs on its battery."""
    battery_resume_seconds: Seconds = 60
    keyboard: QuietGuard | None = QuietGuard()
    """In the mode idle alone."""
    owner_pause_seconds: Seconds | None = 300
    """How long to stay away after the owner used Ollama."""
    exclusive_app_resume_seconds: Seconds = 60
    cpu: LoadGuard | None = LoadGuard(stop=40, resume=20, stop_seconds=20, resume_seconds=60)
    """The other programs' share of the whole machine's processors, in percent."""
    gpu: LoadGuard | None = LoadGuard(stop=15, resume=5, stop_seconds=10, resume_seconds=60)
    """The other programs' share of the graphics processor, in percent."""
    gpu_temperature: HeatGuard | None = HeatGuard()
    memory: MemoryGuard | None = MemoryGuard()


class SharingSettings(_Settings):
    """The owner's choices; every value has a default that is safe on a machine in use."""

    models: ModelNames | None = None
    """Names of the models to share; null shares all that can chat."""
    max_concurrent: Annotated[int, Field(ge=MIN_CONCURRENT, le=MAX_CONCURRENT)] = 1
    """Requests that run at once."""
    context_tokens: Annotated[int, Field(ge=MIN_CONTEXT_TOKENS, le=MAX_CONTEXT_TOKENS)] | None = (
        None
    )
    """The largest conversation to read; null allows what the model's context holds."""
    answer_tokens: Annotated[int, Field(ge=1, le=MAX_ANSWER_TOKENS)] = 4096
    """The longest answer, thinking included."""
    mode: Mode | None = None
    """idle: while nobody uses the machine; always; schedule: at the times below, whoever uses it;
    manual: whenever you say so, kept back by battery, heat, memory and the day's tokens alone.
    null is idle on a desktop and always on a machine without one."""
    schedule: Schedule = ()
    """Times like "mon-fri 22:00-07:00", local; where there are any, they hold in the modes
    schedule and idle."""
    tokens_a_day: Annotated[int, Field(ge=1, le=MAX_TOKENS_A_DAY)] | None = None
    """Tokens of answers to give between two midnights; null gives any number."""
    warm_up: ModelNames = ()
    """Models to load into memory whenever sharing begins."""
    exclusive_apps: Annotated[tuple[AppName, ...], Field(max_length=MAX_NAMES)] = ()
    """Names of programs that are to have the machine to themselves while they run."""
    guards: GuardSettings = GuardSettings()

    def mode_on(self, desktop: bool) -> Mode:
        """Return the mode that was chosen, else the one for a machine with or without a desktop."""
        return self.mode or ("idle" if desktop else "always")

    @model_validator(mode="after")
    def _schedule_has_times(self) -> Self:
        if self.mode == "schedule" and not self.schedule:
            raise ValueError("the mode schedule needs times: set schedule")
        return self


DEFAULT_SETTINGS: Final = SharingSettings()


def changed(settings: SharingSettings, **values: object) -> SharingSettings:
    """Return the settings with other values; raises `ValidationError` for wrong ones."""
    return SharingSettings.model_validate(settings.model_dump() | values)


def first_problem(error: ValidationError) -> str:
    """Return what is wrong first, as a predicate of what was read, without the value."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        return f"is no JSON ({first['msg'].removeprefix('Invalid JSON: ')})"
    if first["type"] == "extra_forbidden":
        return f"has a setting that does not exist: {place}"
    said = first["msg"].removeprefix("Value error, ")
    return f"has a wrong value for {place}: {said}" if place else f"is not right: {said}"
