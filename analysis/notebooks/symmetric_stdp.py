# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Hao et al.: symmetric STDP, and a supervised class layer
#
# The order of two spikes does not matter to this rule: both strengthen a weight, and scaling takes from the others
# what one has won. The [model](../../models/symmetric_stdp.py) has Poisson inputs, excitatory and inhibitory hidden
# neurons, and ten class neurons that a teacher makes fire while the network learns. The
# [protocol](../../protocols/symmetric_stdp.py) holds what the paper prints.
#
# A small network is trained here on the digits that come with the project. Its accuracy is not the paper's; the
# paper's numbers stand at the end, beside those of networks that were trained as the paper's were.

# %%
# %matplotlib inline
# %config InlineBackend.figure_formats = ["retina"]
from hebbarium.analysis import figures
from hebbarium.studies import maps
from hebbarium.studies.beside_paper import BesidePaper
from hebbarium.training import many_runs
from hebbarium.training.run_settings import RunSettings

paper = BesidePaper("symmetric_stdp")

# %% [markdown]
# ## A small network
#
# The run is kept: executed once more, the cell opens it. It can be read out in three ways, by the class neurons and
# by the labels that the hidden neurons get from what they answer.

# %%
settings = RunSettings(
    model="symmetric_stdp", dataset="mnist-embedded", images=2_000, test_images=500, labels_from="last_pass",
    changes={"neurons": 100},
)
run = many_runs.complete(settings, "runs/symmetric_stdp")
results = run.results()
run

# %% [markdown]
# ## The rule, on a running synapse
#
# This is the paper's Fig. 1: one pair of spikes strengthens the weight in either order. With `plasticity` set to
# `classic`, it does not.

# %%
paper.of_run("Fig1_symmetric.svg", run)

# %% [markdown]
# ## What the hidden neurons have learned to see

# %%
figures.receptive_field_grid(results)

# %% [markdown]
# ## How few neurons answer
#
# The paper says that no more than ten neurons usually respond to an image.

# %%
figures.responding_neurons(results)

# %% [markdown]
# ## Which digits are taken for which
# The paper's Fig. 4 is read from the class layer. An image that no class neuron answers has no answer, which counts as
# wrong; after as few images as here these are many.

# %%
paper.of_run("Fig4.svg", run)

# %% [markdown]
# ## Are the classes more separable from layer to layer?
#
# The paper's Fig. 5 lays out the images, what the hidden neurons make of them, and the class neurons, by t-SNE; its
# Fig. 6 the weights that leave the hidden neurons. A map can be misread. The numbers above it are measured before
# and after it: how often an image's nearest neighbours are of its class. In a network as small as this one the
# classes need not come apart; maps of the paper's networks are on [its page](../../docs/notes/symmetric_stdp.md).

# %%
figures.activity_panel(maps.of_activity(run.path, images=300))

# %%
direction, chart = maps.of_weights(run.path)
figures.weight_map(chart, direction)

# %% [markdown]
# ## Table 1: ours beside the paper's
#
# The model's own inhibition was chosen on held-out images, size by size. Rows with `w_ie` 17 have the authors', at
# all sizes. The paper's largest network is **not reproduced**: it was trained for a part of the paper's passes.

# %%
paper.table("1 readout=class_layer columns=schedule")

# %%
paper.figure("1")
