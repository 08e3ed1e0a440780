"""Set-up of the browser's files: vendor files, the icon sprite, compiled translations.

Run after `npm ci --ignore-scripts`:  python -m callcenter.assets
"""

import re
import shutil
import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ICONS = (
    "activity", "address-book", "adjustments-horizontal", "alert-circle", "alert-triangle",
    "antenna-bars-off", "ban", "arrow-back-up", "arrow-forward-up", "arrow-right", "bolt", "books", "briefcase",
    "bulb", "calendar-clock", "chart-bar", "chart-dots-3", "check", "chevron-down", "circle-check",
    "circle-dashed", "circle-x", "clock", "clock-pause", "copy", "device-tv", "dialpad", "dots", "download", "ear",
    "external-link", "eye", "gift", "hand-stop", "headset", "help-circle", "history", "hourglass", "id", "keyboard",
    "language", "layout-dashboard", "link",
    "list-search", "lock", "login", "logout", "map-pin", "message-2", "microphone", "microphone-off",
    "minus", "pencil", "phone", "phone-calling", "phone-off", "phone-outgoing", "player-pause",
    "player-play", "plug-connected", "plug-connected-x", "plus", "point", "power", "repeat-off",
    "route", "search", "settings", "shield-check", "shield-lock", "transfer", "trending-up", "user",
    "user-plus", "user-search", "user-x", "users", "users-group", "wifi-off", "x",
)  # fmt: skip
"""Tabler outline icons the templates use, by their own names."""

_VENDOR_FILES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "idiomorph-ext.js": "idiomorph/dist/idiomorph-ext.min.js",
    "echarts.js": "echarts/dist/echarts.min.js",
    "twilio.min.js": "@twilio/voice-sdk/dist/twilio.min.js",
    "inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
}
_LICENSES = {
    "htmx.org": "LICENSE",
    "idiomorph": "LICENSE",
    "@fontsource-variable/inter": "LICENSE",
    "@tabler/icons": "LICENSE",
    "@twilio/voice-sdk": "LICENSE.md",
    "echarts": "LICENSE",
    # Inside the file of the charts:
    "zrender": "LICENSE",
    # Inside the file of the softphone:
    "events": "LICENSE",
    "loglevel": "LICENSE-MIT",
}
"""The licence file of each package, by package."""


def install_assets(node_modules: Path, static: Path) -> None:
    """Fill `static/vendor` from the installed packages, with their licences; safe to repeat.

    Raises FileNotFoundError naming the file when a package or an icon is missing.
    """
    vendor = static / "vendor"
    vendor.mkdir(parents=True, exist_ok=True)
    for name, source in _VENDOR_FILES.items():
        shutil.copyfile(node_modules / source, vendor / name)
    for package, text in _LICENSES.items():
        name = package.strip("@").replace("/", "-")
        shutil.copyfile(node_modules / package / text, vendor / f"{name}.LICENSE")
    (vendor / "icons.svg").write_text(icon_sprite(node_modules / "@tabler/icons/icons/outline"), "utf-8")


def icon_sprite(outlines: Path) -> str:
    """One SVG document with a symbol per icon, to be used by `<use href="icons.svg#name">`."""
    symbols = []
    for name in ICONS:
        drawing = (outlines / f"{name}.svg").read_text("utf-8")
        shapes = re.findall(r"<(?:path|circle|rect|line|polyline|ellipse)\b[^>]*/>", drawing)
        inner = "".join(shape for shape in shapes if 'stroke="none"' not in shape)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


def compile_translations(translations: Path) -> list[Path]:
    """Compile every messages.po below `translations` to the .mo beside it; gives the files written."""
    written = []
    for source in sorted(translations.glob("*/LC_MESSAGES/messages.po")):
        with source.open("rb") as text:
            catalog = read_po(text, locale=source.parents[1].name)
        target = source.with_suffix(".mo")
        with target.open("wb") as binary:
            write_mo(binary, catalog)
        written.append(target)
    return written


def main(arguments: list[str]) -> int:
    """Install into the package: optional argument node_modules, default beside the package."""
    package = Path(__file__).resolve().parent
    node_modules = Path(arguments[0]) if arguments else package.parent / "node_modules"
    try:
        install_assets(node_modules, package / "static")
    except FileNotFoundError as missing:
        sys.stderr.write(f"{missing.filename} is missing: run `npm ci --ignore-scripts` first.\n")
        return 1
    compile_translations(package / "translations")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
