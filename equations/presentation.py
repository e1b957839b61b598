"""A sample shown until it has evoked enough spikes: one neuron that counts them. Source: Hao et al., Section 3.

When a presentation is over, its rest begins. Enough spikes, or the highest intensity, and the controller fires:
the next sample is the next presentation's. Too few, and the same sample is shown again, more intensely.
"""

CONTROLLER = """
sample : integer                                               # of the block, from zero
intensity : 1                                                  # of its presentation
n_spikes : 1                                                   # that the presentation has evoked
"""
BEGINS = "t_in_timesteps % sample_steps == 0"
RESTS = "t_in_timesteps % sample_steps == shown_steps"
ENDS = "t_in_timesteps % sample_steps == sample_steps - 1"
ENOUGH = RESTS + " and (n_spikes >= n_least or intensity >= intensity_most)"
TOO_FEW = RESTS + " and not (n_spikes >= n_least or intensity >= intensity_most)"
NEXT_SAMPLE = "sample += 1\nintensity = intensity_first\n"
SHOWN_AGAIN = "intensity += intensity_step\n"
COUNT_ANEW = "n_spikes = 0\n"
COUNT = "n_spikes_post += 1\n"

# What a population reads of the controller.
FOLLOWS = """
sample : integer (linked)
intensity : 1 (linked)
"""
