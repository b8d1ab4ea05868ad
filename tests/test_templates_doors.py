"""Templates on the API and the command line: offered, looked at, applied; classes moved in the whole CRM."""

from collections.abc import Iterator

import pytest
from shell import Shell
from web_client import Caller, api_of
from world import World

from calling.segments.publishing import current
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild

pytestmark = pytest.mark.once


@pytest.fixture
def work(world: World) -> int:
    """Ten customers aged 10, 17, .. 73, with turnovers 0, 100, .. 900."""
    world.field("age", label="Age")
    world.field("turnover", label="Turnover")
    assignment = world.assignment("Spring")
    world.customers(10, assignment, fields=lambda i: {"age": 10 + 7 * i, "turnover": 100 * i})
    return assignment


@pytest.fixture
def kari(world: World) -> Iterator[Caller]:
    with api_of(world) as api:
        yield api.manager()


@pytest.fixture
def shell(world: World, work: int, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


def rebuild(world: World) -> None:
    for one in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), one)


# The API


def test_one_click_on_the_api(kari: Caller, world: World, work: int) -> None:
    path = f"/assignments/{work}/templates"
    offered = {one["key"]: one for one in kari.ok("GET", path)["items"]}
    assert (offered["age"]["fits"], offered["income"]["fits"]) == (True, False)
    field, limits, *_ = offered["age"]["parameters"]
    assert (field["suggestions"][0]["field"], limits["default"][0]) == ("age", 18)
    seen = kari.ok("POST", f"{path}/age/preview", json={})
    assert [one["count"] for one in seen["parts"]] == [2, 1, 1, 1, 2, 1, 2, 0, 0]
    assert (seen["customers"], seen["parts"][0]["text"]) == (10, "age < 18")
    again = {"parameters": seen["parameters"], "version": seen["version"]}
    done = kari.ok("POST", f"{path}/age/apply", json=again)
    assert (done["version"], done["keys"]) == (1, [one["key"] for one in seen["parts"]])
    rebuild(world)
    sizes = {one["key"]: one["size"] for one in kari.ok("GET", f"/assignments/{work}/segments")["items"]}
    assert sizes == {one["key"]: one["count"] for one in seen["parts"]} | {"unsegmented": 0}
    assert "there already" in kari.refused(409, "POST", f"{path}/age/apply", json={})["detail"]


def test_bands_as_labels_and_some_parts_on_the_api(kari: Caller, work: int) -> None:
    path = f"/assignments/{work}/templates"
    wish = {"as": "label", "parameters": {"limits": [40]}}
    assert {one["kind"] for one in kari.ok("POST", f"{path}/age/preview", json=wish)["parts"]} == {"label"}
    only = {"only": ["promised"]}
    assert kari.ok("POST", f"{path}/automatic-statuses/apply", json=only)["keys"] == ["promised"]


def test_what_is_wrong_is_said_on_the_api(kari: Caller, work: int) -> None:
    path = f"/assignments/{work}/templates"
    said = kari.refused(422, "POST", f"{path}/age/preview", json={"parameters": {"feld": 1, "limits": 3}})
    assert [one["path"] for one in said["problems"]] == ["parameters.feld", "parameters.limits"]
    kari.refused(404, "POST", f"{path}/agee/preview", json={})
    kari.refused(404, "POST", f"/assignments/{work + 1}/templates/age/preview", json={})
    kari.refused(422, "POST", f"{path}/age/apply", json={"as": "tag"})
    kari.refused(422, "POST", f"{path}/age/apply", json={"parameters": {"field": "a\x00"}})
    kari.refused(409, "POST", f"{path}/age/apply", json={"version": 7})


def test_turnover_classes_on_the_api(kari: Caller, world: World, work: int) -> None:
    kari.refused(404, "GET", "/turnover-classes")
    kari.ok("POST", f"/assignments/{work}/templates/turnover-classes/apply", json={})
    kept = kari.ok("GET", "/turnover-classes")
    assert (kept["field"], kept["version"], kept["author"]) == ("turnover", 1, "a manager")
    moved = {"field": "turnover", "silver": 100, "gold": 500, "platinum": 800, "version": 1}
    done = kari.ok("PUT", "/turnover-classes", json=moved)
    assert (done["published"], done["turnover"]["version"], done["left"]) == ({str(work): 2}, 2, [])
    kari.refused(409, "PUT", "/turnover-classes", json=moved | {"gold": 600})
    said = kari.refused(422, "PUT", "/turnover-classes", json={**moved, "version": 2, "gold": 50})
    assert "silver has to begin below gold" in said["detail"]
    for huge in ("1e999", "NaN"):
        body = f'{{"field": "turnover", "silver": 1, "gold": 2, "platinum": {huge}}}'
        kari.refused(422, "PUT", "/turnover-classes", content=body)


def test_a_seller_has_no_templates(world: World, work: int) -> None:
    with api_of(world) as api:
        ana = api.seller(world.seller(work))
        ana.refused(403, "GET", f"/assignments/{work}/templates")
        ana.refused(403, "PUT", "/turnover-classes", json={})


# The command line


def test_templates_are_listed_shown_and_applied(shell: Shell, work: int) -> None:
    listed = shell.ok("templates", "list", "--json").document
    assert next(one for one in listed if one["template"]["key"] == "age")["fits"]
    assert "turnover-classes" in shell.ok("templates", "list").out
    shown = shell.ok("templates", "show", "age", "--set", "limits=18,40", "--json").document
    assert [(one["key"], one["count"]) for one in shown["parts"]] == [
        ("age-under-18", 2), ("age-18-39", 3), ("age-40-up", 5), ("age-unknown", 0),
    ]  # fmt: skip
    assert "age >= 18 and age < 40" in shell.ok("templates", "show", "age", "--set", "limits=18,40").out
    words = ["templates", "apply", "age", "--set", "limits=18,40"]
    before = shell.everything()
    dry = shell.ok(*words, "--dry-run", "--json").document
    assert shell.everything() == before
    assert {one["segment"]: one["after"] for one in dry["moves"]} == {
        "age-under-18": 2, "age-18-39": 3, "age-40-up": 5, "age-unknown": 0, "unsegmented": 0,
    }  # fmt: skip
    assert shell.ok(*words, "--author", "Kari", "--json").document["version"] == 1
    assert shell.run(*words).code == 1


def test_a_dry_run_counts_labels_too(shell: Shell) -> None:
    dry = shell.ok("templates", "apply", "turnover-classes", "--dry-run", "--json").document
    assert {one["label"]: one["after"] for one in dry["labels"]} == {"silver": 3, "gold": 1, "platinum": 1}
    assert "platinum" in shell.ok("templates", "apply", "turnover-classes", "--dry-run").out


def test_classes_are_shown_and_moved(shell: Shell, world: World, work: int) -> None:
    assert "Nobody has said" in shell.ok("templates", "turnover").out
    assert shell.ok("templates", "turnover", "--json").document is None
    shell.ok(
        "templates",
        "apply",
        "turnover-classes",
        "--set",
        "silver=1",
        "--set",
        "gold=2",
        "--set",
        "platinum=3",
    )
    before = shell.everything()
    dry = shell.ok("templates", "turnover", "--gold", "2.5", "--dry-run", "--json").document
    assert (dry["published"], dry["turnover"]["gold"]) == ({str(work): 2}, 2.5)
    assert shell.everything() == before
    said = shell.ok("templates", "turnover", "--gold", "2.5").out
    assert "1 assignment published anew" in said
    assert "2.5" in shell.ok("templates", "turnover").out
    with world.work() as at:
        labels = current(at, work)["labels"]
    assert labels[1]["when"]["all"][0] == {"f": "turnover", "op": "ge", "v": 2.5}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "agee"], 'did you mean "age"'),
        (["show", "age", "--set", "limits"], "write NAME=VALUE"),
        (["show", "age", "--set", "limits=18,x"], "a number to"),
        (["show", "age", "--as", "tag"], "say segment or label"),
        (["show", "income"], "no field of this CRM looks like it"),
        (["apply", "age", "--before", "nowhere"], "there is no segment nowhere"),
        (["turnover", "--gold", "5"], "say it"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said(shell: Shell, words: list[str], said: str) -> None:
    answer = shell.run("templates", *words)
    assert answer.code in (1, 2)
    assert said in answer.err
    assert answer.out == ""
