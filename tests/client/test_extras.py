"""The commands around the three modes: a skill for agents, completion, versions."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from idleclaw_tui.command_line import COMPLETED_SHELLS, completion
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.headless.skill import skill_text
from tests.client.running import run_main, run_program


async def test_the_skill_is_put_where_an_agent_looks(tmp_path: Path) -> None:
    ran = await run_program("skill", "--install", str(tmp_path / "skills"))
    written = tmp_path / "skills" / "idleclaw" / "SKILL.md"
    assert (ran.code, ran.out) == (0, f"{written}\n")
    assert written.read_text(encoding="utf-8") == skill_text()
    again = await run_program("skill", "--install", str(tmp_path / "skills"))
    assert again.code == 0


async def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ran = await run_program("skill", "--install", str(tmp_path / "file"))
    assert ran.code == ExitCode.USAGE
    assert ran.err.startswith("Cannot write ")
    assert ran.err.count("\n") == 1


async def test_the_skill_names_commands_and_flags_that_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every command line in it is understood, and every exit code is told."""
    ran = await run_main(capsys, "skill")
    assert ran.out == skill_text()
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", ran.out, re.MULTILINE)]
    assert codes == [code.value for code in ExitCode]
    for command, flags in re.findall(r"idleclaw-tui ([a-z]+)((?: --?[a-z]+)+)?", ran.out):
        usage = (await run_program(command, "--help")).out
        for flag in flags.split():
            assert flag in usage, (command, flag)


@pytest.mark.parametrize("shell", COMPLETED_SHELLS)
def test_a_shell_can_read_its_completion(shell: str) -> None:
    script = completion(shell)
    assert "contribute" in script
    assert "--max-concurrent" in script
    program = shutil.which(shell)
    if program is not None:
        checked = subprocess.run([program, "-n"], input=script, text=True, check=False)
        assert checked.returncode == 0


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("contr", ["contribute"]),
        ("contribute --max", ["--max-concurrent"]),
        ("--server http://a contribute --mode i", ["idle"]),
    ],
)
def test_bash_completes_a_command(tmp_path: Path, typed: str, offered: list[str]) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(completion("bash"), encoding="utf-8")
    line = (
        f"source {script}; COMP_WORDS=(idleclaw-tui {typed}); COMP_CWORD={len(typed.split())}; "
        '_shtab_idleclaw_tui; echo "${COMPREPLY[@]}"'
    )
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == offered


async def test_the_version_names_the_parts_that_matter(capsys: pytest.CaptureFixture[str]) -> None:
    ran = await run_main(capsys, "--version")
    assert re.match(r"idleclaw-tui \d+\.\d+\.\d+\nPython 3", ran.out)
    for part in ("textual", "httpx", "websockets", "ollama", "pydantic"):
        assert re.search(rf"{part} \d", ran.out)
