"""Ticking models: what is shared, and what stays as the owner had it."""

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui.owner.settings import SharingSettings
from idleclaw_tui.sharing.choices import choice_lines, choosable, with_choice, with_readiness

BIG = OfferedModel(name="big:8b", size=5 * 10**9, parameter_size="8B", context_length=8192)
SMALL = OfferedModel(name="small:latest", size=10**9)
ALL = SharingSettings()


def ticked(settings: SharingSettings) -> list[str]:
    return [row.name for row in choosable([BIG, SMALL], {}, settings) if row.ticked]


def tick(settings: SharingSettings, name: str) -> SharingSettings:
    return with_choice(settings, choosable([BIG, SMALL], {}, settings), name)


def test_all_are_shared_until_one_is_unticked_and_again_once_all_are_ticked() -> None:
    assert ticked(ALL) == ["big:8b", "small:latest"]
    one = tick(ALL, "big:8b")
    assert one.models == ("small:latest",)
    assert tick(one, "big:8b").models is None
    assert tick(one, "small:latest").models == ()


def test_a_name_without_a_tag_means_the_latest() -> None:
    assert ticked(SharingSettings(models=("small",))) == ["small:latest"]


def test_a_chosen_model_that_is_missing_stays_until_it_is_unticked() -> None:
    settings = SharingSettings(models=("gone:1b", "big:8b"))
    rows = choosable([BIG, SMALL], {}, settings)
    assert [(row.name, row.ticked, row.installed) for row in rows] == [
        ("big:8b", True, True),
        ("small:latest", False, True),
        ("gone:1b", True, False),
    ]
    both = with_choice(settings, rows, "small:latest")
    assert both.models == ("big:8b", "small:latest", "gone:1b")
    assert with_choice(both, choosable([BIG, SMALL], {}, both), "gone:1b").models is None


def test_keeping_ready_and_no_longer() -> None:
    ready = with_readiness(ALL, "small:latest")
    assert ready.warm_up == ("small:latest",)
    assert choosable([SMALL], {}, ready)[0].kept_ready
    assert with_readiness(SharingSettings(warm_up=("small",)), "small:latest").warm_up == ()


def test_lines_say_what_each_costs_in_memory() -> None:
    rows = choosable(
        [BIG, SMALL], {"small:latest": 1_400_000_000}, SharingSettings(models=("x:1",))
    )
    lines = ["".join(part.text for part in line) for line in choice_lines(rows)]
    assert lines == [
        "[ ] big:8b             about 5.0 GB  8B · 8k context",
        "[ ] small:latest      1.4 GB loaded  ",
        "[x] x:1           not in Ollama now  ",
    ]
    assert choice_lines(rows, boxes=False)[0][0].text == "● "
