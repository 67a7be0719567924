"""What does each column of this table look like?

Headers speak several vendors' dialects, values speak for themselves: a column called "Created" that holds no dates is not the opening time.
The proposal is a mapping file to read, correct and keep.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fcrlib.intake.canonical import instants, words
from fcrlib.intake.tables import files
from fcrlib.intake.tables.mapping import FLAGS, INSTANTS, RESOLVED, WORDS
from fcrlib.intake.tables.table import Table

SURE, LIKELY, USED = 0.9, 0.7, 0.5
_SAMPLE = 5_000
# Fewer values than this have no shape.
_FEW = 5
_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
CSAT = "surveys.csat"
SINCE, LEFT = "customers.since", "customers.left_at"
_SCALES = ("1-5", "0-1", "0-10", "0-100")
HEADERS = {
    "contact_id": "ticket id,case number,case id,contact id,incident number,conversation id,call id,interaction id,number,id,key,issue key,"
    "uniqueid,linkedid,ticket number,ticket,case,incident,hs ticket id,request id,chat id,ticketnummer,vorgangsnummer",
    "opened_at": "created at,created,created time,created date,date created,opened at,opened,open time,open date,start time,started at,"
    "create date,createdate,createddate,creation date,calldate,start,initiation timestamp,initiationtimestamp,submitted at,timestamp,date,"
    "erstellt am,erstellt,eröffnet am,angelegt am",
    RESOLVED: "resolved at,resolved,resolved time,resolved date,resolution date,resolutiondate,solved at,solved,solved date,gelöst am,erledigt am",
    "first_resolved_at": "first resolved at,first resolution at,first solved at,first resolution date",
    "last_resolved_at": "last resolved at,last solved at,last resolution at,full resolution at",
    "closed_at": "closed at,closed,closed time,closed date,closeddate,close date,end time,ended at,geschlossen am,beendet am",
    "due_at": "due at,due date,due by,due by time,due,sla due,sla due date,resolution due,resolution due date,target date,planned end time,fällig am,frist",
    "status": "status,state,incident state,ident state,ticket status,case status,status name,zustand",
    "customer_ref": "customer ref,customer id,customer,requester id,requester email,requester,caller id,caller,contact email,contactid,reporter,user id,"
    "client id,email,email address,customer email,supplied email,suppliedemail,src,phone number,from,kunde,kundennummer,merchant id,user email,ani",
    "account_ref": "account ref,account id,account,accountid,organization,organization id,company,company id,company name,firma",
    "channel": "channel,via,source,origin,contact type,source type,case origin,medium,kanal,media type",
    "category": "category,category 1,topic,type,reason,contact reason,issue type,request type,ticket category,hs ticket category,kategorie,"
    "subject area,wrap up code",
    "subcategory": "subcategory,sub category,category 2,subtopic,sub type,subtype,unterkategorie",
    "product_area": "product area,product,component,components,module,service,cmdb ci,produkt",
    "priority": "priority,severity,urgency,hs ticket priority,priorität",
    "tier": "tier,plan,service tier,customer tier,segment,sla plan",
    "language": "language,locale,lang,sprache",
    "subject": "subject,title,summary,short description,raw subject,betreff",
    "body": "body,description,content,message,description text,text,question,details,beschreibung",
    "tags": "tags,labels,label,tag",
    "first_group": "first group,initial group,first team",
    "resolver_group": "resolver group,group,team,assignment group,assigned group,group name,department,queue,hs assigned team ids,gruppe",
    "resolver_agent": "resolver agent,agent,assignee,assigned to,agent id,assignee id,assigned agent id,owner,ownerid,"
    "agent name,responder id,bearbeiter",
    "first_agent": "first agent,initial agent",
    "close_reason": "close reason,close code,closed code,resolution,resolution code,hs resolution",
    "parent_id": "parent id,parent,parent ticket,parent incident,parentid",
    "handle_seconds": "handle seconds,handle time,handling time,time tracked,aht,handle time seconds,duration,billsec",
    "talk_seconds": "talk seconds,talk time,talk duration",
    "wait_seconds": "wait seconds,wait time,waiting time,queue time",
    "cost": "cost,handling cost,kosten",
    "currency": "currency,currency code",
    "vendor_reopens": "vendor reopens,reopens,reopen count,reopened count,count reopens",
    "vendor_replies": "vendor replies,replies,agent interactions,agent replies",
    "vendor_stations": "vendor stations,reassignment count,assignee stations,group stations,reassignments",
    "is_spam": "is spam,spam",
    "is_deleted": "is deleted,deleted,isdeleted",
    "is_test": "is test,test",
    "is_internal": "is internal,internal",
    "is_abandoned": "is abandoned,abandoned",
    "initiated_by": "initiated by,direction",
    "resolved_by": "resolved by",
    CSAT: "csat,csat score,satisfaction score,customer satisfaction,satisfaction rating,satisfaction,rating,csat rating,survey score",
    SINCE: "customer since,member since,signup date,sign up date,signed up at,registration date,contract start,subscription start,kunde seit",
    LEFT: "left at,churned at,churn date,customer until,contract end,contract ended at,subscription end,subscription ended at,kunde bis",
}  # fmt: skip
_DIALECTS = {ours: tuple(names.split(",")) for ours, names in HEADERS.items()}
_MOMENTS = (*INSTANTS, RESOLVED, SINCE, LEFT)
# What stands in sections of the mapping of its own.
_BESIDE = (*FLAGS, CSAT, SINCE, LEFT)
_COUNTS = ("handle_seconds", "talk_seconds", "wait_seconds", "cost", "vendor_reopens", "vendor_replies", "vendor_stations")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What one column of the file seems to be.

    Parameters
    ----------
    column
        The file's name of it.
    canonical
        Ours, or None where nothing fits.
    confidence
        From 0 (no idea) to 1.
    why
        One clause.
    """

    column: str
    canonical: str | None
    confidence: float
    why: str


@dataclass(frozen=True, slots=True)
class Guess:
    """A proposed mapping of one file.

    Parameters
    ----------
    file
        The table's name.
    suggestions
        One per column, in the file's order.
    local
        Do times carry no zone?
    undecided
        Date columns whose day and month cannot be told apart.
    unknown_words
        Status words without a meaning.
    scale
        Scale of the survey answers, if there are any.
    """

    file: str
    suggestions: tuple[Suggestion, ...]
    local: bool
    undecided: tuple[str, ...]
    unknown_words: tuple[str, ...]
    scale: str | None = None

    def chosen(self) -> dict[str, Suggestion]:
        """The suggestions good enough to use, by our column."""
        return {one.canonical: one for one in self.suggestions if one.canonical and one.confidence >= USED}

    def fields(self) -> dict[str, object]:
        """The mapping as fields, without what only the user can know."""
        chosen = self.chosen()
        return {
            "source": self.source(),
            "contacts": {ours: one.column for ours, one in chosen.items() if ours not in _BESIDE},
            "flags": {ours: {"column": one.column} for ours, one in chosen.items() if ours in FLAGS},
            "surveys": {"csat": chosen[CSAT].column, "scale": self.scale} if CSAT in chosen else None,
            "customers": {ours.partition(".")[2]: one.column for ours, one in self._membership().items()} or None,
        }

    def _membership(self) -> dict[str, Suggestion]:
        """Since when and until when somebody is a customer, where the table tells who asks and who left."""
        chosen = self.chosen()
        return {name: chosen[name] for name in (SINCE, LEFT) if name in chosen} if {"customer_ref", LEFT} <= chosen.keys() else {}

    def source(self) -> str:
        """A name for the export, from the file's."""
        stem = Path(self.file).name.split(".")[0].lower()
        return re.sub(r"[^a-z0-9]+", "_", stem).strip("_") or "csv"

    def sentence(self) -> str:
        """The chosen columns in one line."""
        return ", ".join(f"{ours} from '{one.column}' ({one.confidence:.0%})" for ours, one in self.chosen().items())

    def toml(self) -> str:
        """The mapping as a commented TOML file that `read` takes as it is."""
        chosen = self.chosen()
        missing = [name for name in ("contact_id", "opened_at") if name not in chosen]
        lines = [f'# How to read {self.file}. Our column = "their column"; correct what is wrong, delete what is not needed.', ""]
        end = "# data_end = 2026-09-30T23:59:59Z  # when the export was made, where --data-end does not say it"
        lines += [f"source = {_quoted(self.source())}", end, *self._clock(), "", "[contacts]"]
        lines += [f'# {name} = "?"  # please check: no column looks like it, but it is needed' for name in missing]
        lines += [_line(ours, _quoted(one.column), one) for ours, one in chosen.items() if ours not in _BESIDE]
        free = [one for one in self.suggestions if one.canonical is None or one.confidence < USED]
        lines += [f"# not used: {_quoted(one.column)} ({one.why})" for one in free]
        if flags := {ours: one for ours, one in chosen.items() if ours in FLAGS}:
            lines += ["", "[flags]", *(_line(ours, f"{{ column = {_quoted(one.column)} }}", one) for ours, one in flags.items())]
        if CSAT in chosen:
            lines += ["", "[surveys]", _line("csat", _quoted(chosen[CSAT].column), chosen[CSAT])]
            lines += [f'scale = "{self.scale}"  # please check: the lowest and the highest answer that could be given']
        if members := self._membership():
            lines += ["", "[customers]", *(_line(ours.partition(".")[2], _quoted(one.column), one) for ours, one in members.items())]
        if self.unknown_words:
            words_ = ", ".join(WORDS["status"])
            lines += ["", "[values.status]", *(f'{_quoted(word)} = "open"  # please check: one of {words_}' for word in self.unknown_words)]
        return "\n".join([*lines, ""])

    def _clock(self) -> list[str]:
        zone = ['time_zone = "UTC"  # please check: times carry no zone; where did the clock hang? e.g. "Europe/Berlin"'] if self.local else []
        order = [f'# dates = "day first"  # please check: {", ".join(self.undecided)}: or "month first"? no date tells'] if self.undecided else []
        return zone + order


def guess(path: Path | str) -> Guess:
    """Propose a mapping for a table of contacts, by its headers and its values.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    return guess_table(files.table(path))


def guess_table(table: Table) -> Guess:
    """Propose a mapping for a table of contacts that has been read."""
    # A row that stands twice says nothing new, and makes an id look like none.
    frame = table.frame.head(_SAMPLE).unique(maintain_order=True).select(files.known(name) for name in table.frame.columns)
    scores = {(name, ours): _score(name, frame[name], ours) for name in frame.columns for ours in _DIALECTS}
    taken = _best(scores)
    suggestions = tuple(_suggestion(name, taken.get(name), scores) for name in frame.columns)
    moments = [one.column for one in suggestions if one.canonical in _MOMENTS and one.confidence >= USED]
    status = next((one.column for one in suggestions if one.canonical == "status" and one.confidence >= USED), None)
    return Guess(
        file=table.name,
        suggestions=suggestions,
        local=any(instants.looks_local(frame[name].drop_nulls()) for name in moments),
        undecided=_undecided(frame, moments),
        unknown_words=_strange(frame, status) if status else (),
        scale=next((_scale(frame[one.column]) for one in suggestions if one.canonical == CSAT), None),
    )


def _scale(values: pl.Series) -> str | None:
    """The smallest usual scale that holds every answer."""
    answers = values.drop_nulls().cast(pl.Float64, strict=False)
    # A word among the answers becomes null and fits no scale.
    for scale in _SCALES:
        low, high = scale.split("-")
        if answers.count() and not answers.null_count() and answers.is_between(float(low), float(high)).all():
            return scale
    return None


def _undecided(frame: pl.DataFrame, moments: list[str]) -> tuple[str, ...]:
    """Date columns that cannot tell day from month, if no other column can tell for them."""
    open_ones = instants.read(frame, columns=moments, time_zone="UTC").problems if moments else ()
    return tuple(name for name in moments if any(problem.startswith(f"{name}: no day is above 12") for problem in open_ones))


def _strange(frame: pl.DataFrame, column: str) -> tuple[str, ...]:
    strange = frame.filter(pl.col(column).is_not_null() & words.meaning(column, words=words.STATUS_WORDS).is_null())
    return tuple(strange[column].unique().sort())


def _best(scores: dict[tuple[str, str], tuple[float, str]]) -> dict[str, str]:
    """Each column of ours at most once, each of theirs at most once, the surest first."""
    taken: dict[str, str] = {}
    for (name, ours), (score, _) in sorted(scores.items(), key=lambda item: -item[1][0]):
        if score > 0 and name not in taken and ours not in taken.values():
            taken[name] = ours
    if RESOLVED in taken.values() and {"first_resolved_at", "last_resolved_at"} & set(taken.values()):
        taken = {name: ours for name, ours in taken.items() if ours != RESOLVED}
    return taken


def _suggestion(name: str, ours: str | None, scores: dict[tuple[str, str], tuple[float, str]]) -> Suggestion:
    if ours is None:
        return Suggestion(name, None, 0.0, "nothing fits")
    score, why = scores[name, ours]
    return Suggestion(name, ours, round(min(score, 1.0), 2), why)


def _score(name: str, values: pl.Series, ours: str) -> tuple[float, str]:
    by_name, said = _by_header(name, ours)
    filled = values.drop_nulls()
    if filled.is_empty():
        return by_name * 0.6, f"{said}, but it is empty"
    fits, seen = _by_values(filled, ours)
    if by_name == 0:
        # Values alone convince only where they have a shape of their own.
        alone = fits if ours in ("opened_at", "customer_ref", "status", "channel") and fits >= 1.05 and filled.len() >= _FEW else 0.0
        return (alone * 0.55, f"by its values: {seen}") if alone else (0.0, "nothing fits")
    return by_name * fits, f"{said}; {seen}"


def _by_header(name: str, ours: str) -> tuple[float, str]:
    """How well a header suits; of a nested field `fields.status.name` the end counts, however long."""
    parts = name.split(".")
    fits = max(_by_words(" ".join(parts[start:]), _DIALECTS[ours]) for start in range(len(parts)))
    return fits, f"called '{name}'" if fits > 0.6 else f"its name '{name}' holds a word of it"


def _by_words(header: str, dialect: tuple[str, ...]) -> float:
    plain = re.sub(r"[^\w]+|_+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)).strip().lower()
    squeezed = [word.replace(" ", "") for word in dialect]
    if plain.replace(" ", "") in squeezed:
        # The first names of a dialect are the surest.
        return 0.95 - 0.004 * squeezed.index(plain.replace(" ", ""))
    tokens = set(plain.split())
    inside = [len(word.split()) for word in dialect if len(word) > 3 and set(word.split()) <= tokens]
    return (0.6 if max(inside) > 1 else 0.45) if inside else 0.0


def _by_values(filled: pl.Series, ours: str) -> tuple[float, str]:
    """How well the values suit (about 1 = well), and what was seen."""
    dates = instants.looks_like_dates(filled)
    distinct = filled.n_unique() / filled.len()
    if ours in _MOMENTS:
        return (1.05 if dates >= 0.9 else 0.1), f"{dates:.0%} look like dates"
    if ours == "contact_id":
        return (1.05 if distinct == 1 else 0.9 if distinct > 0.95 else 0.3), f"{distinct:.0%} of the values are distinct"
    if dates >= 0.9 and not filled.str.contains(r"^\d+$").all():
        return 0.1, "but its values are dates"
    if ours in ("status", "channel"):
        known = float(filled.str.to_lowercase().is_in(list(words.STATUS_WORDS if ours == "status" else words.CHANNEL_WORDS)).mean() or 0)  # type: ignore[arg-type]
        return (1.05 if known >= 0.9 else 0.9 if filled.n_unique() <= 20 else 0.3), f"{known:.0%} of the words are known"
    if ours == "customer_ref":
        return _like_customers(filled, distinct)
    if ours in _COUNTS:
        numeric = float(filled.str.contains(r"^\d+([.,]\d+)?$|^\d+:\d{2}(:\d{2})?$").mean() or 0)  # type: ignore[arg-type]
        return (1.0 if numeric == 1 else 0.2), f"{numeric:.0%} are numbers"
    if ours == CSAT:
        scale = _scale(filled)
        return (0.9 if scale else 0.0), f"numbers on a scale {scale}" if scale else "but its values are no numbers from 1 to 5, 10 or 100"
    if ours in FLAGS:
        yes_no = float(filled.str.to_lowercase().is_in([*words.YES_WORDS, *words.NO_WORDS]).mean() or 0)  # type: ignore[arg-type]
        return (1.0 if yes_no == 1 else 0.1), f"{yes_no:.0%} are yes or no"
    if ours in ("category", "subcategory", "priority", "tier", "language", "product_area"):
        return (1.0 if filled.n_unique() <= max(20, 0.3 * filled.len()) else 0.4), f"{filled.n_unique():,} distinct values"
    if ours in ("initiated_by", "resolved_by"):
        known = float(filled.str.to_lowercase().is_in(list(WORDS[ours])).mean() or 0)  # type: ignore[arg-type]
        return (1.0 if known == 1 else 0.1), f"{known:.0%} of the words are ours"
    return 1.0, f"e.g. {filled[0][:30]!r}" if ours not in ("subject", "body") else f"{distinct:.0%} of the texts are distinct"


def _like_customers(filled: pl.Series, distinct: float) -> tuple[float, str]:
    addresses = float(filled.str.contains(_EMAIL).mean() or 0)  # type: ignore[arg-type]
    if addresses >= 0.9:
        return 1.1, f"{addresses:.0%} are e-mail addresses"
    return (0.85 if distinct == 1 and filled.len() > 20 else 1.0), f"{distinct:.0%} of the values are distinct"


def _line(ours: str, value: str, one: Suggestion) -> str:
    mark = "sure" if one.confidence >= SURE else "likely" if one.confidence >= LIKELY else "please check"
    return f"{ours} = {value}  # {mark}: {' '.join(one.why.split())}"


def _quoted(text: str) -> str:
    """A TOML string; JSON writes basic strings the same way."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
