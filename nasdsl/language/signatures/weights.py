"""What may stand for `weight = …` on a layer that has weights; methods.py says what each costs.

`a + b` puts several on one weight. Methods with frozen weights suit `pretrained { }`; what they add is trained
in `frozen { }` too.
"""

from __future__ import annotations

from nasdsl.language.network import Value
from nasdsl.language.signatures.signature import BOOL, Argument, Signature, integer, name_of, real

_RANK = Argument("rank", integer(1), "rank of the factors, at most the smaller side of the matrix")
_RANK_GIVEN = Argument("rank", integer(1), "rank of the update", required=True)
_SCALE = Argument("scale", real(0, open_low=True), "factor on the update", 1.0)


def _row(name: str, doc: str, *arguments: Argument, positional: int = 1, source: str = "") -> Signature:
    positional = min(positional, len(arguments))
    return Signature(name, "weight", doc, arguments, positional=positional, source=source)


def _later(name: str, doc: str, *arguments: Argument, positional: int = 1) -> Signature:
    return Signature(name, "weight", doc, arguments, positional=min(positional, len(arguments)), later=True)


def _share(name: str, doc: str, default: Value) -> Argument:
    return Argument(name, real(0, 1), doc, default)


SIGNATURES = (
    _row("plain", "The weights themselves."),
    _row(
        "weight_norm",
        "Direction and length of each output apart, both trained.",
        source="Salimans & Kingma 2016, eq. 2",
    ),
    _row(
        "spectral_norm",
        "Divided by the largest singular value, followed by one power iteration per step.",
        source="Miyato et al. 2018, algorithm 1",
    ),
    _row("orthogonal", "Orthonormal rows or columns, whichever are fewer, by Householder reflections."),
    _row(
        "weight_standardized",
        "Mean 0 and variance 1 per output; wants a norm after the layer.",
        source="Qiao et al. 2019, eq. 5",
    ),
    _row(
        "weight_compander",
        "w = a arctan(v / b): bounded, and steepest at 0; a and b are learned at a tenth of the rate, without decay.",
        Argument("ratio", real(0, open_low=True), "slope a / b at 0 at the start", 1.5),
        Argument(
            "decay_on",
            name_of("none", "original", "effective"),
            "what weight decay pulls: nothing, v, or w",
            "none",
        ),
        source="Weight Compander 2023",
    ),
    _row(
        "low_rank",
        "A product of two thin factors, in place of the layer where that can be.",
        _RANK,
        Argument(
            "ratio", real(1), "in place of a rank: how many times fewer weights; 3 where neither is given"
        ),
        source="PELA 2024, section 3",
    ),
    _row(
        "nm_sparse",
        "At most n of every m weights along the inputs are not zero.",
        Argument("n", integer(1), "weights kept", 2),
        Argument("m", integer(2), "weights in a block", 4),
        Argument(
            "decay",
            name_of("mask", "structure", "ste"),
            "how the others fade: mask scales them to 0 in the middle of training; structure drops more "
            "with each of its stages; ste drops them at once and pulls them to 0",
            "mask",
        ),
        positional=2,
        source="Progressive Gradient Flow 2024; SR-STE, Zhou et al. 2021",
    ),
    _later(
        "pst_sparse",
        "Sparse, by scores of few parameters.",
        _share("sparsity", "share of zeros", 0.9),
        Argument("rank", integer(1), "rank of the scores", 8),
        positional=2,
    ),
    _row(
        "mask_tuned",
        "Frozen weights under a trained mask.",
        Argument("threshold", real(), "score above which a weight is kept; scores start at 0.01", 0.005),
        _share(
            "grad_dropout", "how often gradients that forget the whole network are dropped; 0: never", 0.0
        ),
        Argument(
            "select",
            real(0, 1, open_low=True),
            "share of weights that have a mask, those of least magnitude",
            1.0,
            shapes=True,  # of what the method keeps, so that it counts
        ),
        source="R-AMT 2023, section 3",
    ),
    _later("spectral", "Trained in the space of singular vectors and values.", _RANK),
    _row(
        "svfit",
        "Frozen weights whose largest singular values are trained.",
        _RANK_GIVEN,
        source="SVFit 2024",
    ),
    _row(
        "lora", "Frozen weights plus a trained low-rank update.", _RANK_GIVEN, _SCALE, source="Hu et al. 2021"
    ),
    _row(
        "lora_xs",
        "Frozen weights plus a trained square matrix between their singular vectors.",
        _RANK_GIVEN,
        _SCALE,
        source="LoRA-XS 2024",
    ),
    _row(
        "lora_sb",
        "lora_xs between the singular vectors of the first full update, which it takes itself.",
        _RANK_GIVEN,
        Argument("step", real(0, open_low=True), "size of the first update of each weight", 1e-3),
        source="LoRA-SB 2024",
    ),
    _later(
        "pego",
        "Several low-rank updates kept orthogonal.",
        Argument("groups", integer(1), "updates", 4),
        Argument("rank", integer(1), "rank of each", 4),
        positional=2,
    ),
    _later(
        "sara",
        "A rank chosen from the spectrum, then sparse.",
        _share("threshold", "share of the spectrum kept", 0.5),
    ),
    _row(
        "intrinsic",
        "Frozen weights plus a fixed random map of a few trained numbers, which all layers of the same d share.",
        Argument("d", integer(1), "how many numbers", required=True),
        Argument("said", BOOL, "whether each matrix has a trained scale, taken out of d", False),
        source="Aghajanyan et al. 2020, eq. 1 and 3",
    ),
)
