"""What is asked of every request, whatever its route: looked at after the guards and before a handler runs."""

from catalog.dialects.headers import AnyRequest, refuse_coded


async def refuse_unreadable(request: AnyRequest) -> None:
    """Refuse a body that no handler could read as it is.

    Raises Refused: CONTENT_CODED.
    """
    headers = request.headers
    if "content-encoding" in headers and (request.content_length or "transfer-encoding" in headers):
        refuse_coded(headers.getall("content-encoding"))
