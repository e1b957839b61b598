"""Synaptic scaling: each neuron's incoming weights are brought to a target norm.

Sources: Touda & Okuno, Eq. 6; Hao et al., Eq. 7 (the sum of weights, in units of their number).

Three strings in this order: every synapse adds to its target's sum (an event pathway, so that CUDA adds
atomically), the target turns the sum into a factor, every synapse is multiplied by it.
"""

SCALED_NEURON = """
norm_sum : 1                                                   # sum of |w|**p over incoming synapses
scale : 1                                                      # w_t / ||w||_p
"""

ADD_TO_NORM = {
    "L1": "norm_sum_post += abs(w)\n",
    "L2": "norm_sum_post += w*w\n",
    "Lp": "norm_sum_post += abs(w)**p_norm\n",
}
# A neuron without any weight keeps none: its factor is finite because the sum is replaced by one.
FACTOR = {
    "L1": "scale = w_t/(norm_sum + int(norm_sum <= 0))\n",
    "L2": "scale = w_t/sqrt(norm_sum + int(norm_sum <= 0))\n",
    "Lp": "scale = w_t/(norm_sum + int(norm_sum <= 0))**(1/p_norm)\n",
}
FACTOR_OF_SUM = "scale = beta*w_max*n_in/(norm_sum + int(norm_sum <= 0))     # Hao et al., Eq. 7\n"
CLEAR_NORM = "norm_sum = 0\n"
APPLY = "w *= scale_post                                               # Eq. 6\n"
# The same without a step of the neuron's between sum and product, where few neurons are scaled at a time.
APPLY_NORM = {
    "L1": "w *= w_t_post/norm_sum_post                                 # Eq. 6\n",
    "L2": "w *= w_t_post/sqrt(norm_sum_post)                           # Eq. 6\n",
    "Lp": "w *= w_t_post/norm_sum_post**(1/p_norm)                     # Eq. 6\n",
}
