"""An invented helpdesk whose causes of failure are known: `invent(truth=Truth(...))`."""

from fcrlib.intake.demo.canaries import CANARIES, canaries
from fcrlib.intake.demo.invention import answer_key, invent
from fcrlib.intake.demo.truth import Cause, Confounder, Drift, Response, Truth

__all__ = ["CANARIES", "Cause", "Confounder", "Drift", "Response", "Truth", "answer_key", "canaries", "invent"]
