"""Input neurons: Poisson spike trains of given rates. Sources: Touda & Okuno, Eq. 1; Hao et al., Section 3.

Eq. 1 draws a uniform number at each step and fires where it is below lambda*dt: a Bernoulli process.
The number of steps between its spikes is geometrically distributed, so one draw a spike gives the same
process as one draw a step, at a fraction of the cost.
"""

# A neuron is due at a step of the block. U being uniform, ceil(log(U)/log(1 - lambda*dt)) is geometrically
# distributed; the denominator changes with the image only.
GEOMETRIC = """
interval : 1                                                   # -1/log(1 - lambda*dt) of Eq. 1, in steps
due : 1                                                        # the step of the next spike
"""
GEOMETRIC_FIRES = "t_in_timesteps >= due"
GEOMETRIC_RESET = "due = t_in_timesteps + ceil(clip(-log(rand())*interval, 1, longest))\n"
# The step at which a sample begins may itself carry a spike: hence the - one.
GEOMETRIC_SWITCH = """
interval = -1.0/log1p(-clip({rate}*dt, p_least, p_most))
due = t_in_timesteps - 1 + ceil(clip(-log(rand())*interval, 1, longest))
"""
# The same where a neuron cannot fire for n_dead steps after a spike, and not at all while nothing is shown.
GEOMETRIC_DEAD_RESET = "due = t_in_timesteps + n_dead + ceil(clip(-log(rand())*interval, 1, longest))\n"
GEOMETRIC_RESTS = "due = t_in_timesteps + longest\n"

BERNOULLI = "p_spike : 1                                       # lambda*dt of Eq. 1\n"
BERNOULLI_FIRES = "rand() < p_spike"
BERNOULLI_RESET = ""
BERNOULLI_SWITCH = "p_spike = {rate}*dt\n"
