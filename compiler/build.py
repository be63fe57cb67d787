"""Plan -> torch.fx.GraphModule, node by node; no shape is guessed and nothing is traced."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import fx, nn

from compiler.builders import RECIPES, Recipe
from compiler.builders.recipe import make
from compiler.initial import initialise
from compiler.modules import factored
from compiler.names import attribute_names
from compiler.plan import INPUT, Node, Plan
from compiler.pretrained import refuse_experts_in_order, start_from_files
from compiler.weighing import weigh
from nasdsl.language.signatures.structure import copies_of
from nasdsl.language.signatures.weighing import PRETRAINED, factored_ranks

_CALL = re.compile(r"\bself\.(\w+)\(")
_LOSING = frozenset(
    {"widen", "gate"}
)  # modules that add to the loss at every call, and are told how many there are


def build(plan: Plan, seed: int | None = None, *, pretrained: bool = True) -> fx.GraphModule:
    """The network of a plan, on torch's default device, with torch's default initialisation
    unless the plan names another.

    It is called with one tensor per input of the plan, in order or by name, batch first, and returns
    a tensor, or a dict by name where the plan has several outputs. Weights are drawn from `seed`, which leaves
    torch's own generators as they were; without a seed they are drawn from those. Layers within `pretrained { }`
    start from their file, unless `pretrained` is False (their weights will be loaded anyway). Raises PretrainedError,
    and ValueError for the empty plan of a space without `network`.
    """
    if not plan.nodes:
        raise ValueError("the space has no `network { }`, so there is none to build")
    if pretrained:
        refuse_experts_in_order(plan)
    with _drawing_from(seed):
        made = recipes(plan, pretrained)
        modules = {name: recipe.build() for name, recipe in made.items()}
        initialise(plan, modules)
        if pretrained:
            _start_from_files(plan, made, modules)
        weigh(plan, modules)
    return fx.GraphModule(modules, _graph(plan), class_name="Network")


def _start_from_files(plan: Plan, made: dict[str, Recipe], modules: dict[str, nn.Module]) -> None:
    """Give pretrained layers their weights; those that are two for one are factored again, from the weights of one."""
    names = attribute_names(plan)
    started = {
        node.name: names[node.name] for node in plan.nodes if PRETRAINED in node.arguments and not node.shares
    }
    if not started:
        return
    for name in started.values():
        recipe = made[name]
        if recipe.target == "factored":
            whole, ranks = recipe.positional
            assert isinstance(whole, Recipe) and isinstance(ranks, tuple)
            modules[name] = whole.build()
    start_from_files(plan, {node: modules[name] for node, name in started.items()})
    for name in started.values():
        if made[name].target == "factored":
            ranks = made[name].positional[1]
            assert isinstance(ranks, tuple)
            modules[name] = factored(modules[name], tuple(map(int, ranks)))


def recipes(plan: Plan, pretrained: bool = True) -> dict[str, Recipe]:
    """Attribute name -> how to make the module that stands there, in the order of the nodes. Nodes that share
    weights are one module, under the name of the first. `pretrained`: whether experts start from their files."""
    names = attribute_names(plan)
    nodes = {node.name: node for node in plan.nodes}
    own = {
        names[node.name]: _recipe(node, nodes, pretrained)
        for node in plan.nodes
        if node.op != INPUT and not node.shares
    }
    calls = Counter(names[node.shares] for node in plan.nodes if node.shares)
    for node in plan.nodes:
        if node.shares:
            assert _recipe(node, nodes, pretrained) == own[names[node.shares]], (
                f"{node.name} cannot be {node.shares}"
            )
    for name in calls.keys() & {names[node.name] for node in plan.nodes if node.op in _LOSING}:
        own[name] = own[name].with_named(calls=calls[name] + 1)
    gates = [names[node.name] for node in plan.nodes if node.op == "gate" and not node.shares]
    for name in gates if len(gates) > 1 else ():
        own[name] = own[name].with_named(gates=len(gates))
    return own


def _recipe(node: Node, nodes: dict[str, Node], pretrained: bool) -> Recipe:
    inputs = tuple(nodes[name].output for name in node.inputs)
    recipe = RECIPES[node.op](node.arguments, inputs, node.output)
    if node.body is None:
        ranks = factored_ranks(node.op, node.arguments, inputs, node.output)
        return make("factored", recipe, ranks) if any(ranks) else recipe
    alike = node.arguments["route"] == "enforced"
    experts = Copies(node.body, copies_of(node.arguments), alike, pretrained)
    return recipe.with_named(experts=experts)


@dataclass(frozen=True)
class Copies:
    """Several copies of a body as an ingredient of a recipe; `alike` ones start with equal weights."""

    plan: Plan
    count: int
    alike: bool
    pretrained: bool

    def build(self) -> nn.ModuleList:
        first = self._one()
        others = (copy.deepcopy(first) if self.alike else self._one() for _ in range(self.count - 1))
        return nn.ModuleList([first, *others])

    def _one(self) -> nn.Module:
        return build(self.plan, pretrained=self.pretrained)

    def source(self) -> str:
        return f"nn.ModuleList({self.class_name()}() for _ in range({self.count}))"

    def helpers(self) -> tuple[str, ...]:
        return tuple(name for recipe in recipes(self.plan).values() for name in recipe.helpers())

    def class_name(self) -> str:
        """The name of the class that an exported file has for the body: bodies of one structure are one class."""
        return f"Expert_{self.plan.hash[:8]}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Copies) and recipes(self.plan) == recipes(other.plan)

    def __hash__(self) -> int:
        return hash((self.plan.hash, self.count))


def _graph(plan: Plan) -> fx.Graph:
    graph = fx.Graph()
    graph.on_generate_code(lambda _: _direct)
    names = attribute_names(plan)
    values: dict[str, fx.Node] = {}
    for node in plan.nodes:
        if node.op == INPUT:
            values[node.name] = graph.placeholder(names[node.name])
        else:
            arguments = tuple(values[name] for name in node.inputs)
            module, value = names[node.shares or node.name], names[node.name]
            values[node.name] = graph.create_node("call_module", module, arguments, name=value)
        values[node.name].meta["path"] = node.path
    outputs = {name: values[source] for name, source in plan.outputs.items()}
    graph.output(outputs if len(outputs) > 1 else next(iter(outputs.values())))
    return graph


def _direct(lines: list[str]) -> list[str]:
    """`self.relu(x)` goes through the slow `nn.Module.__getattr__`, which costs a small layer a tenth of its time."""
    return [_CALL.sub(r'self._modules["\1"](', "".join(lines))]


@contextmanager
def _drawing_from(seed: int | None) -> Iterator[None]:
    """Seeds the generators within, and puts their states back. CUDA is not woken for it."""
    if seed is None:
        yield
        return
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        if devices:
            torch.cuda.manual_seed_all(seed)
        yield
