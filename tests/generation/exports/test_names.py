"""A file's name comes from a stranger's title and goes to strangers' systems."""

import pytest
from django.http import HttpResponse
from hypothesis import given
from hypothesis import strategies as st

from generation.exports.names import disposition, file_name

E_ACUTE = "e\u0301"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Les bases de données", "Les bases de données.pdf"),
        (f"Caf{E_ACUTE}", "Café.pdf"),
        ("", "document.pdf"),
        (" \u200b\u202e ", "document.pdf"),
        ("../../etc/passwd", "etc passwd.pdf"),
        ('a"b\r\nX-Evil: 1', "a b X-Evil 1.pdf"),
        ("C:\\Windows|<>*?", "C Windows.pdf"),
        ("con", "document con.pdf"),
        ("LPT1.txt", "document LPT1.txt.pdf"),
        ("-rf", "rf.pdf"),
        (".profile", "profile.pdf"),
        ("Fête 🎉 !", "Fête 🎉 !.pdf"),
        ("photo\u202efdp.exe", "photo fdp.exe.pdf"),
        ("\ud800x", "x.pdf"),
    ],
)
def test_a_title_becomes_a_name(title: str, name: str) -> None:
    assert file_name(title, "pdf") == name


@given(st.text(max_size=300))
def test_any_title_gives_a_name_that_any_system_takes(title: str) -> None:
    name = file_name(title, "docx")
    assert name.endswith(".docx")
    assert len(name.encode()) <= 200
    assert name == name.strip(" .")
    assert not set(name) & set('<>:"/\\|?*\r\n\0')


def test_a_long_title_is_cut_between_characters() -> None:
    assert file_name("é" * 200, "pdf") == "é" * 90 + ".pdf"
    assert file_name("a" * 200, "pdf") == "a" * 100 + ".pdf"
    assert file_name("🎉" * 200, "pdf") == "🎉" * 45 + ".pdf"


def test_the_header_carries_the_name_twice() -> None:
    assert (
        disposition("Élan 🎉.pdf")
        == "attachment; filename=\"Elan .pdf\"; filename*=UTF-8''%C3%89lan%20%F0%9F%8E%89.pdf"
    )


@given(st.text())
def test_no_name_breaks_out_of_the_header(name: str) -> None:
    header = disposition(name.encode(errors="replace").decode())
    HttpResponse()["Content-Disposition"] = header
    assert header.isascii()
    assert header.count('"') == 2
