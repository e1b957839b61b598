"""Connection schemes that cost O(N) where all-to-all would cost O(N**2).

Lateral inhibition, each neuron inhibiting all others with one strength, is a sum over all spikes less
the neuron's own: a hub neuron counts a step's spikes and passes the count to everyone; one-to-one
synapses take the own spike back. What a spike does to a neuron is the model's own.
"""

HUB = "n_spikes : 1                                         # of this step, summed over the layer"
HUB_FIRES = "n_spikes > 0"
COUNT_INTO_HUB = "n_spikes_post += 1"
CLEAR_HUB = "n_spikes = 0"
