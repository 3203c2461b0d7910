"""What is offered in place of a name that nobody has."""

from idleclaw_protocol.near_names import nearest_names


def test_near_names() -> None:
    names = ["llama3.2:1b", "llama3.1:8b", "qwen3:8b", "llama3.2:3b"]
    assert nearest_names("llama3.2", names)[:2] == ("llama3.2:1b", "llama3.2:3b")
    assert nearest_names("lama3.2:3b", names)[0] == "llama3.2:3b"
    assert len(nearest_names("llama3.2:7b", [f"llama3.2:{n}b" for n in range(9)])) == 3
    assert nearest_names("zzz", names) == ()
