"""HTML as Vitally keeps it: without the tags and attributes that it takes out; pure."""

from __future__ import annotations

from html.parser import HTMLParser

from vitally_api.markup import ATTRIBUTES, TAGS

_EMPTY = ("br", "img")
_HIDDEN = ("script", "style")


def cleaned(text: str) -> list[str]:
    """Return what is left of HTML once Vitally has it: words, and the tags it allows with the attributes it allows.

    Two texts are the same to a reader when these are equal; spaces between words count as one.
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return [*reader.found, *reader.words()]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._text = ""
        self._hidden = 0

    def words(self) -> list[str]:
        """Return the words since the last tag, and forget them."""
        text, self._text = " ".join(self._text.split()), ""
        return [text] if text else []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        if tag in TAGS:
            kept = sorted(f"{name}={value}" for name, value in attrs if name in ATTRIBUTES.get(tag, ()))
            self.found += [*self.words(), f"<{tag} {' '.join(kept)}>"]

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in _HIDDEN))
        if tag in TAGS and tag not in _EMPTY:
            self.found += [*self.words(), f"</{tag}>"]

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._text += data
