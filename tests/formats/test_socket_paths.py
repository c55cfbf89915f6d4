"""A server's WebSockets begin at a path that everybody reads in the same way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import InvalidName
from authz.formats.labels import parse_label
from authz.formats.socket_paths import socket_path
from authz.formats.url_paths import read_path

PATHS = {
    "chat": "/ws/chat",
    "team chat": "/ws/team%20chat",
    "Bücher": "/ws/B%C3%BCcher",
    "a.b": "/ws/a.b",
    "a,b": "/ws/a%2Cb",
    "rpcs": "/ws/rpcs",
}


@pytest.mark.parametrize(("name", "path"), PATHS.items(), ids=PATHS)
def test_a_name_stands_in_the_path(name, path):
    assert path == socket_path(name)


@pytest.mark.parametrize(
    "name", ["rpc", "RPC", "a/b", "a\\b", "a#b", "a?b", "50%", "a;b", ".", "..", "a..", "a\uff0fb", "a…"]
)
def test_a_name_that_cannot_stand_there_is_refused(name):
    with pytest.raises(InvalidName, match="can have no upstream"):
        socket_path(name)


@given(st.text(max_size=20))
def test_a_path_is_read_as_the_name_that_it_was_made_of(text):
    try:
        name = parse_label(text)
        path = socket_path(name)
    except InvalidName:
        return
    assert f"/ws/{name}" == read_path(path)
