{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# Integration, and whatever else runs for every element: all at once where no element sees another.
   USES_VARIABLES { N }, ALLOWS_SCALAR_WRITE #}
{% extends 'stateupdate.cpp' %}
{% import 'dense_elements.cpp' as elements with context %}
{% block maincode %}
{% if at_once %}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    {% set _count = constant_or_scalar('N', variables['N']) %}
    const int32_t _dense_n_elements = {% if width > 1 %}({{_count}} + {{width - 1}})/{{width}}*{{width}}{% else %}{{_count}}{% endif %};
    {{ elements.over('_dense_n_elements', '') }}
{% else %}
{{ super() }}
{% endif %}
{% endblock %}
