"""What agents say: scripts in Markdown, owned by the strategy team, found, checked and filled here.

A leaf: it knows nothing of the rest of the product.
"""

from scripts_library.catalog import Catalog, Match, MatchCode, ScriptChoice, load_catalog
from scripts_library.facts import PLACEHOLDERS, Placeholder, sample_facts
from scripts_library.lint import lint, lint_command
from scripts_library.model import (
    CALLBACK_NODE,
    CLOSE,
    WORKS_NODE,
    Finding,
    MissingPlaceholder,
    Script,
    ScriptLibraryError,
    UnknownScript,
)
from scripts_library.rendering import Branch, Node, Objection, RenderedScript, render

__all__ = [
    "CALLBACK_NODE",
    "CLOSE",
    "PLACEHOLDERS",
    "WORKS_NODE",
    "Branch",
    "Catalog",
    "Finding",
    "Match",
    "MatchCode",
    "MissingPlaceholder",
    "Node",
    "Objection",
    "Placeholder",
    "RenderedScript",
    "Script",
    "ScriptChoice",
    "ScriptLibraryError",
    "UnknownScript",
    "lint",
    "lint_command",
    "load_catalog",
    "render",
    "sample_facts",
]
