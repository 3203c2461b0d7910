"""The elements that a browser knows, by name.

Source: HTML Living Standard, "Index of elements" and "Obsolete features"; SVG 2 and MathML Core for
the two elements that open foreign content and those of their children that load or run something.
"""

from typing import Final

_DOCUMENT = "html head title base link meta style body template slot script noscript frame frameset"
_SECTIONS = (
    "article section nav aside h1 h2 h3 h4 h5 h6 hgroup header footer address main search noframes"
)
_GROUPS = "p hr pre blockquote ol ul menu li dl dt dd figure figcaption div dir center xmp listing"
_PHRASES = (
    "a em strong small s cite q dfn abbr ruby rt rp rb rtc data time code var samp kbd sub sup i b "
    "u mark bdi bdo span br wbr ins del acronym basefont big blink font marquee nobr strike tt "
    "plaintext spacer"
)
_MEDIA = (
    "picture source img iframe embed object param video audio track map area svg math canvas "
    "applet bgsound image isindex keygen layer ilayer noembed portal"
)
_TABLES = "table caption colgroup col tbody thead tfoot tr td th"
_FORMS = (
    "form label input button select datalist optgroup option textarea output progress meter "
    "fieldset legend details summary dialog selectedcontent"
)
_FOREIGN = "foreignobject animate animatetransform set use desc maction mtext annotation-xml"

TOOL_CALL: Final = "tool_call"
"""The tag around a call that a model writes as text; models trained on Hermes' format use it."""
RAW_TEXT: Final = frozenset({"script", "style"})
"""Elements whose content is no text for a reader."""
KNOWN: Final = frozenset(
    " ".join(
        (_DOCUMENT, _SECTIONS, _GROUPS, _PHRASES, _MEDIA, _TABLES, _FORMS, _FOREIGN, TOOL_CALL)
    ).split()
)
BEGINNINGS: Final = frozenset(name[:end] for name in KNOWN for end in range(1, len(name) + 1))
"""Every way in which a known name can have begun."""
