"""Files that people bring: whatever program wrote them, records keep their texts and mistakes their lines."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from shared.dataset.records import Flaw, Record, as_text, read_records
from shared.errors import Refusal


def written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("bom.jsonl", b'\xef\xbb\xbf{"q": "a"}\r\n\r\n{"q": "b"}', ["a", "b"]),
        ("separators.jsonl", '{"q": "a\u2028b\u0085c\x1dd"}\n'.replace("\x1d", "\\u001d"), ["a\u2028b\u0085c\x1dd"]),
        ("list.json", '[{"q": "a"}, {"q": "b"}]', ["a", "b"]),
        ("excel.csv", b"\xef\xbb\xbfq\r\na\r\n", ["a"]),
        ("european.csv", 'q;r\n"a;1";2\n', ["a;1"]),
        ("quoted.csv", 'q,r\n"two\nlines",1\n\n"with ""quotes""\u2028",2\n', ["two\nlines", 'with "quotes"\u2028']),
    ],
)
def test_texts_are_read_as_they_were_written(tmp_path: Path, name: str, content: bytes | str, texts: list[str]) -> None:
    found = list(read_records(written(tmp_path, name, content)))
    assert [one.fields["q"] for one in found if isinstance(one, Record)] == texts
    assert not [one for one in found if isinstance(one, Flaw)]


def test_each_flaw_has_its_line_and_its_neighbours_are_read(tmp_path: Path) -> None:
    lines = written(tmp_path, "a.jsonl", '{"q": "a"}\nnot json\n\n[1]\n{"q": "b"}\n' + "[" * 100_000 + "\n")
    assert [(one.line, isinstance(one, Flaw)) for one in read_records(lines)] == [
        (1, False),
        (2, True),
        (4, True),
        (5, False),
        (6, True),
    ]
    rows = written(tmp_path, "a.csv", 'q,r\n"a\nb",1\nonly one\nc,2\n')
    assert [(one.line, isinstance(one, Flaw)) for one in read_records(rows)] == [(2, False), (4, True), (5, False)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", b"PK"),
        ("a.jsonl", b"\xff\xfe{"),
        ("a.csv", "q,q\n1,2\n"),
        ("a.csv", 'q\n"never closed\n'),
        ("a.parquet", b"no parquet"),
        ("a.json", '{"q": 1}'),
        ("a.json", "[" * 100_000),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_line(tmp_path: Path, name: str, content: bytes | str) -> None:
    with pytest.raises(Refusal) as refused:
        list(read_records(written(tmp_path, name, content)))
    assert refused.value.next_step
    assert "\n" not in str(refused.value).split("Next step")[0].strip()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="No such file"):
        list(read_records(tmp_path / "none.jsonl"))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=5))
def test_every_format_keeps_every_text(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("records")
    (folder / "a.jsonl").write_text("".join(json.dumps({"q": one}) + "\n" for one in texts))
    parquet.write_table(pa.table({"q": texts}), folder / "a.parquet")
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([["q"], *([one] for one in texts)])
    for name in ("a.jsonl", "a.parquet", "a.csv"):
        found = [one.fields["q"] for one in read_records(folder / name) if isinstance(one, Record)]
        assert found == texts, name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("What is 1 + 1?", "What is 1 + 1?"),
        ([{"role": "system", "content": "Box it."}, {"role": "user", "content": "What?"}], "What?"),
        ([{"from": "human", "value": "What?"}, {"from": "gpt", "value": "This."}], "What?"),
        ([{"role": "user", "content": [{"type": "text", "text": "Wh"}, {"type": "text", "text": "at?"}]}], "What?"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}], None),
        ([], None),
        (7, None),
    ],
)
def test_a_prompt_in_the_shape_of_a_chat_is_its_question(value: object, text: str | None) -> None:
    assert as_text(value) == text
