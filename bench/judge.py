"""How fast is the judge, beside the physical floor, SQL window functions and a pandas loop?

    python bench/judge.py [--quick] [--sizes 1000000,3000000,10000000]

Every figure is a ratio of two processes run one after the other on the same files; the floor is polars reading the same
parquet columns and sorting them by the same keys. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

START = 1_767_225_600_000_000  # 2026-01-01 in microseconds
HOUR = 3_600_000_000
SPAN_HOURS = 440 * 24
SEED = 11


def invent(folder: Path, contacts: int) -> None:
    """Write `contacts.parquet`, `events.parquet` and the rest of a desk: about 3.3 events per contact, 15 % reopened."""
    import numpy as np
    import polars as pl

    from fcrlib.model.tables import TABLES, empty

    rng = np.random.Generator(np.random.PCG64(SEED))
    opened = np.sort(rng.integers(0, SPAN_HOURS * 3600, contacts)) * 1_000_000 + START
    solved = opened + (rng.exponential(8, contacts) * HOUR).astype(np.int64) + HOUR // 12
    reopened = rng.random(contacts) < 0.15
    again = solved + (rng.exponential(60, contacts) * HOUR).astype(np.int64) + HOUR // 60
    silent = rng.random(contacts) < 0.03
    number = pl.int_range(contacts, eager=True)
    instant = pl.Datetime("us", "UTC")
    categories = np.array([f"category {n}" for n in range(12)])
    frame = pl.DataFrame(
        {
            "contact_id": pl.select(pl.lit("C") + number.cast(pl.String).str.zfill(9)).to_series(),
            "opened_at": pl.Series(opened).cast(instant),
            "first_resolved_at": pl.Series(solved).cast(instant),
            "customer_ref": pl.select(pl.lit("u") + pl.Series(rng.integers(0, max(1, contacts // 4), contacts)).cast(pl.String)).to_series(),
            "category": categories[rng.integers(0, 12, contacts)],
            "is_spam": rng.random(contacts) < 0.02,
        }
    ).with_columns(
        source=pl.lit("bench"), status=pl.lit("solved"), channel=pl.lit("email"), initiated_by=pl.lit("customer"), resolved_by=pl.lit("human")
    )  # fmt: skip
    dtypes = {name: column.dtype for name, column in TABLES["contacts"].columns().items()}
    wide = frame.with_columns(pl.lit(False).alias(n) for n, t in dtypes.items() if t == pl.Boolean and n not in frame.columns)
    wide = wide.with_columns(pl.lit(None).cast(t).alias(n) for n, t in dtypes.items() if n not in wide.columns)
    wide.with_columns(pl.col(n).cast(t) for n, t in dtypes.items()).select(list(dtypes)).with_columns(pl.col("tags").fill_null([])).write_parquet(
        folder / "contacts.parquet"
    )
    parts = [
        _events(number, opened, kind="message", actor="customer"),
        _events(number, solved, kind="message", actor="agent").filter(pl.lit(pl.Series(~silent))),
        _events(number, solved, kind="status", actor="agent", status="solved"),
        _events(number, again, kind="message", actor="customer").filter(pl.lit(pl.Series(reopened))),
        _events(number, again, kind="status", actor="customer", status="open").filter(pl.lit(pl.Series(reopened))),
        _events(number, again + HOUR, kind="status", actor="agent", status="solved").filter(pl.lit(pl.Series(reopened))),
    ]
    events = pl.concat([part.with_columns(order=pl.lit(place)) for place, part in enumerate(parts)]).sort("number", "order")
    dtypes = {name: column.dtype for name, column in TABLES["events"].columns().items()}
    events = events.with_columns(
        source=pl.lit("bench"), contact_id=pl.lit("C") + pl.col("number").cast(pl.String).str.zfill(9), seq=pl.col("order").cast(pl.Int64)
    ).drop("number", "order")  # fmt: skip
    events = events.with_columns(pl.lit(None).cast(t).alias(n) for n, t in dtypes.items() if n not in events.columns)
    events.with_columns(pl.col(n).cast(t) for n, t in dtypes.items()).select(list(dtypes)).write_parquet(folder / "events.parquet")
    for name in set(TABLES) - {"contacts", "events"}:
        empty(name).write_parquet(folder / f"{name}.parquet")
    (folder / "manifest.json").write_text(_manifest())


def _events(number, at, *, kind, actor, status=None):  # type: ignore[no-untyped-def]
    import polars as pl

    return pl.DataFrame({"number": number, "at": pl.Series(at).cast(pl.Datetime("us", "UTC"))}).with_columns(
        kind=pl.lit(kind), actor=pl.lit(actor), public=True, is_auto=False, is_ack=False, status_to=pl.lit(status, pl.String)
    )


def _manifest() -> str:
    from fcrlib.model.tables import CAPABILITIES

    fields = {"source": "bench", "reader": "bench", "reader_version": "1", "data_start": "2026-01-01T00:00:00Z", "redacted": True}
    return json.dumps({**fields, "data_end": "2027-03-20T00:00:00Z", "capabilities": sorted(CAPABILITIES)})


# --- the contestants, each in a process of its own ----------------------------------------------------------------------


def ours(folder: Path) -> dict[str, int]:
    """Our judge, straight from the files to a file."""
    import polars as pl

    from fcrlib.judge.folder import judge_folder
    from fcrlib.model.policy import Policy

    out = judge_folder(folder, policy=Policy(), to=folder / "outcomes")
    return _counts(pl.scan_parquet(out / "*.parquet").group_by("label").len().collect())


def floor(folder: Path) -> dict[str, int]:
    """The floor: read the columns the judge reads, sort them by the keys it sorts by."""
    import polars as pl

    from fcrlib.judge.facts import CONTACT_COLUMNS, EVENT_COLUMNS
    from fcrlib.judge.neighbours import LINK_COLUMNS

    contacts = pl.read_parquet(folder / "contacts.parquet", columns=sorted({*CONTACT_COLUMNS, *LINK_COLUMNS}))
    contacts = contacts.sort("source", "customer_ref", "category", "opened_at", "contact_id")
    events = pl.read_parquet(folder / "events.parquet", columns=list(EVENT_COLUMNS)).sort("source", "contact_id", "at", "seq")
    return {"contacts": contacts.height, "events": events.height}


SQL = """
with e as (select contact_id, seq, "at", kind, actor, status_to, is_ack,
             lag(case when kind = 'status' then status_to end ignore nulls) over w as before
           from read_parquet('{events}') where "at" <= timestamptz '2027-03-20 00:00:00+00'
           window w as (partition by contact_id order by "at", seq)),
anchor as (select contact_id, min("at") as anchor_at from e where kind = 'status' and status_to in ('solved', 'closed') group by 1),
own as (select e.contact_id, a.anchor_at,
          min(case when kind = 'message' and actor = 'agent' then "at" end) <= a.anchor_at as answered,
          min(case when kind = 'status' and before in ('solved', 'closed') and status_to not in ('solved', 'closed')
                    and "at" > a.anchor_at and "at" <= a.anchor_at + interval 7 day then "at" end) as reopened_at
        from e left join anchor a using (contact_id) group by 1, 2),
c as (select contact_id, customer_ref, category, opened_at, own.anchor_at, own.answered, own.reopened_at, is_spam
      from read_parquet('{contacts}') left join own using (contact_id)),
once as (select *, opened_at - lag(opened_at) over g <= interval 30 minute as twice from c where not is_spam
         window g as (partition by customer_ref, category order by opened_at, contact_id)),
near as (select *, lead(opened_at) over g as next_at,
           max(coalesce(anchor_at, timestamptz '2262-01-01') + interval 7 day) over (g rows between unbounded preceding and 1 preceding) as cover
         from once where not coalesce(twice, false) window g as (partition by customer_ref, category order by opened_at, contact_id)),
labelled as (select case
    when opened_at <= cover then 'repeat'
    when next_at < anchor_at then 'failed'
    when not coalesce(answered, false) and anchor_at is not null then 'excluded'
    when reopened_at is not null or next_at <= coalesce(anchor_at + interval 7 day, timestamptz '2262-01-01') then 'failed'
    when coalesce(anchor_at, timestamptz '2262-01-01') > opened_at + interval 30 day
         and opened_at + interval 30 day <= timestamptz '2027-03-20 00:00:00+00' then 'failed'
    when anchor_at is null then 'pending'
    when timestamptz '2027-03-20 00:00:00+00' < anchor_at + interval 7 day then 'pending'
    else 'resolved' end as label from near
  union all select 'excluded' from c where is_spam union all select 'excluded' from once where twice)
select label, count(*) as len from labelled group by 1
"""


def duckdb(folder: Path) -> dict[str, int]:
    """The same label rules as window functions in SQL."""
    import duckdb as engine

    connection = engine.connect()
    connection.execute("set timezone = 'UTC'; set threads = 2")
    query = SQL.format(contacts=folder / "contacts.parquet", events=folder / "events.parquet")
    return dict(sorted(connection.execute(query).fetchall()))


def pandas(folder: Path) -> dict[str, int]:
    """What a notebook usually does: group by customer and category, loop over the rows."""
    import pandas as pd

    week, gap, end, never = pd.Timedelta(days=7), pd.Timedelta(minutes=30), pd.Timestamp("2027-03-20", tz="UTC"), pd.Timestamp("2262-01-01", tz="UTC")
    contacts = pd.read_parquet(folder / "contacts.parquet", columns=["contact_id", "customer_ref", "category", "opened_at", "is_spam"])
    events = pd.read_parquet(folder / "events.parquet", columns=["contact_id", "at", "kind", "actor", "status_to"])
    events = events[events["at"] <= end]

    def own(story):  # type: ignore[no-untyped-def]
        anchor, reopened, answered, status = None, None, False, None
        for moment, kind, actor, to in zip(story["at"], story["kind"], story["actor"], story["status_to"], strict=True):
            if kind == "message" and actor == "agent" and anchor is None:
                answered = True
            if kind == "status":
                if to == "solved" and anchor is None:
                    anchor = moment
                if status == "solved" and to == "open" and reopened is None and anchor < moment <= anchor + week:
                    reopened = moment
                status = to
        return pd.Series({"anchor": anchor, "reopened": reopened, "answered": answered})

    told = contacts[~contacts["is_spam"]].merge(events.groupby("contact_id").apply(own), left_on="contact_id", right_index=True)
    labels = ["excluded"] * int(contacts["is_spam"].sum())

    def judge(group):  # type: ignore[no-untyped-def]
        rows, last, cover = [], None, None
        for row in group.sort_values(["opened_at", "contact_id"]).itertuples():
            twice = last is not None and row.opened_at - last <= gap
            last = row.opened_at
            rows += [] if twice else [row]
            labels.extend(["excluded"] * twice)
        for place, row in enumerate(rows):
            following = rows[place + 1].opened_at if place + 1 < len(rows) else None
            anchor = never if pd.isna(row.anchor) else row.anchor
            repeat, covered = cover is not None and row.opened_at <= cover, anchor + (week if anchor < never else gap)
            cover = covered if cover is None else max(cover, covered)
            chased = following is not None and following < anchor
            fails = not pd.isna(row.reopened) or (following is not None and following <= covered)
            late = anchor > row.opened_at + pd.Timedelta(days=30) and row.opened_at + pd.Timedelta(days=30) <= end
            silent = anchor < never and not row.answered
            final = "pending" if end < covered else "resolved"
            labels.append("repeat" if repeat else "failed" if chased else "excluded" if silent else "failed" if fails or late else final)

    for _, group in told.groupby(["customer_ref", "category"]):
        judge(group)
    return {label: labels.count(label) for label in sorted(set(labels))}


def _counts(table) -> dict[str, int]:  # type: ignore[no-untyped-def]
    return dict(sorted((str(label), n) for label, n in table.iter_rows()))


def contend(name: str, folder: Path) -> dict[str, object]:
    """Run one contestant in its own process: seconds of the call, peak memory in MiB, its counts."""
    out = subprocess.run([sys.executable, __file__, "--run", name, str(folder)], capture_output=True, text=True, check=True)
    return json.loads(out.stdout.splitlines()[-1])


def _run(name: str, folder: Path) -> None:
    import resource

    import polars  # noqa: F401 - imports are not what is measured

    from fcrlib.judge import outcomes  # noqa: F401

    before = time.perf_counter()
    counts = {"ours": ours, "floor": floor, "duckdb": duckdb, "pandas": pandas}[name](folder)
    seconds = time.perf_counter() - before
    print(json.dumps({"seconds": seconds, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "counts": counts}))


def measure(contacts: int, *, rivals: list[str], rounds: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        subprocess.run([sys.executable, __file__, "--invent", str(contacts), str(folder)], check=True)
        runs = {name: [contend(name, folder) for _ in range(rounds)] for name in ["floor", "ours", *rivals]}
    best = {name: min(run["seconds"] for run in found) for name, found in runs.items()}  # type: ignore[type-var]
    result: dict[str, object] = {"contacts": contacts, "ours_seconds": round(best["ours"], 2)}
    result |= {f"ours_to_{name}": float(f"{best['ours'] / best[name]:.3g}") for name in best if name != "ours"}
    result["ours_peak_mib"], result["floor_peak_mib"] = runs["ours"][0]["peak_mib"], runs["floor"][0]["peak_mib"]
    result["same_labels"] = {name: runs[name][0]["counts"] == runs["ours"][0]["counts"] for name in rivals}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--sizes", default="1000000,3000000,10000000")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--invent", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        return _run(options.run[0], Path(options.run[1]))
    if options.invent:
        return invent(Path(options.invent[1]), int(options.invent[0]))
    sizes = [100_000, 300_000] if options.quick else [int(size) for size in options.sizes.split(",")]
    table = [measure(size, rivals=["duckdb"], rounds=1 if size > 3_000_000 or options.quick else 3) for size in sizes]
    for row in table:
        print(row, file=sys.stderr)
    sample = measure(5_000 if options.quick else 20_000, rivals=["pandas"], rounds=1)
    growth = table[-1]["ours_seconds"] / table[0]["ours_seconds"] / (sizes[-1] / sizes[0])  # type: ignore[operator]
    print(json.dumps({"sizes": table, "pandas_sample": sample, "growth_per_contact": round(growth, 2)}))


if __name__ == "__main__":
    main()
