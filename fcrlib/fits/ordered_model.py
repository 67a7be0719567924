"""What does statsmodels say of an ordered logit that was fitted to weighted rows?

Its own `OrderedModel` knows no weights and climbs by numeric derivatives. This one is the same model with both put right, so that everything its
results offer (summary, tests, predictions, covariances) holds for weighted rows as well. Heavy to import: only for who asks for it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from statsmodels.base.model import LikelihoodModel
from statsmodels.miscmodels.ordinal_model import OrderedModel

from fcrlib.fits.odds import Rows, chances, curvature, slopes
from fcrlib.fits.ordered import OrderedFit, gradient, summit

if TYPE_CHECKING:
    from fcrlib.fits.odds import Floats

POLISH = 5  # Newton's steps that statsmodels itself takes from the summit


class WeightedOrderedModel(OrderedModel):  # type: ignore[misc]
    """An ordered logit of weighted rows with exact derivatives.

    Its parameters are those of statsmodels: the coefficients, the first cut, and the logarithms of the distances from cut to cut.

    Parameters
    ----------
    rows
        Rows of equal covariates and level with their weights.
    names
        What the columns of `rows.X` are called.
    values
        The levels as numbers, ascending.
    n
        Contacts that the rows stand for.
    """

    def __init__(self, rows: Rows, *, names: list[str], values: Floats, n: int) -> None:
        self.rows = rows
        # Told that there is no constant, it does not look for one in a matrix that has been looked at.
        super().__init__(rows.level, rows.X.toarray(), distr="logit", hasconst=False)
        self.labels = [f"{value:g}" for value in values]
        self.exog_names[:] = [*names, *(f"{low}/{high}" for low, high in pairwise(self.labels))]
        self.n = n

    def initialize(self) -> None:
        """Without the rank of the rows, which costs more than the fit and is not asked for."""
        LikelihoodModel.initialize(self)

    @property
    def start_params(self) -> Floats:
        """The model without covariates, from weighted shares."""
        shares = np.cumsum(np.bincount(self.rows.level, weights=self.rows.w))[:-1] / self.rows.w.sum()
        return _told(np.zeros(self.k_vars), np.log(shares / (1 - shares)))

    def loglikeobs(self, params: Floats) -> Floats:
        """Weighted log-likelihood of each row."""
        return self.rows.w * chances(self.rows, *self._plain(params))

    def score(self, params: Floats) -> Floats:
        """Slope of the log-likelihood by the parameters."""
        return np.asarray(gradient(self.rows, *self._plain(params)) @ self._by_params(params))

    def score_obs(self, params: Floats, **kwds: Any) -> Floats:
        """Slope of each row's weighted log-likelihood by the parameters."""
        by_mean, by_cut = slopes(self.rows, *self._plain(params))
        plain = np.hstack([by_mean[:, None] * self.exog, by_cut])
        return np.asarray(self.rows.w[:, None] * (plain @ self._by_params(params)))

    def hessian(self, params: Floats) -> Floats:
        """Curvature of the log-likelihood by the parameters; the distances bend the cuts, and the slope counts that."""
        plain = self._plain(params)
        by_params, slope = self._by_params(params), gradient(self.rows, *plain)[self.k_vars :]
        bent = np.zeros(len(params))
        bent[self.k_vars + 1 :] = np.exp(params[self.k_vars + 1 :]) * np.cumsum(slope[::-1])[::-1][1:]
        return np.asarray(by_params.T @ curvature(self.rows, *plain) @ by_params + np.diag(bent))

    def fit(self, **kwds: Any) -> Any:
        """Climb, then let statsmodels take its own steps from the summit and make its results."""
        start = _told(*summit(self.rows))
        told = super().fit(**{"start_params": start, "method": "newton", "maxiter": POLISH, "disp": 0, **kwds})
        told._results.nobs, told._results.df_resid = self.n, self.n - len(start)
        return told

    def _plain(self, params: Floats) -> tuple[Floats, Floats]:
        return params[: self.k_vars], self.transform_threshold_params(params)[1:-1]

    def _by_params(self, params: Floats) -> Floats:
        """Slope of coefficients and cuts by the parameters."""
        by_params = np.eye(len(params))
        steps = np.tril(np.ones((self.k_levels - 1, self.k_levels - 1)))
        steps[:, 1:] *= np.exp(params[self.k_vars + 1 :])
        by_params[self.k_vars :, self.k_vars :] = steps
        return by_params


def model_of(fit: OrderedFit) -> WeightedOrderedModel:
    """The model of statsmodels for a fit, at hand for `.fit()` and everything that its results offer."""
    return WeightedOrderedModel(fit.data, names=list(fit.names[: len(fit.beta)]), values=fit.values, n=fit.rows)


def _told(beta: Floats, cuts: Floats) -> Floats:
    return np.concatenate([beta, cuts[:1], np.log(np.diff(cuts))])
