"""Point -> Plan -> what leaves the house. Each name is imported from the file that holds it.

    plan.py       a decided network as a Plan, without torch     identity.py  its structural hash
    build.py      Plan -> torch.fx.GraphModule                    builders/    the module of each operation
    source.py     Plan -> standalone Python source                names.py     attribute names, alike in both
    export.py     files: Python, torch.export, ONNX               graph.py     Plan -> networkx
    draw.py       Plan -> SVG                                     layout.py    where its boxes stand
    wording.py    short words for what a plan holds               errors.py    what can go wrong
    hooks.py      how a module takes part in its training         routing.py   whose samples experts get
    initial.py    how weights begin

Importing `compiler.plan` loads no torch.
"""
