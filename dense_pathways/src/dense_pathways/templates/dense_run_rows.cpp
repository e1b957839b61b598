{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# An operation on every synapse that looks at neurons or linked variables: run by run.
   USES_VARIABLES { N }, ALLOWS_SCALAR_WRITE #}
{% extends 'common_group.cpp' %}
{% import 'dense_run_loops.cpp' as runs with context %}
{% block maincode %}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    {{ runs.every_synapse() }}
{% endblock %}
