{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# A summed variable over runs: each synapse adds to its target, or to its source.
   USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}
{% import 'dense_run_loops.cpp' as runs with context %}
{% block maincode %}
    {% set _sums = get_array_name(_target_var) %}
    const int _dense_n_sums = {{constant_or_scalar(_target_size_name, variables[_target_size_name])}};
    for (int _dense_sum = 0; _dense_sum < _dense_n_sums; ++_dense_sum)
        {{_sums}}[_dense_sum + {{_target_start}}] = 0;
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    {{ runs.every_synapse((sum_carried if sum_carried else _sums ~ '[' ~ _sum_index ~ ']') ~ ' += _synaptic_var;') }}
{% endblock %}
