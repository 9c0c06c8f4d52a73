"""What Vitally keeps of HTML: it takes everything else out of notes and tasks when they are written (REST docs)."""

from __future__ import annotations

TAGS = frozenset(("a", "img", "p", "div", "br", "ul", "ol", "nl", "li", "b", "u", "i", "strong", "em", "code"))
"""The tags; `nl` stands in one capture of the docs only."""

ATTRIBUTES = {"a": frozenset({"href", "name", "target"}), "img": frozenset({"src", "alt", "width", "height"})}
"""The attributes of those tags that have any."""
