"""Rule files on disk: folders, shared words, and what is told of files that cannot be read."""

import contextlib
from pathlib import Path

import pytest

from coordwatch.adapters.files import load_rules, shipped
from tests.rules.test_parse import HEAD

RULE = HEAD + "when: {a: {event: feedback.received}}\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def named(rule_id: str, where: str = "true") -> str:
    text = RULE.replace("a-rule", rule_id)
    return text.replace("feedback.received", f'feedback.received, where: "{where}"')


def test_without_paths_the_rules_that_ship_are_read():
    found = load_rules()
    assert found.problems == ()
    assert len(found.specs) >= 10
    assert all(spec.place.path.startswith(str(shipped("rules"))) for spec in found.specs)


def test_a_folder_is_read_in_order_and_without_hidden_and_shared_files(tmp_path):
    write(
        tmp_path,
        {
            "b.yaml": named("b"), "a.yml": named("a"), "sub/c.yaml": named("c") + "---\n" + named("d"),
            ".hidden.yaml": "{", "_draft.yaml": "{", ".git/x.yaml": "{", "_old/x.yaml": "{", "notes.txt": "{",
        },
    )  # fmt: skip
    found = load_rules([tmp_path])
    assert found.problems == ()
    assert [spec.id for spec in found.specs] == ["a", "b", "c", "d"]


def test_the_shared_words_of_every_folder_on_the_way_count_and_the_inner_ones_win(tmp_path):
    write(
        tmp_path,
        {
            "_shared.yaml": "macros: {bad: score < 3, odd: score == 1}",
            "top.yaml": named("top", "bad"),
            "bank/_shared.yaml": "macros: {bad: score < 5}",
            "bank/cards/one.yaml": named("one", "bad && odd"),
        },
    )
    found = load_rules([tmp_path])
    assert found.problems == ()
    top, one = found.specs
    assert "value=3," in repr(top.when.matches[0].where)
    assert "value=5," in repr(one.when.matches[0].where)
    (single,) = load_rules([tmp_path / "bank" / "cards" / "one.yaml"]).specs
    assert single.when == one.when


def test_a_file_named_from_within_its_folder_finds_its_shared_words(tmp_path):
    write(tmp_path, {"_shared.yaml": "macros: {bad: score < 3}", "sub/one.yaml": named("one", "bad")})
    with contextlib.chdir(tmp_path / "sub"):
        assert [spec.id for spec in load_rules([Path("one.yaml")]).specs] == ["one"]


def test_a_wrong_shared_file_is_told_once_and_not_in_every_rule_that_uses_it(tmp_path):
    write(
        tmp_path, {"_shared.yaml": "macros: {bad: score <}", "a.yaml": named("a", "bad"), "b.yaml": named("b", "bad")}
    )
    found = load_rules([tmp_path])
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in found.problems] == [
        "_shared.yaml:1:22: the expression ends where a value should follow"
    ]
    assert found.specs == ()


def test_one_bad_file_does_not_hide_the_others(tmp_path):
    write(tmp_path, {"a.yaml": named("a"), "b.yaml": "id: b\n", "c.yaml": named("c"), "d.yaml": named("a")})
    found = load_rules([tmp_path])
    assert [spec.id for spec in found.specs] == ["a", "c"]
    assert {problem.place.path.rsplit("/", 1)[-1] for problem in found.problems} == {"b.yaml", "d.yaml"}
    assert "two rules have the id 'a'" in found.problems[-1].message


def test_a_path_given_twice_is_read_once(tmp_path):
    write(tmp_path, {"a.yaml": named("a")})
    found = load_rules([tmp_path, tmp_path / "a.yaml"])
    assert (len(found.specs), found.problems) == (1, ())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"a: 1\nb: \xc3(\n", "not UTF-8"),
        (b"x" * 5_000_000, "larger than"),
        (b"\x00", "not valid YAML"),
    ],
)
def test_bytes_that_are_no_rule_file_are_told(tmp_path, content, words):
    (tmp_path / "a.yaml").write_bytes(content)
    found = load_rules([tmp_path])
    assert found.specs == ()
    assert words in found.problems[0].message


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf" + named("a").encode())
    assert [spec.id for spec in load_rules([tmp_path]).specs] == ["a"]


def test_what_is_not_there_is_told(tmp_path):
    found = load_rules([tmp_path / "none.yaml", tmp_path])
    assert [problem.message for problem in found.problems] == [
        "there is no such file or folder",
        "no rule file is in this folder",
    ]


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "a.yaml").symlink_to(tmp_path / "gone.yaml")
    (problem,) = load_rules([tmp_path]).problems
    assert problem.message == "the file cannot be read: No such file or directory"
