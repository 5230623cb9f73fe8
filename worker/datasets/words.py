"""Bags of words: which words of a text occur in a vocabulary of the most frequent ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_WORDS = 10_000  #: of the vocabulary (Kingma & Ba 2015, section 6.1)

#: Letters and digits of any script, and apostrophes between them.
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_LINE_BREAK = "<br />"


def words_of(text: str) -> list[str]:
    """The words of a text in their order, in lower case, without its line breaks in HTML."""
    return _WORD.findall(text.replace(_LINE_BREAK, " ").lower())


def vocabulary(texts: Iterable[str], n_words: int) -> list[str]:
    """The words that occur most often in all texts together, the most frequent first, equal ones by the alphabet.

    Args:
        texts: those that may be looked at: the training examples.
        n_words: at most so many.
    """
    counts: dict[str, int] = {}
    for text in texts:
        for word in words_of(text):
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: (-counts[word], word))[:n_words]


def bags(texts: Sequence[str], words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The distinct words of each text as a binary matrix in compressed sparse row format.

    Args:
        texts: n texts.
        words: the vocabulary; others are left out.

    Returns:
        where each text's words begin, [n + 1] int64, and the words' places in the vocabulary, ascending in a text.
    """
    places = {word: place for place, word in enumerate(words)}
    rows = list(_rows(texts, places))
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    return starts, np.concatenate(rows)


def _rows(texts: Iterable[str], places: dict[str, int]) -> Iterator[NDArray[Any]]:
    for text in texts:
        found = {places[word] for word in words_of(text) if word in places}
        yield np.array(sorted(found), dtype=np.int32)
