"""What may stand in `train { }`: settings and their values, regularizers, augmentations.

A row of group "setting" has one argument, `value`, whose default holds where a space does not set it.
A default None means "decided by the task or by the other settings"; the text of the row says how.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from nasdsl.language.network import Spec, Value
from nasdsl.language.signatures.signature import (
    BOOL,
    Argument,
    Kind,
    Signature,
    call_of,
    integer,
    name_of,
    real,
)

_SHARE = real(0, 1)
_POSITIVE = real(0, open_low=True)
_RATE = replace(_POSITIVE, law=True)


def _spec(row: Signature) -> Spec:
    """The call of a row with nothing but defaults."""
    return Spec(row.name, MappingProxyType({a.name: a.default for a in row.arguments}))


def _setting(name: str, doc: str, kind: Kind, default: Value = None, later: bool = False) -> Signature:
    return Signature(name, "setting", doc, (Argument("value", kind, doc, default),), later=later)


def _row(group: str, name: str, doc: str, *arguments: Argument, positional: int = 1) -> Signature:
    return Signature(name, group, doc, arguments, positional=min(positional, len(arguments)))


def _later(group: str, name: str, doc: str, *arguments: Argument, body: bool = False) -> Signature:
    positional = min(1, len(arguments))
    return Signature(name, group, doc, arguments, positional=positional, body=body, later=True)


def _rate(default: float) -> Argument:
    return Argument("lr", _RATE, "learning rate at its highest", default)


def _decay(default: float) -> Argument:
    return Argument("weight_decay", real(0), "pull of the weights to zero", default)


_BETAS = (
    Argument("beta1", real(0, 1), "memory of the mean of gradients", 0.9),
    Argument("beta2", real(0, 1), "memory of their squares", 0.999),
)
_MOMENTUM = Argument("momentum", real(0, 1), "share of the last step that goes on", 0.0)
_NESTEROV = Argument("nesterov", BOOL, "gradient after the momentum step", False)
_EPS = Argument("eps", _POSITIVE, "added to the root of the squares", 1e-8)

_ADAMW = _row(
    "optimizer",
    "adamw",
    "Adam with decoupled weight decay (Loshchilov & Hutter 2019).",
    _rate(1e-3),
    _decay(1e-2),
    *_BETAS,
    _EPS,
)

_OPTIMIZERS = (
    _row(
        "optimizer",
        "sgd",
        "Stochastic gradient descent.",
        _rate(1e-1),
        _MOMENTUM,
        _NESTEROV,
        _decay(0.0),
    ),
    _row(
        "optimizer",
        "adam",
        "Adam (Kingma & Ba 2015); decay is part of the gradient.",
        _rate(1e-3),
        _decay(0.0),
        *_BETAS,
        _EPS,
    ),
    _ADAMW,
    _row(
        "optimizer",
        "rmsprop",
        "Steps divided by the root of the mean square gradient.",
        _rate(1e-3),
        Argument("alpha", real(0, 1), "memory of the squares", 0.99),
        _MOMENTUM,
        _decay(0.0),
    ),
    _row(
        "optimizer",
        "lion",
        "The sign of a mean of gradients (Chen et al. 2023, algorithm 2); a tenth of AdamW's rate, ten times its decay.",
        _rate(1e-4),
        _decay(1e-1),
        Argument("beta1", real(0, 1), "share of the mean in a step", 0.9),
        Argument("beta2", real(0, 1), "memory of the mean", 0.99),
    ),
    _row(
        "optimizer",
        "muon",
        "Momentum of matrices, orthogonalized (Jordan et al. 2024); all other weights by AdamW.",
        _rate(2e-2),
        _decay(0.0),
        Argument("momentum", real(0, 1), "memory of the gradients", 0.95),
        _NESTEROV,
        Argument(
            "other_lr", _POSITIVE, "rate of AdamW for biases, norms, embeddings and the last layer", 1e-3
        ),
    ),
)

_WARMUP = Argument("warmup", _SHARE, "share of all steps in which the rate rises from zero", 0.0)
_CONSTANT = _row("schedule", "constant", "The same rate in every step.", _WARMUP)

_SCHEDULES = (
    _CONSTANT,
    _row(
        "schedule",
        "cosine",
        "Half a cosine from the full rate down (Loshchilov & Hutter 2017).",
        _WARMUP,
        Argument("floor", _SHARE, "share of the rate that is left at the end", 0.0),
    ),
    _row(
        "schedule",
        "wsd",
        "Warm-up, a long constant stretch, a short fall of the form 1 - sqrt (Hägele et al. 2024).",
        _WARMUP,
        Argument("decay", _SHARE, "share of all steps in which the rate falls", 0.2),
    ),
    _row(
        "schedule",
        "power",
        "Power Scheduler: batch_size * a * n^b of the n tokens or samples seen, never above `lr`, then a"
        " linear fall (Shen et al. 2024).",
        Argument("a", _POSITIVE, "factor", 4.0),
        Argument("b", real(), "exponent", -0.51),
        Argument("decay", _SHARE, "share of all steps in which the rate falls to zero", 0.1),
        _WARMUP,
        positional=2,
    ),
    _row(
        "schedule",
        "plateau",
        "Lower wherever the validation loss stops falling.",
        Argument("factor", real(0, 1), "the rate is multiplied with this", 0.5),
        Argument("patience", integer(1), "epochs in a row without a new lowest loss before that", 5),
        positional=2,
    ),
    _row(
        "schedule",
        "hypergradient",
        "The rate follows its own gradient (Baydin et al. 2018), in a form that knows no scale, or with `additive` as published.",
        Argument(
            "kind",
            name_of("adam", "sgd"),
            "what the gradient is compared with: the last step of Adam, or the last gradient",
            "sgd",
        ),
        Argument("beta", _POSITIVE, "share by which the rate moves in a step, at most", 0.02),
        Argument(
            "additive",
            _POSITIVE,
            "in place of `beta`: the rate moves by this times the product of gradients themselves; 1e-6 for sgd, 1e-8 for "
            "adam in the paper",
        ),
    ),
)

_LOSSES = (
    _row(
        "loss",
        "cross_entropy",
        "Minus the log of the probability of the class, or of each label.",
        Argument(
            "weights",
            name_of("none", "balanced"),
            "of the classes: all 1, or in inverse proportion to their rows",
            "none",
        ),
    ),
    _row(
        "loss",
        "mse",
        "Mean squared error, of standardized targets, or of outputs against one-hot classes (Hui & Belkin 2020).",
    ),
    _row("loss", "mae", "Mean absolute error, of standardized targets."),
    _row(
        "loss",
        "huber",
        "Squared near zero, linear beyond `delta` (Huber 1964).",
        Argument("delta", _POSITIVE, "where it turns linear, in standard deviations", 1.0),
    ),
    _row(
        "loss",
        "focal",
        "Cross entropy that looks away from what is easy (Lin et al. 2017, equation 5).",
        Argument("gamma", real(0), "how much", 2.0),
        Argument("weights", name_of("none", "balanced"), "of the classes", "none"),
    ),
    _later("loss", "prox_matching", "Learned proximal networks' objective."),
)

_WEIGHT = Argument("weight", real(0), "of this term in the loss", 1.0)
_ALPHA = Argument("alpha", _POSITIVE, "both parameters of the Beta distribution of the mixing share", 0.2)

_REGULARIZERS = (
    _row("regularizer", "mixup", "Each batch is mixed with its own permutation (Zhang et al. 2018).", _ALPHA),
    _row(
        "regularizer",
        "label_smoothing",
        "A share of each target is spread over all classes (Szegedy et al. 2016).",
        Argument("rate", _SHARE, "the share", 0.1),
    ),
    _row(
        "regularizer",
        "adamixup",
        "Mixup whose shares are learned, kept off real samples by a discriminator (Guo et al. 2019).",
        Argument("intrusion", real(0), "weight of the discriminator's loss", 1.0),
    ),
    _row(
        "regularizer",
        "cutmix",
        "A box of one map pasted into another (Yun et al. 2019).",
        Argument("alpha", _POSITIVE, "both parameters of the Beta distribution of the kept share", 1.0),
        Argument("probability", _SHARE, "of pasting into a batch at all", 1.0),
    ),
    _row(
        "regularizer",
        "drop_path",
        "Residual branches left out at random, later ones more often (Huang et al. 2016).",
        Argument("rate", _SHARE, "how often the last branch, in even steps from never for the first", 0.1),
    ),
    _row(
        "regularizer",
        "dropout",
        "Dropout before every layer with weights but the first, that may begin late (Xue et al. 2023).",
        Argument("rate", _SHARE, "share of zeros", 0.1),
        Argument("from", _SHARE, "share of training before it begins", 0.5),
    ),
    _row(
        "regularizer",
        "elr",
        "Early-learning regularization: keeps to what was answered before wrong labels are learned (Liu et al. 2020).",
        Argument("beta", _SHARE, "memory of the answers", 0.7),
        Argument("weight", real(0), "of this term in the loss", 3.0),
    ),
    _row(
        "regularizer",
        "ps_kd",
        "Targets softened more and more by the network's own answers of an epoch ago (Kim et al. 2021).",
        Argument("alpha", _SHARE, "share of the answers in the last epoch", 0.8),
    ),
    _row(
        "regularizer",
        "anchor",
        "Keeps close to where training began (Smith et al. 2022).",
        Argument(
            "kind",
            name_of("l2", "ewc", "distill"),
            "close in weights, in weights that matter, or in answers",
            "l2",
        ),
        Argument("weight", real(0), "of this term in the loss", 1.0),
    ),
    _later("regularizer", "repel", "Adapt, then unlearn.", Argument("gamma", real(0), "strength", 1.0)),
    _later("regularizer", "self_supervised", "An auxiliary task on masked inputs.", _WEIGHT),
    _later("regularizer", "contrastive", "Pairs pulled together, others apart.", _WEIGHT),
    _later("regularizer", "consistency", "Interpolation consistency training.", _WEIGHT),
    _row(
        "regularizer",
        "pela",
        "Low-rank layers kept close to the full ones that they were factored from, in what they give and in their largest"
        " difference of weights (Guo et al. 2024).",
        Argument("features", real(0), "weight of the distance of features", 1.0),
        Argument("perturbation", real(0), "weight of the distance of weights", 1.0),
        Argument("gap", real(0), "largest difference of weights that costs nothing", 0.0),
    ),
    _later("regularizer", "pretrain", "An unsupervised stage before training.", body=True),
)

_AUGMENTATIONS = (
    Signature(
        "augment",
        "augmentation",
        "Random changes of the inputs, in the order of its body.",
        body=True,
        positional=0,
    ),
    _row(
        "augment",
        "flip",
        "Each map mirrored along its last axis.",
        Argument("probability", _SHARE, "how often", 0.5),
    ),
    _row(
        "augment",
        "crop",
        "Each map shifted: padded with zeros, then cut to its size at a random place.",
        Argument("pad", integer(0), "positions around", 4),
    ),
    _row(
        "augment",
        "noise",
        "Gaussian noise added to standardized inputs.",
        Argument("deviation", real(0), "of the noise", 0.1),
    ),
    _row(
        "augment",
        "erase",
        "A random box of each map set to zero (DeVries & Taylor 2017).",
        Argument("share", _SHARE, "of each axis", 0.25),
    ),
    _row(
        "augment",
        "jitter",
        "Each sample multiplied by a random factor.",
        Argument("spread", _SHARE, "factors lie in 1 - spread .. 1 + spread", 0.1),
    ),
)

STOP_SIGNATURES: tuple[Signature, ...] = (
    _row("stop", "epochs", "After so many passes.", Argument("count", integer(1), "passes", required=True)),
    _row("stop", "steps", "After so many steps.", Argument("count", integer(1), "steps", required=True)),
    _row(
        "stop",
        "tokens",
        "After so many symbols of a text, or samples of other data.",
        Argument("count", integer(1), "symbols or samples", required=True),
    ),
    _row(
        "stop",
        "seconds",
        "At the end of the epoch in which the time runs out; two runs need not be equal.",
        Argument("count", _POSITIVE, "seconds of wall time", required=True),
    ),
    _row(
        "stop",
        "patience",
        "After so many epochs in a row without a new lowest validation loss.",
        Argument("count", integer(1), "epochs", required=True),
    ),
    _row(
        "stop",
        "loss",
        "As soon as the training loss of an epoch is this low.",
        Argument("value", _POSITIVE, "of the loss with its regularizers", required=True),
    ),
    _row("stop", "interpolation", "As soon as every training sample is answered right."),
)

_SELECTIONS = (
    _row(
        "selection",
        "subset",
        "Training on the hardest part of the data, or on a random one (Paul et al. 2021).",
        Argument("keep", real(0, 1, open_low=True), "share of the training part", 0.5),
        Argument(
            "by",
            name_of("el2n", "grand", "random"),
            "error of the answers, norm of the gradient, or chance",
            "el2n",
        ),
        Argument("after", integer(0), "epochs on everything, over which scores are averaged", 2),
        Argument("offset", _SHARE, "share of the hardest that is left out: wrong labels are hard", 0.0),
    ),
)

_POLICIES = (
    _row("policy", "all", "Every weight."),
    _row(
        "policy",
        "half",
        "A random half of the tensors, drawn anew each round; input and output layers always (Hui et al. 2025).",
        Argument("rounds", integer(1), "how many draws", 4),
    ),
    _row("policy", "head", "The last layer with weights alone."),
)

_LAWS = (
    _row(
        "law",
        "step_law",
        "In place of a number of `lr` or `batch_size`: 1.79 N^-0.713 D^0.307, and 0.58 D^0.571 symbols, of N weights and"
        " D symbols seen (Li et al. 2025). Fitted to AdamW on large texts; elsewhere a first guess to search around.",
    ),
)

_SCALES = (
    _row(
        "scale",
        "mup",
        "Maximal update parametrization (Yang et al. 2022, table 3); `nasdsl widths` checks it on a space.",
        Argument("base", integer(1), "the width at which all is as without it", 64),
    ),
)

_SETTINGS = (
    _setting("optimizer", "How gradients become steps.", call_of("optimizer"), _spec(_ADAMW)),
    _setting("schedule", "How the learning rate moves.", call_of("schedule"), _spec(_CONSTANT)),
    _setting(
        "batch_size",
        "Samples per step; a single sample left over at the end of an epoch is left out of it.",
        replace(integer(1), law=True),
        64,
    ),
    _setting("epochs", "Passes over the training part.", integer(1), 20),
    _setting("weight_decay", "Weight decay, in place of the optimizer's own.", real(0)),
    _setting(
        "loss", "What is minimized; by default cross_entropy for classes, mse for numbers.", call_of("loss")
    ),
    _setting("clip", "The largest norm of all gradients together; by default none.", _POSITIVE),
    _setting(
        "precision",
        "Number format of the forward pass; weights stay in fp32.",
        name_of("fp32", "bf16"),
        "fp32",
    ),
    _setting("until", "What may end training before all `epochs` are done.", call_of("stop")),
    _setting(
        "average",
        "Share of all steps, the last ones, whose weights are averaged to what is measured and kept.",
        real(0, 1, open_low=True),
    ),
    _setting(
        "prepare",
        "How inputs are scaled: to mean 0 and deviation 1, or each column of a table to normal quantiles; texts of a "
        "table stay zeros and ones.",
        name_of("standardize", "quantile"),
        "standardize",
    ),
    _setting(
        "scale",
        "Rates and initial weights relative to the width, so that one rate fits all widths.",
        call_of("scale"),
    ),
    _setting("tune", "Which weights are trained.", call_of("policy")),
    _setting("tune_online", "How `online` ranges are tuned.", name_of("stn", "bo_rep", "pbt"), later=True),
    _setting("predict", "How outputs become answers.", name_of("argmax", "frechet", "lame"), later=True),
    _setting("data", "The part of the training data that is used.", call_of("selection")),
    _setting("lr", "The learning rate, in place of the optimizer's own.", _RATE),
    _setting(
        "init",
        "How weights begin: as torch draws them (default), by the activation before (kaiming: He et al. 2015), so that "
        "signals keep their size at any depth (critical: Roberts et al. 2021), or orthonormal (Saxe et al. 2014).",
        name_of("default", "kaiming", "critical", "orthogonal"),
        "default",
    ),
)

TRAINING_SIGNATURES: tuple[Signature, ...] = (
    *_SETTINGS,
    *_OPTIMIZERS,
    *_SCHEDULES,
    *_LOSSES,
    *_REGULARIZERS,
    *_AUGMENTATIONS,
    *_SELECTIONS,
    *_POLICIES,
    *_SCALES,
    *_LAWS,
)
