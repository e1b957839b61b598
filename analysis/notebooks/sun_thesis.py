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
# # Sun's thesis: one model after the other
#
# The thesis reviews neurons, codes and rules, and trains two networks. [Section by
# section](../../docs/notes/sun_thesis.md), each has a model here. This notebook runs the small ones, which take no
# training, and opens the ledgers of the others. **Only two of the thesis' numbers were measured by its author**: a
# converted network on 96 images, and a network trained by surrogate gradients.

# %%
# %matplotlib inline
# %config InlineBackend.figure_formats = ["retina"]
from pathlib import Path

from hebbarium.studies.beside_paper import BesidePaper
from hebbarium.training import many_runs
from hebbarium.training.run_settings import RunSettings

out = Path("runs")

# %% [markdown]
# ## Izhikevich's neurons (Eqs. 3-5, Fig. 11)
#
# One [model](../../models/izhikevich.py) with four parameters fires regularly, in bursts, or fast. Levels of the
# currents are ours, because the thesis prints none.

# %%
paper = BesidePaper("izhikevich")
paper.of_trials("Fig. 11", "Fig11.svg", out)

# %%
paper.claims()

# %% [markdown]
# ## Two ways to go on after a spike (Eqs. 6-8, Fig. 12)
#
# An [integrate-and-fire neuron](../../models/integrate_and_fire.py) goes back to rest, or loses one threshold and
# keeps what was above it.

# %%
paper = BesidePaper("integrate_and_fire")
paper.of_trials("Fig. 12", "Fig12.svg", out)

# %% [markdown]
# ## What a pair of spikes does to a weight (Eqs. 9 and 10, Fig. 13)
#
# Each point is one [synapse](../../models/pair_stdp.py) that ran. Eq. 10 as printed grows with the time between the
# spikes; with the sign that Fig. 13 shows, it falls.

# %%
paper = BesidePaper("pair_stdp")
paper.of_trials("Fig. 13", "Fig13.svg", out)

# %% [markdown]
# ## Functions that stand for the threshold (Fig. 16)
#
# They are the option `surrogate` of [TSSL-BP](../../models/tssl_backprop.py), and drawn from the strings that the
# model runs.

# %%
paper = BesidePaper("tssl_backprop")
paper.of_run("Fig16.svg")

# %% [markdown]
# Its network, trained for 20 of the 100 epochs of Table 1, **one seed**, with a rate of learning that falls. The
# thesis reports the best epoch, here it is the last.

# %%
paper.table("short dataset=mnist")

# %% [markdown]
# ## A converted network (Section 3.1, Figs. 17 and 18)
#
# LeNet was trained as a conventional network. Its [converted form](../../models/lenet_conversion.py) has
# integrate-and-fire neurons, and is the better the longer an image is shown. Here it is shown fifty images.

# %%
paper = BesidePaper("lenet_conversion")
settings = RunSettings(model="lenet_conversion", dataset="mnist-embedded", test_images=50)
run = many_runs.complete(settings, out / "lenet_conversion")
run

# %% [markdown]
# ## Fig. 18: ours beside the thesis'
#
# All 10,000 test images, **one seed**. The dashed line is the conventional network. The thesis measured no gap
# between the two, on 96 images.

# %%
paper.table("Fig.18")

# %%
paper.figure("Fig.18")
