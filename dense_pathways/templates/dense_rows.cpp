{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# An operation on every synapse that looks at neurons: row by row.
   USES_VARIABLES { N }, ALLOWS_SCALAR_WRITE #}
{% extends 'common_group.cpp' %}
{% import 'dense_loops.cpp' as loops with context %}
{% block maincode %}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    for (int32_t _row = 0; _row < {{connection.n_rows}}; ++_row)
    {
        const int32_t _source = _row + {{connection.pre_offset}};
        {{ loops.row('_row') }}
    }
{% endblock %}
