"""For each operation of the language, the torch module it becomes.

One description per operation serves both building and exporting: a rule

    RECIPES[op](arguments, inputs, output) -> Recipe

takes the decided arguments, the shapes of the inputs and the planned shape of the output (without
batch axis), and returns the constructor call as data. Of a recipe,

    recipe.build()      is the module          -> used by compiler/build.py
    recipe.source()     is the expression      `nn.Conv2d(16, 32, 3, padding=1)`
    recipe.helpers()    are the classes of compiler/modules/ which that expression names
    helper_source(all)  is their source text   -> used by compiler/export.py

The module is called with the input tensors by position, batch first, and returns one tensor.
`BUILDERS[op]` is `RECIPES[op]` followed by `.build()`.
"""

from compiler.builders.arguments import RecipeRule
from compiler.builders.recipe import Recipe, helper_source
from compiler.builders.table import BUILDERS, RECIPES, Builder

__all__ = ["BUILDERS", "RECIPES", "Builder", "Recipe", "RecipeRule", "helper_source"]
