"""Spike-timing-dependent plasticity by traces. Source: Touda & Okuno, Eq. 5.

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
POTENTIATION = "w = clip(w + a_plus*x_pre, w_min, w_max)                       # Eq. 5, pre before post\n"
