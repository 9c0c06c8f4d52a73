"""The page of columns is what the table of fields makes of it."""

from __future__ import annotations

import re

from shipping.columns import picture, tables
from source_vitally.schema import columns_of, streams_of_table


def test_each_column_of_each_stream_is_on_the_page() -> None:
    sections = f"\n{tables()}".split("\n### ")[1:]
    for stream in streams_of_table():
        name = "custom_object_<name>" if stream == "custom_object_instances" else stream
        [section] = [section for section in sections if f"`{name}`" in section.splitlines()[0]]
        shown = re.findall(r"^\| `(\w+)` \| [\w ]+ \| .+\. \|$", section, re.MULTILINE)
        assert shown == list(columns_of(stream)), stream


def test_the_picture_has_each_reference_once_and_knows_of_many() -> None:
    lines = picture().splitlines()[2:-1]
    assert len(lines) == len({line.rsplit(":", 1)[0] for line in lines}) > 30
    assert '    accounts }o--o| organizations : "organizationId"' in lines
    assert '    users }o--o{ accounts : "accountIds"' in lines
    assert '    tasks }o--o{ projects : "projects"' in lines
    assert not any("_ids " in line for line in lines)
