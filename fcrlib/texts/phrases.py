"""Which words can a topic be told by?

Phrases of one to three words that several texts share. They begin and end with a word that means something, and "not" and "again" do: whoever
writes that it did not arrive says something else than that it did. Words that mostly follow a greeting are names or courtesies; words with three
digits or more are numbers of accounts and orders, and in no phrase at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fcrlib.texts.readable import WORD

LONGEST_PHRASE, FEWEST_TEXTS, MOST_PHRASES, SHORT = 3, 3, 100_000, 4
NOTHING_SHARED = "(no words in common)"
_NUMBERED = r"(?:\d\D*){3}"
_EMPTY = """
a about above after all also although am an and any anybody anyone anything are around as at be because been before being can think thinking thought guys below between both but by
could did do does doing done during each either else ever every everything few for from further get gets getting give go goes going got had has have
having he her here hers him his how i i'd i'll i'm i've if in into is it it's its itself just kind know let like look looking lot made make many may
maybe me might mine more most much must my myself need needs now of off on once one only or other others our ours out over own really same see seems
she should since so some somebody someone something such take than that that's the their them then there there's these they they're thing things this
those though through to today too tried try trying two under until up upon us use used using very via want wanted wants was way we we're we've well
were what what's when where whether which while who whom whose why will with within would yes yet you you'd you'll you're you've your yours
aber alle als also am an auch auf aus bei bin bis bitte da das dass dem den der des die dies diese dieser doch du durch ein eine einem einen einer
eines er es für gibt haben habe hat hatte ich ihr ihre ihrem ihren im in ins ist ja kann können man mehr mein meine meinem meinen mich mir mit nach
noch nur ob oder schon sehr sein seit sich sie sind so sollte um und uns unser unsere unserem unseren unter vom von vor war was weil wenn wer werden
wie wieso wir wird wurde zu zum zur über
au aux avec avez avons ce ces cet cette chez dans de des donc du elle elles en est et eu fait ici il ils j'ai je la le les leur lui ma mais me mes
moi mon nos notre nous on ont ou où par pas peut plus pour pouvez qu que qui sa se ses si son sont sur ta te tout toute toutes très tu un une vos
votre vous y à été être
c'est d'un d'une n'a n'ai n'avons n'est qu'il qu'on s'est depuis bien
al algo como con cuando del desde el ella ellos en entre era es esa ese eso esta este esto está están ha hace han hasta hay la las le lo los me mi
mis muy más nos o para pero por porque puede puedo que quién se ser si sin sobre son su sus también te tengo tiene un una uno unos y ya yo
"""
_POLITE = """
advance appreciate appreciated best cheers dear gladly good greetings hello help hey hi hope kind kindly regards morning afternoon evening please
question questions quick sincerely sorry support team thank thanks thx urgent wishes colleague colleagues sir madam concern
bonjour cordialement danke dank freundlichen grüße grüßen gruß guten tag hallo hola merci saludos gracias sehr geehrte geehrter vielen viele voraus
madame monsieur aide urgence hilfe prüfen vérifier liebe lieber
"""
_DATES = """
january february march april june july august september october november december monday tuesday wednesday thursday friday saturday sunday
januar februar märz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag samstag sonntag
janvier février mars avril juin juillet août septembre octobre novembre décembre lundi mardi mercredi jeudi vendredi samedi dimanche
"""
_LEADING = """
not no never still already without cannot can't don't doesn't didn't won't isn't wasn't haven't hasn't couldn't new old first last next few able
kein keine nicht nie jamais nunca
"""
_HOLLOW = """
again nothing back time times day days week weeks month months year years says said caller wieder possible
problem problems issue issues information check checking tell show find out mean means assistance eur usd gbp euro euros asked ask know ago yesterday tomorrow soon long
"""
_GREETINGS = (
    "hi hello hey dear morning afternoon evening hallo liebe lieber tag bonjour hola regards cheers sincerely thanks grüße grüßen cordialement"
)
EMPTY = frozenset((_EMPTY + _POLITE + _DATES).split())
"""Words that neither begin nor end a phrase."""
LEADING = frozenset(_LEADING.split())
"""Words that begin one, but end none."""
HOLLOW = LEADING | frozenset(_HOLLOW.split())
"""Words that say nothing alone."""


def phrases(texts: pl.Series, *, fewest: int = FEWEST_TEXTS) -> list[str]:
    """The phrases that at least `fewest` texts share, in the order of the alphabet; the most frequent 100,000 where there are more.

    Examples
    --------
    >>> texts = pl.Series(["Hi Anna, the card did not arrive", "Hi Anna, my card has not arrived", "card did not arrive at all"])
    >>> phrases(texts, fewest=2)
    ['arrive', 'card', 'not arrive']
    """
    words = _in_place(texts)
    told = [_counted(words, length=length, fewest=fewest) for length in range(1, LONGEST_PHRASE + 1)]
    most = pl.concat(told).sort(pl.col("texts") * -1, "phrase").head(MOST_PHRASES)
    return most["phrase"].sort().to_list()


def _in_place(texts: pl.Series) -> pl.DataFrame:
    """Every word with the `text` it is in, its number (`word`), and what may be done with it."""
    told = (
        pl.DataFrame({"said": texts.str.to_lowercase().str.extract_all(WORD)})
        .with_row_index("text")
        .explode("said", empty_as_null=True)
        .drop_nulls("said")
    )
    told = told.with_columns(greeted=pl.col("said").shift(1).over("text").is_in(_GREETINGS.split()).fill_null(False))
    greeted = (pl.col("greeted").sum() * 2 >= pl.len()).over("said")
    empty = pl.col("said").is_in(list(EMPTY)) | (pl.col("said").str.len_chars() < 2) | greeted
    marks = {"hollow": HOLLOW, "leading": LEADING}
    numbered = pl.col("said").str.contains(_NUMBERED)
    return told.with_columns(
        numbered=numbered,
        word=pl.col("said").rank("dense").cast(pl.UInt64) - 1,
        empty=empty,
        **{name: pl.col("said").is_in(list(of)) for name, of in marks.items()},
    )


def _counted(words: pl.DataFrame, *, length: int, fewest: int) -> pl.DataFrame:
    """`phrase` of so many words, and in how many `texts` it is."""
    count = words["word"].n_unique() + 1
    at = [pl.col("word").shift(-ahead) for ahead in range(length)]
    code = at[0]
    for part in at[1:]:
        code = code * count + part
    whole = pl.col("text") == pl.col("text").shift(1 - length)
    told = ~(pl.col("empty") | (pl.col("empty") | pl.col("leading")).shift(1 - length))
    meant = pl.all_horizontal(*(pl.col("empty").shift(-ahead) | pl.col("hollow").shift(-ahead) for ahead in range(length)))
    numbered = pl.any_horizontal(*(pl.col("numbered").shift(-ahead) for ahead in range(length)))
    found = words.select("text", code=code, fit=whole & told & ~meant & ~numbered).filter("fit")
    shared = found.unique(["text", "code"]).group_by("code").agg(texts=pl.len()).filter(pl.col("texts") >= fewest)
    known = words.select("word", "said").unique("word").sort("word")["said"]
    parts = [(pl.col("code") // count ** (length - 1 - ahead) % count).alias(str(ahead)) for ahead in range(length)]
    spelled = shared.with_columns(parts)
    return spelled.select(phrase=pl.concat_str(*(known.gather(spelled[str(ahead)]) for ahead in range(length)), separator=" "), texts="texts")


def telling(scored: Sequence[tuple[str, float]], *, most: int = 10, half: float = 0.5) -> list[tuple[str, float]]:
    """Choose among phrases those that tell a topic without saying the same twice.

    Parameters
    ----------
    scored
        Phrases with how distinctive they are, the most distinctive first.
    half
        A longer phrase takes the place of a shorter one that is in it, where it is at least so much as distinctive.

    Examples
    --------
    >>> telling([("arrived", 0.5), ("card", 0.45), ("not arrived", 0.4), ("card has not arrived", 0.1), ("delivery", 0.1)])
    [('not arrived', 0.5), ('card', 0.45), ('delivery', 0.1)]
    """
    kept: list[tuple[str, float]] = []
    for phrase, score in scored:
        if not phrase or score <= 0:
            continue
        alike = [at for at, (other, _) in enumerate(kept) if _alike(other, phrase)]
        if not alike:
            kept.append((phrase, score))
        elif len(alike) == 1 and f" {kept[alike[0]][0]} " in f" {phrase} " and score >= half * kept[alike[0]][1]:
            kept[alike[0]] = (phrase, kept[alike[0]][1])
    return kept[:most]


def label(told: Sequence[str], *, most: int = 3) -> str:
    """A name that people can read: the most telling phrases.

    Examples
    --------
    >>> label(["not arrived", "card", "delivery", "post"])
    'not arrived, card, delivery'
    """
    return ", ".join(told[:most]) or NOTHING_SHARED


def _alike(some: str, other: str) -> bool:
    """Do two phrases share a word that says something, whatever its ending is?"""
    return any(_same(one, two) for one in _said(some) for two in _said(other))


def _said(phrase: str) -> list[str]:
    return [word for word in phrase.split() if word not in EMPTY and word not in HOLLOW]


def _same(one: str, two: str) -> bool:
    short = min(len(one), len(two))
    start = short if short < SHORT else max(SHORT, short - 2)
    return one[:start] == two[:start]
