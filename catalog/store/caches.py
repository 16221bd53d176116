"""A cache of the database's answers. Each reader says how old an answer may be."""

from collections.abc import Hashable
from time import monotonic
from typing import Generic, TypeVar

from cachetools import LRUCache

T = TypeVar("T")


class AnswerCache(Generic[T]):
    """At most `size` answers. The least recently used one is dropped first. Readers do not change what they get."""

    def __init__(self, size: int) -> None:
        self._answers: LRUCache[Hashable, tuple[float, T]] = LRUCache(size)

    def get(self, key: Hashable, age: float) -> T | None:
        """The answer to a question that was asked at most `age` seconds ago."""
        try:
            asked, answer = self._answers[key]
        except KeyError:
            return None
        return answer if monotonic() - asked < age else None

    def put(self, key: Hashable, answer: T, asked: float) -> None:
        """Keep the answer to a question that was asked at the moment `asked` of the monotonic clock."""
        self._answers[key] = asked, answer

    def forget(self, key: Hashable) -> None:
        self._answers.pop(key, None)
