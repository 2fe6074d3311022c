"Sphinx's settings for the site; tools/docs.py puts this file beside the pages."
import sys
from importlib.metadata import metadata
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

sys.path.insert(0, str(Path(__file__).parent))  # where `words` is
project = metadata("pixelsim")["Name"]
html_title = project

extensions = ["myst_nb", "sphinx_copybutton", "sphinx.ext.githubpages", "words"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # the outputs are those that the notebooks hold
nb_merge_streams = True
nb_render_markdown_format = "myst"
nb_ipywidgets_js = {}      # would come from another host
nb_code_prompt_show = "Show the source"
nb_code_prompt_hide = "Hide the source"
html_math_renderer = "mathml"

html_theme = "furo"
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#0b5cad", "color-brand-content": "#0b5cad", "color-brand-visited": "#6b3fa0", "color-rule": "#cbd5e1"},
    "dark_css_variables": {"color-brand-primary": "#7cb8f7", "color-brand-content": "#7cb8f7", "color-brand-visited": "#c4a7f0", "color-rule": "#3f4a5a"},
}
html_static_path = ["_static"]
html_extra_path = ["extra"]
html_css_files = ["site.css", "widgets.css"]
html_js_files = ["site.js", "widgets.js"]
html_favicon = "favicon.svg"
html_copy_source = False
html_use_index = False
html_show_search_summary = False  # it would be fetched, which browsers refuse on a page opened from the disk
html_show_sphinx = False
html_show_copyright = False
pygments_style = "github-light-high-contrast"
pygments_dark_style = "github-dark-high-contrast"
copybutton_selector = "div.cell_input pre, div.highlight-sh pre, div.highlight-markdown pre"


def math(block):
    "Writes an equation as MathML, which browsers lay out themselves: no script, no font, and screen readers read it."
    def visit(translator, node):
        translator.body.append(tex2mathml(node.astext(), as_block=block))
        raise nodes.SkipNode
    return visit, None


def captions(app, pagename, templatename, context, doctree):
    "Sphinx says that the captions of the sidebar are headings, but not of which level; a screen reader needs to know."
    if tree := context.get("furo_navigation_tree"): context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app):
    app.add_html_math_renderer("mathml", math(block=False), math(block=True))
    app.connect("html-page-context", captions, priority=900)  # after Furo has made its tree
