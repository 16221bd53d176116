"""Threats that the inspection of the server found in files."""

import warnings

from catalog.client.errors import Unsafe, UnsafeFileWarning
from catalog.client.results import Version

THREATS = frozenset({"dangerous", "unfinished", "failed", "held"})
"""Findings that the policies of a tenant act on. `held` is such a file in a folder."""

ADVICE = "Load it only if you trust who made it; better use a format such as safetensors or ONNX."


def verdict_of(version: Version) -> str:
    """The verdict of a version with a threat in it; empty if none was found."""
    findings = version.inspection.get("findings") or ()
    is_threat = any(found["kind"] in THREATS for found in findings)
    return version.inspection.get("verdict") or "not trusted" if is_threat else ""


def refuse_threat(version: Version, reference: str) -> None:
    """Raises Unsafe for a version with a threat in it."""
    if verdict := verdict_of(version):
        raise Unsafe(f"{reference}: {verdict}", advice=f"It is refused, as you asked (strict). {ADVICE}")


def warn_of(version: Version, reference: str) -> None:
    """Warn of a threat with the verdict."""
    if verdict := verdict_of(version):
        warnings.warn(f"{reference}: {verdict}. {ADVICE}", UnsafeFileWarning, stacklevel=2)
