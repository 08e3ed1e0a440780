"""Set-up of the browser's files can be repeated, and names what is missing."""

from pathlib import Path

import pytest

import callcenter
from callcenter.assets import ICONS, compile_translations, install_assets

ROOT = Path(callcenter.__file__).parent.parent
PACKAGES = {
    "htmx.org": ("LICENSE", "dist/htmx.min.js"),
    "idiomorph": ("LICENSE", "dist/idiomorph-ext.min.js"),
    "@fontsource-variable/inter": (
        "LICENSE",
        "files/inter-latin-wght-normal.woff2",
        "files/inter-latin-ext-wght-normal.woff2",
    ),
    "@twilio/voice-sdk": ("LICENSE.md", "dist/twilio.min.js"),
    "echarts": ("LICENSE", "dist/echarts.min.js"),
    "zrender": ("LICENSE",),
    "events": ("LICENSE",),
    "loglevel": ("LICENSE-MIT",),
    "@tabler/icons": ("LICENSE", *(f"icons/outline/{name}.svg" for name in ICONS)),
}


def fake_packages(node_modules: Path) -> Path:
    for package, files in PACKAGES.items():
        for file in files:
            path = node_modules / package / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                '<svg><path stroke="none" d="M0 0h24v24H0z"/><path d="M4 4l8 8" /></svg>', "utf-8"
            )
    return node_modules


def test_installing_twice_changes_nothing(tmp_path: Path) -> None:
    node_modules, static = fake_packages(tmp_path / "node_modules"), tmp_path / "static"
    install_assets(node_modules, static)
    first = {path.name: path.read_bytes() for path in (static / "vendor").iterdir()}
    install_assets(node_modules, static)
    assert first == {path.name: path.read_bytes() for path in (static / "vendor").iterdir()}
    assert {
        "htmx.js",
        "idiomorph-ext.js",
        "twilio.min.js",
        "twilio-voice-sdk.LICENSE",
        "icons.svg",
        "inter-latin.woff2",
        "tabler-icons.LICENSE",
    } <= first.keys()


def test_the_sprite_has_one_symbol_per_icon_without_its_frame(tmp_path: Path) -> None:
    install_assets(fake_packages(tmp_path / "node_modules"), tmp_path)
    sprite = (tmp_path / "vendor/icons.svg").read_text("utf-8")
    assert sprite.count("<symbol ") == len(ICONS)
    assert 'stroke="none"' not in sprite


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    node_modules = fake_packages(tmp_path / "node_modules")
    (node_modules / "htmx.org/dist/htmx.min.js").unlink()
    with pytest.raises(FileNotFoundError, match=r"htmx\.min\.js"):
        install_assets(node_modules, tmp_path / "static")


def test_translations_are_compiled_beside_their_source(tmp_path: Path) -> None:
    folder = tmp_path / "zh/LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text('msgid "Dial"\nmsgstr "拨打"\n', "utf-8")
    assert compile_translations(tmp_path) == [folder / "messages.mo"]
    assert "拨打".encode() in (folder / "messages.mo").read_bytes()


def test_the_lock_names_no_registry() -> None:
    lock = (ROOT / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
