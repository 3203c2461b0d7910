"""The owner's limits as fields of a form: what each says, and what may be typed into it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from idleclaw_protocol.limits import MAX_CONCURRENT, MAX_CONTEXT_TOKENS, MIN_CONCURRENT
from idleclaw_tui.guard_fields import GUARD_FIELDS
from idleclaw_tui.limit_entries import BadEntry, LimitField, Values, whole_number
from idleclaw_tui.sharing_settings import (
    MAX_ANSWER_TOKENS,
    MAX_TOKENS_A_DAY,
    MIN_CONTEXT_TOKENS,
    SharingSettings,
    changed,
)


@dataclass(frozen=True, slots=True)
class FormResult:
    """What a filled-in form comes to: settings, or what is wrong, by the field's key."""

    settings: SharingSettings | None
    errors: Mapping[str, str] = field(default_factory=dict)


def read_form(settings: SharingSettings, typed: Mapping[str, str]) -> FormResult:
    """Return `settings` with what was `typed`, or every error there is.

    A field that says what it said at first changes nothing, whatever else the settings hold.
    """
    values: Values = {}
    guards: Values = {}
    errors: dict[str, str] = {}
    for entry in FIELDS:
        text = typed[entry.key].strip()
        if text == entry.show(settings):
            continue
        try:
            (guards if entry.guards else values).update(entry.read(settings, text))
        except BadEntry as error:
            errors[entry.key] = str(error)
    if errors:
        return FormResult(None, errors)
    return _checked(settings, values | {"guards": settings.guards.model_dump() | guards})


def form_values(settings: SharingSettings) -> dict[str, str]:
    """Return what every field holds at first."""
    return {entry.key: entry.show(settings) for entry in FIELDS}


def _checked(settings: SharingSettings, values: Values) -> FormResult:
    try:
        return FormResult(changed(settings, **values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        keys = [entry.key for entry in FIELDS if entry.key in first["loc"]]
        said = first["msg"].removeprefix("Value error, ")
        if keys:
            return FormResult(None, {keys[0]: f"{said}."})
        return FormResult(None, {"schedule": "Sharing at set times needs hours, like 22:00-07:00."})


def _plain(
    key: str, label: str, hint: str, read: Callable[[str], int | None], *, empty: str = ""
) -> LimitField:
    """Return a field for a number that stands in the settings as it is."""

    def show(settings: SharingSettings) -> str:
        value = getattr(settings, key)
        return "" if value is None else str(value)

    return LimitField(key, label, hint, show, lambda _, text: {key: read(text)}, empty=empty)


def _schedule(_: SharingSettings, text: str) -> Values:
    windows = [part.strip() for part in text.split(";") if part.strip()]
    try:
        return {"schedule": changed(_USUAL, schedule=windows).schedule}
    except ValidationError as error:
        said = error.errors(include_url=False, include_context=False)[0]["msg"]
        raise BadEntry(f"{said.removeprefix('Value error, ')}.") from None


def _apps(_: SharingSettings, text: str) -> Values:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if len(names) > 200 or any(len(name) > 100 for name in names):
        raise BadEntry("At most 200 names of at most 100 characters, with commas between.")
    return {"exclusive_apps": names}


def _mode(_: SharingSettings, text: str) -> Values:
    return {"mode": text or None}


_USUAL: Final = SharingSettings()

FIELDS: Final = (
    LimitField(
        "mode",
        "share",
        "",
        lambda settings: settings.mode or "",
        _mode,
        options=(
            ("", "automatically"),
            ("idle", "only when idle"),
            ("always", "always"),
            ("schedule", "at set times"),
            ("manual", "when I say so"),
        ),
    ),
    LimitField(
        "schedule",
        "hours",
        "",
        lambda settings: "; ".join(str(window) for window in settings.schedule),
        _schedule,
        empty="mon-fri 22:00-07:00; sat-sun 9:00-18:00",
    ),
    _plain(
        "max_concurrent",
        "requests at once",
        f"{MIN_CONCURRENT} to {MAX_CONCURRENT}",
        whole_number(MIN_CONCURRENT, MAX_CONCURRENT),
    ),
    _plain(
        "context_tokens",
        "largest context",
        "tokens",
        whole_number(MIN_CONTEXT_TOKENS, MAX_CONTEXT_TOKENS, empty="the model's own"),
        empty="the model's own",
    ),
    _plain("answer_tokens", "largest answer", "tokens", whole_number(1, MAX_ANSWER_TOKENS)),
    _plain(
        "tokens_a_day",
        "tokens a day",
        "",
        whole_number(1, MAX_TOKENS_A_DAY, empty="no limit"),
        empty="no limit",
    ),
    LimitField(
        "exclusive_apps",
        "never beside",
        "",
        lambda settings: ", ".join(settings.exclusive_apps),
        _apps,
        empty="names of programs, with commas",
    ),
    *GUARD_FIELDS,
)
