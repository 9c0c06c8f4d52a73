"""What `make mutants` keeps is held against the project."""

from __future__ import annotations

from integration_tests.mutants.report import PAGE, ROOT, load_modules, load_runs, page


def test_each_module_and_each_test_that_is_meant_for_it_is_there() -> None:
    modules = load_modules().values()
    named = {path for module in modules for path in [module["file"], *module["tests"]]}
    assert [path for path in sorted(named) if not (ROOT / path.split("::")[0]).exists()] == []


def test_each_mutant_that_nothing_finds_is_explained() -> None:
    runs = [(name, run) for name, run in load_runs().items() if not load_modules()[name].get("unfinished")]
    assert [(name, one.mutant) for name, run in runs for one in run.left if not one.why] == []


def test_the_page_says_what_was_found() -> None:
    assert PAGE.read_text() == page(load_runs())
