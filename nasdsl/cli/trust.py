"""`nasdsl trust FILE`: from now on this file may bring in the Python that it names."""

from __future__ import annotations

import argparse

from nasdsl.language.importing import resolve
from nasdsl.language.parser import parse
from nasdsl.language.textfile import read_text
from nasdsl.language.trusting import folder_of, module_file, remember


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .space file whose author you trust")


def run(options: argparse.Namespace) -> int:
    file = resolve(parse(read_text(options.file), options.file))
    modules = remember(file)
    if not modules:
        print(f"{options.file} uses no Python")
        return 0
    for module in modules:
        print(f"trusted: {module} ({module_file(module, folder_of(file, module))})")
    print("until this file or one of its modules changes")
    return 0
