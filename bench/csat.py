"""How much faster, and in how much less memory, are models of answers fitted to cells than to every row?

    python bench/csat.py [--quick]

Every contestant runs in a process of its own on the same file: first ours, then statsmodels on every row with its covariates as categories and its
quicker formula engine, both with errors by customer. Seconds are those of the call, not of imports; memory is the peak above the loaded table, which
only Linux tells. The ordered logit of statsmodels takes minutes and is given up after seven. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

SIZES = {"channel": 6, "category": 16, "tier": 4, "month": 12, "language": 7}  # 40 dummies and the exposure
FEWER = {"channel": 4, "category": 5, "tier": 3}  # some cells only
LATE = "no answer in time"
SEED = 3


def invented(rows: int, sizes: dict[str, int]) -> pl.DataFrame:
    """Contacts of a third as many customers: covariates of uneven frequency, an exposure that goes with them, answers 1 to 5 and yes/no."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(SEED))
    line, columns = np.zeros(rows), {}
    for name, levels in sizes.items():
        frequency = 1 / np.arange(1, levels + 1) ** (name != "month")
        codes = rng.choice(levels, rows, p=frequency / frequency.sum())
        line += rng.normal(0, 0.3, levels)[codes]
        columns[name] = np.array([f"{name} {level:02}" for level in range(levels)])[codes]
    customer = rng.integers(0, rows // 3, rows)
    line += rng.normal(0, 0.5, rows // 3)[customer]
    fcr = rng.random(rows) < 1 / (1 + np.exp(-0.8 - line))
    latent = line + 1.4 * fcr + rng.logistic(size=rows)
    answers = {"fcr": fcr, "csat": np.searchsorted([-2.0, -1.0, 0.0, 1.2], latent) + 1, "good": latent > 0.0}
    return pl.DataFrame({**columns, **answers, "customer": customer})


# --- the contestants, each in a process of its own ----------------------------------------------------------------------


def ours(path: Path, kind: str) -> dict[str, object]:
    """The standardised effect as a user asks for it."""
    from fcrlib.explain import csat

    frame = pl.read_parquet(path)
    adjust = [name for name in SIZES if name in frame.columns]
    how = {"outcome": "good" if kind == "logit" else "csat", "exposure": "fcr", "adjust": adjust, "kind": kind, "cluster": "customer"}
    csat.effect(invented(2_000, FEWER), **{**how, "adjust": list(FEWER)})  # type: ignore[arg-type]  # what is imported late is imported now
    with Watch() as watch:
        found = csat.effect(frame, **how)  # type: ignore[arg-type]
    place = found.fit.names.index("fcr")
    figures = {"beta": found.fit.beta[place], "se": found.fit.cov[place, place] ** 0.5, "cells": found.cells.table.height}
    return watch.told() | figures | ({"loglik": found.fit.loglik} if kind == "ordinal" else {})  # type: ignore[union-attr]


def default(path: Path, kind: str) -> dict[str, object]:
    """The coefficients as a notebook gets them that changes no setting: the formula is read by the engine that comes first."""
    return stock(path, kind, engine="patsy")


def stock(path: Path, kind: str, *, engine: str = "formulaic") -> dict[str, object]:
    """The coefficients as a notebook gets them from every row, by the faster of the two engines for formulas."""
    import numpy as np
    import statsmodels.formula.api as smf
    from statsmodels.formula import options
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    options.formula_engine = engine
    text = [name for name in SIZES if name in pl.read_parquet_schema(path)]
    frame = pl.read_parquet(path).with_columns(pl.col(text).cast(pl.Categorical), pl.col("fcr", "good").cast(pl.Int64)).to_pandas()
    with Watch() as watch:
        who = {"groups": frame["customer"].to_numpy()}
        if kind == "logit":
            found = smf.logit(f"good ~ fcr + {' + '.join(text)}", frame).fit(disp=0, cov_type="cluster", cov_kwds=who)
        else:
            import pandas as pd

            dummies = pd.get_dummies(frame[text], drop_first=True).to_numpy(np.float64)
            model = OrderedModel(frame["csat"].to_numpy(), np.column_stack([frame["fcr"], dummies]), distr="logit")
            found = model.fit(method="bfgs", disp=0, cov_type="cluster", cov_kwds=who)
    place = 0 if kind == "ordinal" else list(found.model.exog_names).index("fcr")
    return watch.told() | {"beta": np.asarray(found.params)[place], "se": np.asarray(found.bse)[place], "loglik": float(found.llf)}


class Watch:
    """Seconds and peak memory of what is done within it."""

    def __enter__(self) -> Watch:
        clear = Path("/proc/self/clear_refs")
        if clear.exists():
            clear.write_text("5")  # the peak starts anew from here
        self.held, self.start = _memory("VmRSS"), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds, self.peak = time.perf_counter() - self.start, _memory("VmHWM")

    def told(self) -> dict[str, object]:
        return {"seconds": round(self.seconds, 3), "held_mib": self.held, "extra_mib": self.peak - self.held}


def _memory(what: str) -> int:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith(what)), 0)


def contend(name: str, path: Path, kind: str, *, limit: float | None = None) -> dict[str, object]:
    """Run one contestant in a process of its own, but no longer than `limit` seconds."""
    try:
        out = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, "--run", name, str(path), kind], capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return {"seconds": limit, "held_mib": 0, "extra_mib": 0, "note": LATE}
    if out.returncode:
        sys.exit(out.stderr)
    return dict(json.loads(out.stdout.splitlines()[-1]))


# --- what is asked ------------------------------------------------------------------------------------------------------


def beside(folder: Path, kind: str, *, rows: int, rounds: int, limit: float | None = None) -> dict[str, object]:
    """Ours and statsmodels on the same rows: how many times faster, what share of the memory, and how far apart."""
    path = folder / f"{kind}-{rows}.parquet"
    invented(rows, SIZES).write_parquet(path)
    runs = {"ours": [contend("ours", path, kind) for _ in range(rounds)], "stock": [contend("stock", path, kind, limit=limit)]}
    mine, other = (min(found, key=lambda run: run["seconds"]) for found in runs.values())  # type: ignore[arg-type,return-value]
    row = {"model": kind, "rows": rows, "cells": mine["cells"], "ours_s": mine["seconds"], "stock_s": other["seconds"]}
    row |= {"faster": round(other["seconds"] / mine["seconds"], 1), "ours_mib": mine["extra_mib"], "stock_mib": other["extra_mib"]}  # type: ignore[operator]
    if "note" in other:
        return row | {"note": other["note"]}
    if kind == "logit":
        usual = contend("default", path, kind)
        row |= {"default_s": usual["seconds"], "default_faster": round(usual["seconds"] / mine["seconds"], 1), "default_mib": usual["extra_mib"]}  # type: ignore[operator]
    apart = {name: abs(mine[name] / other[name] - 1) for name in ("beta", "se")}  # type: ignore[operator]
    return row | {
        "memory": round(mine["extra_mib"] / max(1, other["extra_mib"]), 3),
        **{f"{name}_apart": f"{far:.0e}" for name, far in apart.items()},
    }  # type: ignore[operator,call-overload]


def alone(folder: Path, *, rows: int, sizes: dict[str, int], kind: str = "logit") -> dict[str, object]:
    path = folder / f"alone-{rows}-{len(sizes)}.parquet"
    invented(rows, sizes).write_parquet(path)
    found = contend("ours", path, kind)
    return {"model": kind, "rows": rows, "cells": found["cells"], "ours_s": found["seconds"], "ours_mib": found["extra_mib"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        name, path, kind = options.run
        print(json.dumps({"ours": ours, "stock": stock, "default": default}[name](Path(path), kind), default=float))
        return
    sizes = [30_000, 100_000] if options.quick else [100_000, 300_000, 1_000_000]
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        logit = beside(folder, "logit", rows=sizes[-1], rounds=1 if options.quick else 3)
        few = 2_000 if options.quick else 20_000
        ordinal = beside(folder, "ordinal", rows=few, rounds=1 if options.quick else 3, limit=25 if options.quick else 420)
        growth = [alone(folder, rows=rows, sizes=SIZES) for rows in sizes]
        coarse = alone(folder, rows=sizes[-1], sizes=FEWER)
        whole = alone(folder, rows=sizes[-1], sizes=SIZES, kind="ordinal")
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        print(pl.from_dicts([logit, ordinal, *growth, coarse, whole], infer_schema_length=None))
    by_rows = growth[-1]["ours_s"] / growth[0]["ours_s"] / (sizes[-1] / sizes[0])  # type: ignore[operator]
    by_cells = growth[-1]["ours_s"] / coarse["ours_s"] / (growth[-1]["cells"] / coarse["cells"])  # type: ignore[operator]
    told = {"logit": logit, "ordinal": ordinal, "growth_per_row": round(by_rows, 2), "growth_per_cell": round(by_cells, 4)}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
