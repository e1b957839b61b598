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
# # Diehl & Cook: the baseline
#
# The network that most papers on unsupervised STDP are measured against: a hidden layer in which one neuron silences
# all others, thresholds that rise with each spike, weights that are scaled, and a rule of triplets of spikes. The
# [model](../../models/diehl_cook.py) follows the authors' code but for its delays, which are an option. The
# [protocol](../../protocols/diehl_cook.py) holds what the paper prints.
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

paper = BesidePaper("diehl_cook")

# %% [markdown]
# ## A small network
#
# The run is kept: executed once more, the cell opens it.

# %%
settings = RunSettings(
    model="diehl_cook", dataset="mnist-embedded", images=2_000, test_images=500, labels_from="last_pass",
    changes={"neurons": 100},
)
run = many_runs.complete(settings, "runs/diehl_cook")
results = run.results()
run

# %% [markdown]
# ## What the neurons have learned to see

# %%
figures.receptive_field_grid(results)

# %% [markdown]
# ## Homeostasis
#
# Thresholds rise with each spike, so that no neuron wins for ever. After as few images as here they have not
# settled.

# %%
figures.distributions(results)

# %% [markdown]
# ## One presentation

# %%
figures.raster_plot(results)

# %% [markdown]
# ## Which digits are taken for which
#
# The paper reads by the class whose neurons fire most on average.

# %%
figures.confusion_matrix(results, paper.paper.readout)

# %% [markdown]
# ## Are the answers easier to separate than the images?
#
# Both are laid out by t-SNE. A map can be misread. The numbers above it are measured before and after it: how often
# an image's nearest neighbours are of its class.

# %%
figures.activity_panel(maps.of_activity(run.path, images=300))

# %% [markdown]
# ## What each departure from the authors' code costs
#
# The paper has no numbers for these. [Why your Diehl & Cook network gets 80 %](../../docs/eighty_percent.md) is
# about them.

# %%
paper.figure("switches")

# %% [markdown]
# ## Accuracy by size: ours beside the paper's
#
# **The delays of the authors' code are left out**, so that what is above the paper is no reproduction of their
# network. The largest sizes have one seed, and the paper's headline, its largest network, was **not run**.

# %%
paper.table("sizes columns=readout")

# %%
paper.figure("sizes")
