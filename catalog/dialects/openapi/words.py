"""Tags and metadata names."""

from catalog.dialects.openapi.lists import VERBOSE, listing, made_answers, one_or_many
from catalog.dialects.openapi.operation import Operation, Who, answered, json_body
from catalog.dialects.openapi.parameters import LIMIT, query
from catalog.dialects.openapi.schema import made_of, many, ref, text
from catalog.domain.terms.suggest import LONGEST
from catalog.domain.terms.terms import Vocabulary
from catalog.errors import NOT_CREATED, NOT_DELETED, NOT_FOUND, NOT_SEARCHED


def operations(prefix: str) -> list[Operation]:
    return [
        *_words(f"{prefix}/{Vocabulary.TAGS}", "Tags", "Tag", "tags"),
        *_words(f"{prefix}/{Vocabulary.METADATA}", "Metadata names", "MetadataName", "metadatas"),
    ]


def _words(path: str, group: str, one: str, plural: str) -> list[Operation]:
    suggestions = made_of({"docs": many(ref("Suggestion"))})
    return [
        listing(path, f"list{one}s", group, "List the words, with how many items use each", "Word"),
        Operation(
            method="post",
            path=path,
            name=f"create{one}s",
            group=group,
            summary="Add a word that a UI suggests first, or several",
            who=Who.ADMINISTRATOR,
            parameters=[VERBOSE],
            body=json_body(one_or_many(f"{one}ToMake"), {"_id": "flowers"}),
            answers=made_answers("NewWord", plural),
            faults=(NOT_CREATED,),
        ),
        Operation(
            method="get",
            path=f"{path}/suggest",
            name=f"suggest{one}s",
            group=group,
            summary="Complete what somebody types",
            parameters=[query("q", "What was typed so far.", text(longest=LONGEST), example="flo"), LIMIT],
            answers={200: answered("The words, best first.", suggestions)},
            faults=(NOT_SEARCHED,),
        ),
        *(
            Operation(
                method="delete",
                path=f"{path}/{word}",
                name=name,
                group=group,
                summary=summary,
                details="Refused while an item uses it.",
                who=Who.ADMINISTRATOR,
                answers={200: answered("The word, as it was.", ref("NewWord"))},
                faults=(NOT_FOUND, NOT_DELETED),
            )
            for word, name, summary in (
                ("{word}", f"remove{one}", "Remove a word"),
                ("suggest", f"remove{one}Suggest", "Remove the word that is called `suggest`"),
            )
        ),
    ]
