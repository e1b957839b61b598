"""Spike-timing-dependent plasticity by traces.

Sources: Touda & Okuno, Eq. 5; Hao et al., Eq. 6; Pfister & Gerstner, 2006, as in the code of Diehl & Cook, 2015.

A neuron's trace decays with tau_p and jumps when it fires; what a spike on the other side reads from it
is the exponential of Eq. 5, summed over all pairs or, with a trace that is set instead of added to, of
the nearest one. As printed, both exponents of Eq. 5 grow with the interval; Fig. 3 shows decay, which is
what traces do.
"""

PRE_TRACE = "dx/dt = -x/tau_p : 1                                               # Eq. 5, pre before post\n"
POST_TRACE = "dy/dt = -y/tau_p : 1                                              # Eq. 5, post before pre\n"

PRE_TRACE_ADDS = "x += 1\n"
PRE_TRACE_SETS = "x = 1\n"
POST_TRACE_ADDS = "y += 1\n"
POST_TRACE_SETS = "y = 1\n"

DEPRESSION = "w = clip(w - a_minus*y_post, w_min, w_max)                       # Eq. 5, post before pre\n"
# Hao et al., Eq. 6: dopamine turns depression into potentiation, and both orders of spikes strengthen a synapse.
POTENTIATION_BY_PRE = "w = clip(w + a_minus*y_post, w_min, w_max)              # Eq. 6, post before pre\n"

# The trace of a neuron whose membrane is not integrated exactly: stepped once a step.
POST_TRACE_STEPPED = "y : 1                                                  # post before pre\n"
POST_TRACE_DECAYS = "y *= exp(-dt/tau_p)\n"
# What n_jumped steps without spikes leave of a trace.
PRE_TRACE_OVER_REST = "x *= exp(-n_jumped*dt/tau_p)\n"
POST_TRACE_OVER_REST = "y *= exp(-n_jumped*dt/tau_p)\n"

POTENTIATION = "w = clip(w + a_plus*x_pre, w_min, w_max)                       # Eq. 5, pre before post\n"

# Triplets, as Diehl & Cook's code has them (the minimal rule of Pfister & Gerstner, nearest spikes): what a spike after
# another one of the same neuron reads is a second, slower trace of that neuron, from before it jumps.
SLOW_POST_TRACE_STEPPED = "z : 1                                             # post before post\n"
SLOW_POST_TRACE_DECAYS = "z *= exp(-dt/tau_slow)\n"
SLOW_POST_TRACE_SETS = "z = 1\n"
TRIPLET_POTENTIATION = "w = clip(w + a_plus*x_pre*z_post, w_min, w_max)        # post before pre before post\n"

# Where spikes reach each synapse at a time of its own, so does the trace that they leave; of the nearest spike alone,
# the time of its arrival says as much.
ARRIVAL = "arrived : second                                          # the last spike's arrival\n"
ARRIVES = "arrived = t\n"
TRACE_OF_ARRIVAL = "x_here = exp((arrived - t)/tau_p)\n"
