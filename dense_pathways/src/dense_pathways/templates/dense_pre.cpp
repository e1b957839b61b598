{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# A pathway triggered by sources: for each source that fired, its row of synapses. Where that changes nothing for any
   element, some rows run side by side. #}
{% extends 'common_synapses.cpp' %}
{% import 'dense_loops.cpp' as loops with context %}
{% block maincode %}
    {{ loops.opening() }}
    const int32_t *_dense_event = _dense_first_event;
    {% if interchange and connection.kind == 'all to all' %}
    for (; _dense_last_event - _dense_event >= {{together}}; _dense_event += {{together}})
    {
        {% for k in range(together) %}
        const int32_t _dense_source_{{k}} = _dense_event[{{k}}];
        const size_t _dense_row_start_{{k}} = (size_t)(_dense_source_{{k}} - {{connection.pre_offset}})*{{connection.n_post}};
        {% for name, type, array in carried %}
        {{type}} _dense_carried_{{name}}_{{k}} = {{array}}[_dense_source_{{k}}];
        {% endfor %}
        {% endfor %}
        {{ivdep}}
        for (int32_t _dense_column = 0; _dense_column < {{connection.n_post}}; ++_dense_column)
        {
            const int32_t _dense_target = _dense_column + {{connection.post_offset}};
            {% for k in range(together) %}
            {
                const int32_t _dense_source = _dense_source_{{k}};
                {% for name, type, array in carried %}
                {{type}} &_dense_carried_{{name}} = _dense_carried_{{name}}_{{k}};
                {% endfor %}
                {{ loops.body('_dense_row_start_' ~ k ~ ' + _dense_column') }}
            }
            {% endfor %}
        }
        {% for k in range(together) %}
        {% for name, type, array in carried %}
        {{array}}[_dense_source_{{k}}] = _dense_carried_{{name}}_{{k}};
        {% endfor %}
        {% endfor %}
    }
    {% endif %}
    for (; _dense_event != _dense_last_event; ++_dense_event)
    {
        const int32_t _dense_source = *_dense_event;
        {% for name, type, array in carried %}
        {{type}} _dense_carried_{{name}} = {{array}}[_dense_source];
        {% endfor %}
        {{ loops.row('_dense_source - ' ~ connection.pre_offset) }}
        {% for name, type, array in carried %}
        {{array}}[_dense_source] = _dense_carried_{{name}};
        {% endfor %}
    }
{% endblock %}
