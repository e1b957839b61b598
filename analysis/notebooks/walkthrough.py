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
# # A walk through a run
#
# A run leaves one file, `results.nc`, in its folder. This notebook opens it and looks at what the network
# has learnt. Say which run with the environment variable `HEBBARIUM_RUN`:
#
# ```
# HEBBARIUM_RUN=runs/mine jupyter lab analysis/notebooks/walkthrough.py
# ```
#
# Without it the notebook shows an example of made-up numbers, so that there is something to look at.

# %%
# %matplotlib inline
# %config InlineBackend.figure_formats = ["retina"]
import os

import numpy as np

from hebbarium.analysis import accuracy, figures, labels, readouts
from hebbarium.analysis.example import example_tree
from hebbarium.record import results

# %% [markdown]
# ## Opening a run
#
# Two lines: import, and open. Arrays are read when they are used.

# %%
folder = os.environ.get("HEBBARIUM_RUN")
run = results.open_run(folder) if folder else example_tree()
run

# %% [markdown]
# Every number knows where it comes from: the attributes of the root say which model, parameters, data set,
# seed, and version of the code made it.

# %%
about = results.decoded(run)
for name in ("model", "parameters", "dataset", "seed", "samples_seen", "device", "precision", "git_commit"):
    print(f"{name:>13}  {about[name]}")

# %% [markdown]
# ## What the neurons answer
#
# While training, the spikes of each neuron are counted for each image. Dimensions have names, and each
# sample its class, so that a question reads as it is asked: how many spikes does an image of each class
# evoke?

# %%
training = run["activity/excitatory"].to_dataset()
counts = training["spike_count"]
counts.sum("neuron").groupby("label").mean()

# %% [markdown]
# ## Which class a neuron stands for
#
# Learning saw no labels. They come in only now: each neuron gets the class for which its average rate is
# highest (Eq. 8), and -1 if it never fired. The paper leaves open which responses to take; all of them, or
# the second half, when the network had learnt something.

# %%
for source in ("all", "second_half"):
    assigned = labels.assign_from(run, source)
    classes, neurons = np.unique(assigned, return_counts=True)
    print(f"{source:>12}", {int(c): int(n) for c, n in zip(classes, neurons, strict=True)})

# %% [markdown]
# ## Reading out
#
# The class of the most active neuron, or the class whose neurons fire most on average. An image that evokes
# no spike gets no answer, which counts as wrong.

# %%
if "test" in run.children:
    test = run["test/excitatory"].to_dataset()
    neuron_label = labels.assign_from(run)
    for name, readout in readouts.READOUTS.items():
        predicted = readout(test["spike_count"].values, neuron_label)
        percent = accuracy.accuracy(predicted, test["label"].values)
        print(f"{name:>12}  {percent:.1f} % of {predicted.size} images")

# %% [markdown]
# The same is kept in `evaluation`, made at the end of the run. The running accuracy scores each block of
# training images with labels from earlier blocks only.

# %%
if "evaluation" in run.children:
    display(figures.learning_curve(run))  # noqa: F821

# %%
if "evaluation" in run.children and "confusion" in run["evaluation"].to_dataset():
    display(figures.confusion_matrix(run))  # noqa: F821

# %% [markdown]
# ## What the neurons have learnt to see
#
# The weights from the input to one neuron are a picture. They start from random numbers and come to look
# like the images of a class.

# %%
if "weights" in run.children:
    display(figures.receptive_field_grid(run))  # noqa: F821

# %%
if "weights" in run.children:
    display(figures.weight_time_lapse(run))  # noqa: F821

# %% [markdown]
# ## Homeostasis
#
# Thresholds rise with each spike, so that no neuron wins for ever: θ, rates and weights of the whole
# population.

# %%
figures.distributions(run)

# %% [markdown]
# ## One presentation, and one synapse
#
# Winner-take-all in spikes, and the learning rule as measured on the running synapse.

# %%
if "raster" in run.children:
    display(figures.raster_plot(run))  # noqa: F821

# %%
if "stdp_window" in run.children:
    display(figures.stdp_window(run))  # noqa: F821

# %% [markdown]
# All of these at once, as files: `figures.save_all(folder)`.

# %%
run.close()
