"""What stands beside a Jira issue: working time, promised times, links to other issues?"""

from __future__ import annotations

import polars as pl

from fcrlib.intake.canonical import promises, typed
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.records import Records
from fcrlib.model.tables import RESOLVED_STATUSES

_ANSWER, _SOLUTION = r"(?i)first response|first reply", r"(?i)resolution"
_REQUEST = r"/request/([^/]+)/sla"
_MINUTE = 60_000


def bare(column: str) -> pl.Expr:
    """A value, but no object and no list of nothing: those stand where a field that we know is empty."""
    return pl.when(~pl.col(column).str.contains(r"^\{|^\[(?:null)?\]$")).then(column).alias(column)


def worked(found: Records, issues: pl.DataFrame, changes: pl.DataFrame, told: Told) -> pl.DataFrame:
    """With `handle_seconds`, the time logged on an issue, and a note where a changelog or a list of worklogs was cut."""
    logs = typed.numbers(found.table("worklogs"), ["seconds"], told=told)
    logged = logs.group_by("issue").agg(logged=pl.col("seconds").sum())
    counted = changes.group_by("issue").agg(seen=pl.col("history").n_unique())
    both = issues.join(logged, on="issue", how="left", maintain_order="left").join(counted, on="issue", how="left", maintain_order="left")
    cut = both.filter(pl.col("histories") > pl.col("seen").fill_null(0))
    if cut.height:
        told.notes.append(
            f"the changelog of {cut.height:,} of {issues.height:,} issues is cut, e.g. {cut['contact_id'][0]} ({cut['seen'].fill_null(0)[0]:,} of "
            f"{cut['histories'][0]:,.0f} entries): fetch it with /rest/api/3/changelog/bulkfetch and lay it beside"
        )
    return both.with_columns(handle_seconds=pl.coalesce("spent", "logged")).drop("logged", "seen")


def promised(found: Records, issues: pl.DataFrame, titles: pl.DataFrame, told: Told) -> pl.DataFrame:
    """With what the cycles of the promised times say: the first answer, the first resolution, reopenings, when its resolution was due, whether every promise
    was kept.

    A cycle of the time to resolution that begins again is a reopening as Jira counts it. Elapsed times leave out hours out of office; instants do not.
    """
    kinds = ("sla_done", "sla_running", "promised_done", "promised_running")
    told_of = ["issue", "field", "name", "started", "stopped", "breached", "due", "goal", "took"]
    cycles = pl.concat([found.table(kind).select(told_of, running=pl.lit(kind.endswith("running"))) for kind in kinds])
    cycles = cycles.join(titles, on="field", how="left", maintain_order="left").with_columns(
        issue=pl.coalesce(pl.col("issue").str.extract(_REQUEST), "issue"), name=pl.coalesce("name", "title", "field")
    )
    cycles = typed.numbers(cycles.with_columns(bare("started"), bare("stopped"), bare("due")), ["goal", "took"], told=told)
    by_key = issues.select("issue", key="contact_id")
    cycles = cycles.join(by_key.select("key", number="issue"), left_on="issue", right_on="key", how="left", maintain_order="left")
    cycles = cycles.with_columns(issue=pl.coalesce("number", "issue")).unique(["issue", "name", "started"], keep="first", maintain_order=True)
    cycles = typed.moments(cycles, ["started", "stopped", "due"], told=told).sort("issue", "started", maintain_order=True)
    answer, solution = pl.col("name").str.contains(_ANSWER), pl.col("name").str.contains(_SOLUTION)
    took = (pl.col("stopped") - pl.col("started")).dt.total_seconds().cast(pl.Float64)
    by_issue = cycles.group_by("issue").agg(
        wait_seconds=took.filter(answer).drop_nulls().first(),
        vendor_first_resolved_at=pl.col("stopped").filter(solution).min(),
        vendor_reopens=pl.when(solution.any()).then(solution.sum().cast(pl.Int64) - 1),
    )
    last = (pl.col("started") == pl.col("started").filter(solution).max().over("issue")) & solution
    rows = cycles.with_columns(broken=typed.yes_or_no("breached"), due=pl.when(last.fill_null(False)).then(_due()))
    both = issues.join(by_issue, on="issue", how="left", maintain_order="left")
    return promises.promised(both, rows, key="issue", over=pl.col("state").is_in(RESOLVED_STATUSES))


def _due() -> pl.Expr:
    """When a cycle would have been broken. Where it does not say so, the goal tells, if the clock never stood: all that passed was counted."""
    passed = (pl.col("stopped") - pl.col("started")).dt.total_milliseconds()
    always = (passed - pl.col("took")).abs() < _MINUTE
    return pl.coalesce("due", pl.when(always).then(pl.col("started") + pl.duration(milliseconds="goal")))


def linked(found: Records, issues: pl.DataFrame) -> pl.DataFrame:
    """With `duplicates` (the issue that this one repeats) and `issue_key` (the problem behind it)."""
    keys = issues.select(to="issue", to_key="contact_id")
    related = found.table("related").join(keys, on="to", how="left", maintain_order="left").with_columns(pl.coalesce("to_key", "to").alias("to"))
    links = pl.concat([found.table("links"), related.select("issue", "to", "outward")], how="diagonal")
    twice = links.filter(pl.col("to").is_not_null() & (pl.col("outward").str.to_lowercase() == "duplicates"))
    cause = links.filter(pl.col("kind").str.to_lowercase().str.contains("problem")).select("issue", issue_key=pl.coalesce("by", "to"))
    issues = issues.join(
        twice.select("issue", duplicates="to").unique("issue", keep="last", maintain_order=True), on="issue", how="left", maintain_order="left"
    )
    return issues.join(cause.unique("issue", keep="last", maintain_order=True), on="issue", how="left", maintain_order="left")
