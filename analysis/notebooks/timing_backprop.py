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
# # Yamamoto et al.: gradients of spike times
#
# Each pixel is one spike, the earlier the brighter. Hidden neurons fire as often as they do, at exact times, and the
# loss is followed back through every one of these times. The [model](../../models/timing_backprop.py) has layers of
# integrate-and-fire neurons, whose last layer is read by its potentials. The
# [protocol](../../protocols/timing_backprop.py) holds what the paper prints.
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

paper = BesidePaper("timing_backprop")

# %% [markdown]
# ## A small network
#
# The run is kept: executed once more, the cell opens it.

# %%
settings = RunSettings(
    model="timing_backprop", dataset="mnist-embedded", epochs=3, test_images=500, changes={"layers": (100,)}
)
run = many_runs.complete(settings, "runs/timing_backprop")
results = run.results()
run

# %% [markdown]
# ## One image
#
# The paper's Fig. 2: input spikes, one hidden neuron alone, others beside it, and the output potentials, which part
# before the sample ends.

# %%
paper.of_run("Fig2.svg", run)

# %% [markdown]
# ## Which digits are taken for which

# %%
figures.confusion_matrix(results)

# %% [markdown]
# ## Are the answers easier to separate than the images?
#
# The images, and how often each hidden neuron answers them, laid out by t-SNE. A map can be misread. The numbers above
# it are measured before and after it: how often an image's nearest neighbours are of its class.

# %%
figures.activity_panel(maps.of_activity(run.path, images=300))

# %% [markdown]
# ## The paper's claims
#
# They need Figs. 4 and 5, accuracy and spikes over the time constant of the synaptic current. The table says what could
# not be judged for want of runs.

# %%
paper.claims()

# %% [markdown]
# ## Table I: ours beside the paper's
#
# All epochs and all constants are the paper's, whose numbers are means over ten seeds. Ours have fewer seeds, some
# **one seed**; the table says how many. Below stands the paper's list of networks, with ours in it.

# %%
paper.table("I columns=spikes")

# %%
paper.literature("literature_yamamoto_1")

# %%
paper.figure("I")
