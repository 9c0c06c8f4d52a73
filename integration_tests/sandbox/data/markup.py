"""What Vitally keeps of HTML: the allow-list of its REST docs; the rest is stripped, text stays."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

TAGS = {"a", "img", "p", "div", "br", "ul", "ol", "nl", "li", "b", "u", "i", "strong", "em", "code"}
ATTRIBUTES = {"a": {"href", "name", "target"}, "img": {"src", "alt", "width", "height"}}
DROPPED_WITH_CONTENT = frozenset({"script", "style"})


def cleaned(text: str) -> str:
    """Return the text with every tag and attribute outside the allow-list removed."""
    return _kept(text, TAGS)


def without_tags(text: str) -> str:
    """Return the text with no tag at all."""
    return _kept(text, set())


def _kept(text: str, tags: set[str]) -> str:
    if "<" not in text and "&" not in text:
        return text
    cleaner = _Cleaner(convert_charrefs=False, tags=tags)
    cleaner.feed(text)
    cleaner.close()
    return "".join(cleaner.kept)


class _Cleaner(HTMLParser):
    def __init__(self, *, convert_charrefs: bool, tags: set[str]) -> None:
        super().__init__(convert_charrefs=convert_charrefs)
        self._tags = tags
        self.kept: list[str] = []
        self._inside_dropped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in DROPPED_WITH_CONTENT:
            self._inside_dropped += 1
        elif tag in self._tags:
            self.kept.append(self._start(tag, attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._tags:
            self.kept.append(self._start(tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag in DROPPED_WITH_CONTENT:
            self._inside_dropped = max(0, self._inside_dropped - 1)
        elif tag in self._tags:
            self.kept.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._inside_dropped:
            self.kept.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")

    def _start(self, tag: str, attrs: list[tuple[str, str | None]]) -> str:
        allowed = ATTRIBUTES.get(tag, set())
        if all(name in allowed for name, _ in attrs):
            return self.get_starttag_text() or f"<{tag}>"
        kept = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs if name in allowed)
        return f"<{tag}{kept}>"
