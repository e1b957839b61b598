{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# An operation on every synapse that looks at neurons: row by row.
   USES_VARIABLES { N }, ALLOWS_SCALAR_WRITE #}
{% extends 'common_group.cpp' %}
{% import 'dense_loops.cpp' as loops with context %}
{% block maincode %}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    for (int32_t _dense_row = 0; _dense_row < {{connection.n_rows}}; ++_dense_row)
    {
        const int32_t _dense_source = _dense_row + {{connection.pre_offset}};
        {{ loops.row('_dense_row') }}
    }
{% endblock %}
