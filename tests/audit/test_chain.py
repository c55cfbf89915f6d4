"""The chain finds every edit, and names the first bad entry."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.chain import GENESIS, Broken, Link, canonical, link, verify

MEMBERSHIP = {
    "number": 1,
    "at": "2026-01-31T09:30:00.000000Z",
    "kind": "membership.given",
    "actor_kind": "person",
    "actor": "carol@example.com",
    "address": "",
    "subject": "alice@example.com",
    "target": "engineering",
    "effect": "",
    "revision": 7,
    "detail": '{"group":"engineering","person":"alice@example.com"}',
}


def test_golden_vectors():
    """The hashes were made with printf and sha256sum, and not with this code: they must never change."""
    first = link(GENESIS, MEMBERSHIP)
    second = link(first, {"subject": "Zoë 😀 \ud800", "number": 2})

    assert (
        b'{"actor":"carol@example.com","actor_kind":"person","address":"","at":"2026-01-31T09:30:00.000000Z",'
        b'"detail":"{\\"group\\":\\"engineering\\",\\"person\\":\\"alice@example.com\\"}","effect":"",'
        b'"kind":"membership.given","number":1,"revision":7,"subject":"alice@example.com","target":"engineering"}'
    ) == canonical(MEMBERSHIP)
    assert "61ed863be93413c355b2a7a5b319427166c66a31486a93ab77b957d006542200" == first.hex()
    assert "7c7a83350b4b24286a3837dcd07598f625eb61b13a9b80b20b5f71f1a6959641" == second.hex()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, b"{}"),
        ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
        ({"é": "\n\x00\x7f"}, b'{"\xc3\xa9":"\\n\\u0000\x7f"}'),
        ({"a": "\udc80"}, b'{"a":"\\udc80"}'),
        ({"a": "\\udc80"}, b'{"a":"\\\\udc80"}'),
    ],
)
def test_the_canonical_form_is_sorted_json_without_spaces(entry, expected):
    assert expected == canonical(entry)


@pytest.mark.parametrize(("value", "error"), [(math.nan, ValueError), (math.inf, ValueError), (b"", TypeError)])
def test_what_json_cannot_say_has_no_canonical_form(value, error):
    with pytest.raises(error):
        canonical({"a": value})


@given(st.text(st.characters()), st.text(st.characters()))
def test_two_texts_never_share_a_canonical_form(one, other):
    assert (one == other) == (canonical({"a": one}) == canonical({"a": other}))


def book(*names: str) -> list[Link]:
    """Return a sound book about these people."""
    links, previous = [], GENESIS
    for number, name in enumerate(names, start=1):
        entry = {"number": number, "subject": name}
        links.append(Link(number, entry, previous, link(previous, entry)))
        previous = links[-1].hash
    return links


books = st.lists(st.sampled_from(["alice", "bob", "carol", "mallory"]), min_size=2, max_size=12).map(
    lambda names: book(*names)
)


@given(books)
def test_a_sound_book_has_nothing_to_report(links):
    assert verify(links) is None


@given(books, st.data())
def test_a_sound_book_can_be_checked_from_any_entry_on(links, data):
    start = data.draw(st.integers(1, len(links)))
    previous = links[start - 2].hash if start > 1 else GENESIS

    assert verify(links[start - 1 :], number=start - 1, previous=previous) is None


@given(books, st.data())
def test_a_changed_entry_is_named(links, data):
    at = data.draw(st.integers(0, len(links) - 1))
    links[at] = links[at]._replace(entry={**links[at].entry, "subject": "somebody else"})

    assert at + 1 == found(links).number


@given(books, st.data())
def test_a_changed_hash_is_named(links, data):
    at = data.draw(st.integers(0, len(links) - 1))
    which = data.draw(st.sampled_from(["hash", "previous"]))
    links[at] = links[at]._replace(**{which: bytes(31) + b"\x01"})

    assert at + 1 == found(links).number


@given(books, st.data())
def test_a_deleted_entry_is_named_unless_it_was_the_last(links, data):
    """A cut-off tail leaves a sound shorter book; only the head, or a seal kept elsewhere, tells of it."""
    at = data.draw(st.integers(0, len(links) - 1))
    was_last = at == len(links) - 1
    del links[at]

    assert verify(links) is None if was_last else at + 1 == found(links).number


@given(books, st.data())
def test_an_inserted_entry_is_named_even_if_all_after_it_are_renumbered(links, data):
    at = data.draw(st.integers(0, len(links) - 1))
    entry = {"number": at + 1, "subject": "mallory was always an administrator"}
    forged = Link(at + 1, entry, links[at].previous, link(links[at].previous, entry))
    later = [Link(old.number + 1, old.entry, old.previous, old.hash) for old in links[at:]]

    assert at + 2 == found([*links[:at], forged, *later]).number
    assert at + 2 == found([*links[:at], forged, *links[at:]]).number


@given(books, st.data())
def test_two_entries_that_changed_places_are_named(links, data):
    one = data.draw(st.integers(0, len(links) - 2))
    other = data.draw(st.integers(one + 1, len(links) - 1))
    links[one], links[other] = links[other], links[one]

    assert one + 1 == found(links).number


@given(books, st.data())
def test_an_entry_hashed_anew_is_betrayed_by_the_next(links, data):
    at = data.draw(st.integers(0, len(links) - 2))
    entry = {**links[at].entry, "subject": "somebody else"}
    links[at] = Link(at + 1, entry, links[at].previous, link(links[at].previous, entry))

    assert Broken(at + 2, "it does not follow from the entry before it, which was changed and hashed anew") == found(
        links
    )


@given(books, st.data())
def test_a_book_hashed_anew_to_its_end_has_another_last_hash(links, data):
    """The chain alone cannot find this. The head does, and if that was changed too, only a seal kept elsewhere."""
    at = data.draw(st.integers(0, len(links) - 1))
    honest = links[-1].hash
    previous = links[at].previous
    for n in range(at, len(links)):
        entry = {**links[n].entry, "subject": "somebody else"}
        links[n] = Link(n + 1, entry, previous, link(previous, entry))
        previous = links[n].hash

    assert verify(links) is None
    assert honest != links[-1].hash


def found(links: list[Link]) -> Broken:
    """Return what is wrong; something must be."""
    broken = verify(iter(links))
    assert broken is not None
    return broken
