"""The refusal of a running server, as a sentence for the terminal."""

import httpx

ADVICE = "CATALOG_TOKEN should be API_TOKEN"


def refusal(answer: httpx.Response, advice: str = ADVICE) -> str:
    """What the server refuses, and why. `advice` replaces details that it does not give."""
    try:
        body = answer.json()
        return f"{body['message']} ({body.get('details') or advice})"
    except (ValueError, KeyError, TypeError):
        return f"The server answers {answer.status_code}: is it a catalog?"
