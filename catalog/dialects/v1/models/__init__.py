"""The wire of the native dialect, as msgspec structs: what clients send and what they get.

How to write a route:

1. Declare its bodies and answers as structs in a module here: `class NewToken(RequestBody)` for a POST,
   `class UserChange(Change)` for a PUT, `class AccessTokenBody(Struct)` with a classmethod `of(record)` for an answer.
   `None` is the default of a field that a client may leave out, `UNSET` of one that an answer may lack. `Meta`
   describes a field. The document leaves out a `Body` at the end of a name.
2. Declare the handler: `async def create(self, data: Json[NewToken], ...) -> JsonResponse[NewAccessToken]`.
   `operation_id=` puts it into the document, the docstring has its summary and details, `response_description=`
   describes the answer, `responses=refuses(NOT_FOUND)` adds its own refusals to those that follow from guards,
   parameters and `data`. A list: `@get(**listing(TOKENS))` and `JsonResponse[Listed[AccessTokenBody]]`; `select` on one
   thing: `**selecting(TOKENS)` and `JsonResponse[X | Selected[X]]`. One or several:
   `data: Json[OneOrMany[NewModel]]`, `parameters=[VERBOSE]` and `JsonResponse[ItemBody | Created[ItemBody]]`.
   Controllers that share handlers: a `Generic` base class, and `words` for the texts.
3. Types of path parameters are in `v1.requests.parameters` (`key: ItemKey`). A parameter of the query string is
   declared in the signature (`Annotated[str, QueryParameter(...)]`) or, where the handler reads it, with
   `parameters=[query(...)]`.
4. `data.as_input()` makes the domain's input, a frozen dataclass. A length that the operator sets is marked with
   `at_most("tag")` and checked in the domain. A body that is no JSON, or that the handler reads by itself, is
   declared as `content={"*/*": {}}`, with `is_body_required=False` where it may be absent;
   an answer that is not only JSON as `media_types=`, and its headers with `response_header(...)`.
5. A handler that answers GET and HEAD by itself has a `head_operation_id=` as well. Routes that carry files share what
   `v1.versions.transfers` declares.
6. Give the controller `tags`. The document, `/docs.html` and the check of
   query parameters follow from the handlers.
"""
