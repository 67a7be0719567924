"""Whose names does the desk know, and which of them stand in its texts?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fcrlib.intake.privacy.portions import portions

# Columns that name a person by reference. Some exports use the e-mail address or the name itself.
REFERENCES = ("customer_ref", "person", "first_agent", "resolver_agent", "actor_id", "agent_from", "agent_to", "agent_id")
_PART = r"\p{Lu}[\p{L}'’\-]+"
_OF = r"(?:van|von|zu|de|der|den|la|le|da|do|dos|di|del|della|bin|al|el|y|e)"
PERSON = rf"^(?:{_PART}(?: (?:{_OF} )*(?:\p{{Lu}}\. )?{_PART}){{1,3}}|{_PART}(?: {_PART})?, {_PART}(?: {_PART})?)$"
SHORTEST = 4
_ROLE = r"(?i)\b(?:bot|team|support|agent|queue|desk|helpdesk|user|system|admin|administrator|service|services|manager|group|customer|caller|resolver|center|unknown)\b"
OFTEN, FEW = 0.1, 20
"""A part of a name that stands in more than this share of the texts, and in more than a few, is a word: no one person is spoken of so much."""
_TOGETHER, _WORDS_OF = 400, 4_000_000
# Names that are also words: they are taken with the rest of the name only.
_SPOKEN = (
    "account agent angel april august baker banks bank bill bishop bond bridge brook brooks brown butler carol carter chance chase christian clay close cook "
    "cooper cross dale dawn dean drew earl east english faith fields field fisher flowers forest foster frank french gene german glen gold good grace grant "
    "gray green grey guy hand hart heather holiday holly home hope house hunter iris ivy jack jade jasmine joy july june king knight lake lane law lee light "
    "lily little long love major march mark marks mason may mercy miles mills moon more noble north olive page park parks pearl penny person pierce pool "
    "porter power price prince ray read reed rich right river rivers robin rock rose ruby rusty sand scotland scott short silver skip small smart snow south "
    "sparks spring stone stones storm strong summer summers sunny sydney temple test text victory violet wall ward waters weaver webb welch wells west white "
    "will wills winter wise wolf wood woods young yes "
    "bauer becker berg blume ernst fuchs gross groß haupt herr herz jung kaiser kern klein koch kraft kunde kurz lang lange mai markt meister neu neumann "
    "richter ritter schmied schwarz sommer stark stein weiss weiß winter zimmer "
    "blanc bois bon bonne brun claire dupont fleur juste leroy martin mer petit pierre rouge roy "
    "blanca calle campos casas cruz dolores flores leon luna mar mercedes paz pilar reyes rico rojas sol consuelo"
)
WORDS = frozenset(_SPOKEN.split())


def known_names(values: pl.Series) -> pl.Series:
    """The values that read like the full name of a person, each once and sorted; `Last, First` is turned round.

    Examples
    --------
    >>> known_names(pl.Series(["Anna Lindqvist", "Okoro, Peter", "a-017", "Caller 2403", "jo@example.org", None])).to_list()
    ['Anna Lindqvist', 'Peter Okoro']
    """
    names = values.drop_nulls().unique().str.normalize("NFC").str.strip_chars()
    people = names.filter(names.str.contains(PERSON) & ~names.str.contains(_ROLE))
    return people.str.replace(r"^([^,]+), (.+)$", "$2 $1").unique().sort()


def name_shapes(texts: Sequence[pl.Series], *, names: pl.Series) -> list[str]:
    """Patterns of those names that stand in the texts: the whole name in any order of its parts, and a part alone where it is no word.

    Whole words only. A part alone needs four letters and a capital, must not be a word (`WORDS`), not stand in
    many texts, and not be written small more often than not.

    Parameters
    ----------
    texts
        All the texts, column by column; a part's frequency among them, each counted once, tells names from words.
    names
        Full names, first name first.
    """
    if names.is_empty():
        return []
    parts = pl.DataFrame({"name": names}).with_columns(part=pl.col("name").str.extract_all(r"[\p{L}'’\-]{2,}")).explode("part", empty_as_null=False)
    parts = parts.with_columns(low=pl.col("part").str.to_lowercase()).filter(~pl.col("low").str.contains(rf"^{_OF}$"))
    counted, rows = _counted(texts, parts["low"].unique())
    here = parts.join(counted.select("low").unique(), on="low", how="semi")
    whole = here.group_by("name").len().join(parts.group_by("name").agg(all=pl.len()), on="name").filter(pl.col("len") == pl.col("all"))
    common = here.group_by("name").agg(pl.col("low").is_in(sorted(WORDS)).all().alias("common")).filter("common")["name"]
    worded = whole["name"].is_in(common.implode())
    read_alike, as_written = whole["name"].filter(~worded).sort(), whole["name"].filter(worded).sort()
    return [
        *_either(_whole(read_alike), mark="(?i)"),
        *_either(_whole(as_written), mark=""),
        *_either(_alone(here, counted, rows=rows), mark=""),
    ]


def _counted(texts: Sequence[pl.Series], parts: pl.Series) -> tuple[pl.DataFrame, int]:
    """In how many distinct texts each part of a name stands, by how it is written (`text`, `low`, `n`); and how many distinct texts there are.

    Words are taken out of a few megabytes at a time. Which texts were there before is told by their hashes, a few bytes for each.
    """
    new = (pl.concat([values.hash() for values in texts]).is_first_distinct() & pl.concat([values.is_not_null() for values in texts])).alias("new")
    word = pl.concat_list(pl.col("text").str.extract_all(r"\p{L}+(?:['’\-]\p{L}+)+"), pl.col("text").str.extract_all(r"\p{L}{3,}")).list.unique()
    low, found, start = pl.col("text").str.to_lowercase().alias("low"), [], 0
    for portion in (part for values in texts for part in portions(values, most=_WORDS_OF)):
        some = pl.LazyFrame({"text": portion.filter(new[start : start + len(portion)])}).select(word)
        some = some.explode("text", empty_as_null=False).with_columns(low).filter(pl.col("low").is_in(parts.implode()))
        found.append(some.group_by("text", "low").agg(n=pl.len()).collect())
        start += len(portion)
    return pl.concat(found).group_by("text", "low").agg(pl.col("n").sum()), int(new.sum())


def _alone(here: pl.DataFrame, counted: pl.DataFrame, *, rows: int) -> list[str]:
    """Parts of names that may go wherever they stand: with a capital or in capitals."""
    small = pl.col("text") == pl.col("low")
    by = counted.group_by("low").agg(written=pl.col("n").filter(~small).sum(), lower=pl.col("n").filter(small).sum())
    rare = by.filter(pl.col("written") <= max(OFTEN * rows, FEW), pl.col("lower") <= pl.col("written"))
    good = here.filter(pl.col("part").str.len_chars() >= SHORTEST, ~pl.col("low").is_in(sorted(WORDS))).join(rare, on="low", how="semi")
    found = good["part"].unique().sort()
    return [*found.str.escape_regex(), *found.str.to_uppercase().str.escape_regex()]


def _whole(names: pl.Series) -> list[str]:
    turned = names.str.replace(r"^(\S+) (.+)$", "$2,? $1")
    return [*names.str.escape_regex().str.replace_all(" ", r"\s+(?:\p{Lu}\. )?", literal=True), *turned.str.replace_all(" ", r"\s+", literal=True)]


def _either(words: list[str], *, mark: str) -> list[str]:
    """A pattern for a few hundred words at a time, the longest first."""
    ordered = sorted(set(words), key=lambda word: (-len(word), word))
    chunks = [ordered[start : start + _TOGETHER] for start in range(0, len(ordered), _TOGETHER)]
    return [rf"{mark}()\b(?:{'|'.join(chunk)})\b" for chunk in chunks]
