"""What people write who come from Python, YAML or another system, and how it is said here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

# Names of PyTorch, Keras, NNI, Optuna and scikit-learn, in small letters without `_` and `nn.`, and ours.
NAMES: Mapping[str, tuple[str, ...]] = {
    "dense": ("linear",),
    "fc": ("linear",),
    "fullyconnected": ("linear",),
    "conv": ("conv2d", "conv1d"),
    "convolution": ("conv2d",),
    "sepconv": ("separable_conv2d",),
    "factorizedconv": ("factorized_conv2d",),
    "dwconv": ("depthwise_conv2d",),
    "convtranspose2d": ("conv2d_transpose",),
    "convtranspose1d": ("conv1d_transpose",),
    "deconv": ("conv2d_transpose",),
    "deconvolution": ("conv2d_transpose",),
    "transposedconvolution": ("conv2d_transpose",),
    "maxpooling2d": ("max_pool",),
    "maxpool2d": ("max_pool",),
    "maxpool": ("max_pool",),
    "averagepooling2d": ("avg_pool",),
    "avgpool2d": ("avg_pool",),
    "avgpool": ("avg_pool",),
    "globalaveragepooling2d": ("global_avg_pool",),
    "gap": ("global_avg_pool",),
    "adaptiveavgpool2d": ("global_avg_pool",),
    "batchnormalization": ("batch_norm",),
    "batchnorm": ("batch_norm",),
    "batchnorm2d": ("batch_norm",),
    "bn": ("batch_norm",),
    "layernormalization": ("layer_norm",),
    "multiheadattention": ("attention",),
    "selfattention": ("attention",),
    "swish": ("silu",),
    "skip": ("identity", "residual"),
    "skipconnect": ("identity",),
    "none": ("zero",),
    "noop": ("identity",),
    "kernelsize": ("kernel",),
    "ksize": ("kernel",),
    "poolsize": ("window",),
    "outchannels": ("filters",),
    "channels": ("filters",),
    "units": ("width",),
    "outfeatures": ("width",),
    "hiddensize": ("width", "hidden"),
    "numheads": ("heads",),
    "nheads": ("heads",),
    "p": ("rate",),
    "prob": ("rate",),
    "learningrate": ("lr",),
    "initlr": ("lr",),
    "wd": ("weight_decay",),
    "bs": ("batch_size",),
    "batch": ("batch_size",),
    "nepochs": ("epochs",),
    "maxepochs": ("epochs",),
    "scheduler": ("schedule",),
    "lrscheduler": ("schedule",),
    "opt": ("optimizer",),
    "gradclip": ("clip",),
    "gradientclipping": ("clip",),
    "cosineannealing": ("cosine",),
    "cosineannealinglr": ("cosine",),
    "reducelronplateau": ("plateau",),
    "crossentropyloss": ("cross_entropy",),
    "bce": ("cross_entropy",),
    "mseloss": ("mse",),
    "l1": ("mae",),
    "numparams": ("params",),
    "parameters": ("params",),
    "flops": ("macs",),
    "acc": ("accuracy",),
    "valacc": ("accuracy",),
    "validationaccuracy": ("accuracy",),
    "valloss": ("loss",),
    "true": ("yes",),
    "false": ("no",),
    "on": ("yes",),
    "off": ("no",),
}

_CHOICE = "a choice is written with bars, without a call: `16 | 32 | 64`"
_RANGE = "a range is written `16..64`; `16..64 step 16` leaves some out"
_LOG = "a range on a log scale is written `1e-4..1e-1 log`"
_REPEAT = "a repeat is written `repeat 1..4 { … }`, with its number `repeat i in 1..4 { … }`"
_SEQUENCE = "operations follow one another in `{ … }`, each on a line of its own"
# Calls of other systems that this language writes without one.
CALLS: Mapping[str, str] = {
    "choice": _CHOICE,
    "valuechoice": _CHOICE,
    "layerchoice": "a choice is written with bars, without a call: `conv2d(16) | max_pool(2)`",
    "categorical": _CHOICE,
    "suggestcategorical": _CHOICE,
    "uniform": "a range is written `0.1..0.5`",
    "quniform": _RANGE,
    "randint": _RANGE,
    "range": _RANGE,
    "int": _RANGE,
    "integer": _RANGE,
    "suggestint": _RANGE,
    "float": "a range is written `0.1..0.5`",
    "suggestfloat": "a range is written `0.1..0.5`",
    "loguniform": _LOG,
    "suggestloguniform": _LOG,
    "sequential": _SEQUENCE,
    "modulelist": _SEQUENCE,
    "log": _LOG,
    "softmax": "losses take what `linear(outputs)` gives: leave it out",
    "logsoftmax": "losses take what `linear(outputs)` gives: leave it out",
    "print": "a space prints nothing; `nasdsl show` shows it",
}
# Arguments of calls elsewhere that are no arguments here.
ARGUMENTS: Mapping[str, str] = {
    "activation": "put it on the next line, or after a `;`: `relu`",
    "act": "put it on the next line, or after a `;`: `relu`",
    "inputshape": "the shapes of the data are known: leave it out",
    "inputdim": "the shapes of the data are known: leave it out",
    "inchannels": "what comes in is known: leave it out",
    "infeatures": "what comes in is known: leave it out",
    "name": "a label stands before: `stem: conv2d(16)`",
}
# Signs between operations, and what is meant by them.
SIGNS: Mapping[str, str] = {
    "*": "a repeat is written `repeat 3 { … }`",
    "+": "what a body adds to its input is written `residual { … }`",
    "or": "alternatives are written with bars: `conv2d(16) | max_pool(2)`",
    "and": "operations follow one another, each on a line of its own",
}
# Words that begin a statement elsewhere.
_STARTS: Mapping[str, str] = {
    "for": _REPEAT,
    "while": _REPEAT,
    "loop": _REPEAT,
    "elif": "write `} else if … {`",
    "def": "a part is named by `block NAME(width) { … }`",
    "class": "a part is named by `block NAME(width) { … }`",
    "function": "a part is named by `block NAME(width) { … }`",
    "module": "a part is named by `block NAME(width) { … }`",
    "return": "a body gives what its last operation gives: leave `return` out",
    "var": "a value is named by `let NAME = …`",
    "const": "a value is named by `let NAME = …`",
    "search_space": "the network stands in `network { … }`, its training in `train { … }`",
    "model": "the network stands in `network { … }`, its training in `train { … }`",
    "training": "how to train stands in `train { … }`",
    "dataset": "the data stand in the line of the task: `task classification on digits`",
    "constraint": "what must hold is written `require params <= 500k`",
    "constraints": "what must hold is written `require params <= 500k`",
    "objective": "what is to be good is written `maximize accuracy`",
    "from": 'other files are read by `import "blocks.space"`',
    "name": "a file names its space by `space NAME`",
}
# Characters of other languages and of word processors.
CHARACTERS: Mapping[str, str] = {
    "'": 'a text stands in double quotes: `"…"`',
    "“": 'a text stands in straight quotes: `"…"`',
    "”": 'a text stands in straight quotes: `"…"`',
    "&": "write `and`",
    "!": "write `not`, or `!=`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "×": "write `*`",
    "−": "write `-`",
    "–": "write `-`, or `..` for a range",
    "…": "a range has two dots: `1..4`",
    "→": _SEQUENCE,
    "\\": "a line goes on inside brackets and after an operator: leave the `\\` out",
    "$": "names stand as they are: leave the `$` out",
}

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_WITH_BODIES = ("residual", "parallel", "dag", "cell", "augment", "frozen", "permute", "repeat")


class _Token(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...


def plain(name: str) -> str:
    """A name as the keys here are written."""
    return name.lower().rsplit(".", 1)[-1].replace("_", "")


def begins(word: str) -> str:
    """How to say what a word begins elsewhere, or nothing."""
    return _STARTS.get(word.lower(), "")


def habit(tokens: Sequence[_Token], at: int) -> str:
    """How to say here what stands at a token that cannot stand there, or nothing."""
    text, before = tokens[at].text, tokens[at - 1]
    head = tokens[0].text
    first = _first_of_line(tokens, at)
    line = [token.text for token in tokens[first:at]]
    if (found := begins(tokens[first].text)) and first < at:
        return found
    if text == "[" or before.text == "[":
        return "a list of values is a choice: `16 | 32 | 64`; a list of operations is a body `{ a; b }`"
    if text == before.text == "*":
        return "a power is written `2^3`"
    if (
        text == "//"
        or (text == "/" and before.text in ("/", "\n", "{"))
        or (text == "*" and before.text == "/")
    ):
        return "a comment begins with `#`"
    if any(token.text == "//" for token in tokens[first:at]) and tokens[at].kind == "NAME" == before.kind:
        return "a comment begins with `#`"
    if (before.text, text) in (("-", ">"), ("=", ">"), (">", ">")):
        return _SEQUENCE
    if text == ":":
        return _colon(tokens[first].text, before)
    if text == ",":
        return _comma(line, before)
    if head == "network" and "{" not in [token.text for token in tokens[:at]] and text in ("(", ";"):
        return "the body of a network stands in braces: `network { … }`"
    if text == "(":
        return _parenthesis(before)
    if text == "=" and (head in ("require", "if") or tokens[first].text in ("if", "else")):
        return "a comparison is written `==`; also `!=`, `<`, `<=`, `>`, `>=`"
    if before.text == ":" and at > 1 and text == "\n":
        return "a body stands in braces, not after a `:`: `{ … }`"
    if text in ("to", "through", "until") and before.kind == "NUMBER":
        return "a range is written `1..4`"
    if text == "." and before.text == "..":
        return "a range has two dots: `1..4`"
    if text == ".." and ".." in line:
        return "a range with steps is written `16..64 step 8`"
    if text in _COMPARISONS and any(one in _COMPARISONS for one in line):
        return "two comparisons are joined by `and`: `100 <= params and params <= 500k`"
    if text in ("k", "K", "M", "G") and before.kind == "NUMBER":
        return f"a unit stands right behind its number: `{before.text}{text}`"
    if text == "=" and line[-2:-1] == ["repeat"]:
        return f"the number of a copy is named by `in`: `repeat {before.text} in 1..4 {{ … }}`"
    if text == "=" and head == "block":
        return "a block has a body: `block conv(width) { … }`"
    return _missing(tokens[at], before, line)


def _missing(token: _Token, before: _Token, line: Sequence[str]) -> str:
    """What has been left out before a token."""
    if token.kind not in ("NAME", "NUMBER", "STRING"):
        return ""
    if before.text in _WITH_BODIES or (line and line[0] in ("repeat", "if", "permute", "network", "train")):
        return f"a body stands in braces: `{' '.join(line)} {{ {token.text} … }}`".replace(" .. ", "..")
    return ""


def _comma(line: Sequence[str], before: _Token) -> str:
    if line and line[0] in ("maximize", "minimize", "require"):
        return f"each has a line of its own: `{line[0]} {before.text}`, then the next"
    if "=" in line and before.kind in ("NUMBER", "STRING") and "(" not in line:
        return (
            "alternatives are written with bars, `32 | 64 | 128`; settings are parted by a new line or a `;`"
        )
    if line.count("(") > line.count(")") and before.kind in ("NUMBER", "STRING", "NAME"):
        return "in `( )` around a value stands one value; a kernel, a stride or a window is one number for all axes"
    return ""


def _parenthesis(before: _Token) -> str:
    if before.text in ("permute", "pick", "repeat", "network", "train", "if"):
        return f"a body stands in braces: `{before.text} … {{ … }}`"
    return _SEQUENCE if before.text == ")" else ""


def _colon(head: str, before: _Token) -> str:
    if before.text == head == "task":
        return "write `task classification on digits`, without `:`"
    if before.text == head:
        return (
            f"leave the `:` out: `{head} …`"
            if head in ("space", "import", "require")
            else f"write `{head} {{ … }}`"
        )
    if head == "let":
        return f"a value stands after `=`: `let {before.text} = …`"
    return "a body stands in braces, a value after `=`" if before.text in (")", "]") else ""


def _first_of_line(tokens: Sequence[_Token], at: int) -> int:
    """The token with which the statement of `at` begins."""
    first = at
    while first > 0 and tokens[first - 1].kind not in ("SEP", "OPEN", "CALL_OPEN", "}"):
        first -= 1
    return first
