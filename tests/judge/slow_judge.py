"""What do the rules say, read one contact at a time? A slow, plain judge to hold the fast one against."""

from __future__ import annotations

from typing import Any

INF = float("inf")
RESOLVED = ("solved", "closed")
ORDER = ("deleted", "spam", "merged", "internal", "test", "side_conversation", "company_initiated", "abandoned")


def slow_judge(contacts: list[dict[str, Any]], *, policy: dict[str, Any], data_end: float) -> dict[str, tuple[str, str | None]]:
    """Label per contact id as (label, reason); contacts in the form of the vector file, times in hours."""
    pol = {"window_h": 168.0, "same_issue": "category", "channel_switch": True, "transfer": "ignore", "zero_touch": "exclude", "auto_close": "exclude",
           "survey": "ignore", "max_customer_msgs_after_reply": None, "resolve_within_h": None, "resolve_deadline_h": 720.0, "dup_gap_h": 0.5,
           "unit": "issue", "while_open": "judge"} | policy  # fmt: skip
    pol["window_h"] = INF if pol["window_h"] is None else pol["window_h"]
    people = sorted((Person(contact, data_end) for contact in contacts), key=lambda person: (person.start, person.id))
    by_id = {person.id: person for person in people}
    live = [person for person in people if person.excluded is None and person.start <= data_end]
    duplicates = {}
    for n, late in enumerate(live):
        soon = [early for early in live[:n] if pol["dup_gap_h"] and late.start - early.start <= pol["dup_gap_h"] and same(early, late, pol, by_id)]
        if soon:  # the nearest that shares the key, else the earliest that is linked
            keyed = [early for early in soon if shares_key(early, late, pol)] or [early for early in soon if shares_issue_key(early, late)]
            duplicates[late.id] = keyed[-1] if keyed else min(soon, key=lambda early: early.id)
    live = [person for person in live if person.id not in duplicates]
    repeats = {
        late.id for n, late in enumerate(live) for early in live[:n] if same(early, late, pol, by_id, duplicates) and late.start <= early.anchor + pol["window_h"]
    }  # fmt: skip
    labels = {}
    for person in people:
        if person.excluded:
            labels[person.id] = ("excluded", person.excluded)
        elif person.start > data_end:
            labels[person.id] = ("pending", "not_started")
        elif person.id in duplicates:
            labels[person.id] = ("excluded", "duplicate_submission")
        elif person.id in repeats and pol["unit"] == "issue":
            labels[person.id] = ("repeat", None)
        else:
            others = [other.start for other in live if other is not person and later(other, person) and same(person, other, pol, by_id, duplicates)]
            others += merged_messages(person, people, by_id, duplicates, pol)
            labels[person.id] = person.label(others, pol, data_end)
    return labels


def later(other: Person, person: Person) -> bool:
    return (other.start, other.id) > (person.start, person.id)


def target(person: Person, by_id: dict[str, Person], duplicates: dict[str, Person]) -> Person:
    seen = set()
    while person.id not in seen:
        seen.add(person.id)
        if person.contact.get("merged_into") in by_id:
            person = by_id[person.contact["merged_into"]]
        elif person.id in duplicates:
            person = duplicates[person.id]
    return person


def merged_messages(
    person: Person, people: list[Person], by_id: dict[str, Person], duplicates: dict[str, Person], pol: dict[str, Any]
) -> list[float]:
    secondary = [other for other in people if other.excluded == "merged" and target(other, by_id, duplicates) is person]
    return [t for other in secondary for t in other.customer_times if t - person.start > pol["dup_gap_h"]]


def same(a: Person, b: Person, pol: dict[str, Any], by_id: dict[str, Person], duplicates: dict[str, Person] | None = None) -> bool:
    if pol["same_issue"] == "none":
        return False
    resolve = duplicates or {}
    for one, other in ((a, b), (b, a)):
        for link in ("follow_up_of", "parent_id"):
            for pointing in by_id.values():
                goal = by_id.get(pointing.contact.get(link) or "")
                if goal is None or goal is pointing or (link == "parent_id" and not same_customer(pointing, goal)):
                    continue
                stands = target(goal, by_id, resolve) if goal.start <= pointing.start else goal
                if pointing is one and stands is other:
                    return True
    return shares_key(a, b, pol) or (pol["same_issue"] != "any" and shares_issue_key(a, b))


def shares_key(a: Person, b: Person, pol: dict[str, Any]) -> bool:
    if not same_customer(a, b) or not (pol["channel_switch"] or a.contact["channel"] == b.contact["channel"]):
        return False
    category = a.contact["category"]
    return pol["same_issue"] == "any" or (pol["same_issue"] == "category" and category is not None and category == b.contact["category"])


def shares_issue_key(a: Person, b: Person) -> bool:
    return same_customer(a, b) and a.contact.get("issue_key") is not None and a.contact.get("issue_key") == b.contact.get("issue_key")


def same_customer(a: Person, b: Person) -> bool:
    return a.contact["customer"] is not None and a.contact["customer"] == b.contact["customer"]


class Person:
    """One contact, seen up to the data end."""

    def __init__(self, contact: dict[str, Any], data_end: float) -> None:
        self.contact, self.id = contact, contact["id"]
        self.events = sorted((event for event in contact["events"] if event["t"] <= data_end), key=lambda event: event["t"])
        self.customer_times = [e["t"] for e in self.events if e["kind"] == "message" and e["actor"] == "customer"]
        company = contact.get("initiated_by") == "company"
        self.start = self.customer_times[0] if company and self.customer_times else contact["opened"]
        flags = {**contact, "merged": contact.get("merged_into"), "company_initiated": company and not self.customer_times}
        self.excluded = None if contact["opened"] > data_end else next((reason for reason in ORDER if flags.get(reason)), None)
        self.states = [e for e in self.events if e["kind"] == "status"]
        solved = [e for e in self.states if e["status"] in RESOLVED and e["t"] >= self.start]
        self.anchor, self.anchor_actor = (solved[0]["t"], solved[0]["actor"]) if solved else (INF, None)
        before = [e for e in self.states if e["t"] <= self.start]
        if company and self.customer_times and before and before[-1]["status"] in RESOLVED:
            self.anchor, self.anchor_actor = self.start, solved[0]["actor"] if solved else None

    def is_reply(self, e: dict[str, Any], actors: tuple[str, ...] = ("agent",)) -> bool:
        return e["kind"] == "message" and e["actor"] in actors and e.get("public", True) and e.get("answer", True)

    def label(self, others: list[float], pol: dict[str, Any], data_end: float) -> tuple[str, str | None]:
        horizon = self.anchor + pol["window_h"]
        reopened, undecided = self.reopenings(horizon)
        failures = [(t, "parallel_contact") for t in others if t <= self.anchor][:1] + [
            (t, "repeat_contact") for t in others if self.anchor < t <= horizon
        ][:1]
        failures += [(t, "reopened") for t in reopened] + self.own_failures(pol, horizon, data_end)
        first = min(failures, default=(INF, ""))
        known = self.anchor < INF
        answered = any(self.is_reply(e, ("agent", "bot")) and e["t"] <= self.anchor for e in self.events)
        silent = known and not answered
        inactive = known and self.contact.get("close_reason") == "inactivity" and self.anchor_actor in (None, "system")
        if pol["zero_touch"] == "fail" and silent:
            failures.append((self.anchor, "no_response"))
        if pol["auto_close"] == "fail" and inactive:
            failures.append((self.anchor, "auto_closed"))
        if not known and pol["while_open"] == "wait":
            return "pending", "open"
        if known and first[0] < self.anchor:
            return "failed", None
        if silent and pol["zero_touch"] == "exclude":
            return "excluded", "no_response"
        if inactive and pol["auto_close"] == "exclude":
            return "excluded", "auto_closed"
        if failures:
            return "failed", None
        if not known or undecided:
            return "pending", "open"
        return ("pending", "window") if data_end < horizon < INF else ("resolved", None)

    def own_failures(self, pol: dict[str, Any], horizon: float, data_end: float) -> list[tuple[float, str]]:
        found = []
        inside = [e for e in self.events if self.start <= e["t"] <= horizon]
        words = {"any": {"transfer": "transferred", "escalation": "escalated"}, "escalation": {"escalation": "escalated"}, "ignore": {}}[
            pol["transfer"]
        ]
        found += [(e["t"], words[e["kind"]]) for e in inside if e["kind"] in words]
        if pol["survey"] == "veto":
            found += [(e["t"], "survey_no") for e in inside if e["kind"] == "survey" and e["resolved"] in ("no", "partly")]
        if pol["max_customer_msgs_after_reply"] is not None:
            replied = next((n for n, e in enumerate(inside) if self.is_reply(e, ("agent", "bot"))), len(inside))
            extra = [e["t"] for e in inside[replied:] if e["kind"] == "message" and e["actor"] == "customer" and not e.get("ack")]
            found += [(t, "extra_customer_reply") for t in extra[pol["max_customer_msgs_after_reply"] :][:1]]
        if pol["resolve_within_h"] is not None and self.start + pol["resolve_within_h"] < self.anchor < INF:
            found.append((self.anchor, "deferred"))
        due = self.start + (pol["resolve_deadline_h"] if pol["resolve_deadline_h"] is not None else INF)
        if due <= data_end and self.anchor > due:
            found.append((due, "unresolved"))
        return found

    def reopenings(self, horizon: float) -> tuple[list[float], bool]:
        failed, undecided = [], False
        for before, now in zip(self.states, self.states[1:], strict=False):
            if before["status"] not in RESOLVED or now["status"] in RESOLVED or not self.anchor < now["t"] <= horizon:
                continue
            said = [e for e in self.events if e["kind"] == "message" and e["actor"] == "customer" and before["t"] < e["t"] <= now["t"]]
            place = self.states.index(now)
            settled = next((e["t"] for e in self.states[place + 1 :] if e["status"] in RESOLVED), INF)
            if now["actor"] == "system" and not said:
                continue
            if said and all(e.get("ack") for e in said):
                more = [
                    e["t"]
                    for e in self.events
                    if now["t"] < e["t"] <= settled
                    and (self.is_reply(e) or (e["kind"] == "message" and e["actor"] == "customer" and not e.get("ack")))
                ]
                failed += more[:1]
                undecided |= not more and settled == INF
            else:
                failed.append(now["t"])
        return failed, undecided
