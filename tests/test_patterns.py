"""Patterns of fields: they mean what Python's own expressions mean, and no text takes them for ever."""

import re
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from calling.catalogue.patterns import LONGEST, MOST_SYMBOLS, BadPattern, compiled

SIGNS = "ab1_- .é"
atoms = st.one_of(
    st.sampled_from([*"ab1_", r"\.", r"\-", ".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S"]),
    st.sampled_from(["[ab]", "[^a]", "[a-b1]", r"[\d_]", r"[^\w]", "[b-]", "[-b]", r"[\]a]", "[.]", "[é]"]),
)
repeats = st.sampled_from(["?", "*", "+", "{0}", "{2}", "{1,}", "{0,2}", "{1,3}"])


def pieces(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.builds("{}{})".format, st.sampled_from(["(", "(?:"]), inner)
    one = st.one_of(atoms, group)
    return st.one_of(
        st.builds("{}{}".format, one, repeats),
        st.lists(one, max_size=3).map("".join),
        st.builds("{}|{}".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    )


patterns = st.recursive(atoms, pieces, max_leaves=6).filter(bool)


@settings(max_examples=500)
@given(patterns, st.lists(st.text(SIGNS, max_size=8), max_size=20))
@example(r"(a|ab)(1|b1)*", ["ab1", "abb1", "a", "aab1b1"])
@example(r"(a*)*b", ["aaab", "b", "aaa"])
@example(r"(a?){3}", ["", "aaa", "aaaa"])
@example("|a", ["", "a", "b"])
def test_a_pattern_means_what_it_means_in_python(pattern: str, texts: list[str]) -> None:
    """Planted: a loop that does not lead back to its beginning, an alternative that may not be nothing;
    each seen to fail."""
    matches = compiled(pattern)
    wanted = re.compile(pattern, re.DOTALL)
    assert [matches(text) for text in texts] == [bool(wanted.fullmatch(text)) for text in texts]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(a+)+b", "a" * 2_000),
        (r"(a|a)*b", "a" * 2_000),
        (r"(a|aa)+b", "a" * 2_000),
        (r"a*a*a*a*a*a*a*a*a*a*b", "a" * 2_000),
        (r"(.*)(.*)(.*)(.*)(.*)[^a]", "a" * 2_000),
        (r"([ab]*a[ab]{90})", "ab" * 1_000),
        (r"(\w*\d*)*-", "a1" * 1_000),
    ],
)
def test_no_text_takes_for_ever(pattern: str, text: str) -> None:
    """What keeps Python's own matcher busy until the sun goes out takes less than a second."""
    began = process_time()
    compiled(pattern)(text)
    assert process_time() - began < 1


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("", "is empty"),
        ("a" * (LONGEST + 1), "at most 200"),
        ("(a{40}){6}", f"at most {MOST_SYMBOLS}"),
        ("((a{99}){99}){99}", f"at most {MOST_SYMBOLS}"),
        ("^a", "at 1: .*leave"),
        ("a$", "at 2: .*leave"),
        ("*a", "at 1: nothing stands before"),
        ("a**", "at 3: a repeat of a repeat"),
        ("a+?", "at 3: a repeat of a repeat, or a lazy one"),
        ("a{2}{3}", "at 5: a repeat"),
        ("(a", r"at 1: \"\(\" is never closed"),
        ("a)", r"at 2: \"\)\" closes nothing"),
        ("[a", r"at 1: \"\[\" is never closed"),
        ("[]", "at 1: names no character"),
        ("[z-a]", "goes backwards"),
        (r"[\d-z]", "a range goes from one character"),
        ("[[a]]", "at 2: write .* for the sign inside"),
        ("a]", "at 2: .*closes nothing"),
        ("a{x}", "at 2: braces say how often"),
        ("a{,3}", "at 2: braces say how often"),
        ("a{3", "at 2: braces say how often"),
        ("a{3,2}", "at 2: 3 to 2 times goes backwards"),
        ("a{101}", "more than 100 times"),
        ("a{99999999999999}", "more than 100 times"),
        (r"(a)\1", "at 4: nothing can be found a second time"),
        (r"\bword", "an edge of a word"),
        ("a\\", "ends in a single"),
        ("(?=a)", "at 2: a group here only groups"),
        ("(?P<n>a)", "at 2: a group here only groups"),
        ("(?i)a", "at 2: a group here only groups"),
        ("(" * 30 + "a" + ")" * 30, "brackets within brackets"),
    ],
)
def test_what_no_pattern_may_say(pattern: str, why: str) -> None:
    with pytest.raises(BadPattern, match=why):
        compiled(pattern)


@given(st.text(max_size=30))
def test_whatever_is_written_is_read_or_refused(pattern: str) -> None:
    with suppress(BadPattern):
        assert compiled(pattern)("a-1") in (True, False)
