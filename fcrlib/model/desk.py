"""What travels from the readers to the judge: the canonical tables and where they came from."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

import polars as pl
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, ValidationError

from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.letters import visible
from fcrlib.model.places import put
from fcrlib.model.policy import spell
from fcrlib.model.tables import CAPABILITIES, TABLES, check, conform, empty

MANIFEST = "manifest.json"
KEYS = {name: [c for c, column in schema.columns().items() if column.primary_key] or ["at"] for name, schema in TABLES.items()}
# Tables that desks written by older versions do not have; they are read as empty.
YOUNGER = ("customers",)


Said = Annotated[str, AfterValidator(visible)]
"""Words that may quote an export: they go to terminals and pages."""


class Dropped(BaseModel):
    """Rows or values that a reader left out: what, how many, why, one example."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: Said
    count: int
    why: Said
    example: Said = ""


class Manifest(BaseModel):
    """Where a desk comes from and what it can answer.

    `data_end` is the earliest extraction over the sources, given by the user or the export: never a maximum of the data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    reader: str
    reader_version: str
    data_start: AwareDatetime
    data_end: AwareDatetime
    extracted_at: AwareDatetime | None = None
    time_zone: str = "UTC"
    capabilities: frozenset[str] = frozenset()
    rows: dict[str, int] = {}
    files: dict[str, str] = {}
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[Said, ...] = ()
    redacted: bool = False
    invented: bool = False

    def has(self, capability: str) -> bool:
        """Does the desk have this? Raises KeyError for a capability that does not exist."""
        if capability not in CAPABILITIES:
            raise KeyError(capability)
        return capability in self.capabilities


@dataclass(frozen=True, slots=True)
class Desk:
    """A helpdesk as canonical tables (see `data/README.md`) and a manifest.

    Frames hold every column of their table in order; they are sorted by key, so equal desks are equal frames.
    """

    manifest: Manifest
    contacts: pl.DataFrame
    events: pl.DataFrame = field(default_factory=lambda: empty("events"))
    identifiers: pl.DataFrame = field(default_factory=lambda: empty("identifiers"))
    surveys: pl.DataFrame = field(default_factory=lambda: empty("surveys"))
    customers: pl.DataFrame = field(default_factory=lambda: empty("customers"))
    agents: pl.DataFrame = field(default_factory=lambda: empty("agents"))
    articles: pl.DataFrame = field(default_factory=lambda: empty("articles"))
    changes: pl.DataFrame = field(default_factory=lambda: empty("changes"))

    @classmethod
    def build(cls, manifest: Manifest, **tables: pl.DataFrame) -> Self:
        """Make a desk from frames that hold at least the key columns: typed, checked, sorted, counted.

        Raises
        ------
        TableError
            If a table breaks its rules.
        DataError
            If the data end lies before the first contact.
        """
        frames = {name: _sorted(check(conform(frame, table=name), table=name), KEYS[name]) for name, frame in tables.items()}
        contacts = frames["contacts"]
        if contacts.is_empty():
            raise DataError(f"{manifest.source}: no contacts are left to look at", [f"{d.what}: {d.count:,} ({d.why})" for d in manifest.dropped])
        first = contacts["opened_at"].min()
        if isinstance(first, datetime) and manifest.data_end < first:
            raise DataError(
                f"{manifest.source}: the data end {manifest.data_end:%Y-%m-%d %H:%M} lies before the first contact ({first:%Y-%m-%d %H:%M})",
                ["give the moment the export was made: --data-end 2026-09-30T23:59:59Z"],
            )
        return cls(manifest.model_copy(update={"rows": {name: frame.height for name, frame in frames.items()}}), **frames)

    def tables(self) -> dict[str, pl.DataFrame]:
        """The frames by table name, in canonical order."""
        return {name: getattr(self, name) for name in TABLES}

    def map_tables(self, change: Callable[[str, pl.DataFrame], pl.DataFrame]) -> Self:
        """Return a desk with each table passed through `change(name, frame)`."""
        return type(self)(self.manifest, **{name: change(name, frame) for name, frame in self.tables().items()})

    def save(self, folder: Path | str) -> Path:
        """Write the tables as parquet and the manifest as JSON; the folder appears whole or not at all, and keeps what people wrote there in TOML.

        Raises
        ------
        UsageError
            If personal data has not been redacted, or the folder holds something that is not a desk.
        DataError
            If there is no room for it.
        """
        target = Path(folder)
        if not self.manifest.redacted:
            raise UsageError("a desk is written only after its personal data has left the text: pass it through `redact` first")
        if target.exists() and any(target.iterdir()) and not (target / MANIFEST).exists():
            raise UsageError(f"{target} is not empty and holds no desk: choose another folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            for name, frame in self.tables().items():
                frame.write_parquet(staging / f"{name}.parquet", statistics=True)
            (staging / MANIFEST).write_text(self.manifest_json(), encoding="utf-8")
            staging.chmod(0o755)
            for own in target.glob("*.toml"):
                shutil.copy2(own, staging)
            put(staging, target)
        except pl.exceptions.PolarsError as error:
            raise DataError(f"{target} cannot be written: is there room on the disk? ({str(error).splitlines()[0]})") from None
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return target

    def manifest_json(self) -> str:
        """The manifest as JSON text in a stable order."""
        fields: dict[str, Any] = self.manifest.model_dump(mode="json")
        fields["capabilities"] = sorted(fields["capabilities"])
        return json.dumps(fields, indent=1, sort_keys=True) + "\n"

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read a desk that `save` wrote.

        Raises
        ------
        DataError
            If the folder, the manifest or a table is missing or damaged.
        """
        path = Path(folder)
        manifest = read_manifest(path)
        frames, problems = {}, []
        for name in TABLES:
            file = path / f"{name}.parquet"
            if name in YOUNGER and name not in manifest.rows and not file.exists():
                frames[name] = empty(name)
                continue
            try:
                frames[name] = conform(pl.read_parquet(file, glob=False), table=name)
            except (OSError, pl.exceptions.PolarsError) as error:
                problems.append(f"{file}: {str(error).splitlines()[0]}")
        if problems:
            raise DataError(f"the desk in {path} is damaged; import it again:", problems)
        return cls(manifest, **frames)


def _sorted(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The frame by its keys; one that is sorted already is not copied."""
    order = frame.select(pl.arg_sort_by(keys, maintain_order=True)).to_series()
    return frame if order.is_sorted() else frame[order]


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a desk folder.

    Raises
    ------
    DataError
        If there is none, or it cannot be understood.
    """
    file = folder / MANIFEST
    if not file.exists():
        raise DataError(f"no desk in {folder}: {MANIFEST} is missing", ["make one with `fcr demo` or `fcr import SOURCE PATH`"])
    try:
        return Manifest.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise DataError(f"{file} is damaged:", spell(error)) from None


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder in the order of their names."""
    digest = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file():
            digest.update(file.name.encode())
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()


def instant(text: str) -> datetime:
    """Read an ISO instant with its zone, as `--data-end` takes it.

    Raises
    ------
    UsageError
        If it cannot be read or has no zone.
    """
    bare = text.strip()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", bare):
        raise UsageError(f"'{bare}' is a day without an hour: write {bare}T23:59:59Z for its end in UTC, or {bare}T23:59:59+02:00")
    try:
        moment = datetime.fromisoformat(bare)
    except ValueError:
        raise UsageError(f"'{bare}' is not an instant: write 2026-09-30T23:59:59Z") from None
    if moment.tzinfo is None:
        raise UsageError(f"'{bare}' has no time zone: write {bare}Z for UTC, or {bare}+02:00")
    return moment.astimezone(UTC)
