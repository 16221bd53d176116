"""The numbers of faults, which the native API answers and the journal and traces of all dialects record.

They are those of the reference, and ours from 100 on. A number is never used twice nor reused. The reference's own 13
stands for two refusals, and stays so on the wire. The reference has one number for all that is wrong with a request of
one method: `BY_METHOD`.
"""

from catalog import errors
from catalog.errors import Fault

NUMBERS: dict[Fault, int] = {
    errors.INTERNAL: 0,
    errors.UPLOAD: 1,
    errors.DOWNLOAD: 2,
    errors.AUTHENTICATION: 3,
    errors.REQUEST: 4,
    errors.NOT_CREATED: 5,
    errors.NOT_SEARCHED: 6,
    errors.NOT_DELETED: 7,
    errors.NOT_CHANGED: 8,
    errors.NOT_FOUND: 9,
    errors.CANNOT_READ: 10,
    errors.CANNOT_CREATE: 11,
    errors.CANNOT_MODIFY: 12,
    errors.CANNOT_DELETE: 13,
    errors.ADMINISTRATORS_ONLY: 13,
    errors.NO_VALID_FIELDS: 14,
    errors.DEMO_TENANT_ONLY: 15,
    errors.EMPTY_BODY: 16,
    errors.RESET_INVALID: 17,
    errors.MISSING_EMAIL: 27,
    errors.UNKNOWN_ROUTE: 100,
    errors.METHOD_NOT_ALLOWED: 101,
    errors.MALFORMED_BODY: 102,
    errors.BODY_TOO_LARGE: 103,
    errors.DATABASE_AWAY: 104,
    errors.STORAGE_FULL: 105,
    errors.DIGEST_MISMATCH: 106,
    errors.UPLOAD_CUT_OFF: 107,
    errors.RANGE_NOT_SATISFIABLE: 108,
    errors.STALE: 109,
    errors.BUSY: 110,
    errors.QUOTA_EXCEEDED: 111,
    errors.UNSAFE_FILE: 112,
    errors.QUARANTINED: 113,
    errors.VERSION_CLOSED: 114,
    errors.VERSION_DRAFT: 115,
    errors.LINK_INVALID: 116,
    errors.BYTES_NEEDED: 117,
    errors.OFFSET_CONFLICT: 118,
    errors.UPLOAD_EXPIRED: 119,
    errors.UPLOAD_BUSY: 120,
    errors.TUS_VERSION: 121,
    errors.CHECKSUM_MISMATCH: 122,
    errors.STORAGE_AWAY: 123,
    errors.TOO_MANY_ATTEMPTS: 124,
    errors.READ_ONLY_TOKEN: 125,
    errors.NOT_CONFIRMED: 126,
    errors.BACKUP_CHANGED: 260,
    errors.TOO_SLOW: 127,
    errors.MAIL_AWAY: 128,
    errors.HEAD_TOO_LARGE: 129,
    errors.CLIENT_GONE: 130,
    errors.STOPPING: 131,
    errors.TOO_MANY_UPLOADS: 138,
    errors.AMBIGUOUS: 148,
    errors.CONTENT_CODED: 151,
    errors.REQUIRED_FIELD: 195,
    errors.DEPLOYED: 196,
    errors.TRANSFER_CODED: 152,
    errors.TENANT_NEWER: 161,
    errors.TENANT_UPGRADING: 162,
    errors.TENANT_UPGRADE_FAILED: 163,
    errors.ALIAS_UNKNOWN: 170,
    errors.ALIAS_MOVED: 171,
    errors.ALIASED: 172,
    errors.EXTERNAL_ID_TAKEN: 175,
    errors.BYTES_ELSEWHERE: 176,
    errors.CARD_NOT_RENDERED: 177,
}

BY_METHOD: dict[str, Fault] = {
    "POST": errors.NOT_CREATED,
    "GET": errors.NOT_SEARCHED,
    "HEAD": errors.NOT_SEARCHED,
    "DELETE": errors.NOT_DELETED,
    "PUT": errors.NOT_CHANGED,
}
"""What the reference answers to a wrong request of each method, whatever is wrong with it."""

WRONG_REQUEST = frozenset(
    {
        errors.INVALID_FIELD,
        errors.INVALID_QUERY,
        errors.NAME_TAKEN,
        errors.LIMIT_REACHED,
        errors.IN_USE,
        errors.LAST_ADMIN,
        errors.PROTECTED,
        errors.OTHER_USER,
        errors.INVALID_TRANSFER,
    }
)
"""Faults that have no number of their own: the method decides. INVALID_QUERY of other methods than GET is REQUEST."""


def numbered(fault: Fault, method: str) -> Fault:
    """The fault whose number a request of this method is refused with."""
    if fault not in WRONG_REQUEST:
        return fault
    by_query = fault is errors.INVALID_QUERY and method not in {"GET", "HEAD"}
    return errors.REQUEST if by_query else BY_METHOD.get(method, errors.REQUEST)


def number_of(fault: Fault, method: str) -> int:
    return NUMBERS[numbered(fault, method)]
