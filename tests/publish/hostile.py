"""What would somebody write into a ticket who wants another's machine to run it, and how does a desk full of it look?"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import cycle
from pathlib import Path
from typing import Any

import polars as pl

from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.desk import Desk

FIRED = "FIRED"
MODES = ("knowledge-gap", "wrong-routing")
CLOSED_PORT = 9
"""Nobody listens there; the tests with a browser name a port at which somebody does."""


def payloads(port: int = CLOSED_PORT) -> dict[str, str]:
    """Hostile words by name: what runs sets the title of the page to FIRED, what loads asks the port on this machine."""
    run, host = f"document.title='{FIRED}'", f"http://127.0.0.1:{port}"
    return {
        "script": f"<script>{run}</script>",
        "script-src": f"<script src={host}/script></script>",
        "onerror": f'"><img src={host}/onerror onerror={run}>',
        "svg-onload": f"'\"><svg onload={run}>",
        "details": f"<details open ontoggle={run}>",
        "end-script": f"</script><script>{run}</script>",
        "end-title": f"</title><script>{run}</script>",
        "end-style": f"</style><img src=x onerror={run}>",
        "end-textarea": f"</textarea></select><script>{run}</script>",
        "end-cdata": f"]]></text></svg><script>{run}</script>",
        "end-comment": f"--><script>{run}</script><!--",
        "end-attribute": f"x' onmouseover='{run}' y=\" onfocus=\"{run}\" autofocus tabindex=1",
        "import": f"<style>@import url({host}/import);</style>",
        "css-url": f"}} body {{background: url({host}/css)}}",
        "meta": f'<meta http-equiv="refresh" content="0; url={host}/meta">',
        "iframe": f'<iframe srcdoc="<script>parent.{run}</script>"></iframe>',
        "base": f"<base href={host}/base/>",
        "link-script": f"[read me](javascript:{run})",
        "link-data": f"[read me](data:text/html,<script>{run}</script>)",
        "bare-script": f"javascript:{run}",
        "bare-data": f"data:text/html,<script>{run}</script>",
        "image": f"![a]({host}/image)",
        "reference": f"[a]: {host}/reference\r\r![a]",
        "autolink": f"<{host}/autolink>",
        "bare-link": f"see {host}/bare now",
        "heading": "\r# FCR is 99 %\r\r- ignore the rest",
        "mention": "@channel <!everyone> <@U1>",
        "jinja": "{{ 7*7 }}{% for a in range(3) %}{{ cycler.__init__.__globals__ }}{% endfor %}{#",
        "template": "${alert(1)} `${" + run + "}` #{7*7} <%= 7*7 %>",
        "expression": "'+event.constructor.constructor(\"" + run + "\")()+'",
        "field": "datum['a'].b\\[0]",
        "signal": '{"signal": "' + run + '", "expr": "' + run + '"}',
        "entities": f"&lt;script&gt;{run}&lt;/script&gt;&#60;img src=x onerror={run}&#62;",
        "utf-7": "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
        "mathjax": "$\\href{javascript:" + run + "}{x}$ \\require{html}",
        "mermaid": f"```mermaid\r<script>{run}</script>\r```",
        "zero-width": "<scr\u200bipt>\ufeff\u2060" + run + "</scr\u200bipt>",
        "reversed": "\u202egnp.exe\u202c \u2067invoice\u2069",
        "null": f"a\x00<scr\x00ipt>{run}</scr\x00ipt>",
        "controls": "a\x01\x08\x0b\x0c\x1f\x7f\ufffe\uffff b",
        "terminal": "\x1b]0;pwned\x07\x1b[2J\x1b]8;;http://evil.example\x07x\x1b]8;;\x07 [link=file:/" + "//x]y[/link]",
        "kernel-path": "see\n/tmp/ipykernel_1/2.py line 0xdeadbeef01",
        "formula": "=1+1",
        "hyperlink": f'=HYPERLINK("{host}/cell","read")',
        "dde": "=cmd|' /C calc'!A0",
        "importxml": f'=IMPORTXML("{host}/xml","//a")',
        "plus": "+1+cmd",
        "minus": "-2+3+cmd|' /C calc'!A0",
        "at": "@SUM(1+1)*cmd|' /C calc'!A0",
        "tab": "\t=1+1",
        "return": "\r=1+1",
        "wide-equals": "＝1+1",
        "hidden-equals": "\ufeff\u200b=1+1",
        "semicolon": "tea;=1+1;\"=1+1\t=1+1",
        "path": "../../../../evil",
        "absolute-path": "/etc/passwd",
        "windows-path": "C:\\..\\..\\NUL",
        "shell": "$(touch evil) `touch evil`; touch evil",
        "overlong": "<b>" + "A" * 3000,
    }  # fmt: skip


PERSONAL = {
    "email": "jo.doe@mail.example.com",
    "phone": "+49 170 5550199",
    "iban": "DE89 3704 0044 0532 0130 00",
    "card": "4111 1111 1111 1111",
}
"""Data of persons that do not exist."""

_GROUPS, _AGENTS = (
    ("first_group", "resolver_group", "group_from", "group_to", "group"),
    ("first_agent", "resolver_agent", "agent_from", "agent_to", "agent_id"),
)
# Each begins with another word, so that every word is the name of something.
_DIMENSIONS = {
    "category": 0,
    "product_area": 9,
    "subcategory": 28,
    "tier": 4,
    "priority": 39,
    "channel_raw": 44,
    "close_reason": 50,
    "account_ref": 3,
    "issue_key": 7,
}
_TEXTS = ("subject", "body", "text", "comment", "title", "note")
_CONTACTS = ("contact_id", "merged_into", "follow_up_of", "parent_id")


def desk_of(words: Sequence[str], *, seed: int = 5, contacts: int = 3_000) -> Desk:
    """An invented desk, redacted, whose most frequent names are these words, and whose every text holds one of them.

    Each name of a dimension becomes one of the words, the most frequent first and every dimension from another word on: it is a different name for
    the same contacts, so that all that was planted is still there.
    """
    half = datetime(2026, 4, 1, tzinfo=UTC)
    return redact(spoilt(invent(seed=seed, contacts=contacts, data_start=half), words))


def spoilt(desk: Desk, words: Sequence[str]) -> Desk:
    """The desk with its names and texts exchanged for hostile ones."""
    names = _renamed(desk, words)
    tables = {table: _spoilt(frame, names, words) for table, frame in desk.tables().items()}
    tables["changes"] = tables["changes"].with_columns(scope=_scopes(desk.changes["scope"], names))
    manifest = desk.manifest.model_copy(update={"source": words[0], "notes": tuple(words)})
    tables = {table: frame.with_columns(source=pl.lit(words[0])) if "source" in frame.columns else frame for table, frame in tables.items()}
    return Desk.build(manifest, **tables)


def _renamed(desk: Desk, words: Sequence[str]) -> dict[str, dict[str, str]]:
    """What every name becomes, by column."""
    names: dict[str, dict[str, str]] = {}
    for column, start in _DIMENSIONS.items():
        names[column] = _new(desk.contacts[column], words, start=start)
    groups = pl.concat([desk.contacts["first_group"], desk.agents["group"]])
    agents = pl.concat([desk.contacts["first_agent"], desk.contacts["resolver_agent"], desk.agents["agent_id"]])
    teams, people = _new(groups, words, start=19), _new(agents, words, start=30)
    names |= {**dict.fromkeys(_GROUPS, teams), **dict.fromkeys((*_AGENTS, "actor_id"), people)}
    ids = {id: f"{words[place % len(words)][:80]} {id}" for place, id in enumerate(desk.contacts["contact_id"])}
    return {**names, **dict.fromkeys(_CONTACTS, ids)}


def _new(column: pl.Series, words: Sequence[str], *, start: int) -> dict[str, str]:
    """A word for every name; a name that finds its word taken has a number at its end."""
    counted = column.drop_nulls().value_counts(name="n").sort(["n", column.name], descending=[True, False])
    return {
        old: f"{words[(start + place) % len(words)]}{f' {place}' if place >= len(words) else ''}" for place, old in enumerate(counted[column.name])
    }


def _spoilt(frame: pl.DataFrame, names: Mapping[str, Mapping[str, str]], words: Sequence[str]) -> pl.DataFrame:
    count = pl.int_range(pl.len()) % len(words)
    word = pl.lit(pl.Series(list(words))).gather(count)
    return frame.with_columns(
        *(pl.col(name).replace(dict(names[name])) for name in frame.columns if name in names),
        *(pl.when(pl.col(name).is_not_null()).then(pl.format("{}\n{}", word, pl.col(name))).alias(name) for name in _TEXTS if name in frame.columns),
        *(pl.col(name).list.eval(pl.element().replace(dict(names["category"]))).alias(name) for name in ("skills",) if name in frame.columns),
        *(pl.col(name).list.concat(pl.concat_list(word)).alias(name) for name in ("tags",) if name in frame.columns),
    )


def _scopes(scopes: pl.Series, names: Mapping[str, Mapping[str, str]]) -> pl.Series:
    """What was touched, under its new name."""

    def renamed(scope: str) -> str:
        parts = [part.partition("=") for part in scope.split(" and ")]
        return " and ".join(f"{column}={names.get(column, {}).get(value, value)}" for column, _, value in parts)

    return scopes.replace({scope: renamed(scope) for scope in scopes.drop_nulls().unique()})


def export(file: Path, words: Sequence[str]) -> Path:
    """An export as CSV, one row per contact, whose values and further column names are hostile."""
    opened = datetime(2026, 7, 1, 8, tzinfo=UTC)
    rows = max(len(words), 40)
    frame = pl.DataFrame(
        {
            "ticket id": [f"{words[place % len(words)][:60]} {place}" for place in range(rows)],
            "created at": [f"{opened + timedelta(days=place):%Y-%m-%d %H:%M:%S}" for place in range(rows)],
            "solved at": [f"{opened + timedelta(days=place, hours=3):%Y-%m-%d %H:%M:%S}" for place in range(rows)],
            "status": ["solved"] * rows,
            "requester id": [f"c{place % 9}" for place in range(rows)],
            "channel": [words[place % len(words)] if place % 3 == 0 else "email" for place in range(rows)],
            **{
                name: [words[(place + shift) % len(words)] for place in range(rows)]
                for shift, name in enumerate(("category", "group", "assignee", "subject"))
            },
            **{f"{word} {place}": ["x"] * rows for place, word in enumerate(words)},
        }
    )
    frame.write_csv(file)
    return file


def own_files(folder: Path, words: Sequence[str]) -> Path:
    """A project whose settings, names of topics, ways of failing, decisions and actions are hostile; returns its `fcr.toml`."""
    quoted: Any = json.dumps
    plain = [word for word in words if word.strip() and word.isprintable()]
    names = [word[:80].strip() for word in plain]
    topics = "\n".join(
        f"[[topic]]\nfingerprint = {quoted(f'{place:08x}')}\nname = {quoted(name)}\n" for place, name in enumerate(dict.fromkeys(names))
    )
    places = [word for word in dict.fromkeys(plain) if "=" not in word and " and " not in word]
    pins = "\n".join(f"[[step]]\nat = [{quoted(f'category={word}')}]\nnote = {quoted(word)}\n" for word in places)
    done = "\n".join(
        f'[[action]]\nslug = "{MODES[place % len(MODES)]}"\nwhat = {quoted(word)}\nowner = {quoted(word)}\nwhere = [{quoted(f"category={word}")}]\ndone = 2026-07-06\n'
        for place, word in enumerate(places[:8])
    )
    for file, text in (("topics.toml", topics), ("whys.toml", pins), ("actions.toml", done), ("modes.toml", taxonomy(plain))):
        (folder / file).write_text(text, encoding="utf-8")
    settings = folder / "fcr.toml"
    heads = f'organisation = {quoted(words[0])}\ntopic_names = "topics.toml"\npins = "whys.toml"\nactions = "actions.toml"\ntaxonomy = "modes.toml"\n'
    settings.write_text(heads, encoding="utf-8")
    return settings


def taxonomy(words: Sequence[str]) -> str:
    """The taxonomy that is shipped, with its signs and slugs, every word of which that a reader sees is hostile."""
    shipped = tomllib.loads(files("fcrlib.model").joinpath("taxonomy.toml").read_text(encoding="utf-8"))
    turn = cycle(words)
    modes = shipped.pop("mode")
    lines = [*_written({**shipped, "ordinary": [*shipped["ordinary"], *words]})]
    for mode in modes:
        traces, phrases = mode.pop("trace", []), mode.pop("phrase", [])
        told = {key: next(turn) for key in ("name", "meaning", "owner", "remedy", "said")}
        lines += ["[[mode]]", *_written({**mode, **told, "examples": [*mode["examples"], next(turn)]})]
        for trace in traces:
            lines += ["[[mode.trace]]", *_written(trace)]
        for phrase in phrases:
            lines += ["[[mode.phrase]]", *_written({**phrase, "says": next(turn)[:60]})]
    return "\n".join(lines) + "\n"


def _written(fields: Mapping[str, Any]) -> Iterator[str]:
    """Keys and values as TOML, which spells texts and lists as JSON does."""
    yield from (f"{key} = {json.dumps(value)}" for key, value in fields.items())
