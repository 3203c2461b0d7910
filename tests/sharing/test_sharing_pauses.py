"""How a pause begins, how long it lasts, and what comes after it."""

from idleclaw_tui.schedule import Window
from idleclaw_tui.sharing_settings import SharingSettings
from tests.sharing.machine import MONDAY, Machine

NIGHTS = SharingSettings(mode="schedule", schedule=(Window.parse("22:00-07:00"),))


def test_a_pause_by_hand_ends_by_hand_and_at_once() -> None:
    machine = Machine()
    machine.policy.pause()
    assert machine.look().reasons == ("paused_by_user",)
    assert machine.wait(3600).phase == "paused"
    machine.policy.resume()
    assert machine.look().serves


def test_a_pause_that_had_other_reasons_too_lasts_its_time() -> None:
    machine = Machine()
    machine.policy.pause()
    machine.look()
    machine.set(gpu_celsius=90.0)
    machine.wait(1)
    machine.set(gpu_celsius=40.0)
    machine.policy.resume()
    assert machine.wait(20).phase == "paused"
    assert machine.wait(10).serves


def test_running_requests_end_before_the_pause() -> None:
    machine = Machine()
    machine.look()
    machine.running = 2
    machine.policy.pause()
    assert machine.look().phase == "draining"
    assert machine.look().hand_off == "finish"
    machine.set(on_battery=True)
    assert machine.look().hand_off == "at_once"
    machine.running = 0
    assert machine.look().phase == "paused"


def test_a_pause_taken_back_while_requests_run_serves_on() -> None:
    machine = Machine()
    machine.look()
    machine.running = 1
    machine.policy.pause()
    machine.look()
    machine.policy.resume()
    assert machine.look().serves


def test_many_nodes_come_back_one_after_the_other() -> None:
    def first_look(uniform: float) -> float:
        machine = Machine(NIGHTS, "schedule", uniform=lambda low, high: uniform * high)
        machine.set(local_time=MONDAY.replace(hour=21))
        machine.look()
        machine.now += 3600
        machine.set(local_time=MONDAY.replace(hour=22))
        return machine.seconds_until_serving()

    assert first_look(0.0) == 1
    assert first_look(1.0) == 6


def test_models_are_warmed_up_before_anything_is_served() -> None:
    machine = Machine(SharingSettings(warm_up=("llama3.2:3b",)))
    assert machine.look().phase == "warming"
    assert machine.wait(60).phase == "warming"
    machine.policy.warmed()
    assert machine.look().serves
    machine.set(on_battery=True)
    machine.wait(40)
    machine.set(on_battery=False)
    assert machine.wait(70).phase == "warming"
    machine.set(gpu_celsius=99.0)
    assert machine.look().phase == "paused"
    machine.set(gpu_celsius=40.0)
    assert machine.wait(20).phase == "paused"


def test_it_says_how_long_a_pause_will_last() -> None:
    machine = Machine(mode="idle")
    machine.set(input_idle_seconds=10.0)
    assert machine.look().resumes_in == 290
    machine.set(on_battery=True)
    assert machine.look().resumes_in is None
    machine.set(on_battery=False, input_idle_seconds=280.0)
    assert machine.look().resumes_in == 60
    assert machine.wait(45).resumes_in == 15
    machine.wait(20)
    assert machine.look().resumes_in is None


def test_the_dwell_is_part_of_how_long_it_lasts() -> None:
    machine = Machine()
    machine.set(gpu_celsius=90.0)
    machine.wait(1)
    machine.set(gpu_celsius=40.0)
    standing = machine.wait(9)
    assert (standing.phase, standing.reasons, standing.resumes_in) == ("paused", (), 21)
