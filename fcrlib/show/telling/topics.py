"""How is what customers write about put into words, without claiming more than was counted?

Every sentence is computed from the frame it speaks of. The name of a topic is made of words that customers wrote: it is shown as one short line of
plain text. A topic is where failures are, not what makes them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, interval, magnitude, number, percent, points
from fcrlib.show import effects
from fcrlib.show.figure import Column, Figure, Table
from fcrlib.show.names import capital, slug
from fcrlib.show.quote import quote

if TYPE_CHECKING:
    from fcrlib.texts.reading import Reading

NO_TOPIC = "contacts without a topic"
LONGEST = 60
FAILED, REOPENED = "failed", "reopened"
_VERBS = {FAILED: "fail", REOPENED: "are reopened"}


def titled(frame: pl.DataFrame, *, topics: pl.DataFrame | None = None, topic: str = "topic") -> pl.DataFrame:
    """The frame with `name`, what each topic is called in one line of plain text.

    Parameters
    ----------
    topics
        `topic` and `name` (or `label`), and `fingerprint` where there is one; without it a topic is called by its number.
    """
    if topics is None:
        return frame.with_columns(name=_names(frame[topic].cast(pl.String)))
    said = "name" if "name" in topics.columns else "label"
    marks = ["fingerprint"] if "fingerprint" in topics.columns else []
    given = topics.select(pl.col(topic), pl.col(said).alias("_said"), *marks)
    joined = frame.join(given, on=topic, how="left", nulls_equal=True, maintain_order="left")
    spoken = pl.when(pl.col(topic).is_not_null()).then(pl.coalesce("_said", pl.col(topic).cast(pl.String)))
    return joined.with_columns(name=_names(joined.select(spoken).to_series())).drop("_said")


def _names(told: pl.Series) -> pl.Series:
    return pl.Series([NO_TOPIC if name is None else quote(name, limit=LONGEST) or "a topic without words" for name in told], dtype=pl.String)


def read(openings: pl.DataFrame) -> str:
    """One sentence on what was read; `openings` as `texts.openings.openings` makes it."""
    if openings.is_empty():
        return "No first contact of these periods has a text"
    different, most = int(openings["representative"].sum()), openings.select(pl.col("copies").max()).item()
    languages = openings.drop_nulls("language").group_by("language").len().sort("len", "language", descending=[True, False])["language"]
    said = f"; languages: {', '.join(_label(one) for one in languages.head(5))}" if languages.len() else "; no language is known"
    copies = f", the one sent most often {count(most)} times" if most > 1 else ""
    return f"{_some(openings.height, 'opening')}, {count(different)} of them different{copies}{said}"


def held(found: Reading) -> str:
    """One sentence on how many topics there are, how many hold, and how many contacts lie in them."""
    if found.topics.is_empty():
        return "No topic was found"
    stable = found.topics.filter(pl.col("stable").fill_null(False))
    whole = found.documents.height
    inside, sure = int(stable["n"].sum()) / whole, float(found.documents.select((pl.col("level") == "sure").mean()).item())
    return (
        f"{_some(found.topics.height, 'topic')}, {count(stable.height)} of them stable, with {percent(inside)} of the contacts; "
        f"{percent(sure)} of the contacts lie surely in theirs, {percent(1 - sure)} doubtfully or in none"
    )


def listed(topics: pl.DataFrame, *, most: int = 20) -> Table:
    """The largest topics with the opening nearest to their middle."""
    shown = topics.sort(pl.col("n") * -1, "topic").head(most)
    said = pl.Series("said", [quote(text or "", limit=160) for text in shown["quote"].to_list()], dtype=pl.String)
    shown = titled(shown.drop("name", "fingerprint", strict=False), topics=topics).with_columns(said)
    heads = (Column("name", "topic"), Column("n", "contacts", "count"), Column("said", "for example"))
    rest = (Column("stability", "stability", "percent"), Column("stable", "stable"), Column("fingerprint", "fingerprint"))
    more = f"The {most} largest of {_some(topics.height, 'topic')}." if topics.height > most else ""
    title = f"The largest topic is “{shown['name'][0]}” with {_some(int(shown['n'][0]), 'contact')}" if shown.height else "No topic was found"
    return Table(
        "topics", title, shown, (*heads, *rest), note=f"{more} Stability is how much of a topic is found again in samples of the contacts.".strip()
    )


def largest_over(*excesses: pl.DataFrame, most: int = 3) -> list[int]:
    """The topics to look into more closely: those over-represented, the first of each frame in turn, else the one with most failed contacts."""
    wanted = [excess.filter(pl.col("over") & pl.col("topic").is_not_null())["topic"].head(most).to_list() for excess in excesses]
    first = list(dict.fromkeys(topic for several in wanted for topic in several))[:most]
    known = excesses[0].filter(pl.col("topic").is_not_null() & (pl.col("failed") > 0)).sort(pl.col("failed") * -1, "topic")["topic"].to_list()
    return first or known[:1]


def inner(parts: pl.DataFrame, *, topics: pl.DataFrame, most: int = 5) -> Table:
    """What the failed contacts of some topics are about more closely, the largest of each; `parts` as `explain.topics.inside` makes it."""
    shown = titled(parts.filter(pl.int_range(pl.len()).over("topic") < most), topics=topics)
    labels = pl.Series("label", [quote(label, limit=LONGEST) for label in shown["label"].to_list()], dtype=pl.String)
    said = pl.Series("quote", [quote(text or "", limit=160) for text in shown["quote"].to_list()], dtype=pl.String)
    heads = (
        Column("name", "topic"),
        Column("label", "inside it"),
        Column("n", "failed contacts", "count"),
        Column("share", "of the topic's", "percent"),
    )
    rest = (Column("stable", "stable"), Column("quote", "for example"))
    more = f"The {most} largest of each topic." if shown.height < parts.height else ""
    return Table("topics-inside", _finer(parts), shown.with_columns(labels, said), (*heads, *rest), note=more)


def _finer(parts: pl.DataFrame) -> str:
    """One sentence on how many finer topics there are inside some."""
    if parts.is_empty():
        return "No topic was looked into more finely: that takes 20 different texts of failed contacts"
    hold = parts.filter(pl.col("stable").fill_null(False)).height
    return f"Inside {_some(parts['topic'].n_unique(), 'topic')}, the failed contacts fall into {_some(parts.height, 'finer one')}, {count(hold) if hold else 'none'} of them stable"


def moved_table(moved: pl.DataFrame) -> Table:
    """The topics that are new, gone, growing or shrinking."""
    heads = (
        Column("name", "topic"),
        Column("kind", "kind"),
        Column("n_before", "contacts before", "count"),
        Column("n_after", "contacts now", "count"),
    )
    rest = (Column("rate_before", "of customers before", "percent"), Column("rate_after", "of customers now", "percent"))
    shown = moved.filter((pl.col("kind") != "steady") & pl.col("topic").is_not_null())
    return Table("topics-moved", moves(moved), shown, (*heads, *rest))


def filed_table(misfiled: pl.DataFrame, *, topics: pl.DataFrame) -> Table:
    """The topics whose contacts are filed under other categories than they read like."""
    heads = (Column("name", "topic"), Column("expected", "reads like"), Column("mostly", "mostly filed under"))
    counts = (Column("elsewhere", "filed elsewhere", "count"), Column("share", "of its contacts", "percent"))
    rates = (Column("fcr", "FCR of these", "percent"), Column("fcr_matched", "FCR of the others", "percent"))
    gap = (Column("difference", "difference", "points"), Column("low", "95 % from", "points"), Column("high", "to", "points"))
    return Table("topics-filed", filed(misfiled, topics=topics), misfiled, (*heads, *counts, *rates, *gap))


def over(excess: pl.DataFrame, *, what: str = FAILED) -> str:
    """One sentence on which topics are over-represented.

    Parameters
    ----------
    excess
        `search.prevalence.excess` with `name` (see `titled`).
    what
        `failed` or `reopened`, what was counted.
    """
    known = excess.filter(pl.col("topic").is_not_null())
    compared, found = known.filter(pl.col("p").is_not_null()), known.filter("over")
    if known.is_empty():
        return "There is no topic to compare"
    if compared.is_empty():
        return "No topic has enough contacts with others alike to be compared"
    if found.is_empty():
        return f"None of {_some(compared.height, 'topic')} is over-represented among {what} contacts beyond chance"
    row = found.row(0, named=True)
    more = f"; {_some(found.height - 1, 'more topic')} {_is(found.height - 1)} over-represented" if found.height > 1 else ""
    return (
        f"{capital(row['name'])}: over-represented among {what} contacts, by {magnitude(row['difference'])} against contacts alike "
        f"({points(row['low'])} to {points(row['high'])}){more}"
    )


def missed(excess: pl.DataFrame, *, what: str = FAILED) -> str:
    """One sentence that tells the largest topic from the one that stands out most, so that size is not taken for excess."""
    known = excess.filter((pl.col("failed") > 0) & pl.col("topic").is_not_null())
    if known.is_empty():
        whose = "No contact" if not excess["failed"].sum() else "No contact that is known to be about a topic"
        return f"{whose} {'was reopened' if what == REOPENED else 'failed'}"
    row = known.sort(pl.col("failed") * -1, "name").row(0, named=True)
    verdict = {
        True: "and it is over-represented, too",
        False: "but it is not clearly over-represented",
        None: "but it could not be compared",
    }
    said = verdict[row["over"] if row["p"] is not None else None]
    return f"No topic has more {what} contacts than {row['name']} ({percent(row['share_of_failed'])} of them), {said}"


def excess_figure(excess: pl.DataFrame, *, id: str = "topics-over", what: str = FAILED, most: int = 15) -> Figure:
    """The topics by how much more often their contacts fail than contacts alike: those over-represented, or where there is none the first few."""
    shown = excess.filter(pl.col("difference").is_not_null()).head(most).with_columns(effect="difference")
    heads = (
        Column("name", "topic"),
        Column("n", "contacts", "count"),
        Column("rate", f"{what}", "percent"),
        Column("rate_alike", "contacts alike", "percent"),
    )
    rest = (Column("difference", "difference", "points"), Column("low", "95 % from", "points"), Column("high", "to", "points"))
    note = f"Share of contacts that {_VERBS[what]}, against contacts alike that are about something else. Ranked by the lower end of the interval. "
    note += "Among many topics some intervals leave out none by chance alone: over-represented is said only where that is unlikely."
    return effects.effects(shown, id=id, title=over(excess, what=what), columns=(*heads, *rest), good="down", clear="over", note=note)


def over_findings(excess: pl.DataFrame, *, figure: str, topics: pl.DataFrame | None = None, what: str = FAILED, most: int = 3) -> list[Finding]:
    """The topics over-represented among failed or reopened contacts as findings, grade C: held equal is only what was asked for.

    With `topics` (`stable`, `quote`) each brings the opening nearest to its middle, and topics that do not hold are passed over.
    """
    rows = _holding(excess.filter(pl.col("over") & pl.col("topic").is_not_null()), topics)
    return [_quoting(_over(row, figure=figure, what=what), row, topics) for row in rows[:most]]


def _holding(frame: pl.DataFrame, topics: pl.DataFrame | None) -> list[dict[str, Any]]:
    """The rows of topics that are found again in samples of the contacts."""
    if topics is None:
        return frame.to_dicts()
    return frame.join(topics.filter(pl.col("stable").fill_null(False)).select("topic"), on="topic", how="semi", maintain_order="left").to_dicts()


def _quoting(finding: Finding, row: dict[str, Any], topics: pl.DataFrame | None) -> Finding:
    """The finding with the opening that stands for its topic."""
    if topics is None:
        return finding
    said = topics.filter(pl.col("topic") == row["topic"])["quote"].drop_nulls()
    return replace(finding, examples=tuple(("the opening nearest to the middle of the topic", quote(text)) for text in said.head(1)))


def _over(row: dict[str, Any], *, figure: str, what: str) -> Finding:
    whole = f" It holds {percent(row['share'])} of all contacts and {percent(row['share_of_failed'])} of those that {_VERBS[what]}."
    return Finding(
        f"topic-{what}-{_mark(row)}",
        "finding",
        f"Topic “{row['name']}”: over-represented among {what} contacts by {magnitude(row['difference'])}",
        f"Of {count(row['n'])} contacts, {percent(row['rate'])} {_VERBS[what]} ({interval(row['rate_low'], row['rate_high'])}); of contacts alike about "
        f"something else it is {percent(row['rate_alike'])}. The difference lies between {points(row['low'])} and {points(row['high'])}; that is about "
        f"{_some(row['beyond'], 'contact')} more.{whole}",
        Measure(row["difference"], row["low"], row["high"], int(row["n"]), "points", "down"),
        grade="C",
        why="adjusted for what was held equal only; the contacts of a topic may be harder in other ways",
        action=f"Read ten of its {what} contacts and note what was missing in the first answer.",
        figures=(figure,),
    )


def moves(moved: pl.DataFrame) -> str:
    """One sentence on what is new, gone, growing and shrinking.

    Parameters
    ----------
    moved
        `search.novelty.moved` with `name`.
    """
    known = moved.filter(pl.col("topic").is_not_null())
    if known.is_empty():
        return "There is no topic to compare"
    if known["p"].null_count() == known.height:
        return "There are no topics of two periods to compare"
    kinds = {kind: known.filter(pl.col("kind") == kind) for kind in ("new", "gone", "growing", "shrinking")}
    said = [f"{count(rows.height)} {kind}" for kind, rows in kinds.items() if rows.height]
    if not said:
        return f"None of {_some(known.height, 'topic')} became clearly more or less frequent"
    first = kinds["new"] if kinds["new"].height else kinds["growing"]
    most = f"; most of all {first['name'][0]}, {_times(first.row(0, named=True))}" if first.height else ""
    return f"Topics against the earlier period: {', '.join(said)}{most}"


def newcomers(rate: pl.DataFrame) -> str:
    """One sentence on how many contacts are about new topics; `rate` is the one row of `search.novelty.novelty_rate`."""
    row = rate.row(0, named=True)
    if row["share"] is None:
        return "How many contacts are about new topics is not known: there are no topics of two periods to compare"
    if not row["share"]:
        return f"None of {_some(row['n'], 'contact')} is about a topic that is new"
    return f"{percent(row['share'])} of {_some(row['n'], 'contact')} are about topics that are new ({interval(row['low'], row['high'])})"


def new_findings(moved: pl.DataFrame, *, figure: str, topics: pl.DataFrame | None = None, most: int = 3) -> list[Finding]:
    """New topics as findings, grade D: that a topic is new says nothing about whether it fails. `topics` as in `over_findings`."""
    rows = _holding(moved.filter((pl.col("kind") == "new") & pl.col("topic").is_not_null()), topics)
    return [_quoting(_new(row, figure=figure), row, topics) for row in rows[:most]]


def _new(row: dict[str, Any], *, figure: str) -> Finding:
    return Finding(
        f"topic-new-{_mark(row)}",
        "finding",
        f"New topic “{row['name']}”: {_some(row['n_after'], 'contact')} from {_some(row['customers_after'], 'customer')}",
        f"{percent(row['rate_after'])} of the customers of this period asked about it. {_before(row)}",
        Measure(row["rate_after"], None, None, int(row["n_after"]), "share", "neither"),
        grade="D",
        why="a comparison as found; what customers are asked about may have changed with the season or the customers",
        action="Read ten of its contacts and ask the product team what changed for these customers.",
        figures=(figure,),
    )


def kept(carried: pl.DataFrame) -> str:
    """One sentence on how many topics are those of the earlier period; `carried` as `texts.carried.carried` makes it."""
    if carried.is_empty():
        return "There are no topics to carry over"
    if carried["kind"].null_count() == carried.height:
        return "There are no topics of an earlier period to hold these against"
    counts = {kind: carried.filter(pl.col("kind") == kind).height for kind in ("same", "split", "merged", "new")}
    words = {"same": "the same as", "split": "split from one of", "merged": "merged from several of", "new": "without one among"}
    said = ", ".join(f"{count(number)} {words[kind]}" for kind, number in counts.items() if number)
    return f"Of {_some(carried.height, 'topic')}: {said} the topics of the earlier period"


def filed(misfiled: pl.DataFrame, *, topics: pl.DataFrame) -> str:
    """One sentence on how many contacts read like one category and are filed under another.

    Parameters
    ----------
    misfiled, topics
        `search.mislabelled.misfiled` with `name`, and `search.mislabelled.expected`.
    """
    pure = topics.filter(pl.col("expected").is_not_null())
    if pure.is_empty():
        return "No topic belongs to one category clearly enough to say that a contact is filed elsewhere"
    whole, away = int(pure["n"].sum()), int(misfiled["elsewhere"].sum())
    if not away:
        return f"None of {_some(whole, 'contact')} whose topic has a category is filed under another"
    row = misfiled.row(0, named=True)
    return (
        f"{count(away)} of {_some(whole, 'contact')} ({percent(away / whole)}) {_is(away)} not filed under the category of their topic; "
        f"most about {row['name']}, which reads like {_label(row['expected'])} and is filed under {_label(row['mostly'])}"
    )


def filed_findings(misfiled: pl.DataFrame, *, figure: str, topics: pl.DataFrame | None = None, most: int = 2) -> list[Finding]:
    """Topics whose contacts are resolved less or more often where they are filed elsewhere, as findings, grade C. `topics` as in `over_findings`."""
    rows = _holding(misfiled.filter("clear"), topics)
    return [_quoting(_filed(row, figure=figure), row, topics) for row in rows[:most]]


def _filed(row: dict[str, Any], *, figure: str) -> Finding:
    way = "less" if row["difference"] < 0 else "more"
    return Finding(
        f"topic-filed-{_mark(row)}",
        "finding",
        f"Topic “{row['name']}”: resolved {way} often where it is not filed under {_label(row['expected'])}, by {magnitude(row['difference'])}",
        f"{count(row['elsewhere'])} of {_some(row['n'], 'contact')} ({percent(row['share'])}) are filed elsewhere, mostly under {_label(row['mostly'])}. Of these "
        f"{percent(row['fcr'])} were resolved on first contact ({interval(row['fcr_low'], row['fcr_high'])}), of the others {percent(row['fcr_matched'])}. At the "
        f"same mix the difference lies between {points(row['low'])} and {points(row['high'])}.",
        Measure(row["difference"], row["low"], row["high"], int(row["elsewhere"]), "points", "up"),
        grade="C",
        why="adjusted for what was held equal only; contacts filed elsewhere may also be about more than one thing",
        action="Read ten of the contacts filed elsewhere: who chose the category, and to which team did it send them?",
        figures=(figure,),
    )


def _before(row: dict[str, Any]) -> str:
    """How often it was asked about in the earlier period; of a topic that was not there, the upper end says nothing."""
    if not row["customers_before"]:
        return f"Nobody did in the earlier period; chance aside, it is now at least {number(row['low'])} times as frequent."
    between = f"{number(row['low'])} to {number(row['high'])} times"
    return f"In the earlier period it was {percent(row['rate_before'])}: now {_times(row)} ({between})."


def _mark(row: dict[str, Any]) -> str:
    """What the topic is called in an id: its fingerprint where it has one, since numbers change with every refit."""
    return slug(str(row.get("fingerprint") or row["name"]))


def _label(category: str | None) -> str:
    return quote(category, limit=LONGEST)


def _times(row: dict[str, Any]) -> str:
    return f"{number(row['ratio'])} times as frequent" if row["customers_before"] else "not there before"


def _some(many: float, noun: str) -> str:
    return f"{count(many)} {noun}{'' if round(many) == 1 else 's'}"


def _is(many: int) -> str:
    return "is" if many == 1 else "are"
