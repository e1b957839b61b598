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
# # Gerlinghoff et al.: desire backpropagation
#
# After each sample, the label tells every output neuron whether it ought to have fired more or less. That desire is
# handed down from layer to layer, and STDP changes each weight in its direction. The
# [model](../../models/desire_backprop.py) is a stack of layers of leaky neurons, and twenty time steps are a sample.
# The [protocol](../../protocols/desire_backprop.py) holds what the paper prints.
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

paper = BesidePaper("desire_backprop")

# %% [markdown]
# ## A small network
#
# The run is kept: executed once more, the cell opens it.

# %%
settings = RunSettings(
    model="desire_backprop", dataset="mnist-embedded", epochs=2, test_images=500, changes={"layers": (200, 100)}
)
run = many_runs.complete(settings, "runs/desire_backprop")
results = run.results()
run

# %% [markdown]
# ## A membrane, and a trace at work
#
# The paper's Figs. 1 and 2, of one sample as one neuron sees it. Fig. 1: the inputs that move its membrane most, the
# membrane, and its spikes. Fig. 2: what the trace of an input's spikes does to the weights to a neuron that is to
# fire more, and to one that is to fire less.

# %%
paper.of_run("Fig1.svg", run)

# %%
paper.of_run("Fig2.svg", run)

# %% [markdown]
# ## Which digits are taken for which
#
# An image that no output neuron answers with more spikes than all others has no answer, which counts as wrong.

# %%
figures.confusion_matrix(results)

# %% [markdown]
# ## Are the answers easier to separate than the images?
#
# The images and what the output neurons make of them, laid out by t-SNE. A map can be misread. The numbers above it
# are measured before and after it: how often an image's nearest neighbours are of its class.

# %%
figures.activity_panel(maps.of_activity(run.path, images=300))

# %% [markdown]
# ## Figures 4 and 5: the size of the network, and time steps
#
# The paper prints no numbers at these curves. Ours have **one seed** and five epochs, a thirtieth of the paper's.
# More neurons help in both; more time steps help here throughout, where the paper has its peak at 20 steps.

# %%
paper.figure("Fig.4")

# %%
paper.figure("Fig.5")

# %% [markdown]
# ## Table 1: ours beside the paper's
#
# The whole network, for as many epochs as the paper's, **one seed** each. The rate of learning of one row was tuned
# on held-out images. Below stands the paper's list of networks, with ours in it.

# %%
paper.table("1")

# %%
paper.literature("literature_gerlinghoff_1")

# %%
paper.figure("1")
