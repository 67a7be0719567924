"""Which labels mean the same thing?

Labels are typed by people and by systems: `Billing Issue`, `billing issue` and `Biling issues` may be one thing. What is found
here is a proposal. Nothing is joined until somebody writes the mapping down.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher

import numpy as np
import polars as pl

from fcrlib.model.errors import UsageError

MOST = 500
LIKENESS, SHORTEST = 0.9, 6
SAME = ("upper and lower case", "spaces", "punctuation", "accents")
KINDS = (*SAME, "plural", "word order", "spelling")
_OPPOSITES = ("un", "de", "dis", "in", "im", "non", "not", "re", "no")
_PAIR = {
    "label": pl.String,
    "n": pl.Int64,
    "channels": pl.String,
    "variant": pl.String,
    "variant_n": pl.Int64,
    "variant_channels": pl.String,
    "kind": pl.String,
    "likeness": pl.Float64,
}


def alike(contacts: pl.DataFrame, *, column: str = "category", most: int = MOST) -> pl.DataFrame:
    """Pairs of labels that look like one.

    Only the `most` frequent labels are compared. Of labels that are equal but for their writing, each is paired with the most
    frequent one; those that are merely spelled alike share nine tenths of their letters and all of their digits.

    Parameters
    ----------
    contacts
        Reads `column` and `channel`.
    column
        Which label.

    Returns
    -------
    pl.DataFrame
        `label` (the more frequent one), `n` contacts, `channels` it is used on, `variant`, `variant_n`, `variant_channels`, `kind`
        of difference (one of `KINDS`: the one that is hardest to overlook) and `likeness` (0..1); the largest variants first.

    References
    ----------
    Ratcliff and Metzener (1988), Dr. Dobb's Journal 13(7), 46: likeness is twice the matching letters over all letters.

    Examples
    --------
    >>> contacts = pl.DataFrame({"category": ["Log-in", "login", "login", "invoice"], "channel": ["web", "email", "chat", "web"]})
    >>> alike(contacts).select("label", "variant", "kind", "channels").row(0)
    ('login', 'Log-in', 'punctuation', 'chat, email')
    """
    used = _used(contacts, column=column, most=most)
    names = used["label"].to_list()
    written = list(_written_alike(names))
    variants = {variant for _, variant, _, _ in written}
    pairs = [*written, *_spelled_alike([name for name in names if name not in variants])]
    found = pl.DataFrame(pairs, schema={"label": pl.String, "variant": pl.String, "kind": pl.String, "likeness": pl.Float64}, orient="row")
    other = used.select(variant="label", variant_n="n", variant_channels="channels")
    counted = found.join(used, on="label", how="left").join(other, on="variant", how="left")
    return counted.select(*_PAIR).sort(pl.col("variant_n") * -1, "variant", "label")


def extent(contacts: pl.DataFrame, *, column: str = "category", most: int = MOST) -> tuple[int, int]:
    """How many labels `alike` compares, and how many there are."""
    there = contacts[column].drop_nulls().n_unique()
    return min(there, most), there


def proposal(pairs: pl.DataFrame) -> dict[str, str]:
    """A mapping for the pairs that differ in nothing but case, spaces, punctuation or accents, to be read before it is used.

    Examples
    --------
    >>> proposal(alike(pl.DataFrame({"category": ["Billing", "billing", "billing"], "channel": ["web"] * 3})))
    {'Billing': 'billing'}
    """
    return heads(pairs.filter(pl.col("kind").is_in(SAME)).sort("variant"))


def heads(pairs: pl.DataFrame) -> dict[str, str]:
    """The label at the end of each variant's chain: where `b` is a variant of `a` and `c` one of `b`, both lead to `a`."""
    head = dict(pairs.unique("variant", keep="first", maintain_order=True).select("variant", "label").iter_rows())
    for variant in head:
        while head[variant] in head:
            head[variant] = head[head[variant]]
    return head


def harmonised(contacts: pl.DataFrame, *, mapping: Mapping[str, str], column: str = "category") -> pl.DataFrame:
    """The same contacts with their labels renamed as the mapping says; every other label stays as it is.

    Labels match exactly and are renamed once: with `a` to `b` and `b` to `c`, an `a` becomes `b`.

    Raises
    ------
    UsageError
        If a label is empty or renamed to an empty one.

    Examples
    --------
    >>> contacts = pl.DataFrame({"category": ["Billing Issue", "billing", None]})
    >>> harmonised(contacts, mapping={"Billing Issue": "billing"})["category"].to_list()
    ['billing', 'billing', None]
    """
    empty = [f"{old!r} = {new!r}" for old, new in mapping.items() if not old.strip() or not new.strip()]
    if empty:
        raise UsageError("a label cannot be empty: give both the label to replace and the one to use", empty)
    renamed = {_composed(old): _composed(new) for old, new in mapping.items()}
    label = pl.col(column).str.normalize("NFC")
    return contacts.with_columns(pl.when(label.is_in(list(renamed))).then(label.replace(renamed)).otherwise(column).alias(column))


def unmatched(contacts: pl.DataFrame, *, mapping: Mapping[str, str], column: str = "category") -> list[str]:
    """Labels of the mapping that no contact carries, sorted: misspelled, or gone since it was written.

    Examples
    --------
    >>> unmatched(pl.DataFrame({"category": ["billing"]}), mapping={"billing": "money", "Biling": "money"})
    ['Biling']
    """
    there = set(contacts[column].drop_nulls().str.normalize("NFC").unique())
    return sorted(label for label in mapping if _composed(label) not in there)


def _composed(label: str) -> str:
    return unicodedata.normalize("NFC", label)


def _used(contacts: pl.DataFrame, *, column: str, most: int) -> pl.DataFrame:
    """The most frequent labels: `label`, `n`, `channels` (joined by commas)."""
    known = contacts.filter(pl.col(column).is_not_null()).select(pl.col(column).cast(pl.String).alias("label"), pl.col("channel").cast(pl.String))
    cells = known.group_by("label", "channel").agg(n=pl.len().cast(pl.Int64)).sort("label", "channel")
    labels = cells.group_by("label", maintain_order=True).agg(pl.col("n").sum(), channels=pl.col("channel").drop_nulls().str.join(", "))
    return labels.sort(pl.col("n") * -1, "label").head(most)


def _folds() -> list[tuple[str, Callable[[str], str]]]:
    """One way of writing a label after the other, each overlooking more than the one before."""
    return [
        ("upper and lower case", lambda label: _composed(label).casefold()),
        ("spaces", lambda label: re.sub(r"\s+", "", _composed(label).casefold())),
        ("punctuation", lambda label: re.sub(r"[\W_]+", "", _composed(label).casefold())),
        ("accents", lambda label: "".join(_words(label))),
        ("plural", lambda label: "".join(_singular(word) for word in _words(label))),
        ("word order", lambda label: " ".join(sorted(_singular(word) for word in _words(label)))),
    ]


def _words(label: str) -> list[str]:
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", label.casefold()) if not unicodedata.combining(sign))
    return re.findall(r"[^\W_]+", plain)


def _singular(word: str) -> str:
    """English plurals of words of four letters and more; what ends in -ss, -us or -is is none."""
    if len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("ches", "shes", "xes", "sses")) else word.removesuffix("s")


def _written_alike(names: list[str]) -> Iterator[tuple[str, str, str, float]]:
    """Each label that a fold makes equal to a more frequent one: label, variant, kind, 1.0."""
    taken: set[str] = set()
    for kind, fold in _folds():
        heads: dict[str, str] = {}
        for name in names:
            folded = fold(name)
            if name in taken or not folded:
                continue
            if heads.setdefault(folded, name) != name:
                taken.add(name)
                yield heads[folded], name, kind, 1.0


def _spelled_alike(names: list[str]) -> Iterator[tuple[str, str, str, float]]:
    """Pairs of longer labels with nearly the same letters and the same digits: label, variant, kind, likeness."""
    plain = ["".join(_words(name)) for name in names]
    for first, second in _candidates(plain):
        likeness = SequenceMatcher(None, plain[first], plain[second], autojunk=False).ratio()
        if likeness >= LIKENESS and _digits(plain[first]) == _digits(plain[second]) and not _opposite(plain[first], plain[second]):
            yield names[first], names[second], "spelling", likeness


def _candidates(plain: list[str]) -> Iterator[tuple[int, int]]:
    """Pairs that have enough letters in common, in whatever order, to be worth a closer look."""
    long = [place for place, word in enumerate(plain) if len(word) >= SHORTEST]
    signs = {sign: place for place, sign in enumerate(sorted({sign for place in long for sign in plain[place]}))}
    letters = np.zeros((len(long), max(1, len(signs))), dtype=np.int32)
    for row, place in enumerate(long):
        np.add.at(letters[row], [signs[sign] for sign in plain[place]], 1)
    sizes = letters.sum(axis=1)
    for row, place in enumerate(long):
        shared = np.minimum(letters[row], letters[row + 1 :]).sum(axis=1)
        near = np.flatnonzero(2 * shared >= LIKENESS * (sizes[row] + sizes[row + 1 :]) - 1e-9)
        yield from ((place, long[row + 1 + int(step)]) for step in near)


def _digits(word: str) -> list[str]:
    return re.findall(r"\d+", word)


def _opposite(one: str, other: str) -> bool:
    """`activation` and `deactivation` are spelled alike and mean the opposite."""
    short, long = sorted((one, other), key=len)
    return any(long == prefix + short for prefix in _OPPOSITES)
