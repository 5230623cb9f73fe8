"""A file stays below 320 lines and a function below 60, so that each can be read at one sitting."""

import ast

from tests.architecture.sources import PACKAGES, ROOT, python_files

MAX_FILE_LINES = 320
MAX_FUNCTION_LINES = 60


def test_files_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): path.read_text("utf-8").count("\n")
        for package in PACKAGES
        for path in python_files(package)
    }
    assert {name: length for name, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_functions_are_short() -> None:
    too_long = {}
    for package in PACKAGES:
        for path in python_files(package):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = (node.end_lineno or node.lineno) - node.lineno
                    if length > MAX_FUNCTION_LINES:
                        too_long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = length
    assert too_long == {}
