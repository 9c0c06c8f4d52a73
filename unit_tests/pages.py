"""The documentation as tests read it: its tables, its examples, and the code it is held against."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class Page:
    """The pages below docs/ of one name, in which `*` stands for any letters, as one text."""

    def __init__(self, name: str) -> None:
        self.text = "\n".join(path.read_text() for path in sorted((ROOT / "docs").glob(name)))

    def section(self, heading: str) -> str:
        """Return what stands under a heading of the second level."""
        return self.text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]

    def table(self, heading: str) -> list[list[str]]:
        """Return the cells of the first table under a heading, without its title row."""
        section = self.section(heading)
        lines = section[section.index("\n|") + 1 :].split("\n\n", 1)[0].splitlines()
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]

    def examples(self, heading: str) -> list[Any]:
        """Return the JSON examples under a heading."""
        return [json.loads(text) for text in re.findall(r"```json\n(.+?)```", self.section(heading), re.DOTALL)]


def names(cell: str) -> list[str]:
    """Return what is marked as code in a cell."""
    return re.findall("`([^`]+)`", cell)


def fields_of(spec: dict[str, Any]) -> list[list[str]]:
    """Return title, key and default of each field of a spec, in the form's order, as a page lists them."""
    found = []
    for name, field in sorted(spec["properties"].items(), key=lambda field: field[1]["order"]):
        if field.get("airbyte_hidden"):
            continue
        default = field.get("default", "none")
        text = default if isinstance(default, str) else json.dumps(default)
        found.append([field["title"], name, "required" if name in spec["required"] else text])
    return found


@cache
def code(package: str) -> str:
    """Return a package's code and manifest as one text, with strings that go on in the next line joined."""
    files = sorted(path for path in (ROOT / package).rglob("*") if path.suffix in (".py", ".yaml"))
    text = "\n".join(path.read_text() for path in files)
    return re.sub(r"\s+", " ", re.sub(r'"\s*\n\s*f?"', "", text))


def unknown_parts(message: str, text: str) -> list[str]:
    """Return the parts of a documented message (between `…`, or alternatives) that a text does not have."""
    return [part for part in re.split(r"…| / ", message) if part.strip(" ,.'") not in text]
