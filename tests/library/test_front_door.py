"The front door: `from pixelsim import …` gives what most people need, and importing the package alone costs nothing."

import pytest

import pixelsim

LIGHT = """
import sys
import pixelsim
assert pixelsim.__version__
heavy = {"torch", "numpy", "matplotlib", "PIL", "tqdm", "fastcore", "sympy"}
assert not heavy & {*sys.modules}, heavy & {*sys.modules}
from pixelsim import PixelSimilarity, load_folder, load_mnist, read_image
assert "torch" in sys.modules and not {"matplotlib", "sympy", "IPython", "pandas"} & {*sys.modules}
print(PixelSimilarity.__module__, load_folder.__module__, load_mnist.__module__, read_image.__module__)
"""


def test_a_light_import_and_four_names(run_python):
    "Neither torch nor Matplotlib is loaded until a name is asked for, and Matplotlib not even then."
    assert run_python(LIGHT).stdout.split() == [f"pixelsim.{m}" for m in ("classifier", "image_files", "digits", "image_files")]


def test_what_is_behind_it():
    "Star import, dir and tab completion name the four; what is not there is an AttributeError, and submodules are found as ever."
    named = {}
    exec("from pixelsim import *", named)
    four = {"PixelSimilarity", "load_mnist", "load_folder", "read_image"}
    assert {*named} - {"__builtins__"} == {*pixelsim.__all__} == four <= {*dir(pixelsim)}
    from pixelsim.classifier import PixelSimilarity
    assert pixelsim.PixelSimilarity is PixelSimilarity
    with pytest.raises(AttributeError, match="module 'pixelsim' has no attribute 'predict'"): pixelsim.predict
    with pytest.raises(ImportError, match="predict"): exec("from pixelsim import predict")
    exec("from pixelsim import messages")


@pytest.mark.parametrize("module", ["pixelsim", "pixelsim.cli"])
def test_the_command_as_a_module(run_python, module):
    "python -m pixelsim, and -m pixelsim.cli, are the command: what it prints, and its exit status."
    as_module = "import runpy, sys\nsys.argv[1:] = sys.argv[2:]\nrunpy.run_module({!r}, run_name='__main__', alter_sys=True)".format(module)
    assert run_python(as_module, "-", "--version").stdout == f"pixelsim {pixelsim.__version__}\n"
    done = run_python(as_module, "-", "predict", "none.png", check=False)
    assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith("pixelsim: there is no file at none.png")


def test_the_library_offers_users_no_tools_of_its_own():
    "`pixelsim.all` has what users need; the helpers of its modules are imported by name by those that need them."
    from pixelsim import all as everything
    inside = {"checked_size", "resized", "has_bright_border", "read_all", "digits_bundle", "mnist_split", "layout_contents",
              "fastai_config", "missing_files", "SAMPLE_LAYOUT", "mostly_bright", "composed", "refusal", "progress"}
    offered = {*pixelsim.__all__, "as_images", "ImageSet", "mnist_folder", "Table", "show_image"}
    assert not inside & {*everything.__all__} and offered <= {*everything.__all__}
