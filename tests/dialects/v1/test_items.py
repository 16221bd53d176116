"""Models, datasets and algorithms over HTTP, as the native dialect speaks."""

import pytest

from catalog.store.query.paging import serial_scan
from tests.support.app import PASSWORD

KINDS = ["models", "datasets", "algorithms"]

A_MODEL = {
    "name": "iris",
    "visibility": "public",
    "tags": ["flowers", "small"],
    "metadata": [{"name": "accuracy", "value": 0.95}, {"name": "framework", "value": "onnx"}],
}


async def create(client, org, who, kind="models", **fields):
    answer = await client.post(f"/v1/{kind}", json=A_MODEL | fields, headers=org.as_(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def names(client, org, who, kind="models", **query):
    answer = await client.get(f"/v1/{kind}", params=query, headers=org.as_(who))
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["docs"]]


@pytest.mark.sample
@pytest.mark.parametrize("kind", KINDS)
async def test_an_item_is_shown_as_it_was_made(client, org, kind):
    made = await create(client, org, "ada", kind, users=["bob"], description="petals")

    shown = await client.get(f"/v1/{kind}/{made['_id']}", headers=org.as_("ada"))
    to_bob = await client.get(f"/v1/{kind}/{made['_id']}", headers=org.as_("bob"))

    assert shown.json() == made
    assert to_bob.json() == made | {"users": to_bob.json()["users"]}  # who sees more of oneself
    assert made["owner"] == org.ids["ada"]
    assert [user["username"] for user in made["users"]] == ["bob"]
    assert made["metadata"] == A_MODEL["metadata"]
    assert (made["tags"], made["versions"], made["description"]) == (A_MODEL["tags"], [], "petals")
    assert ("status" in made) == (kind != "datasets")


async def test_what_is_not_said_has_the_defaults(client, org):
    answer = await client.post("/v1/models", json={"name": "bare"}, headers=org.as_("ada"))

    made = answer.json()
    assert (made["visibility"], made["status"], made["users"], made["datasets"]) == ("private", "training", [], [])


async def test_users_and_datasets_are_given_by_id_or_by_name(client, org):
    data = await create(client, org, "ada", "datasets", name="petals")

    by_name = await create(client, org, "ada", name="one", users=["bob"], datasets=["petals"])
    by_id = await create(client, org, "ada", name="two", users=[org.ids["bob"]], datasets=[data["_id"]])

    assert by_name["users"] == by_id["users"]
    assert by_name["datasets"] == by_id["datasets"] == [data]


async def test_an_item_is_also_reached_by_its_name(client, org):
    made = await create(client, org, "ada")

    shown = await client.get("/v1/models/iris", headers=org.as_("bob"))

    assert shown.json() == made


async def test_a_name_that_several_items_bear_lists_what_it_may_mean(client, org):
    adas = (await create(client, org, "ada"))["_id"]
    bobs = (await create(client, org, "bob"))["_id"]

    mine = await client.get("/v1/models/iris", headers=org.as_("ada"))
    whose = await client.get("/v1/models/iris", headers=org.as_("eve"))

    assert mine.json()["owner"] == org.ids["ada"]
    assert (whose.status_code, whose.json()["value"], whose.json()["details"]) == (
        409,
        148,
        f"Several models are called iris, give the owner/name or the id of one: ada/iris ({adas}), bob/iris ({bobs})",
    )


WRONG = {
    "no name": ({"visibility": "public"}, "name: this field is required"),
    "an empty name": ({"name": " "}, "name: it must not be blank"),
    "a name that is no text": ({"name": {"$ne": None}}, "name: a text is needed"),
    "a name of a megabyte": ({"name": "x" * 2**20}, "name: at most 255 characters are allowed, not 1048576"),
    "a NUL in the name": ({"name": "a\0b"}, "name: the character NUL is not allowed"),
    "an unknown user": ({"name": "m", "users": ["nobody"]}, "users: User not existent (nobody)"),
    "an unknown user id": ({"name": "m", "users": ["5f" * 12]}, f"users: User not existent ({'5f' * 12})"),
    "an unknown dataset": ({"name": "m", "datasets": ["none"]}, "datasets: Dataset not existent (none)"),
    "an unknown status": (
        {"name": "m", "status": "ready"},
        "status: `ready` is not one of training, test, production, deploy",
    ),
    "an unknown visibility": (
        {"name": "m", "visibility": "secret"},
        "visibility: `secret` is not one of public, private",
    ),
    "metadata without a value": (
        {"name": "m", "metadata": [{"name": "a"}]},
        "metadata.0.value: this field is required",
    ),
    "metadata without a name": (
        {"name": "m", "metadata": [{"value": 1}]},
        "metadata.0.name: this field is required",
    ),
    "a metadata value that is a list": (
        {"name": "m", "metadata": [{"name": "a", "value": [1]}]},
        "metadata.0.value: a text, a number or true or false is needed",
    ),
    "a number too long for the database": (
        {"name": "m", "metadata": [{"name": "a", "value": 2**63}]},
        "metadata.0.value: the number does not fit into 64 bits",
    ),
    "too many tags": (
        {"name": "m", "tags": [str(number) for number in range(10_000)]},
        "tags: at most 500 are allowed, not 10000",
    ),
    "tags that are no list": ({"name": "m", "tags": "flowers"}, "tags: a list is needed"),
    "an empty tag": ({"name": "m", "tags": [""]}, "tags.0: it must not be empty"),
    "a field nobody knows": ({"name": "m", "visiblity": "public"}, "Unknown field (visiblity)"),
    "the catalog's own readers": ({"name": "m", "readers": ["public"]}, "Unknown field (readers)"),
    "a revision": ({"name": "m", "revision": 7}, "Unknown field (revision)"),
}


@pytest.mark.parametrize(("body", "sentence"), WRONG.values(), ids=WRONG)
async def test_a_wrong_item_is_refused_in_one_sentence_and_nothing_is_kept(client, org, body, sentence):
    before = (await client.get("/v1/tags", headers=org.as_("ada"))).json()["totalDocs"]

    answer = await client.post("/v1/models", json=body, headers=org.as_("ada"))

    assert (answer.status_code, answer.json()["value"], answer.json()["details"]) == (400, 5, sentence)
    assert await names(client, org, "admin") == []
    assert (await client.get("/v1/tags", headers=org.as_("ada"))).json()["totalDocs"] == before


async def test_a_name_is_taken_once_per_owner(client, org):
    await create(client, org, "ada")

    again = await client.post("/v1/models", json=A_MODEL, headers=org.as_("ada"))
    of_another = await client.post("/v1/models", json=A_MODEL, headers=org.as_("bob"))

    assert (again.status_code, again.json()["details"]) == (
        400,
        "A model with the same name already exists for this user",
    )
    assert of_another.status_code == 200


async def test_of_a_list_each_is_made_or_refused_on_its_own(client, org):
    body = [{"name": "one"}, {"name": "one"}, {"name": "two"}, {}]

    answer = await client.post("/v1/models", json=body, headers=org.as_("ada"))

    assert answer.status_code == 202
    assert [model["name"] for model in answer.json()["models"]] == ["one", "two"]
    assert answer.json()["errors"] == [
        "Index: 1 (A model with the same name already exists for this user)",
        "Index: 3 (name: this field is required)",
    ]


async def test_a_list_may_be_answered_with_counts_alone(client, org):
    answer = await client.post("/v1/models?verbose=false", json=[{"name": "one"}, {}], headers=org.as_("ada"))

    assert (answer.status_code, answer.json()) == (
        202,
        {"saved": 1, "errors": 1, "Indexes": ["Index: 1 (name: this field is required)"]},
    )


async def test_a_list_without_errors_is_a_plain_success(client, org):
    answer = await client.post("/v1/models", json=[{"name": "one"}, {"name": "two"}], headers=org.as_("ada"))

    assert (answer.status_code, len(answer.json()["models"]), answer.json()["errors"]) == (200, 2, [])


async def test_users_see_what_is_public_their_own_or_shared_with_them(client, org):
    await create(client, org, "ada", name="public")
    await create(client, org, "ada", name="private", visibility="private")
    await create(client, org, "ada", name="shared", visibility="private", users=["bob"])

    assert await names(client, org, "ada") == ["shared", "private", "public"]
    assert await names(client, org, "bob") == ["shared", "public"]
    assert await names(client, org, "eve") == ["public"]
    assert await names(client, org, "admin") == ["shared", "private", "public"]


@pytest.mark.sample
async def test_what_may_not_be_read_is_refused(client, org):
    made = await create(client, org, "ada", visibility="private")

    by_id = await client.get(f"/v1/models/{made['_id']}", headers=org.as_("eve"))
    by_name = await client.get("/v1/models/iris", headers=org.as_("eve"))

    assert (by_id.status_code, by_id.json()["value"], by_id.json()["details"]) == (403, 10, made["_id"])
    assert (by_name.status_code, by_name.json()["value"]) == (404, 9)  # its name is not told either


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_only_the_owner_and_administrators_change(client, org, method):
    made = await create(client, org, "ada", users=["bob"])
    value = {"PUT": 12, "DELETE": 13}[method]

    async def attempt(who):
        url, body = f"/v1/models/{made['_id']}", {"visibility": "public"}
        return await client.request(method, url, json=body, headers=org.as_(who))

    by_reader, by_admin = await attempt("bob"), await attempt("admin")

    assert (by_reader.status_code, by_reader.json()["value"]) == (403, value)
    assert by_admin.status_code == 200


async def test_an_unknown_item_is_not_found(client, org):
    for method in ("GET", "PUT", "DELETE"):
        answer = await client.request(method, "/v1/models/fake", json={"status": "test"}, headers=org.as_("ada"))
        assert (answer.status_code, answer.json()["value"], answer.json()["details"]) == (404, 9, "fake")


async def test_a_put_removes_then_adds(client, org):
    await create(client, org, "ada", "datasets", name="old")
    await create(client, org, "ada", "datasets", name="new")
    made = await create(client, org, "ada", users=["bob"], datasets=["old"])
    body = {
        "users": {"remove": ["bob"], "add": ["eve"]},
        "tags": {"remove": ["flowers", "small"], "add": ["small", "big"]},
        "datasets": {"remove": ["old"], "add": ["new"]},
        "metadata": {
            "remove": [{"name": "accuracy", "value": 0.95}, {"name": "framework", "value": "another"}],
            "add": [{"name": "framework", "value": "torch"}, {"name": "epochs", "value": 3}],
        },
        "visibility": "private",
        "status": "deploy",
        "description": "better",
    }

    changed = (await client.put(f"/v1/models/{made['_id']}", json=body, headers=org.as_("ada"))).json()

    assert [user["username"] for user in changed["users"]] == ["eve"]
    assert [dataset["name"] for dataset in changed["datasets"]] == ["new"]
    assert changed["tags"] == ["small", "big"]  # a word that is in both stays
    assert changed["metadata"] == [{"name": "framework", "value": "torch"}, {"name": "epochs", "value": 3}]
    assert (changed["visibility"], changed["status"], changed["description"]) == ("private", "deploy", "better")
    assert (await client.get(f"/v1/models/{made['_id']}", headers=org.as_("ada"))).json() == changed
    assert (await client.get(f"/v1/models/{made['_id']}", headers=org.as_("eve"))).json()["tags"] == changed["tags"]


WRONG_PUTS = {
    "an empty body": ({}, 401, 16),
    "only unknown fields": ({"fake": 1}, 401, 14),
    "an unknown field beside a good one": ({"visibility": "public", "fake": 1}, 400, 8),
    "a name": ({"name": "other", "visibility": "public"}, 400, 8),
    "an owner": ({"owner": "bob", "visibility": "public"}, 403, 12),
    "an unknown user": ({"users": {"add": ["nobody"]}}, 400, 8),
    "an unknown dataset": ({"datasets": {"add": ["nothing"]}}, 400, 8),
    "an unknown status": ({"status": "ready"}, 400, 8),
    "an unknown visibility": ({"visibility": "secret"}, 400, 8),
    "a list instead of add and remove": ({"tags": ["flowers"]}, 400, 8),
    "neither add nor remove": ({"tags": {"put": ["flowers"]}}, 400, 8),
    "a tag to remove that nobody knows": ({"tags": {"remove": ["no-such-tag"]}}, 400, 5),
    "too many tags": ({"tags": {"add": [str(number) for number in range(499)]}}, 400, 8),
    "a body that is no object": ([1], 400, 8),
}


@pytest.mark.parametrize(("body", "status", "value"), WRONG_PUTS.values(), ids=WRONG_PUTS)
async def test_a_wrong_put_is_refused_and_changes_nothing(client, org, body, status, value):
    made = await create(client, org, "ada")

    answer = await client.put(f"/v1/models/{made['_id']}", json=body, headers=org.as_("ada"))

    assert (answer.status_code, answer.json()["value"]) == (status, value), answer.text
    assert (await client.get(f"/v1/models/{made['_id']}", headers=org.as_("ada"))).json() == made


@pytest.mark.parametrize("kind", KINDS)
async def test_an_administrator_gives_an_item_to_another_owner(client, org, kind):
    made = await create(client, org, "ada", kind, visibility="private", users=["eve"])
    url = f"/v1/{kind}/{made['_id']}"

    given = await client.put(url, json={"owner": "bob"}, headers=org.as_("admin"))

    assert (given.status_code, given.json()["owner"]) == (200, org.ids["bob"])
    assert {who: (await client.get(url, headers=org.as_(who))).status_code for who in ("ada", "bob", "eve")} == {
        "ada": 403,
        "bob": 200,
        "eve": 200,
    }
    assert (await client.put(url, json={"visibility": "public"}, headers=org.as_("bob"))).status_code == 200
    back = await client.put(url, json={"owner": org.ids["ada"]}, headers=org.as_("admin"))
    assert back.json()["owner"] == org.ids["ada"]


async def test_an_item_is_not_given_to_a_user_who_has_one_of_its_name_or_does_not_exist(client, org):
    made = await create(client, org, "ada")
    await create(client, org, "bob")
    url = f"/v1/models/{made['_id']}"

    taken = await client.put(url, json={"owner": "bob"}, headers=org.as_("admin"))
    nobody = await client.put(url, json={"owner": "nobody"}, headers=org.as_("admin"))

    assert [(answer.status_code, answer.json()["value"], answer.json()["details"]) for answer in (taken, nobody)] == [
        (400, 8, "A model with the same name already exists for this user"),
        (400, 8, "owner: User not existent (nobody)"),
    ]
    assert (await client.get(url, headers=org.as_("ada"))).json() == made


async def test_a_stale_revision_is_refused(client, org):
    made = await client.post("/v1/models", json=A_MODEL, headers=org.as_("ada"))
    url = f"/v1/models/{made.json()['_id']}"
    seen = (await client.get(url, headers=org.as_("ada"))).headers["ETag"]

    async def put(tag):
        headers = {**org.as_("ada"), "If-Match": tag}
        return await client.put(url, json={"status": "test"}, headers=headers)

    first, second, weak, anything = await put(seen), await put(seen), await put(f"W/{seen}"), await put("*")

    assert (first.status_code, second.status_code, second.json()["value"]) == (200, 412, 109)
    assert (weak.status_code, anything.status_code) == (412, 200)
    assert first.headers["ETag"] != seen


async def test_a_private_dataset_is_shown_as_an_id_only(client, org):
    hidden = await create(client, org, "ada", "datasets", name="hidden", visibility="private")
    made = await create(client, org, "ada", datasets=["hidden"])

    to_owner = await client.get(f"/v1/models/{made['_id']}", headers=org.as_("ada"))
    to_reader = await client.get(f"/v1/models/{made['_id']}", headers=org.as_("eve"))

    assert to_owner.json()["datasets"] == [hidden]
    assert to_reader.json()["datasets"] == [hidden["_id"]]
    assert "hidden" not in to_reader.text


async def test_a_dataset_that_may_not_be_read_is_as_good_as_none(client, org):
    hidden = await create(client, org, "ada", "datasets", name="hidden", visibility="private")

    for key in ("hidden", hidden["_id"]):
        answer = await client.post("/v1/models", json={"name": "m", "datasets": [key]}, headers=org.as_("eve"))
        assert answer.json()["details"] == f"datasets: Dataset not existent ({key})"


async def test_an_item_is_removed_with_its_place_in_every_list(client, org):
    made = await create(client, org, "ada", users=["bob"])

    removed = await client.delete(f"/v1/models/{made['_id']}", headers=org.as_("ada"))

    assert removed.status_code == 200
    assert removed.json() == made | {"users": [org.ids["bob"]]}
    assert await names(client, org, "ada") == []
    assert (await client.get(f"/v1/models/{made['_id']}", headers=org.as_("ada"))).status_code == 404


@pytest.mark.parametrize("kind", ["models", "algorithms"])
async def test_a_dataset_in_use_is_not_removed(client, org, kind):
    data = await create(client, org, "ada", "datasets", name="petals")
    user = await create(client, org, "ada", kind, datasets=["petals"])

    answer = await client.delete(f"/v1/datasets/{data['_id']}", headers=org.as_("ada"))

    assert (answer.status_code, answer.json()["value"]) == (400, 7)
    assert answer.json()["details"] == f"Used in {user['_id']} {kind[:-1].capitalize()}"


async def test_a_list_has_the_envelope(client, org):
    for number in range(3):
        await create(client, org, "ada", name=f"m{number}")

    page = await client.get("/v1/models?limit=1&page=2", headers=org.as_("ada"))

    assert {key: value for key, value in page.json().items() if key != "docs"} == {
        "totalDocs": 3,
        "limit": 1,
        "totalPages": 3,
        "page": 2,
        "pagingCounter": 2,
        "hasPrevPage": True,
        "hasNextPage": True,
        "prevPage": 1,
        "nextPage": 3,
    }
    assert [doc["name"] for doc in page.json()["docs"]] == ["m1"]


@pytest.mark.sample
async def test_lists_are_filtered_sorted_selected_and_paged(client, org):
    for number in range(5):
        await create(client, org, "ada", name=f"m{number}", tags=[f"tag_{number % 2}"])

    async def found(**query):
        return await names(client, org, "ada", **query)

    assert await found(filter='{"tags":"tag_1"}') == ["m3", "m1"]
    assert await found(filter='[{"name":"m0"},{"name":"m4"}]') == ["m4", "m0"]
    assert await found(filter='{"metadata":{"$elemMatch":{"name":"accuracy","value":{"$gte":0.9}}}}', limit=1) == ["m4"]
    assert await found(filter='{"name":{"$regex":"^m[13]$"}}') == ["m3", "m1"]
    assert await found(sort='{"name":"asc"}', limit=2) == ["m0", "m1"]
    assert await found(page=3, limit=2) == ["m0"]
    assert await found(page=99) == []
    assert await found(limit=0) == []


async def test_select_shows_of_one_item_what_it_shows_in_a_list(client, org):
    await client.post("/v1/models", json={"name": "iris", "tags": ["a"]}, headers=org.as_("ada"))
    query = {"select": '["name", "versions", "nonsense", "readers"]'}

    one = await client.get("/v1/models/iris", params=query, headers=org.as_("ada"))
    [listed] = (await client.get("/v1/models", params=query, headers=org.as_("ada"))).json()["docs"]
    nothing = await client.get("/v1/models", params={"select": '["nonsense"]'}, headers=org.as_("ada"))

    assert one.json() == listed
    assert listed.keys() == {"_id", "users", "datasets", "name", "versions"}
    assert nothing.json()["docs"][0].keys() == {"_id", "users", "datasets"}


async def test_an_answer_can_be_sent_back_and_what_no_client_sets_is_passed_over(client, org):
    made = (await client.post("/v1/models", json={"name": "iris", "tags": ["a"]}, headers=org.as_("ada"))).json()
    claimed = made | {"name": "copy", "owner": org.ids["bob"], "versions": [{"ordinal": "1"}], "_id": "0" * 24}

    copy = await client.post("/v1/models", json=claimed, headers=org.as_("ada"))
    listed = await client.post("/v1/models", json=[claimed | {"name": "another"}], headers=org.as_("ada"))
    refused = await client.post("/v1/models", json={"name": "x", "readers": []}, headers=org.as_("ada"))

    assert copy.json()["tags"] == ["a"]
    assert (copy.json()["owner"], copy.json()["versions"]) == (org.ids["ada"], [])
    assert copy.json()["_id"] != claimed["_id"]
    assert listed.status_code == 200
    assert (refused.status_code, refused.json()["details"]) == (400, "Unknown field (readers)")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("users", {"username": "zoe", "password": PASSWORD, "email": "z@example.org", "role": "regular"}),
        ("tags", {"_id": "flowers"}),
        ("metadata", {"_id": "accuracy"}),
        ("tokens", {"name": "mine"}),
    ],
)
async def test_answers_of_every_kind_can_be_sent_back(client, org, path, body):
    made = (await client.post(f"/v1/{path}", json=body, headers=org.as_("admin"))).json()
    gone = made["username"] if path == "users" else made["_id"]
    (await client.delete(f"/v1/{path}/{gone}", headers=org.as_("admin"))).raise_for_status()
    if path == "tokens":
        del made["token"]

    again = await client.post(f"/v1/{path}", json=made | body, headers=org.as_("admin"))

    assert again.status_code == 200, again.text


async def test_what_one_cannot_read_one_cannot_delete_either(client, org):
    secret = (await client.post("/v1/models", json={"name": "secret"}, headers=org.as_("ada"))).json()["_id"]

    answers = [
        await client.request(method, f"/v1/models/{secret}", json=body, headers=org.as_("bob"))
        for method, body in (("DELETE", None), ("PUT", {"visibility": "public"}), ("GET", None))
    ]

    assert [(answer.status_code, answer.json()["value"]) for answer in answers] == [(403, 13), (403, 12), (403, 10)]


async def test_select_shows_what_was_asked_for_and_what_always_comes_along(client, org):
    await create(client, org, "ada")

    docs = (await client.get('/v1/models?select=["name"]', headers=org.as_("ada"))).json()["docs"]

    assert [doc.keys() for doc in docs] == [{"_id", "name", "users", "datasets"}]


WRONG_LISTS = {
    "malformed filter": "filter={bad",
    "$where": 'filter={"$where":"sleep(1000)"}',
    "malformed sort": "sort=bad",
    "an invalid pattern": 'filter={"name":{"$regex":"("}}',
    "an unknown field": 'filter={"readers":"public"}',
    "a password": 'filter={"password":"x"}',
    "a sort by a secret": 'sort={"password":1}',
}


@pytest.mark.parametrize("query", WRONG_LISTS.values(), ids=WRONG_LISTS)
@pytest.mark.parametrize("resource", ["models", "users"])
async def test_a_hostile_list_is_refused(client, org, resource, query):
    answer = await client.get(f"/v1/{resource}?{query}", headers=org.as_("ada"))

    assert (answer.status_code, answer.json()["value"]) == (400, 6), answer.text


async def test_a_list_longer_than_a_window_is_walked_without_gaps(client, org, monkeypatch):
    monkeypatch.setattr(serial_scan, "NARROWEST", 16)
    body = [{"name": f"m{number}", "visibility": "public" if number % 3 else "private"} for number in range(150)]
    assert (await client.post("/v1/models?verbose=false", json=body, headers=org.as_("ada"))).status_code == 200

    seen = [name for page in range(1, 9) for name in await names(client, org, "eve", page=page, limit=13)]

    assert seen == [model["name"] for model in reversed(body) if model["visibility"] == "public"]
