"""The API over fields, customers' data and tags, as programs use it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from web_client import Api, Caller, api_of
from world import World

from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild

pytestmark = pytest.mark.once

POLICY = {"key": "policy", "type": "text", "label": "Policy", "unique": True, "pattern": r"[A-Z]\d+"}


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with api_of(world) as made:
        yield made


@pytest.fixture
def kari(api: Api) -> Caller:
    return api.manager()


def paths(problem: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["path"] for one in problem["problems"]]


def test_a_field_from_its_first_day_to_its_last(world: World, kari: Caller) -> None:
    made = kari.ok("POST", "/fields", 201, json=POLICY)
    assert made == {**POLICY, "required": False, "choices": [], "retired_at": None, "retired_by": None}
    kari.ok(
        "POST", "/fields", 201, json={"key": "size", "type": "choice", "choices": ["s", "m"], "position": 1}
    )
    assert [one["key"] for one in kari.ok("GET", "/fields")["items"]] == ["size", "policy"]
    world.customers(2, fields=lambda i: {"policy": f"A{i}"})
    tried = kari.ok("PATCH", "/fields/policy", params={"dry_run": True}, json={"pattern": r"B\d"})
    assert (tried["dry_run"], tried["broken"][0]["customers"]) == (True, 2)
    done = kari.ok("PATCH", "/fields/policy", json={"required": True, "pattern": None, "position": 1})
    assert (done["field"]["required"], done["field"]["pattern"], done["broken"]) == (True, None, [])
    assert [one["key"] for one in kari.ok("GET", "/fields")["items"]] == ["policy", "size"]
    gone = kari.ok("DELETE", "/fields/policy")
    assert (gone["field"]["retired_by"], gone["askers"]) == ("a manager", [])
    assert [one["key"] for one in kari.ok("GET", "/fields")["items"]] == ["size"]
    everything = kari.ok("GET", "/fields", params={"retired": True})["items"]
    assert [one["key"] for one in everything] == ["size", "policy"]
    assert kari.ok("POST", "/fields/policy/revive")["retired_at"] is None


def test_every_problem_of_a_field_comes_at_once(world: World, kari: Caller) -> None:
    wrong = {"key": "Tags", "type": "nummer", "pattern": "a**", "choices": ["a", "A"], "unique": True}
    problem = kari.refused(422, "POST", "/fields", json=wrong)
    assert problem["type"] == "urn:ringeliste:problem:bad-values"
    assert set(paths(problem)) == {"key", "type", "pattern", "choices", "choices[1]", "unique"}
    kari.ok("POST", "/fields", 201, json=POLICY)
    assert paths(kari.refused(422, "PATCH", "/fields/policy", json={"type": "number"})) == ["type"]
    assert "a field policy already" in kari.refused(409, "POST", "/fields", json=POLICY)["detail"]
    assert "did you mean" in kari.refused(404, "PATCH", "/fields/polici", json={"label": "x"})["detail"]
    kari.refused(422, "PATCH", "/fields/policy", json={"lable": "x"})
    kari.refused(409, "POST", "/fields/policy/revive")
    kari.refused(404, "DELETE", "/fields/%00")


def test_what_cannot_be_unique_is_named(world: World, kari: Caller) -> None:
    kari.ok("POST", "/fields", 201, json={"key": "policy", "type": "text"})
    world.customers(2, fields=lambda _: {"policy": "A1"})
    problem = kari.refused(409, "PATCH", "/fields/policy", json={"unique": True})
    assert problem["broken"][0]["samples"][0]["value"] == "A1"
    assert problem["field"] == "policy"


def test_a_customer_is_changed_and_it_is_known_by_whom(world: World, kari: Caller) -> None:
    kari.ok("POST", "/fields", 201, json={"key": "age", "type": "number"})
    assignment = world.assignment()
    old = {"key": "old", "name": "Old", "when": {"f": "age", "op": "ge", "v": 60}}
    publish(world.opener(), assignment, {"segments": [old]}, author="me")
    (one,) = world.customers(1, assignment)
    done = kari.ok("PATCH", f"/customers/{one}", json={"email": "a@b.no", "fields": {"age": 61}})
    assert (set(done["changed"]), done["moved"]) == ({"email", "fields.age"}, 1)
    whole = kari.ok("GET", f"/customers/{one}")
    assert (whole["fields"], whole["email"], whole["placements"][0]["segment"]) == (
        {"age": 61},
        "a@b.no",
        "Old",
    )
    assert kari.ok("PATCH", f"/customers/{one}", json={})["changed"] == []
    kari.ok("PATCH", f"/customers/{one}", json={"fields": {"age": None}})
    first = kari.ok("GET", f"/customers/{one}/edits", params={"limit": 1})
    (second,) = kari.ok("GET", f"/customers/{one}/edits", params={"cursor": first["next"]})["items"]
    assert (second["author"], second["changed"]) == ("a manager", ["fields.age"])
    problem = kari.refused(
        422, "PATCH", f"/customers/{one}", json={"email": "x", "fields": {"age": "61", "b": 1}}
    )
    assert paths(problem) == ["email", "fields.age", "fields.b"]
    for odd in (
        '{"fields": {"age": NaN}}', '{"fields": {"age": 1e999}}', '{"fields": {"\\u0000": 1}}',
        '{"fields": {"\\ud800": 1}}', '{"fields": {"age": "\\ud800"}}', '{"name": "\\ud800"}',
        '{"name": "\\u0000"}', '{"fields": [1]}', '{"fields": null}',
    ):  # fmt: skip
        headers = {"content-type": "application/json"}
        kari.refused(422, "PATCH", f"/customers/{one}", content=odd, headers=headers)
    kari.refused(404, "PATCH", "/customers/4711", json={"name": "x"})
    kari.refused(404, "GET", "/customers/4711/edits")


def test_a_seller_changes_and_tags_only_whom_they_hold(api: Api, world: World) -> None:
    assignment = world.assignment()
    one, other = world.customers(2, assignment)
    ana = api.seller(world.seller(assignment))
    held = ana.ok("POST", "/me/next")["customer_id"]
    free = other if held == one else one
    assert ana.ok("PATCH", f"/customers/{held}", json={"name": "Ana"})["changed"] == ["name"]
    assert ana.ok("PUT", f"/customers/{held}/tags/Hot")["changed"]
    (carried,) = ana.ok("GET", f"/customers/{held}/tags")["items"]
    assert (carried["tag"], carried["source"], carried["author"]) == ("hot", "hand", "a seller")
    ana.refused(404, "PATCH", f"/customers/{free}", json={"name": "x"})
    for method in ("PUT", "DELETE"):
        ana.refused(404, method, f"/customers/{free}/tags/hot")
    ana.refused(404, "GET", f"/customers/{free}/tags")


def test_tags_of_one_customer(world: World, kari: Caller) -> None:
    assignment = world.assignment()
    vip = {"key": "vip", "name": "VIP", "when": {"f": "tags", "op": "any", "v": ["vip"]}}
    publish(world.opener(), assignment, {"segments": [vip]}, author="me")
    (one,) = world.customers(1, assignment)
    path = f"/customers/{one}/tags"
    assert kari.ok("PUT", f"{path}/VIP") == {"tag": "vip", "changed": True, "moved": 1}
    assert kari.ok("PUT", f"{path}/vip") == {"tag": "vip", "changed": False, "moved": 0}
    assert kari.ok("GET", path)["items"][0]["source"] == "api"
    assert kari.ok("DELETE", f"{path}/vip") == {"tag": "vip", "changed": True, "moved": 1}
    assert kari.ok("GET", path) == {"items": []}
    assert 'write "gold-customer"' in kari.refused(422, "PUT", f"{path}/gold customer")["detail"]
    kari.refused(404, "PUT", "/customers/4711/tags/vip")
    kari.refused(404, "GET", "/customers/4711/tags")


def test_many_are_tagged_at_once_and_all_tags_are_listed(world: World, kari: Caller) -> None:
    assignment = world.assignment()
    ids = world.customers(450, assignment)
    asked = {"add": ["vip", "Late", "a"], "customers": [*ids, 999_999]}
    assert kari.ok("POST", "/tags", json=asked) == {
        "added": 1350, "removed": 0, "moved": 0, "unknown": [999_999],
    }  # fmt: skip
    again = kari.ok("POST", "/tags", json={"add": ["vip"], "remove": ["late"], "customers": ids[:10]})
    assert (again["added"], again["removed"]) == (0, 10)
    seen, cursor = [], None
    for _ in range(4):
        page = kari.ok("GET", "/tags", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        seen += [(one["tag"], one["customers"]) for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [("a", 450), ("late", 440), ("vip", 450)]
    assert [one["tag"] for one in kari.ok("GET", "/tags", params={"prefix": "v"})["items"]] == ["vip"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"add": ["a b", "ok", "ü/"], "customers": [1]}, "tags[0]"),
        ({"add": ["a"], "remove": ["A"], "customers": [1]}, None),
        ({"customers": [1]}, None),
        ({"add": ["a"], "customers": []}, "body.customers"),
        ({"add": ["a"], "customers": ["1"]}, "body.customers[0]"),
        ({"add": [""], "customers": [1]}, "body.add[0]"),
    ],
)
def test_what_is_wrong_with_many_tags_is_told(
    kari: Caller, body: dict[str, object], path: str | None
) -> None:
    problem = kari.refused(422, "POST", "/tags", json=body)
    if path:
        assert paths(problem)[0] == path


def test_a_cursor_of_another_list_is_refused(world: World, kari: Caller) -> None:
    world.customers(2)
    foreign = kari.ok("GET", "/customers", params={"limit": 1})["next"]
    for cursor in (foreign, "x", "dGFnczo", "💥"):
        kari.refused(422, "GET", "/tags", params={"cursor": cursor})
    kari.refused(422, "GET", "/tags", params={"prefix": "\x00"})


def test_the_neighbours_fields_and_people_are_not_there(api: Api, world: World, kari: Caller) -> None:
    far = world.neighbour()
    (theirs,) = far.customers(1)
    api.manager(far).ok("POST", "/fields", 201, json=POLICY)
    api.manager(far).ok("PUT", f"/customers/{theirs}/tags/vip")
    assert kari.ok("GET", "/fields")["items"] == kari.ok("GET", "/tags")["items"] == []
    kari.refused(404, "PATCH", "/fields/policy", json={"label": "x"})
    kari.refused(404, "DELETE", "/fields/policy")
    kari.refused(404, "POST", "/fields/policy/revive")
    kari.refused(404, "PATCH", f"/customers/{theirs}", json={"name": "x"})
    kari.refused(404, "GET", f"/customers/{theirs}/edits")
    for method in ("PUT", "DELETE"):
        kari.refused(404, method, f"/customers/{theirs}/tags/vip")
    assert kari.ok("POST", "/tags", json={"add": ["x"], "customers": [theirs]})["unknown"] == [theirs]
    with far.work() as work:
        assert work.run(text("select count(*) from customer_tag")).scalar_one() == 1


def test_what_was_published_goes_on_while_its_field_is_retired(world: World, kari: Caller) -> None:
    kari.ok("POST", "/fields", 201, json={"key": "age", "type": "number"})
    assignment = world.assignment("Spring")
    rules = {"segments": [{"key": "old", "name": "Old", "when": {"f": "age", "op": "ge", "v": 60}}]}
    kari.ok("PUT", f"/assignments/{assignment}/rules", json=rules)
    for rebuild in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), rebuild)
    (asker,) = kari.ok("DELETE", "/fields/age")["askers"]
    assert (asker["assignment"], asker["kind"], asker["key"]) == ("Spring", "segment", "old")
    # As it was it may stay, or no other rule could be edited; a new rule may not ask it.
    assert kari.ok("PUT", f"/assignments/{assignment}/rules", json=rules)["version"] == 2
    newer = {"key": "young", "name": "Young", "when": {"f": "age", "op": "lt", "v": 30}}
    problem = kari.refused(
        422, "PUT", f"/assignments/{assignment}/rules", json={"segments": [*rules["segments"], newer]}
    )
    assert "retired by a manager on 2026-03-02" in problem["detail"]
    assert kari.ok("GET", f"/assignments/{assignment}/rules")["version"] == 2
