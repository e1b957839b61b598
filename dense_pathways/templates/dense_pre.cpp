{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# A pathway triggered by sources: for each source that fired, its row of synapses. Where that changes nothing for any
   element, some rows run side by side. #}
{% extends 'common_synapses.cpp' %}
{% import 'dense_loops.cpp' as loops with context %}
{% block maincode %}
    const size_t _vectorisation_idx = -1;
    {{ loops.events() }}
    if (_first_event == _last_event)
        return;
    {{scalar_code|autoindent}}
    const int32_t *_event = _first_event;
    {% if interchange and connection.kind == 'all to all' %}
    for (; _last_event - _event >= {{together}}; _event += {{together}})
    {
        {% for k in range(together) %}
        const int32_t _source_{{k}} = _event[{{k}}];
        const size_t _row_start_{{k}} = (size_t)(_source_{{k}} - {{connection.pre_offset}})*{{connection.n_post}};
        {% for name, type, array in carried %}
        {{type}} _carried_{{name}}_{{k}} = {{array}}[_source_{{k}}];
        {% endfor %}
        {% endfor %}
        {{ivdep}}
        for (int32_t _column = 0; _column < {{connection.n_post}}; ++_column)
        {
            const int32_t _target = _column + {{connection.post_offset}};
            {% for k in range(together) %}
            {
                const int32_t _source = _source_{{k}};
                {% for name, type, array in carried %}
                {{type}} &_carried_{{name}} = _carried_{{name}}_{{k}};
                {% endfor %}
                {{ loops.body('_row_start_' ~ k ~ ' + _column') }}
            }
            {% endfor %}
        }
        {% for k in range(together) %}
        {% for name, type, array in carried %}
        {{array}}[_source_{{k}}] = _carried_{{name}}_{{k}};
        {% endfor %}
        {% endfor %}
    }
    {% endif %}
    for (; _event != _last_event; ++_event)
    {
        const int32_t _source = *_event;
        {% for name, type, array in carried %}
        {{type}} _carried_{{name}} = {{array}}[_source];
        {% endfor %}
        {{ loops.row('_source - ' ~ connection.pre_offset) }}
        {% for name, type, array in carried %}
        {{array}}[_source] = _carried_{{name}};
        {% endfor %}
    }
{% endblock %}
