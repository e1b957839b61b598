"""Connection schemes that cost O(N) where all-to-all would cost O(N**2).

Lateral inhibition, each neuron inhibiting all others with one strength, is a sum over all spikes less
the neuron's own: a hub neuron counts a step's spikes and passes the count to everyone; one-to-one
synapses take the own spike back.
"""

HUB = "n_spikes : 1                                            # spikes of this step, summed over the layer\n"
HUB_FIRES = "n_spikes > 0"
COUNT_INTO_HUB = "n_spikes_post += 1\n"
CLEAR_HUB = "n_spikes = 0\n"
INHIBIT_ALL = "g_i_post += w_ie/n_rivals/tau_s*n_spikes_pre           # Eq. 4\n"
SPARE_ONESELF = "g_i_post -= w_ie/n_rivals/tau_s                     # Eq. 4\n"

# The same where a weight is the jump of the conductance itself (Hao et al., Eq. 3; Diehl & Cook).
INHIBIT_ALL_BY_WEIGHT = "g_i_post += w_ie*n_spikes_pre                       # Eq. 3\n"
SPARE_ONESELF_BY_WEIGHT = "g_i_post -= w_ie                                  # Eq. 3\n"
