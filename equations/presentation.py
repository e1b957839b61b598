"""When a sample begins and ends; and one neuron that shows a sample until it has evoked enough spikes.

When a presentation is over, its rest begins. Enough spikes, or the highest intensity, and the controller fires:
the next sample is the next presentation's. Too few, and the same sample is shown again, more intensely.
"""

BEGINS = "t_in_timesteps % sample_steps == 0"
RESTS = "t_in_timesteps % sample_steps == shown_steps"
ENDS = "t_in_timesteps % sample_steps == sample_steps - 1"

CONTROLLER = """
    sample : integer                                        # of the block, from zero
    intensity : 1                                           # of its presentation
    n_spikes : 1                                            # that the presentation has evoked
"""
ENOUGH = RESTS + " and (n_spikes >= n_least or intensity >= intensity_most)"
TOO_FEW = RESTS + " and not (n_spikes >= n_least or intensity >= intensity_most)"
NEXT_SAMPLE = """
    sample += 1
    intensity = intensity_first
"""
SHOWN_AGAIN = "intensity += intensity_step"
COUNT_ANEW = "n_spikes = 0"
COUNT = "n_spikes_post += 1"

# What a population reads of the controller.
FOLLOWS = """
    sample : integer (linked)
    intensity : 1 (linked)
"""
