"""The report: one page that needs nothing beside it, and plots that a person would look at."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import train
from conftest import read_csv, write_csv

PNG = b"\x89PNG\r\n\x1a\n"
PLOTS = {
    *(f"{label}-{plot}.png" for label in ("churn", "purchase") for plot in ("roc", "precision-recall", "calibration", "gain", "shap")),
    *(f"segment-{plot}.png" for plot in ("profiles", "scatter", "curve")),
}


class Page(HTMLParser):
    """What a browser would fetch, and the text that it would show."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data + "\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, few_once: Path) -> Path:
    """A model that was compared with another one."""
    out = tmp_path_factory.mktemp("reported") / "model"
    train.train([few_once], out, 1, with_report=False)
    train.train([few_once], out, 2, accept=True)
    return out


def test_the_page_needs_nothing_beside_it(model: Path) -> None:
    html = (model / "report" / "index.html").read_text(encoding="utf-8")
    page = Page(html)
    assert page.open == [] and "url(" not in html and "@import" not in html
    images = [base64.b64decode(source.removeprefix("data:image/png;base64,"), validate=True) for source in page.sources]
    files = {path.name: path.read_bytes() for path in (model / "report").glob("*.png")}
    assert files.keys() == PLOTS
    assert sorted(images) == sorted(files.values()) and all(image.startswith(PNG) for image in images)


def test_the_page_says_what_a_person_wants_to_know(model: Path) -> None:
    text = Page((model / "report" / "index.html").read_text(encoding="utf-8")).text
    for who in ("leavers", "payers"):
        assert re.search(rf"Contact the 10 % of players most likely to be {who} and you reach \d+% of the {who}\.", text)
    for told in ("Gate", "Compared with the current model", "Calibration: ", "Stability", "ROC AUC", "expected calibration error", "segment stability"):
        assert told in text


def test_what_stands_in_the_data_is_text_on_the_page(few: Path, tmp_path: Path) -> None:
    rows = read_csv(few)
    data = write_csv(tmp_path / "data.csv", [{**row, "country": "<script>alert(1)</script>"} for row in rows])
    train.train([data], tmp_path / "model", 1)
    assert "<script" not in (tmp_path / "model" / "report" / "index.html").read_text(encoding="utf-8")
