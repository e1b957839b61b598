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
# # Touda & Okuno: synaptic scaling
#
# The paper asks what happens to a winner-take-all network when the weights of a neuron are scaled to a target norm,
# and which norm and target are best. The [model](../../models/synaptic_scaling.py) has 784 Poisson inputs, and as
# many inhibitory neurons as excitatory ones. Only the weights of the inputs learn, and no label is needed for it.
# The [protocol](../../protocols/synaptic_scaling.py) holds what the paper prints.
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

paper = BesidePaper("synaptic_scaling")

# %% [markdown]
# ## A small network
#
# The run is kept: executed once more, the cell opens it. Change a parameter and the name of the folder, and compare.

# %%
settings = RunSettings(
    model="synaptic_scaling", dataset="mnist-embedded", images=2_000, test_images=500, changes={"neurons": 100}
)
run = many_runs.complete(settings, "runs/synaptic_scaling")
results = run.results()
run

# %% [markdown]
# ## What the neurons have learned to see
#
# The weights of one neuron are a picture. They begin as noise, and scaling makes the pixels compete for a sum that
# stays.

# %%
figures.weight_time_lapse(results)

# %% [markdown]
# ## The rule, on a running synapse
#
# This is the paper's Fig. 3: by how much one pair of spikes changes a weight.

# %%
paper.of_run("Fig3.svg", run)

# %% [markdown]
# ## One presentation
#
# The neuron that fires first silences the others through the inhibitory ones.

# %%
figures.raster_plot(results)

# %% [markdown]
# ## Which digits are taken for which

# %%
figures.confusion_matrix(results)

# %% [markdown]
# ## Are the answers easier to separate than the images?
#
# Both are laid out by t-SNE, which can be misread. The numbers above each map are measured before and after it: how
# often an image's nearest neighbours are of its class.

# %%
figures.activity_panel(maps.of_activity(run.path, images=300))

# %% [markdown]
# ## The paper's claims
#
# What the paper leaves open was **fitted to its four tables**, from which most of these claims are drawn.

# %%
paper.claims()

# %% [markdown]
# ## Table IV: ours beside the paper's
# These networks were trained as the paper's were, and tested on all test images.

# %%
paper.table("IV readout=most_active precision=float32 columns=w_t")

# %%
paper.figure("IV")
