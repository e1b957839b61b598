"""``hebbarium report`` and ``hebbarium watch``: the page of a run, and who may see it."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from hebbarium.analysis import figures
from hebbarium.commands import commandline
from hebbarium.studies.reports.watching import HOST, Watch
from hebbarium.training import training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings

TINY = RunSettings(
    model="desire_backprop", changes={"layers": "6", "steps": "5", "margin": "1", "eta": "1e-3"},
    images=20, block=10, test_images=20, snapshots=1, device="numpy",
)  # fmt: skip
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(autouse=True)
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes long: receptive fields alone."""
    drawable = figures.drawable
    monkeypatch.setattr(figures, "drawable", lambda tree: dict(list(drawable(tree).items())[:1]))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training.train(TINY, tmp_path_factory.mktemp("reported") / "run")


@contextmanager
def serving(run: Path) -> Iterator[Watch]:
    with Watch(Run.open(run), every=1.0) as watch:
        thread = threading.Thread(target=watch.serve)
        thread.start()
        try:
            yield watch
        finally:
            watch.stop()
            thread.join()


def ask(watch: Watch, name: str = "", method: str = "GET", **headers: str) -> tuple[int, Any, str]:
    """Status, headers and text of what is served at a path below the page's own, or at a whole path."""
    place = urlsplit(watch.address)
    assert place.hostname == HOST
    connection = http.client.HTTPConnection(HOST, place.port or 0, timeout=120)
    path = name if name.startswith("/") else place.path + name
    connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def test_a_report_is_one_file_and_no_link_is_written_through(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "digits.html"
    done = CliRunner().invoke(commandline.app, ["report", str(run), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert f"report: {out}" in done.stdout
    text = out.read_text(encoding="utf-8")
    assert text.lstrip().startswith("<!DOCTYPE html>")
    assert "data:image/png;base64," in text
    assert "beta_p" in text
    elsewhere = tmp_path / "elsewhere.html"
    (tmp_path / "link.html").symlink_to(elsewhere)
    refused = CliRunner().invoke(commandline.app, ["report", str(run), "--out", str(tmp_path / "link.html")])
    assert refused.exit_code == 1
    assert "link.html: is a link" in refused.stderr
    assert not elsewhere.exists()
    nothing = CliRunner().invoke(commandline.app, ["report", str(tmp_path / "none")])
    assert nothing.exit_code == 1
    assert "No results.nc" in nothing.stderr


def test_only_this_computer_by_its_own_name_sees_the_run(run: Path) -> None:
    with serving(run) as watch:
        status, headers, text = ask(watch)
        assert status == 200
        assert "complete" in text
        assert "data:image/png;base64," in text
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        status, headers, part = ask(watch, "run")
        assert status == 200
        assert part.strip() in text
        assert ask(watch, "run", If_None_Match=headers["ETag"])[0] == 304
        status, headers, _ = ask(watch, "renew.js")
        assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
        port = urlsplit(watch.address).port
        assert ask(watch, Host=f"localhost:{port}")[0] == 200
        for host in ("evil.example", f"evil.example:{port}", HOST, f"{HOST}:1", ""):
            status, _, said = ask(watch, Host=host)
            assert (status, "data:" in said) == (403, False)
        for path in ("/", "/run", "/renew.js", "/wrong/", "/wrong/run", "//", "/../etc/passwd"):
            assert ask(watch, path)[0] == 404
        for name in ("../", "results.nc", "configuration.json", "run/../results.nc", "%2e%2e/results.nc", "run/x"):
            assert ask(watch, name)[0] == 404
        for method in ("POST", "PUT", "DELETE"):
            assert ask(watch, "run", method)[0] == 501


def test_two_pages_lie_at_addresses_that_nobody_guesses(run: Path) -> None:
    with Watch(Run.open(run)) as first, Watch(Run.open(run)) as second:
        tokens = {urlsplit(watch.address).path.strip("/") for watch in (first, second)}
    assert len(tokens) == 2
    assert min(map(len, tokens)) >= 20


def test_watching_what_is_no_run_is_refused(tmp_path: Path) -> None:
    refused = CliRunner().invoke(commandline.app, ["watch", str(tmp_path / "none")])
    assert refused.exit_code == 1
    assert "is not a run folder" in refused.stderr


def test_a_notebook_shows_a_run(run: Path, tmp_path: Path) -> None:
    opened = Run.open(run)
    shown = opened._repr_html_()
    assert shown is not None
    assert "data:image/png;base64," in shown
    assert "class_layer" in shown
    assert "desire_backprop, seed 0; 20 samples of mnist-embedded seen" in repr(opened)
    begun = tmp_path / "begun"
    shutil.copytree(run, begun, ignore=shutil.ignore_patterns("results.nc"))
    assert Run.open(begun)._repr_html_() is None
    assert "no results yet" in repr(Run.open(begun))


@pytest.mark.long
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
def test_a_browser_renews_the_page(run: Path, tmp_path: Path) -> None:
    """The results come while the browser looks: it shows them without being asked to."""
    looked_at = tmp_path / "run"
    shutil.copytree(run, looked_at, ignore=shutil.ignore_patterns("results.nc"))
    with serving(looked_at) as watch:
        answer, asked = watch._server.answer, []

        def note(path: str) -> Any:
            told = answer(path)
            asked.append(path)
            if path.endswith("/run") and not (looked_at / "results.nc").exists():
                assert "data:image/png" not in told[1]
                shutil.copy(run / "results.nc", tmp_path / "new.nc")
                (tmp_path / "new.nc").rename(looked_at / "results.nc")
            return told

        watch._server.answer = note
        assert BROWSER is not None
        done = subprocess.run(
            [
                BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}",
                "--virtual-time-budget=900000", "--dump-dom", watch.address,
            ],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert any(path.endswith("/renew.js") for path in asked)
    main = done.stdout.partition('<main id="run">')[2]
    assert "<strong>complete</strong>" in main
    assert "data:image/png;base64," in main
