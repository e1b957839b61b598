"""The site's settings; what is made from models, ledgers and scripts is in `hebbarium_site`."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

_project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "Hebbarium"
author = "The Hebbarium developers"
copyright = author
release = version = _project["version"]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_design",
    "hebbarium_site",
]
exclude_patterns = ["notes/*"]  # they are parts of the pages of papers
html_math_renderer = "mathml"

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist", "attrs_inline"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600  # seconds of a cell: some compile a network
nb_execution_in_temp = True  # and leave a run
nb_execution_excludepatterns = [  # all notebooks are executed unless this names some: the tests of every day do
    f"notebooks/{file.stem}.ipynb"
    for file in (FOLDER.parent / "analysis" / "notebooks").glob("*.py")
    if file.stem not in os.environ.get("HEBBARIUM_NOTEBOOKS", file.stem).split()
]
nb_render_markdown_format = "myst"  # whose tables are tables
nb_merge_streams = True

suppress_warnings = ["ref.python"]  # a name that several modules share leads to one of them
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
maximum_signature_line_length = 90

html_theme = "pydata_sphinx_theme"
html_title = "Hebbarium"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars: dict[str, list[str]] = {"*": []}  # pages without others below them
html_theme_options = {
    "show_nav_level": 1,
    "navigation_depth": 2,
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
