"""A plan as plain Python source that needs torch and nothing else.

The module that the text defines has the parameter names of the run-time graph, so that both read the
same file of weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from compiler.build import Copies, recipes
from compiler.builders import helper_source
from compiler.names import attribute_names
from compiler.plan import INPUT, Node, Plan
from compiler.predicting import (
    Bending,
    Scaling,
    bending_constants,
    columns_constant,
    predict_source,
    scaling_constants,
)
from nasdsl.language.shapes import LAYOUTS


@dataclass(frozen=True, slots=True)
class Facts:
    """What a reader of an exported network should know beside its structure.

    title: one line. classes: their names, in the order of the scores. inputs, outputs: how the data that it was
    trained on were standardized, where they were. has_data: whether it was trained on data at all; then
    the file has a `predict` for raw samples. columns: those of a table, in order, with the texts that each of them
    holds, None for numbers; then `predict` takes rows as they stand in the table. knots: of inputs that were prepared
    by ranks.
    """

    title: str = "A network found by nasdsl."
    classes: tuple[str, ...] = ()
    inputs: Mapping[str, Scaling] = field(default_factory=dict)
    outputs: Mapping[str, Scaling] = field(default_factory=dict)
    has_data: bool = False
    columns: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    knots: Mapping[str, Bending] = field(default_factory=dict)


def python_source(plan: Plan, facts: Facts, weights: str) -> str:
    """The text of a standalone module; `weights` is the name of the file beside it that `load` reads."""
    made = recipes(plan)
    helpers = helper_source(name for recipe in made.values() for name in recipe.helpers())
    imports = ["from pathlib import Path\n", "import torch"]
    imports += ["import torch.nn.functional as F"] if "F." in helpers else []
    imports += ["from torch import Tensor, nn"]
    sections = [
        _docstring(plan, facts, weights) + "\n\n" + "\n".join(imports),
        _constants(plan, facts),
        *([helpers.rstrip()] if helpers else []),
        *bodies_source(plan).values(),
        _network(plan, "Network"),
        _load(weights),
        *([_predict(plan, facts)] if facts.has_data else []),
        _main(plan),
    ]
    return "\n\n\n".join(sections) + "\n"


def _predict(plan: Plan, facts: Facts) -> str:
    maps = any(node.name in plan.outputs.values() and len(node.shape) > 1 for node in plan.nodes)
    return predict_source(plan, bool(facts.classes), bool(facts.columns), bool(facts.knots), maps)


def _docstring(plan: Plan, facts: Facts, weights: str) -> str:
    nodes = {node.name: node for node in plan.nodes}
    lines = [facts.title, ""]
    for name in plan.inputs:
        lines.append(f"Input {name}: {_axes(nodes[name])}, {_dtype(nodes[name])}")
    for name, source in plan.outputs.items():
        lines.append(f"Output {name}: {_axes(nodes[source])}")
    lines.append(f"Parameters: {plan.merged_params:,}; multiply-accumulates per sample: {plan.macs:,}")
    if facts.classes:
        lines.append("The output has one score per class, in the order of CLASSES.")
    lines += ["", f"`load()` reads the weights from {weights}, which belongs beside this file."]
    if facts.has_data:
        lines.append(
            "`predict(samples)` takes raw samples; the network itself takes what `standardized` gives."
        )
    text = "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{text}\n"""'


def _axes(node: Node) -> str:
    names = LAYOUTS[node.layout]
    return f"(batch, {', '.join(f'{n} {size}' for n, size in zip(names, node.shape, strict=True))})"


def _constants(plan: Plan, facts: Facts) -> str:
    lines = [f"INPUTS = {dict(plan.inputs)!r}  # shapes without the batch axis"]
    if facts.classes:
        lines.append(f"CLASSES = {facts.classes!r}")
    if facts.has_data:
        lines += scaling_constants(facts.inputs, facts.outputs)
    if facts.columns:
        lines += columns_constant(facts.columns)
    if facts.knots:
        lines += bending_constants(facts.knots)
    return "\n".join(lines)


def bodies_source(plan: Plan) -> dict[str, str]:
    """The classes of the bodies of a plan by name, each after those that it uses."""
    classes: dict[str, str] = {}
    for recipe in recipes(plan).values():
        for item in recipe.ingredients():
            if isinstance(item, Copies):
                classes |= bodies_source(item.plan)
                classes[item.class_name()] = _network(item.plan, item.class_name())
    return classes


def _network(plan: Plan, class_name: str) -> str:
    modules = {name: recipe.source() for name, recipe in recipes(plan).items()}
    names = attribute_names(plan)
    arguments = ", ".join(f"{names[name]}: Tensor" for name in plan.inputs)
    result = "dict[str, Tensor]" if len(plan.outputs) > 1 else "Tensor"
    lines = [
        f"class {class_name}(nn.Module):",
        "    def __init__(self) -> None:",
        "        super().__init__()",
    ]
    lines += [f"        self.{name} = {source}" for name, source in modules.items()]
    lines += ["", f"    def forward(self, {arguments}) -> {result}:"]
    lines += [f"        {line}" for line in _forward(plan, names)]
    return "\n".join(lines)


def _forward(plan: Plan, names: Mapping[str, str]) -> list[str]:
    """The statements of `forward`. A value that only the next statement reads is called `x`."""
    variables = _variables(plan, names)
    lines = []
    for node in plan.nodes:
        if node.op != INPUT:
            arguments = ", ".join(variables[name] for name in node.inputs)
            module = names[node.shares or node.name]
            lines.append(f"{variables[node.name]} = self.{module}({arguments})")
    results = {name: variables[source] for name, source in plan.outputs.items()}
    if len(results) > 1:
        pairs = ", ".join(f'"{name}": {variable}' for name, variable in results.items())
        return [*lines, f"return {{{pairs}}}"]
    return [*lines, f"return {next(iter(results.values()))}"]


def _variables(plan: Plan, names: Mapping[str, str]) -> dict[str, str]:
    flowing = "x"
    while flowing in names.values():
        flowing += "_"
    readers: dict[str, set[int]] = {node.name: set() for node in plan.nodes}
    for place, node in enumerate(plan.nodes):
        for name in node.inputs:
            readers[name].add(place)
    for source in plan.outputs.values():
        readers[source].add(len(plan.nodes))
    return {
        node.name: flowing if node.op != INPUT and readers[node.name] == {place + 1} else names[node.name]
        for place, node in enumerate(plan.nodes)
    }


def _load(weights: str) -> str:
    return f'''def load(weights: str | Path = Path(__file__).with_name({weights!r})) -> Network:
    """The trained network, ready to be applied."""
    network = Network()
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return network.eval()'''


def _main(plan: Plan) -> str:
    """A first run on zeros, which shows that file and weights fit."""
    nodes = {node.name: node for node in plan.nodes}
    samples = ", ".join(
        f"torch.zeros(1, *INPUTS[{name!r}]{', dtype=torch.long' if nodes[name].layout == 'index' else ''})"
        for name in plan.inputs
    )
    return f"""if __name__ == "__main__":
    with torch.no_grad():
        print(load()({samples}))"""


def _dtype(node: Node) -> str:
    return "integers" if node.layout == "index" else "float32"
