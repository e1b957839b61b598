"""Synaptic transmission: the jump of a conductance at a spike. Source: Touda & Okuno, Eq. 4.

tau_s is the target's: a postsynaptic variable.
"""

EXCITE = "g_e_post += gain*w/tau_s                                            # Eq. 4\n"
EXCITE_FIXED = "g_e_post += w_ei/tau_s                                        # Eq. 4, one to one\n"
