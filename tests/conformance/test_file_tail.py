"""A file is read once, whole, from wherever the last commit left it."""

import random

import pytest

from coordwatch.adapters.file_tail import LINE_MAX, FileTail
from coordwatch.errors import PermanentError


@pytest.fixture
def tail_of():
    """Make tails of files; they are closed at the end."""
    made: list[FileTail] = []

    def one(path, **more) -> FileTail:
        made.append(FileTail(path, **more))
        return made[-1]

    yield one
    for tail in made:
        tail.close()


def texts(tail: FileTail, limit: int = 100) -> list[bytes]:
    return [line.text for line in tail.read(limit)]


def test_lines_come_with_their_offsets_and_the_last_needs_no_end(tail_of, tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"one\r\n\ntwo\nthree")
    tail = tail_of(path, follow=False)
    assert [(line.offset, line.text) for line in tail.read(3)] == [(0, b"one"), (5, b""), (6, b"two")]
    assert not tail.at_end
    assert texts(tail) == [b"three"]
    assert tail.at_end
    assert texts(tail) == []


def test_a_position_goes_on_where_it_was_taken_whatever_the_cut(tail_of, tmp_path):
    path = tmp_path / "a.ndjson"
    lines = [b'{"n":%d}' % n for n in range(500)]
    path.write_bytes(b"\n".join(lines) + b"\n")
    rng = random.Random(5)
    read, position = [], None
    while len(read) < len(lines):
        tail = tail_of(path, follow=True, position=position)
        read += texts(tail, rng.randint(1, 40))
        position = tail.position
        texts(tail, rng.randint(0, 20))  # read, and never committed
        tail.close()
    assert read == lines


def test_a_file_that_grows_is_followed_and_half_a_line_is_waited_for(tail_of, tmp_path):
    path = tmp_path / "a.ndjson"
    tail = tail_of(path, follow=True)
    assert texts(tail) == []
    assert tail.at_end
    with path.open("ab") as out:
        out.write(b'{"n":1}\n{"n":')
        out.flush()
        assert texts(tail) == [b'{"n":1}']
        for _ in range(30):
            assert texts(tail) == []
        assert tail.at_end
        out.write(b"2}\n")
        out.flush()
        assert texts(tail) == [b'{"n":2}']


def test_a_last_line_without_an_end_is_taken_once_it_stands_still_and_is_whole(tail_of, tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'{"n":1}\n{"n":2}')
    tail = tail_of(path, follow=True)
    assert texts(tail) == [b'{"n":1}']
    rounds = [texts(tail) for _ in range(30)]
    assert [one for one in rounds if one] == [[b'{"n":2}']]


def test_a_truncated_file_is_read_from_its_beginning(tail_of, tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"old one\nold two\n")
    tail = tail_of(path, follow=True)
    assert len(texts(tail)) == 2
    path.write_bytes(b"new\n")
    assert texts(tail) + texts(tail) == [b"new"]


def test_a_rotated_file_is_read_to_its_end_before_the_next(tail_of, tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"1\n2\n")
    tail = tail_of(path, follow=True)
    assert texts(tail, 1) == [b"1"]
    path.rename(tmp_path / "a.ndjson.1")
    assert texts(tail) == [b"2"]
    path.write_bytes(b"3\n")
    assert texts(tail) + texts(tail) == [b"3"]


def test_half_a_line_of_a_rotated_file_is_not_lost(tail_of, tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"1\n{broken")
    tail = tail_of(path, follow=True)
    texts(tail)
    path.rename(tmp_path / "a.ndjson.1")
    path.write_bytes(b"2\n")
    assert [one for _ in range(30) for one in texts(tail)] == [b"{broken", b"2"]


@pytest.mark.parametrize(
    "position", ["rubbish", "5:1:abc", "-1:0:", "999999:0:e3b0c44298fc1c149afbf4c8996fb924", "1:2:3:4"]
)
def test_a_position_of_another_file_begins_again(tail_of, tmp_path, position):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"1\n2\n")
    assert texts(tail_of(path, follow=True, position=position)) == [b"1", b"2"]


def test_another_file_under_the_name_is_read_whole(tail_of, tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"old 1\nold 2\n")
    tail = tail_of(path, follow=True)
    texts(tail)
    tail.close()
    path.write_bytes(b"new 1\nnew 2\nnew 3\n")
    assert texts(tail_of(path, follow=True, position=tail.position)) == [b"new 1", b"new 2", b"new 3"]


def test_a_line_beyond_all_measure_comes_in_pieces_of_which_none_is_lost(tail_of, tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"x" * (LINE_MAX + 10) + b"\nnext\n")
    assert [len(text) for text in texts(tail_of(path, follow=True))] == [LINE_MAX, 10, 4]


def test_a_file_to_be_read_once_must_be_there(tail_of, tmp_path):
    with pytest.raises(PermanentError, match=r"none\.ndjson cannot be read"):
        tail_of(tmp_path / "none.ndjson", follow=False).read(1)
    with pytest.raises(PermanentError, match="cannot be read"):
        tail_of(tmp_path, follow=True).read(1)
