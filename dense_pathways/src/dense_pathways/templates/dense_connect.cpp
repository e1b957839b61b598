{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# Counted synapses: arrays are given their sizes; lists of indices are written only where something reads them. #}
{# USES_VARIABLES { _synaptic_pre, _synaptic_post, N_incoming, N_outgoing, N, N_pre, N_post, _source_offset,
                    _target_offset } #}
{# WRITES_TO_READ_ONLY_VARIABLES { _synaptic_pre, _synaptic_post, N_incoming, N_outgoing, N } #}
{% extends 'common_synapses.cpp' %}
{% import 'dense_loops.cpp' as loops with context %}
{% block maincode %}
    {{_dynamic_N_outgoing}}.resize({{connection.n_pre + connection.pre_offset}});
    {{_dynamic_N_incoming}}.resize({{connection.n_post + connection.post_offset}});
    {% for name in owner._registered_variables | variables_to_array_names(access_data=False) | sort %}
    {{name}}.resize({% if name in spared %}%UNREAD:{{name}}% {% endif %}{{connection.n_synapses}});
    {% endfor %}
    {{N}} = {{connection.n_synapses}};
    {{ loops.lengths(_dynamic_N_outgoing, connection.pre_offset, connection.n_rows, connection.n_post) }}
    {{ loops.lengths(_dynamic_N_incoming, connection.post_offset, connection.n_columns, connection.n_pre) }}
    size_t _dense_synapse = 0;
    for (int32_t _dense_row = 0; _dense_row < {{connection.n_rows}}; ++_dense_row)
    {
        {% if connection.kind == 'one to one' %}
        const int32_t _dense_column = _dense_row;
        {% else %}
        for (int32_t _dense_column = 0; _dense_column < {{connection.n_post}}; ++_dense_column)
        {% endif %}
        {
            {% if connection.kind == 'all to all but oneself' %}
            if (_dense_row == _dense_column)
                continue;
            {% endif %}
            %FILL:{{_dynamic__synaptic_pre}}:_dense_synapse:_dense_row + {{connection.pre_offset}}%
            %FILL:{{_dynamic__synaptic_post}}:_dense_synapse:_dense_column + {{connection.post_offset}}%
            ++_dense_synapse;
        }
    }
{% endblock %}
