"""The words of a customer are shown as one short line of plain text."""

from fcrlib.show.quote import Quote, quote


def test_a_quote_is_one_line_without_letters_that_hide_or_reorder_others() -> None:
    assert quote("a\r\n\tb\u202ec\u200b\x07 \u2028 d") == "a bc d"


def test_a_long_quote_is_cut_at_a_word() -> None:
    text = quote("word " * 100)
    assert len(text) <= 281
    assert text.endswith("word …")
    assert len(quote("x" * 1000, limit=20)) <= 20


def test_nothing_is_a_quote_of_nothing() -> None:
    assert quote(None) == ""


def test_markup_in_a_quote_is_shown_not_run() -> None:
    bundle = Quote("<img src=x onerror=alert(1)> [x](javascript:alert(1))", ref="<b>")._repr_mimebundle_()
    assert "<img" not in bundle["text/html"]
    assert "<b>" not in bundle["text/html"]
    assert set(bundle) == {"text/html", "text/plain"}
