"""Names and references: what is new follows rules, what exists stays reachable, and `owner/name` says whose it is."""

import asyncio
import random
from base64 import b64encode
from unicodedata import normalize
from urllib.parse import quote

import pytest
from bson import ObjectId

from catalog.client.session import segment
from catalog.domain.people import users
from catalog.domain.people.usernames import find
from catalog.domain.tenants import tenants
from catalog.domain.tenants.tenants import Administrator
from catalog.errors import NAME_TAKEN, Refused
from catalog.store.clock import now
from catalog.store.documents.people import UserDocument
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.migrations.progress import Progress
from catalog.store.migrations.steps import usernames
from catalog.vocabulary import Role
from tests.support.app import API_TOKEN, OURS, PASSWORD
from tests.support.tenants import Organisation, organisation

KINDS = ("models", "datasets", "algorithms")
NFC, NFD = (normalize(form, "modèle") for form in ("NFC", "NFD"))
ODD = (" spaced ", "a\u200bb", "\u202egpj.exe", ".", "..", "/a", "a//b", "a\nb")
REAL = pytest.mark.parametrize("database", ["wire"], indirect=True)
"""The mock knows nothing of indexes on a part of the documents."""

ODD_LETTERS = "ab/%. \u200b\u202e\n\té\u0301🌸;?#+&\\\"'"


@pytest.fixture(scope="module")
async def org(client) -> Organisation:
    return await organisation(client, "ada", "bob", "eve")


@pytest.fixture(scope="module")
async def kept(app, org):
    """The tenant's handle, to keep what was allowed once."""
    return app.state.database.tenant(await app.state.database.tenants.find_one({"_id": org.name}))


async def create(client, org, who, name, kind="models", **fields):
    return await client.post(f"/v1/{kind}", json={"name": name, **fields}, headers=org.as_(who))


async def get(client, org, who, key, kind="models"):
    return await client.get(f"/v1/{kind}/{segment(key)}", headers=org.as_(who))


async def begin_upload(client, org, who, item):
    said = ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in (("item", item), ("filename", "a")))
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Metadata": said}
    return await client.post("/v1/uploads", headers=org.as_(who) | tus)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ODD, ids=map(ascii, ODD))
async def test_a_new_item_has_no_name_that_deceives(client, org, kind, name):
    answer = await create(client, org, "ada", name, kind)

    assert (answer.status_code, answer.json()["value"]) == (400, 5)
    assert answer.json()["details"].startswith("name: ")


async def test_the_two_compositions_of_a_name_are_one_item(client, org):
    made = await create(client, org, "ada", NFD)

    again = await create(client, org, "ada", NFC)
    found = [(await get(client, org, "ada", key)).json()["_id"] for key in (NFC, NFD)]

    assert made.json()["name"] == NFC
    assert again.json()["details"] == "A model with the same name already exists for this user"
    assert found == [made.json()["_id"]] * 2


async def test_an_older_item_is_found_by_its_own_spelling_before_the_normalized_one(client, org, kept):
    new = (await create(client, org, "bob", NFC)).json()["_id"]
    old = (await create(client, org, "bob", "to be renamed")).json()["_id"]
    await kept.models.records.update_one({"_id": ObjectId(old)}, {"$set": {"name": NFD}})

    found = [(await get(client, org, "bob", key)).json()["_id"] for key in (NFC, NFD)]

    assert found == [new, old]


async def test_whatever_an_older_item_is_called_its_escaped_name_finds_it(client, org, kept):
    dice = random.Random(12)
    names = {"".join(dice.choices(ODD_LETTERS, k=dice.randint(1, 12))) for _ in range(100)}
    made = (await create(client, org, "eve", "one of many")).json()
    document = await kept.models.records.find_one({"_id": ObjectId(made["_id"])})
    older = [{**document, "_id": ObjectId(), "name": name, "serial": -at} for at, name in enumerate(names)]
    await kept.models.records.insert_many(older)

    found = [(await get(client, org, "eve", item["name"])).json()["_id"] for item in older]

    assert found == [str(item["_id"]) for item in older]


@pytest.mark.parametrize("words", ["tags", "metadata"])
async def test_a_new_word_is_normalized_and_has_slashes_and_blanks_but_nothing_unseen(client, org, words):
    def having(word):
        return {"tags": [word]} if words == "tags" else {"metadata": [{"name": word, "value": 1}]}

    def added(word):
        return {name: {"add": value} for name, value in having(word).items()}

    spelled = await create(client, org, "ada", f"with-{words}", **having(f"a b/{NFD}"))
    path = f"/v1/models/with-{words}"
    answers = [await create(client, org, "ada", f"without-{words}", **having(word)) for word in (" a", "a\u200b", "..")]
    answers += [await client.put(path, json=added(word), headers=org.as_("ada")) for word in (" a", "a\u200b", "..")]
    answers += [
        await client.post(f"/v1/{words}", json={"_id": word}, headers=org.as_("admin")) for word in (" a", "..")
    ]
    taken = await client.put(
        path,
        json={name: {"remove": value} for name, value in having(f"a b/{NFD}").items()},
        headers=org.as_("ada"),
    )
    removed = await client.delete(f"/v1/{words}/{quote(f'a b/{NFD}', safe='')}", headers=org.as_("admin"))

    assert f"a b/{NFC}" in spelled.text
    assert [answer.status_code for answer in answers] == [400] * 8
    assert taken.json()[words] == []
    assert (removed.status_code, removed.json()["_id"]) == (200, f"a b/{NFC}")


@pytest.mark.parametrize("words", ["tags", "metadata"])
async def test_an_older_word_stays_on_its_item_and_can_be_removed(client, org, kept, words):
    odd = {"tags": ["a\u200b", NFD]}
    if words == "metadata":
        odd = {"metadata": [{"name": word, "value": 1} for word in odd["tags"]]}
    name = f"older-{words}"
    made = (await create(client, org, "ada", name)).json()
    await kept.models.records.update_one({"_id": ObjectId(made["_id"])}, {"$set": odd})
    await getattr(kept, words).records.insert_many(
        [{"_id": word, "usage": "folk", "uses": 1, "timestamp": now()} for word in ("a\u200b", NFD)]
    )

    again = await client.put(f"/v1/models/{name}", json={words: {"add": odd[words]}}, headers=org.as_("ada"))
    without = await client.put(f"/v1/models/{name}", json={words: {"remove": odd[words]}}, headers=org.as_("ada"))
    promoted = await client.post(f"/v1/{words}", json={"_id": NFD}, headers=org.as_("admin"))

    assert again.json()[words] == odd[words]
    assert without.json()[words] == []
    assert promoted.json()["_id"] == NFD


@pytest.mark.parametrize("name", [*ODD, "a/b"], ids=map(ascii, [*ODD, "a/b"]))
async def test_a_new_user_has_no_name_that_deceives(client, org, name):
    body = {"username": name, "password": PASSWORD, "email": "odd@example.org", "role": "regular"}

    answer = await client.post("/v1/users", json=body, headers=org.as_("admin"))

    assert (answer.status_code, answer.json()["value"]) == (400, 5)
    assert answer.json()["details"].startswith("username: ")


@pytest.mark.parametrize("name", ["ADMIN", "Admin", "ａｄｍｉｎ"])  # noqa: RUF001
async def test_a_new_username_differs_by_more_than_case_and_width(client, org, name):
    body = {"username": name, "password": PASSWORD, "email": "another@example.org", "role": "regular"}

    answer = await client.post("/v1/users", json=body, headers=org.as_("admin"))

    told = "User validation failed: a user with the same username already exists (admin)"
    assert (answer.status_code, answer.json()["details"]) == (400, told)


async def test_a_user_signs_in_with_either_composition_of_the_name(client, org):
    body = {"username": NFD, "password": PASSWORD, "email": "nfd@example.org", "role": "regular"}
    made = await client.post("/v1/users", json=body, headers=org.as_("admin"))

    answers = [
        await client.post("/v1/login", json={"username": name, "password": PASSWORD, "tenant": org.name})
        for name in (NFC, NFD)
    ]

    assert made.json()["username"] == NFC
    assert [answer.status_code for answer in answers] == [200, 200]


async def older_users(tenant, *names):
    """Users of a catalog that knew neither the key nor its index, after the upgrade."""
    await tenant.users.records.drop_indexes()
    for name in names:
        user = UserDocument(username=name, password="-", role=Role.REGULAR, validityPasswordDays=0)
        await tenant.users.insert(user)
    await tenant.users.prepare()
    await usernames.run(tenant, Progress("", print))


@REAL
async def test_older_users_whose_names_differ_by_case_stay_and_get_no_third(tenant):
    await older_users(tenant, "admin", "ADMIN", "a/b")

    refused = []
    for name in ("Admin", "A/B"):
        with pytest.raises(Refused, match="already exists") as refusal:
            await users.add(tenant, name, PASSWORD, Role.REGULAR, email=None, days=0)
        refused.append(refusal.value.fault)
    await users.add(tenant, "grace", PASSWORD, Role.REGULAR, email=None, days=0)

    assert refused == [NAME_TAKEN, NAME_TAKEN]
    assert [(await find(tenant, name))["username"] for name in ("admin", "ADMIN", "a/b")] == [
        *("admin", "ADMIN", "a/b")
    ]


@REAL
async def test_of_names_that_differ_by_case_and_come_at_once_one_is_made(tenant):
    await older_users(tenant, "bob")
    names = ("grace", "Grace", "GRACE", "gracE")

    made = await asyncio.gather(
        *(users.add(tenant, name, PASSWORD, Role.REGULAR, email=None, days=0) for name in names),
        return_exceptions=True,
    )

    assert sorted(type(each) is UserDocument for each in made) == [False, False, False, True]


@REAL
async def test_users_taken_over_may_differ_by_case(tenant):
    for name in ("admin", "ADMIN"):
        await users.take_over(
            tenant, UserDocument(username=name, password="-", role=Role.REGULAR, validityPasswordDays=0)
        )

    assert [(await find(tenant, name))["username"] for name in ("admin", "ADMIN")] == ["admin", "ADMIN"]


async def test_a_tenant_with_the_name_of_another_in_other_letters_is_refused(client, org):
    body = {"_id": org.name.upper(), "database": f"{org.name}-2", "email": "info@example.org", "admin_password": "x"}

    answer = await client.post("/v1/tenants", json=body, headers={"Authorization": API_TOKEN})

    assert (answer.status_code, answer.json()["value"]) == (400, 5)
    assert "exists already" in answer.json()["details"]


@REAL
async def test_older_tenants_whose_names_differ_by_case_stay_and_get_no_third(database, storage):
    name = f"{OURS}-acme"
    await database.tenants.records.drop_indexes()
    for each in (name, name.upper()):
        record = {"_id": each, "database": f"{each}-{len(each)}", "database_key": str(ObjectId()), "state": "ready"}
        await database.tenants.records.insert_one(record)
    await database.open()  # as a newer server does

    with pytest.raises(Refused, match="exists already"):
        await tenants.make(
            database, storage, RegisteredTenant(id=name.title(), database=f"{OURS}-3"), Administrator("admin", PASSWORD)
        )

    assert [(await tenants.find(database, each))["_id"] for each in (name, name.upper())] == [name, name.upper()]


async def test_the_administrator_of_a_new_tenant_has_a_name_as_any_user(client):
    body = {"_id": f"{OURS}-odd", "email": "info@example.org", "admin_username": "a/b", "admin_password": PASSWORD}

    answer = await client.post("/v1/tenants", json=body, headers={"Authorization": API_TOKEN})

    assert (answer.status_code, answer.json()["details"]) == (400, "admin_username: a slash is not allowed")


@pytest.fixture(scope="module")
async def twins(client, org):
    """Public items of one name by two people: the ids by kind and owner."""
    made = {}
    for kind in KINDS:
        for who in ("ada", "bob"):
            answer = await create(client, org, who, "twin/iris", kind, visibility="public")
            made[kind, who] = answer.json()["_id"]
    return made


@pytest.mark.parametrize("kind", KINDS)
async def test_items_of_one_name_are_told_apart_by_their_owners(client, org, twins, kind):
    keys = ("ada/twin/iris", "bob/twin/iris", f"{org.ids['bob']}/twin/iris", twins[kind, "bob"])

    found = [(await get(client, org, "eve", key, kind)).json()["_id"] for key in keys]
    own = (await get(client, org, "bob", "twin/iris", kind)).json()["_id"]

    assert found == [twins[kind, who] for who in ("ada", "bob", "bob", "bob")]
    assert own == twins[kind, "bob"]


async def test_a_reference_serves_wherever_a_key_is_taken(client, org, twins):
    path, ada = f"/v1/models/{quote('ada/twin/iris', safe='')}", org.as_("ada")

    answers = [
        await client.put(path, json={"description": "found"}, headers=ada),
        await client.post(f"{path}/versions?name=m.bin", content=b"bytes", headers=ada),
        await client.get(f"{path}/versions/1", headers=org.as_("eve")),
        await client.post(f"{path}/versions/1/link", headers=org.as_("eve")),
        await client.delete(f"{path}/versions/1", headers=ada),
        await begin_upload(client, org, "ada", "ada/twin/iris"),
        await create(client, org, "eve", "trained", datasets=["bob/twin/iris"]),
        await client.put("/v1/models/trained", json={"datasets": {"add": ["ada/twin/iris"]}}, headers=org.as_("eve")),
    ]

    assert [answer.status_code for answer in answers] == [200] * 5 + [201] + [200] * 2
    assert [each["_id"] for each in answers[-1].json()["datasets"]] == [
        *(twins["datasets", who] for who in ("bob", "ada"))
    ]


async def test_datasets_of_one_name_are_listed_too(client, org, twins):
    answer = await create(client, org, "eve", "trained on which", datasets=["twin/iris"])

    assert (answer.status_code, answer.json()["value"]) == (409, 148)
    assert "ada/twin/iris" in answer.json()["details"]


async def test_a_name_is_taken_whole_before_it_is_split(client, org):
    split = (await create(client, org, "bob", "rose", visibility="public")).json()["_id"]
    before = (await get(client, org, "eve", "bob/rose")).json()["_id"]
    whole = (await create(client, org, "eve", "bob/rose")).json()["_id"]

    after = (await get(client, org, "eve", "bob/rose")).json()["_id"]
    others = (await get(client, org, "ada", "bob/rose")).json()["_id"]

    assert (before, after, others) == (split, whole, split)


async def test_a_strangers_whole_name_does_not_stand_in_the_way_of_an_owner_and_name(client, org):
    split = (await create(client, org, "bob", "lily", visibility="public")).json()["_id"]
    whole = (await create(client, org, "eve", "bob/lily", visibility="public")).json()["_id"]

    refused = await get(client, org, "ada", "bob/lily")
    own = [(await get(client, org, who, "bob/lily")).json()["_id"] for who in ("eve", "bob")]
    by_id = [(await get(client, org, "ada", each)).json()["_id"] for each in (split, whole)]

    choices = f"bob/lily ({split}), eve/bob/lily ({whole})"
    assert (refused.status_code, refused.json()["value"]) == (409, 148)
    assert refused.json()["details"] == f"bob/lily may mean several models, give the id of one: {choices}"
    assert own == [whole, split]
    assert by_id == [split, whole]


async def test_a_whole_name_that_one_may_not_read_is_no_choice(client, org):
    split = (await create(client, org, "bob", "tulip", visibility="public")).json()["_id"]
    whole = (await create(client, org, "eve", "bob/tulip", users=["ada"])).json()["_id"]

    readable = await get(client, org, "ada", "bob/tulip")
    await client.put(f"/v1/models/{whole}", json={"users": {"remove": ["ada"]}}, headers=org.as_("eve"))
    after = await get(client, org, "ada", "bob/tulip")

    assert (readable.status_code, after.json()["_id"]) == (409, split)


async def test_what_one_may_not_read_does_not_exist_by_its_owner_and_name(client, org):
    made = (await create(client, org, "ada", "secret")).json()["_id"]

    answers = [
        await get(client, org, "bob", key) for key in ("ada/secret", f"{org.ids['ada']}/secret", "ada/nothing", made)
    ]
    changed = await client.put("/v1/models/ada%2Fsecret", json={"description": "x"}, headers=org.as_("bob"))
    seen = (await get(client, org, "admin", "ada/secret")).json()["_id"]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 403]
    assert (changed.status_code, changed.json()["value"]) == (404, 9)
    assert seen == made


async def test_what_one_may_read_only_is_not_changed_by_its_owner_and_name(client, org, twins):
    answer = await client.put("/v1/models/ada%2Ftwin%2Firis", json={"description": "x"}, headers=org.as_("bob"))

    assert (answer.status_code, answer.json()["value"]) == (403, 12)


async def test_an_owner_of_older_times_may_have_a_slash_in_the_name(client, org, kept):
    eve = await kept.users.records.find_one({"username": "eve"})
    owner = {**eve, "_id": ObjectId(), "username": "old/owner", "email": "old@example.org", "username_key": None}
    await kept.users.records.insert_one({name: value for name, value in owner.items() if value is not None})
    made = (await create(client, org, "ada", "owned by an old one", visibility="public")).json()["_id"]
    await kept.models.records.update_one({"_id": ObjectId(made)}, {"$set": {"owner": owner["_id"]}})

    found = await get(client, org, "bob", "old/owner/owned by an old one")

    assert found.json()["_id"] == made


async def test_the_list_of_choices_is_bounded(client, org, kept):
    made = (await create(client, org, "ada", "popular", visibility="public")).json()["_id"]
    document = await kept.models.records.find_one({"_id": ObjectId(made)})
    others = [{**document, "_id": ObjectId(), "owner": ObjectId(), "serial": 10**6 + at} for at in range(30)]
    await kept.models.records.insert_many(others)

    answer = await get(client, org, "bob", "popular")

    details = answer.json()["details"]
    assert (answer.status_code, details.count("/popular ("), details[-10:]) == (409, 10, ", and more")


@pytest.mark.parametrize("key", ["/" * 5000, "a/" * 5000, "/iris", "ada/", "ada//iris"])
async def test_a_key_of_slashes_is_not_there(client, org, key):
    assert (await get(client, org, "ada", key)).status_code == 404


# Versions in references, and renaming


async def add_version(client, org, who, key, kind="models"):
    headers = {**org.as_(who), "Content-Type": "application/octet-stream"}
    address = f"/v1/{kind}/{segment(key)}/versions?name=a.bin"
    (await client.post(address, content=b"bytes", headers=headers)).raise_for_status()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reference_to_a_version_stands_for_its_item_where_it_is_read(client, org, kind):
    made = (await create(client, org, "ada", f"rose@{kind}", kind, users=["bob"])).json()
    await add_version(client, org, "ada", made["_id"], kind)
    champion = f"/v1/{kind}/{made['_id']}/aliases/champion"
    (await client.put(champion, json={"version": "1"}, headers=org.as_("ada"))).raise_for_status()

    keys = [
        f"{name}@{which}" for name in (f"rose@{kind}", f"ada/rose@{kind}", made["_id"]) for which in ("1", "champion")
    ]
    found = [(await get(client, org, "bob", key, kind)).json().get("_id") for key in keys]
    absent = [await get(client, org, who, f"rose@{kind}@{which}", kind) for who, which in (("bob", "2"), ("eve", "1"))]

    assert found == [made["_id"]] * 6
    assert [each.status_code for each in absent] == [404, 404]


async def test_a_reference_to_a_version_changes_nothing(client, org):
    made = (await create(client, org, "ada", "tulip")).json()
    await add_version(client, org, "ada", "tulip")

    answers = [
        await client.delete("/v1/models/tulip%401", headers=org.as_("ada")),
        await client.put("/v1/models/tulip%401", json={"description": "x"}, headers=org.as_("ada")),
        await client.post("/v1/models/tulip%401/rename", json={"name": "x"}, headers=org.as_("ada")),
        await client.post("/v1/models/tulip%401/versions?name=b.bin", content=b"x", headers=org.as_("ada")),
    ]

    assert {(each.status_code, each.json()["details"]) for each in answers} == {
        (404, "tulip@1 is a version, not a model")
    }
    assert (await get(client, org, "ada", "tulip")).json()["versionsTotal"] == 1
    assert (await get(client, org, "ada", "tulip")).json()["description"] == made["description"]


async def test_a_whole_name_with_an_at_sign_comes_before_a_version(client, org):
    await create(client, org, "ada", "lily")
    await add_version(client, org, "ada", "lily")
    whole = (await create(client, org, "ada", "lily@1")).json()

    assert (await get(client, org, "ada", "lily@1")).json()["_id"] == whole["_id"]


async def test_a_reference_to_a_version_that_fits_several_items_lists_them(client, org):
    for who in ("ada", "bob"):
        await create(client, org, who, "daisy", visibility="public")
        await add_version(client, org, who, "daisy")

    refused = await get(client, org, "eve", "daisy@1")

    assert (refused.status_code, refused.json()["value"]) == (409, 148)
    assert all(f"{who}/daisy (" in refused.json()["details"] for who in ("ada", "bob"))


async def test_the_datasets_of_a_model_are_named_by_references(client, org):
    petals = (await create(client, org, "ada", "petals", "datasets", visibility="public")).json()
    await add_version(client, org, "ada", "petals", "datasets")

    made = await create(client, org, "bob", "of petals", datasets=["ada/petals@1"])
    refused = await create(client, org, "bob", "of others", datasets=["ada/petals@2"])
    change = {"datasets": {"remove": ["petals@latest"]}}
    changed = await client.put("/v1/models/of%20petals", json=change, headers=org.as_("bob"))

    assert [each["_id"] for each in made.json()["datasets"]] == [petals["_id"]]
    assert (refused.status_code, refused.json()["details"]) == (400, "datasets: Dataset not existent (ada/petals@2)")
    assert changed.json()["datasets"] == []


async def test_a_search_shows_references_that_can_be_pasted(client, org):
    await create(client, org, "ada", "group/orchid", visibility="public")
    await create(client, org, "bob", "group/orchid", visibility="public")

    hits = (await client.get("/v1/search?q=orchid", headers=org.as_("eve"))).json()["docs"]
    found = [(await get(client, org, "eve", hit["reference"])).json()["_id"] for hit in hits]

    assert {hit["reference"] for hit in hits} == {"ada/group/orchid", "bob/group/orchid"}
    assert found == [hit["_id"] for hit in hits]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_renamed_item_is_found_by_its_new_name_and_by_its_id(client, org, kind):
    made = (await create(client, org, "ada", "before", kind, users=["bob"])).json()
    await add_version(client, org, "ada", "before", kind)
    address = f"/v1/{kind}/{made['_id']}/versions/1/link"
    link = (await client.post(address, json={}, headers=org.as_("bob"))).json()["url"]

    renamed = await client.post(f"/v1/{kind}/before/rename", json={"name": "now after"}, headers=org.as_("ada"))
    searched = (await client.get(f"/v1/search?q=now after&kind={kind}", headers=org.as_("bob"))).json()["docs"]

    assert (renamed.status_code, renamed.json()["name"]) == (200, "now after")
    assert (await get(client, org, "bob", "now after", kind)).json()["_id"] == made["_id"]
    assert (await get(client, org, "bob", made["_id"], kind)).json()["name"] == "now after"
    assert (await get(client, org, "bob", "before", kind)).status_code == 404
    assert (await client.get(link)).content == b"bytes"
    assert [hit["_id"] for hit in searched] == [made["_id"]]
    assert (await create(client, org, "ada", "before", kind)).status_code == 200


async def test_a_new_name_is_refused_as_at_creation(client, org):
    for name in ("fern", "moss"):
        await create(client, org, "ada", name)
    tag = (await get(client, org, "ada", "fern")).headers["etag"]

    async def rename(name, who="ada", **headers):
        sent = {"json": {"name": name}, "headers": {**org.as_(who), **headers}}
        return await client.post("/v1/models/fern/rename", **sent)

    taken = await rename("moss")
    wrong = [await rename(name) for name in ODD]
    same = await rename("fern")
    late = await rename("ivy", **{"If-Match": tag})

    assert (taken.status_code, taken.json()["value"], taken.json()["details"]) == (
        (await create(client, org, "ada", "moss")).status_code,
        5,
        "A model with the same name already exists for this user",
    )
    assert {(each.status_code, each.json()["value"]) for each in wrong} == {(400, 5)}
    assert (same.status_code, late.status_code) == (200, 412)
    assert (await get(client, org, "ada", "fern")).json()["name"] == "fern"
