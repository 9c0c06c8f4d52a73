"""Streams that are made of the same list: its pages are asked for once, and a row's details, whoever wants them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from integration_tests.harness import Json, Run, configured, run_source, source_config
from integration_tests.sandbox import Fault, Sandbox, Switches
from integration_tests.source.reference import catalog, discovered

SIZES = {"accounts": 130, "users": 110, "notes": 130}
DETAILS = re.compile(r"/(healthScores|conversations/[^/]+|meetingTranscripts/[^/]+|surveyQuestions/[^/]+)$")
OF_ACCOUNTS = ("accounts", "account_ids", "account_health_scores", "account_health_score_components", "key_roles")


def read(sandbox: Sandbox, streams: Any, state: Any = None, **fields: Any) -> Run:
    return run_source("read", source_config(sandbox.url, sandbox.rest_key, **fields), streams, state)


def asked_twice(sandbox: Sandbox) -> Json:
    """Return which first pages of lists, and which details of rows, have been asked for more than once."""
    counts: Counter[str] = Counter()
    for request in sandbox.journal:
        filters = {key: value for key, value in request.query.items() if key not in ("limit", "sortBy")}
        if DETAILS.search(request.path) or "from" not in request.query:
            counts[f"{request.path} {filters}"] += 1
    return {what: count for what, count in counts.items() if count > 1}


@pytest.mark.parametrize("settings", [{}, {"num_workers": 1}, {"flatten_traits": True}])
def test_everything_costs_each_page_and_the_details_of_each_row_once(make_sandbox: Any, settings: Json) -> None:
    sandbox = make_sandbox(seed=3, sizes=SIZES)
    surveys = [row["id"] for row in sandbox.workspace.rows("surveys")]
    whole = discovered(3)["streams"]
    run = read(sandbox, configured({"streams": whole}), survey_ids=surveys, **settings)
    assert set(run.statuses.values()) == {"COMPLETE"}
    assert set(run.statuses) == {stream["name"] for stream in whole}
    assert asked_twice(sandbox) == {}
    further = Counter(request.path for request in sandbox.journal if "from" in request.query)
    lists = {path.rsplit("/", 1)[1]: count for path, count in further.items()}
    assert lists == {"accounts": 1, "users": 1, "notes": 2}, "of notes a page of live ones, and one of all"


def test_details_that_no_row_has_are_asked_for_once_as_well(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    sandbox.faults.add(Fault(path="/healthScores$", times=None, status=404, body={"error": "Not here."}))
    run = read(sandbox, catalog(*OF_ACCOUNTS, seed=3))
    assert set(run.statuses.values()) == {"COMPLETE"}
    assert asked_twice(sandbox) == {}
    assert len([line for line in run.logs("WARN") if "is empty: the feature is switched off" in line]) == 2


def test_a_stream_that_fails_takes_none_with_it(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3, sizes=SIZES)
    sandbox.faults.add(Fault(path="/healthScores$", times=None, status=401))
    broken = [
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": "account_health_scores"}, "stream_state": {"x": 1}}}
    ]
    run = read(sandbox, catalog(*OF_ACCOUNTS, seed=3), broken)
    failed = {name for name, status in run.statuses.items() if status == "INCOMPLETE"}
    assert failed == {"account_health_scores", "account_health_score_components"}
    assert (
        {record["id"] for record in run.records("account_ids")} >= {r["id"] for r in run.records("accounts")} != set()
    )
    assert not any(path.endswith("accounts {}") for path in asked_twice(sandbox))


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("odd", [{"cursors_expire_after": 2}, {"heaviest_page": 30}, {"empty_page_with_next": True}])
def test_an_odd_list_is_read_whole_by_each(make_sandbox: Any, odd: Json) -> None:
    sandbox = make_sandbox(seed=3, sizes=SIZES)
    expected = read(sandbox, catalog(*OF_ACCOUNTS, seed=3))
    sandbox.switches = Switches(**odd)
    run = read(sandbox, catalog(*OF_ACCOUNTS, seed=3))
    assert set(run.statuses.values()) == {"COMPLETE"}
    for name in OF_ACCOUNTS:
        assert len(run.records(name)) == len(expected.records(name)) > 0, name


# What is selected


@pytest.mark.parametrize(
    ("objects", "of_objects"),
    [({"custom_object_deal_room", "custom_object_feature_request"}, 2), (set(), 5)],
    ids=["two selected", "none selected"],
)
def test_fields_and_ids_are_those_of_the_custom_objects_that_are_selected(
    make_sandbox: Any, objects: set[str], of_objects: int
) -> None:
    """Of all of them where none is selected: then nothing else says which are wanted."""
    sandbox = make_sandbox(seed=3)
    names = {*objects, "custom_fields", "instance_ids"}
    streams = [stream for stream in discovered(3)["streams"] if stream["name"] in names]
    run = read(sandbox, configured({"streams": streams}))
    models = len({row["model"] for row in run.records("custom_fields")} - {"customObjects"})
    assert len({row["customObjectId"] for row in run.records("custom_fields")} - {""}) == of_objects
    assert sandbox.journal.count(path_regex="/customFields$") == models + of_objects
    assert sandbox.journal.count(path_regex="/instances$") == 2 * of_objects
    for name in objects:
        ids = {row["id"] for row in run.records(name)}
        assert ids <= {row["id"] for row in run.records("instance_ids")}


def test_a_renamed_object_is_still_one_that_is_selected(make_sandbox: Any) -> None:
    """Else its ids would be missing, as if its rows had been deleted."""
    sandbox = make_sandbox(seed=3)
    names = {"custom_object_deal_room", "instance_ids"}
    streams = configured({"streams": [s for s in discovered(3)["streams"] if s["name"] in names]})
    first = read(sandbox, streams)
    owner = first.records("custom_object_deal_room")[0]["customObjectId"]
    sandbox.workspace.update("customObjects", owner, {"name": "warRoom", "label": "War room"})
    second = read(sandbox, streams, first.last_states())
    assert second.statuses["custom_object_deal_room"] == "INCOMPLETE"
    assert {row["customObjectId"] for row in second.records("instance_ids")} == {owner}


@pytest.mark.parametrize(("names", "models"), [({"accounts"}, {"accounts"}), ({"tasks", "users"}, {"tasks", "users"})])
def test_columns_of_custom_fields_cost_a_request_for_each_model_that_is_selected(
    make_sandbox: Any, names: set[str], models: set[str]
) -> None:
    sandbox = make_sandbox(seed=3)
    run = read(sandbox, catalog(*names, seed=3), flatten_traits=True)
    assert set(run.statuses.values()) == {"COMPLETE"}
    asked = [request.query["model"] for request in sandbox.journal.matching("/customFields$")]
    assert sorted(asked) == sorted(models)
    assert sandbox.journal.count(path_regex="/customObjects$") == 0
