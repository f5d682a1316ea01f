import pytest

from headmotion.training.safe_yaml import MAX_BYTES, read_yaml


def test_plain_values():
    assert read_yaml("a: [1, 2.5, x, null, true]\nb: {c: 2001-01-01}")["a"] == [1, 2.5, "x", None, True]
    assert read_yaml("") is None
    assert read_yaml("é: ü".encode()) == {"é": "ü"}


def test_aliases_and_merging():
    assert read_yaml("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}") == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "y": 2}}


def nested_aliases(item):
    lines = ["a0: &a0 {x: 1}"]
    return "\n".join(lines + [f"a{k}: &a{k} " + item.format(", ".join([f"*a{k - 1}"] * 10)) for k in range(1, 30)])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (nested_aliases("[{0}]"), "100,000 values"),
        (nested_aliases("{{<<: [{0}]}}"), "100,000 values"),
        ("&a [*a]", "part of"),
        ("a: 1\n" * MAX_BYTES, "100,000 bytes"),
        ("[" * 50_000, "^values nested too deep$"),
        ("a: !!python/object/apply:os.getcwd []", "constructor"),
        ("a: 2001-99-99", "month"),
        ("a: !!timestamp x", "."),
        ("a: [", "expected"),
        (b"\xff", "unacceptable character"),
        ("a: b: c", "not allowed here in line 1, column 5"),
        ("a: 1\n? [b]\n: 2", "a key that is a list or a mapping in line 2"),
    ],
)
def test_anything_else_is_one_clear_line(text, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        read_yaml(text)
    assert "\n" not in str(caught.value)
