"""Synaptic transmission: the jump of a conductance at a spike. Sources: Touda & Okuno, Eq. 4; Hao et al., Eqs. 2-3.

tau_s is the target's: a postsynaptic variable.
"""

EXCITE = "g_e_post += gain*w/tau_s                                            # Eq. 4\n"
EXCITE_FIXED = "g_e_post += w_ei/tau_s                                        # Eq. 4, one to one\n"

# A weight as the jump itself, in units of the membrane conductance: Hao et al., Eq. 2; Diehl & Cook.
EXCITE_BY_WEIGHT = "g_e_post += w                                            # Eq. 2\n"
EXCITE_BY_FIXED_WEIGHT = "g_e_post += w_ei                                   # Eq. 2, one to one\n"
