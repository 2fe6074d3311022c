"""Runs notebooks top to bottom, each in a fresh Jupyter kernel, and shows what came out.

    python tools/lessons.py               run the lessons, print the table
    python tools/lessons.py --save        run every notebook and store its outputs in it

The last code cell of a lesson prints its headline in one line; the table reads it from the run.
"""
import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from pixelsim.course.lessons import lesson_paths, lessons, notebook_paths
from tqdm import tqdm

NBS = Path(__file__).parents[1] / "nbs"
OFFLINE = Path(__file__).parent / "offline"
KERNEL = ["--log-level=ERROR", "--InlineBackend.figure_format=retina"]  # pictures that are crisp on every screen
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_TEXT = "Run this cell in Jupyter and a slider appears here."
WIDGET_SHOWED = WIDGET_TEXT + " What it shows at first:"
FORM_TEXT = "Run this cell in Jupyter, and you can choose a file here."


def code_cells(nb): return [cell for cell in nb.cells if cell.cell_type == "code"]


def folded_code(nb):
    "The Python blocks that the Markdown cells hold, those in folded solutions among them, in order."
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)


class LessonError(Exception):
    "A notebook that did not run to its end: which one, which cell, and why."


def run(path, *, offline=False, extra=(), on_cell=lambda: None):
    """The notebook at `path` as it comes out of a fresh kernel; what is stored in the file is not used.

    `extra` is more code to run at the end, in cells that are not kept. Raises `LessonError`."""
    nb = nbformat.read(path, as_version=4)
    own = len(nb.cells)
    for cell in code_cells(nb): cell.outputs, cell.execution_count = [], None
    nb.cells += [nbformat.v4.new_code_cell(code) for code in extra]
    env = os.environ | {"TQDM_DISABLE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # what is stored does not depend on how long things took; and no warning of the debugger
    if offline: env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), env.get("PYTHONPATH")]))
    started = []
    def where():
        if not started: return "before its first cell"
        return f"cell {started[-1] + 1} of {own}" if started[-1] < own else f"code in a solution:\n{nb.cells[started[-1]].source}\n"
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(nb, kernel_name="python3", extra_arguments=KERNEL, timeout=300,
                                shutdown_kernel="immediate",  # there is nothing to save, and one that loaded torch takes seconds to go by itself
                                resources={"metadata": {"path": str(path.parent)}},
                                on_cell_start=lambda cell_index, **_: started.append(cell_index),
                                on_cell_executed=lambda **_: on_cell())
        kernel = client.create_kernel_manager()
        if os.name != "nt":  # talk through files: of ports five would be picked that are free, and until the kernel takes them another one, or a browser, may
            kernel.transport, kernel.connection_file = "ipc", os.path.join(folder, "kernel.json")
        try: client.execute(env=env)
        except (CellExecutionError, CellTimeoutError, RuntimeError) as error:  # the last: the kernel has died, or did not come up
            why = f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else str(error).strip()
            raise LessonError(f"{os.path.relpath(path, NBS.parent)}, {where()}: {why}") from error
    nb.cells = nb.cells[:own]
    return nb


def joined(outputs):
    """The outputs of a cell, in which pieces of one stream that follow each other are one.

    (nbclient's `coalesce_streams` puts what was printed after a picture in front of it.)"""
    kept = []
    for out in outputs:
        if kept and out.output_type == kept[-1].output_type == "stream" and out.name == kept[-1].name: kept[-1].text += out.text
        else: kept.append(out)
    return kept


def shown_inside(state, model_id):
    "What the outputs of the widget `model_id` and of those inside it show, in order; `state` has the state of every widget."
    own = state.get(model_id, {}).get("state", {})
    inside = [child.removeprefix("IPY_MODEL_") for child in own.get("children", [])]
    return [nbformat.from_dict(o) for o in own.get("outputs", [])] + [o for child in inside for o in shown_inside(state, child)]


def without_kernel(out, state):
    "The outputs that show a reader without a kernel what `out` shows: itself, or for a live widget what stands in for it."
    if WIDGET not in out.get("data", {}): return [out]
    model_id = out.data.pop(WIDGET)["model_id"]
    if "text/html" in out.data: return [out]  # it brought what a page needs
    outputs = shown_inside(state, model_id)
    says = WIDGET_SHOWED if outputs else FORM_TEXT if re.search("FileUpload|App", out.data.get("text/plain", "")) else WIDGET_TEXT
    return [nbformat.v4.new_output("display_data", {"text/markdown": f"*{says}*", "text/plain": says}), *outputs]


def settle(nb):
    """Make the outputs independent of the run, and of a kernel.

    A live widget, which has a new identity each time, gives way to the page that it brought (an anywidget of ours), or to a sentence and what it
    showed; the state that belongs to these identities is dropped. What was printed in pieces, as a busy kernel sends it, becomes one piece."""
    widgets = nb.metadata.pop("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    for cell in code_cells(nb): cell.outputs = joined([kept for out in cell.outputs for kept in without_kernel(out, widgets)])
    return nb


def headline(nb):
    "What the notebook says of itself: the line that its last code cell prints."
    text = "".join(o.text for o in code_cells(nb)[-1].outputs if o.output_type == "stream" and o.name == "stdout")
    return text.strip()


def save(nb, path):
    "Store the outputs of the run `nb` in the file at `path`, clean of everything that differs between runs."
    from nbdev.clean import clean_nb
    from nbdev.config import get_config
    from pixelsim.safe_write import write_whole
    nb, config = settle(nb), get_config()
    clean_nb(nb, **{kind: config[kind] for kind in ("allowed_cell_metadata_keys", "allowed_out_metadata_keys")})
    write_whole(path, (nbformat.writes(nb) + "\n").encode())


def write_openings():
    "Below the title of each lesson: its number among all, and its minutes, from the one list of lessons."
    for about in lessons():
        nb = nbformat.read(path := lesson_paths()[about.name], as_version=4)
        cell = [cell for cell in nb.cells if cell.cell_type == "markdown"][1]
        source = re.sub(r"\A\*\*[^*]*? · about \d+ minutes(?:, and \d+ for exercises and quiz)?", f"**{about.opening}", cell.source)
        if source == cell.source: continue
        cell.source = source
        save(nb, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", nargs="*", type=Path, help="the notebooks to run (default: the lessons)")
    parser.add_argument("--save", action="store_true", help="store the outputs in the notebooks (default: every notebook)")
    args = parser.parse_args()
    paths = [p.resolve() for p in args.notebook] or [*(notebook_paths() if args.save else lesson_paths()).values()]
    if args.save: write_openings()
    from pixelsim.fastai_folder import mnist_sample_folder
    mnist_sample_folder()  # made here, with its own progress bar, so that no lesson has to wait for it
    rows = []
    with tqdm(total=sum(len(code_cells(nbformat.read(p, as_version=4))) for p in paths), unit=" cells", leave=False, disable=None) as bar:
        for path in paths:
            bar.set_description(path.stem)
            start = time.monotonic()
            try: nb = run(path, on_cell=bar.update)
            except LessonError as error:
                bar.close()
                sys.exit(f"\nA lesson failed: {error}")
            if args.save: save(nb, path)
            rows.append((path.stem, headline(nb), f"{time.monotonic() - start:.0f}"))
    wide, wider = (max(len(row[i]) for row in [*rows, ("lesson", "what it showed")]) for i in (0, 1))
    print(f"{'lesson':{wide}}  {'what it showed':{wider}}  seconds\n{'─' * wide}  {'─' * wider}  ───────")
    for name, showed, seconds in rows: print(f"{name:{wide}}  {showed:{wider}}  {seconds:>7}")


if __name__ == "__main__": main()
