"""What the images are made of, and under which licences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from shipping import bill
from shipping.names import CONNECTORS, LOCKS
from shipping.packages import ShippingError

both = pytest.mark.parametrize("connector", CONNECTORS)


@both
def test_a_bill_is_valid_and_names_each_package_with_version_hash_and_licence(connector: str) -> None:
    text = bill.bill(connector)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    made = json.loads(text)
    named = {(one["name"], one["version"]) for one in made["components"]}
    assert ("airbyte-cdk", made["components"][0]["version"]) in named
    assert len({name for name, _ in named}) == len(named), "of two versions by Python, that of the base image"
    assert all(one["hashes"] and one["licenses"] for one in made["components"])
    [whole] = [one for one in made["dependencies"] if f"airbyte-{connector}" in one["ref"]]
    assert len(whole["dependsOn"]) == len(named)


@both
def test_an_image_carries_no_package_that_the_cdk_asks_for_and_never_imports(connector: str) -> None:
    """Unidecode, under the GPL: it is in no lock, so no test runs with it either."""
    assert "unidecode" not in {one.name for one, _ in bill.requirements(LOCKS[connector])}


@pytest.mark.parametrize(
    "named", ["GPL", "GPL-2.0-or-later", "AGPLv3", "GNU General Public License v2 (GPLv2)", "not named"]
)
def test_a_licence_that_an_image_must_not_carry_ends_the_build(
    named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bill, "licence", lambda name: named if name == "tqdm" else "MIT")
    with pytest.raises(ShippingError, match="tqdm"):
        bill.bill(CONNECTORS[0])
    assert bill.main(tmp_path) == 1
    assert "leave it out of the lock" in capsys.readouterr().err


@pytest.mark.parametrize("named", ["LGPL-2.1", "MPL-2.0 AND MIT", "GNU Lesser General Public License"])
def test_a_licence_that_asks_nothing_of_users_passes(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bill, "licence", lambda name: named)
    assert bill.bill(CONNECTORS[0])
